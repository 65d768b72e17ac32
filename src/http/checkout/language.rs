//! The languages of the checkout: one file each, chosen by `?lang=`, then by `accept-language`.
//!
//! A language that lacks a sentence does not compile, and neither does a sentence that no page
//! uses. Sentences are plain text with `{names}` for what is put in; amounts and numbers go in
//! isolated, so that no direction of writing tears them apart.

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod nl;
mod pl;
mod pt_br;
mod ru;
mod tr;
mod zh_hans;

use crate::http::weights::ranges;

/// A language that the checkout speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    /// By BCP 47, as the attribute `lang` has it.
    pub(crate) tag: &'static str,
    /// What its speakers call it.
    pub(crate) name: &'static str,
    /// The attribute `dir`.
    pub(crate) direction: &'static str,
    pub(crate) words: &'static Words,
}

const fn language(tag: &'static str, name: &'static str, words: &'static Words) -> Language {
    Language { tag, name, direction: "ltr", words }
}

/// What is spoken to those who ask for nothing that we speak.
pub(crate) const ENGLISH: Language = language("en", "English", &en::WORDS);

/// All languages, in the order of the switch.
pub(crate) const ALL: [Language; 13] = [
    ENGLISH,
    language("de", "Deutsch", &de::WORDS),
    language("es", "Español", &es::WORDS),
    language("fr", "Français", &fr::WORDS),
    language("it", "Italiano", &it::WORDS),
    language("nl", "Nederlands", &nl::WORDS),
    language("pl", "Polski", &pl::WORDS),
    language("pt-BR", "Português", &pt_br::WORDS),
    language("ru", "Русский", &ru::WORDS),
    language("tr", "Türkçe", &tr::WORDS),
    language("ja", "日本語", &ja::WORDS),
    language("zh-Hans", "简体中文", &zh_hans::WORDS),
    Language { direction: "rtl", ..language("ar", "العربية", &ar::WORDS) },
];

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// All that the checkout says.
        #[derive(Debug, PartialEq, Eq)]
        pub(crate) struct Words {
            $($(#[$doc])* pub(crate) $name: &'static str,)*
        }

        #[cfg(test)]
        impl Words {
            /// Each sentence under its name.
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

words! {
    /// Titles, a state each.
    pay,
    more,
    seen,
    confirmed,
    paid,
    expired,
    late,
    unknown,
    limited,
    /// What stands below the title.
    waiting_hint,
    partly_hint,
    replaced_hint,
    seen_hint,
    confirming_hint,
    paid_hint,
    overpaid_hint,
    expired_hint,
    expired_partly_hint,
    late_hint,
    unknown_hint,
    limited_hint,
    /// Over everything, while the gateway does not see the chain.
    delayed,
    /// The sum in the shop's own words.
    quoted,
    order,
    qr,
    open_wallet,
    /// For those for whom nothing opened.
    no_wallet,
    amount,
    address,
    link,
    copy,
    copied,
    /// Where a page may not copy by itself, the text is selected instead.
    selected,
    time_left,
    until,
    minutes,
    hours,
    confirmations,
    transaction,
    back,
    check_again,
    payment,
    language,
}

/// The language of a page: what the switch says, else the browser's first that we speak.
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

/// By its whole tag or its first part, in any case: `de-AT` is German, `pt-PT` the Portuguese that
/// we have. Traditional Chinese is not the simplified.
fn find(tag: &str) -> Option<Language> {
    let tag = tag.to_ascii_lowercase();
    let first = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    let traditional = ["hant", "tw", "hk", "mo"];
    if first(&tag) == "zh" && tag.split('-').any(|part| traditional.contains(&part)) {
        return None;
    }
    ALL.into_iter().find(|language| first(&language.tag.to_ascii_lowercase()) == first(&tag))
}

/// Puts values into a sentence, each isolated from the text around it. The values are escaped;
/// the sentences are ours.
pub(crate) fn fill_html(sentence: &str, values: &[(&str, &str)]) -> String {
    fill(sentence, values, |value| format!("<bdi>{}</bdi>", escape(value)))
}

/// As [`fill_html`], as text where no markup may stand: isolated by U+2068 and U+2069 in
/// languages that are written from right to left.
pub(crate) fn fill_text(language: Language, sentence: &str, values: &[(&str, &str)]) -> String {
    fill(sentence, values, |value| match language.direction {
        "rtl" => format!("\u{2068}{value}\u{2069}"),
        _ => value.to_owned(),
    })
}

/// One pass from left to right, so that a value which looks like a name is left alone.
fn fill(sentence: &str, values: &[(&str, &str)], dress: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(sentence.len() + 64);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name);
        filled.push_str(&value.map(|(_, value)| dress(value)).unwrap_or_default());
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
