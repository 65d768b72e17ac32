//! The store's own promises, on a real file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::domain::merchant::{BusinessName, Merchant, MerchantId, Subscription, WebhookSecret};
use crate::domain::time::Timestamp;

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    (dir, store)
}

fn merchant(n: u64) -> Merchant {
    Merchant {
        id: MerchantId::from_random(n),
        name: BusinessName::parse("Shop").expect("a name"),
        discord_id: None,
        created_at: Timestamp::from_ms(0),
        key_version: 1,
        previous_key_until: None,
        webhook_url: None,
        confirmations: None,
        subscription: Subscription::None,
        webhook_secret: WebhookSecret::FIRST,
    }
}

#[test]
fn a_job_that_fails_takes_nobody_with_it() {
    let (_dir, store) = open();
    let failed = store.write_blocking(|tx| {
        merchants::insert(tx, &merchant(1))?;
        Err::<(), Error>(Error::Busy)
    });
    assert!(matches!(failed, Err(Error::Busy)));
    store.write_blocking(|tx| merchants::insert(tx, &merchant(2))).expect("written");
    let all = store.read_blocking(merchants::all).expect("read");
    assert_eq!(all, [merchant(2)]);
}

#[test]
fn a_job_that_panics_is_taken_back_and_the_writer_lives() {
    let (_dir, store) = open();
    let inside = store.clone();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        inside.write_blocking(|tx| {
            merchants::insert(tx, &merchant(1))?;
            if true {
                panic!("a bug");
            }
            Ok::<(), Error>(())
        })
    }));
    assert!(panicked.is_err());
    store.write_blocking(|tx| merchants::insert(tx, &merchant(2))).expect("written");
    assert_eq!(store.read_blocking(merchants::all).expect("read"), [merchant(2)]);
}

#[test]
fn many_writers_at_once_all_get_their_answer() {
    let (_dir, store) = open();
    let done = Arc::new(AtomicU32::new(0));
    std::thread::scope(|scope| {
        for n in 0..32 {
            let (store, done) = (store.clone(), done.clone());
            scope.spawn(move || {
                store
                    .write_blocking(move |tx| merchants::insert(tx, &merchant(n)))
                    .expect("written");
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
    });
    assert_eq!(done.load(Ordering::SeqCst), 32);
    assert_eq!(store.read_blocking(merchants::all).expect("read").len(), 32);
}

#[test]
fn a_reader_cannot_write() {
    let (_dir, store) = open();
    let refused = store.read_blocking(|tx| {
        tx.connection.execute("DELETE FROM merchants", [])?;
        Ok::<(), Error>(())
    });
    assert!(refused.is_err());
}

#[test]
fn the_file_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, _store) = open();
    let mode = std::fs::metadata(dir.path().join("litegate.db")).expect("a file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let (dir, store) = open();
    drop(store);
    let path = dir.path().join("litegate.db");
    let connection = Connection::open(&path).expect("open");
    connection.pragma_update(None, "user_version", 99).expect("update");
    drop(connection);
    assert!(matches!(Store::open(&path), Err(Error::Newer { found: 99, .. })));
}

#[test]
fn writes_are_durable_before_they_are_answered() {
    let (_dir, store) = open();
    let (mode, level) = store
        .write_blocking(|tx| {
            let mode: String = tx.connection.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
            let level: i64 = tx.connection.query_row("PRAGMA synchronous", [], |r| r.get(0))?;
            Ok::<_, Error>((mode, level))
        })
        .expect("asked");
    assert_eq!((mode.as_str(), level), ("wal", 2), "WAL, synchronous FULL");
}
