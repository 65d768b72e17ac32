//! The languages of the checkout, chosen by `?lang=`, then by `accept-language`.
//!
//! The messages are the Fluent files `static/locales/<tag>/checkout.ftl`.

use crate::http::weights::ranges;
use crate::i18n::{self, Catalog};

/// A language of the checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    /// By BCP 47, as the attribute `lang` has it.
    pub(crate) tag: &'static str,
    /// What its speakers call it.
    pub(crate) name: &'static str,
}

/// The language of shoppers whose language is not supported.
pub(crate) const ENGLISH: Language = Language { tag: i18n::SOURCE, name: "English" };

/// All languages, in the order of the switch.
pub(crate) const ALL: [Language; 13] = [
    ENGLISH,
    Language { tag: "de", name: "Deutsch" },
    Language { tag: "es", name: "Español" },
    Language { tag: "fr", name: "Français" },
    Language { tag: "it", name: "Italiano" },
    Language { tag: "nl", name: "Nederlands" },
    Language { tag: "pl", name: "Polski" },
    Language { tag: "pt-BR", name: "Português" },
    Language { tag: "ru", name: "Русский" },
    Language { tag: "tr", name: "Türkçe" },
    Language { tag: "ja", name: "日本語" },
    Language { tag: "zh-Hans", name: "简体中文" },
    Language { tag: "ar", name: "العربية" },
];

impl Language {
    pub(crate) fn catalog(self) -> &'static Catalog {
        i18n::CHECKOUT.get(self.tag)
    }

    /// The attribute `dir`.
    pub(crate) fn direction(self) -> &'static str {
        i18n::direction(self.tag)
    }
}

/// The language of a page: the one of the switch, else the browser's first supported one.
pub(crate) fn choose(query: &str, accept_language: &str) -> Language {
    let asked = query.split('&').find_map(|pair| pair.strip_prefix("lang="));
    asked.and_then(find).or_else(|| preferred(accept_language)).unwrap_or(ENGLISH)
}

/// The language of the greatest weight (RFC 9110, 12.5.4); the first one among equals.
fn preferred(accept_language: &str) -> Option<Language> {
    let mut best: Option<(u32, Language)> = None;
    for (tag, weight) in ranges(accept_language) {
        if let Some(language) = find(tag)
            && weight > best.map_or(0, |(weight, _)| weight)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// By the whole tag or its first part, in any case: `de-AT` is German, `pt-PT` the one Portuguese
/// that there is. Traditional Chinese is not the simplified.
fn find(tag: &str) -> Option<Language> {
    let tag = tag.to_ascii_lowercase();
    let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let traditional = ["hant", "tw", "hk", "mo"];
    if first(&tag) == "zh" && tag.split('-').any(|part| traditional.contains(&part)) {
        return None;
    }
    ALL.into_iter().find(|language| first(&language.tag.to_ascii_lowercase()) == first(&tag))
}

#[cfg(test)]
mod tests;
