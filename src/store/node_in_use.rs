//! Which of several nodes is followed. The watcher says it; all other roles ask for it.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::{Error, ReadTx, WriteTx};

/// The name of the node that is followed; `None` before the first was.
pub(crate) fn get(tx: &ReadTx) -> Result<Option<String>, Error> {
    let sql = "SELECT name FROM node_in_use";
    let row = tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
    Ok(row.optional()?)
}

/// Says that this node is followed from now on, and answers since when it has been. Before the
/// first there was no other: it has been from the beginning (1970), and nothing that was seen can
/// be another node's. (A coin first seen in a block is dated by that block, which may be from
/// before our start.)
pub(crate) fn follow(tx: &WriteTx, name: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let sql = "INSERT INTO node_in_use (id, name, since) VALUES (1, ?1, 0)
               ON CONFLICT (id)
               DO UPDATE SET name = excluded.name, since = ?2, compared_at = NULL
               WHERE name <> excluded.name";
    tx.connection.execute(sql, params![name, now])?;
    let sql = "SELECT since FROM node_in_use";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0))?)
}

/// When the whole mempool of the node that is followed was last compared, as far as that was
/// recorded.
pub(crate) fn compared_at(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT compared_at FROM node_in_use";
    Ok(tx.connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten())
}

/// Records when it was.
pub(crate) fn record_compared(tx: &WriteTx, at: Timestamp) -> Result<(), Error> {
    tx.connection.prepare_cached("UPDATE node_in_use SET compared_at = ?")?.execute([at])?;
    Ok(())
}
