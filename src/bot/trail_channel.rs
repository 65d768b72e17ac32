//! The trail in a channel, for administrators who want to see each act as it happens.
//!
//! Many read it, so it is in English.
//!
//! What was posted last is recorded after it was posted, and how far a message goes before: a
//! restart in between posts the same message again, and Discord drops it by its nonce.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use poise::serenity_prelude as serenity;

use crate::domain::time::Timestamp;
use crate::store::{progress, trail};

use super::answer::{DESCRIPTION_CHARS_MAX, cut};
use super::language::ENGLISH;
use super::lists::trail_line;
use super::notices::{Outcome, Post, nonce};
use super::{Bot, Failure};

/// The name under which is recorded what was posted.
const POSTED: &str = "discord_trail";

/// The pause between two looks, and after one that failed.
const LOOK: Duration = Duration::from_secs(2);
const REST: Duration = Duration::from_secs(60);

/// Acts in one message.
const GROUP_MAX: u32 = 10;

/// Posts what comes until told to stop; does nothing if no channel is configured.
pub(super) async fn run(bot: &Arc<Bot>) {
    let Some(channel) = bot.settings.audit_channel_id else { return };
    let post = Post::new(bot);
    while !bot.shutdown.is_cancelled() {
        let pause = match AssertUnwindSafe(pass(bot, &post, channel)).catch_unwind().await {
            Ok(Ok(true)) => LOOK,
            Ok(Ok(false)) => REST,
            Ok(Err(failure)) => {
                tracing::warn!(%failure, "the trail is not posted");
                REST
            }
            Err(_) => {
                tracing::error!("the trail is not posted: a panic; a mistake of the program");
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
    fn from_note(note: &str) -> Option<Mark> {
        let mut parts = note.split(' ');
        let posted = parts.next()?.parse().ok()?;
        Some(Mark { posted, begun: parts.next().and_then(|begun| begun.parse().ok()) })
    }

    fn as_note(self) -> String {
        match self.begun {
            Some(begun) => format!("{} {begun}", self.posted),
            None => self.posted.to_string(),
        }
    }
}

/// Posts what there is. Answers whether the channel took it.
async fn pass(bot: &Bot, post: &Post, channel: u64) -> Result<bool, Failure> {
    let now = bot.clock.now();
    let known = bot.read(|tx| Ok(progress::of_role(tx, POSTED)?)).await?;
    let Some(mark) = known.and_then(|known| Mark::from_note(&known.note)) else {
        // What was done before there was a channel is history.
        let newest = bot.read(|tx| Ok(trail::list(tx, None, 0, 1)?)).await?;
        let posted = newest.first().map_or(0, |entry| entry.id);
        record(bot, Mark { posted, begun: None }, now).await?;
        return Ok(true);
    };
    let mut acts = bot.read(move |tx| Ok(trail::after(tx, mark.posted, GROUP_MAX)?)).await?;
    if let Some(begun) = mark.begun {
        acts.retain(|entry| entry.id <= begun);
    }
    let Some(last) = acts.last().map(|entry| entry.id) else { return Ok(true) };
    if mark.begun.is_none() {
        record(bot, Mark { begun: Some(last), ..mark }, now).await?;
    }
    let lines: Vec<String> = acts.iter().map(|entry| trail_line(ENGLISH, entry)).collect();
    let embed = serenity::CreateEmbed::new()
        .title(ENGLISH.words.title_trail)
        .description(cut(&lines.join("\n"), DESCRIPTION_CHARS_MAX));
    let message = serenity::CreateMessage::new()
        .embed(embed)
        .allowed_mentions(serenity::CreateAllowedMentions::new());
    // The numbers of acts and those of notices are different things with one kind of nonce.
    let nonce = nonce(last.saturating_neg(), channel);
    match post.send_in(serenity::ChannelId::new(channel), &nonce, message).await {
        Outcome::Sent => {
            record(bot, Mark { posted: last, begun: None }, now).await?;
            Ok(true)
        }
        Outcome::Closed | Outcome::Later => Ok(false),
    }
}

async fn record(bot: &Bot, mark: Mark, now: Timestamp) -> Result<(), Failure> {
    bot.write(move |tx| Ok(progress::record(tx, POSTED, now, &mark.as_note())?)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_from_their_notes() {
        for mark in [Mark { posted: 7, begun: None }, Mark { posted: 7, begun: Some(12) }] {
            assert_eq!(Mark::from_note(&mark.as_note()), Some(mark));
        }
        assert_eq!(Mark::from_note(""), None);
    }
}
