//! Delivery of the bot's notifications: by direct message, grouped, at most once a minute, each
//! once.
//!
//! A notification is stored before it is sent, and so is the batch that one message carries. A
//! restart loses nothing and sends a started batch unchanged; Discord drops the repetition by its
//! nonce. A user who accepts no direct messages finds notifications with `/notifications`, and can
//! be mentioned in a channel.

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use futures_util::FutureExt;
use poise::serenity_prelude as serenity;

use crate::domain::merchant::{MerchantId, address_to_come};
use crate::domain::notification::{DeliveryMode, Kind};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::operations::merchants as operations;
use crate::operations::notifications::notification::Away;
use crate::operations::notifications::{self as act, PassContext};
use crate::store::notifications::{self as rows, End, StoredNotification};
use crate::store::{disk_space, locales, role_status};
use crate::view::role_status::Role;

use super::answer::{DESCRIPTION_CHARS_MAX, cut};
use super::calls::{in_time, in_words, is_unauthorized, may_pass, refusal_of};
use super::language::{self, ENGLISH, Language};
use super::{Bot, Failure, confirm, http_of};

/// The pause between two looks.
const LOOK: Duration = Duration::from_secs(2);

/// Nobody is written to more often than this, in milliseconds. What comes meanwhile is grouped.
const REST_MS: i64 = 60_000;

/// Notices in one message.
const GROUP_MAX: usize = 10;

/// Due notices that are looked at in one pass.
const DUE_MAX: u32 = 500;

/// The first and the longest pause before the next attempt, in milliseconds.
const PAUSE_MS_MIN: i64 = 5_000;
const PAUSE_MS_MAX: i64 = 10 * 60_000;

/// Channels of direct messages that are remembered.
const CHANNELS_MAX: usize = 10_000;

/// Looks and tells until told to stop. Works without a connection to the gateway: messages go by
/// HTTP.
pub(super) async fn run(bot: &Arc<Bot>) {
    let started_at = bot.clock.now();
    let mut post = Post::new(bot);
    let mut said = String::new();
    while !bot.shutdown.is_cancelled() {
        let pass = AssertUnwindSafe(pass(bot, &mut post, started_at)).catch_unwind().await;
        let why = match pass {
            Ok(Ok(())) => String::new(),
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "a panic; this is a mistake of the program".to_owned(),
        };
        metrics::notifications_passed(&match why.is_empty() {
            true => Ok(()),
            false => Err(()),
        });
        // Said once, not at each try.
        if why != said && !why.is_empty() {
            tracing::warn!(why, "notifications wait");
        }
        said = why;
        tokio::select! {
            () = bot.shutdown.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

async fn pass(bot: &Arc<Bot>, post: &mut Post, started_at: Timestamp) -> Result<(), Failure> {
    let now = bot.clock.now();
    let around = PassContext {
        network: bot.rules.network,
        off: bot.settings.notifications_off.clone(),
        node: why_silent(bot, post, started_at, now).await?,
        low_disk: disk_space::free_bytes(&bot.database)
            .filter(|free| *free < bot.settings.low_disk_bytes),
        hot_limit: bot.hot_limit,
        started_at,
    };
    let found = bot.read(move |tx| Ok(act::derive_due(tx, &around, now)?)).await?;
    let (parts, record) = found.into_parts();
    for drafts in parts {
        bot.write(move |tx| Ok(act::store(tx, &drafts, now)?)).await?;
    }
    if record {
        bot.write(move |tx| Ok(act::record(tx, now)?)).await?;
    }
    let due = bot.read(move |tx| Ok(rows::due(tx, now, DUE_MAX)?)).await?;
    let mut by_reader: BTreeMap<Option<MerchantId>, Vec<StoredNotification>> = BTreeMap::new();
    for notification in due {
        by_reader.entry(notification.merchant).or_default().push(notification);
    }
    let mut trouble = Ok(());
    for (reader, notifications) in by_reader {
        // One reader whose notices cannot be told holds up nobody else.
        if let Err(failure) = tell(bot, post, reader, notifications, now).await {
            trouble = Err(failure);
        }
    }
    trouble
}

/// How long the watcher must be seen to be silent: after a jump of the clock it only looks so.
const SILENCE_SEEN: Duration = Duration::from_secs(5);

/// What the node says while the watcher is away from its tip, if nobody was told yet.
async fn why_silent(
    bot: &Bot,
    post: &mut Post,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<Option<Away>, Failure> {
    let unreported = bot
        .read(move |tx| {
            let notified = rows::last_made(tx, Kind::Node)?;
            let notified = notified.is_some_and(|notification| notification.key.ends_with(":down"));
            Ok(!notified && act::is_watcher_silent(tx, started_at, now)?)
        })
        .await?;
    if !unreported {
        post.silent_since = None;
        return Ok(None);
    }
    let since = *post.silent_since.get_or_insert_with(tokio::time::Instant::now);
    if since.elapsed() < SILENCE_SEEN {
        return Ok(None);
    }
    let watcher = bot.read(|tx| Ok(role_status::of_role(tx, Role::Watcher)?)).await?;
    if let Some(trouble) = watcher.and_then(|watcher| watcher.trouble) {
        return Ok(Some(Away::Trouble(trouble)));
    }
    Ok(Some(match bot.ask_node(|node| node.chain_state()).await {
        Ok(Ok(state)) => Away::Behind {
            height: state.tip.height,
            behind: state.headers.saturating_sub(state.tip.height),
        },
        Ok(Err(error)) => Away::Trouble(error.to_string()),
        Err(_) => Away::Silent { seconds: super::NODE_PATIENCE.as_secs() },
    }))
}

/// Sends one message to one reader, if their rest is over.
async fn tell(
    bot: &Arc<Bot>,
    post: &mut Post,
    reader: Option<MerchantId>,
    notifications: Vec<StoredNotification>,
    now: Timestamp,
) -> Result<(), Failure> {
    let begun = notifications.iter().find_map(|notification| notification.batch);
    let group: Vec<StoredNotification> = match begun {
        Some(batch) => notifications.into_iter().filter(|n| n.batch == Some(batch)).collect(),
        None => {
            let last = bot.read(move |tx| Ok(rows::last_sent(tx, reader)?)).await?;
            if last.is_some_and(|last| now.ms_since(last) < REST_MS) {
                return Ok(());
            }
            reported_alike(bot, reader, notifications).await?
        }
    };
    let ids: Vec<i64> = group.iter().map(|notification| notification.id).collect();
    let Some(batch) = begun.or(ids.first().copied()) else { return Ok(()) };
    if begun.is_none() {
        let together = ids.clone();
        bot.write(move |tx| Ok(rows::put_together(tx, batch, &together)?)).await?;
    }
    crate::crash::point("notifications: before sending");
    let outcome = match reader {
        Some(merchant) => tell_merchant(bot, post, merchant, batch, &group).await?,
        None => tell_admins(bot, post, batch, &group).await?,
    };
    crate::crash::point("notifications: after sending");
    let attempts = group.iter().map(|notification| notification.attempts).max().unwrap_or(0);
    bot.write(move |tx| {
        match outcome {
            Outcome::Sent => rows::end(tx, &ids, End::Sent, now)?,
            Outcome::Closed => rows::end(tx, &ids, End::Kept, now)?,
            Outcome::Later => {
                let pause = PAUSE_MS_MIN.saturating_mul(1 << attempts.min(10)).min(PAUSE_MS_MAX);
                rows::postpone(tx, &ids, now.plus_ms(pause))?;
            }
        }
        Ok(())
    })
    .await
}

/// The first notices, as many as fit into one message and are told in one way.
async fn reported_alike(
    bot: &Bot,
    reader: Option<MerchantId>,
    notifications: Vec<StoredNotification>,
) -> Result<Vec<StoredNotification>, Failure> {
    let Some(merchant) = reader else {
        return Ok(fitting(notifications.into_iter()));
    };
    let with_way = move |tx: &crate::store::ReadTx| {
        let way = |notification: StoredNotification| {
            Ok((rows::way(tx, merchant, notification.kind)?, notification))
        };
        notifications.into_iter().map(way).collect::<Result<Vec<_>, Failure>>()
    };
    let notifications = bot.read(with_way).await?;
    let by_channel = |way: DeliveryMode| way == DeliveryMode::Channel;
    let first = notifications.first().is_some_and(|(way, _)| by_channel(*way));
    let alike = notifications.into_iter().filter(|(way, _)| by_channel(*way) == first);
    Ok(fitting(alike.map(|(_, notification)| notification)))
}

/// The first notices, as many as fit into one message in whatever language it is read.
fn fitting(notifications: impl Iterator<Item = StoredNotification>) -> Vec<StoredNotification> {
    let mut room = DESCRIPTION_CHARS_MAX;
    let mut group = Vec::new();
    for notification in notifications.take(GROUP_MAX) {
        let chars = language::longest_notification(
            notification.notification.as_deref(),
            &notification.text,
        );
        // With what stands before it, and the end of its line.
        match room.checked_sub(chars.saturating_add(3)) {
            Some(left) => room = left,
            None if group.is_empty() => room = 0,
            None => break,
        }
        group.push(notification);
    }
    group
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    /// Its reader takes no messages.
    Closed,
    /// Discord is down, slow, limits us, or refuses the token.
    Later,
}

fn page(language: Language, title: &str, group: &[StoredNotification]) -> serenity::CreateEmbed {
    let line = |n: &StoredNotification| {
        format!("• {}", language.notification(n.notification.as_deref(), &n.text))
    };
    let lines: Vec<String> = group.iter().map(line).collect();
    serenity::CreateEmbed::new()
        .title(title)
        .description(cut(&lines.join("\n"), DESCRIPTION_CHARS_MAX))
}

/// The language in which a user is written to.
async fn language_of(bot: &Bot, user: u64) -> Result<Language, Failure> {
    let locale = bot.read(move |tx| Ok(locales::of(tx, user)?)).await?;
    Ok(Language::of_locale(&locale.unwrap_or_default()))
}

async fn tell_merchant(
    bot: &Arc<Bot>,
    post: &mut Post,
    id: MerchantId,
    batch: i64,
    group: &[StoredNotification],
) -> Result<Outcome, Failure> {
    let (network, kind) = (bot.rules.network, group.first().map(|notification| notification.kind));
    let (account, by_channel) = bot
        .read(move |tx| {
            let way = kind.map(|kind| rows::way(tx, id, kind)).transpose()?;
            Ok((operations::account(tx, id, network)?, way == Some(DeliveryMode::Channel)))
        })
        .await?;
    let Some(user) = account.merchant.discord_id else { return Ok(Outcome::Closed) };
    let language = language_of(bot, user).await?;
    let mut message = serenity::CreateMessage::new().embed(page(
        language,
        language.text("title-shop-news"),
        group,
    ));
    let asked = group.iter().any(|notification| notification.key.ends_with(":asked"));
    if let (true, Some(to_come)) =
        (asked, address_to_come(account.addresses.current(), bot.clock.now()))
    {
        let until = to_come.effective_at;
        message = message.button(confirm::cancel_button(bot, user, language, until).await?);
    }
    let outcome = match by_channel && bot.settings.notifications_channel_id.is_some() {
        // It is kept for them as if they took no messages.
        true => Outcome::Closed,
        false => post.send_to(user, batch, message).await,
    };
    if outcome == Outcome::Closed
        && let Some(channel) = bot.settings.notifications_channel_id
    {
        // The channel is public: it says that there is something, not what. It calls one person, in
        // their language.
        let (name, count) = (format!("<@{user}>"), group.len());
        let text = language.say("notifications-wait", &[("name", &name), ("n", &count)]);
        let mentions = serenity::CreateAllowedMentions::new().users([user]);
        let message = serenity::CreateMessage::new().content(text).allowed_mentions(mentions);
        // It is kept for them in any case.
        post.send_in(serenity::ChannelId::new(channel), &nonce(batch, channel), message).await;
    }
    Ok(outcome)
}

/// Everybody who has proven to be an administrator and still is; if none takes it, the channel.
async fn tell_admins(
    bot: &Arc<Bot>,
    post: &mut Post,
    batch: i64,
    group: &[StoredNotification],
) -> Result<Outcome, Failure> {
    let admins = bot.read(|tx| Ok(rows::admins(tx)?)).await?;
    let mut outcomes = Vec::new();
    for user in admins {
        match post.is_admin(bot, user).await {
            Some(true) => {
                let language = language_of(bot, user).await?;
                let page = page(language, language.text("title-gateway-notifications"), group);
                let message = serenity::CreateMessage::new().embed(page);
                outcomes.push(post.send_to(user, batch, message).await);
            }
            Some(false) => bot.write(move |tx| Ok(rows::forget_admin(tx, user)?)).await?,
            None => outcomes.push(Outcome::Later),
        }
    }
    if outcomes.contains(&Outcome::Sent) {
        return Ok(Outcome::Sent);
    }
    if let Some(channel) = bot.settings.admin_channel_id {
        let page = page(ENGLISH, ENGLISH.text("title-gateway-notifications"), group);
        let message = serenity::CreateMessage::new().embed(page);
        let in_channel =
            post.send_in(serenity::ChannelId::new(channel), &nonce(batch, channel), message).await;
        return Ok(in_channel);
    }
    // Nobody was there to be told: it waits for the first who is.
    Ok(Outcome::Later)
}

/// The way of messages to people, and what is remembered from one look to the next. Losing it
/// costs time, no more.
pub(super) struct Post {
    http: serenity::Http,
    /// The channels of direct messages, by user.
    channels: HashMap<u64, serenity::ChannelId>,
    /// Since when the watcher is seen to be silent.
    silent_since: Option<tokio::time::Instant>,
}

/// The same message to the same reader has the same nonce: Discord drops its repetition.
pub(super) fn nonce(batch: i64, reader: u64) -> String {
    let hash = sha256::Hash::hash(format!("{batch} {reader}").as_bytes()).to_string();
    hash.chars().take(24).collect()
}

impl Post {
    pub(super) fn new(bot: &Bot) -> Post {
        Post { http: http_of(&bot.settings), channels: HashMap::new(), silent_since: None }
    }

    async fn send_to(
        &mut self,
        user: u64,
        batch: i64,
        message: serenity::CreateMessage,
    ) -> Outcome {
        let channel = match self.channels.get(&user) {
            Some(channel) => *channel,
            None => {
                let wanted = serde_json::json!({ "recipient_id": user.to_string() });
                match in_time(self.http.create_private_channel(&wanted)).await {
                    Ok(opened) => {
                        if self.channels.len() >= CHANNELS_MAX {
                            self.channels.clear();
                        }
                        self.channels.insert(user, opened.id);
                        opened.id
                    }
                    Err(error) => return evaluate(&error),
                }
            }
        };
        self.send_in(channel, &nonce(batch, user), message).await
    }

    /// Sends into a channel; a repetition with the same nonce is dropped by Discord.
    pub(super) async fn send_in(
        &self,
        channel: serenity::ChannelId,
        nonce: &str,
        message: serenity::CreateMessage,
    ) -> Outcome {
        // A message allows only the mentions that its author set.
        let message = message.nonce(serenity::Nonce::String(nonce.to_owned())).enforce_nonce(true);
        match in_time(channel.send_message(&self.http, message)).await {
            Ok(_) => Outcome::Sent,
            Err(error) => evaluate(&error),
        }
    }

    /// Whether a user has the role now. `None` if Discord does not say.
    async fn is_admin(&self, bot: &Bot, user: u64) -> Option<bool> {
        let role = bot.settings.admin_role_id?;
        let guild = serenity::GuildId::new(bot.settings.guild_id);
        match in_time(self.http.get_member(guild, serenity::UserId::new(user))).await {
            Ok(member) => Some(member.roles.iter().any(|held| held.get() == role)),
            Err(error) if refusal_of(&error).is_some_and(|(status, _)| status == 404) => {
                Some(false)
            }
            Err(_) => None,
        }
    }
}

/// Discord's codes for a person who takes no messages from the bot.
const CLOSED: [isize; 2] = [50_007, 50_278];

/// Discord's code for direct messages that are opened too fast.
const TOO_FAST: isize = 40_003;

fn evaluate(error: &serenity::Error) -> Outcome {
    match refusal_of(error) {
        Some((_, TOO_FAST)) => Outcome::Later,
        Some((_, code)) if CLOSED.contains(&code) => Outcome::Closed,
        Some(_) if may_pass(error) || is_unauthorized(error) => Outcome::Later,
        // The person or the channel is gone, or we may not write there.
        Some(_) => {
            tracing::warn!(why = in_words(error), "notification cannot be delivered; it is kept");
            Outcome::Closed
        }
        None => Outcome::Later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::notifications::notification::{
        Named, Notification, PaymentNotification,
    };

    #[test]
    fn notifications_fit_discords_length_limit_in_every_language() {
        let notification = |order: &str| {
            let payment = Named { id: "5".repeat(36), order: Some(order.to_owned()) };
            let notification = PaymentNotification::TooLate { amount: "0.05".to_owned() };
            let notification = Notification::Payment { payment, notification };
            StoredNotification {
                id: 1,
                key: String::new(),
                kind: Kind::LatePayment,
                merchant: None,
                text: notification.to_string(),
                notification: Some(notification.stored()),
                created_at: Timestamp::from_ms(0),
                batch: None,
                attempts: 0,
            }
        };
        for (order, fit) in [("17", GROUP_MAX), (&*"*".repeat(128), 8)] {
            let group = fitting((0..20).map(|_| notification(order)));
            assert_eq!(group.len(), fit, "{order}");
            for locale in ["en-US", "de", "es-ES", "fr", "pt-BR"] {
                let page = serde_json::to_value(page(Language::of_locale(locale), "News", &group));
                let text = page.expect("JSON")["description"].to_string();
                assert!(!text.contains('…'), "{locale}: something was cut");
                assert_eq!(text.matches("0.05 LTC").count(), fit, "{locale}");
            }
        }
        // One that no message could hold is told all the same, as far as it goes.
        assert_eq!(fitting([notification(&"*".repeat(9_000))].into_iter()).len(), 1);
    }
}
