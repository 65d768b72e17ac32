//! Restarts of gateway and node: no payment is lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::clock;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// A valid regtest address for a merchant that is added while no node runs.
const SOME_ADDRESS: &str = "rltc1qvpkm77e0gplqn8lcxvwx2vtcyzq3nye54hf6mu";

/// 1. Stop the gateway; confirm one payment and broadcast another.
/// 2. Start: the first completes with its webhook, the second is seen.
#[test]
fn payments_made_during_downtime_are_found_at_start() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    let in_mempool = shop.create("0.05");
    gateway.term();
    node.send(&payment.address, "0.05");
    node.mine(3);
    node.send(&in_mempool.address, "0.05");
    gateway.start();
    shop.await_status(&payment.id, "completed", SOON);
    let fields = shop.await_field(&payment.id, "confirmations", "3", SOON);
    assert_eq!(fields.raw("late"), "false");
    shop.await_field(&in_mempool.id, "amountReceivedLtc", "0.05", SOON);
    receiver.await_hit_for(&payment.id, SOON);
}

/// 1. Kill and start the gateway after the payment is seen, confirmed and completed.
/// 2. It completes, and all its webhooks have the same event id.
#[test]
fn a_kill_during_a_payment_changes_nothing() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    gateway.kill();
    node.mine(1);
    gateway.start();
    let fields = shop.await_field(&payment.id, "confirmations", "1", SOON);
    assert_eq!(fields.text("status"), "pending");
    gateway.kill();
    node.mine(1);
    gateway.start();
    shop.await_status(&payment.id, "completed", SOON);
    let notified = receiver.await_hit_for(&payment.id, SOON);
    gateway.kill();
    gateway.start();
    let fields = shop.status(&payment.id);
    assert_eq!(fields.text("status"), "completed");
    let ids: Vec<String> =
        receiver.hits().iter().map(|hit| hit.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == notified.header("webhook-id")), "one event: {ids:?}");
}

/// 1. Confirm a payment, stop the gateway, and replace the block by an empty one.
/// 2. Start: the payment has 0 confirmations and is in the mempool.
/// 3. Mine: it completes.
#[test]
fn a_reorganisation_during_downtime_is_followed() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    gateway.term();
    node.reorg_to_empty(1);
    gateway.start();
    let fields = shop.await_field(&payment.id, "confirmations", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "it is in the mempool");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Create a payment before the node has ever answered, then stop the gateway.
/// 2. Mine the payment a day after all other blocks.
/// 3. Start: the payment completes.
#[test]
fn after_a_block_gap_the_first_sync_covers_the_first_payment() {
    let Some(node) = Node::stopped() else { return };
    let gateway = Gateway::init(&node);
    gateway.let_pass(Duration::from_secs(86_400));
    gateway.start_with(&["--assume-unused-account"]);
    gateway.await_log(&["watcher pass failed"]);
    let shop = Shop::open_paid_to(&gateway, "Early Shop", SOME_ADDRESS);
    let payment = shop.create("0.05");
    gateway.term();
    node.up_with(&[]);
    let tomorrow = clock::now().as_secs() + 86_400;
    node.call::<Value>("setmocktime", json!([tomorrow]));
    node.send(&payment.address, "0.05");
    node.mine(2);
    gateway.start();
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Start the gateway without a node: it logs that it waits, and creates a payment.
/// 2. Start the node: the payment completes; the wait was logged only now and then.
#[test]
fn the_gateway_accepts_orders_while_it_waits_for_its_node() {
    let Some(node) = Node::stopped() else { return };
    let gateway = Gateway::init(&node);
    gateway.start_with(&["--assume-unused-account"]);
    gateway.await_log(&["node"]);
    let said = gateway.log_lines(&["node", "wait"]);
    assert!(!said.is_empty(), "says that it waits for the node:\n{}", gateway.log());
    let shop = Shop::open_paid_to(&gateway, "Early Shop", SOME_ADDRESS);
    let payment = shop.create("0.05");
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
    node.up();
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let said = gateway.log_lines(&["node", "wait"]);
    assert!(said.len() < 10, "says it now and then, not each time:\n{}", gateway.log());
}

#[test]
fn the_gateway_survives_a_node_restart() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.stop();
    let meanwhile = shop.create("0.05");
    node.up();
    node.send(&payment.address, "0.05");
    node.send(&meanwhile.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    shop.await_status(&meanwhile.id, "completed", SOON);
    assert!(gateway.ended().is_none());
}

/// 1. Hold an idle connection and send SIGTERM: the port is free within 5 seconds.
/// 2. Start again: the payment exists.
#[test]
fn sigterm_stops_the_gateway_cleanly_with_connected_shops() {
    let Some(node) = Node::shared() else { return };
    let TestEnv { gateway, shop, node: _node } = TestEnv::beside(Arc::clone(&node), |_| ());
    let payment = shop.create("0.05");
    // An idle connection must not delay the stop.
    let idle = std::net::TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    gateway.term();
    drop(idle);
    wait_for("the port to be free", Duration::from_secs(5), || {
        std::net::TcpListener::bind(("127.0.0.1", gateway.port())).is_ok()
    });
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
}
