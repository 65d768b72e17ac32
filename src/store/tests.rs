//! Tests of the store on a real file.

mod writes;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use super::*;
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::time::Timestamp;
use crate::progress::Progress;

fn open() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
    (dir, store)
}

fn sealing() -> backup::Sealing {
    let key = crate::secret::MasterSecret::new([7; 32]).backup_key();
    backup::Sealing { key, now: Timestamp::from_ms(1), heads: None }
}

fn merchant(n: u64) -> Merchant {
    Merchant::new_shop(MerchantId::from_random(n))
}

#[test]
fn a_failing_job_does_not_affect_other_jobs() {
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
fn a_panicking_job_is_rolled_back_and_the_writer_continues() {
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
fn only_the_owner_can_access_the_database_file() {
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

/// Tables that stay small: few merchants, or only open work.
const SMALL: [&str; 24] = [
    "skipped_indexes", // One for each restore or absence.
    "rarray",          // What the caller asks for.
    "merchants",
    "api_keys", // Twenty a merchant at most.
    "second_factors",
    "payout_addresses",
    "payout_waits",
    "operator_addresses",
    "role_status",
    "chain_guard",
    "chain_guard_findings",
    "chain_guard_alerts",
    "confirmations",
    "discord_admins",
    "payment_counts",
    "table_sizes",
    "merchant_coins", // Five rows a merchant.
    "in_flight_sweeps",
    "sqlite_schema",
    "pragma_foreign_key_check",
    "waiting",
    "bad",
    "node_in_use",
    "needed", // Counts of confirmations that payments ask for.
];

/// Indexes of open work only.
const OPEN: [&str; 5] =
    ["coins_in_mempool", "coins_unclaimed", "coins_of_pegouts", "events_due", "notifications_due"];

/// Statements that may read a whole large table, by their beginnings.
const WHOLE: [(&str, &str); 16] = [
    ("INSERT INTO in_flight_sweeps SELECT", "found again where they were wrong"),
    ("WITH counted AS (SELECT status", "the audit, and a rescan"),
    ("INSERT INTO payment_counts SELECT", "counted again where they were wrong"),
    ("WITH in_flight AS", "the audit, and the sweeper at its start"),
    (
        "INSERT INTO payments",
        "a step that runs only while a deferred foreign key is broken: none is",
    ),
    ("SELECT count(*) AS all_payments", "a payout address is checked: twenty ms for a million"),
    ("SELECT * FROM coins ORDER BY txid, vout", "the audit reads everything"),
    ("SELECT * FROM payouts", "the audit reads everything"),
    ("SELECT sweep_txs.*, abandoned_at IS NOT NULL", "the audit reads everything"),
    ("SELECT *, EXISTS (SELECT 1 FROM events", "the audit reads everything"),
    ("SELECT count(*) FROM payments WHERE derivation_index NOT IN", "after a restore, once"),
    (
        "SELECT count(*) FROM events WHERE state = 'failed'",
        "counts what was given up, by its index",
    ),
    ("SELECT events.id, events.merchant_id, payments.id", "what was given up, by its index"),
    ("SELECT tbl_name, sum(pgsize) FROM dbstat", "measures all tables, once a day"),
    ("SELECT EXISTS (SELECT 1 FROM payment_seals)", "ends at the first row"),
    ("SELECT count(*) FROM {table}", "an operator looks at a backup"),
];

/// The statements in a file of the store, with placeholders filled in as the code does.
fn statements(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let columns = code.split("const COLUMNS: &str =").nth(1).unwrap_or("\"*\"");
    let columns = columns.split('"').nth(1).unwrap_or("*");
    // Every second part between quotation marks is a string; the store's strings contain none.
    let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE FROM ", "WITH "];
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| words.iter().any(|word| text.starts_with(word)))
        .map(|text| {
            let filled = text
                .replace("{COLUMNS}", columns)
                .replace("{whose}", "events.merchant_id = ?1")
                .replace("{of_payments}", "merchant_id = ?3")
                .replace("{of_events}", "merchant_id = ?2")
                .replace("{conditions}", "merchant_id = 1")
                .replace("DELETE FROM {table}", "DELETE FROM payouts")
                .replace("{held}", "SELECT sweep_id, version FROM sweep_txs WHERE txid = ?");
            let bare = filled.lines().map(|line| line.split("--").next().unwrap_or_default());
            bare.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// All statements in the sources of this folder.
fn all_statements() -> Vec<String> {
    sources(concat!(env!("CARGO_MANIFEST_DIR"), "/src/store").as_ref())
        .iter()
        .flat_map(|file| statements(&std::fs::read_to_string(file).expect("a source file")))
        .collect()
}

/// The source files below a folder, except tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the sources").flatten() {
        let path = entry.path();
        match path.file_name().and_then(|name| name.to_str()) {
            // `authenticated.rs` composes its statements, each by a primary key.
            Some("tests" | "tests.rs" | "migrations" | "authenticated.rs" | "authenticated")
            | None => {}
            // Both compose their statements from the tables of `authenticated.rs`.
            Some("reseal.rs" | "verification.rs") => {}
            Some("seal.rs") => {} // reads a table that only a copy has
            Some(_) if path.is_dir() => found.extend(sources(&path)),
            Some(name) if name.ends_with(".rs") => found.push(path),
            Some(_) => {}
        }
    }
    found
}

/// The steps of a statement's plan that scan a large table.
fn scans(tx: &ReadTx, sql: &str) -> Vec<String> {
    let prepared = tx.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"));
    let mut statement = prepared.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let count = statement.parameter_count();
    let rows = statement
        .query_map(rusqlite::params_from_iter(std::iter::repeat_n(1, count)), |row| {
            row.get::<_, String>("detail")
        });
    let steps: Vec<String> = rows.expect("a plan").map(|step| step.expect("a step")).collect();
    let sorted = steps.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
    let stops = sql.contains(" LIMIT ") && !sorted;
    let whole = |step: &String| {
        let Some(rest) = step.strip_prefix("SCAN ") else { return false };
        let words: Vec<&str> = rest.split(' ').collect();
        let table = words.first().copied().unwrap_or_default();
        let index = words.iter().position(|word| *word == "INDEX").and_then(|at| words.get(at + 1));
        let is_open = index.is_some_and(|index| OPEN.contains(index));
        let is_nothing = table == "CONSTANT" || table.starts_with('(');
        !is_open && !is_nothing && !SMALL.contains(&table)
    };
    if stops { Vec::new() } else { steps.into_iter().filter(whole).collect() }
}

#[test]
fn no_statement_reads_more_as_the_history_grows() {
    let (_dir, store) = open();
    let (mut found, mut seen) = (Vec::new(), 0);
    for sql in all_statements() {
        seen += 1;
        if WHOLE.iter().any(|(start, _)| sql.starts_with(start)) {
            continue;
        }
        let scans = store.read_blocking(|tx| Ok::<_, Error>(scans(tx, &sql))).expect("read");
        if !scans.is_empty() {
            found.push(format!("{sql}\n    {}", scans.join("; ")));
        }
    }
    assert!(seen > 100, "the store's statements are found: {seen}");
    assert!(found.is_empty(), "whole tables are read by:\n{}", found.join("\n"));
}

#[test]
fn a_backup_completes_despite_concurrent_writes() {
    let (dir, store) = open();
    // Five of the steps of a copy.
    let fill = "INSERT INTO identity (name, value) VALUES ('filler', hex(zeroblob(10000000)))";
    store.write_blocking(|tx| Ok::<_, Error>(tx.connection.execute_batch(fill)?)).expect("filled");
    let steps = AtomicU32::new(0);
    let copy = dir.path().join("copy.db");
    let written = |_| {
        assert!(steps.fetch_add(1, Ordering::Relaxed) < 50, "it begins again and again");
        let write = |tx: &WriteTx| role_status::note(tx, "writer");
        store.write_blocking(write).expect("written between two steps");
    };
    backup::copy(&store, &copy, &sealing(), &written).expect("copied");
    assert!(steps.into_inner() >= 4, "it was made in steps");
    let rows: i64 = Connection::open(&copy)
        .and_then(|copy| copy.query_row("SELECT count(*) FROM role_status", [], |row| row.get(0)))
        .expect("a database");
    assert_eq!(rows, 0, "one state, from before it began");
}

#[test]
fn an_interrupted_backup_is_not_a_database() {
    let (dir, store) = open();
    let (path, copy) = (dir.path().join("litegate.db"), dir.path().join("copy.db"));
    let output = crate::safe_file::Output::create(&copy).expect("made");
    let heads = Mutex::new(Vec::new());
    let on_progress = |progress: Progress| {
        if progress.what == "writing the copy" {
            let so_far = std::fs::read(&copy).expect("read");
            heads.lock().expect("nobody panicked").push(so_far[..16].to_vec());
        }
    };
    backup::copy_out(&store, &path, output, &copy, &sealing(), &on_progress).expect("copied");
    let heads = heads.into_inner().expect("nobody panicked");
    assert!(!heads.is_empty() && heads.iter().all(|head| head.iter().all(|byte| *byte == 0)));
    let tables: i64 = Connection::open(&copy)
        .and_then(|copy| copy.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)))
        .expect("a database");
    assert!(tables > 5, "{tables}");
    let left: Vec<_> = std::fs::read_dir(dir.path()).expect("a folder").flatten().collect();
    let is_scratch = |name: &str| name.contains(".backup");
    assert!(!left.iter().any(|entry| is_scratch(&entry.file_name().to_string_lossy())));
}

/// How often SQLite planned a statement again although only its values changed.
fn planned_again(tx: &ReadTx, sql: &str) -> i32 {
    let prepared = tx.connection.prepare(sql);
    let mut statement = prepared.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let count = statement.parameter_count();
    for value in 1..=3_u8 {
        let values: Vec<Box<dyn rusqlite::ToSql>> = match sql.contains("rarray(") {
            true => vec![Box::new(columns::blobs([[value; 32]]))],
            false => (0..count).map(|_| Box::new(value) as Box<dyn rusqlite::ToSql>).collect(),
        };
        let values = rusqlite::params_from_iter(values);
        let mut rows = statement.query(values).expect("the values are bound");
        let _ = rows.next(); // the result does not matter
    }
    statement.get_status(rusqlite::StatementStatus::RePrepare)
}

#[test]
fn no_statement_is_replanned_for_other_values() {
    let (_dir, store) = open();
    let mut seen = 0;
    for sql in all_statements() {
        if !sql.starts_with("SELECT") || sql.contains("{table}") {
            continue;
        }
        seen += 1;
        let again = store.read_blocking(|tx| Ok::<_, Error>(planned_again(tx, &sql)));
        assert_eq!(again.expect("read"), 0, "{sql}");
    }
    assert!(seen > 50, "the store's statements are found: {seen}");
}
