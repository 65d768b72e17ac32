//! The payments that a write changed, so that other roles are notified after its commit.

use std::collections::BTreeSet;

use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;

/// Payments that a write changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Payments whose pages may have changed.
    pub(crate) payments: BTreeSet<PaymentId>,
    pub(crate) completed: Vec<PaymentId>,
    /// Events were stored.
    pub(crate) announced: bool,
    /// Payments with a coin that began or ceased to count, whose events are not stored yet.
    pub(super) moved: BTreeSet<DerivationIndex>,
}

impl Changes {
    pub(super) fn touch(&mut self, id: PaymentId) {
        self.payments.insert(id);
    }

    /// Marks a payment with a coin that began or ceased to count.
    pub(super) fn move_coin_of(&mut self, index: DerivationIndex) {
        self.moved.insert(index);
    }

    /// Adds the changes of another part of the same write.
    pub(in crate::watcher) fn add(&mut self, more: Changes) {
        self.payments.extend(more.payments);
        self.completed.extend(more.completed);
        self.moved.extend(more.moved);
        self.announced |= more.announced;
    }
}
