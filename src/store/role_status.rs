//! Status of each role: last success and current trouble. The checkout shows "delayed" by it,
//! even if the watcher is another process.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The watcher's name among the roles.
pub(crate) const WATCHER: &str = "watcher";

/// The last status that a role recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleStatus {
    /// Last success; `None` if there was none.
    pub(crate) at: Option<Timestamp>,
    /// A word for people, such as the notification mode.
    pub(crate) note: String,
    /// What has prevented its work since then, for the operator.
    pub(crate) trouble: Option<String>,
}

/// Records a success, and clears the trouble.
pub(crate) fn record(tx: &WriteTx, role: &str, at: Timestamp, note: &str) -> Result<(), Error> {
    let sql = "INSERT INTO role_status (role, at, note) VALUES (?, ?, ?)
               ON CONFLICT (role)
               DO UPDATE SET at = excluded.at, note = excluded.note, trouble = NULL";
    tx.connection.prepare_cached(sql)?.execute(params![role, at, note])?;
    Ok(())
}

/// Records what prevents a role's work.
pub(crate) fn record_trouble(tx: &WriteTx, role: &str, trouble: &str) -> Result<(), Error> {
    let sql = "INSERT INTO role_status (role, trouble) VALUES (?, ?)
               ON CONFLICT (role) DO UPDATE SET trouble = excluded.trouble";
    tx.connection.prepare_cached(sql)?.execute(params![role, trouble])?;
    Ok(())
}

/// The last recorded status of a role.
pub(crate) fn of_role(tx: &ReadTx, role: &str) -> Result<Option<RoleStatus>, Error> {
    let sql = "SELECT at, note, trouble FROM role_status WHERE role = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let row = statement.query_row([role], |row| {
        Ok(RoleStatus { at: row.get("at")?, note: row.get("note")?, trouble: row.get("trouble")? })
    });
    Ok(row.optional()?)
}
