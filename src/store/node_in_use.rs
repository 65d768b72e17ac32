//! The followed node. The watcher records it; the other roles read it.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The name of the followed node; `None` before the first.
pub(crate) fn get(tx: &ReadTx) -> Result<Option<String>, Error> {
    let sql = "SELECT name FROM node_in_use";
    let row = tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok(row.optional()?)
}

/// Records that this node is followed, and returns since when. The first node counts as
/// followed since 1970: nothing can have been seen at another one. (A coin first seen in a
/// block is dated by that block, which may be older than our start.)
pub(crate) fn follow(tx: &WriteTx, name: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let sql = "INSERT INTO node_in_use (id, name, since) VALUES (1, ?1, 0)
               ON CONFLICT (id)
               DO UPDATE SET name = excluded.name, since = ?2, compared_at = NULL
               WHERE name <> excluded.name";
    tx.connection.execute(sql, params![name, now])?;
    let sql = "SELECT since FROM node_in_use";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0))?)
}

/// When the followed node's whole mempool was last compared, if that was recorded.
pub(crate) fn compared_at(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT compared_at FROM node_in_use";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten())
}

/// Records the time of that comparison.
pub(crate) fn record_compared(tx: &WriteTx, at: Timestamp) -> Result<(), Error> {
    tx.connection.prepare_cached("UPDATE node_in_use SET compared_at = ?")?.execute([at])?;
    Ok(())
}
