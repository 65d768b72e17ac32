//! What a running sweeper remembers between its looks.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{OutPoint, Txid};

use crate::domain::sweep::Waits;
use crate::domain::sweep::vanishing::Vanishing;
use crate::domain::time::Timestamp;

/// What a running sweeper remembers from one look to the next. Losing it costs time and repeats
/// words in the log, no more.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) vanishing: Vanishing,
    /// What the log says already, so that it is said once.
    pub(super) notified: BTreeMap<OutPoint, Waits>,
    pub(super) not_taken: BTreeSet<Txid>,
    /// Versions whose stored bytes are damaged.
    pub(super) damaged: BTreeSet<Txid>,
    /// Versions for which a higher fee was tried, and when.
    pub(super) fee_bump_tried: BTreeMap<Txid, Timestamp>,
}

impl Memory {
    /// Says in the log what waits and why, each coin once for each reason.
    pub(super) fn tell(&mut self, waiting: &[(OutPoint, Waits)]) {
        let now: BTreeMap<OutPoint, Waits> = waiting.iter().copied().collect();
        for (outpoint, why) in &now {
            if self.notified.get(outpoint) == Some(why) {
                continue;
            }
            match why {
                Waits::BrokenSeal => tracing::error!(
                    %outpoint,
                    "a payment was changed behind the gateway's back; its coin waits"
                ),
                Waits::NotOurs => {
                    tracing::error!(%outpoint, "a coin's script is not one of our key; it waits");
                }
                Waits::Refused => tracing::error!(%outpoint, "the node refuses a coin; it waits"),
                Waits::UnknownToNode => {
                    tracing::warn!(%outpoint, "the node does not have this coin; it waits");
                }
                Waits::Immature
                | Waits::NoAddress
                | Waits::AddressRefused
                | Waits::AddressUnconfirmed
                | Waits::BelowMinimum
                | Waits::TooExpensive
                | Waits::Dust => tracing::debug!(%outpoint, ?why, "a coin waits"),
            }
        }
        self.notified = now;
    }
}
