//! Abandoned sweeps, decided by facts of the chain alone, and reuse of their transactions.

use bitcoin::Txid;
use rusqlite::params;

use crate::domain::time::Timestamp;
use crate::store::columns::txid_bytes;
use crate::store::error::Error;
use crate::store::tx::{ReadTx, WriteTx};

/// Abandons the sweeps that the chain has made impossible: another transaction, at least
/// `depth` blocks deep, spent one of their coins. Their other coins can be swept again. Only
/// facts of the chain decide, never a node's error text.
///
/// Returns the ids of the sweeps, and whether a foreign transaction was the cause.
pub(crate) fn abandon_impossible(
    tx: &WriteTx,
    tip_height: u32,
    depth: u32,
    now: Timestamp,
) -> Result<Vec<(i64, bool)>, Error> {
    let sql = "SELECT sweep_id, max(spent_txid NOT IN (SELECT txid FROM sweep_txs))
               FROM in_flight_sweeps CROSS JOIN coins USING (sweep_id)
               WHERE spent_txid IS NOT NULL AND ?1 - spent_height + 1 >= ?2
                 AND spent_txid NOT IN
                     (SELECT txid FROM sweep_txs WHERE sweep_txs.sweep_id = coins.sweep_id)
               GROUP BY sweep_id";
    let found: Vec<(i64, bool)> = {
        let mut statement = tx.connection.prepare_cached(sql)?;
        let rows = statement
            .query_map(params![tip_height, depth], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    for (sweep, _) in &found {
        abandon(tx, *sweep, now)?;
    }
    Ok(found)
}

/// The in-flight sweeps with a removed coin: its transaction is neither on the best chain nor
/// in the mempool, so no version can be mined at present. No spend of such a coin can be
/// observed.
pub(crate) fn with_vanished_coin(tx: &ReadTx) -> Result<Vec<i64>, Error> {
    let sql = "SELECT DISTINCT sweep_id FROM in_flight_sweeps CROSS JOIN coins USING (sweep_id)
               WHERE place = 'removed' ORDER BY sweep_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Abandons those of these sweeps that still have a removed coin. Their other coins can be
/// swept again: a later sweep spends them too, so that at most one of the two is ever mined,
/// even if a reorganisation restores the coin.
///
/// Returns the ids of the sweeps.
pub(crate) fn abandon_vanished(
    tx: &WriteTx,
    sweeps: &[i64],
    now: Timestamp,
) -> Result<Vec<i64>, Error> {
    let mut found = with_vanished_coin(tx)?;
    found.retain(|sweep| sweeps.contains(sweep));
    for sweep in &found {
        abandon(tx, *sweep, now)?;
    }
    Ok(found)
}

fn abandon(tx: &WriteTx, sweep: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE sweeps SET abandoned_at = ? WHERE id = ?";
    tx.connection.execute(sql, params![now, sweep])?;
    tx.connection.execute("UPDATE coins SET sweep_id = NULL WHERE sweep_id = ?", [sweep])?;
    Ok(())
}

/// Deletes a transaction of an abandoned sweep, so that another sweep may create it: after a
/// reorganisation restores a coin, the same coins, payees and fee give the same transaction. A
/// mined one stays: its coins are spent, so no plan can contain them.
pub(super) fn release(tx: &WriteTx, txid: Txid) -> Result<(), Error> {
    let held = "SELECT sweep_id, version FROM sweep_txs JOIN sweeps ON sweeps.id = sweep_id
                WHERE txid = ? AND block_height IS NULL AND abandoned_at IS NOT NULL";
    for table in ["payouts", "sweep_txs"] {
        let sql = format!("DELETE FROM {table} WHERE (sweep_id, version) IN ({held})");
        tx.connection.prepare_cached(&sql)?.execute([txid_bytes(&txid)])?;
    }
    Ok(())
}
