//! Delivery of the sweeper's notifications to the operator's URL (`sweeper.notify_url`).
//!
//! One request at a time, in a task beside the sweeper's thread, so that no receiver delays a
//! sweep. Undelivered notifications stay in the sweeper's record and are retried: delivery is
//! at least once, also after SIGKILL.

use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};

use crate::domain::seal::notification::Notification;
use crate::webhooks::operator::OperatorWebhook;

/// The pause after a first failure. It doubles with each further failure.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// A finished request. A `JoinError` is a panic.
pub(super) type Delivery = Result<Ended, JoinError>;

/// The notification, and why it was not delivered.
type Ended = (Notification, Result<(), String>);

pub(crate) struct OperatorNotifier {
    pub(super) webhook: OperatorWebhook,
    pub(super) in_flight: JoinSet<Ended>,
    pub(super) last: Option<Notification>,
    pub(super) failures: u32,
    pub(super) next_at: Instant,
    pub(super) unsaved: u32,
}

impl OperatorNotifier {
    pub(crate) fn new(webhook: OperatorWebhook) -> OperatorNotifier {
        OperatorNotifier {
            webhook,
            in_flight: JoinSet::new(),
            last: None,
            failures: 0,
            next_at: Instant::now(),
            unsaved: 0,
        }
    }

    /// Ends after a request. Waits forever while there is none.
    pub(super) async fn finished(&mut self) -> Delivery {
        match self.in_flight.join_next().await {
            Some(ended) => ended,
            None => std::future::pending().await,
        }
    }

    /// Sets the time of the next request: the pause doubles with each failure.
    pub(super) fn pause(&mut self) {
        let factor = 2u32.saturating_pow(self.failures);
        self.next_at = Instant::now() + PAUSE.saturating_mul(factor).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
    }
}
