//! The languages of the bot. A user is answered in the language that Discord reports with the
//! command; direct messages are in the language that their reader used last.
//!
//! The messages are the Fluent files `static/locales/<tag>/bot.ftl`, and `errors.ftl` for
//! refusals of operations. Values are inserted as they are, so their writer escapes markup.
//! Amounts and times are written alike in all languages. Names of commands and options are
//! English.

mod notifications;
mod refusals;

use std::borrow::Cow;

use crate::domain::payment::Detail;
use crate::i18n::{self, Catalog};

use super::{Data, Failure};

/// A language that the bot speaks, by its folder in `static/locales`.
#[derive(Clone, Copy)]
pub(super) struct Language(&'static str);

/// The language of users whose language is not supported or not known.
pub(super) const ENGLISH: Language = Language(i18n::SOURCE);

/// A value that a message contains.
pub(super) type Value<'v> = dyn i18n::Value + 'v;

/// Discord's locales in which the bot speaks another language than English.
const LOCALES: [(&str, Language); 5] = [
    ("de", Language("de")),
    ("es-ES", Language("es")),
    ("es-419", Language("es")),
    ("fr", Language("fr")),
    ("pt-BR", Language("pt-BR")),
];

impl Language {
    /// The language of one of Discord's locales.
    pub(super) fn of_locale(locale: &str) -> Language {
        let found = LOCALES.into_iter().find(|(known, _)| *known == locale);
        found.map_or(ENGLISH, |(_, language)| language)
    }

    fn messages(self) -> &'static Catalog {
        i18n::BOT.get(self.0)
    }

    fn errors(self) -> &'static Catalog {
        i18n::ERRORS.get(self.0)
    }

    /// A message without values.
    pub(super) fn text(self, id: &str) -> &'static str {
        self.messages().text(id)
    }

    /// A message with its values.
    pub(super) fn say(self, id: &str, values: &[(&str, &Value)]) -> String {
        self.messages().say(id, values)
    }

    /// A status, by the word that the API has for it.
    pub(super) fn status(self, word: &'static str) -> &'static str {
        match word {
            "pending" => self.text("status-pending"),
            "completed" => self.text("status-completed"),
            "expired" => self.text("status-expired"),
            other => other,
        }
    }

    /// The detail of a status, by the word that the API has for it.
    pub(super) fn detail(self, word: &'static str) -> &'static str {
        // The API says `delayed` instead of the detail while coins may be unseen.
        let Some(detail) = Detail::ALL.into_iter().find(|detail| detail.as_str() == word) else {
            return self.text("detail-delayed");
        };
        self.text(match detail {
            Detail::Waiting => "detail-waiting",
            Detail::PartlyPaid => "detail-partly-paid",
            Detail::Seen => "detail-seen",
            Detail::Confirming => "detail-confirming",
            Detail::Replaced => "detail-replaced",
            Detail::Paid => "detail-paid",
            Detail::Overpaid => "detail-overpaid",
            Detail::PaidShort => "detail-paid-short",
            Detail::Accepted => "detail-accepted",
            Detail::Cancelled => "detail-cancelled",
            Detail::Expired => "detail-expired",
            Detail::Late => "detail-late",
        })
    }
}

/// The length of a notification, in characters, in the language in which it is longest.
pub(super) fn longest_notification(stored: Option<&str>, text: &str) -> usize {
    let all = LOCALES.into_iter().map(|(_, language)| language).chain([ENGLISH]);
    let chars = all.map(|language| language.notification(stored, text).chars().count());
    chars.max().unwrap_or(0)
}

/// Gives commands and options their descriptions, and choices their names, in all languages.
/// They replace what poise derives from the code: the comment above a command's function, and
/// the name of a choice, which is the id of its message.
pub(super) fn translate(commands: &mut [poise::Command<Data, Failure>]) {
    translate_below("command", commands);
}

fn translate_below(above: &str, commands: &mut [poise::Command<Data, Failure>]) {
    for command in commands {
        let id = format!("{above}-{}", command.name);
        command.description = Some(ENGLISH.text(&id).into());
        command.description_localizations = in_locales(&id).into();
        for option in &mut command.parameters {
            let id = format!("{id}-{}", option.name);
            option.description = Some(ENGLISH.text(&id).into());
            option.description_localizations = in_locales(&id).into();
            for choice in option.choices.to_mut() {
                choice.localizations = in_locales(&choice.name).into();
                choice.name = ENGLISH.text(&choice.name).into();
            }
        }
        translate_below(&id, &mut command.subcommands);
    }
}

type Localized = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// A message in each locale.
fn in_locales(id: &str) -> Localized {
    LOCALES
        .into_iter()
        .map(|(locale, language)| (locale.into(), language.text(id).into()))
        .collect()
}

#[cfg(test)]
mod tests;
