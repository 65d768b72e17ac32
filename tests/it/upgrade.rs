//! Upgrades of databases of every released schema, with data in every table: all data is kept,
//! and a kill leaves the old or the new schema.
//!
//! `tests/fixtures/schemas/N` is the state that a real run with schema N left: the database as
//! SQL, its chain, and its keys, which are worthless outside of regtest. Before a new schema
//! is released, `SAVE_SCHEMA=1 cargo test --test it upgrade::a_run_that_fills_every_table --
//! --include-ignored` adds the newest one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::discord::{ADA, ROOT, grant, secret_in, text};
use crate::harness::database::Database;
use crate::harness::discord::{Discord, Person};
use crate::harness::files::{self, write_private};
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::random::{Random, setting};
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// Files that a gateway needs besides its database: fixture and configuration key.
const KEYS: [(&str, &str); 3] = [
    ("secret", "secret_file"),
    ("signing.key", "wallet.signing_key_file"),
    ("seal.key", "sweeper.seal_key_file"),
];

/// Tables that are empty in the fixtures: the run that makes them has one node, without MWEB, its
/// sweeps are mined, nothing contradicts the sweeper's record, the operator takes no fee, and no
/// source of exchange rates is asked.
const UNFILLED: [&str; 6] = [
    "node_in_use",
    "operator_addresses",
    "payout_waits",
    "pegouts",
    "in_flight_sweeps",
    "rate_refreshes",
];

/// The fixtures of all released schemas.
fn fixtures() -> Vec<(u32, PathBuf)> {
    let folder = files::project().join("tests/fixtures/schemas");
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().parse().unwrap(), path))
        .collect();
    found.sort();
    assert_eq!(found.first().map(|(version, _)| *version), Some(1), "the first schema is there");
    found
}

/// The number of the newest schema.
fn newest() -> u32 {
    let folder = files::project().join("src/store/migrations");
    u32::try_from(files::files_below(&folder, ".sql").len()).unwrap()
}

/// A node with the fixture's chain.
fn node_of(fixture: &Path) -> Option<Node> {
    let node = Node::start()?;
    for block in fs::read_to_string(fixture.join("blocks.hex")).unwrap().lines() {
        let _: Value = node.call("submitblock", json!([block]));
    }
    let blocks = fs::read_to_string(fixture.join("blocks.hex")).unwrap().lines().count();
    assert_eq!(node.height() as usize, blocks, "the fixture's chain is the longest");
    Some(node)
}

/// A stopped gateway with the fixture's database and keys.
fn gateway_of(fixture: &Path, node: &Node) -> Gateway {
    let gateway = Gateway::init(node);
    let read = |name: &str| fs::read_to_string(fixture.join(name)).unwrap();
    for (name, key) in KEYS {
        write_private(gateway.setting(key).as_ref(), read(name).as_bytes());
    }
    let record = format!("{}.record", gateway.setting("sweeper.seal_key_file"));
    write_private(record.as_ref(), read("seal.key.record").as_bytes());
    write_private(&mark(&gateway), read("high-water").as_bytes());
    gateway.set("wallet.xpub", read("xpub").trim());
    put_database(fixture, &gateway);
    gateway
}

/// Replaces the database by the fixture's.
fn put_database(fixture: &Path, gateway: &Gateway) {
    for suffix in ["", "-wal", "-shm", ".heads"] {
        let _ = fs::remove_file(format!("{}{suffix}", gateway.setting("database")));
    }
    let sql = fs::read_to_string(fixture.join("database.sql")).unwrap();
    Connection::open(gateway.setting("database")).unwrap().execute_batch(&sql).unwrap();
}

/// The file of the high-water mark.
fn mark(gateway: &Gateway) -> PathBuf {
    format!("{}.high-water", gateway.setting("database")).into()
}

/// Copies kept by upgrades, by name.
fn all_kept(gateway: &Gateway) -> Vec<PathBuf> {
    let mut all = beside(gateway, ".before-v");
    all.retain(|file| file.extension() != Some("part".as_ref()));
    all
}

/// Incomplete copies.
fn parts(gateway: &Gateway) -> Vec<PathBuf> {
    beside(gateway, ".part")
}

/// Files of the gateway's directory whose path contains this word.
fn beside(gateway: &Gateway, word: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(gateway.folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        files.filter(|file| file.display().to_string().contains(word)).collect();
    found.sort();
    found
}

/// Deletes the copies kept by upgrades.
fn forget_kept(gateway: &Gateway) {
    all_kept(gateway).iter().for_each(|file| fs::remove_file(file).unwrap());
}

/// The copy of the upgrade to the newest schema.
fn kept(gateway: &Gateway) -> PathBuf {
    format!("{}.before-v{}", gateway.setting("database"), newest()).into()
}

/// All tables of a database, with their columns.
fn tables(file: &Path) -> Vec<(String, Vec<String>)> {
    let connection = Connection::open(file).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                 ORDER BY name";
    let names: Vec<String> = texts(&connection, names);
    let columns = |name: String| {
        let sql = format!("SELECT name FROM pragma_table_info('{name}')");
        let columns = texts(&connection, &sql);
        (name, columns)
    };
    names.into_iter().map(columns).collect()
}

/// The first column of a query, as text.
fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// What those columns hold now. `role_status` is left out: migration 2 changes its columns.
fn held(gateway: &Gateway, tables: &[(String, Vec<String>)]) -> Vec<(String, Vec<Vec<Cell>>)> {
    let database = Database::of(gateway);
    let rows = |(name, columns): &(String, Vec<String>)| {
        let columns = columns.join(", ");
        let order = format!("SELECT {columns} FROM {name} ORDER BY {columns}");
        (name.clone(), database.rows(&order))
    };
    tables.iter().filter(|(name, _)| name != "role_status").map(rows).collect()
}

/// The schema version of a database.
fn version_of(file: &Path) -> u32 {
    let connection = Connection::open(file).unwrap();
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// Completed payments, which never change again.
const FINAL: &str = "SELECT id, status, status_at FROM payments WHERE status = 'completed'";

/// 1. Open each fixture's database with the current program: it has the newest schema, all
///    data, and a clean audit.
/// 2. The copy from before the upgrade is complete and private.
/// 3. Serve: a new payment gets a new address and completes; completed payments are unchanged.
/// 4. Go back with `restore`, as the guide says: the newer coins are reported.
#[test]
fn every_released_schema_is_migrated_with_all_its_data() {
    for (version, fixture) in fixtures() {
        let Some(node) = node_of(&fixture) else { return };
        let node = Arc::new(node);
        let gateway = gateway_of(&fixture, &node);
        let database: PathBuf = gateway.setting("database").into();
        let tables = tables(&database);
        let before = held(&gateway, &tables);
        let note = "SELECT CAST(note AS INTEGER) FROM role_status WHERE role = 'notifications'";
        let notified_since =
            if version == 1 { Database::of(&gateway).rows(note) } else { Vec::new() };
        for (name, rows) in &before {
            let is_filled = !rows.is_empty() || UNFILLED.contains(&name.as_str());
            assert!(is_filled, "the fixture of schema {version} has nothing in {name}");
        }
        assert_eq!(version_of(&database), version);
        gateway.cli_ok(&["payment", "list"]);
        assert_eq!(version_of(&database), newest());
        assert_eq!(held(&gateway, &tables), before, "schema {version}");
        if version == 1 {
            let since = "SELECT report ->> 'ms' FROM role_status WHERE role = 'notifications'";
            assert_eq!(Database::of(&gateway).rows(since), notified_since, "what is history");
        }
        gateway.cli_ok(&["audit"]);
        if version < newest() {
            assert_eq!(version_of(&kept(&gateway)), version);
            assert_eq!(fs::metadata(kept(&gateway)).unwrap().permissions().mode() & 0o777, 0o600);
            gateway.cli_ok(&[
                "backup",
                "--verify",
                "--replica",
                &kept(&gateway).display().to_string(),
            ]);
        }
        let finals = Database::of(&gateway).rows(FINAL);
        gateway.set("sweeper.interval", "1s");
        gateway.start();
        let key = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
        let key = gateway.cli_json(&["merchant", "view-key", &key]).text("apiKey");
        let shop = Shop::with_key_of(&gateway, &key);
        let fresh = shop.create("0.05");
        let script = "SELECT count(DISTINCT script) = count(*) FROM payments";
        assert_eq!(Database::of(&gateway).rows(script), [[Cell::Integer(1)]]);
        node.mine_to(&node.fresh_address(), 101);
        node.send(&fresh.address, "0.05");
        node.mine(2);
        shop.await_status(&fresh.id, "completed", SOON);
        let after = Database::of(&gateway).rows(FINAL);
        assert!(finals.len() >= 2, "the fixture has completed payments");
        assert!(finals.iter().all(|row| after.contains(row)), "{finals:?}, {after:?}");
        gateway.cli_ok(&["audit"]);
        gateway.term();
        if version < newest() {
            let theirs = "/var/lib/litegate/litegate.db.before-v5";
            let ours = kept(&gateway).display().to_string();
            let words = files::guide_command(
                "litegate restore --replica /var/lib/litegate/litegate.db.before",
                &[(theirs, &ours)],
            );
            let words: Vec<&str> = words[1..].iter().map(String::as_str).collect();
            gateway.cli_fails(&words, 1, &["restored, but the audit", "unattributed: 0.05 ltc"]);
            gateway.cli_fails(&["payment", "show", &fresh.id], 1, &[]);
        }
    }
}

/// 1. Crash at each point of an upgrade: the old or the new schema, with all data.
/// 2. Repeat the command: it completes, and keeps one intact copy.
#[test]
fn an_interrupted_upgrade_leaves_the_old_or_the_new_schema() {
    let points =
        [("upgrade-copied", 0), ("upgrade-step", 0), ("upgrade-kept", 0), ("upgrade-done", 1)];
    for (version, fixture) in fixtures().into_iter().filter(|(version, _)| *version < newest()) {
        let gateway = Gateway::offline();
        gateway.set("wallet.xpub", fs::read_to_string(fixture.join("xpub")).unwrap().trim());
        for (name, key) in KEYS {
            write_private(gateway.setting(key).as_ref(), &fs::read(fixture.join(name)).unwrap());
        }
        let database: PathBuf = gateway.setting("database").into();
        for (point, upgraded) in points {
            forget_kept(&gateway);
            put_database(&fixture, &gateway);
            let tables = tables(&database);
            let before = held(&gateway, &tables);
            gateway.set_environment("LITEGATE_CRASH_AT", point);
            let died = gateway.cli(&["payment", "list"]);
            assert_eq!(died.code, -1, "{point}: {died:?}");
            gateway.clear_environment();
            let expected = if upgraded == 1 { newest() } else { version };
            assert_eq!(version_of(&database), expected, "{point}");
            assert_eq!(held(&gateway, &tables), before, "{point}");
            let kept_by_then = usize::from(["upgrade-kept", "upgrade-done"].contains(&point));
            assert_eq!(all_kept(&gateway).len(), kept_by_then, "{point}");
            gateway.cli_ok(&["payment", "list"]);
            assert_eq!(version_of(&database), newest());
            for copy in all_kept(&gateway) {
                assert_eq!(version_of(&copy), version, "{point}");
                let whole = texts(&Connection::open(&copy).unwrap(), "PRAGMA integrity_check");
                assert_eq!(whole, ["ok"], "{point}");
            }
            assert!(
                version_of(&kept(&gateway)) == version && parts(&gateway).is_empty(),
                "{point}"
            );
            assert_eq!(held(&gateway, &tables), before, "{point}, done again");
        }
    }
}

/// 1. Upgrade three databases in turn: each keeps its copy.
/// 2. Let a table of the same name exist: the upgrade fails each time, keeps no copy, and
///    leaves the old schema.
#[test]
fn each_upgrade_keeps_a_new_copy_and_a_failed_one_keeps_none() {
    let gateway = Gateway::offline();
    let (version, fixture) = fixtures().into_iter().rfind(|(v, _)| *v < newest()).unwrap();
    gateway.set("wallet.xpub", fs::read_to_string(fixture.join("xpub")).unwrap().trim());
    for (name, key) in KEYS {
        write_private(gateway.setting(key).as_ref(), &fs::read(fixture.join(name)).unwrap());
    }
    let database: PathBuf = gateway.setting("database").into();
    let rename = |to: &str| {
        put_database(&fixture, &gateway);
        let rename = format!("UPDATE discord_locales SET locale = '{to}'");
        Connection::open(&database).unwrap().execute_batch(&rename).unwrap();
    };
    for name in ["First", "Second", "Third"] {
        rename(name);
        gateway.cli_ok(&["payment", "list"]);
    }
    let names = |file: &PathBuf| {
        texts(&Connection::open(file).unwrap(), "SELECT DISTINCT locale FROM discord_locales")
    };
    let kept = all_kept(&gateway);
    assert_eq!(kept.iter().flat_map(names).collect::<Vec<_>>(), ["First", "Second", "Third"]);

    // A column that is in the way: each start fails, and none leaves a copy.
    forget_kept(&gateway);
    rename("Fourth");
    let in_the_way = "ALTER TABLE role_status ADD COLUMN report TEXT";
    Connection::open(&database).unwrap().execute_batch(in_the_way).unwrap();
    for _ in 0..2 {
        gateway.cli_fails(&["payment", "list"], 1, &["duplicate column name: report"]);
        assert_eq!((all_kept(&gateway), parts(&gateway)), (vec![], vec![]));
    }
    assert_eq!(version_of(&database), version);
}

/// 1. Kill the upgrade at `UPGRADES` random instants: the database has the old or the new
///    schema, with all data.
/// 2. Repeat the command: the upgrade completes.
#[test]
#[ignore = "long"]
fn a_kill_at_any_instant_of_an_upgrade_loses_nothing() {
    let mut random = Random::of(setting("SEED", 1));
    for (version, fixture) in fixtures().into_iter().filter(|(version, _)| *version < newest()) {
        let Some(node) = Node::start() else { return };
        let gateway = gateway_of(&fixture, &node);
        let database: PathBuf = gateway.setting("database").into();
        let tables = tables(&database);
        let before = held(&gateway, &tables);
        let began = Instant::now();
        gateway.cli_ok(&["payment", "list"]);
        let whole = u64::try_from(began.elapsed().as_micros()).unwrap();
        let (mut old, mut new) = (0, 0);
        for _ in 0..setting("UPGRADES", 50) {
            put_database(&fixture, &gateway);
            let after = Duration::from_micros(random.below(whole + whole / 4));
            gateway.run_killed(&["payment", "list"], after);
            match version_of(&database) {
                found if found == newest() => new += 1,
                found => {
                    assert_eq!(found, version, "neither the old schema nor the new");
                    old += 1;
                }
            }
            assert_eq!(held(&gateway, &tables), before);
            gateway.cli_ok(&["payment", "list"]);
            assert_eq!(
                (version_of(&database), held(&gateway, &tables)),
                (newest(), before.clone())
            );
        }
        println!("schema {version}: killed before its commit {old} times, after it {new} times");
        assert!(old > 0 && new > 0, "the instants miss the upgrade: {old} old, {new} new");
    }
}

/// Adds payments with everything that belongs to them to a database of an old schema: 17 of 20
/// are paid, notified and swept.
fn enlarge(database: &Path, payments: u64) {
    let mut connection = Connection::open(database).unwrap();
    connection.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").unwrap();
    connection.execute_batch("PRAGMA cache_size = -200000; PRAGMA temp_store = MEMORY").unwrap();
    let tx = connection.transaction().unwrap();
    let apart = "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND
                 (type = 'trigger' OR type = 'index')";
    let made: Vec<(String, String)> = {
        let mut statement = tx.prepare(apart).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    for (name, _) in &made {
        tx.execute_batch(&format!("DROP {name}")).unwrap();
    }
    tx.execute_batch(&format!(
        "CREATE TEMP TABLE more AS WITH RECURSIVE n(i) AS
             (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {payments})
         SELECT i + 1000000 AS i, i % 20 < 17 AS paid, i / 400 + 1000 AS sweep FROM n;
         CREATE TEMP TABLE swept AS SELECT sweep AS id, randomblob(32) AS txid, count(*) AS coins
         FROM more WHERE paid GROUP BY sweep;
         CREATE TEMP TABLE one AS SELECT * FROM payments WHERE webhook_url IS NOT NULL LIMIT 1;
         INSERT INTO payments (derivation_index, id, merchant_id, script, amount, created_at,
             expires_at, late_until, confirmations, confirmations_pegout, webhook_url, status,
             status_at)
         SELECT i, randomblob(16), merchant_id, randomblob(22), 5000000, created_at, expires_at,
             late_until, confirmations, confirmations_pegout, webhook_url,
             iif(paid, 'completed', 'expired'), expires_at FROM more, one;
         INSERT INTO sweeps (id, created_at) SELECT id, 0 FROM swept;
         INSERT INTO sweep_txs (sweep_id, version, txid, raw, fee, vsize, created_at, sent_at,
             block_height, block_hash)
         SELECT id, 1, txid, zeroblob(68 * coins), coins, 68 * coins, 0, 0, 120, zeroblob(32)
         FROM swept;
         INSERT INTO payouts SELECT swept.id, 1, merchant_id, script, coins * 5000000, coins, 0,
             coins * 4999999 FROM swept, one;
         INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place,
             block_height, block_hash, sweep_id, spent_txid, spent_height)
         SELECT randomblob(32), 0, i, 5000000, 'plain', 0, 'block', 119, zeroblob(32), swept.id,
             swept.txid, 120 FROM more JOIN swept ON swept.id = sweep WHERE paid;
         INSERT INTO events (id, derivation_index, kind, merchant_id, url, body, created_at, state,
             attempts)
         SELECT 'evt_' || i, i, 'completed', merchant_id, webhook_url, hex(zeroblob(200)), 0,
             'delivered', 1 FROM more, one WHERE paid;
         INSERT INTO attempts (event_id, number, started_at, duration_ms, outcome)
         SELECT 'evt_' || i, 1, 0, 30, 'delivered' FROM more WHERE paid;
         UPDATE payment_counts SET count =
             (SELECT count(*) FROM payments WHERE payments.status = payment_counts.status);"
    ))
    .unwrap();
    for (_, again) in &made {
        tx.execute_batch(again).unwrap();
    }
    tx.commit().unwrap();
}

/// 1. Enlarge each fixture by `PAYMENTS` payments and upgrade it.
/// 2. The sums are correct, and the upgrade stays within its time.
#[test]
#[ignore = "long"]
fn a_large_database_is_migrated_quickly() {
    let payments = setting("PAYMENTS", 20_000);
    for (version, fixture) in fixtures().into_iter().filter(|(version, _)| *version < newest()) {
        let Some(node) = node_of(&fixture) else { return };
        let gateway = gateway_of(&fixture, &node);
        let database: PathBuf = gateway.setting("database").into();
        enlarge(&database, payments);
        let count = "SELECT count(*), (SELECT count(*) FROM coins), (SELECT count(*) FROM events)
                     FROM payments";
        let before = Database::of(&gateway).rows(count);
        let began = Instant::now();
        gateway.cli_ok(&["merchant", "list"]);
        let took = began.elapsed();
        let megabytes = fs::metadata(&database).unwrap().len() / 1_000_000;
        println!("schema {version}, {payments} more payments, {megabytes} MB: {took:?}");
        assert_eq!(version_of(&database), newest());
        assert_eq!(Database::of(&gateway).rows(count), before);
        assert_eq!(version_of(&kept(&gateway)), version);
        assert_eq!(Database::at(&kept(&gateway)).rows(count), before, "what was kept");
        gateway.set("sweeper.interval", "1h");
        gateway.start();
        gateway.await_tip(&node.height().to_string());
    }
}

#[test]
fn an_older_program_refuses_a_newer_database_schema() {
    let gateway = Gateway::offline();
    gateway.cli_ok(&["payment", "list"]);
    let database: PathBuf = gateway.setting("database").into();
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", newest() + 1).unwrap();
    drop(connection);
    let words = [format!("schema {}", newest() + 1), format!("knows {}", newest())];
    let words = words.each_ref().map(String::as_str);
    for command in [&["serve"][..], &["payment", "list"], &["backup", "copy.db"]] {
        let refused = gateway.cli_fails(command, 1, &words);
        assert_eq!(refused.stderr.lines().filter(|line| line.contains("schema")).count(), 1);
    }
    assert_eq!(version_of(&database), newest() + 1, "it was left alone");
    assert!(!kept(&gateway).exists());
}

/// 1. Fill each table through the real program, node, Discord and receiver alone.
/// 2. Every table has rows, except the listed ones. `SAVE_SCHEMA=1` saves the state as a
///    fixture.
#[test]
#[ignore = "long"]
fn a_run_that_fills_every_table() {
    let Some(node) = Node::start() else { return };
    let (discord, receiver) = (Discord::start(), Receiver::start());
    let gateway = Gateway::init(&node);
    discord.configure(&gateway);
    gateway.set("chain_guard.mode", "on");
    gateway.set("sweeper.interval", "1s");
    gateway.start();
    discord.await_bot();
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.join(&root);
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", &node.fresh_address()));
    let on = json!([
        { "name": "kind", "type": 3, "value": "paid" },
        { "name": "how", "type": 4, "value": 0 },
    ]);
    discord.command(&ada, "notification_settings", on);
    let shop =
        Shop::with_key_of(&gateway, &secret_in(&discord.command(&ada, "view_key", json!([]))));
    discord.command(&ada, "rotate_key", json!([])); // Asked, and left without an answer.

    // An activation of the chain guard, ended by command.
    node.mine(3);
    node.reorg_to_empty(3);
    gateway.await_log(&["warn", "chain guard"]);
    gateway.cli_ok(&["chain-guard", "end"]);

    // Payments notified and paid out; notified in vain; partly paid; never paid.
    let hook = receiver.url("/hook");
    let body = format!(r#"{{"amountLtc": 0.05, "webhookUrl": "{hook}", "reference": "order-1"}}"#);
    let answer = shop.post(&body, &[("idempotency-key", "key-1")]);
    let notified = crate::harness::json::Fields::of(&answer.body);
    node.send(&notified.text("receivingAddress"), "0.05");
    node.mine(2);
    receiver.await_hit_for(&notified.text("paymentId"), SOON);
    wait_for("its sweep", SOON, || !node.mempool().is_empty());
    gateway.cli_ok(&["sweep"]);
    node.mine(1);
    receiver.fail_next(1_000);
    let vain = shop.create_with_webhook("0.05", &hook);
    node.send(&vain.address, "0.06");
    let part = shop.create("0.07");
    node.send(&part.address, "0.03");
    shop.create("0.01");
    node.mine(2);
    shop.await_status(&vain.id, "completed", SOON);
    let merchant = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    gateway.cli_ok(&["merchant", "key", "add", &merchant, "--name", "Plugin"]);
    gateway.cli_ok(&["merchant", "second-factor", "enable", &merchant]);
    gateway.cli_ok(&["merchant", "set-address", &merchant, &node.fresh_address()]);
    // As after the loss of a newer database: its mark is ahead.
    gateway.term();
    let next = fs::read_to_string(mark(&gateway)).unwrap().replacen("0000000004", "0000000009", 1);
    write_private(&mark(&gateway), next.as_bytes());
    gateway.start();
    gateway.await_log(&["error", "older than its high-water mark"]);
    wait_for("the sweep of the other", SOON, || !node.mempool().is_empty());
    node.mine(1);
    gateway.await_tip(&node.height().to_string());

    let database: PathBuf = gateway.setting("database").into();
    let tables = tables(&database);
    let empty = || {
        let held = held(&gateway, &tables).into_iter();
        held.filter(|(_, rows)| rows.is_empty()).map(|(name, _)| name).collect::<Vec<String>>()
    };
    // Tables of later schemas that this test cannot fill must be listed here with a reason:
    // there is one node, without MWEB, all sweeps are mined, the sweeper's record is
    // consistent, and there is no operator fee.
    let mut last = Vec::new();
    wait_for("rows in every table", SOON, || {
        last = empty();
        last.retain(|name| !UNFILLED.contains(&name.as_str()));
        last.is_empty()
    });
    gateway.term();
    if setting("SAVE_SCHEMA", 0) == 1 {
        save(&gateway, &node, &tables);
    }
}

/// Writes this gateway's files as the fixture of its schema.
fn save(gateway: &Gateway, node: &Node, tables: &[(String, Vec<String>)]) {
    let database: PathBuf = gateway.setting("database").into();
    let version = version_of(&database);
    let folder = files::project().join(format!("tests/fixtures/schemas/{version}"));
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    let connection = Connection::open(&database).unwrap();
    let made = |kinds: &str| {
        let sql = format!(
            "SELECT sql || ';' FROM sqlite_schema WHERE type IN ({kinds}) AND sql IS NOT NULL
             AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        );
        texts(&connection, &sql)
    };
    // Rows come table by table, and may refer to one that follows.
    let mut lines = vec!["PRAGMA foreign_keys = OFF;".to_owned(), "BEGIN;".to_owned()];
    lines.extend(made("'table'"));
    for (name, columns) in tables {
        let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
        let values = format!("SELECT {} FROM {name}", quoted.join(" || ', ' || "));
        let rows = texts(&connection, &values);
        let columns = columns.join(", ");
        let insert = |row: &String| format!("INSERT INTO {name} ({columns}) VALUES ({row});");
        lines.extend(rows.iter().map(insert));
    }
    lines.extend(made("'index', 'trigger', 'view'"));
    lines.push(format!("PRAGMA user_version = {version};"));
    lines.push("COMMIT;".to_owned());
    write("database.sql", &(lines.join("\n") + "\n"));
    let block = |height: u32| -> String {
        let hash: String = node.call("getblockhash", json!([height]));
        node.call("getblock", json!([hash, 0]))
    };
    let blocks: Vec<String> = (1..=node.height()).map(block).collect();
    write("blocks.hex", &(blocks.join("\n") + "\n"));
    for (name, key) in KEYS {
        write(name, &fs::read_to_string(gateway.setting(key)).unwrap());
    }
    let record = format!("{}.record", gateway.setting("sweeper.seal_key_file"));
    write("seal.key.record", &fs::read_to_string(record).unwrap());
    write("high-water", &fs::read_to_string(mark(gateway)).unwrap());
    write("xpub", &(gateway.setting("wallet.xpub") + "\n"));
}
