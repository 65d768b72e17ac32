//! Delivery slots: concurrent deliveries, bounded in all, per merchant and per receiver, so
//! that a slow or dead receiver takes only its own slots.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Instant;

use tokio::task::{JoinError, JoinSet};

use crate::domain::merchant::MerchantId;
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl};
use crate::store::events::Due;

use super::rate_limit::RateLimit;

const IN_FLIGHT_MAX: usize = 256;

const PER_MERCHANT_MAX: usize = 4;

/// Concurrent deliveries to one host and port, for all merchants, so that the gateway cannot
/// be used to attack another's server.
const PER_RECEIVER_MAX: usize = 4;

/// Of those, how many are for one merchant, so that shops on one host leave a slot to each
/// other.
const PER_RECEIVER_OF_ONE_MAX: usize = 3;

/// From so many deliveries on, a merchant gets one slot instead of several, so that a merchant
/// with no delivery in flight finds a slot even if many receivers are dead.
const CROWDED: usize = IN_FLIGHT_MAX / 2;

#[derive(Default)]
pub(super) struct InFlight {
    tasks: JoinSet<String>,
    /// By the event's id.
    delivery_slots: HashMap<String, Slot>,
    /// Slots taken by each merchant and each receiver. Zeros are removed.
    of_merchant: HashMap<MerchantId, usize>,
    of_receiver: HashMap<String, usize>,
    /// Both are limited, because one machine can have many names.
    rate_limit_of_merchant: RateLimit<MerchantId>,
    rate_limit_of_receiver: RateLimit<String>,
}

struct Slot {
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
            of_both.filter(|slot| slot.merchant == event.merchant && slot.receiver == receiver);
        of_receiver < PER_RECEIVER_MAX
            && of_both.count() < PER_RECEIVER_OF_ONE_MAX
            && self.rate_limit_of_receiver.allows(&receiver, now)
    }

    /// Takes a slot for an event until its delivery ends.
    pub(super) fn start(
        &mut self,
        event: &Due,
        now: Instant,
        delivery: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = event.id.clone();
        let slot = Slot { merchant: event.merchant, receiver: receiver_of(event) };
        *self.of_merchant.entry(slot.merchant).or_default() += 1;
        *self.of_receiver.entry(slot.receiver.clone()).or_default() += 1;
        self.rate_limit_of_merchant.count(slot.merchant, now);
        self.rate_limit_of_receiver.count(slot.receiver.clone(), now);
        self.delivery_slots.insert(id.clone(), slot);
        self.tasks.spawn(async move {
            delivery.await;
            id
        });
    }

    /// Ends after a delivery. Waits forever while there is none.
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
        // `Delivery` catches panics, and no code aborts the task.
        let id = ended.expect("a delivery neither panics nor is aborted");
        let slot = self.delivery_slots.remove(&id).expect("a delivery has a slot until it ends");
        release(&mut self.of_merchant, &slot.merchant);
        release(&mut self.of_receiver, &slot.receiver);
    }

    pub(super) async fn finish_all(&mut self) {
        while !self.tasks.is_empty() {
            self.finish_one().await;
        }
    }
}

/// Subtracts one, and removes a count of zero.
fn release<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    let count = counts.get_mut(key).expect("a released slot was taken");
    *count -= 1;
    if *count == 0 {
        counts.remove(key);
    }
}

fn receiver_of(event: &Due) -> String {
    // The address is checked when the event is sent.
    match WebhookUrl::parse(&event.url, PrivateNetworks::Allowed) {
        Ok(url) => url.receiver(),
        Err(_) => event.url.clone(),
    }
}
