//! Tests of the retry pauses and of the error text for users.

use super::*;

#[test]
fn retry_pauses_grow_up_to_the_usual_interval() {
    #[track_caller]
    fn check(failures: u32, longest: u64, expected: u64) {
        let pause = pause_after(failures, Duration::from_secs(longest));
        assert_eq!(pause, Duration::from_secs(expected), "{failures} failures");
    }
    check(0, 60, 60);
    for (failures, seconds) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (u32::MAX, 60)] {
        check(failures, 60, seconds);
    }
    check(5, 3, 3);
}

#[test]
fn sqlite_errors_are_hidden_from_the_sweep_requester() {
    let sqlite = rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(2067),
        Some("UNIQUE constraint failed: sweep_txs.txid".to_owned()),
    );
    let error = anyhow::Error::from(store::Error::Sqlite(sqlite)).context("store the sweep");
    assert_eq!(
        user_message(&error),
        "store the sweep: the database refused a write: see the sweeper's log"
    );
    let other = anyhow::Error::from(store::Error::Busy).context("store the sweep");
    assert_eq!(user_message(&other), "store the sweep: the database is busy");
}
