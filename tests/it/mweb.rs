//! Peg-outs out of MWEB: seen through the node's verbose decoding, mined as outputs of a
//! HogEx.

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Two confirmations, three for peg-outs.
fn few_confirmations(gateway: &Gateway) {
    gateway.set("payments.confirmations", 2);
    gateway.set("payments.confirmations_pegout", 3);
}

/// Activates MWEB and funds the wallet's MWEB balance.
fn activated(test_env: &TestEnv) {
    test_env.node.activate_mweb();
    test_env.node.mine(1);
    test_env.gateway.await_tip(&test_env.node.height().to_string());
}

/// 1. Broadcast a peg-out: it is seen, and needs 3 confirmations.
/// 2. Mine it: it counts once, as an output of the HogEx.
/// 3. Replace the block, so that another HogEx contains the peg-out later: it counts once.
/// 4. Mine: the payment completes and the audit is clean.
#[test]
fn a_peg_out_is_seen_unmined_and_counts_once_after_a_reorg() {
    let Some(test_env) = TestEnv::alone_with(few_confirmations) else { return };
    activated(&test_env);
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = shop.create("0.05");
    let announced = node.send_from_mweb(&payment.address, "0.05");
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!((fields.text("detail").as_str(), fields.raw("confirmations")), ("seen", "0"));
    assert_eq!(fields.raw("confirmationsRequired"), "3");
    assert_eq!(fields.texts("txids"), std::slice::from_ref(&announced));
    node.mine(1);
    let fields = shop.await_field(&payment.id, "confirmations", "1", SOON);
    let first = fields.texts("txids");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "the announcement counts no more");
    assert_ne!(first, std::slice::from_ref(&announced), "it is an output of the HogEx");
    node.disconnect(1);
    node.mine_without(&announced);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    let mined = |fields: &crate::harness::json::Fields| fields.raw("confirmations") != "0";
    wait_for("the peg-out in a block again", SOON, || {
        let fields = shop.status(&payment.id);
        assert_ne!(fields.raw("amountReceivedLtc"), "0.1", "counted twice");
        if !mined(&fields) {
            node.mine(1);
        }
        mined(&fields)
    });
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    assert_ne!(fields.texts("txids"), first, "another HogEx");
    node.mine(3);
    let fields = shop.await_field(&payment.id, "status", "\"completed\"", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Complete a peg-out and then an ordinary payment.
/// 2. At 5 confirmations the peg-out is not spendable: only the ordinary coin is swept.
/// 3. Mine another block: the peg-out is swept and the audit is clean.
#[test]
#[ignore = "long"]
fn a_peg_out_is_swept_once_mature_without_delaying_others() {
    let Some(test_env) = TestEnv::alone_with(|gateway| {
        few_confirmations(gateway);
        gateway.set("sweeper.interval", "1s");
    }) else {
        return;
    };
    activated(&test_env);
    let TestEnv { gateway, shop, node } = &test_env;
    let pegout = shop.create("0.05");
    node.send_from_mweb(&pegout.address, "0.05");
    shop.await_field(&pegout.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(3);
    shop.await_status(&pegout.id, "completed", SOON);
    let plain = shop.create("0.07");
    node.send(&plain.address, "0.07");
    node.mine(2);
    shop.await_status(&plain.id, "completed", SOON);
    wait_for("the plain coin goes out", SOON, || node.mempool().len() == 1);
    let gross = |id: &str| {
        let payouts = gateway.cli_json(&["payment", "show", id]).objects("payouts");
        payouts.first().map(|payout| payout.raw("grossLtc").to_owned())
    };
    assert_eq!(gross(&plain.id).as_deref(), Some("0.07"));
    gateway.holds_for_passes(Passes::Sweeper, "the peg-out waits", || gross(&pegout.id).is_none());
    node.mine(1);
    wait_for("the peg-out goes out", SOON, || gross(&pegout.id).as_deref() == Some("0.05"));
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Run a node with `rpcserialversion` 0, then 1, which strips MWEB data.
/// 2. A peg-out and an ordinary payment are seen and complete; the audit is clean.
#[test]
#[ignore = "long"]
fn a_node_that_strips_mweb_gives_the_same_result() {
    #[track_caller]
    fn check(version: &str) {
        let Some(node) = Node::start_with(&[&format!("-rpcserialversion={version}")]) else {
            return;
        };
        let test_env = TestEnv::beside(std::sync::Arc::new(node), few_confirmations);
        activated(&test_env);
        let TestEnv { gateway, shop, node } = &test_env;
        let pegout = shop.create("0.05");
        let plain = shop.create("0.07");
        node.send(&plain.address, "0.07");
        node.send_from_mweb(&pegout.address, "0.05");
        shop.await_field(&pegout.id, "amountReceivedLtc", "0.05", SOON);
        shop.await_field(&plain.id, "amountReceivedLtc", "0.07", SOON);
        node.mine(3);
        shop.await_status(&pegout.id, "completed", SOON);
        shop.await_status(&plain.id, "completed", SOON);
        gateway.cli_ok(&["audit"]);
    }
    check("0");
    check("1");
}

/// 1. Mine one of two equal peg-outs to one payment, and see the second.
/// 2. Mine the second and replace its block.
/// 3. Mine until both are in blocks: the payment completes, and no coin counts twice.
#[test]
#[ignore = "long"]
fn two_equal_payments_out_of_mweb_count_as_two() {
    let Some(test_env) = TestEnv::alone_with(few_confirmations) else { return };
    activated(&test_env);
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = shop.create("0.1");
    node.send_from_mweb(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(1);
    let second = node.send_from_mweb(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.1", SOON);
    node.mine(1);
    node.disconnect(1);
    node.mine_without(&second);
    wait_for("both in blocks", SOON, || {
        node.mine(1);
        gateway.await_tip(&node.height().to_string());
        let fields = shop.status(&payment.id);
        assert_ne!(fields.raw("amountReceivedLtc"), "0.15", "counted twice");
        fields.text("status") == "completed"
    });
    gateway.cli_ok(&["audit"]);
}
