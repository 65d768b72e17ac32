//! The rate rule: which quotes count, and which rate follows from them.
//!
//! All comparisons are exact, in integers. The rate is rounded last.

use std::fmt;

use super::super::fiat::Currency;
use super::super::time::Timestamp;
use super::{Percent, Rate};

/// How far a quote's time may be ahead of this machine's clock. Clocks that NTP keeps differ
/// by less.
pub(crate) const CLOCK_SKEW_MS: i64 = 10_000;

/// Who quotes a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    Kraken,
    Coinbase,
    Bitstamp,
    Bitfinex,
    /// The daily reference rates of the European Central Bank. Never a quote of LTC itself.
    Ecb,
    /// The configuration, on regtest.
    Fixed,
}

impl Source {
    /// The exchanges, which quote LTC itself.
    pub(crate) const EXCHANGES: [Source; 4] =
        [Source::Kraken, Source::Coinbase, Source::Bitstamp, Source::Bitfinex];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Source::Kraken => "kraken",
            Source::Coinbase => "coinbase",
            Source::Bitstamp => "bitstamp",
            Source::Bitfinex => "bitfinex",
            Source::Ecb => "ecb",
            Source::Fixed => "fixed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Source> {
        let named = [Source::Ecb, Source::Fixed];
        Source::EXCHANGES.into_iter().chain(named).find(|source| source.name() == name)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A price of one LTC, as a source gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) source: Source,
    pub(crate) currency: Currency,
    /// The middle of bid and ask.
    pub(crate) rate: Rate,
    /// When this machine received it.
    pub(crate) received_at: Timestamp,
    /// The time in the response, if the source gives one.
    pub(crate) exchange_at: Option<Timestamp>,
}

impl Quote {
    /// The age by its older time.
    fn age_ms(&self, now: Timestamp) -> i64 {
        now.ms_since(self.exchange_at.unwrap_or(self.received_at).min(self.received_at))
    }

    fn is_from_the_future(&self, now: Timestamp) -> bool {
        let newest = self.exchange_at.unwrap_or(self.received_at).max(self.received_at);
        newest.ms_since(now) > CLOCK_SKEW_MS
    }
}

/// The parameters of the rate rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rules {
    pub(crate) max_age_ms: i64,
    /// The largest difference from the median of the fresh quotes.
    pub(crate) max_deviation: Percent,
    pub(crate) min_sources: usize,
    /// What the rate is below the median.
    pub(crate) spread: Percent,
}

/// How a quote was treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Used,
    /// Older than the maximum age.
    Stale,
    /// Its time is ahead of the clock.
    Future,
    /// Too far from the median of the fresh quotes.
    Deviates,
}

/// A quote and its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerdictOn {
    pub(crate) quote: Quote,
    pub(crate) age_ms: i64,
    /// The difference from the median of the fresh quotes, rounded up; `None` without a fresh
    /// quote.
    pub(crate) deviation: Option<Percent>,
    pub(crate) verdict: Verdict,
}

/// A usable rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) rate: Rate,
    /// When the oldest quote used was received.
    pub(crate) at: Timestamp,
    /// The sources of the quotes used, in the order of [`Source`].
    pub(crate) sources: Vec<Source>,
    pub(crate) verdicts: Vec<VerdictOn>,
}

/// Why there is no usable rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoRateReason {
    #[error("{fresh} of {needed} required sources have a fresh quote")]
    TooFew { fresh: usize, needed: usize },
    #[error("the sources disagree: {agree} of {fresh} fresh quotes are close to their median")]
    Disagree { agree: usize, fresh: usize },
    #[error("the rate is outside the supported range")]
    OutOfRange,
}

/// No usable rate, with the verdict on each quote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct NoRate {
    pub(crate) reason: NoRateReason,
    pub(crate) verdicts: Vec<VerdictOn>,
}

/// Decides the rate at `now`. The quotes are of one currency; of several quotes of a source the
/// newest counts, so that no source has two votes.
pub(crate) fn decide(rules: &Rules, quotes: &[Quote], now: Timestamp) -> Result<Decided, NoRate> {
    let (middle, verdicts) = verdicts(rules, newest_of_each(quotes), now);
    let has = |verdict: Verdict| verdicts.iter().filter(move |v| v.verdict == verdict);
    let agree = has(Verdict::Used).count();
    let fresh = agree + has(Verdict::Deviates).count();
    let reason = if fresh < rules.min_sources || middle.is_none() {
        Some(NoRateReason::TooFew { fresh, needed: rules.min_sources })
    } else if agree < rules.min_sources || agree * 2 <= fresh {
        Some(NoRateReason::Disagree { agree, fresh })
    } else {
        None
    };
    if let Some(reason) = reason {
        return Err(NoRate { reason, verdicts });
    }
    let used: Vec<Quote> = has(Verdict::Used).map(|v| v.quote).collect();
    let kept = 10_000u64.saturating_sub(rules.spread.hundredths());
    let rate = twice_the_median(&used)
        .and_then(|twice| twice.checked_mul(u128::from(kept)))
        .and_then(|product| Rate::from_units(product / 20_000));
    let at = used.iter().map(|quote| quote.received_at).min();
    match (rate, at) {
        (Some(rate), Some(at)) => {
            let sources = used.iter().map(|quote| quote.source).collect();
            Ok(Decided { rate, at, sources, verdicts })
        }
        _ => Err(NoRate { reason: NoRateReason::OutOfRange, verdicts }),
    }
}

/// The newest quote of each source, in the order of [`Source`].
fn newest_of_each(quotes: &[Quote]) -> Vec<Quote> {
    let mut sorted = quotes.to_vec();
    sorted.sort_by_key(|quote| (quote.source, std::cmp::Reverse(quote.received_at)));
    sorted.dedup_by_key(|quote| quote.source);
    sorted
}

/// Twice the median of the fresh quotes, in the units of rates, and the verdict on each quote.
fn verdicts(rules: &Rules, quotes: Vec<Quote>, now: Timestamp) -> (Option<u128>, Vec<VerdictOn>) {
    let by_age = |quote: &Quote| {
        if quote.is_from_the_future(now) {
            Verdict::Future
        } else if quote.age_ms(now) > rules.max_age_ms {
            Verdict::Stale
        } else {
            Verdict::Used
        }
    };
    let fresh: Vec<Quote> =
        quotes.iter().copied().filter(|quote| by_age(quote) == Verdict::Used).collect();
    let middle = twice_the_median(&fresh);
    let judged = quotes.into_iter().map(|quote| {
        let verdict = match (by_age(&quote), middle) {
            (Verdict::Used, Some(twice)) if deviates(quote.rate, twice, rules.max_deviation) => {
                Verdict::Deviates
            }
            (verdict, _) => verdict,
        };
        let deviation = middle.map(|twice| deviation(quote.rate, twice));
        VerdictOn { quote, age_ms: quote.age_ms(now).max(0), deviation, verdict }
    });
    (middle, judged.collect())
}

/// Twice the median, which is a whole number of units for an even count as well.
fn twice_the_median(quotes: &[Quote]) -> Option<u128> {
    let mut units: Vec<u128> = quotes.iter().map(|quote| quote.rate.units()).collect();
    units.sort_unstable();
    let upper = units.len() / 2;
    let lower = units.len().checked_sub(1)? / 2;
    units.get(lower)?.checked_add(*units.get(upper)?)
}

/// Whether |q − m| / m is above the limit: |2q − 2m| × 10⁴ > limit × 2m, at most 10³³.
fn deviates(rate: Rate, twice_the_median: u128, limit: Percent) -> bool {
    let distance = rate.units().saturating_mul(2).abs_diff(twice_the_median);
    distance.saturating_mul(10_000)
        > twice_the_median.saturating_mul(u128::from(limit.hundredths()))
}

/// |q − m| / m in hundredths of a percent, rounded up.
fn deviation(rate: Rate, twice_the_median: u128) -> Percent {
    let distance = rate.units().saturating_mul(2).abs_diff(twice_the_median);
    let hundredths = distance.saturating_mul(10_000).div_ceil(twice_the_median.max(1));
    Percent::from_hundredths(u64::try_from(hundredths).unwrap_or(u64::MAX))
}
