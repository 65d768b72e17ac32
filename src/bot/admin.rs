//! The commands by which administrators look after merchants. The check of every command has
//! judged role and server before; each command asks for the proof again, so that none can be added
//! without.

use poise::serenity_prelude as serenity;

use crate::acts::accounts;
use crate::acts::merchants as acts;
use crate::acts::notices::plain;
use crate::domain::merchant::{Merchant, MerchantId, Subscription};
use crate::domain::time::DAY_MS;
use crate::store::{ReadTx, merchants as rows, stats};
use crate::view::account::SumsView;

use super::answer::{Answer, date, ltc, relative, reply};
use super::buttons::{self, Deed};
use super::lists::{self, List};
use super::merchant::address_lines;
use super::operator::stats_line;
use super::permit::Admin;
use super::{Asker, Context, Data, Failure, begin, choices};

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

fn end_of(subscription: Subscription) -> String {
    match subscription {
        Subscription::Until(end) => date(end),
        Subscription::None => "none".to_owned(),
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
    #[description = "The merchant"] user: serenity::User,
    #[description = "Days to add"]
    #[min = 1]
    #[max = 3660]
    days: u32,
) -> Result<(), Failure> {
    let Asker { actor, now, .. } = begin(context).await?;
    Admin::of(context).await?;
    if user.bot {
        return Err(Failure::NotUnderstood("a bot is no merchant".to_owned()));
    }
    let bot = context.data();
    let rules = bot.rules.clone();
    let (discord_id, name) = (user.id.get(), user.name.clone());
    let granted = bot.write(move |tx| {
        let merchant = acts::of_discord_user(tx, &actor, &rules, discord_id, &name, now)?;
        let after = acts::grant(tx, &actor, merchant.id, days, now)?;
        Ok((merchant.subscription, after))
    });
    let (before, after) = granted.await?;
    let text = format!(
        "<@{discord_id}> has {days} days more.\n**Before** {}\n**After** {}",
        end_of(before),
        end_of(after)
    );
    reply(context, Answer::text(text)).await
}

/// End a merchant's subscription now; open payments go on
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn revoke_sub(
    context: Context<'_>,
    #[description = "The merchant"] user: serenity::User,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let discord_id = user.id.get();
    let merchant = bot.read(move |tx| account_of(tx, discord_id)).await?;
    let text = format!(
        "{} (`{}`)\n**Before** until {}\n**After** none\n\nNew payments are refused from then on. \
         Open ones go on, and everything is paid out.",
        called(&merchant),
        merchant.id,
        end_of(merchant.subscription)
    );
    let page = Answer::page("End the subscription?", &text);
    let deed = Deed::RevokeSub(merchant.id);
    let answer = buttons::question(bot, asker.user, &deed, page, "End it").await?;
    reply(context, answer).await
}

/// Let a merchant make no new payments; open ones go on and are paid out
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn suspend(
    context: Context<'_>,
    #[description = "The merchant"] user: serenity::User,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let discord_id = user.id.get();
    let merchant = bot.read(move |tx| account_of(tx, discord_id)).await?;
    let text = format!(
        "{} (`{}`)\n**Before** can make payments\n**After** no new payments\n\nThe subscription runs \
         on. Open payments go on, and everything is paid out. `/unsuspend` ends it.",
        called(&merchant),
        merchant.id
    );
    let page = Answer::page("Suspend this merchant?", &text);
    let deed = Deed::Suspend(merchant.id);
    let answer = buttons::question(bot, asker.user, &deed, page, "Suspend").await?;
    reply(context, answer).await
}

/// Let a suspended merchant make payments again
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn unsuspend(
    context: Context<'_>,
    #[description = "The merchant"] user: serenity::User,
) -> Result<(), Failure> {
    let Asker { actor, now, .. } = begin(context).await?;
    Admin::of(context).await?;
    let discord_id = user.id.get();
    let done = context.data().write(move |tx| {
        let merchant = account_of(tx, discord_id)?;
        Ok(acts::unsuspend(tx, &actor, merchant.id, now)?)
    });
    done.await?;
    reply(context, Answer::text(format!("<@{discord_id}> can make payments again."))).await
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
    let page = lists::page(context.data(), asker.user, &List::Merchants, 0).await?;
    reply(context, page).await
}

/// Reads a merchant's id, as autocompletion gives it.
pub(super) fn read_id(text: &str) -> Result<MerchantId, Failure> {
    text.trim().parse().map_err(|error: crate::domain::merchant::BadMerchantId| {
        Failure::NotUnderstood(format!("merchant {error}"))
    })
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
    #[description = "Type a name or an id"]
    #[autocomplete = "choices::merchant"]
    #[max_length = 64]
    merchant: String,
) -> Result<(), Failure> {
    let Asker { now, .. } = begin(context).await?;
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
    let sums: Vec<String> = SumsView::new(&statement.sums)
        .named()
        .into_iter()
        .map(|(name, sum)| format!("{name}: {}", ltc(sum.0)))
        .collect();
    let owner = account.merchant.discord_id.map(|id| format!("<@{id}>"));
    let mut fields = vec![
        ("Merchant", format!("`{}`", account.merchant.id)),
        ("Owner", owner.unwrap_or_else(|| "not on Discord".to_owned())),
        ("Since", date(account.merchant.created_at)),
        ("Subscription", end_of(account.merchant.subscription)),
        ("Payout address", address_lines(account, now)),
        ("Money", sums.join("\n")),
        ("Last 30 days", stats_line(&month)),
    ];
    if let Some(since) = suspended {
        fields.push(("Suspended", relative(since)));
    }
    reply(context, Answer::table(plain(account.merchant.name.as_str()), &fields)).await
}
