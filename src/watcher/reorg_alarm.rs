//! The alarm that cannot be undone by anything we do: a payment was completed and told, and then
//! the chain took its coins back.

use std::collections::BTreeSet;

use crate::domain::payment::PaymentId;
use crate::store::{Error, Store, payments};

/// What the log says already, so that it is said once. A restart says it again.
#[derive(Debug, Default)]
pub(super) struct ReorgAlarm {
    on_progress: BTreeSet<PaymentId>,
}

impl ReorgAlarm {
    /// Looks for completed payments whose coins on the best chain do not reach the amount.
    pub(super) fn look(&mut self, store: &Store) -> Result<(), Error> {
        let lost = store.read_blocking(payments::completed_without_coins)?;
        let lost: BTreeSet<PaymentId> = lost.into_iter().collect();
        for id in lost.difference(&self.on_progress) {
            tracing::error!(
                payment.id = %id,
                "a completed payment has lost its coins: the best chain does not hold them any more"
            );
        }
        for id in self.on_progress.difference(&lost) {
            tracing::warn!(payment.id = %id, "the coins of a completed payment are back");
        }
        self.on_progress = lost;
        Ok(())
    }
}
