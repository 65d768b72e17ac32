//! Fee bumps of unconfirmed sweeps, as far as the node accepts replacements.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// More than `fee_bump_after`.
const AFTER: Duration = Duration::from_secs(3_700);

/// A gateway whose sweep of one payment is in the mempool. Answers its txid.
fn test_env_with_sweep(node: Node) -> (TestEnv, String) {
    let test_env =
        TestEnv::beside(Arc::new(node), |gateway: &Gateway| gateway.set("sweeper.interval", "1s"));
    let payment = test_env.shop.create("0.5");
    test_env.node.send(&payment.address, "0.5");
    test_env.node.mine(2);
    test_env.shop.await_status(&payment.id, "completed", SOON);
    let sent = wait_until("the sweep", SOON, || test_env.node.mempool().first().cloned());
    (test_env, sent)
}

/// 1. Wait for a sweep, then configure an operator fee, which must not affect it.
/// 2. Let `fee_bump_after` pass: a version with at least 1.5 times the fee pays the same
///    address.
/// 3. Restart and mine: the merchant is paid once, and the audit counts the higher fee.
#[test]
fn a_replacing_node_gets_a_fee_bump_to_the_same_address() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let (TestEnv { gateway, shop, node }, first) = test_env_with_sweep(node);
    let low = node.fee_of(&first);
    gateway.set("sweeper.operator_fee_basis_points", 100);
    gateway.set("sweeper.operator_address", node.fresh_address());
    gateway.restart();
    gateway.let_pass(AFTER);
    let second = wait_until("another version", SOON, || {
        node.mempool().first().filter(|txid| **txid != first).cloned()
    });
    let high = node.fee_of(&second);
    assert!(high * 2 >= low * 3, "half as much again: {low}, then {high}");
    assert_eq!(node.outputs_of(&second), [(shop.payout_address.clone(), litoshis("0.5") - high)]);
    gateway.await_log(&["warn", "fee bump sent"]);
    gateway.restart();
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - high);
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(litoshis(audit.raw("feesLtc")), high);
    gateway.holds_for_passes(Passes::Sweeper, "paid once", || node.mempool().is_empty());
}

/// 1. Complete a payment of twenty tiny coins and one of 0.5 LTC; one sweep pays both and
///    stays unconfirmed.
/// 2. Let `fee_bump_after` pass: the fee exceeds `max_fee_percent` of the tiny coins, and is
///    bumped anyway.
/// 3. The merchants share the fee by their inputs; the audit is clean.
#[test]
#[ignore = "long"]
fn a_merchant_with_tiny_coins_does_not_stop_a_fee_bump() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let test_env = TestEnv::beside(Arc::new(node), |gateway: &Gateway| {
        gateway.set("sweeper.min_payout", "0.001");
        gateway.set("sweeper.interval", "1h");
    });
    let TestEnv { gateway, shop, node } = &test_env;
    let neighbour = Shop::open(gateway, node, "Neighbour");
    let (tiny, other) = (shop.create("0.0016"), neighbour.create("0.5"));
    for _ in 0..20 {
        node.send(&tiny.address, "0.00008");
    }
    node.send(&other.address, "0.5");
    node.mine(2);
    shop.await_status(&tiny.id, "completed", SOON);
    neighbour.await_status(&other.id, "completed", SOON);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts").len(), 2, "{}", sent[0].whole());
    let first = sent[0].text("txid");
    let paid = |txid: &str, shop: &Shop| {
        let outputs = node.outputs_of(txid);
        outputs.into_iter().find(|(address, _)| *address == shop.payout_address).unwrap().1
    };
    let before = (paid(&first, shop), paid(&first, &neighbour));
    gateway.let_pass(AFTER);
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
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Wait for a fee bump, then mine the first version.
/// 2. The merchant is paid once, and the audit counts the lower fee.
/// 3. Disconnect the block: one of the versions is sent again, to the same address.
/// 4. Mine it: the audit is clean.
#[test]
fn the_first_version_may_be_mined_after_a_fee_bump() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let (TestEnv { gateway, shop, node }, first) = test_env_with_sweep(node);
    let (low, raw) = (node.fee_of(&first), node.raw_transaction(&first));
    gateway.let_pass(AFTER);
    wait_for("another version", SOON, || node.mempool().first().is_some_and(|t| *t != first));
    node.mine_exactly(&[&raw]);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - low);
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(litoshis(audit.raw("feesLtc")), low, "the version that was mined counts");
    gateway.let_pass(AFTER);
    gateway.holds_for_passes(Passes::Sweeper, "paid once", || node.mempool().is_empty());
    node.disconnect(1);
    node.mine_empty();
    node.mine_empty();
    wait_for("a version is back", SOON, || node.mempool().len() == 1);
    node.mine(1);
    let fee = litoshis("0.5") - node.balance_of(&shop.payout_address);
    assert!(fee >= low && fee < litoshis("0.01"), "{fee}");
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Wait for a sweep at a node that refuses replacements.
/// 2. Let `fee_bump_after` pass three times: the first version stays, and the refusal is
///    logged once.
/// 3. Mine: the merchant is paid and the audit is clean.
#[test]
fn a_refused_fee_bump_keeps_the_first_and_is_logged_once() {
    let Some(node) = Node::start() else { return };
    let (TestEnv { gateway, shop, node }, first) = test_env_with_sweep(node);
    let fee = node.fee_of(&first);
    for _ in 0..3 {
        gateway.let_pass(AFTER);
        gateway.await_log(&["error", "does not accept a higher fee yet"]);
    }
    gateway
        .holds_for_passes(Passes::Sweeper, "the first stays", || node.mempool() == [first.clone()]);
    assert_eq!(
        gateway.log_lines(&["does not accept a higher fee yet"]).len(),
        1,
        "{}",
        gateway.log()
    );
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - fee);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Kill the gateway, and restart the node without mempool and wallet broadcast.
/// 2. Start the gateway: it sends the sweep again.
/// 3. Mine: the merchant is paid.
#[test]
fn an_evicted_sweep_is_sent_again_after_both_restart() {
    let Some(node) = Node::start() else { return };
    let (TestEnv { gateway, shop, node }, first) = test_env_with_sweep(node);
    gateway.kill();
    node.stop();
    node.up_with(&["-persistmempool=0", "-walletbroadcast=0"]);
    assert_eq!(node.mempool(), [""; 0]);
    gateway.start();
    wait_for("it is back", SOON, || node.mempool() == [first.clone()]);
    node.mine(1);
    wait_for("it is paid", SOON, || node.balance_of(&shop.payout_address) > 0);
}
