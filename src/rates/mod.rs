//! Exchange rates from their sources: the only place that asks exchanges and the ECB.
//!
//! The role `api` refreshes the quotes in the background and stores them ([`Refresher`]);
//! `operations/rates` decides the rate by the stored rows, so that no request waits for the
//! network. All numbers are read from their digits.
//!
//! Must not know: which quotes are used, and what a rate is needed for.

mod backoff;
mod bitfinex;
mod bitstamp;
mod coinbase;
mod ecb;
mod exchange;
mod kraken;
mod refresh;
mod run;

use std::time::Duration;

use crate::domain::fiat::Currency;
use crate::domain::rate::Source;

pub(crate) use ecb::read as read_reference;
pub(crate) use refresh::{Sources, base_url_of, read_ticker};
pub(crate) use run::Refresher;

#[cfg(test)]
mod tests;

/// Which sources are asked, and for which currencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The exchanges with their base URLs.
    pub(crate) exchanges: Vec<(Source, String)>,
    /// The base URL of the reference; `None` without one.
    pub(crate) reference: Option<String>,
    /// The currencies of payments. With a reference, its bases are asked as well.
    pub(crate) currencies: Vec<Currency>,
    pub(crate) refresh: Duration,
    pub(crate) max_age_ms: i64,
    /// Certificates in PEM that are trusted besides the system's.
    pub(crate) further_roots: Option<Vec<u8>>,
}

impl Settings {
    /// Whether there is anything to ask.
    pub(crate) fn asks_sources(&self) -> bool {
        !self.currencies.is_empty() && !self.exchanges.is_empty()
    }

    /// The currencies for which exchanges are asked.
    fn asked(&self) -> Vec<Currency> {
        let mut asked = self.currencies.clone();
        if self.reference.is_some() {
            let bases = [Currency::EUR, Currency::USD].into_iter();
            asked.extend(bases.filter(|base| !self.currencies.contains(base)));
        }
        asked
    }
}
