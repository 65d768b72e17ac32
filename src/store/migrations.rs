//! Upgrades of the database to the newest schema.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::crash;

use super::error::Error;
use super::schema_version::{apply_script, kept_suffix, known_version, version_of};
use super::upgrade_copy::UpgradeCopy;

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
        before = Some(UpgradeCopy::copy(path, &kept_suffix(known))?);
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
