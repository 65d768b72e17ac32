//! Sweeps of many coins to many merchants: how large they are, and how long they take.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::gateway::Gateway;
use super::node::{Node, decimal};
use super::roles::Part;
use super::shop::{Created, Shop};
use super::wait::{SOON, wait_for};

/// What each coin holds, in litoshis.
const COIN: u64 = 1_500_000;

/// Addresses that one transaction pays.
const TOGETHER: usize = 50;

/// How long a sweep of many coins may take on a slow machine.
const LONG: Duration = Duration::from_secs(180);

/// A gateway that sweeps only while it is measured.
pub(crate) struct Many {
    // The processes go before the gateway's folder, and all before the node.
    front: Part,
    sweeper: Part,
    pub(crate) gateway: Gateway,
    pub(crate) shops: Vec<Shop>,
    pub(crate) node: Node,
}

/// A transaction as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) inputs: u64,
    pub(crate) weight: u64,
    /// What the same inputs and outputs weigh at least.
    pub(crate) weight_min: u64,
    /// From the start of the sweeper until the node had it.
    pub(crate) after: Duration,
}

/// What was swept, in the order in which the node had it, and how long it took from the start
/// of the sweeper's process, plan and signatures included, until the node had it.
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

    /// What they would have at least.
    pub(crate) fn vbytes_min(&self) -> u64 {
        self.sent.iter().map(|sent| sent.weight_min.div_ceil(4)).sum()
    }

    /// Whether it is at most so many thousandths larger than it must be.
    pub(crate) fn is_within(&self, thousandths: u64) -> bool {
        self.vbytes() * 1000 <= self.vbytes_min() * (1000 + thousandths)
    }
}

impl Many {
    /// So many merchants on a node of their own. `None` if tests without a node are wanted.
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

    /// Gives these first merchants so many coins together, and sweeps them.
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
            // No chain of our own change longer than the mempool takes.
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

    /// The process that serves and watches is still there.
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

/// The least that p2wpkh inputs and these outputs weigh (BIP141: four for each byte outside of
/// the witness, one inside), with signatures of 71 bytes, their last byte included. Of a
/// thousand signatures some are a byte shorter by chance.
fn weight_min(inputs: u64, outputs: u64, script_bytes: u64) -> u64 {
    let count_bytes = |n: u64| if n < 253 { 1 } else { 3 };
    let plain = 4 + count_bytes(inputs) + 41 * inputs + count_bytes(outputs) + 4;
    let paid = 9 * outputs + script_bytes;
    let witness = 2 + (1 + 1 + 71 + 1 + 33) * inputs;
    4 * (plain + paid) + witness
}
