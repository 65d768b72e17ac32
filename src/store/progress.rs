//! When each role last did its whole work. The page says "delayed" by it, also where the watcher
//! runs in another process.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::{Error, ReadTx, WriteTx};

/// What a role last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) at: Timestamp,
    /// A word for people, such as the way in which blocks are noticed.
    pub(crate) note: String,
}

/// Records that the role is up to date now.
pub(crate) fn record(tx: &WriteTx, role: &str, progress: &Progress) -> Result<(), Error> {
    let sql = "INSERT INTO progress (role, at, note) VALUES (?, ?, ?)
               ON CONFLICT (role) DO UPDATE SET at = excluded.at, note = excluded.note";
    tx.connection.prepare_cached(sql)?.execute(params![role, progress.at, progress.note])?;
    Ok(())
}

/// What the role last recorded.
pub(crate) fn of_role(tx: &ReadTx, role: &str) -> Result<Option<Progress>, Error> {
    let mut statement =
        tx.connection.prepare_cached("SELECT at, note FROM progress WHERE role = ?")?;
    let row = statement
        .query_row([role], |row| Ok(Progress { at: row.get("at")?, note: row.get("note")? }));
    Ok(row.optional()?)
}
