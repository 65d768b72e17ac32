//! JSON form of exchange rates: `litegate rates --json`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::domain::rate::{Percent, Rate};

use super::values::Time;

/// The rate of a currency, and its quotes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrencyRateView {
    pub(crate) currency: &'static str,
    /// The price of one LTC as decimal text; null without a usable rate.
    pub(crate) rate: Option<RateText>,
    /// When the oldest quote used was received.
    pub(crate) at: Option<Time>,
    pub(crate) usable: bool,
    /// Why there is no usable rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) sources: Vec<QuoteView>,
}

/// What a source gave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuoteView {
    pub(crate) source: &'static str,
    pub(crate) quote: Option<RateText>,
    pub(crate) age_seconds: Option<i64>,
    /// The distance from the median of the fresh quotes.
    pub(crate) deviation_percent: Option<PercentNumber>,
    pub(crate) used: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A rate as decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateText(pub(crate) Rate);

impl Serialize for RateText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A percentage as a JSON number with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PercentNumber(pub(crate) Percent);

impl Serialize for PercentNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits =
            RawValue::from_string(self.0.to_string()).map_err(serde::ser::Error::custom)?;
        digits.serialize(serializer)
    }
}
