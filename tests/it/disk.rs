//! Disk faults: full, failing, or with a damaged file; locks of other processes.

use std::fs;

use rusqlite::Connection;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::passes::Passes;
use crate::harness::powercut::{Disk, Recorder};
use crate::harness::random::setting;
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const BODY: &str = r#"{"amountLtc": 0.05}"#;

/// A POST that must get 503.
#[track_caller]
fn post_later(shop: &Shop) {
    let answer = shop.post(BODY, &[]);
    assert_eq!(answer.status, 503, "{}", answer.body);
    let error = Fields::of(&answer.body).object("error");
    assert_eq!(error.text("code"), "overloaded");
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
}

fn database(gateway: &Gateway) -> std::path::PathBuf {
    gateway.setting("database").into()
}

/// 1. Fill the disk while the gateway runs: new payments get 503, statuses are answered, and
///    the watcher waits.
/// 2. Free the disk: a payment made meanwhile completes, and no partial payment exists.
/// 3. The audit is clean.
#[test]
#[ignore = "long"]
fn a_full_disk_loses_nothing_and_allows_reads() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.term();
    let recorder = Recorder::preload(&gateway, Disk::Honest);
    gateway.start();
    let before = shop.create("0.05");
    recorder.fill_disk();
    post_later(&shop);
    post_later(&shop);
    assert_eq!(shop.status(&before.id).text("status"), "pending");
    node.send(&before.address, "0.05");
    node.mine(2);
    gateway.await_log(&["warn", "watcher pass failed", "full"]);
    assert!(gateway.ended().is_none(), "it continues");
    recorder.free_disk();
    shop.await_status(&before.id, "completed", SOON);
    let after = shop.create("0.05");
    let listed = gateway.cli_list(&["payment", "list"]);
    let listed: Vec<String> = listed.iter().map(|payment| payment.text("paymentId")).collect();
    assert_eq!(listed, [after.id, before.id], "no half payment");
    gateway.cli_ok(&["audit"]);
}

/// 1. Let a flush fail at one of `FLUSHES` instants while payments are created: the process
///    logs it and ends.
/// 2. Repair the disk and start: every answered payment exists, and the audit is clean.
#[test]
#[ignore = "long"]
fn a_failing_disk_ends_the_process_and_loses_no_answer() {
    let flushes = setting("FLUSHES", 6);
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.term();
    let recorder = Recorder::preload(&gateway, Disk::Honest);
    let mut answered = Vec::new();
    for pass in 0..flushes {
        gateway.start();
        recorder.break_disk_after(pass % 5);
        while let Ok(answer) = shop.try_post(BODY, &[]) {
            assert_eq!(answer.status, 200, "{}", answer.body);
            answered.push(Fields::of(&answer.body).text("paymentId"));
            assert!(answered.len() < 1_000, "it does not notice");
        }
        wait_for("the end", SOON, || gateway.ended().is_some());
        gateway.await_log(&["error", "the disk fails"]);
        recorder.mend_disk();
        gateway.kill();
    }
    gateway.start();
    gateway.await_tip(&node.height().to_string());
    answered.iter().for_each(|id| drop(shop.status(id)));
    gateway.cli_ok(&["audit"]);
}

#[test]
fn a_lock_held_by_another_process_is_awaited_briefly() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let before = shop.create("0.05");
    let other = Connection::open(database(&gateway)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    post_later(&shop);
    assert_eq!(shop.status(&before.id).text("status"), "pending");
    node.send(&before.address, "0.05");
    node.mine(2);
    gateway.await_log(&["warn", "watcher pass failed", "busy"]);
    assert!(gateway.ended().is_none(), "it continues");
    other.execute_batch("COMMIT").unwrap();
    shop.await_status(&before.id, "completed", SOON);
    shop.create("0.05");
    assert_eq!(gateway.cli_list(&["payment", "list"]).len(), 2);
}

#[test]
fn a_seen_payment_is_written_after_a_failed_write() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let other = Connection::open(database(&gateway)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    node.send(&payment.address, "0.05");
    gateway.await_log(&["error", "cannot begin to write"]);
    other.execute_batch("COMMIT").unwrap();
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.text("detail"), "seen");
}

/// 1. Damage the header of each page in turn: `backup` reports it with a fix and writes
///    nothing.
/// 2. Replace the file by text: `serve` exits with 4.
/// 3. Restore the file: the gateway starts.
#[test]
#[ignore = "long"]
fn a_damaged_database_is_reported_and_left_unchanged() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    for _ in 0..20 {
        shop.create("0.05");
    }
    gateway.term();
    let file = database(&gateway);
    let good = fs::read(&file).unwrap();
    let copy = gateway.folder().join("copy.db").display().to_string();
    let pages = good.len() / 4096;
    let mut noticed = 0;
    for page in 0..pages.min(50) {
        let mut bad = good.clone();
        // The page header has the page's type and the place of its cells.
        let head = page * 4096 + if page == 0 { 100 } else { 0 };
        bad[head..head + 8].iter_mut().for_each(|byte| *byte ^= 0xFF);
        fs::write(&file, &bad).unwrap();
        let _ = fs::remove_file(&copy);
        let output = gateway.cli(&["backup", &copy]);
        if output.code == 4 {
            noticed += 1;
            assert!(output.stderr.contains("damaged"), "{output:?}");
            assert!(output.stderr.contains("restore a backup"), "{output:?}");
            assert_eq!(fs::read(&file).unwrap(), bad, "nothing was written to it");
        }
    }
    assert!(noticed * 10 >= pages.min(50) * 9, "{noticed} of {pages} pages");
    fs::write(&file, b"this was a database once, and is none any more").unwrap();
    gateway.cli_fails(&["serve"], 4, &["damaged", "restore a backup"]);
    fs::write(&file, &good).unwrap();
    gateway.start();
}

/// 1. Flip one bit of a column's name in the schema, wherever the file contains it.
/// 2. The start exits with 4 and `doctor` fails; both name the table.
#[test]
fn a_flipped_bit_in_the_schema_is_detected_and_reported() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    shop.create("0.05");
    gateway.term();
    // Free pages may have an older copy of the schema, which nothing reads.
    Database::of(&gateway).write("VACUUM");
    let file = database(&gateway);
    let good = fs::read(&file).unwrap();
    let column = b"http_status INTEGER";
    let places: Vec<usize> =
        (0..good.len() - column.len()).filter(|at| good[*at..].starts_with(column)).collect();
    assert!(!places.is_empty(), "the schema is text in the file");
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 0x10; // xttp_status
        fs::write(&file, &bad).unwrap();
        gateway.cli_fails(&["serve"], 4, &["damaged", "table attempts", "restore a backup"]);
        gateway.doctor_fails(&["FAILURE  database", "table attempts"]);
        assert_eq!(fs::read(&file).unwrap(), bad, "nothing was written to it");
    }
    fs::write(&file, &good).unwrap();
    gateway.start();
}

/// 1. Flip one bit of a merchant's row id, which its payments reference.
/// 2. The start exits with 4 and `doctor` fails; both name the row.
#[test]
fn a_flipped_bit_in_a_row_id_is_detected_and_reported() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    shop.create("0.05");
    gateway.term();
    let flip = "PRAGMA foreign_keys = OFF; UPDATE merchants SET id = (id | 4) - (id & 4)";
    let rows = Database::of(&gateway).rows("SELECT id FROM merchants");
    Database::of(&gateway).write(flip);
    assert_ne!(Database::of(&gateway).rows("SELECT id FROM merchants"), rows);
    let words = ["damaged", "refers to a missing row of merchants", "restore a backup"];
    let refused = gateway.cli_fails(&["serve"], 4, &words);
    assert_eq!(refused.stderr.matches("damaged").count(), 1, "said once: {}", refused.stderr);
    gateway.doctor_fails(&["FAILURE  database", "refers to a missing row of merchants"]);
}

/// 1. Add a trigger to the database while the gateway runs, and complete a payment.
/// 2. The sweeper names the trigger and pays nothing; commands are refused.
/// 3. Drop the trigger: the sweep is sent.
#[test]
#[ignore = "long"]
fn a_foreign_trigger_stops_sweeps_and_is_reported() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    gateway.await_tip(&node.height().to_string());
    let hand = Database::of(&gateway);
    hand.write("CREATE TRIGGER redirect AFTER INSERT ON payouts BEGIN SELECT 1; END");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let named = "the trigger redirect, which is not ours";
    gateway.await_log(&["sweeper pass failed", named]);
    gateway.holds_for_passes(Passes::Sweeper, "nothing is paid out", || node.mempool().is_empty());
    gateway.cli_fails(&["audit"], 4, &[named]);
    hand.write("DROP TRIGGER redirect");
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
}

/// 1. Add a trigger while a process without the sweeper runs: it reports the trigger.
/// 2. Drop the trigger: the process reports that, too.
#[test]
#[ignore = "long"]
fn each_process_reports_a_foreign_trigger() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    gateway.term();
    let mut roles = Part::of("api,watcher,webhooks");
    roles.start(&gateway);
    let hand = Database::of(&gateway);
    hand.write("CREATE TRIGGER redirect AFTER INSERT ON payments BEGIN SELECT 1; END");
    let named = "the trigger redirect, which is not ours";
    wait_for(named, SOON, || roles.log().contains(named));
    hand.write("DROP TRIGGER redirect");
    let again = "the database's schema is as expected again";
    wait_for(again, SOON, || roles.log().contains(again));
}

#[test]
fn an_emptied_database_is_not_treated_as_new() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    shop.create("0.05");
    gateway.term();
    for emptied in [true, false] {
        match emptied {
            true => fs::write(database(&gateway), b"").unwrap(),
            false => fs::remove_file(database(&gateway)).unwrap(),
        }
        gateway.cli_fails(&["serve"], 4, &["is empty", "1 addresses", "restore a backup"]);
    }
}

#[test]
fn a_database_with_a_truncated_wal_still_opens() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let first = shop.create("0.05");
    gateway.restart(); // The first is in the database itself now.
    let log = gateway.folder().join("litegate.db-wal");
    let length = fs::read(&log).unwrap().len();
    shop.create("0.05");
    gateway.kill();
    let bytes = fs::read(&log).unwrap();
    assert!(bytes.len() > length + 100);
    fs::write(&log, &bytes[..length + 100]).unwrap();
    gateway.start();
    assert_eq!(shop.status(&first.id).text("status"), "pending");
    // The index of the payment that was cut off is not given out again.
    gateway.await_log(&["older than its high-water mark"]);
}
