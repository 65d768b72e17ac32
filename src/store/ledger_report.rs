//! All facts for an audit: coins, sweeps and payments.

use std::collections::HashMap;

use bitcoin::consensus::encode::deserialize;
use bitcoin::{ScriptBuf, Transaction};
use rusqlite::Row;

use crate::domain::amount::Amount;
use crate::domain::audit::{LedgerCoin, LedgerPayment, LedgerPayout, LedgerVersion};
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::payment::PaymentId;

use super::columns::{block_hash, impossible, script, txid};
use super::error::Error;
use super::payments::Evaluated;
use super::tx::ReadTx;
use super::{coins, indexes, payments};

/// All coins that were ever seen, verified or not.
pub(crate) fn coins(tx: &ReadTx) -> Result<Vec<LedgerCoin>, Error> {
    let sql = "SELECT * FROM coins ORDER BY txid, vout";
    let mut statement = tx.connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let spent_by = match row.get::<_, Option<[u8; 32]>>("spent_txid")? {
            Some(_) => Some(txid(row, "spent_txid")?),
            None => None,
        };
        let (claim, spent_height) = (row.get("sweep_id")?, row.get("spent_height")?);
        Ok(coins::read(row)?.map(|coin| LedgerCoin { coin, claim, spent_by, spent_height }))
    })?;
    rows.map(|row| row?).collect()
}

/// All signed versions of all sweeps.
pub(crate) fn sweeps(tx: &ReadTx) -> Result<Vec<LedgerVersion>, Error> {
    let mut payouts: HashMap<(i64, u32), Vec<LedgerPayout>> = HashMap::new();
    let mut statement = tx.connection.prepare("SELECT * FROM payouts")?;
    let lines = statement.query_map([], |row| {
        let payout = LedgerPayout {
            merchant: row.get("merchant_id")?,
            script: script(row, "script")?,
            gross: row.get("gross")?,
            operator_fee: row.get("operator_fee")?,
            amount: row.get("amount")?,
        };
        Ok(((row.get("sweep_id")?, row.get("version")?), payout))
    })?;
    for line in lines {
        let (key, payout) = line?;
        payouts.entry(key).or_default().push(payout);
    }
    let sql = "SELECT sweep_txs.*, abandoned_at IS NOT NULL AS abandoned,
                      recognised_at IS NOT NULL AS recognised
               FROM sweep_txs JOIN sweeps ON sweeps.id = sweep_id ORDER BY sweep_id, version";
    let mut statement = tx.connection.prepare(sql)?;
    let rows = statement.query_map([], version)?;
    let mut versions = Vec::new();
    for row in rows {
        let (mut version, number) = row??;
        version.payouts = payouts.remove(&(version.sweep, number)).unwrap_or_default();
        versions.push(version);
    }
    Ok(versions)
}

fn version(row: &Row) -> rusqlite::Result<Result<(LedgerVersion, u32), Error>> {
    let raw: Vec<u8> = row.get("raw")?;
    let txid = txid(row, "txid")?;
    let block = match row.get::<_, Option<u32>>("block_height")? {
        Some(height) => Some(BlockId { height, hash: block_hash(row, "block_hash")? }),
        None => None,
    };
    // The audit reports damaged bytes.
    let sweep = deserialize::<Transaction>(&raw).ok().filter(|sweep| sweep.compute_txid() == txid);
    let readable = sweep.is_some();
    let (input, output) = sweep.map(|sweep| (sweep.input, sweep.output)).unwrap_or_default();
    let outputs: Option<Vec<(ScriptBuf, Amount)>> = output
        .into_iter()
        .map(|out| Some((out.script_pubkey, Amount::from_litoshis(out.value.to_sat())?)))
        .collect();
    let Some(outputs) = outputs else { return Ok(Err(impossible("an output of sweep", txid))) };
    let version = LedgerVersion {
        sweep: row.get("sweep_id")?,
        abandoned: row.get("abandoned")?,
        recognised: row.get("recognised")?,
        txid,
        readable,
        inputs: input.into_iter().map(|input| input.previous_output).collect(),
        outputs,
        fee: row.get("fee")?,
        payouts: Vec::new(),
        block,
    };
    Ok(Ok((version, row.get("version")?)))
}

/// At most `most` issued scripts from an index on, in order. Stray payments are skipped.
pub(crate) fn scripts(
    tx: &ReadTx,
    from: u32,
    most: u32,
) -> Result<Vec<(DerivationIndex, ScriptBuf, PaymentId)>, Error> {
    let sql = "SELECT derivation_index, script, id FROM payments
               WHERE derivation_index >= ? AND derivation_index < ?
               ORDER BY derivation_index LIMIT ?";
    let below = indexes::next_index(tx)?.get();
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([from, below, most], |row| {
        Ok((row.get("derivation_index")?, script(row, "script")?, row.get("id")?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Calls `each` with every payment, oldest first; there may be more than fit into memory. For
/// an unreadable one it passes the index and the reason.
pub(crate) fn payments(
    tx: &ReadTx,
    mut each: impl FnMut(Result<&LedgerPayment, (i64, String)>),
) -> Result<(), Error> {
    let sql = "SELECT *, EXISTS (SELECT 1 FROM events
                  WHERE events.derivation_index = payments.derivation_index
                    AND kind = 'completed') AS has_event
               FROM payments ORDER BY derivation_index";
    let mut statement = tx.connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let has_event = row.get("has_event")?;
        match payments::from_row(tx, row).map_err(Error::from).and_then(|evaluated| evaluated) {
            Ok(Evaluated { payment, status }) => {
                each(Ok(&LedgerPayment { payment, status, has_event }));
            }
            Err(error) if error.is_of_a_row() => {
                each(Err((row.get("derivation_index")?, error.to_string())));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
