//! Rates through a reference currency, for currencies that too few exchanges quote: the price
//! of LTC in EUR, else in USD, times the reference rate of the European Central Bank.

use rust_decimal::Decimal;

use super::super::fiat::Currency;
use super::super::time::Timestamp;
use super::{Decided, Rate, Source};

/// Reference rates of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The publisher's own date, at midnight UTC.
    pub(crate) date: Timestamp,
    pub(crate) received_at: Timestamp,
    /// How many units of each currency are one EUR. EUR itself is not listed.
    pub(crate) per_euro: Vec<(Currency, Rate)>,
}

impl Reference {
    fn per_euro(&self, currency: Currency) -> Option<Decimal> {
        if currency == Currency::EUR {
            return Some(Decimal::ONE);
        }
        let found = self.per_euro.iter().find(|(listed, _)| *listed == currency);
        found.map(|(_, rate)| rate.0)
    }
}

/// The rate of `currency` by the rate of `base`, which has the spread already. `None` if the
/// reference is older than `max_age_ms` by its own date, is dated in the future, or lacks a
/// currency.
pub(crate) fn by_reference(
    base: (Currency, &Decided),
    reference: &Reference,
    currency: Currency,
    max_age_ms: i64,
    now: Timestamp,
) -> Option<Decided> {
    let age = now.ms_since(reference.date);
    if !(0..=max_age_ms).contains(&age) {
        return None;
    }
    let (base_currency, decided) = base;
    let per_euro = reference.per_euro(currency)?;
    let product = decided.rate.0.checked_mul(per_euro)?;
    // No comparison follows, so rounding here is harmless.
    let quotient = product.checked_div(reference.per_euro(base_currency)?)?;
    let units = quotient.trunc_with_scale(super::UNIT_DECIMALS);
    let shift = super::UNIT_DECIMALS.saturating_sub(units.scale());
    let units = units.mantissa().unsigned_abs().checked_mul(10u128.checked_pow(shift)?)?;
    let mut sources = decided.sources.clone();
    sources.push(Source::Ecb);
    Some(Decided {
        rate: Rate::from_units(units)?,
        at: decided.at,
        sources,
        verdicts: decided.verdicts.clone(),
    })
}
