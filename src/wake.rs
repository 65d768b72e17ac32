//! The "look now" signals between the roles of one process.
//!
//! A signal says that something may have changed, and nothing else; the database says what. Every
//! listener also looks by itself now and then, so a lost signal costs time and never work.

use std::sync::Arc;

use tokio::sync::{Notify, broadcast};

use crate::domain::payment::PaymentId;

/// Changes that a slow event stream may lag behind before it must read afresh.
const CHANGES_KEPT: usize = 4096;

/// The signals of one process. Clones share them.
#[derive(Clone)]
pub(crate) struct Wake {
    changed: broadcast::Sender<PaymentId>,
    webhooks: Arc<Notify>,
    sweeper: Arc<Notify>,
}

impl Wake {
    pub(crate) fn new() -> Wake {
        let (changed, _) = broadcast::channel(CHANGES_KEPT);
        Wake { changed, webhooks: Arc::new(Notify::new()), sweeper: Arc::new(Notify::new()) }
    }

    /// What a page shows of this payment may have changed.
    pub(crate) fn payment_changed(&self, payment: PaymentId) {
        let _ = self.changed.send(payment); // Nobody listening is fine.
    }

    /// The payments that change from now on. A lagging listener must read its payment afresh.
    pub(crate) fn changes(&self) -> broadcast::Receiver<PaymentId> {
        self.changed.subscribe()
    }

    /// An event may be due.
    pub(crate) fn stir_webhooks(&self) {
        self.webhooks.notify_one();
    }

    /// Ends when an event may be due. A signal given before is not lost.
    pub(crate) async fn webhooks_stirred(&self) {
        self.webhooks.notified().await;
    }

    /// Coins may be ready to be swept, or a sweep may have changed.
    pub(crate) fn stir_sweeper(&self) {
        self.sweeper.notify_one();
    }

    /// Ends when the sweeper should look. A signal given before is not lost.
    pub(crate) async fn sweeper_stirred(&self) {
        self.sweeper.notified().await;
    }
}
