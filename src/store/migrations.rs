//! Numbered schema changes. A script's position is its version; old scripts never change.

use rusqlite::Connection;

use super::Error;

/// Append only. `tests/it/tidy.rs` compares the old ones with their recorded hashes.
const SCRIPTS: [&str; 4] = [
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_keys_and_places.sql"),
    include_str!("migrations/0003_pages.sql"),
    include_str!("migrations/0004_ways_of_notices.sql"),
];

/// The schema that this binary works with.
pub(crate) fn known_version() -> u32 {
    u32::try_from(SCRIPTS.len()).expect("there are fewer than 2^32 migrations")
}

/// Brings the database to the schema of this binary, in one transaction for each step.
pub(super) fn run(connection: &mut Connection) -> Result<(), Error> {
    let known = known_version();
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(Error::Newer { found, known });
    }
    for version in found..known {
        let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // Another process may have migrated while we waited for the lock.
        let now: u32 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if now == version {
            tx.execute_batch(SCRIPTS[version as usize])?;
            tx.pragma_update(None, "user_version", version + 1)?;
        }
        tx.commit()?;
    }
    Ok(())
}
