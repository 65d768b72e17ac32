//! Delivery slots and rate limits: one merchant or receiver delays no other.

use std::sync::Arc;

use super::*;
use crate::store::events::Due;
use crate::webhooks::rate_limit::BURST;

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_delays_no_other_merchant() {
    let mut env = TestEnv::new();
    // Two receivers, so that the merchant's limit counts.
    let slow =
        [Receiver::start(vec![], Reply::Hang).await, Receiver::start(vec![], Reply::Hang).await];
    let quick = Receiver::start(vec![], Reply::status("200 OK")).await;
    for n in 0..20 {
        env.add_event(1, &slow[n % 2].url()).await;
    }
    env.start(LONG);
    let hits = || slow.iter().map(|receiver| receiver.hits().len()).sum::<usize>();
    until("four requests", || (hits() >= 4).then_some(())).await;
    for _ in 0..5 {
        let id = env.add_event(2, &quick.url()).await;
        assert_eq!(env.await_attempts(&id, 1).await.0.state, State::Delivered);
    }
    assert_eq!(hits(), 4, "at most the slots of one merchant");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_dead_receivers_delay_no_other_merchant() {
    let mut env = TestEnv::new();
    let mut dead = Vec::new();
    // Enough to take every slot if each merchant took all of its own.
    for n in 0..70 {
        let receiver = Receiver::start(vec![], Reply::Hang).await;
        for _ in 0..5 {
            env.add_event(100 + n, &receiver.url()).await;
        }
        dead.push(receiver);
    }
    env.start(LONG);
    for receiver in &dead {
        receiver.await_hits(1).await;
    }
    let quick = Receiver::start(vec![], Reply::status("200 OK")).await;
    for n in 0..10 {
        let id = env.add_event(n, &quick.url()).await;
        assert_eq!(env.await_attempts(&id, 1).await.0.state, State::Delivered);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_receiver_gets_a_limited_number_of_connections() {
    let mut env = TestEnv::new();
    let notified = Arc::new(tokio::sync::Notify::new());
    let receiver = Receiver::start(vec![], Reply::NotifiedBy(notified.clone())).await;
    let mut ids = Vec::new();
    for n in 0..12 {
        ids.push(env.add_event(n, &receiver.url()).await);
    }
    env.start(LONG);
    receiver.await_hits(4).await;
    // Another port of the same machine is another receiver.
    let neighbour = Receiver::start(vec![], Reply::status("200 OK")).await;
    let id = env.add_event(50, &neighbour.url()).await;
    env.await_attempts(&id, 1).await;
    for id in &ids {
        until("the delivery", || {
            notified.notify_one();
            Some(env.event(id)).filter(|(event, _)| event.state == State::Delivered)
        })
        .await;
    }
    assert_eq!(receiver.max_open(), 4);
    assert_eq!(receiver.hits().len(), 12, "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_respect_the_rate_limits() {
    let env = TestEnv::new();
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let (of_merchant, url) = (7, receiver.url());
    let id = env.add_event(of_merchant, &url).await;
    let event = |merchant_number, url: &str| Due {
        id: "evt_next".to_owned(),
        merchant: merchant(merchant_number),
        url: url.to_owned(),
    };
    let mut in_flight = InFlight::default();
    let now = Instant::now();
    let sender = Sender::new(PrivateNetworks::Allowed, Timeouts::default()).expect("a client");
    let delivery = || Delivery {
        store: env.store.clone(),
        secret: secret(),
        sender: sender.clone(),
        clock: env.clock(),
        shutdown: env.shutdown.clone(),
    };
    let other = "http://127.0.0.1:1/";
    for _ in 0..BURST {
        for sent in [event(of_merchant, &url), event(8, other)] {
            assert!(in_flight.has_slot_for(&sent, now), "within the burst");
        }
        // A delivered event is no longer due.
        let (delivery, sent) = (delivery(), id.clone());
        let due = Due { id: id.clone(), ..event(of_merchant, &url) };
        in_flight.start(&due, now, async move { delivery.deliver_or_pause(&sent).await });
        in_flight.finish_all().await;
    }
    assert_eq!(receiver.hits().len(), 1);
    assert!(!in_flight.has_slot_for(&event(of_merchant, other), now), "the merchant's rate");
    assert!(!in_flight.has_slot_for(&event(8, &url), now), "the receiver's rate");
    assert!(in_flight.has_slot_for(&event(8, other), now), "no other merchant or receiver");
    assert!(in_flight.has_slot_for(&event(of_merchant, &url), now + Duration::from_secs(1)));
}
