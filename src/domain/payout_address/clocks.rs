//! The two clocks that decide about payout addresses.

use crate::domain::time::Timestamp;

/// Maximum lag of the median time past behind the true time, in milliseconds: usually a
/// quarter of an hour, twice that when blocks are slow.
pub(super) const CHAIN_LAG_MS_MAX: i64 = 30 * 60_000;

/// Both clocks must agree that a delay has passed, since either may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clocks {
    /// The sweeper's clock.
    pub(crate) own: Timestamp,
    /// The chain's median time past (BIP113); `None` while no node reports it.
    pub(crate) chain: Option<Timestamp>,
}

impl Clocks {
    /// The later clock: an address that either clock has replaced is not paid.
    pub(super) fn latest(self) -> Timestamp {
        self.chain.map_or(self.own, |chain| chain.max(self.own))
    }

    pub(super) fn both_reached(self, time: Timestamp) -> bool {
        let lag = self.chain.map(|chain| chain.plus_ms(CHAIN_LAG_MS_MAX));
        time <= self.own && lag.is_some_and(|latest| time <= latest)
    }
}
