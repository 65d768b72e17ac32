//! Translations: the Fluent catalogs of `static/locales`, compiled in and parsed once.
//!
//! English is the source language, and the fallback for a message that another language lacks.
//! Plural forms follow the CLDR rules of the language. A test compares messages and variables of
//! all languages. Must not know: who reads a message.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;

/// The language of the source files, and of a reader whose language is not supported.
pub(crate) const SOURCE: &str = "en";

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 1] = ["ar"];

macro_rules! sources {
    ($file:literal: $($tag:literal)*) => {
        &[$(($tag, include_str!(concat!("../static/locales/", $tag, "/", $file, ".ftl")))),*]
    };
}

/// A file's languages by BCP 47 tag; the source language is the first.
type Sources = &'static [(&'static str, &'static str)];

const CHECKOUT_SOURCES: Sources =
    sources!("checkout": "en" "ar" "de" "es" "fr" "it" "ja" "nl" "pl" "pt-BR" "ru" "tr" "zh-Hans");

/// The checkout page.
pub(crate) static CHECKOUT: LazyLock<Catalogs> = LazyLock::new(|| Catalogs::new(CHECKOUT_SOURCES));

const BOT_SOURCES: Sources = sources!("bot": "en" "de" "es" "fr" "pt-BR");
const ERRORS_SOURCES: Sources = sources!("errors": "en" "de" "es" "fr" "pt-BR");

/// The Discord bot: answers, notifications, and descriptions of commands.
pub(crate) static BOT: LazyLock<Catalogs> = LazyLock::new(|| Catalogs::new(BOT_SOURCES));

/// Refusals of operations.
pub(crate) static ERRORS: LazyLock<Catalogs> = LazyLock::new(|| Catalogs::new(ERRORS_SOURCES));

/// One file in all its languages.
pub(crate) struct Catalogs(Vec<Catalog>);

impl Catalogs {
    fn new(sources: Sources) -> Catalogs {
        let source = sources.first().map(|(_, text)| parse(text));
        Catalogs(sources.iter().map(|(tag, text)| Catalog::new(tag, &source, text)).collect())
    }

    /// The catalog of a language, or the English one.
    pub(crate) fn get(&'static self, tag: &str) -> &'static Catalog {
        let found = self.0.iter().find(|catalog| catalog.tag == tag);
        found.or(self.0.first()).expect("English is compiled in")
    }
}

type Bundle = FluentBundle<Arc<FluentResource>>;

/// The messages of one file in one language.
pub(crate) struct Catalog {
    tag: &'static str,
    bundle: Bundle,
    /// Messages without variables.
    fixed: HashMap<String, String>,
}

impl Catalog {
    fn new(tag: &'static str, source: &Option<Arc<FluentResource>>, text: &str) -> Catalog {
        let own = parse(text);
        let mut bundle = Bundle::new_concurrent(vec![tag.parse().unwrap_or_default()]);
        // Values are isolated by `say` and `html`, each in its way.
        bundle.set_use_isolating(false);
        let mut fixed = HashMap::new();
        for resource in source.iter().chain([&own]) {
            bundle.add_resource_overriding(Arc::clone(resource));
        }
        for resource in source.iter().chain([&own]) {
            collect_fixed(&bundle, resource, &mut fixed);
        }
        Catalog { tag, bundle, fixed }
    }

    /// A message without variables.
    pub(crate) fn text(&'static self, id: &str) -> &'static str {
        let found = self.fixed.get(id);
        debug_assert!(found.is_some(), "{}: no message {id} without variables", self.tag);
        found.map(String::as_str).unwrap_or_default()
    }

    /// A message as plain text. In a language that is written from right to left, texts are
    /// isolated by U+2068 and U+2069.
    pub(crate) fn say(&self, id: &str, values: &Values) -> String {
        let isolate = direction(self.tag) == "rtl";
        self.format(id, values, |text| match isolate {
            true => format!("\u{2068}{text}\u{2069}"),
            false => text.to_owned(),
        })
    }

    /// A message as HTML: every text is escaped, and isolated by `<bdi>` from the direction of the
    /// text around it. Numbers are digits and need neither.
    pub(crate) fn html(&self, id: &str, values: &Values) -> String {
        self.format(id, values, |text| format!("<bdi>{}</bdi>", escape(text)))
    }

    fn format(&self, id: &str, values: &Values, of_text: impl Fn(&str) -> String) -> String {
        let pattern = self.bundle.get_message(id).and_then(|message| message.value());
        debug_assert!(pattern.is_some(), "no message {id}");
        let Some(pattern) = pattern else { return String::new() };
        let mut args = FluentArgs::with_capacity(values.len());
        for (name, value) in values {
            let value = match value.to_fluent() {
                FluentValue::String(text) if !value.is_selector() => of_text(&text).into(),
                other => other,
            };
            args.set(*name, value);
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text
    }
}

/// The values of a message by the names of its variables.
pub(crate) type Values<'v> = [(&'v str, &'v dyn Value)];

/// A value that a message can contain. Numbers select a plural form.
pub(crate) trait Value: Sync {
    fn to_fluent(&self) -> FluentValue<'_>;

    /// Whether it selects a variant of a message instead of being shown.
    fn is_selector(&self) -> bool {
        false
    }
}

/// Selects the variant `yes` or `no`.
impl Value for bool {
    fn to_fluent(&self) -> FluentValue<'_> {
        FluentValue::from(if *self { "yes" } else { "no" })
    }

    fn is_selector(&self) -> bool {
        true
    }
}

macro_rules! numbers {
    ($($kind:ty)*) => {$(
        impl Value for $kind {
            fn to_fluent(&self) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        }
    )*};
}
numbers!(i64 u32 u64 usize);

impl Value for str {
    fn to_fluent(&self) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}

impl Value for String {
    fn to_fluent(&self) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

impl<V: Value + ?Sized> Value for &V {
    fn to_fluent(&self) -> FluentValue<'_> {
        (**self).to_fluent()
    }

    fn is_selector(&self) -> bool {
        (**self).is_selector()
    }
}

/// The direction of a language's script, as HTML's attribute `dir` names it.
pub(crate) fn direction(tag: &str) -> &'static str {
    if RIGHT_TO_LEFT.contains(&tag) { "rtl" } else { "ltr" }
}

/// Entries that cannot be parsed are left out, so English is shown; a test refuses them.
fn parse(text: &str) -> Arc<FluentResource> {
    let parsed = FluentResource::try_new(text.to_owned());
    Arc::new(parsed.unwrap_or_else(|(resource, _)| resource))
}

/// Formats what needs no values once, so that a page copies it.
fn collect_fixed(bundle: &Bundle, resource: &FluentResource, fixed: &mut HashMap<String, String>) {
    for entry in resource.entries() {
        let Entry::Message(message) = entry else { continue };
        let Some(pattern) = &message.value else { continue };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, None, &mut errors);
        if errors.is_empty() {
            fixed.insert(message.id.name.to_owned(), text.into_owned());
        }
    }
}

pub(crate) fn escape(text: &str) -> String {
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
