//! Checks of the exchange rates: one line per currency.

use super::super::rates::known;
use super::finding::{Finding, Report, failure, ok, warning};
use super::subject::Subject;
use crate::domain::rate::Source;
use crate::operations::rates::Rates;
use crate::view::rates::{CurrencyRateView, RateText};

/// The check's name.
const RATES: &str = "rates";

/// Reports nothing if no currency is configured.
pub(super) fn check(subject: &Subject, report: Report) {
    let rates = Rates::new(subject.rates.clone());
    if rates.currencies().is_empty() {
        return;
    }
    // Without a database the check "database" fails.
    let Ok(store) = subject.store() else { return };
    match known(subject, store) {
        Ok(known) => {
            let views = rates.overview(known.as_ref(), subject.clock.now());
            views.iter().map(finding_of).for_each(report);
        }
        Err(error) => report(failure(RATES, format!("{error:#}"))),
    }
}

fn finding_of(view: &CurrencyRateView) -> Finding {
    let currency = view.currency;
    let errors = view.sources.iter().filter_map(|source| {
        source.error.as_ref().map(|error| format!("{}: {error}", source.source))
    });
    let errors = errors.collect::<Vec<_>>().join("; ");
    // Exchanges are not expected to quote a currency that needs the reference.
    let by_reference =
        view.sources.iter().any(|source| source.used && source.source == Source::Ecb.name());
    match (&view.rate, &view.reason) {
        (Some(RateText(rate)), _) if errors.is_empty() || by_reference => {
            let used = view.sources.iter().filter(|source| source.used).count();
            ok(RATES, format!("1 LTC is {rate} {currency}, by {used} quotes"))
        }
        (Some(RateText(rate)), _) => {
            let what = format!("1 LTC is {rate} {currency}; not used: {errors}");
            warning(RATES, what).fix("see litegate rates; remove a source that does not quote it")
        }
        (None, reason) => {
            let reason = reason.as_deref().unwrap_or("unknown");
            let errors = if errors.is_empty() { errors } else { format!("; {errors}") };
            let what = format!("no usable rate for {currency}: {reason}{errors}");
            let fix = "check that the sources can be reached from this machine; see litegate rates";
            failure(RATES, what).fix(fix)
        }
    }
}
