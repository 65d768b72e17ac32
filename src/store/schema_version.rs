//! The numbered migration scripts. A script's position is its version; released scripts never
//! change.

use rusqlite::Connection;

use super::error::Error;

/// Append only. `tests/it/tidy.rs` compares released scripts with their recorded hashes.
const SCRIPTS: [&str; 4] = [
    include_str!("migrations/0001_schema.sql"),
    include_str!("migrations/0002_reports.sql"),
    include_str!("migrations/0003_rates.sql"),
    include_str!("migrations/0004_payment_terms.sql"),
];

/// The schema version of this binary.
pub(crate) fn known_version() -> u32 {
    u32::try_from(SCRIPTS.len()).expect("there are fewer than 2^32 migrations")
}

/// Whether the database has an older schema than this binary.
pub(super) fn are_due(connection: &Connection) -> Result<bool, Error> {
    Ok(version_of(connection)? < known_version())
}

/// Creates the schema of a version in an empty database.
pub(super) fn apply_scripts(connection: &Connection, version: u32) -> Result<(), Error> {
    (0..version).try_for_each(|from| apply_script(connection, from))
}

/// Migrates a database of this version to the next.
pub(super) fn apply_script(connection: &Connection, from: u32) -> Result<(), Error> {
    let script = usize::try_from(from).ok().and_then(|at| SCRIPTS.get(at));
    let script = script.ok_or(Error::Newer { found: from, known: known_version() })?;
    connection.execute_batch(script)?;
    Ok(connection.pragma_update(None, "user_version", from + 1)?)
}

/// The suffix of the copy from before an upgrade.
pub(super) fn kept_suffix(version: u32) -> String {
    format!(".before-v{version}")
}

pub(super) fn version_of(connection: &Connection) -> Result<u32, Error> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::role_status::RoleReport;

    /// Neither notifications nor audit-log entries of before the upgrade are sent again.
    #[test]
    fn reports_keep_the_positions_of_the_notes_before() {
        let connection = Connection::open_in_memory().expect("in memory");
        apply_scripts(&connection, 1).expect("our own scripts");
        let rows = "INSERT INTO role_status (role, at, note) VALUES
                        ('notifications', 9, '1796078814843'), ('watcher', 9, 'height 5 (zmq)'),
                        ('discord_trail', 9, '7 12'), ('discord_trail_merchants', 9, '8')";
        connection.execute_batch(rows).expect("written");
        apply_script(&connection, 1).expect("our own script");
        let report = |role: &str| -> Option<RoleReport> {
            let sql = "SELECT report FROM role_status WHERE role = ?";
            let report: Option<String> =
                connection.query_row(sql, [role], |row| row.get(0)).expect(role);
            report.map(|report| serde_json::from_str(&report).expect("a report"))
        };
        assert_eq!(report("notifications"), Some(RoleReport::Since { ms: 1_796_078_814_843 }));
        let operator = RoleReport::Posted { row: 7, begun: Some(12) };
        assert_eq!(report("audit_log_of_operator"), Some(operator));
        let merchants = RoleReport::Posted { row: 8, begun: None };
        assert_eq!(report("audit_log_of_merchants"), Some(merchants));
        assert_eq!(report("watcher"), None);
    }
}
