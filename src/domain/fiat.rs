//! Currencies of ISO 4217, and amounts of money in them as integers of the minor unit.
//!
//! Invariant: a [`FiatAmount`] is above zero and at most [`FiatAmount::MINOR_MAX`]. Converting
//! it to litoshis is the business of [`super::rate`].

use std::fmt;

use super::digits::{Digits, DigitsError, Rest};

/// A currency with minor units: 0, 2 or 3 decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Currency(iso_currency::Currency);

/// Why a text is not a currency. The message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency of ISO 4217 with minor units, such as EUR")]
pub(crate) struct CurrencyError;

impl Currency {
    pub(crate) const EUR: Currency = Currency(iso_currency::Currency::EUR);
    pub(crate) const USD: Currency = Currency(iso_currency::Currency::USD);

    /// Parses the three letters in any case. Metals, test codes and units of account have no
    /// minor unit and are refused. A currency that another has replaced is allowed, so that
    /// stored payments stay readable.
    pub(crate) fn parse(code: &str) -> Result<Currency, CurrencyError> {
        if code.len() != 3 {
            return Err(CurrencyError);
        }
        let found = iso_currency::Currency::from_code(&code.to_ascii_uppercase());
        let currency = found.ok_or(CurrencyError)?;
        let usable = matches!(currency.exponent(), Some(0 | 2 | 3));
        if !usable || currency.is_fund() || currency.is_special() {
            return Err(CurrencyError);
        }
        Ok(Currency(currency))
    }

    /// The three capital letters.
    pub(crate) fn code(self) -> &'static str {
        self.0.code()
    }

    /// The usual symbol, such as €; the three letters if there is none.
    pub(crate) fn symbol(self) -> String {
        self.0.symbol().to_string()
    }

    /// Decimals of the minor unit: 2 for EUR, 0 for JPY, 3 for KWD.
    pub(crate) fn decimals(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or_default())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in the minor unit of a currency, above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FiatAmount {
    minor: u64,
    currency: Currency,
}

/// Why a text is not an amount in a currency. Each message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FiatError {
    #[error("must be a decimal number such as 4.99")]
    NotANumber,
    #[error("must not be negative")]
    Negative,
    #[error("must be above zero in the smallest unit of {0}")]
    Zero(Currency),
    #[error("must not be above {}", Largest(*.0))]
    TooLarge(Currency),
    #[error(
        "must have at most {} decimals in {} when given as a string; send a number, or round it \
         first",
        .0.decimals(),
        .0
    )]
    TooPrecise(Currency),
}

impl FiatAmount {
    /// The largest amount in minor units. The conversion to litoshis is exact up to it.
    pub(crate) const MINOR_MAX: u64 = 1_000_000_000_000;

    /// `None` for zero, and above the largest amount.
    pub(crate) fn from_minor(minor: u64, currency: Currency) -> Option<FiatAmount> {
        (1..=Self::MINOR_MAX).contains(&minor).then_some(FiatAmount { minor, currency })
    }

    pub(crate) fn minor(self) -> u64 {
        self.minor
    }

    pub(crate) fn currency(self) -> Currency {
        self.currency
    }

    /// Parses a string, which must be exact to the currency's decimals.
    pub(crate) fn parse(text: &str, currency: Currency) -> Result<FiatAmount, FiatError> {
        match read(text, currency)? {
            (minor, Rest::None) => in_range(minor, currency),
            (_, Rest::BelowHalf | Rest::HalfOrMore) => Err(FiatError::TooPrecise(currency)),
        }
    }

    /// Parses a JSON number digit by digit, including an exponent, and rounds half up to the
    /// currency's decimals.
    pub(crate) fn parse_json_number(
        text: &str,
        currency: Currency,
    ) -> Result<FiatAmount, FiatError> {
        match read(text, currency)? {
            (minor, Rest::None | Rest::BelowHalf) => in_range(minor, currency),
            (minor, Rest::HalfOrMore) => in_range(minor.saturating_add(1), currency),
        }
    }
}

fn read(text: &str, currency: Currency) -> Result<(u64, Rest), FiatError> {
    let units = Digits::read(text).and_then(|digits| digits.units(currency.decimals()));
    units.map_err(|error| match error {
        DigitsError::NotANumber => FiatError::NotANumber,
        DigitsError::Negative => FiatError::Negative,
        DigitsError::TooLarge => FiatError::TooLarge(currency),
    })
}

fn in_range(minor: u64, currency: Currency) -> Result<FiatAmount, FiatError> {
    if minor == 0 {
        return Err(FiatError::Zero(currency));
    }
    FiatAmount::from_minor(minor, currency).ok_or(FiatError::TooLarge(currency))
}

/// The amount with all decimals of its currency, without its code: `4.99`, `5.00`, `500`.
impl fmt::Display for FiatAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal_text(self.minor, self.currency))
    }
}

/// The largest amount of a currency, in errors.
struct Largest(Currency);

impl fmt::Display for Largest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", decimal_text(FiatAmount::MINOR_MAX, self.0), self.0)
    }
}

fn decimal_text(minor: u64, currency: Currency) -> String {
    let decimals = currency.decimals();
    if decimals == 0 {
        return minor.to_string();
    }
    let unit = 10u64.pow(decimals);
    let width = usize::try_from(decimals).unwrap_or_default();
    format!("{}.{:0width$}", minor / unit, minor % unit)
}

#[cfg(test)]
mod tests;
