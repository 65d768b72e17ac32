//! The "look now" signals between the roles of one process.
//!
//! A signal says that something may have changed, and nothing else; the database says what. Every
//! listener also looks by itself now and then, so a lost signal costs time and never work.

use std::sync::Arc;

use tokio::sync::Notify;

/// The signals of one process. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Notifier {
    pages: Arc<Notify>,
    webhooks: Arc<Notify>,
    sweeper: Arc<Notify>,
}

impl Notifier {
    pub(crate) fn new() -> Notifier {
        Notifier::default()
    }

    /// What pages show may have changed.
    pub(crate) fn notify_pages(&self) {
        self.pages.notify_one();
    }

    /// Ends when pages may show something else. A signal given before is not lost.
    pub(crate) async fn pages_notified(&self) {
        self.pages.notified().await;
    }

    /// An event may be due.
    pub(crate) fn notify_webhooks(&self) {
        self.webhooks.notify_one();
    }

    /// Ends when an event may be due. A signal given before is not lost.
    pub(crate) async fn webhooks_notified(&self) {
        self.webhooks.notified().await;
    }

    /// Coins may be ready to be swept, or a sweep may have changed.
    pub(crate) fn notify_sweeper(&self) {
        self.sweeper.notify_one();
    }

    /// Ends when the sweeper should look. A signal given before is not lost.
    pub(crate) async fn sweeper_notified(&self) {
        self.sweeper.notified().await;
    }
}
