//! The commands by which administrators look after the whole: how it goes, the node, sweeping, the
//! trail, saying something to everybody.

use poise::serenity_prelude as serenity;

use crate::acts::announce as announcements;
use crate::acts::notices::plain;
use crate::acts::payments::{WATCHER, in_doubt};
use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::time::DAY_MS;
use crate::store::stats::{self, Stats};
use crate::store::{blocks, events, merchants as rows, payments, progress, sweeps};

use super::admin::read_id;
use super::answer::{Answer, ltc, patiently, reply};
use super::buttons::{self, Deed};
use super::lists::{self, List};
use super::permit::Admin;
use super::{Asker, Context, Data, Failure, Settings, begin, choices, http_of};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![stats(), node(), sweep_now(), audit(), announce()]
}

/// A time in numbers.
pub(super) fn stats_line(stats: &Stats) -> String {
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
                ("Gateway", format!("litegate {}", env!("CARGO_PKG_VERSION"))),
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
    check_channel(&bot.settings)?;
    announcements::judge(&text)?;
    let page = Answer::page("Post this?", &plain(&text));
    let deed = Deed::Announce(text);
    let answer = buttons::question(bot, asker.user, &deed, page, "Post it").await?;
    reply(context, answer).await
}

/// Where announcements go.
fn check_channel(settings: &Settings) -> Result<serenity::ChannelId, Failure> {
    let channel = settings.notices_channel_id.map(serenity::ChannelId::new);
    channel.ok_or(Failure::Unavailable("set discord.notices_channel_id first"))
}

/// Posts what was confirmed.
pub(super) async fn post_announcement(settings: &Settings, text: &str) -> Result<(), Failure> {
    let channel = check_channel(settings)?;
    let http = http_of(settings);
    let text = super::answer::cut(&plain(text), super::answer::DESCRIPTION_CHARS_MAX);
    let embed = serenity::CreateEmbed::new().title("To all merchants").description(text);
    let message = serenity::CreateMessage::new()
        .embed(embed)
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    patiently(|| channel.send_message(&http, message.clone())).await?;
    Ok(())
}

/// The same for whoever has no Discord at hand.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn announce_from_shell(settings: &Settings, text: &str) -> Result<(), String> {
    post_announcement(settings, text).await.map_err(|failure| failure.to_string())
}
