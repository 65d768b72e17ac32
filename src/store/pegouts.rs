//! Peg-outs to us: one row each, however often a reorganisation or another transaction moves
//! them.
//!
//! All coins of one peg-out (its announcement in the mempool, outputs of HogEx transactions)
//! have its sequence number. At most one of them counts at a time, which an index enforces.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, Txid};
use rusqlite::types::Value;
use rusqlite::vtab::array::Array;
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::event_kind::Cause;
use crate::domain::keys::DerivationIndex;
use crate::domain::payment::{CausedCoin, Coin, Place};
use crate::domain::pegout::{KernelId, PegoutId, Sequence};
use crate::domain::time::Timestamp;

use super::authenticated;
use super::coins::{self, COLUMNS};
use super::columns::{blobs, outpoint, txid_bytes};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// A peg-out that was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) sequence: Sequence,
    /// `None` if the node did not report its kernel.
    pub(crate) id: Option<PegoutId>,
    /// Any of its coins: all have the same payment and amount.
    pub(crate) coin: Coin,
    pub(crate) first_seen: Timestamp,
    pub(crate) counting: Option<Coin>,
}

/// The peg-outs of these kernels, in sequence.
pub(crate) fn of_kernels(
    tx: &ReadTx,
    kernels: impl Iterator<Item = KernelId>,
) -> Result<Vec<Known>, Error> {
    let kernels: BTreeSet<[u8; 32]> = kernels.map(|kernel| *kernel.as_bytes()).collect();
    let sql = format!(
        "SELECT sequence, kernel_id, position, {COLUMNS}
         FROM rarray(?) CROSS JOIN pegouts ON kernel_id = value
         CROSS JOIN coins ON pegout = sequence"
    );
    load(tx, &sql, blobs(kernels))
}

/// The peg-outs with these sequence numbers.
pub(crate) fn of_sequences(
    tx: &ReadTx,
    sequences: impl Iterator<Item = Sequence>,
) -> Result<Vec<Known>, Error> {
    let sequences: BTreeSet<i64> = sequences.map(Sequence::get).collect();
    let sequences: Vec<Value> = sequences.into_iter().map(Value::from).collect();
    let sql = format!(
        "SELECT sequence, kernel_id, position, {COLUMNS}
         FROM rarray(?) CROSS JOIN pegouts ON sequence = value
         CROSS JOIN coins ON pegout = sequence"
    );
    load(tx, &sql, sequences.into())
}

/// All coins of a payment with their causes, in the order in which they were first seen. The
/// cause of a peg-out is its kernel, or its announcement if the node did not report the kernel.
pub(crate) fn coins_with_causes(
    tx: &ReadTx,
    index: DerivationIndex,
) -> Result<Vec<CausedCoin>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, kernel_id, position, announced_txid
         FROM coins LEFT JOIN pegouts ON sequence = pegout
         WHERE derivation_index = ? ORDER BY seen_at, txid, vout"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([index], |row| {
        let announced: Option<[u8; 32]> = row.get("announced_txid")?;
        let id = id(row)?;
        Ok(coins::from_row(tx, row)?.map(|coin| {
            let txid = announced.map_or(coin.outpoint.txid, Txid::from_byte_array);
            CausedCoin { coin, cause: id.map_or(Cause::Transaction(txid), Cause::Pegout) }
        }))
    })?;
    authenticated::trusted(rows)
}

/// The peg-outs of these payments that are announced and not mined, in sequence.
pub(crate) fn unmined(
    tx: &ReadTx,
    payments: impl Iterator<Item = DerivationIndex>,
) -> Result<Vec<Known>, Error> {
    let payments: BTreeSet<u32> = payments.map(DerivationIndex::get).collect();
    let payments: Vec<Value> = payments.into_iter().map(Value::from).collect();
    let sql = format!(
        "SELECT sequence, kernel_id, position, {COLUMNS}
         FROM rarray(?) CROSS JOIN coins INDEXED BY coins_of_unmined_pegouts
             ON derivation_index = value AND place = 'mempool' AND pegout IS NOT NULL
         CROSS JOIN pegouts ON sequence = pegout"
    );
    load(tx, &sql, payments.into())
}

/// Collects the rows of a query, one per coin.
fn load(tx: &ReadTx, sql: &str, bound: Array) -> Result<Vec<Known>, Error> {
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query([bound])?;
    let mut found: BTreeMap<Sequence, Known> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (sequence, id, coin) = (row.get("sequence")?, id(row)?, coins::from_row(tx, row)??);
        let (first_seen, counting) = (coin.seen_at, None);
        let known = Known { sequence, id, coin: coin.clone(), first_seen, counting };
        let known = found.entry(sequence).or_insert(known);
        known.first_seen = known.first_seen.min(coin.seen_at);
        known.counting = known.counting.take().or(Some(coin).filter(Coin::counts));
    }
    Ok(found.into_values().collect())
}

fn id(row: &Row) -> rusqlite::Result<Option<PegoutId>> {
    let kernel: Option<[u8; 32]> = row.get("kernel_id")?;
    let position: Option<u32> = row.get("position")?;
    let id = kernel.zip(position);
    Ok(id.map(|(kernel, position)| PegoutId { kernel: KernelId::from_bytes(kernel), position }))
}

/// Adds a new peg-out. `announced` is its coin in the mempool, if it was seen there first.
pub(crate) fn insert(
    tx: &WriteTx,
    id: Option<PegoutId>,
    announced: Option<OutPoint>,
) -> Result<Sequence, Error> {
    let sql = "INSERT INTO pegouts (kernel_id, position, announced_txid, announced_vout)
               VALUES (?, ?, ?, ?)";
    tx.connection.prepare_cached(sql)?.execute(params![
        id.map(|id| *id.kernel.as_bytes()),
        id.map(|id| id.position),
        announced.map(|at| txid_bytes(&at.txid)),
        announced.map(|at| at.vout),
    ])?;
    Ok(Sequence::from_row(tx.connection.last_insert_rowid()))
}

/// Records the kernel of a peg-out whose kernel was unknown.
pub(crate) fn identify(tx: &WriteTx, sequence: Sequence, id: PegoutId) -> Result<(), Error> {
    let sql = "UPDATE pegouts SET kernel_id = ?, position = ?
               WHERE sequence = ? AND kernel_id IS NULL";
    let mut statement = tx.connection.prepare_cached(sql)?;
    statement.execute(params![*id.kernel.as_bytes(), id.position, sequence])?;
    Ok(())
}

/// Records the coin under which a peg-out is now in the mempool.
pub(crate) fn announce(tx: &WriteTx, sequence: Sequence, at: OutPoint) -> Result<(), Error> {
    let sql = "UPDATE pegouts SET announced_txid = ?1, announced_vout = ?2
               WHERE sequence = ?3 AND (announced_txid, announced_vout) IS NOT (?1, ?2)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    statement.execute(params![txid_bytes(&at.txid), at.vout, sequence])?;
    Ok(())
}

/// Makes a coin a separate peg-out.
pub(crate) fn separate(tx: &WriteTx, at: OutPoint) -> Result<(), Error> {
    let sequence = insert(tx, None, None)?;
    coins::set_pegout(tx, at, sequence)
}

/// Removes an output of a HogEx from the chain. Its announcement, if any, counts again, until
/// the next comparison with the mempool.
pub(crate) fn unmine(tx: &WriteTx, at: OutPoint) -> Result<(), Error> {
    coins::move_to(tx, at, Place::Removed)?;
    let sql = "SELECT coins.txid, coins.vout FROM coins AS mined
               CROSS JOIN pegouts ON sequence = mined.pegout
               CROSS JOIN coins ON coins.txid = announced_txid AND coins.vout = announced_vout
               WHERE mined.txid = ? AND mined.vout = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let announced = statement.query_row(params![txid_bytes(&at.txid), at.vout], outpoint);
    match announced.optional()? {
        Some(announced) => coins::move_to(tx, announced, Place::Mempool),
        None => Ok(()),
    }
}
