//! Sweeps: claims on coins, signed versions, and their confirmation.

pub(crate) mod abandoned;
pub(crate) mod damaged;
pub(crate) mod recognised;

use bitcoin::Txid;
use rusqlite::{Row, params};

use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::sweep::{Payout, SentPayout, SentSweep, SweepCoin, SweepPlan};
use crate::domain::time::Timestamp;

use super::columns::{block_hash_bytes, impossible, script, txid, txid_bytes};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};
use super::{authenticated, coins};

/// A stored signed version of a sweep. Only the store creates it, so whatever is broadcast was
/// stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredSweepTx {
    sweep: i64,
    version: u32,
    txid: Txid,
    raw: Vec<u8>,
}

impl StoredSweepTx {
    pub(crate) fn txid(&self) -> Txid {
        self.txid
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }
}

/// A sweep that is neither confirmed nor abandoned, and must be in the mempool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unconfirmed {
    pub(crate) id: i64,
    /// Newest first, never empty.
    pub(crate) versions: Vec<StoredSweepTx>,
    /// When the newest version was made.
    pub(crate) made_at: Timestamp,
}

/// A plan with its signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedPlan {
    pub(crate) plan: SweepPlan,
    pub(crate) txid: Txid,
    pub(crate) raw: Vec<u8>,
    /// Virtual size (BIP141).
    pub(crate) vsize: u64,
}

/// Coins that can be swept: on the best chain, of decided payments, with the confirmations
/// that the payment requires, unspent, and claimed by no sweep.
pub(crate) fn sweepable(tx: &ReadTx, tip_height: u32) -> Result<Vec<SweepCoin>, Error> {
    let sql = "SELECT coins.*, merchant_id, script, ?1 - block_height + 1 AS depth
               FROM coins INDEXED BY coins_unclaimed CROSS JOIN payments USING (derivation_index)
               WHERE sweep_id IS NULL AND place = 'block' AND spent_txid IS NULL
                 AND status <> 'pending' AND coins.amount > 0
                 AND ?1 - block_height + 1 >=
                     iif(origin = 'pegout', confirmations_pegout, confirmations)
               ORDER BY txid, vout";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([tip_height], |row| sweep_coin(tx, row))?;
    authenticated::trusted(rows)
}

/// Claims the plan's coins and stores its signed transaction with every merchant's payout,
/// atomically.
///
/// A transaction of an abandoned sweep is claimed again.
///
/// # Errors
/// If a coin was claimed, spent or removed meanwhile: the plan is out of date.
pub(crate) fn store_signed(
    tx: &WriteTx,
    signed: &SignedPlan,
    now: Timestamp,
) -> Result<StoredSweepTx, Error> {
    signed.plan.assert_balanced();
    tx.connection.execute("INSERT INTO sweeps (created_at) VALUES (?)", [now])?;
    let sweep = tx.connection.last_insert_rowid();
    let claim = "UPDATE coins SET sweep_id = ? WHERE txid = ? AND vout = ?
                 AND sweep_id IS NULL AND place = 'block' AND spent_txid IS NULL";
    let mut statement = tx.connection.prepare_cached(claim)?;
    for coin in &signed.plan.coins {
        let at = coin.outpoint;
        if statement.execute(params![sweep, txid_bytes(&at.txid), at.vout])? != 1 {
            return Err(impossible("the plan is out of date: coin", at));
        }
    }
    insert_version(tx, sweep, 1, signed, now)
}

/// Stores the next version of a sweep, with the same coins.
///
/// # Errors
/// If the sweep was confirmed, abandoned or bumped meanwhile, or has other coins.
pub(crate) fn store_fee_bump(
    tx: &WriteTx,
    sweep: i64,
    newest: &StoredSweepTx,
    signed: &SignedPlan,
    now: Timestamp,
) -> Result<StoredSweepTx, Error> {
    signed.plan.assert_balanced();
    let current = unconfirmed(tx)?.into_iter().find(|unconfirmed| unconfirmed.id == sweep);
    let is_newest = current.is_some_and(|current| current.versions.first() == Some(newest));
    if !is_newest || !claims_exactly(tx, sweep, &signed.plan)? {
        return Err(impossible("the plan is out of date: sweep", sweep));
    }
    insert_version(tx, sweep, newest.version.saturating_add(1), signed, now)
}

/// Whether a sweep claims exactly the coins of a plan.
fn claims_exactly(tx: &ReadTx, sweep: i64, plan: &SweepPlan) -> Result<bool, Error> {
    let claimed = coins_of(tx, sweep, 0)?;
    let claimed = claimed.iter().map(|coin| coin.outpoint);
    Ok(claimed.eq(plan.coins.iter().map(|coin| coin.outpoint)))
}

/// Stores a version. The same coins, payees and fee give the same transaction: one of an
/// abandoned sweep becomes a version of this sweep.
fn insert_version(
    tx: &WriteTx,
    sweep: i64,
    version: u32,
    signed: &SignedPlan,
    now: Timestamp,
) -> Result<StoredSweepTx, Error> {
    abandoned::release(tx, signed.txid)?;
    let sql = "INSERT INTO sweep_txs (sweep_id, version, txid, raw, fee, vsize, created_at)
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let vsize = i64::try_from(signed.vsize).unwrap_or(i64::MAX);
    let fee = signed.plan.fee;
    let id = txid_bytes(&signed.txid);
    tx.connection.execute(sql, params![sweep, version, id, signed.raw, fee, vsize, now])?;
    insert_payouts(tx, sweep, version, &signed.plan)?;
    Ok(StoredSweepTx { version, txid: signed.txid, raw: signed.raw.clone(), sweep })
}

/// Stores every merchant's payout of a version.
fn insert_payouts(tx: &WriteTx, sweep: i64, version: u32, plan: &SweepPlan) -> Result<(), Error> {
    let sql = "INSERT INTO payouts
               (sweep_id, version, merchant_id, script, gross, fee_share, operator_fee, amount)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for payout in &plan.payouts {
        statement.execute(params![
            sweep,
            version,
            payout.merchant,
            payout.script.as_bytes(),
            payout.gross,
            payout.fee_share,
            payout.operator_fee,
            payout.amount,
        ])?;
    }
    Ok(())
}

/// The coins that a sweep claims, in the order of its inputs, with their confirmations at this
/// tip.
pub(crate) fn coins_of(tx: &ReadTx, sweep: i64, tip_height: u32) -> Result<Vec<SweepCoin>, Error> {
    let sql = "SELECT coins.*, merchant_id, script,
                      max(0, ?2 - coalesce(block_height, ?2 + 1) + 1) AS depth
               FROM coins JOIN payments USING (derivation_index)
               WHERE sweep_id = ?1 ORDER BY txid, vout";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![sweep, tip_height], |row| sweep_coin(tx, row))?;
    let mut coins: Vec<SweepCoin> = rows.map(|row| row?).collect::<Result<_, Error>>()?;
    coins.sort_by_key(|coin| coin.outpoint);
    Ok(coins)
}

fn sweep_coin(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<SweepCoin, Error>> {
    let coin = match coins::from_row(tx, row)? {
        Ok(coin) => coin,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(SweepCoin {
        outpoint: coin.outpoint,
        merchant: row.get("merchant_id")?,
        index: coin.index,
        script: script(row, "script")?,
        amount: coin.amount,
        origin: coin.origin,
        confirmations: row.get("depth")?,
    }))
}

/// The sweeps that are neither confirmed nor abandoned, with all their versions.
pub(crate) fn unconfirmed(tx: &ReadTx) -> Result<Vec<Unconfirmed>, Error> {
    let sql = "SELECT sweep_id, version, txid, raw, sweep_txs.created_at
               FROM in_flight_sweeps CROSS JOIN sweep_txs USING (sweep_id)
               ORDER BY sweep_id, version DESC";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let made_at: Timestamp = row.get("created_at")?;
        let version = StoredSweepTx {
            sweep: row.get("sweep_id")?,
            version: row.get("version")?,
            txid: txid(row, "txid")?,
            raw: row.get("raw")?,
        };
        Ok((version, made_at))
    })?;
    let mut found: Vec<Unconfirmed> = Vec::new();
    for row in rows {
        let (version, made_at) = row?;
        match found.last_mut() {
            Some(last) if last.id == version.sweep => last.versions.push(version),
            Some(_) | None => {
                let id = version.sweep;
                found.push(Unconfirmed { id, versions: vec![version], made_at });
            }
        }
    }
    Ok(found)
}

/// Whether the table of in-flight sweeps has exactly those that are neither abandoned nor
/// mined.
pub(crate) fn in_flight_are_kept(tx: &ReadTx) -> Result<bool, Error> {
    let sql = "WITH in_flight AS (
                   SELECT id FROM sweeps WHERE abandoned_at IS NULL AND NOT EXISTS
                       (SELECT 1 FROM sweep_txs WHERE sweep_id = sweeps.id
                        AND block_height IS NOT NULL))
               SELECT NOT EXISTS (SELECT id FROM in_flight
                                  EXCEPT SELECT sweep_id FROM in_flight_sweeps)
                  AND NOT EXISTS (SELECT sweep_id FROM in_flight_sweeps
                                  EXCEPT SELECT id FROM in_flight)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Recomputes the in-flight sweeps, after another program wrote to the database without the
/// triggers.
pub(crate) fn find_in_flight(tx: &WriteTx) -> Result<(), Error> {
    if in_flight_are_kept(tx)? {
        return Ok(());
    }
    tx.connection.execute("DELETE FROM in_flight_sweeps", [])?;
    let sql = "INSERT INTO in_flight_sweeps
               SELECT id FROM sweeps WHERE abandoned_at IS NULL AND NOT EXISTS
                   (SELECT 1 FROM sweep_txs WHERE sweep_id = sweeps.id
                    AND block_height IS NOT NULL)";
    tx.connection.execute(sql, [])?;
    tracing::warn!("in-flight sweep table was inconsistent; repaired");
    Ok(())
}

pub(crate) fn payouts_of(tx: &ReadTx, of: &StoredSweepTx) -> Result<Vec<Payout>, Error> {
    let sql = "SELECT merchant_id, script, gross, fee_share, operator_fee, amount FROM payouts
               WHERE sweep_id = ? AND version = ? ORDER BY merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![of.sweep, of.version], |row| {
        Ok(Payout {
            merchant: row.get("merchant_id")?,
            script: script(row, "script")?,
            gross: row.get("gross")?,
            fee_share: row.get("fee_share")?,
            operator_fee: row.get("operator_fee")?,
            amount: row.get("amount")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The versions created at or after a time, oldest first.
pub(crate) fn made_since(tx: &ReadTx, at: Timestamp) -> Result<Vec<SentSweep>, Error> {
    let sql = "SELECT sweep_id, version, txid, raw, fee, vsize,
                      (SELECT count(*) FROM coins WHERE coins.sweep_id = sweep_txs.sweep_id) AS coins
               FROM sweep_txs INDEXED BY sweep_txs_by_time
               WHERE created_at >= ? ORDER BY sweep_id, version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([at], |row| {
        let version = StoredSweepTx {
            sweep: row.get("sweep_id")?,
            version: row.get("version")?,
            txid: txid(row, "txid")?,
            raw: row.get("raw")?,
        };
        let vsize: i64 = row.get("vsize")?;
        let coins: i64 = row.get("coins")?;
        Ok((version, row.get("fee")?, vsize.unsigned_abs(), coins.unsigned_abs()))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (version, fee, vsize, coins) = row?;
        let payouts = payouts_of(tx, &version)?;
        let coins = usize::try_from(coins).unwrap_or(usize::MAX);
        found.push(SentSweep { txid: version.txid, fee, vsize, coins, payouts });
    }
    Ok(found)
}

/// Records when the node first accepted a version.
pub(crate) fn mark_sent(tx: &WriteTx, sent: &StoredSweepTx, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE sweep_txs SET sent_at = ? WHERE sweep_id = ? AND version = ?
               AND sent_at IS NULL";
    tx.connection.execute(sql, params![now, sent.sweep, sent.version])?;
    Ok(())
}

/// Records that a transaction is in a block, if it is a sweep. Returns whether it is.
pub(crate) fn confirm_in_block(tx: &WriteTx, txid: Txid, block: BlockId) -> Result<bool, Error> {
    let sql = "UPDATE sweep_txs SET block_height = ?, block_hash = ? WHERE txid = ?";
    let values = params![block.height, block_hash_bytes(&block.hash), txid_bytes(&txid)];
    Ok(tx.connection.prepare_cached(sql)?.execute(values)? > 0)
}

/// Unconfirms the sweeps of a block that left the best chain.
pub(crate) fn unconfirm_from_block(tx: &WriteTx, block: BlockId) -> Result<(), Error> {
    let sql = "UPDATE sweep_txs SET block_height = NULL, block_hash = NULL
               WHERE block_height = ? AND block_hash = ?";
    let values = params![block.height, block_hash_bytes(&block.hash)];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// The sweeps recorded as mined in this block.
pub(crate) fn mined_in(tx: &ReadTx, block: BlockId) -> Result<Vec<Txid>, Error> {
    let sql = "SELECT txid FROM sweep_txs WHERE block_height = ? AND block_hash = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let values = params![block.height, block_hash_bytes(&block.hash)];
    let rows = statement.query_map(values, |row| txid(row, "txid"))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The payouts that spent a payment's coins. A sweep counts with its confirmed version, else
/// with its newest.
pub(crate) fn payout_of_payment(
    tx: &ReadTx,
    index: DerivationIndex,
) -> Result<Vec<SentPayout>, Error> {
    let sql = "SELECT sweep_txs.txid, merchant_id, gross, fee_share, operator_fee, amount,
                      sweep_txs.created_at, sweep_txs.block_height
               FROM payouts JOIN sweep_txs USING (sweep_id, version)
               WHERE sweep_id IN
                     (SELECT sweep_id FROM coins WHERE derivation_index = ?1
                      UNION -- Given up, and mined after all.
                      SELECT mined.sweep_id FROM coins
                        JOIN sweep_txs AS mined ON mined.txid = spent_txid
                        WHERE derivation_index = ?1)
                 AND merchant_id =
                     (SELECT merchant_id FROM payments WHERE derivation_index = ?1)
                 AND version = coalesce(
                     (SELECT version FROM sweep_txs AS mined WHERE block_height IS NOT NULL
                       AND mined.sweep_id = payouts.sweep_id),
                     (SELECT max(version) FROM sweep_txs AS newest
                       WHERE newest.sweep_id = payouts.sweep_id))
               ORDER BY sweep_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([index], |row| {
        Ok(SentPayout {
            txid: txid(row, "txid")?,
            merchant: row.get("merchant_id")?,
            gross: row.get("gross")?,
            fee_share: row.get("fee_share")?,
            operator_fee: row.get("operator_fee")?,
            amount: row.get("amount")?,
            created_at: row.get("created_at")?,
            block_height: row.get("block_height")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests;
