//! Tests that each kind of change to the log is reported with its first row.

use super::*;
use crate::domain::time::Timestamp;
use crate::store::audit_log::{Act, append};

fn act(after: &str) -> Act {
    Act {
        at: Timestamp::from_ms(5),
        actor: "cli".to_owned(),
        place: None,
        act: "set_name",
        merchant: None,
        before: None,
        after: Some(after.to_owned()),
    }
}

fn log_of(rows: usize) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    let write =
        move |tx: &super::super::WriteTx| (0..rows).try_for_each(|_| append(tx, &act("a name")));
    store.write_blocking(write).expect("written");
    (dir, store)
}

/// Changes the log despite its triggers.
fn tamper(store: &Store, sql: &'static str) {
    let change = |tx: &super::super::WriteTx| {
        let triggers = "DROP TRIGGER audit_log_stays; DROP TRIGGER audit_log_is_fixed;";
        tx.connection.execute_batch(triggers)?;
        Ok::<_, Error>(tx.connection.execute_batch(sql)?)
    };
    store.write_blocking(change).expect("changed");
}

#[track_caller]
fn check_after(sql: &'static str, expected: Break) {
    let (_dir, store) = log_of(5);
    let known = [known(&store)];
    let clean = check(&store, Extent::All, &known).expect("read");
    assert_eq!((clean.rows, clean.found), (5, None));
    tamper(&store, sql);
    let found = check(&store, Extent::All, &known).expect("read").found;
    assert_eq!(found, Some(expected), "{sql}");
}

fn known(store: &Store) -> KnownHead {
    KnownHead { source: "a test", head: store.read_blocking(head).expect("read") }
}

#[test]
fn the_first_row_that_breaks_the_hash_chain_is_reported() {
    for sql in [
        "UPDATE audit_log SET at = 6 WHERE id = 3",
        "UPDATE audit_log SET actor = 'cli ' WHERE id = 3",
        "UPDATE audit_log SET place = '' WHERE id = 3",
        "UPDATE audit_log SET act = 'set_nam' WHERE id = 3",
        "UPDATE audit_log SET before = '' WHERE id = 3",
        "UPDATE audit_log SET after = NULL WHERE id = 3",
        "UPDATE audit_log SET before = after, after = NULL WHERE id = 3",
        "UPDATE audit_log SET hash = zeroblob(32) WHERE id = 3",
        "INSERT INTO merchants (id, name, created_at) VALUES (9, 'x', 1);
         UPDATE audit_log SET merchant_id = 9 WHERE id = 3",
    ] {
        check_after(sql, Break::Changed { id: 3 });
    }
}

#[test]
fn missing_rows_are_reported_at_every_position() {
    let missing = |first, last| Break::Missing { first, last };
    check_after("DELETE FROM audit_log WHERE id = 1", missing(1, 1));
    check_after("DELETE FROM audit_log WHERE id IN (2, 3)", missing(2, 3));
    let cut = |last| Break::CutOff { last, head: 5, source: "a test" };
    check_after("DELETE FROM audit_log WHERE id > 3", cut(3));
    check_after("DELETE FROM audit_log", cut(0));
}

#[test]
fn a_recomputed_log_does_not_match_a_known_head() {
    let (_dir, store) = log_of(5);
    let known = known(&store);
    tamper(&store, "DELETE FROM audit_log WHERE id >= 3");
    let forge = |tx: &super::super::WriteTx| {
        ["a name", "forged", "a name"].iter().try_for_each(|name| append(tx, &act(name)))
    };
    store.write_blocking(forge).expect("written");
    let alone = check(&store, Extent::All, &[]).expect("read");
    assert_eq!((alone.rows, alone.found), (5, None), "the chain itself fits");
    let found = check(&store, Extent::All, &[known]).expect("read").found;
    assert_eq!(found, Some(Break::Rewritten { id: 5, source: "a test" }));
}

#[test]
fn a_long_log_is_checked_in_pages_or_by_its_newest_rows() {
    let rows = 2 * ROWS_MAX as usize + 1;
    let (_dir, store) = log_of(rows);
    let all = check(&store, Extent::All, &[]).expect("read");
    assert_eq!((all.rows, all.partly, all.found), (rows as u64, false, None));
    let newest = check(&store, Extent::Newest(1_500), &[]).expect("read");
    assert_eq!((newest.rows, newest.partly, newest.found), (1_500, true, None));
    tamper(&store, "UPDATE audit_log SET at = 6 WHERE id IN (7, 1999)");
    let all = check(&store, Extent::All, &[]).expect("read");
    assert_eq!((all.rows, all.found), (6, Some(Break::Changed { id: 7 })));
    let newest = check(&store, Extent::Newest(1_500), &[]).expect("read");
    assert_eq!(newest.found, Some(Break::Changed { id: 1999 }));
}

#[test]
fn a_log_is_followed_from_a_known_head() {
    let (_dir, store) = log_of(3);
    let known = |head| KnownHead { source: "a note", head };
    let follow = |known: &KnownHead| follow(&store, Some(known), || {}).expect("read");
    let third = store.read_blocking(head).expect("read");
    assert_eq!(super::follow(&store, None, || {}).expect("read"), Ok(third));
    assert_eq!(follow(&known(EMPTY)), Ok(third));
    store.write_blocking(|tx| append(tx, &act("another"))).expect("written");
    let fourth = store.read_blocking(head).expect("read");
    assert_eq!(follow(&known(third)), Ok(fourth));
    assert_eq!(follow(&known(fourth)), Ok(fourth));
    let other = Head { id: 3, hash: [9; 32] };
    assert_eq!(follow(&known(other)), Err(Break::Rewritten { id: 3, source: "a note" }));
    let later = Head { id: 5, ..fourth };
    assert_eq!(follow(&known(later)), Err(Break::CutOff { last: 4, head: 5, source: "a note" }));
    tamper(&store, "UPDATE audit_log SET after = 'x' WHERE id = 4");
    assert_eq!(follow(&known(third)), Err(Break::Changed { id: 4 }));
}
