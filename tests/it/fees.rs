//! Fee rates that spike, vanish or are absurd; sweeps that get stuck; coins that mature late;
//! payees who spend at once; and payout addresses that change while a sweep is under way.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::gate::Gate;
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::{Node, decimal};
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::roles::Part;
use crate::harness::shop::{Created, Shop};
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_for, wait_until};

/// What a node without an estimate answers.
const NO_ESTIMATE: &str = r#""errors":["Insufficient data or no feerate found"]"#;
const ABSURDLY_LOW: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":0.00000001"#);
const HIGH: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":0.00090000"#);
const ABSURDLY_HIGH: Fault = Fault::Rewrite(NO_ESTIMATE, r#""feerate":1.00000000"#);

/// The rates that are paid, in litoshis for 1,000 vbytes.
const RATE_DEFAULT: u64 = 10_000;
const RATE_MIN: u64 = 2_000;
const RATE_MAX: u64 = 1_000_000;

/// A day and an hour: after that a changed payout address is in force.
const DAYS_DELAY: Duration = Duration::from_secs(25 * 3600);

fn sweeping(gate: &Gate) {
    gate.set("sweeper.interval", "1s");
}

/// A stage that sweeps, with a proxy before its node.
fn proxied() -> Option<(Stage, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let stage = Stage::beside(node, |gate| {
        sweeping(gate);
        gate.set("node.rpc_url", proxy.url());
    });
    Some((stage, proxy))
}

fn pay(node: &Node, shop: &Shop, amount: &str) -> Created {
    let payment = shop.create(amount);
    node.send(&payment.address, amount);
    payment
}

/// Pays, and waits until the payment is complete.
fn pay_whole(node: &Node, shop: &Shop, amount: &str) -> Created {
    let payment = pay(node, shop, amount);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    payment
}

#[track_caller]
fn await_sweep(node: &Node) -> String {
    wait_until("the sweep in the mempool", SOON, || node.mempool().into_iter().next())
}

fn vsize_of(node: &Node, txid: &str) -> u64 {
    #[derive(Deserialize)]
    struct Entry {
        vsize: u64,
    }
    node.call::<Entry>("getmempoolentry", json!([txid])).vsize
}

/// Where a payment's coins went, as the gateway says: a line for each sweep.
fn payouts(gate: &Gate, payment: &Created) -> Vec<Fields> {
    gate.cli_json(&["payment", "show", &payment.id]).objects("payouts")
}

#[track_caller]
fn await_clean_audit(gate: &Gate, node: &Node) {
    gate.await_tip(&node.height().to_string());
    gate.cli_ok(&["audit"]);
}

#[test]
fn the_fee_follows_the_estimate_between_floor_and_ceiling() {
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
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
    await_clean_audit(&gate, &node);
}

#[test]
#[ignore = "long"]
fn a_payout_that_the_fee_would_eat_waits_alone_until_it_is_cheap_again() {
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
    let neighbour = Shop::open(&gate, &node, "Neighbour");
    proxy.set(ABSURDLY_HIGH);
    // At the ceiling an input and its output cost about 0.001 LTC: more than a tenth of the one
    // payment, and a small part of the other.
    let small = pay(&node, &shop, "0.0101");
    let large = pay(&node, &neighbour, "1");
    node.mine(2);
    shop.await_status(&small.id, "completed", SOON);
    neighbour.await_status(&large.id, "completed", SOON);
    let txid = await_sweep(&node);
    assert_eq!(node.outputs_of(&txid).len(), 1, "the other goes out alone");
    assert_eq!(node.outputs_of(&txid)[0].0, neighbour.payout_address);
    node.mine(1);
    stays_true("it waits", Duration::from_secs(3), || node.mempool().is_empty());
    assert!(payouts(&gate, &small).is_empty(), "nothing was claimed for it");
    let waiting = gate.cli_json(&["sweep", "--dry-run"]).objects("waiting");
    let reasons: Vec<String> = waiting.iter().map(|coin| coin.text("reason")).collect();
    assert_eq!(reasons.len(), 1, "{waiting:?}");
    assert!(reasons[0].contains("sweeper.max_fee_percent"), "{reasons:?}");
    proxy.set(Fault::None);
    let txid = await_sweep(&node);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.0101") - fee);
    await_clean_audit(&gate, &node);
}

#[test]
fn without_an_answer_about_the_fee_nothing_goes_out_and_then_it_does() {
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
    proxy.set(Fault::Loses("estimatesmartfee"));
    pay_whole(&node, &shop, "0.5");
    gate.await_log(&["sweeper waits", "estimatesmartfee"]);
    assert!(node.mempool().is_empty());
    proxy.set(Fault::None);
    await_sweep(&node);
    node.mine(1);
    await_clean_audit(&gate, &node);
}

#[test]
fn an_estimate_that_is_no_number_is_no_fee() {
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
    for nonsense in [r#""feerate":-1"#, r#""feerate":"much""#, r#""feerate":1e99"#] {
        proxy.set(Fault::Rewrite(NO_ESTIMATE, nonsense));
        pay(&node, &shop, "0.5");
        node.mine(2);
        let before = proxy.count("estimatesmartfee");
        wait_for("it asks", SOON, || proxy.count("estimatesmartfee") > before);
        stays_true(nonsense, Duration::from_secs(1), || {
            node.mempool().is_empty() && gate.ended().is_none()
        });
    }
    proxy.set(Fault::None);
    await_sweep(&node);
    node.mine(1);
    await_clean_audit(&gate, &node);
}

#[test]
#[ignore = "long"]
fn a_coinbase_counts_like_any_coin_and_is_swept_at_a_hundred() {
    let Some(Stage { gate, shop, node }) = Stage::alone_with(sweeping) else { return };
    let payment = shop.create("0.05");
    node.mine_to(&payment.address, 1);
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    let plain = pay_whole(&node, &shop, "0.07");
    assert_eq!(node.outputs_of(&await_sweep(&node)).len(), 1, "it holds up nobody");
    node.mine(94);
    gate.await_tip(&node.height().to_string());
    let at = |confirmations: &str| {
        shop.await_field(&payment.id, "confirmations", confirmations, SOON);
    };
    at("98");
    node.mine(1);
    at("99");
    stays_true("immature at 99", Duration::from_secs(3), || node.mempool().is_empty());
    node.mine(1);
    at("100");
    let txid = await_sweep(&node);
    let sum = node.outputs_of(&txid)[0].1 + node.fee_of(&txid);
    assert_eq!(sum, litoshis(shop.status(&payment.id).raw("amountReceivedLtc")));
    assert_eq!(payouts(&gate, &plain).len(), 1);
    node.mine(1);
    await_clean_audit(&gate, &node);
}

/// Spends an output of a transaction of the mempool at once, with the node's wallet.
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

#[test]
#[ignore = "long"]
fn payees_who_spend_at_once_are_not_paid_twice() {
    // What a node says of a transaction whose outputs are spent already sounds like a conflict.
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
    let neighbour = Shop::open(&gate, &node, "Neighbour");
    proxy.set(Fault::Loses("sendrawtransaction"));
    let ours = pay(&node, &shop, "0.05");
    let theirs = pay(&node, &neighbour, "0.07");
    node.mine(2);
    shop.await_status(&ours.id, "completed", SOON);
    neighbour.await_status(&theirs.id, "completed", SOON);
    let txid = await_sweep(&node);
    let children = [spend_at_once(&node, &txid, 0), spend_at_once(&node, &txid, 1)];
    let calm = |what: &str, mempool: usize| {
        stays_true(what, Duration::from_secs(2), || node.mempool().len() == mempool);
        for payment in [&ours, &theirs] {
            let payouts = payouts(&gate, payment);
            assert_eq!(payouts.len(), 1, "{what}: {payouts:?}");
            assert_eq!(payouts[0].text("txid"), txid, "{what}");
        }
    };
    calm("in the mempool, its answer lost", 3);
    proxy.set(Fault::None);
    calm("in the mempool", 3);
    // Mined with its children while only the sweeper runs, which hears of it from nobody: it sends
    // again, and is refused as if somebody else had spent the coins.
    gate.kill();
    node.mine(1);
    let mut sweeper = Part::of("sweeper");
    sweeper.start(&gate);
    let refused = "does not take a sweep";
    wait_for(refused, SOON, || sweeper.log().contains(refused));
    calm("refused", 0);
    sweeper.kill();
    gate.start();
    calm("in a block", 0);
    node.mine(3);
    calm("deep", 0);
    assert_eq!(children.len(), 2);
    let out = |shop: &Shop| node.balance_of(&shop.payout_address);
    assert_eq!(out(&shop) + out(&neighbour), 0, "the payees have moved it on");
    await_clean_audit(&gate, &node);
    let audit = gate.cli_json(&["audit"]);
    let sum = litoshis(audit.raw("paidLtc")) + litoshis(audit.raw("feesLtc"));
    assert_eq!(sum, litoshis("0.12"));
}

/// Asks for another payout address, as the merchant's so-manieth.
fn change_address(gate: &Gate, node: &Node, shop: &Shop, number: usize) -> String {
    let address = node.fresh_address();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &address]);
    gate.await_addresses_seen(&shop.merchant_id, number);
    address
}

#[test]
#[ignore = "long"]
fn a_changed_payout_address_counts_from_its_time_and_for_sweeps_that_are_made_later() {
    let stage = Stage::alone_with(|gate| {
        sweeping(gate);
        let flag = gate.folder().join("die-now");
        gate.set_environment("LITEGATE_CRASH_AT", &format!("before-broadcast@{}", flag.display()));
    });
    let Some(Stage { gate, shop, node }) = stage else { return };
    let flag = gate.folder().join("die-now");
    let mut passed = Duration::ZERO;
    let mut days_pass = |gate: &Gate| {
        passed += DAYS_DELAY;
        gate.let_pass(passed);
    };
    let pays = |node: &Node| node.outputs_of(&await_sweep(node))[0].0.clone();
    // Pending: the change waits for its day; a payout before that goes to the old address.
    let second = change_address(&gate, &node, &shop, 2);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), shop.payout_address, "the change waits");
    // In the mempool: what was made stays.
    days_pass(&gate);
    stays_true("the same sweep", Duration::from_secs(2), || node.mempool().len() == 1);
    assert_eq!(pays(&node), shop.payout_address, "made before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), second, "in force since yesterday");
    node.mine(1);
    // Cancelled: it never counts. Changed twice: the last one does.
    let cancelled = change_address(&gate, &node, &shop, 3);
    gate.cli_ok(&["merchant", "cancel-address-change", &shop.merchant_id]);
    days_pass(&gate);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), second, "the change was cancelled");
    node.mine(1);
    let overtaken = change_address(&gate, &node, &shop, 4);
    let third = change_address(&gate, &node, &shop, 5);
    // Stored, and not sent yet, when the change comes into force.
    fs::write(&flag, "").unwrap();
    pay_whole(&node, &shop, "0.05");
    wait_for("the process dies between storing and sending", SOON, || gate.ended().is_some());
    fs::remove_file(&flag).unwrap();
    gate.kill();
    assert!(node.mempool().is_empty(), "nothing was sent");
    days_pass(&gate);
    gate.start();
    assert_eq!(pays(&node), second, "stored before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), third, "the last of two changes");
    node.mine(1);
    // Mined, then taken out of the chain: it comes back as it was.
    let fourth = change_address(&gate, &node, &shop, 6);
    days_pass(&gate);
    node.disconnect(1);
    node.mine_empty();
    node.mine_empty();
    assert_eq!(pays(&node), third, "mined before the change");
    node.mine(1);
    pay_whole(&node, &shop, "0.05");
    assert_eq!(pays(&node), fourth);
    node.mine(1);
    assert_eq!(node.balance_of(&cancelled) + node.balance_of(&overtaken), 0);
    await_clean_audit(&gate, &node);
}

/// A node that dropped the sweep that it had: its mempool's minimum is ten times as much as that
/// pays. The gateway, the payment, the sweep and its fee.
fn stage_with_dropped_sweep() -> Option<(Stage, Created, String, u64)> {
    let stage = Stage::beside(Arc::new(Node::start()?), sweeping);
    let Stage { gate, shop, node } = &stage;
    let payment = pay_whole(node, shop, "0.5");
    let first = await_sweep(node);
    let fee = node.fee_of(&first);
    node.stop();
    node.up_with(&["-minrelaytxfee=0.001"]);
    assert!(node.mempool().is_empty(), "dropped");
    gate.await_log(&["does not take a sweep"]);
    Some((stage, payment, first, fee))
}

#[test]
#[ignore = "long"]
fn a_sweep_that_the_node_drops_and_refuses_keeps_its_claims_and_is_paid_once() {
    let Some((stage, payment, first, fee)) = stage_with_dropped_sweep() else { return };
    let Stage { gate, shop, node } = &stage;
    stays_true("claimed still", Duration::from_secs(3), || payouts(gate, &payment).len() == 1);
    assert!(node.mempool().is_empty());
    node.stop();
    node.up_with(&[]);
    let again = await_sweep(node);
    assert_eq!((again, node.fee_of(&first)), (first, fee), "the same bytes are sent again");
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - fee);
    await_clean_audit(gate, node);
}

#[test]
#[ignore = "long"]
fn below_the_mempools_minimum_a_higher_version_goes_out_in_time() {
    let Some((stage, payment, first, fee)) = stage_with_dropped_sweep() else { return };
    let Stage { gate, shop, node } = &stage;
    gate.let_pass(Duration::from_secs(3_700));
    let second = await_sweep(node);
    assert_ne!(second, first);
    let (high, vsize) = (node.fee_of(&second), vsize_of(node, &second));
    assert!(high >= vsize * 100 && high >= fee * 10, "{high} for {vsize} vbytes");
    assert_eq!(payouts(gate, &payment).len(), 1, "one payout in two versions");
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.5") - high);
    // With the usual minimum again, the first would be taken if its coins were not spent.
    node.stop();
    node.up_with(&[]);
    node.mine(3);
    stays_true("paid once", Duration::from_secs(2), || node.mempool().is_empty());
    await_clean_audit(gate, node);
}

#[test]
#[ignore = "long"]
fn a_new_sweep_pays_what_the_mempool_asks_for_at_least() {
    let Some(node) = Node::start().map(Arc::new) else { return };
    node.stop();
    node.up_with(&["-minrelaytxfee=0.001"]);
    let Stage { gate, shop, node } = Stage::beside(node, sweeping);
    let payment = shop.create("0.5");
    node.call::<Value>("settxfee", json!(["0.002"]));
    node.send(&payment.address, "0.5");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let txid = await_sweep(&node);
    assert!(node.fee_of(&txid) >= vsize_of(&node, &txid) * 100);
    node.mine(1);
    await_clean_audit(&gate, &node);
}

#[test]
#[ignore = "long"]
fn coins_that_cost_more_than_they_hold_stay_behind_and_hold_up_no_other() {
    let Some((Stage { gate, shop, node }, proxy)) = proxied() else { return };
    let payment = shop.create("0.05");
    for amount in ["0.00004", "0.00005", "0.05"] {
        node.send(&payment.address, amount);
    }
    // An input costs 0.00068 LTC at the ceiling.
    proxy.set(ABSURDLY_HIGH);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let txid = await_sweep(&node);
    let sum = node.outputs_of(&txid)[0].1 + node.fee_of(&txid);
    assert_eq!(sum, litoshis("0.05"), "the good coin alone");
    let waiting = gate.cli_json(&["sweep", "--dry-run"]).objects("waiting");
    assert_eq!(waiting.len(), 2, "{waiting:?}");
    node.mine(1);
    await_clean_audit(&gate, &node);
}
