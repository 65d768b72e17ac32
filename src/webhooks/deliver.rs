//! The loop over the outbox: fair between merchants, bounded, each try recorded.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::event::{Attempt, Event, State};
use crate::domain::merchant::MerchantId;
use crate::domain::retry::{self, Next};
use crate::domain::webhook_url::PrivateNetworks;
use crate::secret::{self, MasterSecret};
use crate::store::{Store, events};
use crate::wake::Wake;

use super::sign;
use super::target::{Answer, NoAnswer, Sender, Timeouts};

/// How deliveries are made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) private_networks: PrivateNetworks,
}

/// The role and all that it works with.
pub(crate) struct Webhooks {
    pub(crate) store: Store,
    pub(crate) secret: MasterSecret,
    pub(crate) settings: Settings,
    pub(crate) wake: Wake,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// Deliveries under way at a time: in all, and for one merchant. A merchant's slow receiver takes
/// only that merchant's places.
const UNDER_WAY_MAX: usize = 64;
const PER_MERCHANT_MAX: u32 = 4;

/// How often the outbox is looked at without a signal; other processes write to it too.
const POLL: Duration = Duration::from_millis(500);

/// How long deliveries may finish once we stop. Those that do not are sent again.
const GRACE: Duration = Duration::from_secs(5);

/// The answer by which a receiver says that it will never take this.
const GONE: u16 = 410;

impl Webhooks {
    /// Delivers until told to stop.
    ///
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let sender = Sender::new(self.settings.private_networks, Timeouts::default())
            .context("prepare the HTTP client")?;
        let mut under_way = UnderWay::default();
        let mut failing = false;
        while !self.shutdown.is_cancelled() {
            match self.start_due(&sender, &mut under_way).await {
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
                () = self.wake.webhooks_stirred() => {}
                () = under_way.finish_one() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
        let _ = tokio::time::timeout(GRACE, under_way.finish_all()).await;
        Ok(())
    }

    /// Starts what is due and has a place.
    async fn start_due(&self, sender: &Sender, under_way: &mut UnderWay) -> anyhow::Result<()> {
        let now = self.clock.now();
        let limit = u32::try_from(UNDER_WAY_MAX).unwrap_or(u32::MAX);
        // Those under way are still due in the database: they are asked for again and skipped.
        let due = self.store.read(move |tx| {
            events::due(tx, now, PER_MERCHANT_MAX, limit).context("read the outbox")
        });
        for event in due.await? {
            if under_way.has_place_for(&event) {
                let delivery = Delivery {
                    store: self.store.clone(),
                    secret: self.secret.clone(),
                    sender: sender.clone(),
                    clock: self.clock.clone(),
                };
                under_way.start(event, delivery);
            }
        }
        Ok(())
    }
}

/// Deliveries that are being made.
#[derive(Default)]
struct UnderWay {
    tasks: JoinSet<String>,
    events: HashMap<String, MerchantId>,
}

impl UnderWay {
    fn has_place_for(&self, event: &Event) -> bool {
        let of_merchant = self.events.values().filter(|id| **id == event.merchant).count();
        !self.events.contains_key(&event.id)
            && self.events.len() < UNDER_WAY_MAX
            && of_merchant < PER_MERCHANT_MAX as usize
    }

    fn start(&mut self, event: Event, delivery: Delivery) {
        self.events.insert(event.id.clone(), event.merchant);
        self.tasks.spawn(async move {
            let id = event.id.clone();
            if let Err(error) = delivery.deliver(event).await {
                tracing::error!(event.id = %id, error = format!("{error:#}"), "delivery not recorded");
            }
            id
        });
    }

    /// Ends when a delivery has ended; never, while there is none.
    async fn finish_one(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(id)) => {
                self.events.remove(&id);
            }
            Some(Err(error)) => {
                // A panic: which event it was is not known, so all places are counted anew.
                tracing::error!(%error, "a delivery panicked");
                self.events.clear();
            }
            None => std::future::pending().await,
        }
    }

    async fn finish_all(&mut self) {
        while !self.tasks.is_empty() {
            self.finish_one().await;
        }
    }
}

struct Delivery {
    store: Store,
    secret: MasterSecret,
    sender: Sender,
    clock: Clock,
}

impl Delivery {
    /// Makes one try and records it with what follows.
    async fn deliver(&self, event: Event) -> anyhow::Result<()> {
        let started_at = self.clock.now();
        let start = Instant::now();
        let headers = self.headers(&event)?;
        let outcome = self.sender.post(&event.url, headers, event.body.clone()).await;
        let attempt = Attempt {
            number: event.attempts.saturating_add(1),
            started_at,
            duration_ms: u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX),
            http_status: outcome.as_ref().ok().map(|answer| answer.status),
            outcome: shown(&outcome),
            answer: outcome.as_ref().map(|answer| answer.beginning.clone()).unwrap_or_default(),
        };
        let state = self.judge(&outcome, attempt.number);
        tracing::info!(
            event.id = %event.id, payment.id = %event.payment, attempt = attempt.number,
            outcome = attempt.outcome, state = state.as_str(), "webhook"
        );
        let id = event.id;
        self.store
            .write(move |tx| events::record_attempt(tx, &id, &attempt, state))
            .await
            .context("record the attempt")
    }

    fn headers(&self, event: &Event) -> anyhow::Result<HeaderMap> {
        let seconds = self.clock.now().seconds();
        let key = self.secret.webhook_key(event.merchant, 1);
        let signature = sign::signature(key.reveal(), &event.id, seconds, &event.body);
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_str(&event.id)?);
        headers.insert("webhook-timestamp", HeaderValue::from(seconds));
        headers.insert("webhook-signature", HeaderValue::from_str(&signature)?);
        Ok(headers)
    }

    /// 2xx ends it, 410 gives it up, everything else is tried again.
    fn judge(&self, outcome: &Result<Answer, NoAnswer>, attempts: u32) -> State {
        let retry_after_ms = match outcome {
            Ok(answer) if (200..300).contains(&answer.status) => return State::Delivered,
            Ok(answer) if answer.status == GONE => return State::Failed,
            Ok(answer) => answer.retry_after_ms,
            Err(_) => None,
        };
        let jitter = u32::from_be_bytes(secret::random_bytes());
        match retry::after_failure(attempts, self.clock.now(), jitter, retry_after_ms) {
            Next::TryAt(next_at) => State::Due { next_at },
            Next::GiveUp => State::Failed,
        }
    }
}

fn shown(outcome: &Result<Answer, NoAnswer>) -> String {
    match outcome {
        Ok(answer) => format!("HTTP {}", answer.status),
        Err(why) => why.to_string(),
    }
}
