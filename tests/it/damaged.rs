//! Damaged bytes of a stored sweep: reported, not sent, and signed again.

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};
use crate::harness::watch_only::WatchOnly;
use bitcoin::hex::DisplayHex;
use rusqlite::types::Value;

fn pay(node: &Node, shop: &Shop) {
    let payment = shop.create("0.1");
    let txid = node.send(&payment.address, "0.1");
    node.send_again(&txid); // Whether or not the node's wallet broadcasts.
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

#[track_caller]
fn await_sweep(node: &Node) -> String {
    wait_until("the sweep in the mempool", SOON, || node.mempool().into_iter().next())
}

fn restart_without_mempool(node: &Node) {
    node.stop();
    node.up_with(&["-persistmempool=0", "-walletbroadcast=0"]);
    assert!(node.mempool().is_empty());
}

/// The stored bytes of the newest sweep.
fn stored(gateway: &Gateway) -> Vec<u8> {
    let newest = "SELECT raw FROM sweep_txs ORDER BY sweep_id DESC LIMIT 1";
    match Database::of(gateway).rows(newest).remove(0).remove(0) {
        Value::Blob(raw) => raw,
        other => panic!("bytes: {other:?}"),
    }
}

/// The statement that flips a bit of the last input's signature of the newest sweep.
fn flip_a_bit(gateway: &Gateway) -> String {
    let mut raw = stored(gateway);
    let at = raw.len() - 60; // Before it 4 bytes of lock time and 34 of the public key.
    raw[at] ^= 1;
    format!("UPDATE sweep_txs SET raw = x'{}' {NEWEST}", raw.to_lower_hex_string())
}

const NEWEST: &str = "WHERE sweep_id = (SELECT max(sweep_id) FROM sweep_txs)";

/// 1. For each kind of damage, sweep the payments of two merchants.
/// 2. Stop gateway and node; the node forgets the sweep; damage the stored row.
/// 3. Doctor and audit report it.
/// 4. Start the gateway: the same coins go to the same addresses, and the audit is clean.
#[test]
#[ignore = "long"]
fn a_damaged_sweep_is_reported_and_signed_again() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let check = |what: &str, same: bool, damage: &dyn Fn() -> String| {
        pay(&node, &shop);
        node.mine(1); // What was swept alone meanwhile.
        pay(&node, &neighbour);
        let first = await_sweep(&node);
        let outputs = node.outputs_of(&first);
        gateway.kill();
        restart_without_mempool(&node);
        Database::of(&gateway).damage(&damage());
        let doctor = gateway.doctor().stdout;
        assert!(doctor.contains("FAILURE  sweeps: the stored bytes of 1"), "{what}: {doctor}");
        gateway.cli_fails(&["audit"], 1, &[]);
        gateway.start();
        let again = await_sweep(&node);
        assert_eq!(again == first, same, "{what}");
        assert_eq!(node.outputs_of(&again), outputs, "{what}");
        gateway.await_log(&["error", "the stored bytes of a sweep are damaged", "signed again"]);
        node.mine(1);
        gateway.await_tip(&node.height().to_string());
        gateway.cli_ok(&["audit"]);
        let doctor = gateway.doctor().stdout;
        let sound = "ok       sweeps: unconfirmed sweeps are as they were signed";
        assert!(doctor.contains(sound), "{what}: {doctor}");
    };
    check("a signature", true, &|| flip_a_bit(&gateway));
    check("all bytes", true, &|| format!("UPDATE sweep_txs SET raw = zeroblob(9) {NEWEST}"));
    check("the id", true, &|| format!("UPDATE sweep_txs SET txid = zeroblob(32) {NEWEST}"));
    // An attacker changes derived rows to match the damaged bytes.
    check("bytes and lines", true, &|| {
        format!(
            "UPDATE sweep_txs SET raw = zeroblob(9) {NEWEST};
             UPDATE payouts SET script = x'0014{}' {NEWEST}",
            "66".repeat(20)
        )
    });
}

/// 1. Import a signed PSBT into a watch-only gateway; the node forgets the transaction; damage
///    the row.
/// 2. Doctor reports it, and nothing is sent.
/// 3. Import the same PSBT again: it is stored and sent.
#[test]
#[ignore = "long"]
fn without_a_key_a_damaged_sweep_waits_for_the_signed_psbt() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let TestEnv { gateway, shop, node } = &watch_only.test_env;
    pay(node, shop);
    let signed = watch_only.sign(&watch_only.export("unsigned.psbt"));
    assert_eq!(watch_only.import(&signed).code, 0);
    let first = await_sweep(node);
    gateway.kill();
    restart_without_mempool(node);
    Database::of(gateway).damage(&flip_a_bit(gateway));
    gateway.start();
    gateway.await_log(&[
        "error",
        "the stored bytes of a sweep are damaged",
        "waits for the signer",
    ]);
    let doctor = gateway.doctor().stdout;
    assert!(doctor.contains("FAILURE  sweeps: ") && doctor.contains("--import"), "{doctor}");
    assert!(node.mempool().is_empty());
    let again = watch_only.import(&signed);
    assert_eq!(again.code, 0, "{again:?}");
    assert_eq!(node.mempool(), [first]);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}
