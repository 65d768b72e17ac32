//! When a payment was first seen: the earlier of our sight and the node's, and patience with a node
//! that has lost its mempool.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_for};

const HOUR: Duration = Duration::from_secs(3_600);

/// A node that forgot its mempool when it was killed, and whose wallet sends nothing again.
const FORGETFUL: [&str; 2] = ["-persistmempool=0", "-walletbroadcast=0"];

/// Restarts the node without what was in its mempool.
#[track_caller]
fn lose_mempool(node: &Node) {
    node.stop();
    node.up_with(&FORGETFUL);
    assert!(node.mempool().is_empty(), "it forgot");
}

// 1. A payment is seen; the node is restarted and has lost its mempool.
// 2. It is not shown as replaced, and does not expire when its time is up.
// 3. Its transaction comes again and is mined: the payment completes in time.
#[test]
fn a_node_that_lost_its_mempool_is_waited_for() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    let raw = node.raw_transaction(&node.send(&payment.address, "0.05"));
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    lose_mempool(&node);
    gate.let_pass(2 * HOUR);
    node.mine(1); // The gateway is at the node's tip: it has compared with this run of the node.
    gate.await_tip(&node.height().to_string());
    stays_true("seen and pending", Duration::from_secs(2), || {
        let fields = shop.status(&payment.id);
        fields.raw("amountReceivedLtc") == "0.05" && fields.text("status") == "pending"
    });
    assert_eq!(shop.status(&payment.id).text("detail"), "seen");
    let _: String = node.call("sendrawtransaction", json!([raw]));
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    gate.cli_ok(&["audit"]);
}

// 1. Gateway and node are both down, and the node loses its mempool.
// 2. Both start: the payment is not shown as replaced.
#[test]
fn both_may_have_been_restarted() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    gate.kill();
    lose_mempool(&node);
    node.mine(1);
    gate.start();
    gate.await_tip(&node.height().to_string());
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    assert_eq!(fields.text("detail"), "seen");
}

// 1. As above, with a patience of 20 seconds. 2. After that the payment is shown as replaced.
// 3. A node whose uptime may not be asked for is given no time, and the log says so.
#[test]
#[ignore = "long"]
fn the_patience_ends_and_needs_to_know_the_uptime() {
    let Some(node) = Node::start() else { return };
    let proxy = RpcProxy::before(&node.rpc_url());
    let stage = Stage::beside(Arc::new(node), |gate| {
        gate.set("failover.patience", "1s");
        gate.set("node.rpc_url", proxy.url());
    });
    let Stage { gate, shop, node } = &stage;
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    lose_mempool(node);
    node.mine(1);
    gate.await_tip(&node.height().to_string());
    assert_eq!(shop.status(&payment.id).text("detail"), "seen");
    let over = 3 * SOON;
    shop.await_field(&payment.id, "detail", "\"replaced\"", over);
    assert!(gate.log_lines(&["cannot see whether the node was restarted"]).is_empty());

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
    gate.await_log(&["warn", "cannot see whether the node was restarted", "rpcwhitelist"]);
}

// 1. The gateway is down; the shopper pays in time. 2. It starts after the payment's time is up.
// 3. The transaction is still unmined: it was seen when the node took it, and is not late.
#[test]
fn paid_in_time_while_the_gateway_was_down_is_in_time() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    gate.term();
    node.send(&payment.address, "0.05");
    gate.let_pass(2 * HOUR);
    gate.start();
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.raw("late"), "false");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
}

// 1. The node's clock is two hours behind the gateway's, which has compared its whole mempool.
// 2. A payment that comes after its time was up is late, whatever the node's clock says.
#[test]
fn a_node_whose_clock_is_slow_makes_nothing_early() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    gate.let_pass(2 * HOUR);
    shop.await_status(&payment.id, "expired", 2 * SOON);
    node.send(&payment.address, "0.05");
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.raw("late"), "true");
    // So it is for one that was issued by the same clock.
    let other = shop.create("0.05");
    node.send(&other.address, "0.05");
    shop.await_field(&other.id, "amountReceivedLtc", "0.05", SOON);
    let seen = |gate: &Gate| {
        let shown = gate.cli_json(&["payment", "show", &other.id]);
        let coins = shown.objects("coins");
        coins.first().map(|coin| (coin.text("seenAt"), shown.text("createdAt")))
    };
    wait_for("its coin", SOON, || seen(&gate).is_some_and(|(seen, created)| seen >= created));
}
