//! Tests of the outbox on a real database.

use super::*;
use crate::domain::event::id_of;
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::payment::Payment;
use crate::store::{Store, indexes, merchants, payments};

fn at(ms: i64) -> Timestamp {
    Timestamp::from_ms(ms)
}

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    (dir, store)
}

/// An event of this merchant that is due from `ms` on, for a separate payment.
fn event(tx: &WriteTx, of: u64, ms: i64) -> Result<NewEvent, Error> {
    let merchant = MerchantId::from_random(of);
    if merchants::by_id(tx, merchant)?.is_none() {
        merchants::insert(tx, &Merchant::new_shop(merchant))?;
    }
    let index = indexes::next_index(tx)?;
    let payment = Payment::smallest(merchant, index, at(0));
    payments::insert(tx, &payment)?;
    Ok(NewEvent {
        id: id_of(payment.id, EventKind::Completed, None),
        index,
        kind: EventKind::Completed,
        sequence: 1,
        merchant,
        url: Some("https://shop.example/hook".to_owned()),
        body: "{\"a\": \"ä\u{0}\\n\"}".to_owned(),
        created_at: at(ms),
    })
}

fn add(store: &Store, of: u64, ms: i64) -> NewEvent {
    let added = store.write_blocking(move |tx| {
        let event = event(tx, of, ms)?;
        insert(tx, &event)?;
        Ok::<_, Error>(event)
    });
    added.expect("written")
}

fn one(store: &Store, id: &str) -> Event {
    let all = store.read_blocking(|tx| list(tx, &Wanted::default(), 100)).expect("read");
    all.into_iter().find(|event| event.id == id).expect("the event")
}

fn attempt(number: u32) -> Attempt {
    Attempt {
        number,
        started_at: at(7),
        duration_ms: 12,
        http_status: Some(500),
        outcome: "HTTP 500".to_owned(),
        answer: "ä".repeat(256),
    }
}

fn record(store: &Store, id: &str, number: u32, state: State) -> Result<(), Error> {
    let id = id.to_owned();
    store.write_blocking(move |tx| record_attempt(tx, &id, &attempt(number), state))
}

#[test]
fn an_event_is_due_at_once_and_keeps_its_exact_body() {
    let (_dir, store) = open();
    let new = add(&store, 1, 5);
    let found = one(&store, &new.id);
    assert_eq!((found.state, found.attempts), (State::Due { next_at: at(5) }, 0));
    assert_eq!((found.body, found.url, found.merchant), (new.body, new.url, new.merchant));
    assert_eq!(store.read_blocking(count_due).expect("read"), 1);
}

#[test]
fn a_payment_has_one_event_of_a_kind() {
    let (_dir, store) = open();
    let mut again = add(&store, 1, 5);
    again.id.push('x');
    assert!(store.write_blocking(move |tx| insert(tx, &again)).is_err());
}

#[test]
fn an_event_and_its_cause_are_stored_together_or_not_at_all() {
    let (_dir, store) = open();
    let refused = store.write_blocking(|tx| {
        insert(tx, &event(tx, 1, 5)?)?;
        Err::<(), Error>(Error::Busy)
    });
    assert!(refused.is_err());
    assert!(store.read_blocking(|tx| list(tx, &Wanted::default(), 9)).expect("read").is_empty());
}

#[test]
fn a_merchants_backlog_hides_no_other_merchants_event() {
    let (_dir, store) = open();
    // Merchant 1's events have waited longest.
    let (a, b, c) = (add(&store, 1, 1), add(&store, 1, 2), add(&store, 1, 3));
    let (d, e) = (add(&store, 2, 8), add(&store, 3, 9));
    let future = add(&store, 4, 20);
    let check = |now: i64, per_merchant: u32, limit: u32, expected: &[&NewEvent]| {
        let found = store.read_blocking(|tx| due(tx, at(now), per_merchant, limit)).expect("read");
        let found: Vec<&str> = found.iter().map(|event| event.id.as_str()).collect();
        let expected: Vec<&str> = expected.iter().map(|event| event.id.as_str()).collect();
        assert_eq!(found, expected, "at {now}, {per_merchant} each, {limit} in all");
    };
    check(10, 9, 9, &[&a, &d, &e, &b, &c]);
    check(10, 2, 9, &[&a, &d, &e, &b]);
    check(10, 9, 3, &[&a, &d, &e]);
    check(2, 9, 9, &[&a, &b]);
    check(20, 1, 9, &[&a, &d, &e, &future]);
    check(0, 9, 9, &[]);
}

#[test]
fn a_long_backlog_does_not_slow_the_due_query() {
    let (_dir, store) = open();
    for of in 1..=3 {
        add(&store, of, 1);
    }
    let copied = store.write_blocking(|tx| {
        let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
                   INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                       created_at, expires_at, late_until, confirmations, confirmations_pegout)
                   SELECT n + 100, randomblob(16), merchant_id, randomblob(22), 1, 0, 0, 0, 1, 1
                   FROM n JOIN payments ON derivation_index = n % 3";
        tx.connection.execute(sql, [])?;
        let sql = "INSERT INTO events (id, derivation_index, kind, merchant_id, sequence, url,
                       body, created_at, next_at)
                   SELECT 'evt_' || hex(id), derivation_index, 'completed', merchant_id, 1, 'u',
                       'b', 1, derivation_index
                   FROM payments WHERE derivation_index > 100";
        tx.connection.execute(sql, [])?;
        tx.seal_all()
    });
    copied.expect("written");
    let start = std::time::Instant::now();
    let found = store.read_blocking(|tx| due(tx, at(1_000_000), 8, 1_024)).expect("read");
    assert_eq!(found.len(), 24);
    let took = start.elapsed();
    assert!(took.as_millis() < 100, "{took:?}");
}

#[test]
fn an_attempt_and_the_next_state_are_one_write() {
    let (_dir, store) = open();
    let id = add(&store, 1, 5).id;
    record(&store, &id, 1, State::Due { next_at: at(50) }).expect("recorded");
    record(&store, &id, 2, State::Delivered).expect("recorded");
    assert_eq!((one(&store, &id).state, one(&store, &id).attempts), (State::Delivered, 2));
    let tries = store.read_blocking(|tx| attempts(tx, &id, None, 100)).expect("read");
    assert_eq!(tries, [attempt(2), attempt(1)], "newest first");
    assert_eq!(store.read_blocking(count_due).expect("read"), 0);
    // An attempt that cannot be stored does not change the event.
    assert!(record(&store, &id, 2, State::Failed).is_err());
    assert_eq!(one(&store, &id).state, State::Delivered);
    assert!(record(&store, "evt_unknown", 1, State::Failed).is_err());
}

#[test]
fn a_finished_event_can_be_sent_again() {
    let (_dir, store) = open();
    for end in [State::Delivered, State::Failed] {
        let id = add(&store, 1, 5).id;
        record(&store, &id, 1, end).expect("recorded");
        let again = id.clone();
        assert!(store.write_blocking(move |tx| resend(tx, &again, at(99))).expect("written"));
        let found = one(&store, &id);
        assert_eq!((found.state, found.attempts), (State::Due { next_at: at(99) }, 1));
    }
    assert!(!store.write_blocking(|tx| resend(tx, "evt_unknown", at(99))).expect("written"));
}

#[test]
fn the_events_of_a_merchant_are_paginated() {
    let (_dir, store) = open();
    let mut expected: Vec<NewEvent> =
        [5, 7, 7, 7, 9].into_iter().map(|ms| add(&store, 1, ms)).collect();
    add(&store, 2, 7);
    expected.sort_by(|a, b| b.created_at.cmp(&a.created_at).then(a.id.cmp(&b.id)));
    let mut found: Vec<String> = Vec::new();
    loop {
        let after = found.last().map(|id| one(&store, id));
        let merchant = Some(MerchantId::from_random(1));
        let wanted = Wanted { merchant, state: Some("due"), after: after.as_ref() };
        let page = store.read_blocking(|tx| list(tx, &wanted, 2)).expect("read");
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|event| event.id));
    }
    assert_eq!(found, expected.into_iter().map(|event| event.id).collect::<Vec<String>>());
}

#[test]
fn events_are_listed_by_state_and_payment() {
    let (_dir, store) = open();
    let (old, new) = (add(&store, 1, 5), add(&store, 2, 6));
    record(&store, &old.id, 1, State::Failed).expect("recorded");
    let ids = |only, limit| {
        let found = store
            .read_blocking(|tx| list(tx, &Wanted { state: only, ..Wanted::default() }, limit))
            .expect("read");
        found.into_iter().map(|event| event.id).collect::<Vec<String>>()
    };
    assert_eq!(ids(None, 9), [new.id.clone(), old.id.clone()], "newest first");
    assert_eq!(ids(None, 1), [new.id]);
    assert_eq!(ids(Some("failed"), 9), std::slice::from_ref(&old.id));
    let of_one = store.read_blocking(|tx| of_payment(tx, old.index)).expect("read");
    assert_eq!(of_one.into_iter().map(|event| event.id).collect::<Vec<String>>(), [old.id]);
}
