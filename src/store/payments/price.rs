//! The column `price` of a payment: JSON.

use serde::{Deserialize, Serialize};

use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::payment::Price;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;

#[derive(Serialize, Deserialize)]
struct PriceColumn {
    currency: String,
    /// In minor units of the currency.
    minor: u64,
    rate: String,
    rate_at: i64,
    sources: Vec<String>,
}

pub(super) fn column(price: &Price) -> String {
    let column = PriceColumn {
        currency: price.amount.currency().code().to_owned(),
        minor: price.amount.minor(),
        rate: price.rate.to_string(),
        rate_at: price.rate_at.ms(),
        sources: price.sources.iter().map(|source| source.name().to_owned()).collect(),
    };
    serde_json::to_string(&column).unwrap_or_default()
}

/// `None` if the text is not what [`column()`] writes.
pub(super) fn read(json: &str) -> Option<Price> {
    let column: PriceColumn = serde_json::from_str(json).ok()?;
    let sources = column.sources.iter().map(|name| Source::from_name(name));
    Some(Price {
        amount: FiatAmount::from_minor(column.minor, Currency::parse(&column.currency).ok()?)?,
        rate: Rate::parse(&column.rate).ok()?,
        rate_at: Timestamp::from_ms(column.rate_at),
        sources: sources.collect::<Option<_>>()?,
    })
}
