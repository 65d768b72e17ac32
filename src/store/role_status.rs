//! When each role last did its whole work. The page says "delayed" by it, also where the watcher
//! runs in another process.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::{Error, ReadTx, WriteTx};

/// The watcher's name among the roles.
pub(crate) const WATCHER: &str = "watcher";

/// What a role last said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleStatus {
    /// When it had last done its whole work; `None` if never.
    pub(crate) at: Option<Timestamp>,
    /// A word for people, such as the way in which blocks are noticed.
    pub(crate) note: String,
    /// What has kept it from its work since, in words for the operator.
    pub(crate) trouble: Option<String>,
}

/// Records that the role is up to date now, and nothing troubles it.
pub(crate) fn record(tx: &WriteTx, role: &str, at: Timestamp, note: &str) -> Result<(), Error> {
    let sql = "INSERT INTO role_status (role, at, note) VALUES (?, ?, ?)
               ON CONFLICT (role)
               DO UPDATE SET at = excluded.at, note = excluded.note, trouble = NULL";
    tx.connection.prepare_cached(sql)?.execute(params![role, at, note])?;
    Ok(())
}

/// Records what keeps a role from its work.
pub(crate) fn record_trouble(tx: &WriteTx, role: &str, trouble: &str) -> Result<(), Error> {
    let sql = "INSERT INTO role_status (role, trouble) VALUES (?, ?)
               ON CONFLICT (role) DO UPDATE SET trouble = excluded.trouble";
    tx.connection.prepare_cached(sql)?.execute(params![role, trouble])?;
    Ok(())
}

/// What the role last recorded.
pub(crate) fn of_role(tx: &ReadTx, role: &str) -> Result<Option<RoleStatus>, Error> {
    let sql = "SELECT at, note, trouble FROM role_status WHERE role = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let row = statement.query_row([role], |row| {
        Ok(RoleStatus { at: row.get("at")?, note: row.get("note")?, trouble: row.get("trouble")? })
    });
    Ok(row.optional()?)
}
