//! Bitstamp, `GET /api/v2/ticker/ltceur/`: `{"ask": "…", "bid": "…", "timestamp": "1700000000",
//! …}`, sometimes with `pair`. The timestamp is in seconds.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::fiat::Currency;
use crate::domain::rate::Source;
use crate::domain::time::Timestamp;

use super::exchange::{Exchange, Ticker, Unreadable, parse, require_pair, ticker};

pub(super) struct Bitstamp;

#[derive(Deserialize)]
struct Response {
    bid: Box<RawValue>,
    ask: Box<RawValue>,
    timestamp: String,
    pair: Option<String>,
}

impl Exchange for Bitstamp {
    fn source(&self) -> Source {
        Source::Bitstamp
    }

    fn base_url(&self) -> &'static str {
        "https://www.bitstamp.net"
    }

    fn path(&self, currency: Currency) -> String {
        format!("/api/v2/ticker/ltc{}/", currency.code().to_ascii_lowercase())
    }

    fn read(&self, currency: Currency, body: &str) -> Result<Ticker, Unreadable> {
        let response: Response = parse(body)?;
        require_pair(response.pair.as_deref(), currency)?;
        let seconds = response.timestamp.parse().map_err(|_| Unreadable::Time)?;
        ticker(&response.bid, &response.ask, Some(Timestamp::from_seconds(seconds)))
    }
}
