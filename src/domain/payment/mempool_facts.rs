//! Facts about an unconfirmed transaction that pays a payment.

use std::fmt;

use crate::domain::amount::Amount;

/// What the node reports about a transaction in its mempool (`getmempoolentry`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MempoolFacts {
    pub(crate) fee_rate: FeeRate,
    /// It signals that it may be replaced (BIP125).
    pub(crate) signals_replacement: bool,
    pub(crate) unconfirmed_parents: u32,
    /// It pays from MWEB.
    pub(crate) mweb: bool,
}

/// A fee rate in thousandths of a litoshi for a vbyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeeRate(u64);

impl FeeRate {
    /// The rate of a fee for a size, rounded down.
    pub(crate) fn of(fee: Amount, vbytes: u64) -> FeeRate {
        FeeRate(fee.litoshis().saturating_mul(1_000) / vbytes.max(1))
    }
}

/// In litoshis for a vbyte.
impl fmt::Display for FeeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 1_000, self.0 % 1_000);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let text = format!("{whole}.{fraction:03}");
        f.write_str(text.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_rate_has_at_most_three_decimals() {
        #[track_caller]
        fn check(fee: u64, vbytes: u64, expected: &str) {
            let rate = FeeRate::of(Amount::from_litoshis(fee).unwrap(), vbytes);
            assert_eq!(rate.to_string(), expected);
        }
        check(0, 110, "0");
        check(110, 110, "1");
        check(1_100, 110, "10");
        check(1_000, 141, "7.092");
        check(1_234_500, 1_000, "1234.5");
        check(1, 0, "1");
    }
}
