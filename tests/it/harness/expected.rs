//! The node's best chain, read block by block, as the expected result of the gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::json::litoshis;
use super::node::Node;

/// Payments to an address on the best chain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    pub(crate) sum: u64,
    pub(crate) txids: BTreeSet<String>,
}

/// An outpoint: txid and index.
pub(crate) type At = (String, u32);

/// An output. Those without a single address (MWEB, data) have none.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    pub(crate) address: Option<String>,
    pub(crate) amount: u64,
}

/// All outputs of the best chain, and the transactions that spent them.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) outputs: BTreeMap<At, Out>,
    /// The transaction that spent an output.
    pub(crate) spent_by: BTreeMap<At, String>,
}

#[derive(Deserialize)]
struct Block {
    tx: Vec<Tx>,
}
#[derive(Deserialize)]
struct Tx {
    txid: String,
    vin: Vec<TxIn>,
    vout: Vec<TxOut>,
}
#[derive(Deserialize)]
struct TxIn {
    txid: Option<String>,
    vout: Option<u32>,
}
#[derive(Deserialize)]
struct TxOut {
    n: Option<u32>,
    value: Option<Box<RawValue>>,
    #[serde(rename = "scriptPubKey")]
    script: Option<Script>,
}
#[derive(Deserialize)]
struct Script {
    #[serde(default)]
    addresses: Vec<String>,
}

/// Reads all blocks.
pub(crate) fn chain(node: &Node) -> Chain {
    let mut chain = Chain::default();
    for height in 1..=node.height() {
        let hash: String = node.call("getblockhash", json!([height]));
        let block: Block = node.call("getblock", json!([hash, 2]));
        for Tx { txid, vin, vout } in block.tx {
            for spent in vin {
                if let (Some(of), Some(n)) = (spent.txid, spent.vout) {
                    let before = chain.spent_by.insert((of, n), txid.clone());
                    assert!(before.is_none(), "{txid} and {before:?} spend the same");
                }
            }
            for out in vout {
                let (Some(n), Some(value), Some(script)) = (out.n, out.value, out.script) else {
                    continue;
                };
                let address = match script.addresses.as_slice() {
                    [address] => Some(address.clone()),
                    _ => None,
                };
                let amount = litoshis(value.get());
                chain.outputs.insert((txid.clone(), n), Out { address, amount });
            }
        }
    }
    chain
}

/// All outputs of all blocks, by address.
pub(crate) fn paid_by_chain(node: &Node) -> BTreeMap<String, Expected> {
    chain(node).paid()
}

impl Chain {
    /// Payments of the outputs, spent or not, by address.
    pub(crate) fn paid(&self) -> BTreeMap<String, Expected> {
        let mut paid: BTreeMap<String, Expected> = BTreeMap::new();
        for ((txid, _), out) in &self.outputs {
            let Some(address) = &out.address else { continue };
            let expected = paid.entry(address.clone()).or_default();
            expected.sum += out.amount;
            expected.txids.insert(txid.clone());
        }
        paid
    }
}

/// Unspent outputs of these descriptors, by the node's UTXO set (`scantxoutset`).
pub(crate) fn unspent(node: &Node, descriptors: &serde_json::Value) -> BTreeMap<At, u64> {
    #[derive(Deserialize)]
    struct Scan {
        success: bool,
        unspents: Vec<Unspent>,
    }
    #[derive(Deserialize)]
    struct Unspent {
        txid: String,
        vout: u32,
        amount: Box<RawValue>,
    }
    let begun: Scan = super::wait::wait_until("a scan", Duration::from_secs(60), || {
        node.try_call("scantxoutset", json!(["start", descriptors])).ok()
    });
    assert!(begun.success, "the scan ran to its end");
    let one = |found: Unspent| ((found.txid, found.vout), litoshis(found.amount.get()));
    begun.unspents.into_iter().map(one).collect()
}
