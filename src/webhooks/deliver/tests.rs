//! The outbox loop with a real database, against receivers that misbehave.

mod slots;

use std::sync::Arc;

use tokio::task::JoinSet;

use super::*;
use crate::domain::event::{NewEvent, id_of};
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::Payment;
use crate::domain::time::DAY_MS;
use crate::domain::webhook_url::PrivateNetworks;
use crate::store::{indexes, merchants, payments};
use crate::webhooks::receiver::{Receiver, Reply, until};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// An outbox with the role.
struct TestEnv {
    dir: tempfile::TempDir,
    store: Store,
    notifier: Notifier,
    shutdown: CancellationToken,
    role: JoinSet<()>,
}

fn secret() -> Secrets {
    Secrets::new(crate::secret::MasterSecret::new([7; 32]), None)
}

fn merchant(n: u64) -> MerchantId {
    MerchantId::from_random(n)
}

impl TestEnv {
    fn new() -> TestEnv {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let (notifier, shutdown) = (Notifier::new(), CancellationToken::new());
        TestEnv { dir, store, notifier, shutdown, role: JoinSet::new() }
    }

    fn clock(&self) -> Clock {
        Clock::moved_by(self.dir.path().join("offset"))
    }

    /// Moves the clock this far from the start.
    fn let_pass(&self, passed: Duration) {
        let ms = passed.as_millis().to_string();
        std::fs::write(self.dir.path().join("offset"), ms).expect("written");
    }

    fn start(&mut self, total: Duration) {
        let webhooks = Webhooks {
            store: self.store.clone(),
            secret: secret(),
            settings: Settings { egress: PrivateNetworks::Allowed.into() },
            notifier: self.notifier.clone(),
            clock: self.clock(),
            shutdown: self.shutdown.clone(),
        };
        let timeouts = Timeouts { connect: total, total };
        let sender = Sender::new(PrivateNetworks::Allowed, timeouts).expect("a client");
        self.role.spawn(async move { webhooks.run_with(&sender).await });
    }

    /// Stores a completed payment with a due event, and returns the event's id.
    async fn add_event(&self, of: u64, url: &str) -> String {
        let (url, now) = (url.to_owned(), self.clock().now());
        let id = self.store.write(move |tx| {
            if merchants::by_id(tx, merchant(of))?.is_none() {
                merchants::insert(tx, &shop(of))?;
            }
            let index = indexes::next_index(tx)?;
            let payment = Payment::smallest(merchant(of), index, now);
            payments::insert(tx, &payment)?;
            let id = id_of(payment.id, EventKind::Completed, None);
            let event = NewEvent {
                id: id.clone(),
                index,
                kind: EventKind::Completed,
                sequence: 1,
                merchant: merchant(of),
                url: Some(url),
                body: format!(r#"{{"paymentId":"{}"}}"#, payment.id),
                created_at: now,
            };
            events::insert(tx, &event)?;
            Ok::<_, crate::store::Error>(id)
        });
        let id = id.await.expect("written");
        self.notifier.notify_webhooks();
        id
    }

    fn event(&self, id: &str) -> (Event, Vec<Attempt>) {
        let found = self.store.read_blocking(|tx| {
            let event = events::by_id(tx, id)?;
            let mut attempts = events::attempts(tx, id, None, 1_000)?;
            attempts.reverse();
            Ok::<_, crate::store::Error>((event, attempts))
        });
        let (event, attempts) = found.expect("read");
        (event.expect("the event"), attempts)
    }

    /// Waits for this many attempts, and returns them with the event.
    async fn await_attempts(&self, id: &str, count: usize) -> (Event, Vec<Attempt>) {
        until("the record", || Some(self.event(id)).filter(|(_, tries)| tries.len() >= count)).await
    }
}

fn shop(n: u64) -> Merchant {
    Merchant::new_shop(merchant(n))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_2xx_response_ends_the_delivery() {
    let mut env = TestEnv::new();
    let text = "HTTP/1.1 202 Accepted\r\ncontent-length: 7\r\n\r\nth\x1bank\n";
    let receiver = Receiver::start(vec![], Reply::Text(text.to_owned())).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    let (event, attempts) = env.await_attempts(&id, 1).await;
    assert_eq!((event.state, event.attempts), (State::Delivered, 1));
    assert_eq!((attempts[0].number, attempts[0].http_status), (1, Some(202)));
    assert_eq!(
        (attempts[0].outcome.as_str(), attempts[0].answer.as_str()),
        ("HTTP 202", "th\\u{1b}ank\\n")
    );
    let hit = receiver.hits().remove(0);
    assert!(hit.head.starts_with("POST /hook HTTP/1.1"), "{}", hit.head);
    assert_eq!(hit.body, event.body);
    assert_eq!(hit.header("content-type"), "application/json");
    assert_eq!(hit.header("webhook-id"), id);
    assert!(hit.header("user-agent").starts_with("litegate/"));
    let seconds: i64 = hit.header("webhook-timestamp").parse().expect("seconds");
    let key = secret().current().webhook_key(merchant(1), 1);
    let signature = sign::signature(key.reveal(), &id, seconds, &event.body);
    assert_eq!(hit.header("webhook-signature"), signature);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_delivery_repeats_the_same_id_and_body() {
    let mut env = TestEnv::new();
    let first = vec![Reply::status("500 Oops"), Reply::status("302 Found\r\nlocation: /there")];
    let receiver = Receiver::start(first, Reply::status("200 OK")).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    let (event, _) = env.await_attempts(&id, 1).await;
    assert!(matches!(event.state, State::Due { .. }), "{event:?}");
    env.let_pass(Duration::from_secs(6));
    env.await_attempts(&id, 2).await;
    env.let_pass(Duration::from_secs(6 + 331));
    let (event, attempts) = env.await_attempts(&id, 3).await;
    assert_eq!(event.state, State::Delivered);
    let statuses: Vec<Option<u16>> = attempts.iter().map(|try_| try_.http_status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(200)]);
    let hits = receiver.hits();
    assert!(hits.iter().all(|hit| hit.header("webhook-id") == id && hit.body == hits[0].body));
    let timestamps: Vec<&str> = hits.iter().map(|hit| hit.header("webhook-timestamp")).collect();
    assert!(timestamps[0] < timestamps[1], "each try is signed anew: {timestamps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_is_retried_like_any_other_status() {
    let mut env = TestEnv::new();
    let receiver = Receiver::start(vec![Reply::status("410 Gone")], Reply::status("200 OK")).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    let (event, attempts) = env.await_attempts(&id, 1).await;
    let State::Due { next_at } = event.state else { panic!("not retried: {event:?}") };
    assert!(next_at.ms_since(attempts[0].started_at) < 60_000, "the usual first pause");
    env.let_pass(Duration::from_secs(60));
    let (event, attempts) = env.await_attempts(&id, 2).await;
    assert_eq!((event.state, attempts[0].http_status), (State::Delivered, Some(410)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_410_with_retry_after_waits_as_long_as_asked() {
    let mut env = TestEnv::new();
    let reply = Reply::status("410 Gone\r\nretry-after: 3600");
    let receiver = Receiver::start(vec![], reply).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    let (event, attempts) = env.await_attempts(&id, 1).await;
    let State::Due { next_at } = event.state else { panic!("{event:?}") };
    assert!(next_at.ms_since(attempts[0].started_at) >= 3_600_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_times_out() {
    let mut env = TestEnv::new();
    let receiver = Receiver::start(vec![], Reply::Hang).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(Duration::from_secs(1));
    let (event, attempts) = env.await_attempts(&id, 1).await;
    assert!(matches!(event.state, State::Due { .. }), "{event:?}");
    assert_eq!(
        (attempts[0].http_status, attempts[0].outcome.as_str()),
        (None, "the receiver took too long")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_after_header_of_a_receiver_is_honoured() {
    let mut env = TestEnv::new();
    // An hour, and a date that is further away than anybody may ask for.
    let first = vec![Reply::status("429 Slow\r\nretry-after: 3600")];
    let date = "503 Later\r\nretry-after: Wed, 01 Jan 2200 00:00:00 GMT";
    let receiver = Receiver::start(first, Reply::status(date)).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    let (event, attempts) = env.await_attempts(&id, 1).await;
    let State::Due { next_at } = event.state else { panic!("{event:?}") };
    assert!(next_at.ms_since(attempts[0].started_at) >= 3_600_000);
    env.let_pass(Duration::from_secs(3_700));
    let (event, attempts) = env.await_attempts(&id, 2).await;
    let State::Due { next_at } = event.state else { panic!("{event:?}") };
    let waits_ms = next_at.ms_since(attempts[1].started_at);
    assert!((DAY_MS..DAY_MS + 60_000).contains(&waits_ms), "{waits_ms}");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_day_after_a_rotation_there_are_two_signatures() {
    let mut env = TestEnv::new();
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    env.start(LONG);
    let mut signed_by = Vec::new();
    for passed_ms in [0, 1, DAY_MS - 60_000, DAY_MS + 60_000] {
        env.let_pass(Duration::from_millis(passed_ms.unsigned_abs()));
        if passed_ms == 1 {
            let now = env.clock().now();
            let raised = env.store.write(move |tx| {
                merchants::raise_webhook_version(tx, merchant(1), now)?;
                merchants::raise_webhook_version(tx, merchant(1), now)
            });
            raised.await.expect("written");
            env.let_pass(Duration::from_millis(2));
        }
        let id = env.add_event(1, &receiver.url()).await;
        env.await_attempts(&id, 1).await;
        let hit = receiver.hits().last().expect("a request").clone();
        let seconds: i64 = hit.header("webhook-timestamp").parse().expect("seconds");
        let versions = hit.header("webhook-signature").split(' ').map(|given| {
            let fits = |version: &u32| {
                let key = secret().current().webhook_key(merchant(1), *version);
                sign::signature(key.reveal(), &id, seconds, &hit.body) == given
            };
            (1..=3).find(fits).expect("a signature by one of the secrets")
        });
        signed_by.push(versions.collect::<Vec<u32>>());
    }
    assert_eq!(signed_by, [vec![1], vec![3, 2], vec![3, 2], vec![3]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_requested_during_a_delivery_is_sent() {
    let mut env = TestEnv::new();
    let notified = Arc::new(tokio::sync::Notify::new());
    let receiver = Receiver::start(vec![], Reply::NotifiedBy(notified.clone())).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    receiver.await_hits(1).await;
    env.let_pass(Duration::from_millis(5));
    let (again, now) = (id.clone(), env.clock().now());
    let resent = env.store.write(move |tx| events::resend(tx, &again, now));
    assert!(resent.await.expect("written"));
    notified.notify_one();
    receiver.await_hits(2).await;
    notified.notify_one();
    let (event, attempts) = env.await_attempts(&id, 2).await;
    assert_eq!((event.state, attempts.len()), (State::Delivered, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_resend_restarts_the_retry_schedule() {
    let mut env = TestEnv::new();
    let replies = vec![Reply::status("410 Gone"), Reply::status("500 Oops")];
    let receiver = Receiver::start(replies, Reply::status("200 OK")).await;
    let id = env.add_event(1, &receiver.url()).await;
    // Nine attempts were made before the one that is answered with 410.
    for number in 1..=9 {
        let (of_write, now) = (id.clone(), env.clock().now());
        let attempt = Attempt {
            number,
            started_at: now,
            duration_ms: 0,
            http_status: None,
            outcome: "made up".to_owned(),
            answer: String::new(),
        };
        let state = State::Due { next_at: now };
        let recorded =
            env.store.write(move |tx| events::record_attempt(tx, &of_write, &attempt, state));
        recorded.await.expect("recorded");
    }
    env.start(LONG);
    assert_eq!(env.await_attempts(&id, 10).await.0.state, State::Failed);
    let (again, now) = (id.clone(), env.clock().now());
    let resent = env.store.write(move |tx| events::resend(tx, &again, now));
    assert!(resent.await.expect("written"));
    let (event, attempts) = env.await_attempts(&id, 11).await;
    let State::Due { next_at } = event.state else { panic!("given up at once: {event:?}") };
    assert!(next_at.ms_since(attempts[10].started_at) < 60_000, "the first pause is short");
    env.let_pass(Duration::from_secs(60));
    assert_eq!(env.await_attempts(&id, 12).await.0.state, State::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unrecordable_delivery_is_not_repeated() {
    let mut env = TestEnv::new();
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let id = env.add_event(1, &receiver.url()).await;
    // The second attempt is there already, so recording the next one fails.
    let now = env.clock().now();
    for number in [2, 1] {
        let attempt = Attempt {
            number,
            started_at: now,
            duration_ms: 0,
            http_status: None,
            outcome: "made up".to_owned(),
            answer: String::new(),
        };
        let id = id.clone();
        let state = State::Due { next_at: now };
        let recorded = env.store.write(move |tx| events::record_attempt(tx, &id, &attempt, state));
        recorded.await.expect("recorded");
    }
    env.start(LONG);
    receiver.await_hits(1).await;
    // A second merchant's events go through several rounds of the loop meanwhile.
    let other = Receiver::start(vec![], Reply::status("200 OK")).await;
    for _ in 0..5 {
        let id = env.add_event(2, &other.url()).await;
        env.await_attempts(&id, 1).await;
    }
    assert_eq!(receiver.hits().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_recorded_once_the_database_is_unlocked() {
    let mut env = TestEnv::new();
    let file = env.dir.path().join("litegate.db");
    env.store = Store::open_patient(&file, Duration::from_millis(50)).expect("the database");
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let id = env.add_event(1, &receiver.url()).await;
    let other = rusqlite::Connection::open(&file).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    env.start(LONG);
    receiver.await_hits(1).await;
    // Long enough for a write that waits 50 ms to fail.
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(env.event(&id).1.is_empty());
    other.execute_batch("COMMIT").expect("let go");
    assert_eq!(env.await_attempts(&id, 1).await.0.state, State::Delivered);
    assert_eq!(receiver.hits().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_in_flight_may_finish_during_shutdown() {
    let mut env = TestEnv::new();
    let notified = Arc::new(tokio::sync::Notify::new());
    let receiver = Receiver::start(vec![], Reply::NotifiedBy(notified.clone())).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    receiver.await_hits(1).await;
    env.shutdown.cancel();
    notified.notify_one();
    let ended = tokio::time::timeout(GRACE, env.role.join_next()).await;
    ended.expect("in time").expect("one role").expect("no panic");
    assert_eq!(env.event(&id).0.state, State::Delivered);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_hangs_does_not_delay_shutdown() {
    let mut env = TestEnv::new();
    let receiver = Receiver::start(vec![], Reply::Hang).await;
    let id = env.add_event(1, &receiver.url()).await;
    env.start(LONG);
    receiver.await_hits(1).await;
    env.shutdown.cancel();
    let ended = tokio::time::timeout(GRACE * 2, env.role.join_next()).await;
    ended.expect("in time").expect("one role").expect("no panic");
    let (event, attempts) = env.event(&id);
    assert!(matches!(event.state, State::Due { .. }) && attempts.is_empty(), "sent again later");
}
