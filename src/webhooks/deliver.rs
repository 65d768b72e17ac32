//! The loop over the outbox: fair between merchants, bounded, each try recorded.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::FutureExt;
use reqwest::header::{HeaderMap, HeaderValue, InvalidHeaderValue};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::egress::Egress;
use crate::domain::event::{Attempt, Event, State};
use crate::domain::merchant::Merchant;
use crate::domain::retry::{self, Next};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::notifier::Notifier;
use crate::secret::{self, Secrets};
use crate::store::{self, Store, WriteTx, events, merchants};

use super::delivery_slots::InFlight;
use super::sign;
use super::target::{Answer, NoAnswer, Sender, Timeouts};

/// How deliveries are made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) egress: Egress,
}

/// The role and all that it works with.
pub(crate) struct Webhooks {
    pub(crate) store: Store,
    pub(crate) secret: Secrets,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// Events of one merchant that are looked at in a round: those under way are among them.
const LOOKED_AT_PER_MERCHANT: u32 = 8;

/// Events that are looked at in a round. More than have a place, because some of them wait for
/// their receiver.
const LOOKED_AT_MAX: u32 = 1_024;

/// How often the outbox is looked at without a signal; other processes write to it too.
const POLL: Duration = Duration::from_millis(500);

/// How long deliveries may finish once we stop. Those that do not are sent again.
const GRACE: Duration = Duration::from_secs(5);

/// How long an event rests whose attempt could not be recorded. It is still due, so without this
/// it would be sent over and over.
const UNRECORDED_PAUSE: Duration = Duration::from_secs(60);

/// How long to wait for a database that is busy.
const UNREAD_PAUSE: Duration = Duration::from_secs(1);

/// How often a try is recorded at most, while the database is busy.
const RECORD_TRIES_MAX: u32 = 5;

impl Webhooks {
    /// Delivers until told to stop.
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
            match self.start_due(sender, &mut in_flight).await {
                Ok(()) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::error!(error = format!("{error:#}"), "cannot read the outbox");
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

    /// Starts what is due and has a place.
    async fn start_due(&self, sender: &Sender, in_flight: &mut InFlight) -> anyhow::Result<()> {
        let now = self.clock.now();
        // Those under way are still due in the database: they are asked for again and skipped.
        let due = self.store.read(move |tx| {
            events::due(tx, now, LOOKED_AT_PER_MERCHANT, LOOKED_AT_MAX).context("read the outbox")
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
                in_flight.start(&event, now, async move { delivery.deliver_or_rest(&id).await });
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
    /// Makes one try. If it could not be recorded, the event keeps its place for a while.
    async fn deliver_or_rest(&self, id: &str) {
        let (event, merchant) = match self.load(id).await {
            Ok(Some(loaded)) => loaded,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(event.id = %id, error = format!("{error:#}"), "delivery not begun");
                return self.rest(UNREAD_PAUSE).await;
            }
        };
        match AssertUnwindSafe(self.deliver(event, merchant)).catch_unwind().await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(event.id = %id, error = format!("{error:#}"), "delivery not recorded");
            }
            // One receiver's answer must not be able to stop the gateway, whatever it holds.
            Err(_) => tracing::error!(event.id = %id, "a delivery panicked"),
        }
        self.rest(UNRECORDED_PAUSE).await;
    }

    async fn rest(&self, pause: Duration) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Makes one try and records it with what follows.
    async fn deliver(&self, event: Event, merchant: Merchant) -> anyhow::Result<()> {
        let started_at = self.clock.now();
        let start = Instant::now();
        let signatures = sign::Signer::of(&merchant, &self.secret, started_at).signatures(
            &event.id,
            started_at,
            &event.body,
        );
        let headers = headers(&event.id, started_at, &signatures)?;
        let outcome = self.sender.post(&event.url, headers, event.body.clone()).await;
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
            event.id = %event.id, payment.id = %event.payment, attempt = attempt.number,
            outcome = attempt.outcome, state = state.as_str(), "webhook"
        );
        if state == State::Failed {
            tracing::warn!(
                event.id = %event.id, payment.id = %event.payment, merchant.id = %event.merchant,
                outcome = attempt.outcome,
                "a webhook was given up; it can be sent again by litegate webhook resend"
            );
        }
        let mut tries = 1;
        loop {
            let (event, attempt) = (event.clone(), attempt.clone());
            let recorded = self.store.write(move |tx| record(tx, &event, &attempt, state)).await;
            match recorded {
                // Somebody holds the lock, or the disk is full: that passes, and what is lost here
                // is sent twice.
                Err(store::Error::Busy | store::Error::Full) if tries < RECORD_TRIES_MAX => {
                    tries += 1;
                    self.rest(UNREAD_PAUSE).await;
                }
                recorded => return recorded.context("record the attempt"),
            }
        }
    }

    /// The event as it is now and whose it is; nothing if it is not due any more.
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
                tracing::error!(%error, "a webhook event is not sent");
                let set_aside = self.store.write(move |tx| events::set_aside(tx, &id));
                set_aside.await.context("set the event aside")?;
                Ok(None)
            }
            loaded => loaded.context("read the event"),
        }
    }

    /// 2xx ends it, everything else is tried again.
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

/// Records a try at an event as it was when the try began.
fn record(
    tx: &WriteTx,
    event: &Event,
    attempt: &Attempt,
    state: State,
) -> Result<(), store::Error> {
    // Somebody may have asked for it again meanwhile: then it stays due.
    let now = events::by_id(tx, &event.id)?.map_or(event.state, |now| now.state);
    let next = if now == event.state { state } else { now };
    events::record_attempt(tx, &event.id, attempt, next)
}

/// The headers of the Standard Webhooks specification.
pub(super) fn headers(
    id: &str,
    now: Timestamp,
    signatures: &str,
) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_str(id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(now.seconds()));
    headers.insert("webhook-signature", HeaderValue::from_str(signatures)?);
    Ok(headers)
}

/// An outcome in a word or a short sentence, as it is recorded and shown.
pub(super) fn shown(outcome: &Result<Answer, NoAnswer>) -> String {
    match outcome {
        Ok(answer) => format!("HTTP {}", answer.status),
        Err(why) => why.to_string(),
    }
}

#[cfg(test)]
mod tests;
