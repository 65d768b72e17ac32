//! The outbox loop: delivers due events, fair between merchants, and records each attempt.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::egress::Egress;
use crate::domain::event::{Attempt, Event, State};
use crate::domain::merchant::Merchant;
use crate::domain::retry::{self, Next};
use crate::metrics;
use crate::notifier::Notifier;
use crate::outbound::Timeouts;
use crate::secret::{self, Secrets};
use crate::store::{self, Store, WriteTx, events, merchants};

use super::client::{Answer, NoAnswer, Sender, headers, shown};
use super::delivery_slots::InFlight;
use super::sign;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) egress: Egress,
}

pub(crate) struct Webhooks {
    pub(crate) store: Store,
    pub(crate) secret: Secrets,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// Events of one merchant that a round reads, those in flight included.
const EVENTS_PER_MERCHANT: u32 = 8;

/// Events that a round reads: more than there are delivery slots, because some wait for their
/// receiver.
const EVENTS_MAX: u32 = 1_024;

/// How often the outbox is polled. Other processes write to it without a signal.
const POLL: Duration = Duration::from_millis(500);

/// How long deliveries may finish after the shutdown signal. Unfinished ones are sent again.
const GRACE: Duration = Duration::from_secs(5);

/// How long an event waits whose attempt could not be recorded. It is still due, and would be
/// sent again at once.
const UNRECORDED_PAUSE: Duration = Duration::from_secs(60);

/// The pause while the database is busy.
const UNREAD_PAUSE: Duration = Duration::from_secs(1);

const RECORD_TRIES_MAX: u32 = 5;

impl Webhooks {
    /// Delivers until the shutdown signal.
    ///
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let sender = Sender::new(self.settings.egress.clone(), Timeouts::default())
            .context("prepare the HTTP client")?;
        self.run_with(&sender).await;
        Ok(())
    }

    async fn run_with(&self, sender: &Sender) {
        let mut in_flight = InFlight::default();
        let mut failing = false;
        while !self.shutdown.is_cancelled() {
            let round = self.start_due(sender, &mut in_flight).await;
            metrics::webhooks_passed(&round);
            match round {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::error!(error = format!("{error:#}"), "outbox not read");
                    }
                    failing = true;
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = self.notifier.webhooks_notified() => {}
                () = in_flight.finish_one() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let _ = tokio::time::timeout(GRACE, in_flight.finish_all()).await;
    }

    /// Starts due events that get a delivery slot.
    async fn start_due(&self, sender: &Sender, in_flight: &mut InFlight) -> anyhow::Result<()> {
        let now = self.clock.now();
        // Events in flight are still due in the database; `has_slot_for` skips them.
        let due = self.store.read(move |tx| {
            events::due(tx, now, EVENTS_PER_MERCHANT, EVENTS_MAX).context("read the outbox")
        });
        for event in due.await? {
            let now = Instant::now();
            if in_flight.has_slot_for(&event, now) {
                let delivery = Delivery {
                    store: self.store.clone(),
                    secret: self.secret.clone(),
                    sender: sender.clone(),
                    clock: self.clock.clone(),
                    shutdown: self.shutdown.clone(),
                };
                let id = event.id.clone();
                in_flight.start(&event, now, async move { delivery.deliver_or_pause(&id).await });
            }
        }
        Ok(())
    }
}

struct Delivery {
    store: Store,
    secret: Secrets,
    sender: Sender,
    clock: Clock,
    shutdown: CancellationToken,
}

impl Delivery {
    /// Makes one attempt. If it could not be recorded, the event keeps its slot for a while.
    async fn deliver_or_pause(&self, id: &str) {
        let (event, merchant) = match self.load(id).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(event_id = %id, error = format!("{error:#}"), "webhook not sent");
                return self.pause(UNREAD_PAUSE).await;
            }
        };
        match AssertUnwindSafe(self.deliver(event, merchant)).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(event_id = %id, error = format!("{error:#}"), "webhook attempt not recorded");
            }
            // No response of a receiver may stop the gateway.
            Err(_) => tracing::error!(event_id = %id, "webhook delivery panicked"),
        }
        self.pause(UNRECORDED_PAUSE).await;
    }

    async fn pause(&self, pause: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Makes one attempt and records it with the event's next state.
    async fn deliver(&self, event: Event, merchant: Merchant) -> anyhow::Result<()> {
        let url = event.url.as_deref().context("a due event has a URL")?;
        let started_at = self.clock.now();
        let start = Instant::now();
        let signatures = sign::Signer::of(&merchant, &self.secret, started_at).signatures(
            &event.id,
            started_at,
            &event.body,
        );
        let headers = headers(&event.id, started_at, &signatures)?;
        let outcome = self.sender.post(url, headers, event.body.clone()).await;
        let attempt = Attempt {
            number: event.attempts.saturating_add(1),
            started_at,
            duration_ms: u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX),
            http_status: outcome.as_ref().ok().map(|answer| answer.status),
            outcome: shown(&outcome),
            answer: outcome.as_ref().map(|answer| answer.beginning.clone()).unwrap_or_default(),
        };
        let state = self.classify(&outcome, attempt.number.saturating_sub(event.attempts_before));
        metrics::attempted(state.as_str(), start.elapsed());
        tracing::info!(
            event_id = %event.id, payment_id = %event.payment, attempt = attempt.number,
            outcome = attempt.outcome, state = state.as_str(), "webhook sent"
        );
        if state == State::Failed {
            tracing::warn!(
                event_id = %event.id, payment_id = %event.payment, merchant_id = %event.merchant,
                outcome = attempt.outcome,
                "webhook failed for good; litegate webhook resend sends it again"
            );
        }
        let mut tries = 1;
        loop {
            let (event, attempt) = (event.clone(), attempt.clone());
            let recorded = self.store.write(move |tx| record(tx, &event, &attempt, state)).await;
            match recorded {
                // Another process holds the lock, or the disk is full. An attempt that is not
                // recorded is sent twice.
                Err(store::Error::Busy | store::Error::Full) if tries < RECORD_TRIES_MAX => {
                    tries += 1;
                    self.pause(UNREAD_PAUSE).await;
                }
                recorded => return recorded.context("record the attempt"),
            }
        }
    }

    /// The event and its merchant. `None` if the event is no longer due.
    async fn load(&self, id: &str) -> anyhow::Result<Option<(Event, Merchant)>> {
        let (id, asked) = (id.to_owned(), id.to_owned());
        let loaded = self.store.read(move |tx| {
            let Some(event) = events::by_id(tx, &asked)? else { return Ok(None) };
            let merchant = merchants::by_id(tx, event.merchant)?;
            let is_due = matches!(event.state, State::Due { .. });
            Ok::<_, store::Error>(merchant.filter(|_| is_due).map(|merchant| (event, merchant)))
        });
        match loaded.await {
            Err(error) if events::is_of_an_event(&error) => {
                tracing::error!(%error, "webhook event unreadable; not sent");
                let set_aside = self.store.write(move |tx| events::set_aside(tx, &id));
                set_aside.await.context("set the event aside")?;
                Ok(None)
            }
            loaded => loaded.context("read the event"),
        }
    }

    /// 2xx ends the delivery; everything else is retried.
    fn classify(&self, outcome: &Result<Answer, NoAnswer>, attempts: u32) -> State {
        let asked = match outcome {
            Ok(answer) if answer.is_success() => return State::Delivered,
            Ok(answer) => answer.retry_after,
            Err(_) => None,
        };
        let jitter = u32::from_be_bytes(secret::random_bytes());
        match retry::after_failure(attempts, self.clock.now(), jitter, asked) {
            Next::TryAt(next_at) => State::Due { next_at },
            Next::GiveUp => State::Failed,
        }
    }
}

/// Records an attempt. `event` is the event as it was when the attempt began.
fn record(
    tx: &WriteTx,
    event: &Event,
    attempt: &Attempt,
    state: State,
) -> Result<(), store::Error> {
    // A resend may have been requested meanwhile: then the event stays due.
    let now = events::by_id(tx, &event.id)?.map_or(event.state, |now| now.state);
    let next = if now == event.state { state } else { now };
    events::record_attempt(tx, &event.id, attempt, next)
}

#[cfg(test)]
mod tests;
