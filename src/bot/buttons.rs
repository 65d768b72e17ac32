//! Buttons: questions that want a yes before something is done, and pages of lists.
//!
//! What a button means stands in the database; its id is only a random name for it. So a forged or
//! an old button does nothing, and a restart in between changes nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poise::serenity_prelude as serenity;

use crate::acts::merchants as acts;
use crate::acts::second_factor::Passed;
use crate::acts::{Actor, Refusal, announce, confirmations, sweeps};
use crate::domain::merchant::{MerchantId, OldKey, PayoutAddress};
use crate::domain::time::Timestamp;
use crate::store::merchants;

use super::answer::{self, Answer, date, grouped, relative};
use super::calls::patiently;
use super::language::{Language, Value};
use super::lists::{self, List};
use super::mishap::{self, Asked};
use super::permit::{Admin, Origin, check_place};
use super::{Bot, Data, Failure, account_of, admin, operator, secrets};

/// What is done after a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    SetAddress(String),
    RotateKey(OldKey),
    RotateWebhookSecret,
    CancelAddressChange,
    RevokeSub(MerchantId),
    Suspend(MerchantId),
    SweepNow,
    ResendAll(MerchantId),
    Announce(String),
}

impl Deed {
    /// The word and the argument in the database. No secret is ever among them.
    fn as_row(&self) -> (&'static str, String) {
        match self {
            Deed::SetAddress(address) => ("set_address", address.clone()),
            Deed::RotateKey(OldKey::DiesAtOnce) => ("rotate_key", String::new()),
            Deed::RotateKey(OldKey::LivesOn) => ("rotate_key", LIVES_ON.to_owned()),
            Deed::RotateWebhookSecret => ("rotate_webhook_secret", String::new()),
            Deed::CancelAddressChange => ("cancel_address_change", String::new()),
            Deed::RevokeSub(id) => ("revoke_sub", id.to_string()),
            Deed::Suspend(id) => ("suspend", id.to_string()),
            Deed::SweepNow => ("sweep_now", String::new()),
            Deed::ResendAll(id) => ("resend_all", id.to_string()),
            Deed::Announce(text) => ("announce", text.clone()),
        }
    }

    fn from_row(act: &str, argument: &str) -> Option<Deed> {
        let id = || argument.parse().ok();
        match act {
            "set_address" => Some(Deed::SetAddress(argument.to_owned())),
            "rotate_key" => Some(Deed::RotateKey(match argument {
                LIVES_ON => OldKey::LivesOn,
                _ => OldKey::DiesAtOnce,
            })),
            "rotate_webhook_secret" => Some(Deed::RotateWebhookSecret),
            "cancel_address_change" => Some(Deed::CancelAddressChange),
            "revoke_sub" => id().map(Deed::RevokeSub),
            "suspend" => id().map(Deed::Suspend),
            "sweep_now" => Some(Deed::SweepNow),
            "resend_all" => id().map(Deed::ResendAll),
            "announce" => Some(Deed::Announce(argument.to_owned())),
            _ => None,
        }
    }

    fn is_for_admins(&self) -> bool {
        match self {
            Deed::SetAddress(_)
            | Deed::RotateKey(_)
            | Deed::RotateWebhookSecret
            | Deed::CancelAddressChange => false,
            Deed::RevokeSub(_)
            | Deed::Suspend(_)
            | Deed::SweepNow
            | Deed::ResendAll(_)
            | Deed::Announce(_) => true,
        }
    }
}

/// The argument of a rotation after which the old key lives on for a while.
const LIVES_ON: &str = "lives on";

/// What the ids of our buttons begin with.
const YES: &str = "yes:";
const NO: &str = "no:";

/// The button that cancels a change of address; it stands as long as the change can be cancelled.
pub(super) async fn cancel_button(
    bot: &Bot,
    user: u64,
    language: Language,
    until: Timestamp,
) -> Result<serenity::CreateButton, Failure> {
    let now = bot.clock.now();
    let stands_ms = until.ms_since(now);
    let (act, argument) = Deed::CancelAddressChange.as_row();
    let ask = move |tx: &crate::store::WriteTx| {
        Ok(confirmations::ask(tx, user, act, &argument, stands_ms, now)?)
    };
    let id = bot.write(ask).await?;
    let button = serenity::CreateButton::new(format!("{YES}{id}"));
    Ok(button.label(language.words.button_cancel_change).style(serenity::ButtonStyle::Danger))
}

/// A page that asks, with the buttons to answer.
pub(super) async fn question(
    bot: &Bot,
    user: u64,
    language: Language,
    deed: &Deed,
    page: Answer,
    yes: &str,
) -> Result<Answer, Failure> {
    let now = bot.clock.now();
    let (act, argument) = deed.as_row();
    let ask = move |tx: &crate::store::WriteTx| {
        Ok(confirmations::ask(tx, user, act, &argument, confirmations::STANDS_MS, now)?)
    };
    let id = bot.write(ask).await?;
    Ok(page.with_buttons(vec![
        serenity::CreateButton::new(format!("{YES}{id}"))
            .label(yes)
            .style(serenity::ButtonStyle::Danger),
        serenity::CreateButton::new(format!("{NO}{id}"))
            .label(language.words.button_leave)
            .style(serenity::ButtonStyle::Secondary),
    ]))
}

/// Takes what Discord tells of buttons; everything else is the framework's.
pub(super) async fn event(
    context: poise::FrameworkContext<'_, Data, Failure>,
    event: &serenity::FullEvent,
) -> Result<(), Failure> {
    let serenity::FullEvent::InteractionCreate {
        interaction: serenity::Interaction::Component(press),
    } = event
    else {
        return Ok(());
    };
    let (bot, http) = (context.user_data, &context.serenity_context.http);
    press.create_response(http, serenity::CreateInteractionResponse::Acknowledge).await?;
    let language = Language::of_locale(&press.locale);
    bot.remember_locale(press.user.id.get(), &press.locale).await;
    let done = AssertUnwindSafe(pressed(bot, press, language)).catch_unwind().await;
    match done.unwrap_or(Err(Failure::Panicked)) {
        Ok(answer) => {
            let is_secret = answer.is_secret();
            let edit = answer.into_edit();
            patiently(|| press.edit_response(http, edit.clone())).await?;
            if is_secret {
                tokio::select! {
                    () = bot.shutdown.cancelled() => {}
                    () = tokio::time::sleep(bot.settings.secrets_shown) => {}
                }
                patiently(|| press.delete_response(http)).await?;
            }
        }
        Err(failure) => {
            // The message stays as it is: it may be somebody else's.
            let asked = Asked {
                interaction: press.id.get(),
                user: press.user.id.get(),
                wants: &press.data.custom_id,
                language,
            };
            let text = mishap::sentence(&failure, &asked);
            let said = serenity::CreateInteractionResponseFollowup::new()
                .content(text)
                .ephemeral(true)
                .allowed_mentions(serenity::CreateAllowedMentions::new());
            patiently(|| press.create_followup(http, said.clone())).await?;
        }
    }
    Ok(())
}

async fn pressed(
    bot: &Arc<Bot>,
    press: &serenity::ComponentInteraction,
    language: Language,
) -> Result<Answer, Failure> {
    crate::crash::stumble("button");
    let id = press.data.custom_id.as_str();
    let user = press.user.id.get();
    bot.limit.count(user)?;
    let origin = Origin {
        user,
        guild: press.guild_id.map(serenity::GuildId::get),
        roles: press.member.as_ref().map(|member| member.roles.as_slice()).unwrap_or_default(),
        wants: id,
    };
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
        return Ok(Answer::text(language.words.nothing_changed));
    }
    let Some(id) = id.strip_prefix(YES) else {
        return Err(confirmations::Void::NotYours.into());
    };
    confirmed(bot, &origin, language, id.to_owned()).await
}

/// Does what was asked, in the write that uses the question up.
async fn confirmed(
    bot: &Arc<Bot>,
    origin: &Origin<'_>,
    language: Language,
    id: String,
) -> Result<Answer, Failure> {
    let (user, now) = (origin.user, bot.clock.now());
    let looked = id.clone();
    let found = bot.read(move |tx| Ok(crate::store::confirmations::find(tx, &looked)?)).await?;
    let asked = found.filter(|found| found.discord_id == user);
    let deed = asked.and_then(|asked| Deed::from_row(&asked.act, &asked.argument));
    let deed = deed.ok_or(confirmations::Void::NotYours)?;
    if deed.is_for_admins() {
        Admin::check(bot, origin).await?;
    }
    let actor = Actor::Discord { user, guild: origin.guild };
    let (rules, done, clock) = (bot.rules.clone(), deed.clone(), bot.clock.clone());
    let address = match &deed {
        Deed::SetAddress(text) => Some(bot.payout_address(text).await?),
        _ => None,
    };
    let written = bot
        .write(move |tx| {
            confirmations::take(tx, &id, user, now)??;
            match done {
                Deed::SetAddress(_) => {
                    let merchant = account_of(tx, user)?;
                    let Some(address) = address else { return Ok(None) };
                    let passed = Passed::nothing();
                    let set = acts::set_address(
                        tx,
                        &actor,
                        &rules,
                        merchant.id,
                        &address,
                        &passed,
                        &clock,
                    )?;
                    Ok(Some((merchant, Some(set.registration))))
                }
                Deed::RotateKey(old) => {
                    let merchant = account_of(tx, user)?;
                    let passed = Passed::nothing();
                    Ok(Some((acts::rotate_key(tx, &actor, merchant.id, old, &passed, now)?, None)))
                }
                Deed::RotateWebhookSecret => {
                    let merchant = account_of(tx, user)?;
                    Ok(Some((acts::rotate_webhook_secret(tx, &actor, merchant.id, now)?, None)))
                }
                Deed::CancelAddressChange => {
                    let merchant = account_of(tx, user)?;
                    acts::cancel_address_change(tx, &actor, merchant.id, &clock)?;
                    Ok(Some((merchant, None)))
                }
                Deed::RevokeSub(id) => {
                    acts::revoke(tx, &actor, id, now)?;
                    Ok(merchants::by_id(tx, id)?.map(|merchant| (merchant, None)))
                }
                Deed::Suspend(id) => {
                    acts::suspend(tx, &actor, id, now)?;
                    Ok(merchants::by_id(tx, id)?.map(|merchant| (merchant, None)))
                }
                Deed::ResendAll(id) => {
                    announce::resend_failed(tx, &actor, id, now)?;
                    Ok(merchants::by_id(tx, id)?.map(|merchant| (merchant, None)))
                }
                Deed::SweepNow => {
                    sweeps::request(tx, &actor, now)?;
                    Ok(None)
                }
                Deed::Announce(text) => {
                    announce::record(tx, &actor, &text, now)?;
                    Ok(None)
                }
            }
        })
        .await?;
    tell(bot, language, &deed, written, now).await
}

type Written = Option<(crate::domain::merchant::Merchant, Option<PayoutAddress>)>;

/// What the presser reads once it is done.
async fn tell(
    bot: &Arc<Bot>,
    language: Language,
    deed: &Deed,
    written: Written,
    now: Timestamp,
) -> Result<Answer, Failure> {
    let words = language.words;
    let name = written.as_ref().map(|(merchant, _)| admin::called(merchant)).unwrap_or_default();
    let of_name = |sentence: &str| Answer::text(language.say(sentence, &[("name", &name)]));
    let unchanged = || Answer::text(words.nothing_changed);
    Ok(match deed {
        Deed::SetAddress(_) => match written.and_then(|(_, set)| set) {
            Some(set) => Answer::text(address_set(language, &set)),
            None => unchanged(),
        },
        Deed::RotateKey(_) => match written {
            Some((merchant, _)) => secrets::key_answer(bot, language, &merchant),
            None => unchanged(),
        },
        Deed::RotateWebhookSecret => match written {
            Some((merchant, _)) => secrets::webhook_secret_answer(bot, language, &merchant),
            None => unchanged(),
        },
        Deed::CancelAddressChange => Answer::text(words.change_cancelled),
        Deed::RevokeSub(_) => of_name(words.revoked),
        Deed::Suspend(_) => of_name(words.suspended),
        Deed::ResendAll(_) => {
            bot.wake.stir_webhooks();
            of_name(words.resent_all)
        }
        Deed::SweepNow => {
            bot.wake.stir_sweeper();
            swept(bot, language, now).await?
        }
        Deed::Announce(text) => {
            operator::post_announcement(&bot.settings, text).await?;
            Answer::text(words.announced)
        }
    })
}

/// Where payouts go after a registration, and from when on.
pub(super) fn address_set(language: Language, set: &PayoutAddress) -> String {
    let (words, address) = (language.words, grouped(&set.address.to_string()));
    if set.effective_at <= set.registered_at {
        return language.say(words.address_is, &[("address", &address)]);
    }
    let values: [(&str, &Value); 3] = [
        ("address", &address),
        ("date", &date(set.effective_at)),
        ("when", &relative(set.effective_at)),
    ];
    language.say(words.address_will_be, &values)
}

/// How long an administrator waits for the sweeper, and how often it is looked for.
const SWEEP_PATIENCE: Duration = Duration::from_secs(30);
const SWEEP_LOOK: Duration = Duration::from_millis(250);

/// What came of asking for a sweep.
async fn swept(bot: &Bot, language: Language, asked_at: Timestamp) -> Result<Answer, Failure> {
    let words = language.words;
    let begun = tokio::time::Instant::now();
    loop {
        match bot.read(move |tx| Ok(sweeps::outcome(tx, asked_at)?)).await? {
            sweeps::Outcome::Done(made) if made.is_empty() => {
                return Ok(Answer::text(words.swept_nothing));
            }
            sweeps::Outcome::Done(made) => {
                let line = |sweep: &crate::domain::sweep::SentSweep| {
                    let values: [(&str, &Value); 3] = [
                        ("txid", &sweep.txid),
                        ("n", &sweep.payouts.len()),
                        ("fee", &answer::ltc(sweep.fee)),
                    ];
                    language.say(words.swept_line, &values)
                };
                let lines: Vec<String> = made.iter().map(line).collect();
                return Ok(Answer::page(words.title_swept, &lines.join("\n")));
            }
            sweeps::Outcome::InDoubt => return Err(Refusal::ChainInDoubt.into()),
            sweeps::Outcome::Trouble(why) => {
                let cannot = language.say(words.sweeper_cannot, &[("why", &answer::logged(&why))]);
                return Ok(Answer::text(cannot));
            }
            sweeps::Outcome::Waiting if begun.elapsed() > SWEEP_PATIENCE => {
                return Ok(Answer::text(language.say(words.sweeper_slow, &[])));
            }
            sweeps::Outcome::Waiting => tokio::time::sleep(SWEEP_LOOK).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_come_back_from_their_rows() {
        let id = MerchantId::from_random(7);
        for deed in [
            Deed::SetAddress("ltc1q".into()),
            Deed::RotateKey(OldKey::DiesAtOnce),
            Deed::RotateKey(OldKey::LivesOn),
            Deed::RotateWebhookSecret,
            Deed::CancelAddressChange,
            Deed::RevokeSub(id),
            Deed::Suspend(id),
            Deed::SweepNow,
            Deed::ResendAll(id),
            Deed::Announce("Hello".into()),
        ] {
            let (act, argument) = deed.as_row();
            assert_eq!(Deed::from_row(act, &argument), Some(deed));
        }
        assert_eq!(Deed::from_row("suspend", "nobody"), None);
        assert_eq!(Deed::from_row("", ""), None);
    }
}
