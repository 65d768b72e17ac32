//! RPC calls about transactions: unspent outputs, fees, test and broadcast.

use bitcoin::hex::DisplayHex;
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Txid};
use serde::Deserialize;
use serde_json::value::{RawValue, Value};

use super::error::Error;
use super::rpc::{Node, json};
use crate::domain::amount::Amount;

/// An unspent output, in a block or in the mempool (`gettxout`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnspentOutput {
    pub(crate) amount: Amount,
    pub(crate) script: ScriptBuf,
    /// 0 while its transaction is in the mempool.
    pub(crate) confirmations: u32,
}

/// An unspent output in a block (`gettxout`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MinedOutput {
    pub(crate) height: u32,
    pub(crate) coinbase: bool,
}

/// Whether the node would accept a transaction (`testmempoolaccept`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Acceptance {
    Accepted,
    /// The node's reason, for logs and users. No code decides by it.
    Refused(String),
}

impl Node {
    /// `gettxout` without the mempool: the block of an unspent output. `None` if it is spent
    /// or unconfirmed.
    pub(crate) fn mined_output(&self, at: OutPoint) -> Result<Option<MinedOutput>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            bestblock: BlockHash,
            confirmations: u32,
            coinbase: bool,
        }
        let arguments = [json(&at.txid), at.vout.into(), false.into()];
        let Some(answer) = self.call::<Option<Answer>>("gettxout", &arguments)? else {
            return Ok(None);
        };
        let tip = self.header(answer.bestblock)?.height;
        let height = tip.saturating_add(1).saturating_sub(answer.confirmations);
        Ok(Some(MinedOutput { height, coinbase: answer.coinbase }))
    }

    /// `estimatesmartfee`: litoshis per 1,000 vbytes to be mined within `target_blocks`.
    /// `None` if the node has too little data.
    pub(crate) fn fee_estimate(&self, target_blocks: u16) -> Result<Option<u64>, Error> {
        #[derive(Deserialize)]
        struct Answer {
            feerate: Option<Box<RawValue>>,
        }
        let answer: Answer = self.call("estimatesmartfee", &[target_blocks.into()])?;
        let Some(rate) = answer.feerate else { return Ok(None) };
        let rate = Amount::parse_json_number(rate.get()).map_err(|error| Error::Garbled {
            call: "estimatesmartfee",
            reason: format!("feerate {error}"),
        })?;
        Ok(Some(rate.litoshis()))
    }

    /// `testmempoolaccept`
    pub(crate) fn test_accept(&self, raw: &[u8]) -> Result<Acceptance, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Answer {
            allowed: bool,
            #[serde(default)]
            reject_reason: String,
        }
        let list = Value::Array(vec![raw.to_lower_hex_string().into()]);
        let answers: Vec<Answer> = self.call("testmempoolaccept", &[list])?;
        match answers.into_iter().next() {
            Some(answer) if answer.allowed => Ok(Acceptance::Accepted),
            Some(answer) => Ok(Acceptance::Refused(answer.reject_reason)),
            None => Err(Error::Garbled {
                call: "testmempoolaccept",
                reason: "an empty list".to_owned(),
            }),
        }
    }

    /// `sendrawtransaction`: the only call by which money leaves. It is idempotent.
    pub(crate) fn broadcast(&self, raw: &[u8]) -> Result<Txid, Error> {
        self.call("sendrawtransaction", &[raw.to_lower_hex_string().into()])
    }
}
