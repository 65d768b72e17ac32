//! An old copy of the database is restored: no address is issued twice.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::clock;
use crate::harness::gateway::Gateway;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

const MARK: &str = "litegate.db.high-water";

/// Files by name, with their content.
type Copied = Vec<(String, Vec<u8>)>;

/// Copies files of a stopped gateway.
fn copy(gateway: &Gateway, names: &[&str]) -> Copied {
    names
        .iter()
        .map(|name| (name.to_string(), fs::read(gateway.folder().join(name)).unwrap()))
        .collect()
}

/// Writes the copied files back.
fn put_back(gateway: &Gateway, copied: &[(String, Vec<u8>)]) {
    for (name, bytes) in copied {
        fs::write(gateway.folder().join(name), bytes).unwrap();
    }
}

/// A gateway that issued one address, a copy of its files from then, and the addresses issued
/// later.
fn later(names: &[&str]) -> Option<(TestEnv, Copied, Vec<String>)> {
    let test_env = TestEnv::alone()?;
    test_env.shop.create("0.05");
    test_env.gateway.term();
    let copied = copy(&test_env.gateway, names);
    test_env.gateway.start();
    let given_out = (0..3).map(|_| test_env.shop.create("0.05").address).collect();
    Some((test_env, copied, given_out))
}

/// 1. Issue addresses after a copy of the database, then put the copy back.
/// 2. The start logs an error once, and the next address is a new one.
/// 3. A restart logs nothing further and issues the next index.
#[test]
fn the_high_water_mark_reveals_an_old_backup() {
    let Some((TestEnv { gateway, shop, node }, copied, given_out)) = later(&["litegate.db"]) else {
        return;
    };
    gateway.kill();
    let _ = fs::remove_file(gateway.folder().join("litegate.db-wal")); // It belongs to the lost one.
    put_back(&gateway, &copied);
    gateway.start();
    gateway.await_log(&["error", "older than its high-water mark", "next=4"]);
    let fresh = shop.create("0.05");
    assert!(!given_out.contains(&fresh.address), "{given_out:?}");
    assert_eq!(fresh.address, node.derive_addresses(&gateway.setting("wallet.xpub"), 4, 4)[0]);
    gateway.restart();
    gateway.await_log(&["high-water"]);
    assert_eq!(gateway.log_lines(&["high-water"]).len(), 1);
    assert_eq!(
        shop.create("0.05").address,
        node.derive_addresses(&gateway.setting("wallet.xpub"), 5, 5)[0]
    );
}

/// 1. Put back an older database and delete the high-water mark.
/// 2. The next index is 10,001.
#[test]
fn without_a_high_water_mark_indexes_skip_far_ahead() {
    let Some((TestEnv { gateway, shop, node }, copied, _)) = later(&["litegate.db"]) else {
        return;
    };
    gateway.kill();
    let _ = fs::remove_file(gateway.folder().join("litegate.db-wal"));
    put_back(&gateway, &copied);
    fs::remove_file(gateway.folder().join(MARK)).unwrap();
    gateway.start();
    let expected = node.derive_addresses(&gateway.setting("wallet.xpub"), 10_001, 10_001);
    assert_eq!(shop.create("0.05").address, expected[0]);
}

/// 1. Pay an address that was issued after a copy, then put back database and mark.
/// 2. The start finds the paid index 2 and issues index 3; index 3 cannot be known as issued.
/// 3. The audit reports the unattributed coin.
/// 4. A new payment completes as usual.
#[test]
fn the_chain_reveals_used_addresses_to_a_rolled_back_folder() {
    let Some((TestEnv { gateway, shop, node }, copied, given_out)) = later(&["litegate.db", MARK])
    else {
        return;
    };
    node.send(&given_out[1], "0.05");
    node.mine(1);
    gateway.kill();
    let _ = fs::remove_file(gateway.folder().join("litegate.db-wal"));
    put_back(&gateway, &copied);
    gateway.start();
    gateway.await_log(&["error", "never issued", "index=2"]);
    let fresh = shop.create("0.05");
    assert_eq!(fresh.address, node.derive_addresses(&gateway.setting("wallet.xpub"), 3, 3)[0]);
    gateway.cli_fails(&["audit"], 1, &["unattributed", "address 2"]);
    node.send(&fresh.address, "0.05");
    node.mine(2);
    shop.await_status(&fresh.id, "completed", SOON);
}

/// 1. Pay index 7 of the account before the first start.
/// 2. The start reports it, and the first payment gets index 8.
#[test]
fn an_account_used_before_is_detected_at_the_first_start() {
    let Some(node) = crate::harness::node::Node::start() else { return };
    let node = std::sync::Arc::new(node);
    let gateway = Gateway::init(&node);
    let xpub = gateway.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    gateway.start();
    gateway.await_log(&["error", "never issued", "index=7"]);
    let shop = crate::harness::shop::Shop::open(&gateway, &node, "Corner Shop");
    assert_eq!(shop.create("0.05").address, node.derive_addresses(&xpub, 8, 8)[0]);
}

#[test]
fn a_damaged_high_water_mark_is_refused() {
    let Some((TestEnv { gateway, .. }, ..)) = later(&[]) else { return };
    gateway.term();
    fs::write(gateway.folder().join(MARK), "what?\n").unwrap();
    gateway.cli_fails(&["serve"], 4, &["is not a high-water mark", "10000 indexes are skipped"]);
}

/// 1. Write a mark of 2,000,000,000, as a failing disk could.
/// 2. The start is refused with the file's name and the fix.
/// 3. Delete the file and start: the next index is 10,000 further.
#[test]
fn an_absurd_high_water_mark_is_refused_and_uses_no_index() {
    let Some((TestEnv { gateway, shop, node }, ..)) = later(&[]) else { return };
    gateway.term();
    let mark = fs::read_to_string(gateway.folder().join(MARK)).unwrap();
    fs::write(gateway.folder().join(MARK), format!("2000000000{}", &mark[10..])).unwrap();
    gateway.cli_fails(&["serve"], 4, &[MARK, "2000000000", "remove it"]);
    fs::remove_file(gateway.folder().join(MARK)).unwrap();
    gateway.start();
    let expected = node.derive_addresses(&gateway.setting("wallet.xpub"), 10_004, 10_004);
    assert_eq!(shop.create("0.05").address, expected[0]);
}

/// Restores a snapshot of the machine: database and mark.
fn roll_back(gateway: &Gateway, copied: &[(String, Vec<u8>)]) {
    gateway.kill();
    let _ = fs::remove_file(gateway.folder().join("litegate.db-wal")); // It belongs to the later one.
    put_back(gateway, copied);
}

/// 1. Issue addresses after a snapshot, then restore it an hour later.
/// 2. The start skips 1,000 indexes with a warning; no address is issued twice.
/// 3. The next start skips nothing.
#[test]
fn a_rolled_back_snapshot_skips_possibly_issued_addresses() {
    let Some((TestEnv { gateway, shop, node: _node }, copied, given_out)) =
        later(&["litegate.db", MARK])
    else {
        return;
    };
    roll_back(&gateway, &copied);
    gateway.let_pass(Duration::from_secs(3_600));
    gateway.start();
    gateway.await_log(&["warn", "was not in use for a while", "skipped=1000"]);
    let fresh = shop.create("0.05");
    assert!(!given_out.contains(&fresh.address), "{given_out:?}");
    gateway.restart();
    shop.create("0.05");
    gateway.await_log(&["was not in use for a while"]);
    assert_eq!(gateway.log_lines(&["was not in use for a while"]).len(), 1);
}

/// 1. Restore a snapshot while the machine's clock is as old as the snapshot.
/// 2. Mine a block three hours later: the start skips 1,000 indexes by the chain's time.
#[test]
fn a_rolled_back_snapshot_is_detected_by_the_chain_time() {
    let Some((TestEnv { gateway, shop, node }, copied, given_out)) = later(&["litegate.db", MARK])
    else {
        return;
    };
    roll_back(&gateway, &copied);
    let later = clock::now().as_secs() + 3 * 3_600;
    node.call::<Value>("setmocktime", json!([later]));
    node.mine(1);
    gateway.start();
    gateway.await_log(&["warn", "was not in use for a while", "skipped=1000"]);
    let fresh = shop.create("0.05");
    assert!(!given_out.contains(&fresh.address), "{given_out:?}");
}
