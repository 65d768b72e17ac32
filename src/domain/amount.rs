//! Money: whole litoshis, from decimal text and back, never through a float.
//!
//! Invariant: an [`Amount`] is at most [`Amount::MAX`], the supply of Litecoin. Arithmetic that
//! would leave that range answers `None`; nobody gets a wrapped or negative sum.

use std::fmt;

/// An amount of money in litoshis (1e-8 LTC), between zero and 84,000,000 LTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Amount(u64);

/// The longest text that is read as an amount, in bytes. JavaScript and Python never write more
/// than 25; the rest is room for arithmetic with many decimals, and for zeros.
const TEXT_BYTES_MAX: usize = 1_024;

/// Decimals of a litecoin that a litoshi can express.
const DECIMALS: i64 = 8;

/// Why a text is not an amount. The sentences follow the name of a field.
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
    /// The whole supply that Litecoin will ever have: 84,000,000 LTC.
    pub(crate) const MAX: Amount = Amount(84_000_000 * 100_000_000);

    /// `None` above the supply of Litecoin.
    pub(crate) fn from_litoshis(litoshis: u64) -> Option<Amount> {
        (litoshis <= Self::MAX.0).then_some(Amount(litoshis))
    }

    pub(crate) fn litoshis(self) -> u64 {
        self.0
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// `None` when the sum is above the supply of Litecoin.
    pub(crate) fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).and_then(Amount::from_litoshis)
    }

    /// `None` when `other` is larger.
    pub(crate) fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The difference, or zero when `other` is larger.
    pub(crate) fn saturating_sub(self, other: Amount) -> Amount {
        Amount(self.0.saturating_sub(other.0))
    }

    /// The sum of coins on one chain. It cannot pass the supply there; should a faulty node
    /// claim so, the supply is the answer, which is the largest claim that could be true.
    pub(crate) fn total(amounts: impl IntoIterator<Item = Amount>) -> Amount {
        amounts.into_iter().fold(Amount::ZERO, |sum, a| sum.checked_add(a).unwrap_or(Amount::MAX))
    }

    /// Reads what a person or a shop wrote as text: a plain decimal of at most 8 decimals
    /// (an exponent as JSON has it is understood too).
    pub(crate) fn parse(text: &str) -> Result<Amount, AmountError> {
        let decimal = Decimal::read(text)?;
        match decimal.to_litoshis()? {
            (amount, Rest::None) => Ok(amount),
            (_, Rest::BelowHalf | Rest::HalfOrMore) => Err(AmountError::TooPrecise),
        }
    }

    /// Reads a JSON number digit by digit, exponents included, and rounds half up to the litoshi:
    /// `0.30000000000000004` (JavaScript's 0.1+0.2) is 0.3.
    pub(crate) fn parse_json_number(text: &str) -> Result<Amount, AmountError> {
        let decimal = Decimal::read(text)?;
        let (amount, rest) = decimal.to_litoshis()?;
        match rest {
            Rest::None | Rest::BelowHalf => Ok(amount),
            Rest::HalfOrMore => amount.checked_add(Amount(1)).ok_or(AmountError::TooLarge),
        }
    }

    /// Splits this amount by weights so that the parts sum to it exactly: each part is rounded
    /// down, and the litoshis left over go one each to the first parts. No weight, no part.
    ///
    /// # Panics
    /// If there is an amount to split and the weights sum to zero: a caller's bug.
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

/// Plain decimal LTC with as many digits as are needed and no more; never an exponent.
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

/// What is left of a decimal below one litoshi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    BelowHalf,
    HalfOrMore,
}

/// A non-negative decimal number as its digits: `0.d₁d₂d₃… × 10^point`, without leading zeros.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Follows the grammar of numbers in JSON (RFC 8259, section 6).
    fn read(text: &str) -> Result<Decimal, AmountError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(AmountError::NotANumber);
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return Err(AmountError::NotANumber),
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
            return Err(AmountError::NotANumber);
        }
        if negative {
            return Err(AmountError::Negative);
        }
        let mut digits: Vec<u8> =
            whole.bytes().chain(fraction.bytes()).map(|b| b.saturating_sub(b'0')).collect();
        let zeros = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..zeros);
        // The text is short, so neither length can leave an i64.
        let whole_digits = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
        let point = whole_digits.saturating_sub(zeros).saturating_add(exponent);
        Ok(Decimal { digits, point })
    }

    /// The litoshis in this number, rounded down, and what was cut off.
    fn to_litoshis(&self) -> Result<(Amount, Rest), AmountError> {
        let shift = self.point.saturating_add(DECIMALS);
        let mut litoshis: u64 = 0;
        let mut rest = Rest::None;
        if !self.digits.is_empty() && shift > 17 {
            return Err(AmountError::TooLarge); // The first digit is not zero: at least 1e17.
        }
        for position in 0..shift.max(0) {
            let digit = usize::try_from(position).ok().and_then(|p| self.digits.get(p));
            litoshis = litoshis
                .checked_mul(10)
                .and_then(|l| l.checked_add(u64::from(*digit.unwrap_or(&0))))
                .ok_or(AmountError::TooLarge)?;
        }
        let cut = usize::try_from(shift.max(0)).unwrap_or(usize::MAX);
        if self.digits.iter().skip(cut).any(|d| *d != 0) {
            let first = if shift < 0 { 0 } else { *self.digits.get(cut).unwrap_or(&0) };
            rest = if first >= 5 { Rest::HalfOrMore } else { Rest::BelowHalf };
        }
        let amount = Amount::from_litoshis(litoshis).ok_or(AmountError::TooLarge)?;
        Ok((amount, rest))
    }
}

/// An exponent far outside of what money needs is cut to ±1000, which decides the same.
fn read_exponent(text: &str) -> Result<i64, AmountError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(AmountError::NotANumber);
    }
    let size = digits.iter().fold(0i64, |n, d| {
        n.saturating_mul(10).saturating_add(i64::from(d.saturating_sub(b'0'))).min(1000)
    });
    Ok(if negative { size.saturating_neg() } else { size })
}

#[cfg(test)]
mod tests;
