//! Bitfinex, `GET /v2/ticker/tLTCEUR`: `[bid, bid size, ask, ask size, …]`, ten numbers without
//! names, pair or time. An error is `["error", code, "text"]`.

use serde_json::value::RawValue;

use crate::domain::fiat::Currency;
use crate::domain::rate::Source;

use super::exchange::{Exchange, Ticker, Unreadable, parse, ticker};

pub(super) struct Bitfinex;

/// Numbers of a ticker of a trading pair. A ticker of a funding currency has more, in another
/// order.
const NUMBERS: usize = 10;

impl Exchange for Bitfinex {
    fn source(&self) -> Source {
        Source::Bitfinex
    }

    fn base_url(&self) -> &'static str {
        "https://api-pub.bitfinex.com"
    }

    fn path(&self, currency: Currency) -> String {
        format!("/v2/ticker/tLTC{currency}")
    }

    fn read(&self, _currency: Currency, body: &str) -> Result<Ticker, Unreadable> {
        let numbers: Vec<Box<RawValue>> = parse(body)?;
        if let [kind, _, text] = &numbers[..]
            && kind.get() == "\"error\""
        {
            return Err(Unreadable::reported(text.get()));
        }
        match &numbers[..] {
            [bid, _, ask, ..] if numbers.len() == NUMBERS => ticker(bid, ask, None),
            _ => Err(Unreadable::Form),
        }
    }
}
