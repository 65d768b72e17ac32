//! The numbered migration scripts. A script's position is its version; released scripts never
//! change.

use rusqlite::Connection;

use super::error::Error;

/// Append only. `tests/it/tidy.rs` compares released scripts with their recorded hashes.
const SCRIPTS: [&str; 2] =
    [include_str!("migrations/0001_schema.sql"), include_str!("migrations/0002_reports.sql")];

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
