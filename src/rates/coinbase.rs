//! Coinbase Exchange, `GET /products/LTC-EUR/ticker`: `{"ask": "…", "bid": "…", "time": "…", …}`.
//! `time` is that of the last trade.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::fiat::Currency;
use crate::domain::rate::Source;

use super::exchange::{Exchange, Ticker, Unreadable, parse, require_pair, ticker, time};

pub(super) struct Coinbase;

#[derive(Deserialize)]
struct Response {
    bid: Box<RawValue>,
    ask: Box<RawValue>,
    time: String,
    product_id: Option<String>,
}

impl Exchange for Coinbase {
    fn source(&self) -> Source {
        Source::Coinbase
    }

    fn base_url(&self) -> &'static str {
        "https://api.exchange.coinbase.com"
    }

    fn path(&self, currency: Currency) -> String {
        format!("/products/LTC-{currency}/ticker")
    }

    fn read(&self, currency: Currency, body: &str) -> Result<Ticker, Unreadable> {
        let response: Response = parse(body)?;
        require_pair(response.product_id.as_deref(), currency)?;
        ticker(&response.bid, &response.ask, Some(time(&response.time)?))
    }
}
