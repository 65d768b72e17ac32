//! Amounts of money in litoshis, parsed and printed without floating point.
//!
//! Invariant: an [`Amount`] is at most [`Amount::MAX`], the supply of Litecoin. Arithmetic
//! outside that range returns `None`; it never wraps.

use std::fmt;

use super::digits::{Digits, DigitsError, Rest};

/// An amount in litoshis (1e-8 LTC), between zero and 84,000,000 LTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Amount(u64);

/// Decimals of an amount in LTC.
const DECIMALS: u32 = 8;

/// Why a text is not an amount. Each message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmountError {
    #[error("must be a decimal number such as 0.05")]
    NotANumber,
    #[error("must not be negative")]
    Negative,
    #[error("must not be above 84000000")]
    TooLarge,
    #[error(
        "must have at most 8 decimals when given as a string; send a number, or round it first"
    )]
    TooPrecise,
}

impl Amount {
    pub(crate) const ZERO: Amount = Amount(0);
    /// The maximum supply of Litecoin: 84,000,000 LTC.
    pub(crate) const MAX: Amount = Amount(84_000_000 * 100_000_000);

    /// `None` above the maximum supply.
    pub(crate) fn from_litoshis(litoshis: u64) -> Option<Amount> {
        (litoshis <= Self::MAX.0).then_some(Amount(litoshis))
    }

    pub(crate) fn litoshis(self) -> u64 {
        self.0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `None` if the sum is above the maximum supply.
    pub(crate) fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).and_then(Amount::from_litoshis)
    }

    /// `None` if `other` is larger.
    pub(crate) fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The difference, or zero if `other` is larger.
    pub(crate) fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }

    /// The sum of coins on one chain, at most the supply: a larger sum can come only from a
    /// faulty node.
    pub(crate) fn total(amounts: impl IntoIterator<Item = Amount>) -> Amount {
        amounts.into_iter().fold(Amount::ZERO, |sum, a| sum.checked_add(a).unwrap_or(Amount::MAX))
    }

    /// Parses text from a user or shop: a decimal number with at most 8 decimals, optionally
    /// with a JSON exponent.
    pub(crate) fn parse(text: &str) -> Result<Amount, AmountError> {
        match read(text)? {
            (amount, Rest::None) => Ok(amount),
            (_, Rest::BelowHalf | Rest::HalfOrMore) => Err(AmountError::TooPrecise),
        }
    }

    /// Parses a JSON number digit by digit, including an exponent, and rounds half up to the
    /// litoshi: `0.30000000000000004` (JavaScript's 0.1+0.2) is 0.3.
    pub(crate) fn parse_json_number(text: &str) -> Result<Amount, AmountError> {
        match read(text)? {
            (amount, Rest::None | Rest::BelowHalf) => Ok(amount),
            (amount, Rest::HalfOrMore) => {
                amount.checked_add(Amount(1)).ok_or(AmountError::TooLarge)
            }
        }
    }

    /// Splits the amount in proportion to weights, exactly: each part is rounded down, and the
    /// remaining litoshis go to the first parts, one each. A part of weight 0 gets nothing.
    ///
    /// # Panics
    /// If the amount is not zero and the weights sum to zero, which is a bug of the caller.
    pub(crate) fn split(self, weights: &[u64]) -> Vec<Amount> {
        let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
        assert!(total > 0 || self.is_zero(), "an amount cannot be split over no weight at all");
        if total == 0 {
            return vec![Amount::ZERO; weights.len()];
        }
        let mut parts: Vec<u64> = weights
            .iter()
            .map(|weight| {
                let part = u128::from(self.0).saturating_mul(u128::from(*weight)) / total;
                u64::try_from(part).expect("a part is not larger than the whole")
            })
            .collect();
        let given: u64 = parts.iter().sum();
        let left = self.0.checked_sub(given).expect("rounding down gives at most the whole");
        let mut left = usize::try_from(left).expect("fewer are left over than there are parts");
        for (part, weight) in parts.iter_mut().zip(weights) {
            if left > 0 && *weight > 0 {
                *part = part.saturating_add(1);
                left = left.saturating_sub(1);
            }
        }
        assert_eq!(left, 0, "each part takes at most one of the litoshis left over");
        parts.into_iter().map(Amount).collect()
    }
}

/// The litoshis of a text in LTC, rounded down, and the remainder.
fn read(text: &str) -> Result<(Amount, Rest), AmountError> {
    let (litoshis, rest) = Digits::read(text)?.units(DECIMALS)?;
    Ok((Amount::from_litoshis(litoshis).ok_or(AmountError::TooLarge)?, rest))
}

impl From<DigitsError> for AmountError {
    fn from(error: DigitsError) -> AmountError {
        match error {
            DigitsError::NotANumber => AmountError::NotANumber,
            DigitsError::Negative => AmountError::Negative,
            DigitsError::TooLarge => AmountError::TooLarge,
        }
    }
}

/// Decimal LTC without trailing zeros or exponent.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 / 100_000_000;
        let fraction = self.0 % 100_000_000;
        if fraction == 0 {
            return f.pad(&whole.to_string());
        }
        let text = format!("{whole}.{fraction:08}");
        f.pad(text.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests;
