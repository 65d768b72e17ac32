//! Delivery of the sweeper's notifications to the operator's URL (`sweeper.notify_url`).
//!
//! One request at a time, in a task beside the sweeper's thread, so that no receiver delays a
//! sweep. Undelivered notifications stay in the sweeper's record and are retried: delivery is
//! at least once, also after SIGKILL.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinSet};

use crate::domain::seal::notification::Notification;
use crate::webhooks::operator::OperatorWebhook;

use super::Sweeper;

/// The pause after a first failure. It doubles with each further failure.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);

/// Deliveries between two saves of the record while others wait. A restart repeats at most so
/// many.
const UNSAVED_MAX: u32 = 100;

/// A finished request. A `JoinError` is a panic.
pub(super) type Delivery = Result<Ended, JoinError>;

/// The notification, and why it was not delivered.
type Ended = (Notification, Result<(), String>);

/// The deliveries of this process.
pub(crate) struct OperatorNotifier {
    webhook: OperatorWebhook,
    in_flight: JoinSet<Ended>,
    /// The last one that was sent.
    last: Option<Notification>,
    failures: u32,
    next_at: Instant,
    unsaved: u32,
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
    fn pause(&mut self) {
        let factor = 2u32.saturating_pow(self.failures);
        self.next_at = Instant::now() + PAUSE.saturating_mul(factor).min(PAUSE_MAX);
        self.failures = self.failures.saturating_add(1);
    }
}

impl Sweeper {
    /// Starts the next delivery if there is one, it is due, and none is in flight.
    pub(super) fn notify_next(&mut self, runtime: &Handle) -> anyhow::Result<()> {
        let (Some(operator_notifier), Some(seals)) = (&mut self.operator_notifier, &mut self.seals)
        else {
            return Ok(());
        };
        if !operator_notifier.in_flight.is_empty() || Instant::now() < operator_notifier.next_at {
            return Ok(());
        }
        let Some(next) = seals.next_unreported(operator_notifier.last) else {
            operator_notifier.unsaved = 0;
            return seals.save_changes();
        };
        let Some((id, view)) = seals.notification(next, self.network) else {
            seals.mark_reported(next); // The record no longer holds its fact.
            return Ok(());
        };
        let body = serde_json::to_string(&view).context("write a notification's body")?;
        let (webhook, now) = (operator_notifier.webhook.clone(), self.clock.now());
        let post = async move { (next, webhook.post(&id, now, body).await) };
        operator_notifier.in_flight.spawn_on(post, runtime);
        operator_notifier.last = Some(next);
        Ok(())
    }

    /// Records the result of a delivery.
    pub(super) fn end_delivery(&mut self, ended: Delivery) -> anyhow::Result<()> {
        let (Some(operator_notifier), Some(seals)) = (&mut self.operator_notifier, &mut self.seals)
        else {
            return Ok(());
        };
        let (done, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                operator_notifier.pause();
                return Err(error).context("deliver a notification");
            }
        };
        let Notification { merchant, version, kind } = done;
        match outcome {
            Ok(()) => {
                operator_notifier.failures = 0;
                operator_notifier.unsaved = operator_notifier.unsaved.saturating_add(1);
                seals.mark_reported(done);
                tracing::info!(
                    merchant_id = %merchant, version, event = kind.as_str(),
                    "notification delivered"
                );
            }
            Err(outcome) => {
                operator_notifier.pause();
                tracing::warn!(
                    merchant_id = %merchant, version, event = kind.as_str(), outcome,
                    "notification not delivered; it is sent again"
                );
            }
        }
        if operator_notifier.unsaved >= UNSAVED_MAX {
            operator_notifier.unsaved = 0;
            seals.save_changes()?;
        }
        Ok(())
    }
}
