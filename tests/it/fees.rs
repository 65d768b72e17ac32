//! Fee rates that spike, fail or are absurd; stuck sweeps; coins that mature late; payees that
//! spend at once; payout addresses that change during a sweep.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::gateway::Gateway;
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::{Node, decimal};
use crate::harness::passes::Passes;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::roles::Part;
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// The answer of a node without an estimate.
const NO_ESTIMATE: &str = r#""errors":["Insufficient data or no feerate found"]"#;
const ABSURDLY_LOW: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":0.00000001"#);
const HIGH: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":0.00090000"#);
const ABSURDLY_HIGH: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":1.00000000"#);

/// Fee rates that are paid, in litoshis per 1,000 vbytes.
const RATE_DEFAULT: u64 = 10_000;
const RATE_MIN: u64 = 2_000;
const RATE_MAX: u64 = 1_000_000;

/// More than the delay of a changed payout address.
const DAYS_DELAY: Duration = Duration::from_secs(25 * 3600);

/// Sweeps every second.
fn sweeping(gateway: &Gateway) {
    gateway.set("sweeper.interval", "1s");
}

/// A sweeping gateway that reaches its node through a proxy.
fn proxied() -> Option<(TestEnv, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(node, |gateway| {
        sweeping(gateway);
        gateway.set("node.rpc_url", proxy.url());
    });
    Some((test_env, proxy))
}

/// Creates and pays a payment.
fn pay(node: &Node, shop: &Shop, amount: &str) -> Created {
    let payment = shop.create(amount);
    node.send(&payment.address, amount);
    payment
}

/// Completes a payment.
fn pay_whole(node: &Node, shop: &Shop, amount: &str) -> Created {
    let payment = pay(node, shop, amount);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    payment
}

/// A sweep in the mempool.
#[track_caller]
fn await_sweep(node: &Node) -> String {
    wait_until("the sweep in the mempool", SOON, || node.mempool().into_iter().next())
}

/// Virtual size of a transaction in the mempool.
fn vsize_of(node: &Node, txid: &str) -> u64 {
    #[derive(Deserialize)]
    struct Entry {
        vsize: u64,
    }
    node.call::<Entry>("getmempoolentry", json!([txid])).vsize
}

/// The payment's payouts, one per sweep.
fn payouts(gateway: &Gateway, payment: &Created) -> Vec<Fields> {
    gateway.cli_json(&["payment", "show", &payment.id]).objects("payouts")
}

/// Waits for the tip and expects a clean audit.
#[track_caller]
fn await_clean_audit(gateway: &Gateway, node: &Node) {
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Sweep without an estimate, with an absurdly low, a high, and an absurdly high one.
/// 2. The fee follows the default, the floor, the estimate, and the ceiling.
#[test]
fn the_fee_follows_the_estimate_between_floor_and_ceiling() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    let check = |estimate: Fault, rate: u64| {
        proxy.set(estimate.clone());
        pay_whole(&node, &shop, "0.5");
        let txid = await_sweep(&node);
        let (fee, vsize) = (node.fee_of(&txid), vsize_of(&node, &txid));
        let exact = vsize * rate / 1000;
        assert!(fee >= exact, "{estimate:?}: {fee} for {vsize} vbytes is less than asked");
        assert!(fee <= exact + exact / 50, "{estimate:?}: {fee} for {vsize} vbytes, not {exact}");
        node.mine(1);
    };
    check(Fault::None, RATE_DEFAULT);
    check(ABSURDLY_LOW, RATE_MIN);
    check(HIGH, 90_000);
    check(ABSURDLY_HIGH, RATE_MAX);
    await_clean_audit(&gateway, &node);
}

/// 1. At the highest fee rate, complete a small payment of one merchant and a large one of
///    another.
/// 2. Only the large one is swept; the small one exceeds `max_fee_percent` and waits.
/// 3. Lower the fee rate: the small one is swept, and the audit is clean.
#[test]
#[ignore = "long"]
fn a_payout_eaten_by_fees_waits_alone_for_a_lower_fee() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    proxy.set(ABSURDLY_HIGH);
    // At the ceiling an input and its output cost about 0.001 LTC.
    let small = pay(&node, &shop, "0.0101");
    let large = pay(&node, &neighbour, "1");
    node.mine(2);
    shop.await_status(&small.id, "completed", SOON);
    neighbour.await_status(&large.id, "completed", SOON);
    let txid = await_sweep(&node);
    assert_eq!(node.outputs_of(&txid).len(), 1, "the other goes out alone");
    assert_eq!(node.outputs_of(&txid)[0].0, neighbour.payout_address);
    node.mine(1);
    gateway.holds_for_passes(Passes::Sweeper, "it waits", || node.mempool().is_empty());
    assert!(payouts(&gateway, &small).is_empty(), "nothing was claimed for it");
    let waiting = gateway.cli_json(&["sweep", "--dry-run"]).objects("waiting");
    let reasons: Vec<String> = waiting.iter().map(|coin| coin.text("reason")).collect();
    assert_eq!(reasons.len(), 1, "{waiting:?}");
    assert!(reasons[0].contains("sweeper.max_fee_percent"), "{reasons:?}");
    proxy.set(Fault::None);
    let txid = await_sweep(&node);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.0101") - fee);
    await_clean_audit(&gateway, &node);
}

/// 1. Let `estimatesmartfee` fail: the sweeper waits and logs the reason.
/// 2. Let it answer: the sweep is sent.
#[test]
fn sweeps_wait_until_the_node_estimates_a_fee() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    proxy.set(Fault::Loses("estimatesmartfee"));
    pay_whole(&node, &shop, "0.5");
    gateway.await_log(&["sweeper pass failed", "estimatesmartfee"]);
    assert!(node.mempool().is_empty());
    proxy.set(Fault::None);
    await_sweep(&node);
    node.mine(1);
    await_clean_audit(&gateway, &node);
}

/// 1. Let the node answer nonsense as a fee rate: nothing is sent, and the gateway keeps
///    running.
/// 2. Let it answer properly: the sweep is sent.
#[test]
fn a_non_numeric_fee_estimate_is_rejected() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    for nonsense in [r#""feerate":-1"#, r#""feerate":"much""#, r#""feerate":1e99"#] {
        proxy.set(Fault::Rewrite(NO_ESTIMATE, nonsense));
        pay(&node, &shop, "0.5");
        node.mine(2);
        let before = proxy.count("estimatesmartfee");
        wait_for("it asks", SOON, || proxy.count("estimatesmartfee") > before);
        gateway.holds_for_passes(Passes::Sweeper, nonsense, || {
            node.mempool().is_empty() && gateway.ended().is_none()
        });
    }
    proxy.set(Fault::None);
    await_sweep(&node);
    node.mine(1);
    await_clean_audit(&gateway, &node);
}

/// 1. Complete a payment by a coinbase and an ordinary one: only the ordinary coin is swept.
/// 2. At 99 confirmations the coinbase waits; at 100 it is swept.
#[test]
#[ignore = "long"]
fn a_coinbase_counts_like_any_coin_and_is_swept_at_a_hundred() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(sweeping) else { return };
    let payment = shop.create("0.05");
    node.mine_to(&payment.address, 1);
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    let plain = pay_whole(&node, &shop, "0.07");
    assert_eq!(node.outputs_of(&await_sweep(&node)).len(), 1, "it holds up nobody");
    node.mine(94);
    gateway.await_tip(&node.height().to_string());
    let at = |confirmations: &str| {
        shop.await_field(&payment.id, "confirmations", confirmations, SOON);
    };
    at("98");
    node.mine(1);
    at("99");
    gateway.holds_for_passes(Passes::Sweeper, "immature at 99", || node.mempool().is_empty());
    node.mine(1);
    at("100");
    let txid = await_sweep(&node);
    let sum = node.outputs_of(&txid)[0].1 + node.fee_of(&txid);
    assert_eq!(sum, litoshis(shop.status(&payment.id).raw("amountReceivedLtc")));
    assert_eq!(payouts(&gateway, &plain).len(), 1);
    node.mine(1);
    await_clean_audit(&gateway, &node);
}

/// Spends an unconfirmed output with the node's wallet.
fn spend_at_once(node: &Node, txid: &str, vout: u32) -> String {
    let (_, amount) = &node.outputs_of(txid)[vout as usize];
    let to = node.fresh_address();
    let outputs = json!([{ to: decimal(amount - 100_000) }]);
    let inputs = json!([{"txid": txid, "vout": vout}]);
    let raw: String = node.call("createrawtransaction", json!([inputs, outputs]));
    let signed: Value = node.call("signrawtransactionwithwallet", json!([raw]));
    assert_eq!(signed["complete"], true, "the payee is the node's wallet: {signed}");
    node.call("sendrawtransaction", json!([signed["hex"]]))
}

/// 1. Sweep the payments of two merchants, and let the response to the broadcast be lost.
/// 2. The payees spend their outputs unconfirmed: no second sweep is made.
/// 3. Mine everything while only the sweeper runs: its broadcast is refused, and no second
///    sweep is made.
/// 4. The audit is clean.
#[test]
#[ignore = "long"]
fn payees_that_spend_at_once_are_not_paid_twice() {
    // A node reports a transaction whose outputs are spent like a conflict.
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    proxy.set(Fault::Loses("sendrawtransaction"));
    let ours = pay(&node, &shop, "0.05");
    let theirs = pay(&node, &neighbour, "0.07");
    node.mine(2);
    shop.await_status(&ours.id, "completed", SOON);
    neighbour.await_status(&theirs.id, "completed", SOON);
    let txid = await_sweep(&node);
    let children = [spend_at_once(&node, &txid, 0), spend_at_once(&node, &txid, 1)];
    let paid_once = |what: &str| {
        for payment in [&ours, &theirs] {
            let payouts = payouts(&gateway, payment);
            assert_eq!(payouts.len(), 1, "{what}: {payouts:?}");
            assert_eq!(payouts[0].text("txid"), txid, "{what}");
        }
    };
    let calm = |what: &str, mempool: usize| {
        gateway.holds_for_passes(Passes::Sweeper, what, || node.mempool().len() == mempool);
        paid_once(what);
    };
    calm("in the mempool, its answer lost", 3);
    proxy.set(Fault::None);
    calm("in the mempool", 3);
    // The sweeper alone does not see the block; its broadcast is refused like a double spend.
    gateway.kill();
    node.mine(1);
    let mut sweeper = Part::of("sweeper");
    sweeper.start(&gateway);
    let refused = "does not accept a sweep";
    wait_for(refused, SOON, || sweeper.log().contains(refused));
    sweeper.holds_for_passes(Passes::Sweeper, "refused", || node.mempool().is_empty());
    paid_once("refused");
    sweeper.kill();
    gateway.start();
    calm("in a block", 0);
    node.mine(3);
    calm("deep", 0);
    assert_eq!(children.len(), 2);
    let out = |shop: &Shop| node.balance_of(&shop.payout_address);
    assert_eq!(out(&shop) + out(&neighbour), 0, "the payees have moved it on");
    await_clean_audit(&gateway, &node);
    let audit = gateway.cli_json(&["audit"]);
    let sum = litoshis(audit.raw("paidLtc")) + litoshis(audit.raw("feesLtc"));
    assert_eq!(sum, litoshis("0.12"));
}

/// Registers another payout address, which becomes this number for the merchant.
fn change_address(gateway: &Gateway, node: &Node, shop: &Shop, number: usize) -> String {
    let address = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &address]);
    gateway.await_addresses_seen(&shop.merchant_id, number);
    address
}

/// 1. Register a change: a sweep before the delay pays the old address, and keeps it after the
///    delay.
/// 2. The next sweep pays the new address.
/// 3. Cancel a change, and register two: the cancelled and the superseded one are never paid.
/// 4. Crash between storing and broadcasting a sweep, and let a change take effect: the stored
///    sweep is sent unchanged.
/// 5. Let a change take effect and reorganise: a mined sweep returns unchanged.
#[test]
#[ignore = "long"]
fn a_new_payout_address_applies_to_sweeps_after_its_delay() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        let flag = gateway.folder().join("die-now");
        gateway
            .set_environment("LITEGATE_CRASH_AT", &format!("before-broadcast@{}", flag.display()));
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let flag = gateway.folder().join("die-now");
    let mut passed = Duration::ZERO;
    let mut days_pass = |gateway: &Gateway| {
        passed += DAYS_DELAY;
        gateway.let_pass(passed);
    };
    let pays = |node: &Node| node.outputs_of(&await_sweep(node))[0].0.clone();
    let second = change_address(&gateway, &node, &shop, 2);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), shop.payout_address, "the change waits");
    days_pass(&gateway);
    gateway.holds_for_passes(Passes::Sweeper, "the same sweep", || node.mempool().len() == 1);
    assert_eq!(pays(&node), shop.payout_address, "made before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), second, "in force since yesterday");
    node.mine(1);
    let cancelled = change_address(&gateway, &node, &shop, 3);
    gateway.cli_ok(&["merchant", "cancel-address-change", &shop.merchant_id]);
    days_pass(&gateway);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), second, "the change was cancelled");
    node.mine(1);
    let overtaken = change_address(&gateway, &node, &shop, 4);
    let third = change_address(&gateway, &node, &shop, 5);
    fs::write(&flag, "").unwrap();
    pay_whole(&node, &shop, "0.05");
    wait_for("the process dies between storing and sending", SOON, || gateway.ended().is_some());
    fs::remove_file(&flag).unwrap();
    gateway.kill();
    assert!(node.mempool().is_empty(), "nothing was sent");
    days_pass(&gateway);
    gateway.start();
    assert_eq!(pays(&node), second, "stored before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), third, "the last of two changes");
    node.mine(1);
    let fourth = change_address(&gateway, &node, &shop, 6);
    days_pass(&gateway);
    node.disconnect(1);
    node.mine_empty();
    node.mine_empty();
    assert_eq!(pays(&node), third, "mined before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), fourth);
    node.mine(1);
    assert_eq!(node.balance_of(&cancelled) + node.balance_of(&overtaken), 0);
    await_clean_audit(&gateway, &node);
}

/// A node that dropped the sweep, because its minimum fee rate is ten times higher. Answers
/// the payment, the sweep and its fee.
fn test_env_with_dropped_sweep() -> Option<(TestEnv, Created, String, u64)> {
    let test_env = TestEnv::beside(Arc::new(Node::start()?), sweeping);
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = pay_whole(node, shop, "0.5");
    let first = await_sweep(node);
    let fee = node.fee_of(&first);
    node.stop();
    node.up_with(&["-minrelaytxfee=0.001"]);
    assert!(node.mempool().is_empty(), "dropped");
    gateway.await_log(&["does not accept a sweep"]);
    Some((test_env, payment, first, fee))
}

/// 1. Let the node drop a sweep by a higher minimum fee rate: its coins stay claimed.
/// 2. Restore the minimum: the same transaction is sent and pays the merchant once.
#[test]
#[ignore = "long"]
fn an_evicted_sweep_keeps_its_claims_and_is_paid_once() {
    let Some((test_env, payment, first, fee)) = test_env_with_dropped_sweep() else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    gateway.holds_for_passes(Passes::Sweeper, "claimed still", || {
        payouts(gateway, &payment).len() == 1
    });
    assert!(node.mempool().is_empty());
    node.stop();
    node.up_with(&[]);
    let again = await_sweep(node);
    assert_eq!((again, node.fee_of(&first)), (first, fee), "the same bytes are sent again");
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - fee);
    await_clean_audit(gateway, node);
}

/// 1. Let the node drop a sweep by a higher minimum fee rate.
/// 2. Let `fee_bump_after` pass: a version above the minimum is sent.
/// 3. Mine it and restore the minimum: the merchant is paid once.
#[test]
#[ignore = "long"]
fn a_sweep_below_the_mempool_minimum_gets_a_fee_bump() {
    let Some((test_env, payment, first, fee)) = test_env_with_dropped_sweep() else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    gateway.let_pass(Duration::from_secs(3_700));
    let second = await_sweep(node);
    assert_ne!(second, first);
    let (high, vsize) = (node.fee_of(&second), vsize_of(node, &second));
    assert!(high >= vsize * 100 && high >= fee * 10, "{high} for {vsize} vbytes");
    assert_eq!(payouts(gateway, &payment).len(), 1, "one payout in two versions");
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - high);
    // With the usual minimum, the node would accept the first version if its coins were
    // unspent.
    node.stop();
    node.up_with(&[]);
    node.mine(3);
    gateway.holds_for_passes(Passes::Sweeper, "paid once", || node.mempool().is_empty());
    await_clean_audit(gateway, node);
}

/// 1. Raise the node's minimum fee rate and complete a payment.
/// 2. The sweep pays at least that rate.
#[test]
#[ignore = "long"]
fn a_new_sweep_pays_at_least_the_mempool_minimum_fee() {
    let Some(node) = Node::start().map(Arc::new) else { return };
    node.stop();
    node.up_with(&["-minrelaytxfee=0.001"]);
    let TestEnv { gateway, shop, node } = TestEnv::beside(node, sweeping);
    let payment = shop.create("0.5");
    node.call::<Value>("settxfee", json!(["0.002"]));
    node.send(&payment.address, "0.5");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let txid = await_sweep(&node);
    assert!(node.fee_of(&txid) >= vsize_of(&node, &txid) * 100);
    node.mine(1);
    await_clean_audit(&gateway, &node);
}

/// 1. Pay one payment with two tiny coins and a large one, at the highest fee rate.
/// 2. Only the large coin is swept; `sweep --dry-run` lists the others as waiting.
#[test]
#[ignore = "long"]
fn uneconomic_coins_stay_unswept_and_delay_no_other_coin() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    let payment = shop.create("0.05");
    for amount in ["0.00004", "0.00005", "0.05"] {
        node.send(&payment.address, amount);
    }
    proxy.set(ABSURDLY_HIGH);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let txid = await_sweep(&node);
    let sum = node.outputs_of(&txid)[0].1 + node.fee_of(&txid);
    assert_eq!(sum, litoshis("0.05"), "the good coin alone");
    let waiting = gateway.cli_json(&["sweep", "--dry-run"]).objects("waiting");
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    node.mine(1);
    await_clean_audit(&gateway, &node);
}
