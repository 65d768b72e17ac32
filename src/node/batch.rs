//! JSON-RPC batch: many `gettxout` calls in one HTTP request.

use bitcoin::{OutPoint, ScriptBuf};
use bitcoincore_rpc::jsonrpc;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::error::Error;
use super::rpc::Node;
use super::transactions::UnspentOutput;
use crate::domain::amount::Amount;

/// Calls in one request. The node answers one after the other, each in about 50 microseconds
/// and 500 bytes.
pub(crate) const BATCH_MAX: usize = 500;

const CALL: &str = "gettxout";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    value: Box<RawValue>,
    confirmations: u32,
    script_pub_key: Script,
}

#[derive(Deserialize)]
struct Script {
    hex: String,
}

impl Node {
    /// `gettxout` with the mempool for each of these outputs, at most [`BATCH_MAX`], in their
    /// order: `None` once an output is spent or removed.
    ///
    /// # Errors
    /// If the node is unreachable, or an answer is missing or malformed.
    pub(crate) fn unspent_outputs(
        &self,
        at: &[OutPoint],
    ) -> Result<Vec<Option<UnspentOutput>>, Error> {
        assert!(at.len() <= BATCH_MAX, "{} calls in one request", at.len());
        if at.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.with_client(CALL, |client| {
            let client = client.get_jsonrpc_client();
            let arguments = at.iter().map(|at| to_raw_value(&(at.txid.to_string(), at.vout, true)));
            let arguments = arguments.collect::<Result<Vec<_>, _>>()?;
            let ask = |argument| client.build_request(CALL, Some(argument));
            let requests: Vec<jsonrpc::Request> =
                arguments.iter().map(|argument| ask(&**argument)).collect();
            let mut found = Vec::with_capacity(at.len());
            for answer in client.send_batch(&requests)? {
                let answer = answer.ok_or(jsonrpc::Error::NonceMismatch)?;
                found.push(answer.result::<Option<Answer>>()?);
            }
            Ok(found)
        })?;
        answers.into_iter().map(|answer| answer.map(read).transpose()).collect()
    }
}

fn read(answer: Answer) -> Result<UnspentOutput, Error> {
    let garbled = |reason: String| Error::Garbled { call: CALL, reason };
    let amount = Amount::parse(answer.value.get());
    let script = ScriptBuf::from_hex(&answer.script_pub_key.hex);
    Ok(UnspentOutput {
        amount: amount.map_err(|error| garbled(format!("value {error}")))?,
        script: script.map_err(|error| garbled(error.to_string()))?,
        confirmations: answer.confirmations,
    })
}
