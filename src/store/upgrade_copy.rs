//! The copy of the database from before an upgrade.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};

use crate::safe_file::with_suffix;

use super::connect::{READ_ONLY, READ_WRITE, connect};
use super::error::Error;
use super::scratch::{Failed, Scratch};

/// The database from before an upgrade, under a temporary name. It is removed unless it is
/// kept.
pub(super) struct UpgradeCopy {
    part: Scratch,
    named: PathBuf,
}

impl UpgradeCopy {
    /// Copies the last committed state of the database. The caller holds the write lock.
    pub(super) fn copy(database: &Path, suffix: &str) -> Result<UpgradeCopy, Error> {
        let named = with_suffix(database, suffix);
        let part = Scratch::beside(&named, "part").map_err(not_kept)?;
        // SQLite cannot copy from the connection that holds the lock.
        let source = connect(database, READ_ONLY)?;
        let mut copy = connect(part.path(), READ_WRITE)?;
        copy.pragma_update(None, "synchronous", "OFF")?; // flushed as a whole
        if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(Error::Busy);
        }
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(UpgradeCopy { part, named })
    }

    /// Keeps the flushed copy beside those of earlier upgrades.
    pub(super) fn keep(self) -> Result<(), Error> {
        let further = (2..).map(|n: u64| with_suffix(&self.named, &format!("-{n}")));
        let mut names = std::iter::once(self.named.clone()).chain(further);
        let free = names.find(|name| !name.exists()).unwrap_or(self.named);
        self.part.take_place_of(&free).map_err(not_kept)
    }
}

fn not_kept(failed: Failed) -> Error {
    match failed {
        Failed::Store(error) => error,
        Failed::File { source, .. } if source.kind() == ErrorKind::StorageFull => Error::Full,
        Failed::File { .. } | Failed::Exists(_) | Failed::Unfit { .. } => {
            Error::Impossible(format!("cannot copy the database before the upgrade: {failed}"))
        }
    }
}
