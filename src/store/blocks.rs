//! The followed chain: one block per height, from the first to our tip.

use rusqlite::{OptionalExtension, params};

use crate::domain::chain::BlockId;
use crate::domain::time::Timestamp;

use super::columns::{block_hash, block_hash_bytes};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// Our tip; `None` before the first block was connected.
pub(crate) fn tip(tx: &ReadTx) -> Result<Option<BlockId>, Error> {
    let sql = "SELECT height, hash FROM blocks ORDER BY height DESC LIMIT 1";
    let row = tx.connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(BlockId { height: row.get("height")?, hash: block_hash(row, "hash")? })
    });
    Ok(row.optional()?)
}

/// The followed block at this height, if any.
pub(crate) fn at_height(tx: &ReadTx, height: u32) -> Result<Option<BlockId>, Error> {
    let sql = "SELECT height, hash FROM blocks WHERE height = ?";
    let row = tx.connection.prepare_cached(sql)?.query_row([height], |row| {
        Ok(BlockId { height: row.get("height")?, hash: block_hash(row, "hash")? })
    });
    Ok(row.optional()?)
}

pub(crate) fn first(tx: &ReadTx) -> Result<Option<BlockId>, Error> {
    let sql = "SELECT height, hash FROM blocks ORDER BY height LIMIT 1";
    let row = tx.connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(BlockId { height: row.get("height")?, hash: block_hash(row, "hash")? })
    });
    Ok(row.optional()?)
}

/// The height of the newest block whose time is not after `time`.
pub(crate) fn height_before(tx: &ReadTx, time: Timestamp) -> Result<Option<u32>, Error> {
    let sql = "SELECT height FROM blocks WHERE time <= ? ORDER BY height DESC LIMIT 1";
    Ok(tx.connection.query_row(sql, [time], |row| row.get(0)).optional()?)
}

/// How many of the newest blocks have a time after `since`, counted up to `limit`.
pub(crate) fn newer_than(tx: &ReadTx, since: Timestamp, limit: u32) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM (SELECT time FROM blocks ORDER BY height DESC LIMIT ?2)
               WHERE time > ?1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![since, limit], |row| row.get(0))?)
}

/// Adds a block on our tip. The caller has checked that its parent is our tip.
pub(crate) fn insert(tx: &WriteTx, block: BlockId, time: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO blocks (height, hash, time) VALUES (?, ?, ?)";
    let hash = block_hash_bytes(&block.hash);
    tx.connection.prepare_cached(sql)?.execute(params![block.height, hash, time])?;
    Ok(())
}

/// Removes the tip. An error means that `block` was not the tip: a bug.
pub(crate) fn remove_tip(tx: &WriteTx, block: BlockId) -> Result<(), Error> {
    let sql = "DELETE FROM blocks WHERE height = ?1 AND hash = ?2
               AND height = (SELECT max(height) FROM blocks)";
    let hash = block_hash_bytes(&block.hash);
    match tx.connection.execute(sql, params![block.height, hash])? {
        1 => Ok(()),
        _ => Err(Error::Impossible(format!("block {} is not the tip", block.hash))),
    }
}
