//! `litegate audit` and `litegate rescan`: every litoshi is accounted for, and what is recorded
//! otherwise than it happened is found, named and repaired, beside a serving gateway.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gate::{Gate, Output};
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for};

/// The sums of an audit that must be clean.
#[track_caller]
fn clean(gate: &Gate) -> Fields {
    gate.cli_json(&["audit"])
}

/// Audits until it is clean; the watcher may have blocks to read.
#[track_caller]
fn await_clean(gate: &Gate) {
    wait_for("a clean audit", SOON, || gate.cli(&["audit"]).code == 0);
}

#[track_caller]
fn differs(gate: &Gate, words: &[&str]) -> Output {
    gate.cli_fails(&["audit"], 1, words)
}

fn sum(fields: &Fields, name: &str) -> u64 {
    litoshis(fields.raw(name))
}

#[test]
fn the_accounts_follow_the_money() {
    let stage = Stage::alone_with(|gate| gate.set("sweeper.interval", "1s"));
    let Some(Stage { gate, shop, node }) = stage else { return };
    let sums = clean(&gate);
    assert_eq!(sum(&sums, "receivedLtc"), 0);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    let sums = clean(&gate);
    assert_eq!((sum(&sums, "receivedLtc"), sum(&sums, "unsweptLtc")), (5_000_000, 5_000_000));
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    let sums = clean(&gate);
    assert_eq!((sum(&sums, "inFlightLtc"), sum(&sums, "unsweptLtc")), (5_000_000, 0));
    let fee = node.fee_of(&node.mempool()[0]);
    node.mine(1);
    let tip = node.height().to_string();
    gate.await_tip(&tip);
    let sums = clean(&gate);
    assert_eq!(sum(&sums, "receivedLtc"), 5_000_000);
    assert_eq!((sum(&sums, "paidLtc"), sum(&sums, "feesLtc")), (5_000_000 - fee, fee));
    assert_eq!((sum(&sums, "inFlightLtc"), sum(&sums, "unsweptLtc")), (0, 0));
    assert!(sums.raw("clean") == "true" && sums.raw("differences") == "[]", "{sums:?}");
    let text = gate.cli_ok(&["audit"]).stdout;
    assert!(text.contains("received         0.05 LTC") && text.contains("clean"), "{text}");
}

#[test]
#[ignore = "long"]
fn what_is_kept_beside_the_facts_is_held_against_them_and_mended() {
    let stage = Stage::alone_with(|gate| gate.set("sweeper.interval", "1s"));
    let Some(Stage { gate, shop, node }) = stage else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    node.mine(1);
    shop.create("0.07");
    let height = node.height().to_string();
    gate.await_tip(&height);
    await_clean(&gate);
    let database = Database::of(&gate);
    for (damage, word) in [
        ("UPDATE merchant_coins SET amount = amount + 1 WHERE state = 'spent'", "the sums kept"),
        ("UPDATE merchant_payouts SET operator_fee = operator_fee + 1", "the sums kept"),
        ("UPDATE merchant_payments SET pending = pending + 1", "the sums kept"),
        ("UPDATE merchant_payments SET confirmations_max = 1", "the sums kept"),
        ("DELETE FROM merchant_payments", "the sums kept"),
        ("INSERT INTO sweeps_under_way SELECT id FROM sweeps", "kept as under way"),
        ("UPDATE payment_counts SET count = 2 WHERE status = 'pending'", "kept by status"),
        ("DELETE FROM payment_counts", "kept by status"),
    ] {
        database.damage(damage);
        differs(&gate, &[word, "rescan"]);
        gate.cli_ok(&["rescan", "--from-height", &height]);
        clean(&gate);
    }
}

#[test]
fn a_lost_coin_is_named_and_read_again_from_its_block() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let height = node.height() - 1;
    let database = Database::of(&gate);
    database.damage("DELETE FROM coins");
    let said = differs(&gate, &["difference", &payment.id, &txid, "0.05 LTC"]);
    assert_eq!(said.stderr.trim().lines().count(), 1, "one error line: {said:?}");
    let done = gate.cli_json(&["rescan", "--from-height", &height.to_string()]);
    assert_eq!((done.raw("repaired"), done.raw("completed")), ("1", "0"));
    assert_eq!(sum(&clean(&gate), "receivedLtc"), 5_000_000);
    let again = gate.cli_json(&["rescan", "--from-height", &height.to_string()]);
    assert_eq!(again.raw("repaired"), "0", "safe to repeat");
}

#[test]
fn damaged_facts_are_repaired_and_the_payment_completes() {
    #[track_caller]
    fn check(stage: &Stage, damage: &str, words: &[&str]) {
        let Stage { gate, .. } = stage;
        Database::of(gate).damage(damage);
        differs(gate, words);
        gate.cli_ok(&["rescan", "--from-height", "0"]);
        await_clean(gate);
    }
    let Some(stage) = Stage::alone() else { return };
    let payment = stage.shop.create("0.05");
    let other = stage.shop.create("0.07");
    stage.node.send(&payment.address, "0.05");
    stage.node.send(&other.address, "0.07");
    stage.node.mine(2);
    stage.shop.await_status(&payment.id, "completed", SOON);
    stage.shop.await_status(&other.id, "completed", SOON);
    check(&stage, "UPDATE coins SET amount = 1 WHERE amount = 5000000", &["0.00000001 LTC"]);
    check(
        &stage,
        "UPDATE coins SET derivation_index = 1 - derivation_index",
        &[&other.id, "completed, but"],
    );
    check(
        &stage,
        "UPDATE coins SET spent_txid = randomblob(32), spent_height = block_height",
        &["no sweep of ours"],
    );
    check(
        &stage,
        "UPDATE coins SET place = 'gone', block_height = NULL, block_hash = NULL",
        &[&other.id, "is not recorded"],
    );
    check(
        &stage,
        "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place,
             block_height, block_hash)
         SELECT randomblob(32), 0, 0, 7, 'plain', 0, 'block', height, hash FROM blocks
         ORDER BY height DESC LIMIT 1",
        &["the node has no such coin"],
    );
    // A verdict that was lost with its coins comes back with them, and with its event.
    check(
        &stage,
        "UPDATE payments SET status = 'pending', status_at = NULL; DELETE FROM coins",
        &["is not recorded"],
    );
    assert_eq!(stage.shop.status(&payment.id).text("status"), "completed");
}

#[test]
fn reading_everything_again_changes_nothing() {
    let stage = Stage::alone_with(|gate| gate.set("sweeper.interval", "1s"));
    let Some(Stage { gate, shop, node }) = stage else { return };
    for amount in ["0.05", "0.06", "0.07"] {
        let payment = shop.create("0.06");
        node.send(&payment.address, amount);
        node.mine(1);
        node.reorg(1);
        shop.await_field(&payment.id, "confirmations", "2", SOON);
    }
    node.mine(2);
    gate.await_log(&["sweep stored"]);
    // It may have come just in time for the last of these blocks.
    let paid = || gate.cli_json(&["audit"]).raw("paidLtc") != "0";
    wait_for("a sweep", SOON, || !node.mempool().is_empty() || paid());
    node.mine(1);
    gate.await_tip(&node.height().to_string());
    await_clean(&gate);
    gate.term();
    let database = Database::of(&gate);
    let before = database.dump(&["coins", "payments", "events", "sweeps", "sweep_txs", "blocks"]);
    let done = gate.cli_json(&["rescan", "--from-height", "0"]);
    assert_eq!((done.raw("repaired"), done.raw("completed")), ("0", "0"));
    assert_eq!(
        database.dump(&["coins", "payments", "events", "sweeps", "sweep_txs", "blocks"]),
        before
    );
}

#[test]
fn money_at_an_address_that_was_never_given_out_is_unattributed() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let xpub = gate.setting("wallet.xpub");
    let payment = shop.create("0.05");
    let ahead = &node.derive_addresses(&xpub, 20, 20)[0];
    node.send(ahead, "0.05");
    node.mine(2);
    gate.await_tip(&node.height().to_string());
    differs(&gate, &["unattributed", "0.05 LTC", "address 20"]);
    assert_eq!(shop.status(&payment.id).raw("amountReceivedLtc"), "0");
    // Whoever gets the next address must not be credited with that money.
    let next = shop.create("0.05");
    assert_eq!(next.address, node.derive_addresses(&xpub, 21, 21)[0]);
    gate.await_log(&["error", "never gave out"]);
}

#[test]
fn a_completed_payment_whose_coins_are_gone_shows() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    clean(&gate);
    node.reorg_to_empty(2);
    shop.await_field(&payment.id, "confirmations", "0", SOON);
    differs(&gate, &[&payment.id, "is completed, but the best chain holds 0 LTC of 0.05 LTC"]);
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    clean(&gate);
}

#[test]
#[ignore = "long"]
fn a_database_that_lags_is_no_clean_one_and_a_missing_node_no_verdict() {
    let Some(Stage { gate, shop: _, node }) = Stage::alone() else { return };
    gate.term();
    node.mine(3);
    let began = std::time::Instant::now();
    let (ours, theirs) = ((node.height() - 3).to_string(), node.height().to_string());
    differs(&gate, &["stands on block", &ours, &theirs]);
    assert!(began.elapsed() < Duration::from_secs(30));
    gate.start();
    await_clean(&gate);
    node.stop();
    gate.cli_fails(&["audit"], 3, &["out of reach"]);
    gate.cli_fails(&["rescan", "--from-height", "0"], 3, &["out of reach"]);
}

/// A stage whose gateway asks the node through a proxy.
fn through_a_proxy() -> Option<(Stage, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let stage = Stage::beside(node, |gate| gate.set("node.rpc_url", proxy.url()));
    Some((stage, proxy))
}

#[test]
fn more_unspent_outputs_than_fit_into_an_answer_are_asked_for_in_parts() {
    let Some((Stage { gate, shop, node }, proxy)) = through_a_proxy() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    // Addresses that were never given out; those up to the highest that was paid are skipped.
    let xpub = gate.setting("wallet.xpub");
    for (index, amount) in [(900, "0.07"), (1_800, "0.08")] {
        node.send(&node.derive_addresses(&xpub, index, index)[0], amount);
        node.mine(1);
        gate.await_tip(&node.height().to_string());
    }
    shop.await_status(&payment.id, "completed", SOON);
    let strange = ["0.07 LTC", "address 900", "0.08 LTC", "address 1800"];
    differs(&gate, &strange);
    let before = proxy.count("scantxoutset");
    // Addresses 0 to 2801, of which an answer holds a half: the whole is asked for, then halves.
    proxy.set(Fault::LongScan(1_401, Duration::ZERO));
    let said = differs(&gate, &strange);
    assert_eq!(said.stdout.matches("difference").count(), 2, "{said:?}");
    assert_eq!(proxy.count("scantxoutset") - before, 3);
}

#[test]
#[ignore = "long"]
fn blocks_that_come_between_the_parts_of_an_audit_make_no_difference() {
    let Some((Stage { gate, shop, node }, proxy)) = through_a_proxy() else { return };
    let [swept, paid] = ["0.05", "0.06"].map(|amount| shop.create(amount));
    node.send(&swept.address, "0.05");
    node.mine(2);
    shop.await_status(&swept.id, "completed", SOON);
    proxy.set(Fault::LongScan(502, Duration::from_secs(5)));
    let asked = proxy.count("scantxoutset");
    std::thread::scope(|scope| {
        let audit = scope.spawn(|| clean(&gate));
        // The whole was too long, the lower half with both coins is answered.
        wait_for("the upper half", SOON, || proxy.count("scantxoutset") - asked == 3);
        gate.cli_ok(&["sweep"]);
        node.send(&paid.address, "0.06");
        wait_for("the sweep and the payment", SOON, || node.mempool().len() == 2);
        node.mine(1);
        gate.await_tip(&node.height().to_string());
        let sums = audit.join().unwrap();
        assert_eq!((sum(&sums, "receivedLtc"), sum(&sums, "unsweptLtc")), (11_000_000, 6_000_000));
    });
    assert_eq!(proxy.count("scantxoutset") - asked, 3, "once was enough");
}
