//! The commands by which administrators look after merchants. The check of every command has
//! judged role and server before; each command asks for the proof again, so that none can be added
//! without.

use poise::serenity_prelude as serenity;

use crate::domain::merchant::{Merchant, MerchantId, Subscription};
use crate::domain::time::DAY_MS;
use crate::operations::accounts;
use crate::operations::merchants as operations;
use crate::operations::notifications::plain;
use crate::store::{ReadTx, merchants as rows, stats};

use super::answer::{Answer, date, relative, reply, stats_line};
use super::authorization::Admin;
use super::confirm;
use super::language::Language;
use super::lists::{self, List};
use super::merchant::{address_lines, before_after};
use super::money::sums;
use super::pending_action::PendingAction;
use super::{Asker, Context, Data, Failure, autocomplete, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![grant_sub(), revoke_sub(), suspend(), unsuspend(), merchants(), merchant()]
}

/// A merchant as administrators call it.
pub(super) fn called(merchant: &Merchant) -> String {
    match merchant.discord_id {
        Some(id) => format!("<@{id}>"),
        None => plain(merchant.name.as_str()),
    }
}

/// The merchant account of another user.
fn account_of(tx: &ReadTx, user: u64) -> Result<Merchant, Failure> {
    rows::by_discord_id(tx, user)?.ok_or(Failure::NoAccountOf)
}

fn end_of(language: Language, subscription: Subscription) -> String {
    match subscription {
        Subscription::Until(end) => date(end),
        Subscription::None => language.text("no-subscription").to_owned(),
    }
}

/// Add days to a merchant's subscription; opens the account if there is none
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn grant_sub(
    context: Context<'_>,
    user: serenity::User,
    #[min = 1]
    #[max = 3660]
    days: u32,
) -> Result<(), Failure> {
    let Asker { actor, now, language, .. } = begin(context).await?;
    Admin::of(context).await?;
    if user.bot {
        return Err(Failure::BotIsNoMerchant);
    }
    let bot = context.data();
    let (rules, clock) = (bot.rules.clone(), bot.clock.clone());
    let (discord_id, name) = (user.id.get(), user.name.clone());
    let granted = bot.write(move |tx| {
        let merchant = operations::of_discord_user(tx, &actor, &rules, discord_id, &name, &clock)?;
        let after = operations::grant(tx, &actor, merchant.id, days, now)?;
        Ok((merchant.subscription, after))
    });
    let (before, after) = granted.await?;
    let who = format!("<@{discord_id}>");
    let granted = language.say("granted", &[("name", &who), ("n", &days)]);
    let change = before_after(language, &end_of(language, before), &end_of(language, after));
    reply(context, Answer::text(format!("{granted}\n{change}"))).await
}

/// End a merchant's subscription now; open payments go on
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn revoke_sub(context: Context<'_>, user: serenity::User) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let discord_id = user.id.get();
    let merchant = bot.read(move |tx| account_of(tx, discord_id)).await?;
    let language = asker.language;
    let before = match merchant.subscription {
        Subscription::Until(end) => language.say("until-date", &[("date", &date(end))]),
        Subscription::None => language.text("no-subscription").to_owned(),
    };
    let change = before_after(language, &before, language.text("no-subscription"));
    let text = format!(
        "{} (`{}`)\n{change}\n\n{}",
        called(&merchant),
        merchant.id,
        language.text("revoke").to_owned()
    );
    let page = Answer::page(language.text("title-revoke"), &text);
    let (pending_action, yes) =
        (PendingAction::RevokeSub(merchant.id), language.text("button-revoke"));
    let answer = confirm::confirm(bot, asker.user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// Let a merchant make no new payments; open ones go on and are paid out
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn suspend(context: Context<'_>, user: serenity::User) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let discord_id = user.id.get();
    let merchant = bot.read(move |tx| account_of(tx, discord_id)).await?;
    let language = asker.language;
    let change = before_after(
        language,
        language.text("can-make-payments"),
        language.text("no-new-payments"),
    );
    let text = format!(
        "{} (`{}`)\n{change}\n\n{}",
        called(&merchant),
        merchant.id,
        language.text("suspend").to_owned()
    );
    let page = Answer::page(language.text("title-suspend"), &text);
    let (pending_action, yes) =
        (PendingAction::Suspend(merchant.id), language.text("button-suspend"));
    let answer = confirm::confirm(bot, asker.user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// Let a suspended merchant make payments again
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn unsuspend(context: Context<'_>, user: serenity::User) -> Result<(), Failure> {
    let Asker { actor, now, language, .. } = begin(context).await?;
    Admin::of(context).await?;
    let discord_id = user.id.get();
    let done = context.data().write(move |tx| {
        let merchant = account_of(tx, discord_id)?;
        Ok(operations::unsuspend(tx, &actor, merchant.id, now)?)
    });
    done.await?;
    let who = format!("<@{discord_id}>");
    let text = language.say("unsuspended", &[("name", &who)]);
    reply(context, Answer::text(text)).await
}

/// List the merchants, newest first
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn merchants(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let page = lists::page(context.data(), asker.user, asker.language, &List::Merchants, 0).await?;
    reply(context, page).await
}

/// Reads a merchant's id, as autocompletion gives it.
pub(super) fn read_id(text: &str) -> Result<MerchantId, Failure> {
    text.trim().parse().map_err(Failure::BadMerchantId)
}

/// Show one merchant: subscription, address, sums, failures
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn merchant(
    context: Context<'_>,
    #[autocomplete = "autocomplete::merchant"]
    #[max_length = 64]
    merchant: String,
) -> Result<(), Failure> {
    let Asker { now, language, .. } = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let (id, network) = (read_id(&merchant)?, bot.rules.network);
    let (statement, month, suspended) = bot
        .read(move |tx| {
            let statement = accounts::statement(tx, id, network)?;
            let month = stats::since(tx, Some(id), now.plus_ms(-30 * DAY_MS))?;
            Ok((statement, month, rows::suspended_at(tx, id)?))
        })
        .await?;
    let account = &statement.account;
    let owner = account.merchant.discord_id.map(|id| format!("<@{id}>"));
    let mut fields = vec![
        (language.text("field-merchant"), format!("`{}`", account.merchant.id)),
        (
            language.text("field-owner"),
            owner.unwrap_or_else(|| language.text("not-on-discord").to_owned()),
        ),
        (language.text("field-since"), date(account.merchant.created_at)),
        (language.text("field-subscription"), end_of(language, account.merchant.subscription)),
        (language.text("field-payout-address"), address_lines(language, account, now)),
        (language.text("field-money"), sums(language, &statement.sums)),
        (language.text("field-month"), stats_line(language, &month)),
    ];
    if let Some(since) = suspended {
        fields.push((language.text("field-suspended"), relative(since)));
    }
    reply(context, Answer::table(plain(account.merchant.name.as_str()), &fields)).await
}
