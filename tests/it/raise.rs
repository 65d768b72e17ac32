//! A sweep that stays unconfirmed: sent again, and raised in fee as far as the node takes that.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::gate::Gate;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_for, wait_until};

const AFTER: Duration = Duration::from_secs(3_700);

/// A stage on which one sweep of one payment waits in the mempool. Answers its txid.
fn stage_with_sweep(node: Node) -> (Stage, String) {
    let stage = Stage::beside(Arc::new(node), |gate: &Gate| gate.set("sweeper.interval", "1s"));
    let payment = stage.shop.create("0.5");
    stage.node.send(&payment.address, "0.5");
    stage.node.mine(2);
    stage.shop.await_status(&payment.id, "completed", SOON);
    let sent = wait_until("the sweep", SOON, || stage.node.mempool().first().cloned());
    (stage, sent)
}

#[test]
fn a_node_that_replaces_gets_a_version_with_a_higher_fee_to_the_same_address() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let (Stage { gate, shop, node }, first) = stage_with_sweep(node);
    let low = node.fee_of(&first);
    // What the operator takes from now on concerns the next sweep, not this one.
    gate.set("sweeper.operator_fee_basis_points", 100);
    gate.set("sweeper.operator_address", node.fresh_address());
    gate.restart();
    gate.let_pass(AFTER);
    let second = wait_until("another version", SOON, || {
        node.mempool().first().filter(|txid| **txid != first).cloned()
    });
    let high = node.fee_of(&second);
    assert!(high * 2 >= low * 3, "half as much again: {low}, then {high}");
    assert_eq!(node.outputs_of(&second), [(shop.payout_address.clone(), litoshis("0.5") - high)]);
    gate.await_log(&["warn", "a version with a higher fee is sent"]);
    // Whoever is asked, it is one payout.
    gate.restart();
    node.mine(1);
    gate.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - high);
    let audit = gate.cli_json(&["audit"]);
    assert_eq!(litoshis(audit.raw("feesLtc")), high);
    stays_true("paid once", Duration::from_secs(2), || node.mempool().is_empty());
}

// 1. One merchant has twenty coins of 0.00008 LTC, of which the fee takes nearly a tenth;
//    another has half a litecoin. One sweep pays both, and stays unconfirmed.
// 2. A higher fee would be more than a tenth of the small coins. It is paid all the same: by
//    the small coins as far as they are inputs, and by the other merchant only for its own.
#[test]
fn a_merchant_with_tiny_coins_does_not_stop_a_fee_bump() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let stage = Stage::beside(Arc::new(node), |gate: &Gate| {
        gate.set("sweeper.min_payout", "0.001");
        gate.set("sweeper.interval", "1h");
    });
    let Stage { gate, shop, node } = &stage;
    let neighbour = Shop::open(gate, node, "Neighbour");
    let (tiny, other) = (shop.create("0.0016"), neighbour.create("0.5"));
    for _ in 0..20 {
        node.send(&tiny.address, "0.00008");
    }
    node.send(&other.address, "0.5");
    node.mine(2);
    shop.await_status(&tiny.id, "completed", SOON);
    neighbour.await_status(&other.id, "completed", SOON);
    let sent = gate.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts").len(), 2, "{}", sent[0].whole());
    let first = sent[0].text("txid");
    let paid = |txid: &str, shop: &Shop| {
        let outputs = node.outputs_of(txid);
        outputs.into_iter().find(|(address, _)| *address == shop.payout_address).unwrap().1
    };
    let before = (paid(&first, shop), paid(&first, &neighbour));
    gate.let_pass(AFTER);
    let second = wait_until("another version", 3 * SOON, || {
        node.mempool().first().filter(|txid| **txid != first).cloned()
    });
    let share = |of: &str, now: u64| litoshis(of) - now;
    let (tiny_before, tiny_now) = (share("0.0016", before.0), share("0.0016", paid(&second, shop)));
    assert!(tiny_now > litoshis("0.00016"), "more than a tenth: {tiny_now}");
    let (before, now) = (share("0.5", before.1), share("0.5", paid(&second, &neighbour)));
    assert!(tiny_now.abs_diff(now * 20) <= 20, "by inputs: {now} and {tiny_now}");
    assert!(now > before && tiny_now > tiny_before);
    node.mine(1);
    gate.await_tip(&node.height().to_string());
    gate.cli_ok(&["audit"]);
}

#[test]
fn the_first_version_may_be_mined_after_all() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let (Stage { gate, shop, node }, first) = stage_with_sweep(node);
    let (low, raw) = (node.fee_of(&first), node.raw_transaction(&first));
    gate.let_pass(AFTER);
    wait_for("another version", SOON, || node.mempool().first().is_some_and(|t| *t != first));
    node.mine_exactly(&[&raw]);
    gate.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - low);
    let audit = gate.cli_json(&["audit"]);
    assert_eq!(litoshis(audit.raw("feesLtc")), low, "the version that was mined counts");
    gate.let_pass(AFTER);
    stays_true("paid once", Duration::from_secs(3), || node.mempool().is_empty());
    // Its block leaves the chain: one of the two goes out again, to the same address.
    node.disconnect(1);
    node.mine_empty();
    node.mine_empty();
    wait_for("a version is back", SOON, || node.mempool().len() == 1);
    node.mine(1);
    let fee = litoshis("0.5") - node.balance_of(&shop.payout_address);
    assert!(fee >= low && fee < litoshis("0.01"), "{fee}");
    gate.await_tip(&node.height().to_string());
    gate.cli_ok(&["audit"]);
}

#[test]
fn a_node_that_does_not_replace_keeps_the_first_and_the_operator_is_told_once() {
    let Some(node) = Node::start() else { return };
    let (Stage { gate, shop, node }, first) = stage_with_sweep(node);
    let fee = node.fee_of(&first);
    for _ in 0..3 {
        gate.let_pass(AFTER);
        gate.await_log(&["error", "does not take a higher fee yet"]);
    }
    stays_true("the first stays", Duration::from_secs(2), || node.mempool() == [first.clone()]);
    assert_eq!(gate.log_lines(&["does not take a higher fee yet"]).len(), 1, "{}", gate.log());
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - fee);
    gate.await_tip(&node.height().to_string());
    gate.cli_ok(&["audit"]);
}

#[test]
fn a_sweep_that_the_node_dropped_is_sent_again_after_a_restart_of_both() {
    let Some(node) = Node::start() else { return };
    let (Stage { gate, shop, node }, first) = stage_with_sweep(node);
    gate.kill();
    node.stop();
    node.up_with(&["-persistmempool=0", "-walletbroadcast=0"]);
    // Its wallet does not know the coin, so only the gateway can send it again.
    assert_eq!(node.mempool(), [""; 0]);
    gate.start();
    wait_for("it is back", SOON, || node.mempool() == [first.clone()]);
    node.mine(1);
    wait_for("it is paid", SOON, || node.balance_of(&shop.payout_address) > 0);
}
