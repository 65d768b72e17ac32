//! The commands by which administrators look after the whole: how it goes, the node, sweeping, the
//! audit log, saying something to everybody.

use poise::serenity_prelude as serenity;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::time::DAY_MS;
use crate::operations::announce as announcements;
use crate::operations::nodes;
use crate::operations::notifications::plain;
use crate::operations::payments::chain_suspect;
use crate::store::stats;
use crate::store::{blocks, events, merchants as rows, payments, role_status, sweeps};
use crate::view::role_status::Role;

use super::admin::read_id;
use super::answer::{Answer, logged, ltc, relative, reply, stats_line};
use super::authorization::Admin;
use super::calls::patiently;
use super::confirm;
use super::language::Value;
use super::lists::{self, List};
use super::pending_action::PendingAction;
use super::{Asker, Context, Data, Failure, Settings, autocomplete, begin, http_of};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![stats(), node(), sweep_now(), audit_log(), announce()]
}

/// How the gateway does: payments, money, times, webhooks
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn stats(context: Context<'_>) -> Result<(), Failure> {
    let Asker { now, language, .. } = begin(context).await?;
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
    let count: [(&str, &Value); 2] = [("active", &merchants.0), ("all", &merchants.1)];
    let fields = [
        (language.text("field-day"), stats_line(language, &day)),
        (language.text("field-week"), stats_line(language, &week)),
        (language.text("field-month"), stats_line(language, &month)),
        (language.text("field-merchants"), language.say("merchants-count", &count)),
        (language.text("field-webhooks-waiting"), due.to_string()),
        (language.text("field-lost"), lost.to_string()),
    ];
    reply(context, Answer::table(language.text("title-stats"), &fields)).await
}

/// Show the node: height, lag, peers, mempool, ZMQ, versions
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn node(context: Context<'_>) -> Result<(), Failure> {
    let Asker { now, language, .. } = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    let (tip, watcher, chain_guard, heard_at) = bot
        .read(|tx| {
            let watcher = role_status::of_role(tx, Role::Watcher)?;
            Ok((blocks::tip(tx)?, watcher, chain_suspect(tx)?, nodes::zmq_heard_at(tx)?))
        })
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
    let ours = tip.map_or(language.text("stand-none").to_owned(), |tip| tip.height.to_string());
    let mut fields = match asked {
        Ok((chain, version, peers, mempool)) => {
            let behind = chain.headers.saturating_sub(chain.tip.height);
            let name = plain(&version.name);
            let on: [(&str, &Value); 2] = [("node", &name), ("chain", &chain.chain)];
            let height: [(&str, &Value); 2] = [("height", &chain.tip.height), ("n", &behind)];
            vec![
                (language.text("field-node"), language.say("node-on", &on)),
                (language.text("field-gateway"), format!("litegate {}", env!("CARGO_PKG_VERSION"))),
                (language.text("field-height"), language.say("height", &height)),
                (language.text("field-stand"), ours),
                (language.text("field-peers"), peers),
                (language.text("field-mempool"), mempool),
            ]
        }
        Err(error) => {
            vec![
                (language.text("field-node"), logged(&error.to_string())),
                (language.text("field-stand"), ours),
            ]
        }
    };
    let last = watcher.as_ref().and_then(|watcher| watcher.at);
    let mut state = match last {
        Some(at) => language.say("watcher-at", &[("n", &(now.ms_since(at) / 1_000))]),
        None => language.text("watcher-never").to_owned(),
    };
    if let Some(watcher) = watcher {
        let report = watcher.report.map(|report| report.to_string());
        let noted = watcher.trouble.or(report).unwrap_or_default();
        state = format!("{state}; {}", logged(&noted));
    }
    let heard = match heard_at {
        Some(at) => language.say("zmq-heard", &[("when", &relative(at))]),
        None => language.text("zmq-never").to_owned(),
    };
    fields.push((language.text("field-zmq"), heard));
    fields.push((language.text("field-watcher"), state));
    if chain_guard {
        fields.push((language.text("field-chain-guard"), language.text("suspect").to_owned()));
    }
    reply(context, Answer::table(language.text("title-node"), &fields)).await
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
    let language = asker.language;
    let bot = context.data();
    let coins = bot
        .read(|tx| {
            let height = blocks::tip(tx)?.map_or(0, |tip| tip.height);
            Ok(sweeps::sweepable(tx, height)?)
        })
        .await?;
    if coins.is_empty() {
        return reply(context, Answer::text(language.text("nothing-ready"))).await;
    }
    let sum = Amount::total(coins.iter().map(|coin| coin.amount));
    let mut whose: Vec<MerchantId> = coins.iter().map(|coin| coin.merchant).collect();
    whose.sort_unstable();
    whose.dedup();
    let values: [(&str, &Value); 3] =
        [("n", &coins.len()), ("merchants", &whose.len()), ("sum", &ltc(sum))];
    let page = Answer::page(language.text("title-sweep"), &language.say("sweep", &values));
    let yes = language.text("button-sweep");
    let answer =
        confirm::confirm(bot, asker.user, language, &PendingAction::SweepNow, page, yes).await?;
    reply(context, answer).await
}

/// Show who did what, newest first
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn audit_log(
    context: Context<'_>,
    #[autocomplete = "autocomplete::merchant"]
    #[max_length = 64]
    merchant: Option<String>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let merchant = merchant.map(|text| read_id(&text)).transpose()?;
    let page =
        lists::page(context.data(), asker.user, asker.language, &List::AuditLog(merchant), 0)
            .await?;
    reply(context, page).await
}

/// Say something to all merchants, in the channel for notices
#[poise::command(
    slash_command,
    ephemeral,
    category = "Administrators",
    interaction_context = "Guild"
)]
async fn announce(context: Context<'_>, #[max_length = 1500] text: String) -> Result<(), Failure> {
    let asker = begin(context).await?;
    Admin::of(context).await?;
    let bot = context.data();
    check_channel(&bot.settings)?;
    announcements::validate(&text)?;
    let language = asker.language;
    let page = Answer::page(language.text("title-announce"), &plain(&text));
    let (pending_action, yes) = (PendingAction::Announce(text), language.text("button-announce"));
    let answer = confirm::confirm(bot, asker.user, language, &pending_action, page, yes).await?;
    reply(context, answer).await
}

/// Where announcements go.
fn check_channel(settings: &Settings) -> Result<serenity::ChannelId, Failure> {
    let channel = settings.notifications_channel_id.map(serenity::ChannelId::new);
    channel.ok_or(Failure::SetChannelFirst)
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

/// The same for operators without Discord.
///
/// # Errors
/// A sentence that says what to do.
pub(crate) async fn announce_from_shell(settings: &Settings, text: &str) -> Result<(), String> {
    post_announcement(settings, text).await.map_err(|failure| failure.to_string())
}
