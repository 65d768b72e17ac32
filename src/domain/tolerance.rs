//! The tolerated underpayment of a payment.

use std::fmt;

use crate::domain::amount::Amount;

/// The share of the amount that may be missing, in hundredths of a percent: 0 to 10 %.
///
/// Customers of exchanges that withhold a fee pay slightly less than the amount. With a
/// tolerance, such a payment is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Tolerance(u16);

/// Hundredths of a percent in the whole.
const WHOLE: u64 = 10_000;

/// Litoshis in the text of one hundredth of a percent.
const HUNDREDTH: u64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 0 to 10 with at most 2 decimals, in percent")]
pub(crate) struct BadTolerance;

impl Tolerance {
    /// The whole amount is required.
    pub(crate) const NONE: Tolerance = Tolerance(0);

    const MAX: u16 = 1_000;

    /// `None` above 10 %.
    pub(crate) fn from_hundredths(hundredths: u16) -> Option<Tolerance> {
        (hundredths <= Self::MAX).then_some(Tolerance(hundredths))
    }

    /// In hundredths of a percent.
    pub(crate) fn hundredths(self) -> u16 {
        self.0
    }

    /// Parses a number of percent, such as `1.5`.
    ///
    /// # Errors
    /// Above 10, negative, or with more than 2 decimals.
    pub(crate) fn parse(text: &str) -> Result<Tolerance, BadTolerance> {
        // The digits are read as those of an amount, which has more decimals.
        let litoshis = Amount::parse(text.trim()).map_err(|_| BadTolerance)?.litoshis();
        if !litoshis.is_multiple_of(HUNDREDTH) {
            return Err(BadTolerance);
        }
        let hundredths = u16::try_from(litoshis / HUNDREDTH).map_err(|_| BadTolerance)?;
        Tolerance::from_hundredths(hundredths).ok_or(BadTolerance)
    }

    /// The part of an amount that is required, rounded up to the litoshi.
    pub(crate) fn required_of(self, amount: Amount) -> Amount {
        let part = u128::from(amount.litoshis()) * u128::from(WHOLE - u64::from(self.0));
        let litoshis = u64::try_from(part.div_ceil(u128::from(WHOLE))).unwrap_or(u64::MAX);
        Amount::from_litoshis(litoshis).unwrap_or(amount)
    }
}

/// The number of percent, without trailing zeros.
impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 100, self.0 % 100);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let text = format!("{whole}.{fraction:02}");
        f.write_str(text.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_tolerance_is_parsed_and_printed_in_percent() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            let parsed = Tolerance::parse(text).ok().map(|tolerance| tolerance.to_string());
            assert_eq!(parsed.as_deref(), expected, "{text}");
        }
        check("0", Some("0"));
        check("1", Some("1"));
        check("1.5", Some("1.5"));
        check("0.25", Some("0.25"));
        check("0.050", Some("0.05"));
        check("10", Some("10"));
        check("1e1", Some("10"));
        check("10.01", None);
        check("0.001", None);
        check("-1", None);
        check("1,5", None);
        check("", None);
        check("NaN", None);
    }

    #[test]
    fn the_required_amount_is_rounded_up() {
        #[track_caller]
        fn check(litoshis: u64, percent: &str, expected: u64) {
            let amount = Amount::from_litoshis(litoshis).unwrap();
            let required = Tolerance::parse(percent).unwrap().required_of(amount);
            assert_eq!(required.litoshis(), expected, "{litoshis} less {percent} %");
        }
        check(5_000_000, "0", 5_000_000);
        check(5_000_000, "1", 4_950_000);
        check(1, "10", 1);
        check(3, "10", 3);
        check(11, "10", 10);
        check(Amount::MAX.litoshis(), "0.01", 8_399_160_000_000_000);
    }

    proptest! {
        #[test]
        fn no_more_than_the_tolerated_part_is_missing(
            litoshis in 1..=Amount::MAX.litoshis(),
            hundredths in 0..=Tolerance::MAX,
        ) {
            let amount = Amount::from_litoshis(litoshis).unwrap();
            let required = Tolerance(hundredths).required_of(amount).litoshis();
            prop_assert!(required >= 1 && required <= litoshis);
            let missing = u128::from(litoshis - required) * u128::from(WHOLE);
            prop_assert!(missing <= u128::from(litoshis) * u128::from(hundredths));
        }
    }
}
