//! Answers: what a person reads, sent to them alone, and how amounts, times and words of others
//! stand in them.
//!
//! Must not know: what went wrong (`error.rs`).

use poise::serenity_prelude as serenity;

use crate::domain::amount::Amount;
use crate::domain::printable::printable;
use crate::domain::time::Timestamp;
use crate::store::notifications;
use crate::store::stats::Stats;

use super::calls::patiently;
use super::language::{Language, Value};
use super::{Bot, Context, Failure, account_of, language_of};

/// What is said to one person.
#[derive(Default)]
pub(super) struct Answer {
    content: Option<String>,
    embed: Option<serenity::CreateEmbed>,
    rows: Vec<serenity::CreateActionRow>,
    file: Option<serenity::CreateAttachment>,
    secret: bool,
}

/// The colour at the side of lists and pages.
const COLOUR: u32 = 0x34_5d_9d;

/// The longest description of an embed, in characters (Discord's limit is 4,096).
pub(super) const DESCRIPTION_CHARS_MAX: usize = 4_000;

/// The longest value of a field (Discord's limit is 1,024).
const FIELD_CHARS_MAX: usize = 1_000;

/// Fields of a page (Discord's limit), and all that is in them (its limit for a page is 6,000 with
/// the title).
const FIELDS_MAX: usize = 25;
const FIELDS_CHARS_MAX: usize = 5_700;

impl Answer {
    pub(super) fn text(text: impl Into<String>) -> Answer {
        Answer { content: Some(text.into()), ..Answer::default() }
    }

    /// A page with a title.
    pub(super) fn page(title: impl Into<String>, text: &str) -> Answer {
        let embed = serenity::CreateEmbed::new()
            .title(title)
            .description(cut(text, DESCRIPTION_CHARS_MAX))
            .colour(COLOUR);
        Answer { embed: Some(embed), ..Answer::default() }
    }

    /// A page made of named values.
    pub(super) fn table(title: impl Into<String>, fields: &[(&str, String)]) -> Answer {
        let mut embed = serenity::CreateEmbed::new().title(title).colour(COLOUR);
        let mut room = FIELDS_CHARS_MAX;
        for (name, value) in fields.iter().take(FIELDS_MAX) {
            let value = cut(value, FIELD_CHARS_MAX);
            let chars = name.chars().count().saturating_add(value.chars().count());
            let Some(left) = room.checked_sub(chars) else { break };
            room = left;
            embed = embed.field(*name, value, false);
        }
        Answer { embed: Some(embed), ..Answer::default() }
    }

    /// A file goes with it. Only first answers can have one.
    pub(super) fn with_file(mut self, name: String, text: String) -> Answer {
        self.file = Some(serenity::CreateAttachment::bytes(text, name));
        self
    }

    pub(super) fn with_buttons(mut self, buttons: Vec<serenity::CreateButton>) -> Answer {
        if !buttons.is_empty() {
            self.rows.push(serenity::CreateActionRow::Buttons(buttons));
        }
        self
    }

    /// The text holds a secret: it goes away after a while.
    pub(super) fn secret(mut self) -> Answer {
        self.secret = true;
        self
    }

    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    fn add_line(&mut self, line: &str) {
        let before = self.content.take().map(|text| format!("{text}\n")).unwrap_or_default();
        self.content = Some(format!("{before}{line}"));
    }

    /// As the edit of the message under which a button was pressed. What is not said is removed.
    pub(super) fn into_edit(self) -> serenity::EditInteractionResponse {
        serenity::EditInteractionResponse::new()
            .content(self.content.unwrap_or_default())
            .embeds(self.embed.into_iter().collect())
            .components(self.rows)
            .allowed_mentions(serenity::CreateAllowedMentions::new())
    }

    pub(super) fn into_reply(self) -> poise::CreateReply {
        let mut reply = poise::CreateReply::default();
        if let Some(content) = self.content {
            reply = reply.content(content);
        }
        if let Some(embed) = self.embed {
            reply = reply.embed(embed);
        }
        if !self.rows.is_empty() {
            reply = reply.components(self.rows);
        }
        if let Some(file) = self.file {
            reply = reply.attachment(file);
        }
        reply.ephemeral(true).allowed_mentions(serenity::CreateAllowedMentions::new())
    }
}

/// The beginning of a text that is too long.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Answers to the asker alone. A secret is taken away again after a while.
pub(super) async fn reply(context: Context<'_>, mut answer: Answer) -> Result<(), Failure> {
    let (bot, language) = (context.data(), language_of(context));
    add_kept_notifications(bot, language, context.author().id.get(), &mut answer).await;
    let is_secret = answer.is_secret();
    let message = answer.into_reply();
    let sent = patiently(|| context.send(message.clone())).await?;
    if is_secret {
        tokio::select! {
            () = bot.shutdown.cancelled() => {}
            () = tokio::time::sleep(bot.settings.secret_display_ttl) => {}
        }
        patiently(|| sent.delete(context)).await?;
    }
    Ok(())
}

/// Who takes no direct messages is reminded under the next answer.
async fn add_kept_notifications(bot: &Bot, language: Language, user: u64, answer: &mut Answer) {
    let kept = bot
        .read(move |tx| match account_of(tx, user) {
            Ok(merchant) => Ok(notifications::count_kept(tx, merchant.id)?),
            Err(_) => Ok(0),
        })
        .await;
    match kept {
        Ok(0) | Err(_) => {}
        Ok(n) => answer.add_line(&language.say("kept-notifications", &[("n", &n)])),
    }
}

/// Words of the log, of the node or of Discord, as they are in all languages and without any
/// meaning as markup.
pub(super) fn logged(words: &str) -> String {
    let shown: String = printable(words).map(|c| if c == '`' { '\'' } else { c }).collect();
    format!("`{}`", cut(&shown, LOGGED_CHARS_MAX))
}

/// The most that is shown of them.
const LOGGED_CHARS_MAX: usize = 600;

/// An amount with its unit.
pub(super) fn ltc(amount: Amount) -> String {
    format!("{amount} LTC")
}

/// A time as Discord shows it to each reader in their own time zone: how long until or since.
pub(super) fn relative(at: Timestamp) -> String {
    format!("<t:{}:R>", at.seconds())
}

/// A time as date and hour.
pub(super) fn date(at: Timestamp) -> String {
    format!("<t:{}:f>", at.seconds())
}

/// An address in groups of four, to be compared by eye.
pub(super) fn grouped(address: &str) -> String {
    let chars: Vec<char> = address.chars().collect();
    let groups: Vec<String> = chars.chunks(4).map(|group| group.iter().collect()).collect();
    format!("`{}`", groups.join(" "))
}

/// A URL as code: without backticks, which are percent-encoded, it contains no markup.
pub(super) fn code(url: &str) -> String {
    format!("`{}`", cut(&url.replace('`', "%60"), 1_000))
}

/// The statistics of a period in one line.
pub(super) fn stats_line(language: Language, stats: &Stats) -> String {
    let decided = stats.completed.saturating_add(stats.expired);
    let rate = stats.completed.saturating_mul(100).checked_div(decided);
    let rate = rate.map(|percent| language.say("stats-rate", &[("percent", &percent)]));
    let median = stats.median_ms.map(|ms| {
        let (minutes, seconds) = (ms / 60_000, ms / 1_000 % 60);
        language.say("stats-median", &[("minutes", &minutes), ("seconds", &seconds)])
    });
    let values: [(&str, &Value); 6] = [
        ("n", &stats.created),
        ("completed", &stats.completed),
        ("rate", &rate.unwrap_or_default()),
        ("sum", &ltc(stats.amount)),
        ("median", &median.unwrap_or_default()),
        ("failed", &stats.failed_webhooks),
    ];
    language.say("stats", &values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::notifications::plain;

    #[test]
    fn replies_show_addresses_in_groups_of_four() {
        assert_eq!(grouped("ltc1qabcde"), "`ltc1 qabc de`");
        assert_eq!(grouped(""), "``");
    }

    #[test]
    fn overlong_text_is_truncated() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüx", 3), "äö…");
    }

    #[test]
    fn markup_in_user_text_is_escaped() {
        assert_eq!(plain("**a** <@1> @everyone"), "\\*\\*a\\*\\* \\<\\@1\\> \\@everyone");
        assert_eq!(plain("[x](https://e)"), "\\[x\\](https\\://e)");
        assert_eq!(plain("a\u{202e}b\u{200b}c"), "abc");
    }
}
