//! Each currency with its rate and what every source gave, for operators.

use crate::domain::fiat::Currency;
use crate::domain::rate::{
    Decided, Failure, NoRate, Quote, Refresh, Source, Verdict, VerdictOn, decide,
};
use crate::domain::time::Timestamp;
use crate::view::Time;
use crate::view::rates::{CurrencyRateView, PercentNumber, QuoteView, RateText};

use super::{Rates, Settings};

impl Rates {
    /// The configured currencies by the given refresh.
    pub(crate) fn overview(
        &self,
        known: Option<&Refresh>,
        now: Timestamp,
    ) -> Vec<CurrencyRateView> {
        let each = self.currencies().iter();
        each.map(|currency| self.overview_of(*currency, known, now)).collect()
    }

    fn overview_of(
        &self,
        currency: Currency,
        known: Option<&Refresh>,
        now: Timestamp,
    ) -> CurrencyRateView {
        let decided = self.decide(currency, known, now);
        let sources = match known {
            _ if self.fixed(currency, now).is_some() => Vec::new(),
            Some(known) => sources_of(&self.settings, currency, known, now),
            None => Vec::new(),
        };
        view(currency, decided, sources, known, now)
    }
}

/// The verdict on each direct quote, and the sources that gave none.
fn sources_of(
    settings: &Settings,
    currency: Currency,
    known: &Refresh,
    now: Timestamp,
) -> Vec<QuoteView> {
    let quotes: Vec<Quote> =
        known.quotes.iter().filter(|quote| quote.currency == currency).copied().collect();
    let verdicts = match decide(&settings.rules, &quotes, now) {
        Ok(Decided { verdicts, .. }) | Err(NoRate { verdicts, .. }) => verdicts,
    };
    let is_of = |failure: &&Failure| match failure.currency {
        Some(of) => of == currency,
        None => true,
    };
    let failed = |source: Source| {
        let mut failures = known.failures.iter().filter(is_of);
        failures.find(|failure| failure.source == source).map(|failure| failure.error.clone())
    };
    let quoted = verdicts.iter().map(|verdict| quoted(verdict, failed(verdict.quote.source)));
    let silent =
        known.failures.iter().filter(is_of).filter(|failure| {
            !verdicts.iter().any(|verdict| verdict.quote.source == failure.source)
        });
    let silent = silent.map(|failure| QuoteView {
        source: failure.source.name(),
        quote: None,
        age_seconds: None,
        deviation_percent: None,
        used: false,
        error: Some(failure.error.clone()),
    });
    quoted.chain(silent).collect()
}

fn quoted(on: &VerdictOn, failed: Option<String>) -> QuoteView {
    let refused = match on.verdict {
        Verdict::Used => None,
        Verdict::Stale => Some("the quote is older than rates.max_age"),
        Verdict::Future => Some("the time of the quote is ahead of this machine's clock"),
        Verdict::Deviates => Some("the quote is too far from the median of the fresh quotes"),
    };
    QuoteView {
        source: on.quote.source.name(),
        quote: Some(RateText(on.quote.rate)),
        age_seconds: Some(on.age_ms / 1_000),
        deviation_percent: on.deviation.map(PercentNumber),
        used: on.verdict == Verdict::Used,
        error: failed.or(refused.map(str::to_owned)),
    }
}

fn view(
    currency: Currency,
    decided: Result<Decided, NoRate>,
    mut sources: Vec<QuoteView>,
    known: Option<&Refresh>,
    now: Timestamp,
) -> CurrencyRateView {
    if let Ok(decided) = &decided {
        for source in [Source::Ecb, Source::Fixed] {
            if decided.sources.contains(&source) {
                let date = known.and_then(|known| known.reference.as_ref()).map(|known| known.date);
                let since = date.filter(|_| source == Source::Ecb).unwrap_or(now);
                sources.retain(|view| view.source != source.name());
                sources.push(QuoteView {
                    source: source.name(),
                    quote: Some(RateText(decided.rate)),
                    age_seconds: Some(now.ms_since(since) / 1_000),
                    deviation_percent: None,
                    used: true,
                    error: None,
                });
            }
        }
    } else {
        // A single quote has nobody to agree with.
        sources.iter_mut().for_each(|view| view.used = false);
    }
    CurrencyRateView {
        currency: currency.code(),
        rate: decided.as_ref().ok().map(|decided| RateText(decided.rate)),
        at: decided.as_ref().ok().map(|decided| Time(decided.at)),
        usable: decided.is_ok(),
        reason: decided.err().map(|none| none.to_string()),
        sources,
    }
}
