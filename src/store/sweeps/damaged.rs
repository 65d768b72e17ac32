//! Stored versions whose bytes are not what our key signed, and their repair.

use bitcoin::consensus::encode::deserialize;
use bitcoin::{Transaction, Txid};
use rusqlite::params;

use crate::domain::amount::Amount;
use crate::domain::time::Timestamp;
use crate::store::columns::{impossible, txid, txid_bytes};
use crate::store::error::Error;
use crate::store::tx::{ReadTx, WriteTx};

use super::{
    SignedPlan, StoredSweepTx, abandoned, claims_exactly, insert_payouts, insert_version,
    unconfirmed,
};

/// Records when the stored bytes of a version were first found damaged.
pub(crate) fn mark_damaged(
    tx: &WriteTx,
    version: &StoredSweepTx,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE sweep_txs SET damaged_at = ? WHERE sweep_id = ? AND version = ?
               AND damaged_at IS NULL";
    tx.connection.execute(sql, params![now, version.sweep, version.version])?;
    Ok(())
}

/// The transactions whose bytes were first found damaged at or after a time.
pub(crate) fn damaged_since(tx: &ReadTx, since: Timestamp) -> Result<Vec<Txid>, Error> {
    let sql = "SELECT txid FROM sweep_txs INDEXED BY sweep_txs_damaged WHERE damaged_at >= ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([since], |row| txid(row, "txid"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The recorded network fee of a version; `None` if it is impossible.
pub(crate) fn fee_of(tx: &ReadTx, version: &StoredSweepTx) -> Result<Option<Amount>, Error> {
    let sql = "SELECT fee FROM sweep_txs WHERE sweep_id = ? AND version = ?";
    let key = params![version.sweep, version.version];
    let fee: i64 = tx.connection.prepare_cached(sql)?.query_row(key, |row| row.get(0))?;
    Ok(u64::try_from(fee).ok().and_then(Amount::from_litoshis))
}

/// Stores a sweep that was signed again because its versions' bytes are damaged. It replaces
/// the version with the same transaction, by id or by bytes, or else becomes the next version.
///
/// # Errors
/// If the sweep is no longer in flight, or has other coins.
pub(crate) fn store_again(
    tx: &WriteTx,
    sweep: i64,
    signed: &SignedPlan,
    now: Timestamp,
) -> Result<StoredSweepTx, Error> {
    signed.plan.assert_balanced();
    let holds_exactly = claims_exactly(tx, sweep, &signed.plan)?;
    let current = unconfirmed(tx)?.into_iter().find(|unconfirmed| unconfirmed.id == sweep);
    let Some(current) = current.filter(|_| holds_exactly) else {
        return Err(impossible("the plan is out of date: sweep", sweep));
    };
    let same = |version: &&StoredSweepTx| {
        let id = || deserialize::<Transaction>(version.raw()).ok().map(|tx| tx.compute_txid());
        version.txid() == signed.txid || id() == Some(signed.txid)
    };
    let Some(damaged) = current.versions.iter().find(same) else {
        let newest = current.versions.iter().map(|version| version.version).max().unwrap_or(0);
        return insert_version(tx, sweep, newest.saturating_add(1), signed, now);
    };
    abandoned::release(tx, signed.txid)?;
    let version = damaged.version;
    let sql = "UPDATE sweep_txs SET txid = ?, raw = ?, vsize = ?, fee = ?
               WHERE sweep_id = ? AND version = ?";
    let vsize = i64::try_from(signed.vsize).unwrap_or(i64::MAX);
    let (id, fee) = (txid_bytes(&signed.txid), signed.plan.fee);
    tx.connection.execute(sql, params![id, signed.raw, vsize, fee, sweep, version])?;
    let sql = "DELETE FROM payouts WHERE sweep_id = ? AND version = ?";
    tx.connection.execute(sql, params![sweep, version])?;
    insert_payouts(tx, sweep, version, &signed.plan)?;
    Ok(StoredSweepTx { sweep, version, txid: signed.txid, raw: signed.raw.clone() })
}
