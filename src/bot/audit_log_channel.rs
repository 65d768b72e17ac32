//! The audit log in a channel, for administrators who want to see each act as it happens.
//!
//! Many read it, so it is in English. Two queues keep merchants from hiding what others do: acts of
//! administrators and of the operator are posted one by one and go first; acts that merchants did
//! themselves come after them, the same ones of a merchant in one line with their number.
//!
//! What was posted last is recorded after it was posted, and how far a message goes before: a
//! restart in between posts the same message again, and Discord drops it by its nonce.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poise::serenity_prelude as serenity;

use crate::domain::time::Timestamp;
use crate::store::audit_log::Entry;
use crate::store::{ReadTx, audit_log, role_status};
use crate::view::role_status::{Role, RoleReport};

use super::answer::{DESCRIPTION_CHARS_MAX, cut};
use super::language::ENGLISH;
use super::lists::audit_log_line;
use super::notifications::{Outcome, Post, nonce};
use super::{Bot, Failure};

/// Whose acts a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queue {
    /// Those of the operator and of administrators, and whatever is not known to be harmless.
    Operator,
    /// Those that merchants did themselves.
    Merchants,
}

impl Queue {
    /// The name under which is recorded what was posted.
    fn role(self) -> Role {
        match self {
            Queue::Operator => Role::AuditLogOfOperator,
            Queue::Merchants => Role::AuditLogOfMerchants,
        }
    }

    /// The queue of an act; `own` says whether a merchant did it itself.
    fn of(entry: &Entry, own: bool) -> Queue {
        match own && OPERATIONS_OF_MERCHANTS.contains(&entry.act.as_str()) {
            true => Queue::Merchants,
            false => Queue::Operator,
        }
    }
}

/// Acts that a merchant may do, as often as it likes. An administrator who does another one to an
/// account of theirs is shown like any administrator.
const OPERATIONS_OF_MERCHANTS: [&str; 20] = [
    "accept",
    "begin_second_factor",
    "cancel",
    "cancel_address_change",
    "choose_notifications",
    "disable_second_factor",
    "enable_second_factor",
    "fail_second_factor",
    "pass_second_factor",
    "resend_webhook",
    "rotate_key",
    "rotate_webhook_secret",
    "set_address",
    "set_confirmations",
    "set_events",
    "set_name",
    "set_tolerance",
    "set_webhook_url",
    "view_key",
    "view_webhook_secret",
];

/// The pause between two looks, and after one that failed.
const LOOK: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(60);

/// Lines in one message.
const LINES_MAX: usize = 10;

/// Acts that are read for one message.
const READ_MAX: u32 = 2_000;

/// Posts what comes until told to stop; does nothing if no channel is configured.
pub(super) async fn run(bot: &Arc<Bot>) {
    let Some(channel) = bot.settings.audit_log_channel_id else { return };
    let post = Post::new(bot);
    while !bot.shutdown.is_cancelled() {
        let pause = match AssertUnwindSafe(post_next(bot, &post, channel)).catch_unwind().await {
            Ok(Ok(true)) => LOOK,
            Ok(Ok(false)) => REST,
            Ok(Err(failure)) => {
                tracing::warn!(%failure, "the audit log is not posted");
                REST
            }
            Err(_) => {
                tracing::error!("the audit log is not posted: a panic; a mistake of the program");
                REST
            }
        };
        tokio::select! {
            () = bot.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// How far was posted, and how far the message goes that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    posted: i64,
    begun: Option<i64>,
}

impl Mark {
    fn from_report(report: RoleReport) -> Option<Mark> {
        match report {
            RoleReport::Posted { row, begun } => Some(Mark { posted: row, begun }),
            _ => None,
        }
    }

    fn report(self) -> RoleReport {
        RoleReport::Posted { row: self.posted, begun: self.begun }
    }
}

/// What came of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Posted {
    Nothing,
    Something,
    /// The channel did not take it.
    Refused,
}

/// Posts one message: of the operator's queue, and of the merchants' if there is nothing there.
/// Returns whether the channel took it.
async fn post_next(bot: &Bot, post: &Post, channel: u64) -> Result<bool, Failure> {
    begin(bot).await?;
    for queue in [Queue::Operator, Queue::Merchants] {
        match pass(bot, post, channel, queue).await? {
            Posted::Nothing => {}
            Posted::Something => return Ok(true),
            Posted::Refused => return Ok(false),
        }
    }
    Ok(true)
}

/// Notes where the audit log begins for the queues that have no mark yet: what was done before
/// there was a channel is history.
async fn begin(bot: &Bot) -> Result<(), Failure> {
    let now = bot.clock.now();
    let known = |tx: &ReadTx, queue: Queue| Ok::<_, Failure>(mark_of(tx, queue)?.is_some());
    let all = bot.read(move |tx| Ok(known(tx, Queue::Operator)? && known(tx, Queue::Merchants)?));
    if all.await? {
        return Ok(());
    }
    bot.write(move |tx| {
        let mark = Mark { posted: audit_log::newest(tx)?, begun: None };
        for queue in [Queue::Operator, Queue::Merchants] {
            if mark_of(tx, queue)?.is_none() {
                role_status::record(tx, queue.role(), now, &mark.report())?;
            }
        }
        Ok(())
    })
    .await
}

fn mark_of(tx: &ReadTx, queue: Queue) -> Result<Option<Mark>, Failure> {
    let known = role_status::of_role(tx, queue.role())?;
    Ok(known.and_then(|known| Mark::from_report(known.report?)))
}

/// Posts the next message of a queue.
async fn pass(bot: &Bot, post: &Post, channel: u64, queue: Queue) -> Result<Posted, Failure> {
    let now = bot.clock.now();
    let (mark, operations) = bot
        .read(move |tx| {
            let mark = mark_of(tx, queue)?.unwrap_or(Mark { posted: 0, begun: None });
            Ok((mark, audit_log::after(tx, mark.posted, READ_MAX)?))
        })
        .await?;
    let read = operations.last().map(|(entry, _)| entry.id);
    let full = operations.len() >= READ_MAX as usize;
    let ours = operations.into_iter().filter(|(entry, own)| Queue::of(entry, *own) == queue);
    let ours = ours.map(|(entry, _)| entry);
    let ours = ours.filter(|entry| mark.begun.is_none_or(|begun| entry.id <= begun));
    let Some(message) = Message::of(queue, ours) else {
        // Nothing of this queue among many: they need not be read again.
        if let Some(posted) = read.filter(|_| full) {
            record(bot, queue, Mark { posted, begun: None }, now).await?;
        }
        return Ok(Posted::Nothing);
    };
    let last = message.last;
    if mark.begun.is_none() {
        record(bot, queue, Mark { begun: Some(last), ..mark }, now).await?;
    }
    let embed = serenity::CreateEmbed::new()
        .title(ENGLISH.text("title-audit-log"))
        .description(cut(&message.text(), DESCRIPTION_CHARS_MAX));
    let message = serenity::CreateMessage::new()
        .embed(embed)
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    // The numbers of acts and those of notices are different things with one kind of nonce.
    let nonce = nonce(last.saturating_neg(), channel);
    match post.send_in(serenity::ChannelId::new(channel), &nonce, message).await {
        Outcome::Sent => {
            record(bot, queue, Mark { posted: last, begun: None }, now).await?;
            Ok(Posted::Something)
        }
        Outcome::Closed | Outcome::Later => Ok(Posted::Refused),
    }
}

async fn record(bot: &Bot, queue: Queue, mark: Mark, now: Timestamp) -> Result<(), Failure> {
    bot.write(move |tx| Ok(role_status::record(tx, queue.role(), now, &mark.report())?)).await
}

/// The acts of one message.
#[derive(Debug, PartialEq, Eq)]
struct Message {
    /// Each line's newest act, and how many it stands for.
    lines: Vec<(Entry, u32)>,
    /// The id of the last act in it.
    last: i64,
}

impl Message {
    /// The first acts of a queue, as many as fit; `None` if there is none. The same acts make the
    /// same message.
    fn of(queue: Queue, operations: impl Iterator<Item = Entry>) -> Option<Message> {
        let mut message = Message { lines: Vec::new(), last: 0 };
        for entry in operations {
            let id = entry.id;
            let same = |line: &(Entry, u32)| {
                let of = |entry: &Entry| (entry.merchant, entry.act.clone(), entry.actor.clone());
                queue == Queue::Merchants && of(&line.0) == of(&entry)
            };
            match message.lines.iter().position(same) {
                Some(at) => message.lines[at] = (entry, message.lines[at].1.saturating_add(1)),
                None if message.lines.len() >= LINES_MAX => break,
                None => message.lines.push((entry, 1)),
            }
            message.last = id;
        }
        (!message.lines.is_empty()).then_some(message)
    }

    fn text(&self) -> String {
        let line = |(entry, count): &(Entry, u32)| match count {
            1 => audit_log_line(ENGLISH, entry),
            count => format!("{count} × {}", audit_log_line(ENGLISH, entry)),
        };
        self.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::MerchantId;

    #[test]
    fn channel_positions_round_trip_through_their_reports() {
        for mark in [Mark { posted: 7, begun: None }, Mark { posted: 7, begun: Some(12) }] {
            assert_eq!(Mark::from_report(mark.report()), Some(mark));
        }
        assert_eq!(Mark::from_report(RoleReport::Seen), None);
    }

    fn entry(id: i64, act: &str, actor: &str) -> Entry {
        Entry {
            id,
            at: Timestamp::from_ms(id),
            actor: actor.to_owned(),
            place: None,
            act: act.to_owned(),
            merchant: Some(MerchantId::from_random(1)),
            before: None,
            after: Some(format!("after {id}")),
        }
    }

    #[test]
    fn only_a_merchants_own_operations_join_its_queue() {
        #[track_caller]
        fn check(act: &str, own: bool, expected: Queue) {
            assert_eq!(Queue::of(&entry(1, act, "discord:1"), own), expected, "{act}");
        }
        check("resend_webhook", true, Queue::Merchants);
        check("resend_webhook", false, Queue::Operator);
        check("grant", true, Queue::Operator);
        check("of_tomorrow", true, Queue::Operator);
    }

    #[test]
    fn repeated_merchant_operations_share_one_line() {
        let many = (1..=600).map(|id| entry(id, "resend_webhook", "api key"));
        let operations = || many.clone().chain([entry(601, "set_name", "discord:1")]);
        let message = Message::of(Queue::Merchants, operations()).expect("a message");
        let counts: Vec<u32> = message.lines.iter().map(|line| line.1).collect();
        assert_eq!((counts.as_slice(), message.last), ([600, 1].as_slice(), 601));
        assert!(message.text().starts_with("600 × "), "{}", message.text());
        assert!(message.text().contains("after 600"), "the newest: {}", message.text());
        // The operator's are never put together, and a message has its end.
        let message = Message::of(Queue::Operator, operations()).expect("a message");
        assert_eq!((message.lines.len(), message.last), (LINES_MAX, 10));
        assert_eq!(Message::of(Queue::Operator, std::iter::empty()), None);
        // What was begun is the same again.
        let again = operations().filter(|entry| entry.id <= 10);
        assert_eq!(Message::of(Queue::Operator, again), Some(message));
    }
}
