//! Kraken, `GET /0/public/Ticker`: `{"error": [], "result": {"XLTCZEUR": {"a": [ask, …], "b":
//! [bid, …], …}}}`. The ticker has no time. Errors come with status 200.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::fiat::Currency;
use crate::domain::rate::Source;

use super::exchange::{Exchange, Ticker, Unreadable, parse, ticker};

pub(super) struct Kraken;

#[derive(Deserialize)]
struct Response {
    error: Vec<String>,
    #[serde(default)]
    result: BTreeMap<String, Pair>,
}

#[derive(Deserialize)]
struct Pair {
    a: Vec<Box<RawValue>>,
    b: Vec<Box<RawValue>>,
}

impl Exchange for Kraken {
    fn source(&self) -> Source {
        Source::Kraken
    }

    fn base_url(&self) -> &'static str {
        "https://api.kraken.com"
    }

    fn path(&self, currency: Currency) -> String {
        format!("/0/public/Ticker?pair=LTC{currency}")
    }

    fn read(&self, currency: Currency, body: &str) -> Result<Ticker, Unreadable> {
        let response: Response = parse(body)?;
        if let Some(error) = response.error.first() {
            return Err(Unreadable::reported(error));
        }
        let mut pairs = response.result.iter();
        let (Some((name, pair)), None) = (pairs.next(), pairs.next()) else {
            return Err(Unreadable::Form);
        };
        // Older pairs have a letter for the kind of asset before each code.
        if ![format!("LTC{currency}"), format!("XLTCZ{currency}")].contains(name) {
            return Err(Unreadable::OtherPair(format!("LTC{currency}")));
        }
        match (pair.b.first(), pair.a.first()) {
            (Some(bid), Some(ask)) => ticker(bid, ask, None),
            _ => Err(Unreadable::Form),
        }
    }
}
