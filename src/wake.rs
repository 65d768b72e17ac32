//! The "look now" signals between the roles of one process.
//!
//! A signal says that something may have changed, and nothing else; the database says what. Every
//! listener also looks by itself now and then, so a lost signal costs time and never work.

use std::sync::Arc;

use tokio::sync::Notify;

/// The signals of one process. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Wake {
    pages: Arc<Notify>,
    webhooks: Arc<Notify>,
    sweeper: Arc<Notify>,
}

impl Wake {
    pub(crate) fn new() -> Wake {
        Wake::default()
    }

    /// What pages show may have changed.
    pub(crate) fn stir_pages(&self) {
        self.pages.notify_one();
    }

    /// Ends when pages may show something else. A signal given before is not lost.
    pub(crate) async fn pages_stirred(&self) {
        self.pages.notified().await;
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
