//! Buttons and forms of Discord: runs a confirmed action, and turns the pages of lists.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poise::serenity_prelude as serenity;

use crate::domain::merchant::{Merchant, PayoutAddress};
use crate::domain::second_factor::RecoveryCode;
use crate::domain::time::Timestamp;
use crate::operations::merchants as operations;
use crate::operations::own_addresses::ForeignAddress;
use crate::operations::second_factor::{self, Attempt, Passed};
use crate::operations::{Actor, Refusal, announce, confirmations, settle_payment, sweeps};
use crate::store::{WriteTx, merchants};

use super::answer::{self, Answer};
use super::authorization::{Admin, Origin, check_place};
use super::confirm::{NO, YES, address_set};
use super::error::{self, Asked};
use super::language::{Language, Value};
use super::lists::{self, List};
use super::pending_action::{Needed, PendingAction};
use super::press::Press;
use super::{Bot, Data, Failure, account_of, admin, operator, second_factor as forms, secrets};

/// Takes what Discord tells of buttons and forms; everything else is the framework's.
pub(super) async fn event(
    context: poise::FrameworkContext<'_, Data, Failure>,
    event: &serenity::FullEvent,
) -> Result<(), Failure> {
    let serenity::FullEvent::InteractionCreate { interaction } = event else { return Ok(()) };
    let Some(press) = Press::of(interaction, &context.serenity_context.http) else {
        return Ok(());
    };
    let bot = context.user_data;
    let language = Language::of_locale(press.locale());
    if let Some(id) = press.id().strip_prefix(YES)
        && press.code().is_none()
        && needs_code(bot, press.user(), id).await
    {
        return press.respond(forms::form(language, press.id())).await;
    }
    press.respond(serenity::CreateInteractionResponse::Acknowledge).await?;
    bot.remember_locale(press.user(), press.locale()).await;
    let done = AssertUnwindSafe(pressed(bot, &press, language)).catch_unwind().await;
    match done.unwrap_or(Err(Failure::Panicked)) {
        Ok(answer) => {
            let is_secret = answer.is_secret();
            press.edit(answer.into_edit()).await?;
            if is_secret {
                tokio::select! {
                    () = bot.shutdown.cancelled() => {}
                    () = tokio::time::sleep(bot.settings.secret_display_ttl) => {}
                }
                press.delete().await?;
            }
        }
        Err(failure) => {
            // The message stays as it is: it may belong to another user.
            let asked = Asked {
                interaction: press.interaction(),
                user: press.user(),
                wants: press.id(),
                language,
            };
            let text = error::sentence(&failure, &asked);
            let said = serenity::CreateInteractionResponseFollowup::new()
                .content(text)
                .ephemeral(true)
                .allowed_mentions(serenity::CreateAllowedMentions::new());
            press.follow_up(said).await?;
        }
    }
    Ok(())
}

/// Whether a code is to be asked for before this yes counts. A question that does not count is
/// refused afterwards, and so is one that cannot be read.
async fn needs_code(bot: &Bot, user: u64, id: &str) -> bool {
    let (id, now) = (id.to_owned(), bot.clock.now());
    let needs = bot.read(move |tx| {
        let found = crate::store::confirmations::find(tx, &id)?;
        let found = found.filter(|found| {
            found.discord_id == user && found.used_at.is_none() && now < found.expires_at
        });
        let pending_action =
            found.and_then(|found| PendingAction::from_row(&found.act, &found.argument));
        match pending_action.map_or(Needed::Never, |pending_action| pending_action.code()) {
            Needed::Never => Ok(false),
            Needed::Always => Ok(true),
            Needed::WithSecondFactor => {
                Ok(second_factor::is_enabled(tx, account_of(tx, user)?.id)?)
            }
        }
    });
    needs.await.unwrap_or(false)
}

async fn pressed(bot: &Arc<Bot>, press: &Press<'_>, language: Language) -> Result<Answer, Failure> {
    crate::crash::panic_at("button");
    let (id, user) = (press.id(), press.user());
    bot.limit.count(user)?;
    let origin = press.origin();
    if let Some((list, page)) = List::from_custom_id(id) {
        if list.is_for_admins() {
            Admin::check(bot, &origin).await?;
        } else {
            check_place(bot, origin.guild)?;
        }
        return lists::page(bot, user, language, &list, page).await;
    }
    if let Some(id) = id.strip_prefix(NO) {
        let (id, now) = (id.to_owned(), bot.clock.now());
        bot.write(move |tx| Ok(confirmations::take(tx, &id, user, now)?)).await??;
        return Ok(Answer::text(language.text("nothing-changed")));
    }
    let Some(id) = id.strip_prefix(YES) else {
        return Err(confirmations::Void::NotYours.into());
    };
    let yes = Yes { id: id.to_owned(), code: press.code().map(str::to_owned) };
    confirmed(bot, &origin, language, yes).await
}

/// A yes, with the code that came with it.
struct Yes {
    id: String,
    code: Option<String>,
}

/// Does what was asked, in the write that uses the question up. A code that is refused leaves the
/// question for another try.
async fn confirmed(
    bot: &Arc<Bot>,
    origin: &Origin<'_>,
    language: Language,
    yes: Yes,
) -> Result<Answer, Failure> {
    let (user, now) = (origin.user, bot.clock.now());
    let looked = yes.id.clone();
    let found = bot.read(move |tx| Ok(crate::store::confirmations::find(tx, &looked)?)).await?;
    let asked = found.filter(|found| found.discord_id == user);
    let pending_action =
        asked.and_then(|asked| PendingAction::from_row(&asked.act, &asked.argument));
    let pending_action = pending_action.ok_or(confirmations::Void::NotYours)?;
    if pending_action.is_for_admins() {
        Admin::check(bot, origin).await?;
    }
    let address = match &pending_action {
        PendingAction::SetAddress(text) => Some(bot.payout_address(text).await?),
        _ => None,
    };
    let actor = Actor::Discord { user, guild: origin.guild };
    let work = Work {
        bot: Arc::clone(bot),
        pending_action: pending_action.clone(),
        user,
        actor,
        address,
        now,
    };
    let written = bot
        .write(move |tx| {
            let Yes { id, code } = yes;
            let guarded = |passed: &Passed| {
                confirmations::take(tx, &id, user, now)??;
                work.carry_out(tx, code.as_deref(), passed)
            };
            let Some(given) = code.clone() else { return guarded(&Passed::nothing()).map(Ok) };
            let merchant = account_of(tx, user)?.id;
            let actor = work.actor.clone();
            let attempt = Attempt { actor, merchant, code: Some(given), now };
            second_factor::with_code(tx, &work.bot.secret, &attempt, guarded)
        })
        .await?
        .map_err(Refusal::from)?;
    tell(bot, language, &pending_action, written, now).await
}

/// What is done after a yes, with all that it takes.
struct Work {
    bot: Arc<Bot>,
    pending_action: PendingAction,
    user: u64,
    actor: Actor,
    address: Option<ForeignAddress>,
    now: Timestamp,
}

/// What came of it.
#[derive(Default)]
struct Written {
    /// Whom it was about.
    merchant: Option<Merchant>,
    set: Option<PayoutAddress>,
    recovery: Vec<RecoveryCode>,
}

impl Written {
    fn about(merchant: Option<Merchant>) -> Written {
        Written { merchant, ..Written::default() }
    }
}

impl Work {
    fn carry_out(
        &self,
        tx: &WriteTx,
        code: Option<&str>,
        passed: &Passed,
    ) -> Result<Written, Failure> {
        let Work { bot, actor, now, .. } = self;
        let (now, clock) = (*now, &bot.clock);
        let own = || account_of(tx, self.user);
        let about = |id| Ok(Written::about(merchants::by_id(tx, id)?));
        match &self.pending_action {
            PendingAction::SetAddress(_) => {
                let merchant = own()?;
                let Some(to) = &self.address else { return Ok(Written::default()) };
                let set =
                    operations::set_address(tx, actor, &bot.rules, merchant.id, to, passed, clock)?;
                let set = Some(set.registration);
                Ok(Written { set, ..Written::about(Some(merchant)) })
            }
            PendingAction::RotateKey(old) => {
                let rotated = operations::rotate_key(tx, actor, own()?.id, *old, passed, now)?;
                Ok(Written::about(Some(rotated)))
            }
            PendingAction::RotateWebhookSecret => {
                let rotated = operations::rotate_webhook_secret(tx, actor, own()?.id, now)?;
                Ok(Written::about(Some(rotated)))
            }
            PendingAction::CancelAddressChange => {
                let merchant = own()?;
                operations::cancel_address_change(tx, actor, merchant.id, clock)?;
                Ok(Written::about(Some(merchant)))
            }
            PendingAction::EnableSecondFactor => {
                let (merchant, code) = (own()?, code.unwrap_or_default());
                let recovery =
                    second_factor::confirm(tx, actor, &bot.secret, merchant.id, code, now)?;
                Ok(Written { recovery, ..Written::about(Some(merchant)) })
            }
            PendingAction::DisableSecondFactor => {
                let merchant = own()?;
                second_factor::disable(tx, actor, merchant.id, passed, now)?;
                Ok(Written::about(Some(merchant)))
            }
            PendingAction::Accept(id) => {
                let (own, network) = (own()?, bot.rules.network);
                settle_payment::accept(tx, actor, Some(own.id), *id, network, now)?;
                Ok(Written::about(Some(own)))
            }
            PendingAction::Cancel(id) => {
                let (own, network) = (own()?, bot.rules.network);
                settle_payment::cancel(tx, actor, Some(own.id), *id, network, now)?;
                Ok(Written::about(Some(own)))
            }
            PendingAction::RevokeSub(id) => {
                operations::revoke(tx, actor, *id, now).map(|()| about(*id))?
            }
            PendingAction::Suspend(id) => {
                operations::suspend(tx, actor, *id, now).map(|()| about(*id))?
            }
            PendingAction::ResendAll(id) => {
                announce::resend_failed(tx, actor, *id, now)?;
                about(*id)
            }
            PendingAction::SweepNow => {
                sweeps::request(tx, actor, now)?;
                Ok(Written::default())
            }
            PendingAction::Announce(text) => {
                announce::record(tx, actor, text, now)?;
                Ok(Written::default())
            }
        }
    }
}

/// What the presser reads once it is done.
async fn tell(
    bot: &Arc<Bot>,
    language: Language,
    pending_action: &PendingAction,
    written: Written,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let Written { merchant, set, recovery } = written;
    let name = merchant.as_ref().map(admin::called).unwrap_or_default();
    let of_name = |sentence: &str| Answer::text(language.say(sentence, &[("name", &name)]));
    let unchanged = || Answer::text(language.text("nothing-changed"));
    Ok(match pending_action {
        PendingAction::SetAddress(_) => match set {
            Some(set) => Answer::text(address_set(language, &set)),
            None => unchanged(),
        },
        PendingAction::RotateKey(_) => match merchant {
            Some(merchant) => secrets::key_answer(bot, language, &merchant),
            None => unchanged(),
        },
        PendingAction::RotateWebhookSecret => match merchant {
            Some(merchant) => secrets::webhook_secret_answer(bot, language, &merchant),
            None => unchanged(),
        },
        PendingAction::CancelAddressChange => Answer::text(language.text("change-cancelled")),
        PendingAction::EnableSecondFactor => forms::recovery_answer(bot, language, &recovery),
        PendingAction::DisableSecondFactor => Answer::text(language.text("factor-disabled")),
        PendingAction::Accept(_) => {
            bot.notifier.notify_webhooks();
            bot.notifier.notify_sweeper();
            Answer::text(language.text("accepted"))
        }
        PendingAction::Cancel(_) => {
            bot.notifier.notify_webhooks();
            Answer::text(language.text("cancelled"))
        }
        PendingAction::RevokeSub(_) => of_name("revoked"),
        PendingAction::Suspend(_) => of_name("suspended"),
        PendingAction::ResendAll(_) => {
            bot.notifier.notify_webhooks();
            of_name("resent-all")
        }
        PendingAction::SweepNow => {
            bot.notifier.notify_sweeper();
            swept(bot, language, now).await?
        }
        PendingAction::Announce(text) => {
            operator::post_announcement(&bot.settings, text).await?;
            Answer::text(language.text("announced"))
        }
    })
}

/// How long an administrator waits for the sweeper, and how often it is looked for.
const SWEEP_PATIENCE: Duration = Duration::from_secs(30);
const SWEEP_LOOK: Duration = Duration::from_millis(250);

/// What came of asking for a sweep.
async fn swept(bot: &Bot, language: Language, asked_at: Timestamp) -> Result<Answer, Failure> {
    let begun = tokio::time::Instant::now();
    loop {
        match bot.read(move |tx| Ok(sweeps::outcome(tx, asked_at)?)).await? {
            sweeps::Outcome::Done(made) if made.is_empty() => {
                return Ok(Answer::text(language.text("swept-nothing")));
            }
            sweeps::Outcome::Done(made) => {
                let line = |sweep: &crate::domain::sweep::SentSweep| {
                    let values: [(&str, &Value); 3] = [
                        ("txid", &sweep.txid.to_string()),
                        ("n", &sweep.payouts.len()),
                        ("fee", &answer::ltc(sweep.fee)),
                    ];
                    language.say("swept-line", &values)
                };
                let lines: Vec<String> = made.iter().map(line).collect();
                return Ok(Answer::page(language.text("title-swept"), &lines.join("\n")));
            }
            sweeps::Outcome::ChainSuspect => return Err(Refusal::ChainSuspect.into()),
            sweeps::Outcome::Trouble(why) => {
                let cannot = language.say("sweeper-cannot", &[("why", &answer::logged(&why))]);
                return Ok(Answer::text(cannot));
            }
            sweeps::Outcome::Waiting if begun.elapsed() > SWEEP_PATIENCE => {
                return Ok(Answer::text(language.text("sweeper-slow")));
            }
            sweeps::Outcome::Waiting => tokio::time::sleep(SWEEP_LOOK).await,
        }
    }
}
