//! The payments that a write changed, so that other roles are notified after its commit.

use std::collections::BTreeSet;

use crate::domain::payment::PaymentId;

/// Payments that a write changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Payments whose pages may have changed.
    pub(crate) payments: BTreeSet<PaymentId>,
    pub(crate) completed: Vec<PaymentId>,
}

impl Changes {
    pub(super) fn touch(&mut self, id: PaymentId) {
        self.payments.insert(id);
    }

    /// Adds the changes of another part of the same write.
    pub(in crate::watcher) fn add(&mut self, more: Changes) {
        self.payments.extend(more.payments);
        self.completed.extend(more.completed);
    }
}
