//! Commands for merchants. Each acts on the account of the user who sends it.

use crate::domain::merchant::{BusinessName, Subscription, address_in_force, address_to_come};
use crate::domain::notification::{DeliveryMode, Kind};
use crate::domain::tolerance::Tolerance;
use crate::operations::Refusal;
use crate::operations::merchants::{self as operations, AddressStep};
use crate::operations::notifications::{self as notification_operations, plain};
use crate::operations::second_factor::{self, Passed};
use crate::store::{audit_log, merchants as rows};

use super::answer::{Answer, date, grouped, relative, reply};
use super::confirm;
use super::language::{Language, Value};
use super::lists::{self, List};
use super::pending_action::PendingAction;
use super::{Asker, Context, Data, Failure, account_of, autocomplete, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![
        help(),
        set_address(),
        cancel_address_change(),
        set_business_name(),
        set_confirmations(),
        set_tolerance(),
        set_events(),
        subscription(),
        notifications(),
        notification_settings(),
        docs(),
    ]
}

/// Where you stand, and what to do next
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn help(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let bot = context.data();
    let (user, network) = (asker.user, bot.rules.network);
    let (now, language) = (asker.now, asker.language);
    let account = bot
        .read(move |tx| match rows::by_discord_id(tx, user)? {
            Some(merchant) => {
                let viewed = audit_log::was_done(tx, merchant.id, "view_key")?;
                Ok(Some((operations::account(tx, merchant.id, network)?, viewed)))
            }
            None => Ok(None),
        })
        .await?;
    let mark = |done: bool| if done { "✔" } else { "✘" };
    let (mut has_address, mut active, mut has_key) = (false, None, false);
    if let Some((account, viewed)) = &account {
        has_address = address_in_force(account.addresses.current(), now).is_some();
        has_key = *viewed;
        if let Subscription::Until(end) = account.merchant.subscription {
            active = (end > now).then_some(end);
        }
    }
    let until = active.map(|end| language.say("until-date", &[("date", &date(end))]));
    let until = until.map(|until| format!(" {until}")).unwrap_or_default();
    let text = language.say(
        "help",
        &[
            ("address", &mark(has_address)),
            ("subscription", &mark(active.is_some())),
            ("key", &mark(has_key)),
            ("until", &until),
        ],
    );
    reply(context, Answer::page(language.text("title-help"), &text)).await
}

/// Register the Litecoin address that your money is paid out to
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_address(
    context: Context<'_>,
    #[max_length = 128] ltc_address: String,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let bot = context.data();
    let rules = bot.rules.clone();
    let address = bot.payout_address(&ltc_address).await?;
    let Asker { user, name, actor, now, language } = asker;
    let (wanted, network, clock) = (address.clone(), rules.network, bot.clock.clone());
    let registered = bot
        .write(move |tx| {
            // The first registration of a Discord user opens the account.
            let merchant = operations::of_discord_user(tx, &actor, &rules, user, &name, &clock)?;
            let step = operations::address_step(tx, &rules, merchant.id, wanted.get(), now)?;
            match step {
                AddressStep::AtOnce if second_factor::is_enabled(tx, merchant.id)? => {
                    Ok(Err((step, None)))
                }
                AddressStep::AtOnce | AddressStep::Nothing => {
                    let passed = Passed::nothing();
                    Ok(Ok(operations::set_address(
                        tx,
                        &actor,
                        &rules,
                        merchant.id,
                        &wanted,
                        &passed,
                        &clock,
                    )?))
                }
                AddressStep::Change => {
                    let account = operations::account(tx, merchant.id, network)?;
                    let before = address_in_force(account.addresses.current(), now);
                    Ok(Err((step, before.map(|registered| registered.address.to_string()))))
                }
            }
        })
        .await?;
    let address = address.get();
    let warning = match address.is_old_p2sh_spelling() {
        true => format!("\n{}", language.text("address-warning")),
        false => String::new(),
    };
    let shown = grouped(&address.to_string());
    let answer = match registered {
        Ok(same) if !same.is_new => {
            let set = confirm::address_set(language, &same.registration);
            Answer::text(format!("{set}{warning}"))
        }
        Ok(_) => {
            let set = language.say("address-set", &[("address", &shown)]);
            Answer::text(format!("{set}{warning}"))
        }
        Err((step, before)) => {
            let hours = bot.rules.payout_address_delay_ms / 3_600_000;
            let before =
                before.map_or(language.text("no-address").to_owned(), |address| grouped(&address));
            let change = before_after(language, &before, &shown);
            let when = match step {
                AddressStep::Change => language.say("change-address", &[("hours", &hours)]),
                AddressStep::AtOnce | AddressStep::Nothing => {
                    language.text("factor-asks").to_owned()
                }
            };
            let text = format!("{change}{warning}\n\n{when}");
            let page = Answer::page(language.text("title-change-address"), &text);
            let pending_action = PendingAction::SetAddress(address.to_string());
            let yes = language.text("button-change-address");
            confirm::confirm(bot, user, language, &pending_action, page, yes).await?
        }
    };
    reply(context, answer).await
}

/// Cancel a change of the payout address that has not taken effect
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn cancel_address_change(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, actor, language, .. } = begin(context).await?;
    let clock = context.data().clock.clone();
    let cancel = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::cancel_address_change(tx, &actor, merchant.id, &clock)?)
    };
    context.data().write(cancel).await?;
    reply(context, Answer::text(language.text("change-cancelled"))).await
}

/// Change the name that shoppers see on the checkout
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_business_name(
    context: Context<'_>,
    #[max_length = 64] name: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let name = BusinessName::parse(&name).map_err(Refusal::from)?;
    let shown = plain(name.as_str());
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::set_name(tx, &actor, merchant.id, &name, now)?)
    };
    context.data().write(set).await?;
    let text = language.say("name-set", &[("name", &shown)]);
    reply(context, Answer::text(text)).await
}

/// Change how many confirmations your payments need
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_confirmations(
    context: Context<'_>,
    #[max_length = 200] confirmations: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let choice = operations::read_confirmations(&confirmations)?;
    let shown = choice.clone();
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::set_confirmations(tx, &actor, merchant.id, &choice, now)?)
    };
    context.data().write(set).await?;
    let (text, least) = match (shown.others, shown.tiers.iter().next()) {
        (Some(n), None) => {
            let minutes = u64::from(n) * 5 / 2;
            let values: [(&str, &Value); 2] = [("n", &n), ("minutes", &minutes)];
            (language.say("confirmations-set", &values), n)
        }
        (others, first) => {
            let least = first.map_or(others.unwrap_or(1), |tier| tier.confirmations);
            (language.say("tiers-set", &[("tiers", &shown.to_string())]), least)
        }
    };
    let risk = if least < 3 { language.text("confirmations-risk") } else { "" };
    reply(context, Answer::text(format!("{text} {risk}").trim().to_owned())).await
}

/// Change how much of the amount may be missing
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_tolerance(
    context: Context<'_>,
    #[max_length = 16] percent: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let tolerance = operations::read_tolerance(&percent)?;
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::set_tolerance(tx, &actor, merchant.id, tolerance, now)?)
    };
    context.data().write(set).await?;
    let text = match tolerance {
        Tolerance::NONE => language.text("tolerance-none").to_owned(),
        some => language.say("tolerance-set", &[("percent", &some.to_string())]),
    };
    reply(context, Answer::text(text)).await
}

/// Change which events beside completed are sent to your webhook
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn set_events(
    context: Context<'_>,
    #[max_length = 100] events: String,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let events = operations::read_events(&events)?;
    let set = move |tx: &crate::store::WriteTx| {
        let merchant = account_of(tx, user)?;
        Ok(operations::set_events(tx, &actor, merchant.id, events, now)?)
    };
    context.data().write(set).await?;
    let text = match events.is_empty() {
        true => language.text("events-none").to_owned(),
        false => language.say("events-set", &[("events", &events.to_string())]),
    };
    reply(context, Answer::text(text)).await
}

/// Show until when you can take payments
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn subscription(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let state = context.data().read(move |tx| {
        let merchant = account_of(tx, user)?;
        Ok((merchant.subscription, rows::suspended_at(tx, merchant.id)?))
    });
    let (subscription, suspended) = state.await?;
    let text = match subscription {
        _ if suspended.is_some() => language.text("subscription-suspended").to_owned(),
        Subscription::Until(end) if end > now => {
            let end: [(&str, &Value); 2] = [("date", &date(end)), ("when", &relative(end))];
            language.say("subscription-until", &end)
        }
        Subscription::Until(end) => language.say("subscription-ended", &[("when", &relative(end))]),
        Subscription::None => language.text("subscription-none").to_owned(),
    };
    reply(context, Answer::text(text)).await
}

/// Show what you were told, and what could not be sent to you
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn notifications(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let page =
        lists::page(context.data(), asker.user, asker.language, &List::Notifications, 0).await?;
    reply(context, page).await
}

/// How to be told of a kind.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfWay {
    #[name = "choice-direct-message"]
    Message,
    #[name = "choice-channel"]
    Channel,
    #[name = "choice-off"]
    Off,
}

impl OfWay {
    fn way(self) -> DeliveryMode {
        match self {
            OfWay::Message => DeliveryMode::Message,
            OfWay::Channel => DeliveryMode::Channel,
            OfWay::Off => DeliveryMode::Off,
        }
    }
}

/// Choose what you are told, and how
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn notification_settings(
    context: Context<'_>,
    #[autocomplete = "autocomplete::notification_kind"] kind: Option<String>,
    how: Option<OfWay>,
) -> Result<(), Failure> {
    let Asker { user, actor, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let chosen = match (kind, how) {
        (Some(word), Some(how)) => {
            Some((word.parse::<Kind>().map_err(|_| Failure::UnknownKind)?, how.way()))
        }
        (None, None) => None,
        _ => return Err(Failure::KindAndHow),
    };
    if let Some((kind, way)) = chosen {
        if way == DeliveryMode::Channel && bot.settings.notifications_channel_id.is_none() {
            return Err(Failure::NoNotificationsChannel);
        }
        let choose = move |tx: &crate::store::WriteTx| {
            let merchant = account_of(tx, user)?;
            Ok(notification_operations::choose(tx, &actor, merchant.id, kind, way, now)?)
        };
        bot.write(choose).await?;
    }
    let wanted =
        bot.read(move |tx| Ok(notification_operations::choices(tx, account_of(tx, user)?.id)?));
    let line = |(kind, way): (Kind, DeliveryMode)| {
        let mark = match way {
            _ if bot.settings.notifications_off.contains(&kind) => {
                format!("✘ {}", language.text("off-for-all"))
            }
            DeliveryMode::Message => "✔".to_owned(),
            DeliveryMode::Channel => format!("✔ {}", language.text("in-the-channel")),
            DeliveryMode::Off => "✘".to_owned(),
        };
        format!("{mark} `{}` {}", kind.as_str(), language.kind(kind))
    };
    let lines: Vec<String> = wanted.await?.into_iter().map(line).collect();
    reply(context, Answer::page(language.text("title-notification-settings"), &lines.join("\n")))
        .await
}

/// Where the integration guide is
#[poise::command(
    slash_command,
    ephemeral,
    category = "Account",
    interaction_context = "Guild|BotDm"
)]
async fn docs(context: Context<'_>) -> Result<(), Failure> {
    let Asker { language, .. } = begin(context).await?;
    let url = &context.data().site.public_url;
    reply(context, Answer::text(language.say("docs", &[("url", url)]))).await
}

/// What was, and what is then.
pub(super) fn before_after(language: Language, before: &str, after: &str) -> String {
    language.say("before-after", &[("before", &before), ("after", &after)])
}

/// The line about payout addresses on pages that show an account.
pub(super) fn address_lines(
    language: Language,
    account: &operations::Account,
    now: crate::domain::time::Timestamp,
) -> String {
    let address = match address_in_force(account.addresses.current(), now) {
        Some(registered) => grouped(&registered.address.to_string()),
        None => language.text("address-none").to_owned(),
    };
    let Some(to_come) = address_to_come(account.addresses.current(), now) else { return address };
    let (next, when) = (grouped(&to_come.address.to_string()), relative(to_come.effective_at));
    let change = language.say("address-to-come", &[("address", &next), ("when", &when)]);
    format!("{address}\n{change}")
}
