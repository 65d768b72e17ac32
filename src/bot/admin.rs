//! The commands of administrators. The check of every command has judged role and server before;
//! each command asks for the proof again, so that none can be added without.

use poise::serenity_prelude as serenity;

use crate::acts::announce::ANNOUNCEMENT_CHARS_MAX;
use crate::acts::merchants as acts;
use crate::acts::notices::plain;
use crate::acts::payments::{WATCHER, in_doubt};
use crate::domain::amount::Amount;
use crate::domain::merchant::{GRANT_DAYS_MAX, Merchant, MerchantId, Subscription};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::stats::{self, Stats};
use crate::store::{ReadTx, blocks, events, merchants as rows, payments, progress, sweeps};

use super::answer::{Answer, date, in_time, in_words, ltc, patiently, relative, reply};
use super::buttons::{self, Deed};
use super::lists::{self, List};
use super::merchant::address_lines;
use super::permit::Admin;
use super::{Asker, Bot, Context, Data, Failure, begin, choices, http_of};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![
        grant_sub(),
        revoke_sub(),
        suspend(),
        unsuspend(),
        merchants(),
        merchant(),
        stats(),
        node(),
        sweep_now(),
        webhooks(),
        audit(),
        announce(),
        setup(),
        config(),
    ]
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
fn read_id(text: &str) -> Result<MerchantId, Failure> {
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
    let (account, month, suspended) = bot
        .read(move |tx| {
            let account = acts::account(tx, id, network)?;
            let month = stats::since(tx, Some(id), now.plus_ms(-30 * DAY_MS))?;
            Ok((account, month, rows::suspended_at(tx, id)?))
        })
        .await?;
    let owner = account.merchant.discord_id.map(|id| format!("<@{id}>"));
    let mut fields = vec![
        ("Merchant", format!("`{}`", account.merchant.id)),
        ("Owner", owner.unwrap_or_else(|| "not on Discord".to_owned())),
        ("Since", date(account.merchant.created_at)),
        ("Subscription", end_of(account.merchant.subscription)),
        ("Payout address", address_lines(&account, now)),
        ("Last 30 days", stats_line(&month)),
    ];
    if let Some(since) = suspended {
        fields.push(("Suspended", relative(since)));
    }
    reply(context, Answer::table(plain(account.merchant.name.as_str()), &fields)).await
}

/// A time in numbers.
fn stats_line(stats: &Stats) -> String {
    let decided = stats.completed.saturating_add(stats.expired);
    let rate = stats.completed.saturating_mul(100).checked_div(decided);
    let rate = rate.map(|percent| format!(" ({percent} % of those decided)")).unwrap_or_default();
    let median = stats.median_ms.map(|ms| {
        let (minutes, seconds) = (ms / 60_000, ms / 1_000 % 60);
        format!(", half of them within {minutes} min {seconds} s")
    });
    format!(
        "{} payments made, {} completed{rate}: {}{}; {} webhooks given up",
        stats.created,
        stats.completed,
        ltc(stats.amount),
        median.unwrap_or_default(),
        stats.failed_webhooks
    )
}

/// How the gateway does: payments, money, times, webhooks
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn stats(context: Context<'_>) -> Result<(), Failure> {
    let Asker { now, .. } = begin(context).await?;
    Admin::of(context).await?;
    let (periods, due, merchants, lost) = context
        .data()
        .read(move |tx| {
            let of = |days: i64| stats::since(tx, None, now.plus_ms(-days * DAY_MS));
            let periods = [of(1)?, of(7)?, of(30)?];
            let all = rows::all(tx)?;
            let active = all.iter().filter(|m| m.subscription.is_active(now)).count();
            let lost = payments::completed_without_coins(tx)?.len();
            Ok((periods, events::count_due(tx)?, (active, all.len()), lost))
        })
        .await?;
    let [day, week, month] = periods;
    let fields = [
        ("Last 24 hours", stats_line(&day)),
        ("Last 7 days", stats_line(&week)),
        ("Last 30 days", stats_line(&month)),
        ("Merchants", format!("{} with a subscription, {} in all", merchants.0, merchants.1)),
        ("Webhooks that wait", due.to_string()),
        ("Completed payments without their coins", lost.to_string()),
    ];
    reply(context, Answer::table("How it goes", &fields)).await
}

/// Show the node: height, lag, peers, mempool, versions
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn node(context: Context<'_>) -> Result<(), Failure> {
    let Asker { now, .. } = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let (tip, watcher, doubt) = bot
        .read(|tx| Ok((blocks::tip(tx)?, progress::of_role(tx, WATCHER)?, in_doubt(tx)?)))
        .await?;
    let asked = bot
        .ask_node(|node| {
            let chain = node.chain_state()?;
            let version = node.version()?;
            let number = |call: &'static str, field: &str| {
                node.raw(call, &[]).map(|answer| answer[field].to_string())
            };
            let peers = number("getnetworkinfo", "connections")?;
            let mempool = number("getmempoolinfo", "size")?;
            Ok::<_, crate::node::Error>((chain, version, peers, mempool))
        })
        .await?;
    let ours = tip.map_or("none yet".to_owned(), |tip| tip.height.to_string());
    let mut fields = match asked {
        Ok((chain, version, peers, mempool)) => {
            let behind = chain.headers.saturating_sub(chain.tip.height);
            vec![
                ("Node", format!("{} on {}", plain(&version.name), chain.chain)),
                ("Height", format!("{} ({behind} blocks behind its headers)", chain.tip.height)),
                ("We stand at", ours),
                ("Peers", peers),
                ("Transactions in its mempool", mempool),
            ]
        }
        Err(error) => vec![("Node", plain(&error.to_string())), ("We stand at", ours)],
    };
    let last = watcher.as_ref().and_then(|watcher| watcher.at);
    let mut state = match last {
        Some(at) => format!("at the tip {} s ago", now.ms_since(at) / 1_000),
        None => "has not stood at the tip yet".to_owned(),
    };
    if let Some(watcher) = watcher {
        let words = watcher.trouble.unwrap_or(watcher.note);
        state = format!("{state}; {}", plain(&words));
    }
    fields.push(("Watcher", state));
    if doubt {
        fields.push(("Doubt", "the chain is doubted; `litegate doubt` shows why".to_owned()));
    }
    reply(context, Answer::table("The node", &fields)).await
}

/// Pay out now what is ready, instead of at the next interval
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn sweep_now(context: Context<'_>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let coins = bot
        .read(|tx| {
            let height = blocks::tip(tx)?.map_or(0, |tip| tip.height);
            Ok(sweeps::sweepable(tx, height)?)
        })
        .await?;
    if coins.is_empty() {
        let nothing = "Nothing is ready: payments are swept once they are decided and confirmed.";
        return reply(context, Answer::text(nothing)).await;
    }
    let sum = Amount::total(coins.iter().map(|coin| coin.amount));
    let mut whose: Vec<MerchantId> = coins.iter().map(|coin| coin.merchant).collect();
    whose.sort_unstable();
    whose.dedup();
    let text = format!(
        "{} coins of {} merchants, {} together, less the network's fee. Small sums, addresses \
         that are missing and a doubt about the chain still wait.",
        coins.len(),
        whose.len(),
        ltc(sum)
    );
    let page = Answer::page("Sweep now?", &text);
    let answer = buttons::question(bot, asker.user, &Deed::SweepNow, page, "Sweep now").await?;
    reply(context, answer).await
}

/// List webhooks that were given up, or send those of a merchant again
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn webhooks(
    context: Context<'_>,
    #[description = "Send all failed ones of this merchant again"]
    #[autocomplete = "choices::merchant"]
    #[max_length = 64]
    resend: Option<String>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let Some(resend) = resend else {
        let page = lists::page(bot, asker.user, &List::FailedWebhooks, 0).await?;
        return reply(context, page).await;
    };
    let id = read_id(&resend)?;
    let merchant = bot.read(move |tx| Ok(acts::get(tx, id)?)).await?;
    let text = format!("All webhooks of {} that were given up are sent again.", called(&merchant));
    let page = Answer::page("Send them again?", &text);
    let deed = Deed::ResendAll(id);
    let answer = buttons::question(bot, asker.user, &deed, page, "Send again").await?;
    reply(context, answer).await
}

/// Show who did what, newest first
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn audit(
    context: Context<'_>,
    #[description = "Only what concerns this merchant"]
    #[autocomplete = "choices::merchant"]
    #[max_length = 64]
    merchant: Option<String>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let merchant = merchant.map(|text| read_id(&text)).transpose()?;
    let page = lists::page(context.data(), asker.user, &List::Trail(merchant), 0).await?;
    reply(context, page).await
}

/// Say something to all merchants, in the channel for notices
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn announce(
    context: Context<'_>,
    #[description = "What to say; markup is shown as it is"]
    #[max_length = 1500]
    text: String,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    if bot.settings.notices_channel_id.is_none() {
        return Err(Failure::Unavailable("set discord.notices_channel_id first"));
    }
    let text: String = text.chars().take(ANNOUNCEMENT_CHARS_MAX).collect();
    let page = Answer::page("Post this?", &plain(&text));
    let deed = Deed::Announce(text);
    let answer = buttons::question(bot, asker.user, &deed, page, "Post it").await?;
    reply(context, answer).await
}

/// Posts what was confirmed.
pub(super) async fn post_announcement(bot: &Bot, text: &str) -> Result<Answer, Failure> {
    let Some(channel) = bot.settings.notices_channel_id else {
        return Err(Failure::Unavailable("set discord.notices_channel_id first"));
    };
    let http = http_of(&bot.settings);
    let embed = serenity::CreateEmbed::new().title("To all merchants").description(plain(text));
    let message = serenity::CreateMessage::new()
        .embed(embed)
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    let channel = serenity::ChannelId::new(channel);
    patiently(|| channel.send_message(&http, message.clone())).await?;
    Ok(Answer::text("Posted."))
}

/// Check the server, the role and the channels that are configured
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn setup(context: Context<'_>) -> Result<(), Failure> {
    begin(context).await?;
    Admin::of(context).await?;
    let settings = &context.data().settings;
    let http = http_of(settings);
    let mut lines = Vec::new();
    let guild = serenity::GuildId::new(settings.guild_id);
    match in_time(http.get_guild(guild)).await {
        Ok(found) => lines.push(format!("✔ server: {}", plain(&found.name))),
        Err(error) => lines.push(format!("✘ server: {}", in_words(&error))),
    }
    match settings.admin_role_id {
        Some(role) => lines.push(format!("✔ administrators have the role <@&{role}>")),
        None => lines.push("✘ discord.admin_role_id is not set: nobody administrates".to_owned()),
    }
    for (name, channel) in [
        ("discord.notices_channel_id", settings.notices_channel_id),
        ("discord.admin_channel_id", settings.admin_channel_id),
    ] {
        let Some(id) = channel else {
            lines.push(format!("– {name} is not set: nothing falls back to a channel"));
            continue;
        };
        match in_time(http.get_channel(serenity::ChannelId::new(id))).await {
            Ok(_) => lines.push(format!("✔ {name}: <#{id}> can be seen")),
            Err(error) => lines.push(format!("✘ {name}: {}", in_words(&error))),
        }
    }
    let scope = if settings.global_commands { "everywhere" } else { "on this server" };
    lines.push(format!("✔ commands are registered {scope}"));
    reply(context, Answer::page("The bot's own setup", &lines.join("\n"))).await
}

/// Show the values in effect; they are changed in the configuration file
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn config(context: Context<'_>) -> Result<(), Failure> {
    begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let payments = &bot.payment_rules;
    let span = |ms: i64| {
        let end = Timestamp::from_ms(0).plus_ms(ms);
        format!("{} min", end.seconds() / 60)
    };
    let lines = [
        format!("network = {}", bot.site.network),
        format!("public_url = {}", bot.site.public_url),
        format!("payments.confirmations = {}", payments.confirmations),
        format!("payments.large_amount = {}", payments.large_amount),
        format!("payments.confirmations_large = {}", payments.confirmations_large),
        format!("payments.confirmations_pegout = {}", payments.confirmations_pegout),
        format!("payments.expiry = {}", span(payments.expiry_ms)),
        format!("payments.late_grace = {}", span(payments.late_grace_ms)),
        format!("payments.min_amount = {}", payments.min_amount),
        format!("sweeper.payout_address_delay = {}", span(bot.rules.payout_address_delay_ms)),
        format!("longest grant = {GRANT_DAYS_MAX} days"),
    ];
    let text = format!("```\n{}\n```", lines.join("\n"));
    reply(context, Answer::page("Values in effect", &text)).await
}
