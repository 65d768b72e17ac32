//! First sight of a payment: the earlier of the gateway's and the node's, with patience for a
//! node that lost its mempool.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const HOUR: Duration = Duration::from_secs(3_600);

/// A node that forgot its mempool when it was killed, and whose wallet sends nothing again.
const FORGETFUL: [&str; 2] = ["-persistmempool=0", "-walletbroadcast=0"];

/// Restarts the node without its mempool.
#[track_caller]
fn lose_mempool(node: &Node) {
    node.stop();
    node.up_with(&FORGETFUL);
    assert!(node.mempool().is_empty(), "it forgot");
}

/// 1. See a payment, then restart the node without its mempool.
/// 2. The payment is neither replaced nor expired when its time is up.
/// 3. Broadcast and mine its transaction: it completes, not late.
#[test]
fn a_node_gets_time_after_it_lost_its_mempool() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let raw = node.raw_transaction(&node.send(&payment.address, "0.05"));
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    lose_mempool(&node);
    gateway.let_pass(2 * HOUR);
    node.mine(1); // The gateway is at the node's tip: it has compared with this run of the node.
    gateway.await_tip(&node.height().to_string());
    gateway.holds_for_blocks(&node, "seen and pending", || {
        let fields = shop.status(&payment.id);
        fields.raw("amountReceivedLtc") == "0.05" && fields.text("status") == "pending"
    });
    // "delayed" until the watcher's next report, because the clock jumped.
    shop.await_field(&payment.id, "detail", "\"seen\"", SOON);
    let _: String = node.call("sendrawtransaction", json!([raw]));
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    gateway.cli_ok(&["audit"]);
}

/// 1. Stop gateway and node; the node loses its mempool.
/// 2. Start both: the payment is not shown as replaced.
#[test]
fn a_restart_of_gateway_and_node_replaces_no_payment() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    gateway.kill();
    lose_mempool(&node);
    node.mine(1);
    gateway.start();
    gateway.await_tip(&node.height().to_string());
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    assert_eq!(fields.text("detail"), "seen");
}

/// 1. Restart the node without its mempool, with a patience of 20 seconds.
/// 2. After that the payment is shown as replaced.
/// 3. A node that refuses `uptime` gets no patience, and the log says so.
#[test]
#[ignore = "long"]
fn the_mempool_wait_ends_and_requires_the_node_uptime() {
    let Some(node) = Node::start() else { return };
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(Arc::new(node), |gateway| {
        gateway.set("failover.timeout", "1s");
        gateway.set("node.rpc_url", proxy.url());
    });
    let TestEnv { gateway, shop, node } = &test_env;
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    lose_mempool(node);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(shop.status(&payment.id).text("detail"), "seen");
    let over = 3 * SOON;
    shop.await_field(&payment.id, "detail", "\"replaced\"", over);
    assert!(gateway.log_lines(&["node start time unknown"]).is_empty());

    proxy.set(Fault::Forbids("uptime"));
    node.call::<Value>("getblockcount", json!([]));
    let other = shop.create("0.05");
    node.stop();
    node.up();
    node.send(&other.address, "0.05");
    shop.await_field(&other.id, "amountReceivedLtc", "0.05", SOON);
    lose_mempool(node);
    node.mine(1);
    shop.await_field(&other.id, "detail", "\"replaced\"", SOON);
    gateway.await_log(&["warn", "node start time unknown", "rpcwhitelist"]);
}

/// 1. Stop the gateway; pay in time.
/// 2. Start it after the expiry, with the transaction unmined.
/// 3. The payment counts from the node's first sight and is not late.
#[test]
fn a_payment_made_in_time_during_downtime_is_not_late() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    gateway.term();
    node.send(&payment.address, "0.05");
    gateway.let_pass(2 * HOUR);
    gateway.start();
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.raw("late"), "false");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
}

/// 1. Set the node's clock two hours behind; the gateway has compared the whole mempool.
/// 2. Pay after the expiry: the payment is late, whatever the node's clock says.
#[test]
fn a_slow_node_clock_makes_no_late_payment_early() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    gateway.let_pass(2 * HOUR);
    shop.await_status(&payment.id, "expired", 2 * SOON);
    node.send(&payment.address, "0.05");
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.raw("late"), "true");
    // So it is for one that was issued by the same clock.
    let other = shop.create("0.05");
    node.send(&other.address, "0.05");
    shop.await_field(&other.id, "amountReceivedLtc", "0.05", SOON);
    let seen = |gateway: &Gateway| {
        let shown = gateway.cli_json(&["payment", "show", &other.id]);
        let coins = shown.objects("coins");
        coins.first().map(|coin| (coin.text("seenAt"), shown.text("createdAt")))
    };
    wait_for("its coin", SOON, || seen(&gateway).is_some_and(|(seen, created)| seen >= created));
}
