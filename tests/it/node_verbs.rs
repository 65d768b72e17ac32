//! Tests of the harness: the node's operations and the published frames.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::node::Node;
use crate::harness::wait::wait_until;
use crate::harness::zmq::unhex;

/// A subscriber like the gateway's, for frames of the tests.
struct Subscriber(zmq::Socket);

impl Subscriber {
    fn connect(url: &str) -> Subscriber {
        let socket = zmq::Context::new().socket(zmq::SUB).unwrap();
        socket.set_subscribe(b"rawtx").unwrap();
        socket.set_subscribe(b"hashblock").unwrap();
        socket.set_rcvtimeo(200).unwrap();
        socket.connect(url).unwrap();
        Subscriber(socket)
    }

    /// Reads until a message of this topic and body came; the number of it.
    fn await_message(&self, topic: &str, body: &[u8]) -> u32 {
        wait_until(&format!("{topic} by ZMQ"), Duration::from_secs(10), || {
            let parts = self.0.recv_multipart(0).ok()?;
            let [its_topic, its_body, sequence] = parts.as_slice() else { return None };
            let same = its_topic == topic.as_bytes() && its_body == body;
            same.then(|| u32::from_le_bytes(sequence.as_slice().try_into().unwrap()))
        })
    }
}

/// Mines until the subscription has reached the publisher, which ZMQ does not report.
fn await_subscription(node: &Node, subscriber: &Subscriber) {
    wait_until("the subscription", Duration::from_secs(20), || {
        node.mine(1);
        subscriber.0.recv_multipart(0).ok()
    });
}

/// 1. Pay, mine and check balance and outputs.
/// 2. Reorganise to empty blocks: the transaction returns to the mempool; reorganise again: it
///    is mined.
#[test]
fn the_node_mines_pays_and_reorganises() {
    let Some(node) = Node::start() else { return };
    let height = node.height();
    let address = node.fresh_address();
    let txid = node.send(&address, "0.05");
    assert!(node.mempool().contains(&txid));
    assert!(node.outputs_of(&txid).contains(&(address.clone(), 5_000_000)));
    assert!(node.fee_of(&txid) > 0);
    assert_eq!(node.balance_of(&address), 0, "not mined yet");
    node.mine(2);
    assert_eq!(node.height(), height + 2);
    assert_eq!(node.balance_of(&address), 5_000_000);
    let tip: String = node.call("getbestblockhash", json!([]));
    node.reorg_to_empty(2);
    assert_eq!(node.height(), height + 3);
    assert!(node.mempool().contains(&txid), "the transaction came back to the mempool");
    assert_eq!(node.balance_of(&address), 0);
    node.reorg(1);
    assert_eq!(node.balance_of(&address), 5_000_000, "and was mined again");
    let header: Value = node.call("getblockheader", json!([tip]));
    assert_eq!(header["confirmations"], -1, "the old tip is off the chain");
}

#[test]
fn a_double_spend_can_be_mined() {
    let Some(node) = Node::start() else { return };
    let address = node.fresh_address();
    let txid = node.send(&address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    node.mine_exactly(&[&double_spend]);
    assert!(!node.mempool().contains(&txid), "the first one cannot be mined any more");
    node.mine(1);
    assert_eq!(node.balance_of(&address), 0);
}

#[test]
fn the_node_resumes_where_it_stopped() {
    let Some(node) = Node::start() else { return };
    node.mine(3);
    let height = node.height();
    node.restart();
    assert_eq!(node.height(), height + 1, "one block is mined at each start");
}

#[test]
fn mweb_can_be_activated() {
    let Some(node) = Node::start() else { return };
    node.activate_mweb();
    node.mine(2);
    let tip: String = node.call("getbestblockhash", json!([]));
    let block: Value = node.call("getblock", json!([tip, 1]));
    assert_eq!(block["height"], 434);
    assert!(block["tx"].as_array().unwrap().len() >= 2, "the last transaction is the HogEx");
    let address = node.fresh_address();
    let txid = node.send_from_mweb(&address, "0.05");
    let raw: String = node.call("getrawtransaction", json!([txid]));
    assert!(raw.starts_with("0200000000080000"), "no ordinary inputs and outputs: {raw}");
    node.mine(1);
    assert_eq!(node.balance_of(&address), 5_000_000, "by the HogEx");
}

/// 1. Subscribe; send a transaction, mine it, and reorganise.
/// 2. Each step publishes `rawtx` with rising sequence numbers, and `hashblock`.
#[test]
fn transactions_and_blocks_are_published() {
    let Some(node) = Node::start() else { return };
    let subscriber = Subscriber::connect(&node.zmq_url());
    await_subscription(&node, &subscriber);
    let txid = node.send(&node.fresh_address(), "0.05");
    let raw = unhex(&node.call::<String>("getrawtransaction", json!([txid])));
    let in_mempool = subscriber.await_message("rawtx", &raw);
    node.mine(1);
    let tip: String = node.call("getbestblockhash", json!([]));
    let in_block = subscriber.await_message("rawtx", &raw);
    assert!(in_block > in_mempool, "the numbers of a topic count up");
    subscriber.await_message("hashblock", &unhex(&tip));
    node.reorg_to_empty(1);
    let off_the_chain = subscriber.await_message("rawtx", &raw);
    assert!(off_the_chain > in_block);
    let tip: String = node.call("getbestblockhash", json!([]));
    subscriber.await_message("hashblock", &unhex(&tip));
}
