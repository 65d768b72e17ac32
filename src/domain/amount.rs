//! Amounts of money in litoshis, parsed and printed without floating point.
//!
//! Invariant: an [`Amount`] is at most [`Amount::MAX`], the supply of Litecoin. Arithmetic
//! outside that range returns `None`; it never wraps.

use std::fmt;

/// An amount in litoshis (1e-8 LTC), between zero and 84,000,000 LTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Amount(u64);

/// Maximum length of an amount's text, in bytes. JavaScript and Python write at most 25; more
/// allows exact arithmetic with many decimals.
const TEXT_BYTES_MAX: usize = 1_024;

/// Decimals of an amount in LTC.
const DECIMALS: i64 = 8;

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
        let decimal = Decimal::read(text)?;
        match decimal.to_litoshis()? {
            (amount, Rest::None) => Ok(amount),
            (_, Rest::BelowHalf | Rest::HalfOrMore) => Err(AmountError::TooPrecise),
        }
    }

    /// Parses a JSON number digit by digit, including an exponent, and rounds half up to the
    /// litoshi: `0.30000000000000004` (JavaScript's 0.1+0.2) is 0.3.
    pub(crate) fn parse_json_number(text: &str) -> Result<Amount, AmountError> {
        let decimal = Decimal::read(text)?;
        let (amount, rest) = decimal.to_litoshis()?;
        match rest {
            Rest::None | Rest::BelowHalf => Ok(amount),
            Rest::HalfOrMore => amount.checked_add(Amount(1)).ok_or(AmountError::TooLarge),
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

/// The part of a decimal number below one litoshi.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    BelowHalf,
    HalfOrMore,
}

/// A non-negative decimal number: `0.d₁d₂d₃… × 10^point`, without leading zeros.
struct Decimal {
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    /// Parses by the JSON number grammar (RFC 8259, section 6).
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
        // The text is short, so both lengths fit an i64.
        let whole_digits = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
        let point = whole_digits.saturating_sub(zeros).saturating_add(exponent);
        Ok(Decimal { digits, point })
    }

    /// The number in litoshis, rounded down, and the remainder.
    fn to_litoshis(&self) -> Result<(Amount, Rest), AmountError> {
        let shift = self.point.saturating_add(DECIMALS);
        let mut litoshis: u64 = 0;
        let mut rest = Rest::None;
        if !self.digits.is_empty() && shift > 17 {
            return Err(AmountError::TooLarge); // The first digit is not zero: at least 1e17
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

/// Larger exponents are cut to ±1000, which gives the same result.
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
