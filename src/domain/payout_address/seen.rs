//! A registration of a payout address as the sweeper saw it.

use std::collections::BTreeMap;

use bitcoin::ScriptBuf;

use crate::domain::merchant::PayoutAddress;
use crate::domain::time::Timestamp;

use super::clocks::Clocks;
use super::wait::Reason;

/// A registration as the sweeper saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: u32,
    pub(crate) script: ScriptBuf,
    /// From its row, when first seen.
    pub(crate) registered_at: Timestamp,
    /// From its row, when first seen.
    pub(crate) effective_at: Timestamp,
    /// By the sweeper's clock.
    pub(crate) first_seen_at: Timestamp,
    /// The chain's median time then; `None` until a node reports it.
    pub(crate) first_seen_chain: Option<Timestamp>,
    /// The row claimed an impossible age.
    pub(crate) backdated: bool,
    /// It was in force in one of our passes; since then it cannot be cancelled.
    pub(crate) was_in_force: bool,
    pub(crate) cancelled: bool,
    /// Its notifications that were not delivered yet.
    pub(crate) unreported: Unreported,
}

/// A registration's notifications that were not delivered yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unreported {
    pub(crate) seen: bool,
    pub(crate) cancelled: bool,
}

impl Unreported {
    pub(crate) fn any(self) -> bool {
        self.seen || self.cancelled
    }
}

impl Seen {
    pub(super) fn new(row: &PayoutAddress, clocks: Clocks) -> Seen {
        Seen {
            version: row.version,
            script: row.address.script().to_owned(),
            registered_at: row.registered_at,
            effective_at: row.effective_at,
            first_seen_at: clocks.own,
            first_seen_chain: clocks.chain,
            backdated: false,
            was_in_force: false,
            cancelled: row.cancelled_at.is_some(),
            unreported: Unreported { seen: true, cancelled: false },
        }
    }

    pub(super) fn matches(&self, row: &PayoutAddress) -> bool {
        row.address.script() == self.script.as_script()
    }

    /// How the rows contradict this registration, if they do.
    pub(super) fn contradicted_by(
        &self,
        rows: &BTreeMap<u32, &PayoutAddress>,
    ) -> Option<(Reason, u32)> {
        if self.cancelled {
            return None;
        }
        let reason = match rows.get(&self.version) {
            None => Reason::Missing,
            Some(row) if !self.matches(row) => Reason::Changed,
            Some(row) if row.cancelled_at.is_some() => Reason::CancelledInForce,
            Some(_) => return None,
        };
        Some((reason, self.version))
    }

    /// Corrects times that were recorded by a fast clock or while no node reported the chain's
    /// time: the delay counts from now at the latest.
    pub(super) fn correct(&mut self, clocks: Clocks) {
        self.first_seen_at = self.first_seen_at.min(clocks.own);
        if let Some(chain) = clocks.chain {
            self.first_seen_chain = Some(self.first_seen_chain.map_or(chain, |at| at.min(chain)));
        }
    }

    pub(super) fn delay_passed_by_chain(&self, clocks: Clocks, delay_ms: i64) -> bool {
        let passed = |(first, now): (Timestamp, Timestamp)| first.plus_ms(delay_ms) <= now;
        self.first_seen_chain.zip(clocks.chain).is_some_and(passed)
    }
}
