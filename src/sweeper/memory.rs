//! The sweeper's state in memory.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Txid};

use crate::domain::sweep::Waits;
use crate::domain::sweep::vanishing::Vanishing;
use crate::domain::time::Timestamp;

/// What is remembered from pass to pass. Losing it costs time and repeated log lines, nothing
/// else.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) vanishing: Vanishing,
    pub(super) logged: BTreeMap<OutPoint, Waits>,
    pub(super) not_accepted: BTreeSet<Txid>,
    pub(super) damaged: BTreeSet<Txid>,
    /// Versions for which a fee bump was tried, and when.
    pub(super) fee_bump_tried: BTreeMap<Txid, Timestamp>,
}

impl Memory {
    /// Logs which coins wait and why, once for each coin and reason.
    pub(super) fn log_waiting(&mut self, waiting: &[(OutPoint, Waits)]) {
        let now: BTreeMap<OutPoint, Waits> = waiting.iter().copied().collect();
        for (outpoint, why) in &now {
            if self.logged.get(outpoint) == Some(why) {
                continue;
            }
            match why {
                Waits::BrokenSeal => tracing::error!(
                    %outpoint,
                    "coin waits: its payment was changed outside the gateway"
                ),
                Waits::NotOurs => {
                    tracing::error!(%outpoint, "coin waits: its script does not derive from the account key");
                }
                Waits::Refused => tracing::error!(%outpoint, "coin waits: the node refuses it"),
                Waits::UnknownToNode => {
                    tracing::warn!(%outpoint, "coin waits: the node does not have it");
                }
                Waits::Immature
                | Waits::NoAddress
                | Waits::AddressRefused
                | Waits::AddressUnconfirmed
                | Waits::BelowMinimum
                | Waits::TooExpensive
                | Waits::Dust => tracing::debug!(%outpoint, ?why, "coin waits"),
            }
        }
        self.logged = now;
    }
}
