//! "Check now" signals between the roles of one process.
//!
//! A signal carries no data; the database does. Every listener also polls, so a lost signal
//! costs time and never work.

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

    /// Signals that payment pages may have changed.
    pub(crate) fn notify_pages(&self) {
        self.pages.notify_one();
    }

    /// Waits until pages may have changed. An earlier signal is not lost.
    pub(crate) async fn pages_notified(&self) {
        self.pages.notified().await;
    }

    /// Signals that an event may be due.
    pub(crate) fn notify_webhooks(&self) {
        self.webhooks.notify_one();
    }

    /// Waits until an event may be due. An earlier signal is not lost.
    pub(crate) async fn webhooks_notified(&self) {
        self.webhooks.notified().await;
    }

    /// Signals that coins may be ready to sweep, or that a sweep changed.
    pub(crate) fn notify_sweeper(&self) {
        self.sweeper.notify_one();
    }

    /// Waits until the sweeper should check. An earlier signal is not lost.
    pub(crate) async fn sweeper_notified(&self) {
        self.sweeper.notified().await;
    }
}
