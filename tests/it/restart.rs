//! The gateway or the node goes away and comes back; no payment is lost.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::clock;
use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for};

/// A valid address of regtest for a merchant who is added while no node runs.
const SOME_ADDRESS: &str = "rltc1qvpkm77e0gplqn8lcxvwx2vtcyzq3nye54hf6mu";

#[test]
fn what_was_paid_while_it_was_stopped_is_found_at_start() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_told("0.05", &receiver.url("/hook"));
    let in_mempool = shop.create("0.05");
    gate.term();
    node.send(&payment.address, "0.05");
    node.mine(3);
    node.send(&in_mempool.address, "0.05");
    gate.start();
    shop.await_status(&payment.id, "completed", SOON);
    let fields = shop.await_field(&payment.id, "confirmations", "3", SOON);
    assert_eq!(fields.raw("late"), "false");
    shop.await_field(&in_mempool.id, "amountReceivedLtc", "0.05", SOON);
    receiver.await_hit_for(&payment.id, SOON);
}

#[test]
fn a_kill_in_the_middle_changes_nothing() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_told("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    gate.kill();
    node.mine(1);
    gate.start();
    let fields = shop.await_field(&payment.id, "confirmations", "1", SOON);
    assert_eq!(fields.text("status"), "pending");
    gate.kill();
    node.mine(1);
    gate.start();
    shop.await_status(&payment.id, "completed", SOON);
    let told = receiver.await_hit_for(&payment.id, SOON);
    gate.kill();
    gate.start();
    let fields = shop.status(&payment.id);
    assert_eq!(fields.text("status"), "completed");
    let ids: Vec<String> =
        receiver.hits().iter().map(|hit| hit.header("webhook-id").to_owned()).collect();
    assert!(ids.iter().all(|id| *id == told.header("webhook-id")), "one event: {ids:?}");
}

#[test]
fn reorganised_while_it_was_stopped() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    gate.term();
    node.reorg_to_empty(1);
    gate.start();
    let fields = shop.await_field(&payment.id, "confirmations", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "it is in the mempool");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

#[test]
fn after_a_long_silence_of_the_chain_it_begins_before_the_first_payment() {
    let Some(node) = Node::stopped() else { return };
    let gate = Gate::init(&node);
    gate.let_pass(Duration::from_secs(86_400));
    gate.start_with(&["--assume-unused-account"]);
    gate.await_log(&["the watcher waits"]);
    let shop = Shop::open_paid_to(&gate, "Early Shop", SOME_ADDRESS);
    let payment = shop.create("0.05");
    gate.term();
    // A day after all other blocks, the payment is mined before we hear of the node.
    node.up_with(&[]);
    let tomorrow = clock::now().as_secs() + 86_400;
    node.call::<Value>("setmocktime", json!([tomorrow]));
    node.send(&payment.address, "0.05");
    node.mine(2);
    gate.start();
    shop.await_status(&payment.id, "completed", SOON);
}

#[test]
fn it_waits_for_a_node_that_is_not_up_yet_and_takes_orders_meanwhile() {
    let Some(node) = Node::stopped() else { return };
    let gate = Gate::init(&node);
    gate.start_with(&["--assume-unused-account"]);
    gate.await_log(&["node"]);
    let said = gate.log_lines(&["node", "wait"]);
    assert!(!said.is_empty(), "says that it waits for the node:\n{}", gate.log());
    let shop = Shop::open_paid_to(&gate, "Early Shop", SOME_ADDRESS);
    let payment = shop.create("0.05");
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
    node.up();
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let said = gate.log_lines(&["node", "wait"]);
    assert!(said.len() < 10, "says it now and then, not each time:\n{}", gate.log());
}

#[test]
fn the_node_restarts_while_it_serves() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    node.stop();
    let meanwhile = shop.create("0.05");
    node.up();
    node.send(&payment.address, "0.05");
    node.send(&meanwhile.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    shop.await_status(&meanwhile.id, "completed", SOON);
    assert!(gate.ended().is_none());
}

#[test]
fn sigterm_ends_it_cleanly_while_shops_are_connected() {
    let Some(node) = Node::shared() else { return };
    let Stage { gate, shop, node: _node } = Stage::beside(Arc::clone(&node), |_| ());
    let payment = shop.create("0.05");
    // A connection that asks for nothing must not hold up the end.
    let idle = std::net::TcpStream::connect(("127.0.0.1", gate.port())).unwrap();
    gate.term();
    drop(idle);
    wait_for("the port to be free", Duration::from_secs(5), || {
        std::net::TcpListener::bind(("127.0.0.1", gate.port())).is_ok()
    });
    gate.start();
    assert_eq!(shop.status(&payment.id).text("status"), "pending");
}
