//! Sends the notifications of the sweeper's record to the operator, one at a time.

use std::time::Instant;

use anyhow::Context;
use tokio::runtime::Handle;

use crate::domain::seal::notification::Notification;

use super::operator_notifier::Delivery;
use super::role::Sweeper;

/// Deliveries between two saves of the record while others wait. A restart repeats at most so
/// many.
const UNSAVED_MAX: u32 = 100;

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
