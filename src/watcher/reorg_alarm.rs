//! Reports a completed payment whose coins left the best chain.
//!
//! Its webhook is sent, so nothing in the gateway can undo the completion. An operator has to
//! act.

use std::collections::BTreeSet;

use crate::domain::payment::PaymentId;
use crate::store::{Error, Store, payments};

/// What the log reports already. Each payment is logged once for each start.
#[derive(Debug, Default)]
pub(super) struct ReorgAlarm {
    logged: BTreeSet<PaymentId>,
}

impl ReorgAlarm {
    /// Logs completed payments whose coins on the best chain do not reach the amount.
    pub(super) fn check(&mut self, store: &Store) -> Result<(), Error> {
        let lost = store.read_blocking(payments::completed_without_coins)?;
        let lost: BTreeSet<PaymentId> = lost.into_iter().collect();
        for id in lost.difference(&self.logged) {
            tracing::error!(
                payment_id = %id,
                "a completed payment has lost its coins: the best chain does not hold them any more"
            );
        }
        for id in self.logged.difference(&lost) {
            tracing::warn!(payment_id = %id, "the coins of a completed payment are back");
        }
        self.logged = lost;
        Ok(())
    }
}
