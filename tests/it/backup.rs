//! Backups: made during traffic, verified, and restored after a disaster.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bitcoin::ScriptBuf;
use bitcoin::bip32::{ChildNumber, Xpub};
use bitcoin::secp256k1::Secp256k1;
use rusqlite::Connection;

use crate::harness::gateway::{Gateway, Output};
use crate::harness::http;
use crate::harness::node::{Node, core_spelling};
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::random::setting;
use crate::harness::receiver::Receiver;
use crate::harness::rows::RowKey;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const FILE: &str = "copy.db";

/// The path of a file in the gateway's directory.
fn path(gateway: &Gateway, name: &str) -> String {
    gateway.folder().join(name).display().to_string()
}

/// Kills the gateway and deletes its database.
fn lose_the_database(gateway: &Gateway) {
    gateway.kill();
    for name in ["litegate.db", "litegate.db-wal", "litegate.db-shm"] {
        let _ = fs::remove_file(gateway.folder().join(name)); // The last two may have gone already.
    }
}

/// Temporary files that a backup or restore left behind.
fn leftovers(gateway: &Gateway) -> Vec<PathBuf> {
    let entries = fs::read_dir(gateway.folder()).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| {
            let name = path.to_string_lossy();
            [".part", ".verify", ".restoring"].iter().any(|word| name.contains(word))
        })
        .collect()
}

/// 1. Make a backup while payments are created. It names the files that it does not include.
/// 2. Complete a payment: `backup --verify` reads the chain since and is clean.
/// 3. A second backup to the same file is refused; no temporary file is left.
#[test]
fn a_backup_made_during_traffic_verifies() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let before = shop.create("0.05");
    let copy = path(&gateway, FILE);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                shop.create("0.01");
            }
        });
        let said = gateway.cli_ok(&["backup", &copy]);
        done.store(true, Ordering::Relaxed);
        traffic.join().unwrap();
        for word in ["merchants: 1", "not included", "secret_file", "signing_key_file", "seal_key"]
        {
            assert!(said.stdout.contains(word), "{word}: {said:?}");
        }
    });
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    node.send(&before.address, "0.05");
    node.mine(2);
    shop.await_status(&before.id, "completed", SOON);
    let tried = gateway.cli_json(&["backup", "--verify", &copy]);
    assert_eq!(tried.raw("clean"), "true");
    assert!(tried.raw("payments").parse::<u64>().unwrap() >= 1);
    gateway.cli_fails(&["backup", &copy], 2, &["exists already"]);
    assert!(leftovers(&gateway).is_empty(), "{:?}", leftovers(&gateway));
    gateway.cli_ok(&["audit"]);
}

/// 1. Complete a payment, make a backup, and issue further addresses.
/// 2. Restore while serving: refused.
/// 3. Lose the database while another payment is paid and confirmed; restore: clean.
/// 4. Start: that payment completes with its webhook, and the first one's webhook keeps its
///    id.
/// 5. New addresses differ from all issued ones.
#[test]
fn a_restored_backup_catches_up_with_the_chain() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let notified = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&notified.address, "0.05");
    node.mine(2);
    let hit = receiver.await_hit_for(&notified.id, SOON);
    let paid_later = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    gateway.cli_ok(&["backup", &path(&gateway, FILE)]);
    let lost: Vec<String> = (0..5).map(|_| shop.create("0.05").address).collect();
    node.send(&paid_later.address, "0.05");
    gateway.cli_fails(&["restore", &path(&gateway, FILE)], 4, &["another process runs the role"]);
    lose_the_database(&gateway);
    node.mine(2);
    let restored = gateway.cli_json(&["restore", &path(&gateway, FILE)]);
    assert_eq!(restored.raw("clean"), "true", "{}", restored.whole());
    assert_eq!(restored.raw("nextIndex"), "7");
    gateway.start();
    shop.await_status(&paid_later.id, "completed", SOON);
    receiver.await_hit_for(&paid_later.id, SOON);
    assert_eq!(shop.status(&notified.id).text("status"), "completed");
    for other in
        receiver.hits().iter().filter(|other| other.fields().text("paymentId") == notified.id)
    {
        assert_eq!(other.header("webhook-id"), hit.header("webhook-id"));
    }
    let fresh = shop.create("0.05");
    assert!(!lost.contains(&fresh.address), "{lost:?}");
    gateway.cli_ok(&["audit"]);
    assert!(leftovers(&gateway).is_empty(), "{:?}", leftovers(&gateway));
}

/// 1. Make a backup, then create and pay a payment.
/// 2. Lose the database and restore: the audit names the unattributed coin.
/// 3. New payments get another address.
#[test]
fn money_for_a_payment_missing_from_backups_is_reported() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.cli_ok(&["backup", &path(&gateway, FILE)]);
    let lost = shop.create("0.05");
    node.send(&lost.address, "0.05");
    lose_the_database(&gateway);
    node.mine(2);
    let restore = ["restore", &path(&gateway, FILE)];
    gateway.cli_fails(
        &restore,
        1,
        &["restored, but the audit", "unattributed: 0.05 ltc", "address 0"],
    );
    gateway.start();
    let shop = Shop::with_key_of(&gateway, &shop.api_key);
    assert_ne!(shop.create("0.05").address, lost.address);
}

/// 1. Make a backup, create a payment, and restore: the payment is unknown.
/// 2. Start with the set-aside database: the payment is there.
#[test]
fn a_restore_keeps_the_previous_database() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    gateway.cli_ok(&["backup", &path(&gateway, FILE)]);
    let payment = shop.create("0.05");
    gateway.kill();
    let restored = gateway.cli_json(&["restore", &path(&gateway, FILE)]);
    let kept = restored.text("kept");
    gateway.start();
    let route = format!("/api/payments/{}", payment.id);
    let answer = http::request(gateway.port(), "GET", &route, &[], b"").unwrap();
    assert_eq!(answer.status, 404);
    gateway.kill();
    gateway.set_environment("LITEGATE_DATABASE", &kept);
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
}

/// 1. Prepare files that are no valid backup: missing, empty, text, cut off, damaged, newer,
///    in use, of another gateway.
/// 2. `backup --verify` and `restore` refuse each with a reason and leave no file.
/// 3. The gateway starts with its database.
#[test]
fn an_invalid_backup_is_refused_and_nothing_is_changed() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    gateway.cli_ok(&["backup", &path(&gateway, FILE)]);
    let good = fs::read(gateway.folder().join(FILE)).unwrap();
    let make = |name: &str, bytes: &[u8]| {
        fs::write(gateway.folder().join(name), bytes).unwrap();
        path(&gateway, name)
    };
    let mut torn = good.clone();
    torn[4_096..8_192].fill(0xa5);
    let mut newer = good.clone();
    newer[60..64].copy_from_slice(&77u32.to_be_bytes()); // The user version of the file format.
    let other = Gateway::init(&node);
    other.start();
    other.cli_ok(&["backup", &path(&other, FILE)]);
    let running = fs::read(gateway.folder().join("litegate.db")).unwrap();
    gateway.kill();
    let cases = [
        (path(&gateway, "nothing.db"), 1, "no such file"),
        (make("empty.db", b""), 4, "is not a database"),
        (make("text.db", &[b'x'; 9_000]), 4, "is not a database"),
        (make("half.db", &good[..good.len() / 2]), 4, "is damaged"),
        (make("torn.db", &torn), 4, "is damaged"),
        (make("newer.db", &newer), 1, "schema 77"),
        (make("running.db", &running), 4, "may be a plain copy of a database in use"),
        (path(&other, FILE), 4, "belongs to another"),
    ];
    for (file, code, words) in cases {
        gateway.cli_fails(&["backup", "--verify", &file], code, &[words]);
        gateway.cli_fails(&["restore", &file], code, &[words]);
    }
    assert!(leftovers(&gateway).is_empty(), "{:?}", leftovers(&gateway));
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
}

/// Adds expired payments with valid scripts to the database of a stopped gateway.
fn fill(gateway: &Gateway, payments: u64) {
    let secp = Secp256k1::verification_only();
    let xpub: Xpub = core_spelling(&gateway.setting("wallet.xpub")).parse().unwrap();
    let receiving = xpub.derive_pub(&secp, &[ChildNumber::Normal { index: 0 }]).unwrap();
    let mut connection = Connection::open(gateway.setting("database")).unwrap();
    let tx = connection.transaction().unwrap();
    let top: u32 =
        tx.query_row("SELECT max(derivation_index) FROM payments", [], |row| row.get(0)).unwrap();
    let insert =
        "INSERT INTO payments (derivation_index, id, merchant_id, script, amount, created_at,
            expires_at, late_until, confirmations, confirmations_pegout, status, status_at)
        SELECT ?1, randomblob(16), merchant_id, ?2, amount, created_at, expires_at, late_until,
            confirmations, confirmations_pegout, 'expired', expires_at
        FROM payments WHERE derivation_index = ?3";
    {
        let mut insert = tx.prepare(insert).unwrap();
        for index in (top + 1..).take(usize::try_from(payments).unwrap()) {
            let key = receiving.derive_pub(&secp, &[ChildNumber::Normal { index }]).unwrap();
            let hash = key.to_pub().wpubkey_hash();
            let script = ScriptBuf::new_p2wpkh(&hash);
            insert.execute(rusqlite::params![index, script.as_bytes(), top]).unwrap();
        }
    }
    RowKey::of(gateway).seal_new(&tx);
    tx.commit().unwrap();
}

/// Runs a command, and mines a block while the node scans its UTXO set for it.
fn with_a_block_meanwhile(test_env: &TestEnv, proxy: &RpcProxy, arguments: &[&str]) -> Output {
    proxy.set(Fault::SlowScan(Duration::from_millis(1_500)));
    let before = proxy.count("scantxoutset");
    std::thread::scope(|scope| {
        let command = scope.spawn(|| test_env.gateway.cli(arguments));
        wait_for("the scan", SOON, || proxy.count("scantxoutset") > before);
        test_env.node.mine(1);
        command.join().unwrap()
    })
}

/// 1. Make a backup and complete one of its payments.
/// 2. Mine a block during `backup --verify`: clean.
/// 3. Mine a block during `restore`: clean, and the payment completes after the start.
#[test]
#[ignore = "long"]
fn a_block_mined_during_verification_causes_no_difference() {
    let Some(node) = Node::start() else { return };
    let node = Arc::new(node);
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(node, |gateway| gateway.set("node.rpc_url", proxy.url()));
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = shop.create("0.05");
    let copy = path(gateway, FILE);
    gateway.cli_ok(&["backup", &copy]);
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.kill();
    let tried = with_a_block_meanwhile(&test_env, &proxy, &["backup", "--verify", &copy]);
    assert!(tried.code == 0 && tried.stdout.contains("clean"), "{tried:?}");
    let restored = with_a_block_meanwhile(&test_env, &proxy, &["restore", &copy]);
    assert_eq!(restored.code, 0, "{restored:?}");
    proxy.set(Fault::None);
    gateway.start();
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Make `restore` crash after it set the database aside, and after it placed the copy.
/// 2. Repeat the command: it succeeds and leaves no temporary file.
/// 3. The first set-aside database is complete.
#[test]
fn a_killed_restore_can_be_repeated() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let copy = path(&gateway, FILE);
    gateway.cli_ok(&["backup", &copy]);
    let later = shop.create("0.05");
    gateway.kill();
    for point in ["restore-moved", "restore-placed"] {
        gateway.set_environment("LITEGATE_CRASH_AT", point);
        let killed = gateway.cli(&["restore", &copy]);
        assert!(killed.code != 0, "{point}: {killed:?}");
        gateway.clear_environment();
        let restored = gateway.cli_json(&["restore", &copy]);
        assert_eq!(restored.raw("clean"), "true", "{}", restored.whole());
        gateway.start();
        assert_eq!(shop.status(&payment.id).text("status"), "pending", "{point}");
        gateway.kill();
        assert!(leftovers(&gateway).is_empty(), "{:?}", leftovers(&gateway));
    }
    let first = fs::read_dir(gateway.folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut kept: Vec<PathBuf> = first
        .filter(|path| path.to_string_lossy().contains(".before-restore-"))
        .filter(|path| !path.to_string_lossy().ends_with("-shm"))
        .collect();
    kept.sort();
    let connection = Connection::open(&kept[0]).unwrap();
    let count: i64 =
        connection.query_row("SELECT count(*) FROM payments", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2, "with {}: {kept:?}", later.id);
}

/// Four customers create 200 payments per second until `over`. Answers the sorted response
/// times.
fn traffic(shop: &Shop, over: &AtomicBool) -> Vec<Duration> {
    const EACH: Duration = Duration::from_millis(20);
    let customer = || {
        let mut took = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            shop.create("0.05");
            took.push(began.elapsed());
            std::thread::park_timeout(EACH.saturating_sub(began.elapsed()));
        }
        took
    };
    let mut took: Vec<Duration> =
        crate::harness::at_once::at_once(4, customer).into_iter().flatten().collect();
    took.sort();
    took
}

/// 1. Create payments and stop the gateway, several times.
/// 2. The write-ahead log is empty after each stop, so a plain copy of the stopped database is
///    complete.
#[test]
fn a_clean_shutdown_leaves_an_empty_write_ahead_log() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    for _ in 0..5 {
        shop.create("0.05");
        gateway.term();
        let log =
            std::fs::metadata(path(&gateway, "litegate.db-wal")).map_or(0, |found| found.len());
        assert_eq!(log, 0, "bytes beside the database");
        gateway.start();
    }
}

/// 1. Fill the database with `PAYMENTS` payments.
/// 2. Measure response times without a backup, then during one: none waits for its end.
/// 3. Restore the backup and create a payment.
#[test]
#[ignore = "long"]
fn a_large_backup_delays_no_writer_and_can_be_restored() {
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.unset("sweeper.seal_key_file");
        gateway.set("payments.max_open_payments", 10_000_000);
        gateway.set("payments.max_daily_payments", 0);
    });
    let Some(TestEnv { gateway, shop, node: _node }) = test_env else { return };
    shop.create("0.05");
    gateway.term();
    fill(&gateway, setting("PAYMENTS", 20_000));
    gateway.start();
    let measure = |act: &dyn Fn()| {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let customers = scope.spawn(|| traffic(&shop, &over));
            let began = Instant::now();
            let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
            let lasted = began.elapsed();
            over.store(true, Ordering::Relaxed); // Else they would go on for ever.
            acted.unwrap();
            (customers.join().unwrap(), lasted)
        })
    };
    let quiet = Duration::from_secs(3);
    let (before, _) = measure(&|| std::thread::park_timeout(quiet));
    let (during, lasted) = measure(&|| drop(gateway.cli_ok(&["backup", &path(&gateway, FILE)])));
    let p99 = |took: &[Duration]| took[took.len() * 99 / 100];
    let worst = |took: &[Duration]| *took.last().unwrap();
    println!(
        "copied in {lasted:?}; answers: before p99 {:?}, worst {:?} of {}; meanwhile p99 {:?}, \
         worst {:?} of {}",
        p99(&before),
        worst(&before),
        before.len(),
        p99(&during),
        worst(&during),
        during.len()
    );
    // A customer whose response waited for the backup's end would have got one or two.
    assert!(during.len() > 4 * 4, "{} responses during the backup", during.len());
    gateway.kill();
    let began = Instant::now();
    let restored = gateway.cli_json(&["restore", &path(&gateway, FILE)]);
    println!("restored {} payments in {:?}", restored.raw("payments"), began.elapsed());
    assert!(restored.raw("payments").parse::<u64>().unwrap() > setting("PAYMENTS", 20_000));
    gateway.start();
    shop.create("0.05");
}
