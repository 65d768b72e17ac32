//! `litegate audit` and `litegate rescan`: every litoshi is accounted for; differences are
//! named and repaired beside a serving gateway.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::{Gateway, Output};
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// The sums of an audit without differences.
#[track_caller]
fn clean(gateway: &Gateway) -> Fields {
    gateway.cli_json(&["audit"])
}

/// Audits until there is no difference: the watcher may have blocks to read.
#[track_caller]
fn await_clean(gateway: &Gateway) {
    wait_for("a clean audit", SOON, || gateway.cli(&["audit"]).code == 0);
}

/// Expects an audit with differences that contain these words.
#[track_caller]
fn differs(gateway: &Gateway, words: &[&str]) -> Output {
    gateway.cli_fails(&["audit"], 1, words)
}

/// An amount of the audit, in litoshis.
fn sum(fields: &Fields, name: &str) -> u64 {
    litoshis(fields.raw(name))
}

/// 1. Audit an empty gateway: all sums are 0.
/// 2. Audit after a confirmation (unswept), during the sweep (in flight), and after it (paid
///    and fees).
/// 3. Each audit is clean.
#[test]
fn the_audit_sums_follow_each_payment_state() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let sums = clean(&gateway);
    assert_eq!(sum(&sums, "receivedLtc"), 0);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    let sums = clean(&gateway);
    assert_eq!((sum(&sums, "receivedLtc"), sum(&sums, "unsweptLtc")), (5_000_000, 5_000_000));
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    let sums = clean(&gateway);
    assert_eq!((sum(&sums, "inFlightLtc"), sum(&sums, "unsweptLtc")), (5_000_000, 0));
    let fee = node.fee_of(&node.mempool()[0]);
    node.mine(1);
    let tip = node.height().to_string();
    gateway.await_tip(&tip);
    let sums = clean(&gateway);
    assert_eq!(sum(&sums, "receivedLtc"), 5_000_000);
    assert_eq!((sum(&sums, "paidLtc"), sum(&sums, "feesLtc")), (5_000_000 - fee, fee));
    assert_eq!((sum(&sums, "inFlightLtc"), sum(&sums, "unsweptLtc")), (0, 0));
    assert!(sums.raw("clean") == "true" && sums.raw("differences") == "[]", "{sums:?}");
    let text = gateway.cli_ok(&["audit"]).stdout;
    assert!(text.contains("received         0.05 LTC") && text.contains("clean"), "{text}");
}

/// 1. Complete and sweep a payment.
/// 2. For each derived table, change a row by SQL: the audit reports it and recommends a
///    rescan.
/// 3. Rescan the last block: the audit is clean.
#[test]
#[ignore = "long"]
fn derived_rows_are_audited_and_repaired_by_a_rescan() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    node.mine(1);
    shop.create("0.07");
    let height = node.height().to_string();
    gateway.await_tip(&height);
    await_clean(&gateway);
    let database = Database::of(&gateway);
    for (damage, word) in [
        ("UPDATE merchant_coins SET amount = amount + 1 WHERE state = 'spent'", "the stored sums"),
        ("UPDATE merchant_payouts SET operator_fee = operator_fee + 1", "the stored sums"),
        ("UPDATE merchant_payments SET pending = pending + 1", "the stored sums"),
        ("UPDATE merchant_payments SET confirmations_max = 1", "the stored sums"),
        ("DELETE FROM merchant_payments", "the stored sums"),
        ("INSERT INTO in_flight_sweeps SELECT id FROM sweeps", "in-flight sweeps"),
        ("UPDATE payment_counts SET count = 2 WHERE status = 'pending'", "payments by status"),
        ("DELETE FROM payment_counts", "payments by status"),
    ] {
        database.damage(damage);
        differs(&gateway, &[word, "rescan"]);
        gateway.cli_ok(&["rescan", "--from-height", &height]);
        clean(&gateway);
    }
}

/// 1. Complete a payment and delete its coin by SQL: the audit names payment and coin, in one
///    error line.
/// 2. Rescan: one fact is repaired, and the audit is clean.
/// 3. Rescan again: nothing is repaired.
#[test]
fn a_lost_coin_is_reported_and_restored_by_a_rescan() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let height = node.height() - 1;
    let database = Database::of(&gateway);
    database.damage("DELETE FROM coins");
    let said = differs(&gateway, &["difference", &payment.id, &txid, "0.05 LTC"]);
    assert_eq!(said.stderr.trim().lines().count(), 1, "one error line: {said:?}");
    let done = gateway.cli_json(&["rescan", "--from-height", &height.to_string()]);
    assert_eq!((done.raw("repaired"), done.raw("completed")), ("1", "0"));
    assert_eq!(sum(&clean(&gateway), "receivedLtc"), 5_000_000);
    let again = gateway.cli_json(&["rescan", "--from-height", &height.to_string()]);
    assert_eq!(again.raw("repaired"), "0", "safe to repeat");
}

/// 1. Complete two payments.
/// 2. For each kind of damage, change coins or status by SQL: the audit reports it.
/// 3. Rescan: the audit is clean; a lost completion returns with its coins.
#[test]
fn damaged_facts_are_repaired_and_the_payment_completes() {
    #[track_caller]
    fn check(test_env: &TestEnv, damage: &str, words: &[&str]) {
        let TestEnv { gateway, .. } = test_env;
        Database::of(gateway).damage(damage);
        differs(gateway, words);
        gateway.cli_ok(&["rescan", "--from-height", "0"]);
        await_clean(gateway);
    }
    let Some(test_env) = TestEnv::alone() else { return };
    let payment = test_env.shop.create("0.05");
    let other = test_env.shop.create("0.07");
    test_env.node.send(&payment.address, "0.05");
    test_env.node.send(&other.address, "0.07");
    test_env.node.mine(2);
    test_env.shop.await_status(&payment.id, "completed", SOON);
    test_env.shop.await_status(&other.id, "completed", SOON);
    check(&test_env, "UPDATE coins SET amount = 1 WHERE amount = 5000000", &["0.00000001 LTC"]);
    check(
        &test_env,
        "UPDATE coins SET derivation_index = 1 - derivation_index",
        &[&other.id, "completed, but"],
    );
    check(
        &test_env,
        "UPDATE coins SET spent_txid = randomblob(32), spent_height = block_height",
        &["not a sweep of this gateway"],
    );
    check(
        &test_env,
        "UPDATE coins SET place = 'removed', block_height = NULL, block_hash = NULL",
        &[&other.id, "is not recorded"],
    );
    check(
        &test_env,
        "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place,
             block_height, block_hash)
         SELECT randomblob(32), 0, 0, 7, 'plain', 0, 'block', height, hash FROM blocks
         ORDER BY height DESC LIMIT 1",
        &["the node has no such coin"],
    );
    check(
        &test_env,
        "UPDATE payments SET status = 'pending', status_at = NULL; DELETE FROM coins",
        &["is not recorded"],
    );
    assert_eq!(test_env.shop.status(&payment.id).text("status"), "completed");
}

/// 1. Pay, reorganise and sweep several payments.
/// 2. Rescan from height 0: nothing is repaired, and the tables are identical.
#[test]
fn a_full_rescan_changes_nothing() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    for amount in ["0.05", "0.06", "0.07"] {
        let payment = shop.create("0.06");
        node.send(&payment.address, amount);
        node.mine(1);
        node.reorg(1);
        shop.await_field(&payment.id, "confirmations", "2", SOON);
    }
    node.mine(2);
    gateway.await_log(&["sweep stored"]);
    // The sweep may be mined in the last of these blocks.
    let paid = || gateway.cli_json(&["audit"]).raw("paidLtc") != "0";
    wait_for("a sweep", SOON, || !node.mempool().is_empty() || paid());
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    await_clean(&gateway);
    gateway.term();
    let database = Database::of(&gateway);
    let before = database.dump(&["coins", "payments", "events", "sweeps", "sweep_txs", "blocks"]);
    let done = gateway.cli_json(&["rescan", "--from-height", "0"]);
    assert_eq!((done.raw("repaired"), done.raw("completed")), ("0", "0"));
    assert_eq!(
        database.dump(&["coins", "payments", "events", "sweeps", "sweep_txs", "blocks"]),
        before
    );
}

/// 1. Pay index 20 while only index 0 was issued: the audit names the unattributed coin.
/// 2. The next payment gets index 21, so that the coin is credited to nobody.
#[test]
fn money_at_an_unissued_address_is_reported_as_unattributed() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let xpub = gateway.setting("wallet.xpub");
    let payment = shop.create("0.05");
    let ahead = &node.derive_addresses(&xpub, 20, 20)[0];
    node.send(ahead, "0.05");
    node.mine(2);
    gateway.await_tip(&node.height().to_string());
    differs(&gateway, &["unattributed", "0.05 LTC", "address 20"]);
    assert_eq!(shop.status(&payment.id).raw("amountReceivedLtc"), "0");
    let next = shop.create("0.05");
    assert_eq!(next.address, node.derive_addresses(&xpub, 21, 21)[0]);
    gateway.await_log(&["error", "never issued"]);
}

/// 1. Complete a payment, then replace its blocks by empty ones: the audit names it.
/// 2. Mine it again: the audit is clean.
#[test]
fn the_audit_reports_a_completed_payment_without_its_coins() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    clean(&gateway);
    node.reorg_to_empty(2);
    shop.await_field(&payment.id, "confirmations", "0", SOON);
    differs(&gateway, &[&payment.id, "is completed, but the best chain holds 0 LTC of 0.05 LTC"]);
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    clean(&gateway);
}

/// 1. Stop the gateway and mine: the audit reports both heights.
/// 2. Start it: the audit is clean.
/// 3. Stop the node: audit and rescan exit with 3.
#[test]
#[ignore = "long"]
fn a_lagging_database_or_missing_node_fails_the_audit() {
    let Some(TestEnv { gateway, shop: _, node }) = TestEnv::alone() else { return };
    gateway.term();
    node.mine(3);
    let (ours, theirs) = ((node.height() - 3).to_string(), node.height().to_string());
    differs(&gateway, &["the database is at block", &ours, &theirs]);
    gateway.start();
    await_clean(&gateway);
    node.stop();
    gateway.cli_fails(&["audit"], 3, &["out of reach"]);
    gateway.cli_fails(&["rescan", "--from-height", "0"], 3, &["out of reach"]);
}

/// A gateway that reaches its node through a proxy.
fn through_a_proxy() -> Option<(TestEnv, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(node, |gateway| gateway.set("node.rpc_url", proxy.url()));
    Some((test_env, proxy))
}

/// 1. Pay indexes 0, 900 and 1,800, of which only the first was issued.
/// 2. Limit the node's answer to half of the addresses.
/// 3. The audit reports both unattributed coins, with three scans.
#[test]
fn the_audit_fetches_many_unspent_outputs_in_parts() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = through_a_proxy() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    // Addresses never issued. Indexes up to the highest paid one are skipped.
    let xpub = gateway.setting("wallet.xpub");
    for (index, amount) in [(900, "0.07"), (1_800, "0.08")] {
        node.send(&node.derive_addresses(&xpub, index, index)[0], amount);
        node.mine(1);
        gateway.await_tip(&node.height().to_string());
    }
    shop.await_status(&payment.id, "completed", SOON);
    let strange = ["0.07 LTC", "address 900", "0.08 LTC", "address 1800"];
    differs(&gateway, &strange);
    let before = proxy.count("scantxoutset");
    // Half of the addresses 0 to 2801 fit into one answer: one scan fails, two succeed.
    proxy.set(Fault::LongScan(1_401, Duration::ZERO));
    let said = differs(&gateway, &strange);
    assert_eq!(said.stdout.matches("difference").count(), 2, "{said:?}");
    assert_eq!(proxy.count("scantxoutset") - before, 3);
}

/// 1. Slow down the node's scan and start an audit.
/// 2. During its last scan, sweep and pay, and mine a block.
/// 3. The audit is clean, with the newer sums, and needs no further scan.
#[test]
#[ignore = "long"]
fn blocks_mined_during_an_audit_cause_no_difference() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = through_a_proxy() else { return };
    let [swept, paid] = ["0.05", "0.06"].map(|amount| shop.create(amount));
    node.send(&swept.address, "0.05");
    node.mine(2);
    shop.await_status(&swept.id, "completed", SOON);
    proxy.set(Fault::LongScan(502, Duration::from_secs(5)));
    let asked = proxy.count("scantxoutset");
    std::thread::scope(|scope| {
        let audit = scope.spawn(|| clean(&gateway));
        // The first scan was too large; the lower half with both coins is answered.
        wait_for("the upper half", SOON, || proxy.count("scantxoutset") - asked == 3);
        gateway.cli_ok(&["sweep"]);
        node.send(&paid.address, "0.06");
        wait_for("the sweep and the payment", SOON, || node.mempool().len() == 2);
        node.mine(1);
        gateway.await_tip(&node.height().to_string());
        let sums = audit.join().unwrap();
        assert_eq!((sum(&sums, "receivedLtc"), sum(&sums, "unsweptLtc")), (11_000_000, 6_000_000));
    });
    assert_eq!(proxy.count("scantxoutset") - asked, 3, "once was enough");
}
