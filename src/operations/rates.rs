//! The exchange rate of a currency, now or at an earlier moment, by the stored refreshes.
//!
//! Asks no source: a refresh is stored by the role `api` ([`crate::rates`]). A call costs one
//! look-up of a primary key, and parses a row only if it is a new one.

mod overview;

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::payment::Price;
use crate::domain::rate::{Decided, NoRate, NoRateReason, Rate, Refresh, Rules, Source};
use crate::domain::time::Timestamp;
use crate::store::{self, ReadTx, rates as rows};

use super::reason::Reason;
use super::refusal::Refusal;

/// Which currencies have prices, and by which rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The currencies in which payments can be priced; none by default.
    pub(crate) currencies: Vec<Currency>,
    pub(crate) rules: Rules,
    /// How old the reference rates may be; `None` without a reference.
    pub(crate) reference_max_age_ms: Option<i64>,
    /// Rates of the configuration, on regtest; no source is asked for them.
    pub(crate) fixed: Vec<(Currency, Rate)>,
}

/// The rates, with the last refresh read. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Rates {
    settings: Arc<Settings>,
    last_read: Arc<Mutex<Option<Arc<Refresh>>>>,
}

impl Rates {
    pub(crate) fn new(settings: Settings) -> Rates {
        Rates { settings: Arc::new(settings), last_read: Arc::default() }
    }

    /// No currency has prices.
    pub(crate) fn off() -> Rates {
        Rates::new(Settings::default())
    }

    /// The currencies in which payments can be priced.
    pub(crate) fn currencies(&self) -> &[Currency] {
        &self.settings.currencies
    }

    /// The rate of a currency that is configured.
    ///
    /// # Errors
    /// Those of the database. The inner one says why there is no usable rate.
    pub(crate) fn current(
        &self,
        tx: &ReadTx,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Result<Decided, NoRate>, store::Error> {
        if let Some(fixed) = self.fixed(currency, now) {
            return Ok(Ok(fixed));
        }
        Ok(self.decide(currency, self.known_at(tx, now)?.as_deref(), now))
    }

    /// The rate of a currency as it was known at a moment; `None` if there was no usable one.
    /// Also for a currency that is not configured any more.
    ///
    /// # Errors
    /// Those of the database.
    pub(crate) fn at(
        &self,
        tx: &ReadTx,
        currency: Currency,
        moment: Timestamp,
    ) -> Result<Option<Decided>, store::Error> {
        Ok(self.current(tx, currency, moment)?.ok())
    }

    /// The rate of a currency by a refresh.
    fn decide(
        &self,
        currency: Currency,
        known: Option<&Refresh>,
        now: Timestamp,
    ) -> Result<Decided, NoRate> {
        if let Some(fixed) = self.fixed(currency, now) {
            return Ok(fixed);
        }
        let Settings { rules, reference_max_age_ms, .. } = &*self.settings;
        match known {
            Some(known) => known.decide(rules, *reference_max_age_ms, currency, now),
            None => {
                let reason = NoRateReason::TooFew { fresh: 0, needed: rules.min_sources };
                Err(NoRate { reason, verdicts: Vec::new() })
            }
        }
    }

    fn fixed(&self, currency: Currency, now: Timestamp) -> Option<Decided> {
        let (_, rate) = self.settings.fixed.iter().find(|(fixed, _)| *fixed == currency)?;
        let sources = vec![Source::Fixed];
        Some(Decided { rate: *rate, at: now, sources, verdicts: Vec::new() })
    }

    /// The last refresh before a moment, if its quotes can be fresh then.
    fn known_at(
        &self,
        tx: &ReadTx,
        moment: Timestamp,
    ) -> Result<Option<Arc<Refresh>>, store::Error> {
        let after = moment.plus_ms(self.settings.rules.max_age_ms.saturating_neg());
        let Some(newest_at) = rows::newest_at(tx, after, moment)? else { return Ok(None) };
        let last_read = || self.last_read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last_read().as_ref().filter(|known| known.at == newest_at) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(read) = rows::newest(tx, after, moment)?.map(Arc::new) else { return Ok(None) };
        *last_read() = Some(Arc::clone(&read));
        Ok(Some(read))
    }
}

/// A price at the current rate.
///
/// # Errors
/// If the currency is not offered, or has no usable rate now.
pub(crate) fn price(
    tx: &ReadTx,
    rates: &Rates,
    amount: FiatAmount,
    now: Timestamp,
) -> Result<Price, Refusal> {
    let currency = amount.currency();
    if !rates.currencies().contains(&currency) {
        return Err(Refusal::invalid("currency", Reason::CurrencyNotOffered(currency)));
    }
    match rates.current(tx, currency, now)? {
        Ok(Decided { rate, at, sources, .. }) => Ok(Price { amount, rate, rate_at: at, sources }),
        Err(NoRate { reason, .. }) => {
            tracing::warn!(%currency, %reason, "no usable exchange rate; payment refused");
            Err(Refusal::RateUnavailable(currency))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rate::{Percent, Quote};
    use crate::store::{Store, WriteTx};

    const EUR: Currency = Currency::EUR;

    fn settings() -> Settings {
        Settings {
            currencies: vec![EUR],
            rules: Rules {
                max_age_ms: 1_000,
                max_deviation: Percent::from_hundredths(200),
                min_sources: 1,
                spread: Percent::default(),
            },
            reference_max_age_ms: None,
            fixed: Vec::new(),
        }
    }

    fn rate(text: &str) -> Rate {
        Rate::parse(text).expect("in range")
    }

    fn refresh(at_ms: i64, text: &str) -> Refresh {
        let at = Timestamp::from_ms(at_ms);
        let quote = Quote {
            source: Source::Kraken,
            currency: EUR,
            rate: rate(text),
            received_at: at,
            exchange_at: None,
        };
        Refresh { at, quotes: vec![quote], reference: None, failures: Vec::new() }
    }

    fn open(refreshes: &[Refresh]) -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let refreshes = refreshes.to_vec();
        let fill =
            move |tx: &WriteTx| refreshes.iter().try_for_each(|refresh| rows::insert(tx, refresh));
        store.write_blocking(fill).expect("stored");
        (dir, store)
    }

    #[test]
    fn the_rate_at_a_moment_follows_from_the_refresh_before() {
        let (_dir, store) = open(&[refresh(5_000, "80"), refresh(5_500, "81")]);
        let rates = Rates::new(settings());
        let at = |ms| {
            let read = store.read_blocking(|tx| rates.at(tx, EUR, Timestamp::from_ms(ms)));
            read.expect("read").map(|decided| decided.rate.to_string())
        };
        // In any order: the last refresh read is not taken for another one.
        for (ms, expected) in [
            (5_500, Some("81")),
            (5_499, Some("80")),
            (4_999, None),
            (6_500, Some("81")),
            (6_501, None),
            (5_000, Some("80")),
        ] {
            assert_eq!(at(ms).as_deref(), expected, "{ms}");
        }
    }

    #[test]
    fn an_unverified_refresh_gives_no_rate() {
        let (_dir, store) = open(&[refresh(5_000, "80"), refresh(5_500, "1")]);
        let spoil = |tx: &WriteTx| tx.spoil_mac("rate_refreshes", "at = 5500");
        store.write_blocking(spoil).expect("spoiled");
        let rates = Rates::new(settings());
        for _ in 0..2 {
            let now = Timestamp::from_ms(5_600);
            let current = store.read_blocking(|tx| rates.current(tx, EUR, now)).expect("read");
            assert_eq!(current.expect("usable").rate, rate("80"));
        }
        let later = Timestamp::from_ms(6_200);
        let none = store.read_blocking(|tx| rates.current(tx, EUR, later)).expect("read");
        let reason = none.expect_err("stale").reason;
        assert_eq!(reason, NoRateReason::TooFew { fresh: 0, needed: 1 });
    }

    #[test]
    fn a_fixed_rate_needs_no_source() {
        let (_dir, store) = open(&[]);
        let rates = Rates::new(Settings { fixed: vec![(EUR, rate("80"))], ..settings() });
        let now = Timestamp::from_ms(7);
        let of = |currency| store.read_blocking(|tx| rates.current(tx, currency, now));
        let fixed = of(EUR).expect("read").expect("usable");
        assert_eq!(
            (fixed.rate, fixed.at, &fixed.sources[..]),
            (rate("80"), now, &[Source::Fixed][..])
        );
        assert!(of(Currency::USD).expect("read").is_err());
    }
}
