//! What all exchanges have in common: a ticker with bid and ask, and how its numbers are read.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::domain::fiat::Currency;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;
use crate::view::Time;

/// An exchange that quotes LTC in currencies.
pub(super) trait Exchange: Sync {
    fn source(&self) -> Source;

    /// Its own host, with `https://`.
    fn base_url(&self) -> &'static str;

    /// The path and query of the ticker of LTC in a currency, below the base URL.
    fn path(&self, currency: Currency) -> String;

    /// Reads the ticker of LTC in a currency.
    ///
    /// # Errors
    /// If the response has another form, or is about another pair.
    fn read(&self, currency: Currency, body: &str) -> Result<Ticker, Unreadable>;
}

/// The best prices of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticker {
    pub(crate) bid: Rate,
    pub(crate) ask: Rate,
    /// The time in the response, if it has one.
    pub(crate) at: Option<Timestamp>,
}

/// Why a response of status 200 is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the response has an unknown form")]
    Form,
    #[error("the source reports an error: {0}")]
    Reported(String),
    #[error("the response is about another pair than {0}")]
    OtherPair(String),
    #[error("the response has an invalid price")]
    Price,
    #[error("the bid is above the ask")]
    Crossed,
    #[error("the response has an invalid time")]
    Time,
}

/// The most characters of an error text that are kept.
const REPORTED_CHARS_MAX: usize = 80;

impl Unreadable {
    /// An error that the source reports, with control characters escaped.
    pub(super) fn reported(text: &str) -> Unreadable {
        let plain = text.chars().flat_map(char::escape_default);
        Unreadable::Reported(plain.take(REPORTED_CHARS_MAX).collect())
    }
}

/// A JSON document of a known form.
pub(super) fn parse<T: DeserializeOwned>(body: &str) -> Result<T, Unreadable> {
    serde_json::from_str(body).map_err(|_| Unreadable::Form)
}

/// A price, given as a JSON number or as text, from its digits.
pub(super) fn price(raw: &RawValue) -> Result<Rate, Unreadable> {
    let text = raw.get();
    let unquoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Rate::parse_rounded(unquoted.unwrap_or(text)).map_err(|_| Unreadable::Price)
}

/// A ticker of two prices.
pub(super) fn ticker(
    bid: &RawValue,
    ask: &RawValue,
    at: Option<Timestamp>,
) -> Result<Ticker, Unreadable> {
    let (bid, ask) = (price(bid)?, price(ask)?);
    if bid > ask {
        return Err(Unreadable::Crossed);
    }
    Ok(Ticker { bid, ask, at })
}

/// Refuses a pair that is named in the response and is not LTC in this currency. Exchanges
/// write it with different separators.
pub(super) fn require_pair(named: Option<&str>, currency: Currency) -> Result<(), Unreadable> {
    let wanted = format!("LTC{currency}");
    let is_same = |named: &str| {
        let letters = named.chars().filter(|c| c.is_alphanumeric());
        letters.collect::<String>().to_ascii_uppercase() == wanted
    };
    match named {
        Some(named) if !is_same(named) => Err(Unreadable::OtherPair(wanted)),
        _ => Ok(()),
    }
}

/// A time of RFC 3339.
pub(super) fn time(text: &str) -> Result<Timestamp, Unreadable> {
    Time::parse(text).ok_or(Unreadable::Time)
}
