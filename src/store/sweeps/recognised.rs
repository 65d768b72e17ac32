//! Recognised sweeps: found in a block instead of created here, and the data that recognises
//! them.
//!
//! They claim no coin. Like an abandoned sweep that is mined after all, one counts only while
//! it is in a block.

use bitcoin::{OutPoint, ScriptBuf};
use rusqlite::{OptionalExtension, params};

use crate::domain::chain::BlockId;
use crate::domain::merchant::MerchantId;
use crate::domain::sweep::SweepCoin;
use crate::domain::sweep::recognise::KnownScripts;
use crate::domain::time::Timestamp;
use crate::store::columns::{script, txid_bytes};
use crate::store::error::Error;
use crate::store::tx::{ReadTx, WriteTx};

use super::{SignedPlan, confirm_in_block, insert_version, sweep_coin};

/// Our coins at these outpoints, at any depth.
pub(crate) fn coins_at(tx: &ReadTx, at: &[OutPoint]) -> Result<Vec<SweepCoin>, Error> {
    let sql = "SELECT coins.*, merchant_id, script, 0 AS depth
               FROM coins JOIN payments USING (derivation_index) WHERE txid = ? AND vout = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut coins = Vec::with_capacity(at.len());
    for at in at {
        let key = params![txid_bytes(&at.txid), at.vout];
        let found = statement.query_row(key, |row| sweep_coin(tx, row));
        coins.extend(found.optional()?.transpose()?);
    }
    Ok(coins)
}

/// The scripts at which these merchants, and the operator, were paid at some time until
/// `until`. A cancelled change was never in force.
pub(crate) fn known_scripts(
    tx: &ReadTx,
    merchants: &[MerchantId],
    until: Timestamp,
) -> Result<KnownScripts, Error> {
    let sql = "SELECT script FROM payout_addresses
               WHERE merchant_id = ? AND cancelled_at IS NULL AND effective_at <= ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut known = KnownScripts::default();
    for merchant in merchants {
        let rows = statement.query_map(params![merchant, until], |row| script(row, "script"))?;
        known.merchants.insert(*merchant, rows.collect::<Result<_, _>>()?);
    }
    let sql = "SELECT script FROM operator_addresses";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| script(row, "script"))?;
    known.operator = rows.collect::<Result<_, _>>()?;
    Ok(known)
}

/// Whether this operator's address is recorded.
pub(crate) fn is_operator(tx: &ReadTx, script: &ScriptBuf) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM operator_addresses WHERE script = ?)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([script.as_bytes()], |row| row.get(0))?)
}

/// Records an operator's address, so that sweeps are recognised even after it changes.
pub(crate) fn add_operator(tx: &WriteTx, script: &ScriptBuf, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO operator_addresses (script, since) VALUES (?, ?)";
    tx.connection.prepare_cached(sql)?.execute(params![script.as_bytes(), now])?;
    Ok(())
}

/// Stores a recognised sweep, created at the block's time. Must run before its coins are
/// recorded as spent, so that their sums count it as a sweep.
pub(crate) fn store_recognised(
    tx: &WriteTx,
    recognised: &SignedPlan,
    block: BlockId,
    made_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    recognised.plan.assert_balanced();
    let sql = "INSERT INTO sweeps (created_at, abandoned_at, recognised_at) VALUES (?1, ?1, ?2)";
    tx.connection.execute(sql, params![made_at, now])?;
    insert_version(tx, tx.connection.last_insert_rowid(), 1, recognised, made_at)?;
    confirm_in_block(tx, recognised.txid, block)?;
    Ok(())
}
