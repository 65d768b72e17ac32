//! Identity of peg-outs: kernels distinguish equal ones, and one that returns to the mempool
//! is recognised.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Two confirmations for all coins.
fn few_confirmations(gateway: &Gateway) {
    gateway.set("payments.confirmations", 2);
    gateway.set("payments.confirmations_pegout", 2);
}

/// Pays from the MWEB balance of another wallet, which has one coin: transactions of the same
/// wallet would depend on each other.
fn send_from_other_wallet(node: &Node, address: &str, amount: &str) -> String {
    with_other_wallet(node, "loadwallet", || node.send_from_mweb(address, amount))
}

/// Creates another wallet with an MWEB balance.
fn fund_other_wallet(node: &Node) {
    let address: String =
        with_other_wallet(node, "createwallet", || node.call("getnewaddress", json!(["", "mweb"])));
    node.send(&address, "5");
    node.mine(1);
}

/// Runs `act` with the other wallet loaded.
fn with_other_wallet<T>(node: &Node, how: &str, act: impl FnOnce() -> T) -> T {
    node.call::<Value>("unloadwallet", json!(["money"]));
    node.call::<Value>(how, json!(["other"]));
    let done = act();
    node.call::<Value>("unloadwallet", json!(["other"]));
    node.call::<Value>("loadwallet", json!(["money"]));
    done
}

/// 1. Announce two equal peg-outs to one payment.
/// 2. Mine the second one: both still count, and nothing is due.
/// 3. Let the expiry pass: the payment stays `pending`.
/// 4. Mine the first one: the payment completes, not late, and the audit is clean.
#[track_caller]
fn check_two_equal(test_env: &TestEnv) {
    let TestEnv { gateway, shop, node } = test_env;
    node.activate_mweb();
    fund_other_wallet(node);
    gateway.await_tip(&node.height().to_string());
    let payment = shop.create("0.1");
    let first = node.send_from_mweb(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    send_from_other_wallet(node, &payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.1", SOON);
    node.mine_without(&first);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(node.mempool(), std::slice::from_ref(&first), "the second was mined, not the first");
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.1", "the page asks for nothing again");
    assert_eq!(fields.raw("amountDueLtc"), "0");
    gateway.let_pass(Duration::from_secs(2 * 3_600));
    node.mine_without(&first);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.1");
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Run `check_two_equal` at an ordinary node.
#[test]
fn the_second_of_two_equal_peg_outs_may_be_mined_first() {
    let Some(test_env) = TestEnv::alone_with(few_confirmations) else { return };
    check_two_equal(&test_env);
}

/// 1. Run `check_two_equal` at a node that strips kernels from blocks.
/// 2. Run it at a node that reports no kernels at all.
#[test]
#[ignore = "long"]
fn equal_peg_outs_are_distinguished_without_kernel_ids() {
    #[track_caller]
    fn check(fault: Fault) {
        let Some(node) = Node::start_with(&["-rpcserialversion=1"]) else { return };
        let proxy = RpcProxy::before(&node.rpc_url());
        proxy.set(fault);
        let test_env = TestEnv::beside(Arc::new(node), |gateway| {
            few_confirmations(gateway);
            gateway.set("node.rpc_url", proxy.url());
        });
        check_two_equal(&test_env);
    }
    check(Fault::None);
    check(Fault::Rewrite("\"kernel_id\"", "\"other_id\""));
}

/// The node keeps no mempool over a restart, and its wallet rebroadcasts nothing.
const FORGETFUL: [&str; 2] = ["-persistmempool=0", "-walletbroadcast=0"];

/// 1. See a peg-out in time.
/// 2. Let the node lose its mempool: after 20 seconds the coin no longer counts.
/// 3. Two days later, after expiry and grace, peg out the same amount from another wallet.
/// 4. That coin counts from its own first sight: the payment stays `expired`, detail `late`.
#[test]
#[ignore = "long"]
fn an_evicted_peg_out_lends_its_time_to_no_other() {
    let impatient = |gateway: &Gateway| {
        few_confirmations(gateway);
        gateway.set("failover.timeout", "1s");
    };
    let Some(test_env) = TestEnv::alone_with(impatient) else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    node.activate_mweb();
    fund_other_wallet(node);
    gateway.await_tip(&node.height().to_string());
    let payment = shop.create("0.05");
    node.send_from_mweb(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.stop();
    node.up_with(&FORGETFUL);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    shop.await_field(&payment.id, "amountReceivedLtc", "0", Duration::from_secs(60));
    gateway.let_pass(Duration::from_secs(2 * 86_400));
    shop.await_status(&payment.id, "expired", SOON);
    with_other_wallet(node, "loadwallet", || {
        let txid = node.send_from_mweb(&payment.address, "0.05");
        node.call::<String>("sendrawtransaction", json!([node.raw_of_wallet(&txid)]))
    });
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(3);
    gateway.await_tip(&node.height().to_string());
    let fields = shop.status(&payment.id);
    assert_eq!(fields.text("status"), "expired");
    assert_eq!(fields.text("detail"), "late");
    gateway.cli_ok(&["audit"]);
}

/// 1. See a peg-out in the mempool.
/// 2. Mine its block and disconnect it before the mempool is compared, three times.
/// 3. The coin returns to the mempool each time and keeps the time of its first sight.
/// 4. Mine it after the expiry: the payment completes, not late.
#[test]
#[ignore = "long"]
fn a_peg_out_returning_between_comparisons_is_found_again() {
    let Some(node) = Node::start() else { return };
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(Arc::new(node), |gateway| {
        few_confirmations(gateway);
        gateway.set("node.rpc_url", proxy.url());
    });
    let TestEnv { gateway, shop, node } = &test_env;
    node.activate_mweb();
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    let payment = shop.create("0.05");
    node.send_from_mweb(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    for _ in 0..3 {
        proxy.set(Fault::SlowCall("getrawmempool", Duration::from_millis(700)));
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
        node.disconnect(1);
        proxy.set(Fault::None);
        shop.await_field(&payment.id, "confirmations", "0", SOON);
        let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        assert_eq!(fields.text("detail"), "seen");
    }
    gateway.let_pass(Duration::from_secs(2 * 3_600));
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    wait_for("the tip", SOON, || gateway.readiness().starts_with("ready"));
    gateway.cli_ok(&["audit"]);
}
