//! JSON as text: numbers are compared by digits, never as floats.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Fields of a JSON object, as written.
#[derive(Debug, Clone)]
pub(crate) struct Fields {
    text: String,
    fields: BTreeMap<String, Box<RawValue>>,
}

impl Fields {
    /// Parses a JSON object.
    #[track_caller]
    pub(crate) fn of(text: &str) -> Fields {
        match serde_json::from_str(text) {
            Ok(fields) => Fields { text: text.to_owned(), fields },
            Err(error) => panic!("not a JSON object ({error}): {text}"),
        }
    }

    /// A field as written: `0.05`, `"pending"` with quotes, `null`.
    #[track_caller]
    pub(crate) fn raw(&self, name: &str) -> &str {
        match self.fields.get(name) {
            Some(value) => value.get(),
            None => panic!("no field {name} in {}", self.text),
        }
    }

    /// A string field.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        match serde_json::from_str(self.raw(name)) {
            Ok(text) => text,
            Err(_) => panic!("{name} is not a string in {}", self.text),
        }
    }

    /// An object field.
    #[track_caller]
    pub(crate) fn object(&self, name: &str) -> Fields {
        Fields::of(self.raw(name))
    }

    /// A list of objects.
    #[track_caller]
    pub(crate) fn objects(&self, name: &str) -> Vec<Fields> {
        list(self.raw(name))
    }

    /// A list of strings.
    #[track_caller]
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        match serde_json::from_str(self.raw(name)) {
            Ok(texts) => texts,
            Err(_) => panic!("{name} is not a list of strings in {}", self.text),
        }
    }

    /// Whether the field exists.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The whole object as received.
    pub(crate) fn whole(&self) -> &str {
        &self.text
    }
}

/// The objects of a JSON list.
#[track_caller]
pub(crate) fn list(text: &str) -> Vec<Fields> {
    match serde_json::from_str::<Vec<Box<RawValue>>>(text) {
        Ok(items) => items.iter().map(|item| Fields::of(item.get())).collect(),
        Err(error) => panic!("not a JSON list ({error}): {text}"),
    }
}

/// Litoshis from decimal text in LTC such as `0.05` or `50.00000000`.
#[track_caller]
pub(crate) fn litoshis(text: &str) -> u64 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    assert!(decimals.len() <= 8, "more than 8 decimals: {text}");
    let digits = format!("{whole}{decimals:0<8}");
    digits.parse().unwrap_or_else(|_| panic!("not an amount: {text}"))
}
