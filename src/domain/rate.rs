//! Exchange rates: the price of one LTC in a currency, as exact decimals.
//!
//! Invariant: a [`Rate`] has at most [`SIGNIFICANT_DIGITS`] digits and lies between
//! [`Rate::MIN`] and [`Rate::MAX`]. Within these limits, all conversions below are exact; a
//! result that must be rounded is rounded in the shop's favour, and only after all comparisons.

mod reference;
mod refresh;
mod rule;

use std::fmt;

use rust_decimal::Decimal;

use super::amount::Amount;
use super::digits::{Digits, DigitsError, Rest};
use super::fiat::FiatAmount;

pub(crate) use reference::{Reference, by_reference};
pub(crate) use refresh::{Failure, Refresh};
pub(crate) use rule::{
    Decided, NoRate, NoRateReason, Quote, Rules, Source, Verdict, VerdictOn, decide,
};

/// Digits of a rate. With the 16 digits of the largest amount, a product fits a decimal.
const SIGNIFICANT_DIGITS: u32 = 12;

/// Decimals of the fixed-point numbers with which rates are compared. The smallest rate with
/// all its digits needs 17.
const UNIT_DECIMALS: u32 = 18;

/// One, as such a fixed-point number.
const ONE: u128 = 10u128.pow(UNIT_DECIMALS);

/// The price of one LTC in a currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rate(Decimal);

/// Why a text is not a rate. Each message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RateError {
    #[error("must be a decimal number such as 80.25")]
    NotANumber,
    #[error("must be between 0.000001 and 1000000000")]
    OutOfRange,
    #[error("must have at most {SIGNIFICANT_DIGITS} digits")]
    TooPrecise,
}

impl From<DigitsError> for RateError {
    fn from(error: DigitsError) -> RateError {
        match error {
            DigitsError::NotANumber => RateError::NotANumber,
            DigitsError::Negative | DigitsError::TooLarge => RateError::OutOfRange,
        }
    }
}

impl Rate {
    /// 0.000001 in units of 10^-18.
    const MIN: u128 = ONE / 1_000_000;
    /// 1,000,000,000 in units of 10^-18.
    const MAX: u128 = ONE * 1_000_000_000;

    /// Parses a rate of ours exactly.
    pub(crate) fn parse(text: &str) -> Result<Rate, RateError> {
        match leading_digits(text)? {
            (rate, Rest::None) => Ok(rate),
            (_, Rest::BelowHalf | Rest::HalfOrMore) => Err(RateError::TooPrecise),
        }
    }

    /// Parses a price from elsewhere, digit by digit; digits beyond the limit are cut off.
    pub(crate) fn parse_rounded(text: &str) -> Result<Rate, RateError> {
        leading_digits(text).map(|(rate, _)| rate)
    }

    /// The middle of bid and ask, rounded down to the digits of a rate.
    pub(crate) fn mean(self, other: Rate) -> Rate {
        let sum = self.units().saturating_add(other.units());
        Rate::from_units(sum / 2).expect("the mean lies between two rates")
    }

    /// The fixed-point number, rounded down to the digits of a rate. `None` outside the limits.
    fn from_units(units: u128) -> Option<Rate> {
        if !(Self::MIN..=Self::MAX).contains(&units) {
            return None;
        }
        let excess = units.ilog10().saturating_add(1).saturating_sub(SIGNIFICANT_DIGITS);
        let step = 10u128.pow(excess);
        let rounded = i128::try_from(units / step * step).ok()?;
        let decimal = Decimal::try_from_i128_with_scale(rounded, UNIT_DECIMALS).ok()?;
        Some(Rate(decimal.normalize()))
    }

    /// The rate in units of 10^-18.
    fn units(self) -> u128 {
        let shift = UNIT_DECIMALS.saturating_sub(self.0.scale());
        self.0.mantissa().unsigned_abs().saturating_mul(10u128.pow(shift))
    }

    /// The price in LTC, rounded up to the litoshi. `None` above the supply of Litecoin.
    pub(crate) fn ltc_for(self, price: FiatAmount) -> Option<Amount> {
        // At most 10^12 × 10^26, which fits.
        let dividend = u128::from(price.minor()).checked_mul(ONE.checked_mul(100_000_000)?)?;
        let divisor = self.units().checked_mul(10u128.pow(price.currency().decimals()))?;
        let litoshis = dividend.div_ceil(divisor);
        u64::try_from(litoshis).ok().and_then(Amount::from_litoshis)
    }

    /// The exact value of an amount, in units of the currency.
    pub(crate) fn value_of(self, amount: Amount) -> Decimal {
        // 16 digits times 12 are at most 28, with at most 26 decimals: nothing is rounded.
        let ltc = Decimal::new(i64::try_from(amount.litoshis()).unwrap_or(i64::MAX), 8);
        ltc.checked_mul(self.0).expect("the digits of amounts and rates are limited").normalize()
    }
}

/// The leading digits as a rate, and whether others follow.
fn leading_digits(text: &str) -> Result<(Rate, Rest), RateError> {
    let digits = Digits::read(text)?;
    let (number, decimals, rest) =
        digits.leading(SIGNIFICANT_DIGITS).ok_or(RateError::OutOfRange)?;
    // All rates of the range have between 2 and 18 decimals in this form.
    let shift = i64::from(UNIT_DECIMALS).saturating_sub(decimals);
    let shift = u32::try_from(shift).map_err(|_| RateError::OutOfRange)?;
    let factor = 10u128.checked_pow(shift).ok_or(RateError::OutOfRange)?;
    let units = u128::from(number).checked_mul(factor).ok_or(RateError::OutOfRange)?;
    let rate = Rate::from_units(units).ok_or(RateError::OutOfRange)?;
    if units == Rate::MAX && rest != Rest::None {
        return Err(RateError::OutOfRange);
    }
    Ok((rate, rest))
}

/// A plain decimal without exponent and trailing zeros.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A percentage in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Percent(u64);

impl Percent {
    pub(crate) const fn from_hundredths(hundredths: u64) -> Percent {
        Percent(hundredths)
    }

    /// `None` if the text is not a number with at most 2 decimals.
    pub(crate) fn parse(text: &str) -> Option<Percent> {
        match Digits::read(text).and_then(|digits| digits.units(2)) {
            Ok((hundredths, Rest::None)) => Some(Percent(hundredths)),
            _ => None,
        }
    }

    pub(crate) fn hundredths(self) -> u64 {
        self.0
    }
}

/// Two decimals: `0.25`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Decimal::new(i64::try_from(self.0).unwrap_or(i64::MAX), 2).normalize();
        f.pad(&text.to_string())
    }
}

#[cfg(test)]
mod tests;
