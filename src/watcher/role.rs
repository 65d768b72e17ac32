//! The watcher's configuration and connections, and what all its steps share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::zmq::Counters;
use crate::notifier::Notifier;
use crate::operations::rates::Rates;
use crate::store::{Store, WriteTx, role_status};
use crate::view::role_status::Role;
use crate::watchdog::{self, Loop};

use super::apply::Changes;
use super::chain_guard;
use super::state::State;

/// The role. It changes only when another node is followed.
pub(crate) struct Watcher {
    pub(crate) store: Store,
    pub(crate) nodes: Nodes,
    pub(crate) followed: Candidate,
    /// How long the followed node may be unhealthy before the watcher follows another
    /// (`failover.timeout`).
    pub(crate) failover_timeout: Duration,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// Exchange rates of late coins.
    pub(crate) rates: Rates,
    pub(crate) counters: Arc<Counters>,
    pub(crate) chain_guard: chain_guard::Settings,
    pub(crate) audit_interval: Duration,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
    /// Notified after the first pass, whether it succeeded or failed.
    pub(crate) first_pass: Option<oneshot::Sender<()>>,
    /// When the database was last in use before this start.
    pub(crate) last_in_use: Option<Timestamp>,
}

/// The longest error text that is recorded for `/readyz`, in characters.
const FAILURE_CHARS_MAX: usize = 500;

impl Watcher {
    /// Sends a heartbeat between batches. `false` once the watcher has to stop.
    pub(super) fn keep_going(&self) -> bool {
        watchdog::heartbeat(Loop::Watcher);
        !self.shutdown.is_cancelled()
    }

    /// Notifies the other roles of what a commit changed.
    pub(super) fn notify(&self, changes: &Changes) {
        if !changes.payments.is_empty() {
            self.notifier.notify_pages();
        }
        if changes.announced {
            self.notifier.notify_webhooks();
        }
        if !changes.completed.is_empty() {
            self.notifier.notify_sweeper();
        }
    }

    /// Sleeps for `pause`, or until the watcher has to stop.
    pub(super) fn sleep(&self, pause: Duration) {
        let deadline = Instant::now() + pause;
        while self.keep_going() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// Records for `/readyz` why the watcher is not at the tip.
    pub(super) fn record_trouble(&self, trouble: String, state: &mut State) {
        if state.trouble.as_ref() == Some(&trouble) {
            return;
        }
        let text: String = trouble.chars().take(FAILURE_CHARS_MAX).collect();
        let write = move |tx: &WriteTx| role_status::record_trouble(tx, Role::Watcher, &text);
        match self.store.write_blocking(write) {
            Ok(()) => state.trouble = Some(trouble),
            Err(error) => tracing::debug!(%error, "watcher status not recorded"),
        }
    }
}
