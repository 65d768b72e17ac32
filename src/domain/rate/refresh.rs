//! One refresh: the newest quote of each source, as it was known at one moment.
//!
//! A refresh is complete: it carries over what is still useful of the one before, so that the
//! rate at a moment follows from the last refresh before it.

use super::super::fiat::Currency;
use super::super::time::Timestamp;
use super::{Decided, NoRate, Quote, Reference, Rules, Source, by_reference, decide};

/// A source that gave no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) source: Source,
    /// `None` for a source of all currencies.
    pub(crate) currency: Option<Currency>,
    pub(crate) error: String,
}

/// What is known of all sources at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refresh {
    pub(crate) at: Timestamp,
    pub(crate) quotes: Vec<Quote>,
    pub(crate) reference: Option<Reference>,
    /// The failures of this refresh.
    pub(crate) failures: Vec<Failure>,
}

impl Refresh {
    /// Adds what the refresh before knew and this one does not: quotes that are not too old,
    /// and the reference.
    pub(crate) fn carry_over(&mut self, before: &Refresh, max_age_ms: i64) {
        let is_new = |quote: &&Quote| {
            let same = |new: &Quote| new.source == quote.source && new.currency == quote.currency;
            !self.quotes.iter().any(same) && self.at.ms_since(quote.received_at) <= max_age_ms
        };
        let kept: Vec<Quote> = before.quotes.iter().filter(is_new).copied().collect();
        self.quotes.extend(kept);
        if self.reference.is_none() {
            self.reference.clone_from(&before.reference);
        }
    }

    /// Decides the rate of a currency at `now`: by its direct quotes, else through the
    /// reference, if `reference_max_age_ms` allows one.
    ///
    /// # Errors
    /// Why the direct quotes give no rate, if there is no other either.
    pub(crate) fn decide(
        &self,
        rules: &Rules,
        reference_max_age_ms: Option<i64>,
        currency: Currency,
        now: Timestamp,
    ) -> Result<Decided, NoRate> {
        let direct = |currency: Currency| {
            let quotes = self.quotes.iter().filter(|quote| quote.currency == currency);
            decide(rules, &quotes.copied().collect::<Vec<_>>(), now)
        };
        direct(currency).or_else(|none| {
            let (Some(max_age_ms), Some(reference)) = (reference_max_age_ms, &self.reference)
            else {
                return Err(none);
            };
            let bases = [Currency::EUR, Currency::USD].into_iter().filter(|base| *base != currency);
            let found = bases.filter_map(|base| Some((base, direct(base).ok()?))).find_map(
                |(base, decided)| {
                    by_reference((base, &decided), reference, currency, max_age_ms, now)
                },
            );
            found.ok_or(none)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Percent, Rate};
    use super::*;
    use crate::domain::time::DAY_MS;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
    const RULES: Rules = Rules {
        max_age_ms: 120_000,
        max_deviation: Percent::from_hundredths(200),
        min_sources: 1,
        spread: Percent::from_hundredths(0),
    };

    fn quote(source: Source, currency: Currency, rate: &str, age_ms: i64) -> Quote {
        let rate = Rate::parse(rate).expect("in range");
        let received_at = NOW.plus_ms(-age_ms);
        Quote { source, currency, rate, received_at, exchange_at: None }
    }

    fn refresh(quotes: Vec<Quote>) -> Refresh {
        Refresh { at: NOW, quotes, reference: None, failures: Vec::new() }
    }

    fn reference() -> Reference {
        let rate = |text| Rate::parse(text).expect("in range");
        let sek = Currency::parse("SEK").expect("known");
        let per_euro = vec![(Currency::USD, rate("1.25")), (sek, rate("11"))];
        Reference { date: NOW.plus_ms(-DAY_MS), received_at: NOW, per_euro }
    }

    #[test]
    fn a_refresh_carries_over_fresh_quotes_only() {
        let (eur, usd) = (Currency::EUR, Currency::USD);
        let before = Refresh {
            reference: Some(reference()),
            failures: vec![Failure {
                source: Source::Kraken,
                currency: Some(eur),
                error: "HTTP 429".to_owned(),
            }],
            ..refresh(vec![
                quote(Source::Kraken, eur, "80", 30_000),
                quote(Source::Kraken, usd, "90", 30_000),
                quote(Source::Bitstamp, eur, "80", 120_000),
                quote(Source::Coinbase, eur, "80", 120_001),
            ])
        };
        let mut after = refresh(vec![quote(Source::Kraken, eur, "81", 0)]);
        after.carry_over(&before, 120_000);
        let found: Vec<_> =
            after.quotes.iter().map(|q| (q.source, q.currency, q.rate.to_string())).collect();
        let expected = [
            (Source::Kraken, eur, "81".to_owned()),
            (Source::Kraken, usd, "90".to_owned()),
            (Source::Bitstamp, eur, "80".to_owned()),
        ];
        assert_eq!(found, expected);
        assert_eq!(after.reference, before.reference);
        assert!(after.failures.is_empty());
    }

    #[test]
    fn the_reference_is_used_only_without_a_direct_rate() {
        #[track_caller]
        fn check(known: &Refresh, max_age_ms: Option<i64>, code: &str, expected: Option<&str>) {
            let currency = Currency::parse(code).expect("known");
            let found = known.decide(&RULES, max_age_ms, currency, NOW);
            assert_eq!(found.ok().map(|d| d.rate.to_string()).as_deref(), expected, "{code}");
        }
        let (eur, usd) = (Currency::EUR, Currency::USD);
        let both = vec![quote(Source::Kraken, eur, "80", 0), quote(Source::Kraken, usd, "90", 0)];
        let known = Refresh { reference: Some(reference()), ..refresh(both) };
        check(&known, Some(5 * DAY_MS), "EUR", Some("80"));
        check(&known, Some(5 * DAY_MS), "USD", Some("90"));
        check(&known, Some(5 * DAY_MS), "SEK", Some("880"));
        check(&known, Some(5 * DAY_MS), "JPY", None);
        check(&known, Some(DAY_MS - 1), "SEK", None);
        check(&known, None, "SEK", None);
        // Without a rate in EUR, USD is the base.
        let known = Refresh { quotes: known.quotes[1..].to_vec(), ..known };
        check(&known, Some(5 * DAY_MS), "SEK", Some("792"));
        check(&known, Some(5 * DAY_MS), "EUR", Some("72"));
        check(&Refresh { reference: None, ..known }, Some(5 * DAY_MS), "SEK", None);
    }
}
