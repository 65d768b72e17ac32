//! Requests to the sweeper, which may be another process, to sweep now.

use rusqlite::params;

use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

pub(crate) fn add(tx: &WriteTx, by: &str, at: Timestamp) -> Result<(), Error> {
    tx.connection.execute("INSERT INTO sweep_requests (at, by) VALUES (?, ?)", params![at, by])?;
    Ok(())
}

pub(crate) fn newest(tx: &ReadTx) -> Result<Option<i64>, Error> {
    let sql = "SELECT max(id) FROM sweep_requests";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
