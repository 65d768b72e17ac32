//! What the node's best chain says, read block by block: what the gateway's answers are held
//! against.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::json::litoshis;
use super::node::Node;

/// What the best chain says of an address.
#[derive(Debug, Clone, Default)]
pub(crate) struct Truth {
    pub(crate) sum: u64,
    pub(crate) txids: BTreeSet<String>,
}

/// All outputs of all blocks, by address.
pub(crate) fn paid_by_chain(node: &Node) -> BTreeMap<String, Truth> {
    #[derive(Deserialize)]
    struct Block {
        tx: Vec<Tx>,
    }
    #[derive(Deserialize)]
    struct Tx {
        txid: String,
        vout: Vec<Out>,
    }
    #[derive(Deserialize)]
    struct Out {
        value: Box<RawValue>,
        #[serde(rename = "scriptPubKey")]
        script: Script,
    }
    #[derive(Deserialize)]
    struct Script {
        #[serde(default)]
        addresses: Vec<String>,
    }
    let mut paid: BTreeMap<String, Truth> = BTreeMap::new();
    for height in 1..=node.height() {
        let hash: String = node.call("getblockhash", json!([height]));
        let block: Block = node.call("getblock", json!([hash, 2]));
        for tx in block.tx {
            for out in tx.vout {
                let [address] = out.script.addresses.as_slice() else { continue };
                let truth = paid.entry(address.clone()).or_default();
                truth.sum += litoshis(out.value.get());
                truth.txids.insert(tx.txid.clone());
            }
        }
    }
    paid
}
