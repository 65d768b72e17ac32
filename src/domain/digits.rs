//! Decimal numbers in text, read digit by digit, without floating point.
//!
//! The grammar is that of JSON numbers (RFC 8259, section 6). Amounts in LTC and in other
//! currencies share it; each has its own units and limits.

/// Maximum length of a number's text, in bytes. JavaScript and Python write at most 25; more
/// allows exact arithmetic with many decimals.
const TEXT_BYTES_MAX: usize = 1_024;

/// Why a text is not a number that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigitsError {
    NotANumber,
    Negative,
    TooLarge,
}

/// The part of a number below one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    None,
    BelowHalf,
    HalfOrMore,
}

/// A non-negative decimal number: `0.d₁d₂d₃… × 10^point`, without leading zeros.
pub(crate) struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    /// Parses by the JSON number grammar (RFC 8259, section 6).
    pub(crate) fn read(text: &str) -> Result<Digits, DigitsError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(DigitsError::NotANumber);
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
            Some((_, "")) => return Err(DigitsError::NotANumber),
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
            return Err(DigitsError::NotANumber);
        }
        if negative {
            return Err(DigitsError::Negative);
        }
        let mut digits: Vec<u8> =
            whole.bytes().chain(fraction.bytes()).map(|b| b.saturating_sub(b'0')).collect();
        let zeros = digits.iter().take_while(|d| **d == 0).count();
        digits.drain(..zeros);
        // The text is short, so both lengths fit an i64.
        let whole_digits = i64::try_from(whole.len()).unwrap_or(i64::MAX);
        let zeros = i64::try_from(zeros).unwrap_or(i64::MAX);
        let point = whole_digits.saturating_sub(zeros).saturating_add(exponent);
        Ok(Digits { digits, point })
    }

    /// The number in units of 10^-`decimals`, rounded down, and the remainder.
    pub(crate) fn units(&self, decimals: u32) -> Result<(u64, Rest), DigitsError> {
        let shift = self.point.saturating_add(i64::from(decimals));
        if !self.digits.is_empty() && shift > 19 {
            return Err(DigitsError::TooLarge); // The first digit is not zero: at least 1e19
        }
        let mut units: u64 = 0;
        for position in 0..if self.digits.is_empty() { 0 } else { shift.max(0) } {
            let digit = usize::try_from(position).ok().and_then(|p| self.digits.get(p));
            units = units
                .checked_mul(10)
                .and_then(|u| u.checked_add(u64::from(*digit.unwrap_or(&0))))
                .ok_or(DigitsError::TooLarge)?;
        }
        let cut = usize::try_from(shift.max(0)).unwrap_or(usize::MAX);
        if self.digits.iter().skip(cut).all(|d| *d == 0) {
            return Ok((units, Rest::None));
        }
        let first = if shift < 0 { 0 } else { *self.digits.get(cut).unwrap_or(&0) };
        Ok((units, if first >= 5 { Rest::HalfOrMore } else { Rest::BelowHalf }))
    }

    /// The `count` first digits as a whole number, the power of ten of its last digit, and
    /// whether a digit other than zero follows. `None` for zero.
    pub(crate) fn leading(&self, count: u32) -> Option<(u64, i64, Rest)> {
        self.digits.first()?;
        // The first digit is the one before the point, so the last one is `count` behind it.
        let decimals = i64::from(count).saturating_sub(self.point);
        let shifted = Digits { digits: self.digits.clone(), point: i64::from(count) };
        let (units, rest) = shifted.units(0).ok()?;
        Some((units, decimals, rest))
    }
}

/// Larger exponents are cut to ±1000, which gives the same result.
fn read_exponent(text: &str) -> Result<i64, DigitsError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DigitsError::NotANumber);
    }
    let size = digits.iter().fold(0i64, |n, d| {
        n.saturating_mul(10).saturating_add(i64::from(d.saturating_sub(b'0'))).min(1000)
    });
    Ok(if negative { size.saturating_neg() } else { size })
}
