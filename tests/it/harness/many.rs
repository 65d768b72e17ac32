//! Sweeps of many coins to many merchants: size and duration.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::gateway::Gateway;
use super::node::{Node, decimal};
use super::roles::Part;
use super::shop::{Created, Shop};
use super::wait::{SOON, wait_for};

/// Amount of each coin, in litoshis.
const COIN: u64 = 1_500_000;

/// Addresses paid by one transaction.
const TOGETHER: usize = 50;

/// Deadline of a sweep of many coins on a slow machine.
const LONG: Duration = Duration::from_secs(180);

/// A gateway that sweeps only while it is measured.
pub(crate) struct Many {
    // Processes are dropped before the gateway's directory, and all before the node.
    front: Part,
    sweeper: Part,
    pub(crate) gateway: Gateway,
    pub(crate) shops: Vec<Shop>,
    pub(crate) node: Node,
}

/// A sent transaction.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) inputs: u64,
    pub(crate) weight: u64,
    /// Least weight of a transaction with these inputs and outputs.
    pub(crate) weight_min: u64,
    /// Time from the sweeper's start until the node has it.
    pub(crate) after: Duration,
}

/// The sweeps in the order of the node, and the time from the sweeper's start, with planning
/// and signing, until the node has them.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) sent: Vec<Sent>,
    pub(crate) took: Duration,
}

impl Measured {
    /// Virtual size (BIP141) of all transactions.
    pub(crate) fn vbytes(&self) -> u64 {
        self.sent.iter().map(|sent| sent.weight.div_ceil(4)).sum()
    }

    /// The least possible virtual size.
    pub(crate) fn vbytes_min(&self) -> u64 {
        self.sent.iter().map(|sent| sent.weight_min.div_ceil(4)).sum()
    }

    /// Whether it is at most this many thousandths larger than the minimum.
    pub(crate) fn is_within(&self, thousandths: u64) -> bool {
        self.vbytes() * 1000 <= self.vbytes_min() * (1000 + thousandths)
    }
}

impl Many {
    /// This many merchants at a separate node. `None` if tests without a node are requested.
    pub(crate) fn of(merchants: usize) -> Option<Many> {
        let node = Node::start()?;
        let gateway = Gateway::init(&node);
        gateway.set("sweeper.interval", "1s");
        let (mut front, sweeper) = (Part::of("api,watcher,webhooks"), Part::of("sweeper"));
        front.start(&gateway);
        let open = |at| Shop::open(&gateway, &node, &format!("Merchant {at}"));
        let shops = (0..merchants).map(open).collect();
        Some(Many { front, sweeper, gateway, shops, node })
    }

    /// Gives the first merchants this many coins in total, and sweeps them.
    pub(crate) fn sweep(&mut self, coins: usize, merchants: usize) -> Measured {
        let addresses = coins.min(TOGETHER.max(merchants));
        let payments: Vec<Created> =
            (0..addresses).map(|at| self.shops[at % merchants].create(&decimal(COIN))).collect();
        let mut left = coins;
        while left > 0 {
            let now = left.min(addresses);
            let pay: serde_json::Map<_, _> = payments[..now]
                .iter()
                .map(|payment| (payment.address.clone(), json!(decimal(COIN))))
                .collect();
            self.node.call::<String>("sendmany", json!(["", pay]));
            left -= now;
            // Keeps our chains of change within the mempool's limit.
            if ((coins - left) / addresses).is_multiple_of(20) {
                self.node.mine(1);
            }
        }
        self.node.mine(2);
        for (at, payment) in payments.iter().enumerate() {
            self.shops[at % merchants].await_status(&payment.id, "completed", SOON * 3);
        }
        self.gateway.await_tip(&self.node.height().to_string());
        let began = Instant::now();
        self.sweeper.spawn(&self.gateway);
        let (node, mut seen) = (&self.node, BTreeMap::new());
        wait_for("all coins are swept", LONG, || {
            for txid in node.mempool() {
                seen.entry(txid.clone()).or_insert_with(|| sent(node, &txid, began.elapsed()));
            }
            seen.values().map(|sent: &Sent| sent.inputs).sum::<u64>() >= coins as u64
        });
        let took = began.elapsed();
        let mut all: Vec<Sent> = seen.into_values().collect();
        all.sort_by_key(|sent| sent.after);
        let measured = Measured { sent: all, took };
        self.sweeper.kill();
        self.node.mine(1);
        wait_for("it is mined", SOON, || self.node.mempool().is_empty());
        self.gateway.await_tip(&self.node.height().to_string());
        measured
    }

    /// Whether the serving process still runs.
    pub(crate) fn is_up(&mut self) -> bool {
        self.front.runs() && !self.front.has_ended()
    }
}

fn sent(node: &Node, txid: &str, after: Duration) -> Sent {
    #[derive(Deserialize)]
    struct Tx {
        weight: u64,
        vin: Vec<serde::de::IgnoredAny>,
        vout: Vec<Out>,
    }
    #[derive(Deserialize)]
    struct Out {
        #[serde(rename = "scriptPubKey")]
        script: Script,
    }
    #[derive(Deserialize)]
    struct Script {
        hex: String,
    }
    let tx: Tx = node.call("getrawtransaction", json!([txid, true]));
    let (inputs, outputs) = (tx.vin.len() as u64, tx.vout.len() as u64);
    let scripts: u64 = tx.vout.iter().map(|out| out.script.hex.len() as u64 / 2).sum();
    let weight_min = weight_min(inputs, outputs, scripts);
    Sent { inputs, weight: tx.weight, weight_min, after }
}

/// Least weight of p2wpkh inputs and these outputs (BIP141: 4 per byte outside of the witness,
/// 1 inside), with signatures of 71 bytes including the sighash byte. A few signatures are a
/// byte shorter by chance.
fn weight_min(inputs: u64, outputs: u64, script_bytes: u64) -> u64 {
    let count_bytes = |n: u64| if n < 253 { 1 } else { 3 };
    let plain = 4 + count_bytes(inputs) + 41 * inputs + count_bytes(outputs) + 4;
    let paid = 9 * outputs + script_bytes;
    let witness = 2 + (1 + 1 + 71 + 1 + 33) * inputs;
    4 * (plain + paid) + witness
}
