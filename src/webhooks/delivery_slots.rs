//! Deliveries under way, and who may have a place among them: bounded in all, for each merchant and
//! for each receiver, so that a slow or dead one takes its own places only.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use crate::domain::merchant::MerchantId;
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl};
use crate::store::events::Due;

use super::rate_limit::RateLimit;

/// Deliveries under way at a time, in all.
const IN_FLIGHT_MAX: usize = 256;

/// Deliveries under way at a time for one merchant: its slow receiver takes its own places only.
const PER_MERCHANT_MAX: usize = 4;

/// Deliveries under way at a time to one host and port, whoever they are for: nobody can use us
/// as a hammer by naming somebody else's URL.
const PER_RECEIVER_MAX: usize = 4;

/// Of those, how many are one merchant's: where shops share a host, a slow one leaves a place to
/// the others.
const PER_RECEIVER_OF_ONE_MAX: usize = 3;

/// From so many deliveries under way on, a merchant gets one place instead of several. However
/// many receivers are dead, a merchant who has nothing under way so finds a place.
const CROWDED: usize = IN_FLIGHT_MAX / 2;

/// Deliveries that are being made.
#[derive(Default)]
pub(super) struct InFlight {
    tasks: JoinSet<String>,
    /// By the event's id.
    delivery_slots: HashMap<String, Place>,
    /// How many places each merchant and each receiver has taken; none is left out.
    of_merchant: HashMap<MerchantId, usize>,
    of_receiver: HashMap<String, usize>,
    /// A merchant can name many names of one machine, so both have a pace.
    rate_limit_of_merchant: RateLimit<MerchantId>,
    rate_limit_of_receiver: RateLimit<String>,
}

/// Whose places a delivery takes.
struct Place {
    merchant: MerchantId,
    receiver: String,
}

impl InFlight {
    /// Whether an event that is due may be sent now.
    pub(super) fn has_slot_for(&self, event: &Due, now: Instant) -> bool {
        if self.delivery_slots.len() >= IN_FLIGHT_MAX || self.delivery_slots.contains_key(&event.id)
        {
            return false;
        }
        let of_merchant = self.of_merchant.get(&event.merchant).copied().unwrap_or(0);
        let crowded = self.delivery_slots.len() >= CROWDED;
        let most = if crowded { 1 } else { PER_MERCHANT_MAX };
        if of_merchant >= most || !self.rate_limit_of_merchant.allows(&event.merchant, now) {
            return false;
        }
        let receiver = receiver_of(event);
        let of_receiver = self.of_receiver.get(&receiver).copied().unwrap_or(0);
        let of_both = self.delivery_slots.values();
        let of_both =
            of_both.filter(|place| place.merchant == event.merchant && place.receiver == receiver);
        of_receiver < PER_RECEIVER_MAX
            && of_both.count() < PER_RECEIVER_OF_ONE_MAX
            && self.rate_limit_of_receiver.allows(&receiver, now)
    }

    /// Takes a place for an event, until its delivery ends.
    pub(super) fn start(
        &mut self,
        event: &Due,
        now: Instant,
        delivery: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = event.id.clone();
        let place = Place { merchant: event.merchant, receiver: receiver_of(event) };
        *self.of_merchant.entry(place.merchant).or_default() += 1;
        *self.of_receiver.entry(place.receiver.clone()).or_default() += 1;
        self.rate_limit_of_merchant.count(place.merchant, now);
        self.rate_limit_of_receiver.count(place.receiver.clone(), now);
        self.delivery_slots.insert(id.clone(), place);
        self.tasks.spawn(async move {
            delivery.await;
            id
        });
    }

    /// Ends when a delivery has ended; never, while there is none.
    pub(super) async fn finish_one(&mut self) {
        match self.tasks.join_next().await {
            Some(ended) => self.free(ended),
            None => std::future::pending().await,
        }
        while let Some(ended) = self.tasks.try_join_next() {
            self.free(ended);
        }
    }

    fn free(&mut self, ended: Result<String, JoinError>) {
        // Panics of a delivery are caught inside of it, and nobody ends one from outside.
        let id = ended.expect("a delivery neither panics nor is aborted");
        let place = self.delivery_slots.remove(&id).expect("a delivery has a place until it ends");
        give_back(&mut self.of_merchant, &place.merchant);
        give_back(&mut self.of_receiver, &place.receiver);
    }

    pub(super) async fn finish_all(&mut self) {
        while !self.tasks.is_empty() {
            self.finish_one().await;
        }
    }
}

/// Counts one less, and forgets whose count is zero.
fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    let count = counts.get_mut(key).expect("what is given back was taken");
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
}

/// Host and port that an event is sent to.
fn receiver_of(event: &Due) -> String {
    // Whether the target may be reached is judged when it is sent.
    match WebhookUrl::parse(&event.url, PrivateNetworks::Allowed) {
        Ok(url) => url.receiver(),
        Err(_) => event.url.clone(),
    }
}
