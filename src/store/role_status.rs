//! Status of each role: last success, its report, and its current trouble. The
//! checkout shows "delayed" by it, even if the watcher is another process.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;
use crate::view::role_status::{Role, RoleReport};

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The last status that a role recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleStatus {
    /// Last success; `None` if there was none.
    pub(crate) at: Option<Timestamp>,
    pub(crate) report: Option<RoleReport>,
    /// What has prevented its work since then, for the operator.
    pub(crate) trouble: Option<String>,
}

/// Records a success, and clears the trouble.
pub(crate) fn record(
    tx: &WriteTx,
    role: Role,
    at: Timestamp,
    report: &RoleReport,
) -> Result<(), Error> {
    let report = serde_json::to_string(report)
        .map_err(|error| Error::Impossible(format!("report of {}: {error}", role.as_str())))?;
    let sql = "INSERT INTO role_status (role, at, report) VALUES (?, ?, ?)
               ON CONFLICT (role)
               DO UPDATE SET at = excluded.at, report = excluded.report, trouble = NULL";
    tx.connection.prepare_cached(sql)?.execute(params![role.as_str(), at, report])?;
    Ok(())
}

/// Records what prevents a role's work.
pub(crate) fn record_trouble(tx: &WriteTx, role: Role, trouble: &str) -> Result<(), Error> {
    let sql = "INSERT INTO role_status (role, trouble) VALUES (?, ?)
               ON CONFLICT (role) DO UPDATE SET trouble = excluded.trouble";
    tx.connection.prepare_cached(sql)?.execute(params![role.as_str(), trouble])?;
    Ok(())
}

/// The last recorded status of a role. A report that cannot be read counts as absent.
pub(crate) fn of_role(tx: &ReadTx, role: Role) -> Result<Option<RoleStatus>, Error> {
    let sql = "SELECT at, report, trouble FROM role_status WHERE role = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let row = statement.query_row([role.as_str()], |row| {
        let report: Option<String> = row.get("report")?;
        Ok(RoleStatus {
            at: row.get("at")?,
            report: report.and_then(|report| serde_json::from_str(&report).ok()),
            trouble: row.get("trouble")?,
        })
    });
    Ok(row.optional()?)
}

/// Writes a row under any name: for tests of the writer, which need a row and no role.
#[cfg(test)]
pub(super) fn note(tx: &WriteTx, name: &str) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO role_status (role, at) VALUES (?, 1)";
    tx.connection.prepare_cached(sql)?.execute([name])?;
    Ok(())
}

/// Whether [`note`] wrote a row under this name.
#[cfg(test)]
pub(super) fn is_noted(tx: &ReadTx, name: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM role_status WHERE role = ?)";
    Ok(tx.connection.query_row(sql, [name], |row| row.get(0))?)
}
