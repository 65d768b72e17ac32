//! The price of a payment in a currency, with the rate at its creation.

use rust_decimal::Decimal;

use crate::domain::amount::Amount;
use crate::domain::fiat::FiatAmount;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;

use super::coin::Coin;

/// A price in a currency, frozen with its rate when the payment was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) amount: FiatAmount,
    /// Of one LTC, after the operator's spread.
    pub(crate) rate: Rate,
    /// When the oldest of its quotes was received.
    pub(crate) rate_at: Timestamp,
    /// The sources whose quotes made the rate.
    pub(crate) sources: Vec<Source>,
}

impl Price {
    /// The price in LTC, rounded up to the litoshi. `None` above the supply of Litecoin.
    pub(crate) fn in_ltc(&self) -> Option<Amount> {
        self.rate.ltc_for(self.amount)
    }

    /// Whether coins are worth the price less the tolerance. A coin seen by the deadline counts
    /// at the frozen rate, a later one at the rate of its first sight, or not at all without
    /// one.
    pub(super) fn is_covered<'c>(
        &self,
        coins: impl Iterator<Item = &'c Coin>,
        deadline: Timestamp,
        tolerance: Tolerance,
    ) -> bool {
        let worth = coins.map(|coin| {
            let rate = if coin.seen_at <= deadline { Some(self.rate) } else { coin.rate };
            rate.map_or(Decimal::ZERO, |rate| rate.value_of(coin.amount))
        });
        let worth = worth.fold(Decimal::ZERO, |sum, value| sum.saturating_add(value));
        worth >= self.required(tolerance)
    }

    /// The price less the tolerated part, in units of the currency.
    fn required(&self, tolerance: Tolerance) -> Decimal {
        let minor = i64::try_from(self.amount.minor()).unwrap_or(i64::MAX);
        let hundredths = i64::from(tolerance.hundredths());
        // At most 10^12 in minor units, and four decimals more: nothing is rounded.
        let part = Decimal::new(10_000i64.saturating_sub(hundredths), 4);
        Decimal::new(minor, self.amount.currency().decimals()).saturating_mul(part)
    }
}
