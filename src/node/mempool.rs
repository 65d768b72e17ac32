//! RPC calls about the mempool, and about the kernels of blocks, which identify peg-outs.

use bitcoin::hex::FromHex;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::codec;
use super::error::Error;
use super::rpc::{Node, json};
use crate::domain::amount::Amount;
use crate::domain::payment::{FeeRate, MempoolFacts};
use crate::domain::pegout::{KernelId, PegoutId};
use crate::domain::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenOutput {
    pub(crate) outpoint: OutPoint,
    pub(crate) amount: Amount,
    pub(crate) script: ScriptBuf,
    pub(crate) kind: OutputKind,
}

/// What an output of a transaction in the mempool will be in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// The same output.
    Plain,
    /// A peg-out: in a block it is an output of the HogEx. The id is absent if the node does
    /// not report kernel ids.
    Pegout { id: Option<PegoutId> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenTx {
    pub(crate) txid: Txid,
    /// Its outputs that pay the gateway.
    pub(crate) outputs: Vec<SeenOutput>,
    /// When it entered the mempool, by the followed node's clock, if known.
    pub(crate) entered_at: Option<Timestamp>,
    pub(crate) facts: Option<MempoolFacts>,
}

/// A transaction's entry in the mempool (`getmempoolentry`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MempoolEntry {
    /// When it entered, by the node's clock: the last millisecond of the reported second.
    pub(crate) entered_at: Timestamp,
    pub(crate) fee_rate: FeeRate,
    /// It, or an unconfirmed ancestor, signals that it may be replaced (BIP125).
    pub(crate) signals_replacement: bool,
    /// The unconfirmed transactions whose outputs it spends.
    pub(crate) parents: u32,
}

/// The node's mempool (`getmempoolinfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MempoolState {
    /// The mempool file was read after the start. Until then transactions may be missing.
    pub(crate) loaded: bool,
    /// The memory limit, in bytes.
    pub(crate) bytes_max: u64,
    /// The present minimum fee rate, in litoshis for 1,000 vbytes: above the relay minimum
    /// while the mempool is full.
    pub(crate) taken_per_kvb: u64,
    /// The relay minimum, in the same unit.
    pub(crate) relayed_per_kvb: u64,
}

impl Node {
    /// `getrawmempool`: all transactions in the mempool, in no order.
    pub(crate) fn mempool_txids(&self) -> Result<Vec<Txid>, Error> {
        self.call("getrawmempool", &[])
    }

    /// `getmempoolentry`: whether the transaction is in the mempool.
    pub(crate) fn mempool_contains(&self, txid: Txid) -> Result<bool, Error> {
        match self.call::<Value>("getmempoolentry", &[json(&txid)]) {
            Ok(_) => Ok(true),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// `getmempoolinfo`
    pub(crate) fn mempool_state(&self) -> Result<MempoolState, Error> {
        #[derive(Deserialize)]
        struct Answer {
            loaded: bool,
            maxmempool: u64,
            mempoolminfee: Box<RawValue>,
            minrelaytxfee: Box<RawValue>,
        }
        let answer: Answer = self.call("getmempoolinfo", &[])?;
        let rate = |rate: &RawValue| {
            let rate = Amount::parse_json_number(rate.get());
            rate.map(Amount::litoshis).map_err(|error| Error::Garbled {
                call: "getmempoolinfo",
                reason: format!("a fee {error}"),
            })
        };
        Ok(MempoolState {
            loaded: answer.loaded,
            bytes_max: answer.maxmempool,
            taken_per_kvb: rate(&answer.mempoolminfee)?,
            relayed_per_kvb: rate(&answer.minrelaytxfee)?,
        })
    }

    /// The outputs of a transaction in the mempool, with the peg-outs that an MWEB transaction
    /// announces (`getrawtransaction`, verbose: `vkern[].pegout`). `None` if it is not there.
    pub(crate) fn mempool_outputs(&self, txid: Txid) -> Result<Option<Vec<SeenOutput>>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            hex: String,
            blockhash: Option<BlockHash>,
            #[serde(default)]
            vkern: Vec<Kernel>,
        }
        let answer: Answer = match self.call("getrawtransaction", &[json(&txid), true.into()]) {
            Ok(answer) => answer,
            Err(Error::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        if answer.blockhash.is_some() {
            return Ok(None); // In a block; the sync reads it there.
        }
        let raw = Vec::<u8>::from_hex(&answer.hex).map_err(garbled)?;
        let tx = codec::decode_tx(&raw).map_err(garbled)?;
        let mut seen = Vec::with_capacity(tx.outputs.len());
        for (vout, output) in (0u32..).zip(tx.outputs) {
            let amount = Amount::from_litoshis(output.value.to_sat())
                .ok_or_else(|| garbled("an output above the supply"))?;
            let (outpoint, kind) = (OutPoint { txid, vout }, OutputKind::Plain);
            seen.push(SeenOutput { outpoint, amount, script: output.script_pubkey, kind });
        }
        // Announced peg-outs get the numbers after the ordinary outputs. In the block they are
        // outputs of the HogEx.
        let first = u32::try_from(seen.len()).unwrap_or(u32::MAX);
        let pegouts = answer.vkern.iter().flat_map(Kernel::pegouts);
        for (vout, (pegout, id)) in (first..).zip(pegouts) {
            let amount = Amount::parse(pegout.value.get())
                .map_err(|error| garbled(format!("pegout.value {error}")))?;
            let script = ScriptBuf::from_hex(&pegout.script_pub_key.hex).map_err(garbled)?;
            let (outpoint, kind) = (OutPoint { txid, vout }, OutputKind::Pegout { id });
            seen.push(SeenOutput { outpoint, amount, script, kind });
        }
        Ok(Some(seen))
    }

    /// `getmempoolentry`. `None` if the transaction is not in the mempool.
    pub(crate) fn mempool_entry(&self, txid: Txid) -> Result<Option<MempoolEntry>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            time: i64,
            vsize: u64,
            fees: Fees,
            #[serde(default)]
            depends: Vec<Txid>,
            #[serde(default, rename = "bip125-replaceable")]
            replaceable: bool,
        }
        #[derive(Deserialize)]
        struct Fees {
            base: Box<RawValue>,
        }
        let answer: Answer = match self.call("getmempoolentry", &[json(&txid)]) {
            Ok(answer) => answer,
            Err(Error::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        let fee = Amount::parse_json_number(answer.fees.base.get()).map_err(|error| {
            Error::Garbled { call: "getmempoolentry", reason: format!("a fee {error}") }
        })?;
        Ok(Some(MempoolEntry {
            entered_at: Timestamp::from_seconds(answer.time).plus_ms(999),
            fee_rate: FeeRate::of(fee, answer.vsize),
            signals_replacement: answer.replaceable,
            parents: u32::try_from(answer.depends.len()).unwrap_or(u32::MAX),
        }))
    }

    /// The ids of a block's kernels (`getblock`, verbosity 2: `mweb.kernels[].kernel_id`). A
    /// node that strips MWEB from the bytes can still report them. `None` if it does not.
    pub(crate) fn block_kernels(&self, hash: BlockHash) -> Result<Option<Vec<KernelId>>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            mweb: Option<Extension>,
        }
        #[derive(Deserialize)]
        struct Extension {
            kernels: Option<Vec<Named>>,
        }
        #[derive(Deserialize)]
        struct Named {
            kernel_id: Option<String>,
        }
        let answer: Answer = self.call("getblock", &[json(&hash), 2.into()])?;
        let kernels = answer.mweb.and_then(|extension| extension.kernels);
        let ids = kernels.map(|kernels| {
            let ids = kernels.iter().map(|kernel| kernel_id(kernel.kernel_id.as_deref()));
            ids.collect::<Option<Vec<KernelId>>>()
        });
        Ok(ids.flatten())
    }
}

#[derive(Deserialize)]
struct Kernel {
    kernel_id: Option<String>,
    #[serde(default)]
    pegout: Vec<Pegout>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pegout {
    value: Box<RawValue>,
    script_pub_key: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
}

impl Kernel {
    fn pegouts(&self) -> impl Iterator<Item = (&Pegout, Option<PegoutId>)> {
        let kernel = kernel_id(self.kernel_id.as_deref());
        let id = move |position| kernel.map(|kernel| PegoutId { kernel, position });
        (0u32..).zip(&self.pegout).map(move |(position, pegout)| (pegout, id(position)))
    }
}

/// A kernel id as the node prints it. `None` if it is malformed.
fn kernel_id(text: Option<&str>) -> Option<KernelId> {
    let bytes = <[u8; 32]>::from_hex(text?).ok()?;
    Some(KernelId::from_bytes(bytes))
}

fn garbled(reason: impl ToString) -> Error {
    Error::Garbled { call: "getrawtransaction", reason: reason.to_string() }
}
