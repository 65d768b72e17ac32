//! Numbered schema migrations. A script's position is its version; released scripts never
//! change.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::crash;

use super::{Error, backup};

/// Append only. `tests/it/tidy.rs` compares released scripts with their recorded hashes.
const SCRIPTS: [&str; 1] = [include_str!("migrations/0001_schema.sql")];

/// The schema version of this binary.
pub(crate) fn known_version() -> u32 {
    u32::try_from(SCRIPTS.len()).expect("there are fewer than 2^32 migrations")
}

/// Whether the database has an older schema than this binary.
pub(super) fn are_due(connection: &Connection) -> Result<bool, Error> {
    Ok(version_of(connection)? < known_version())
}

/// Migrates the database to the schema of this binary, in one transaction: a kill leaves the
/// old schema or the new one. The old database is kept as `litegate.db.before-vN`, which an
/// older binary can use; only once nothing but the commit can fail, so that repeated failures
/// do not fill the disk.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let known = known_version();
    if version_of(connection)? == known {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have migrated while we waited for the lock.
    let found = version_of(&tx)?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    let mut before = None;
    if (1..known).contains(&found) {
        tracing::info!(from = found, to = known, "migrating the database schema");
        before = Some(backup::Before::copy(path, &kept_suffix(known))?);
        crash::point("upgrade-copied");
    }
    for version in found..known {
        apply_script(&tx, version)?;
        crash::point("upgrade-step");
    }
    if let Some(before) = before {
        before.keep()?;
        crash::point("upgrade-kept");
    }
    tx.commit()?;
    crash::point("upgrade-done");
    Ok(())
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

fn version_of(connection: &Connection) -> Result<u32, Error> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}
