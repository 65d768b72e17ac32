//! The high-water mark: a small file outside of the database with the next derivation index.
//! After an old copy of the database is restored, the mark prevents that an address is issued
//! again.
//!
//! It is written before the commit that issues an index, and not flushed: it must survive the
//! loss of the database, not a power failure, which the database survives. Its format is one
//! line: the next index in ten digits, a space, and the fingerprint of the account key.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::domain::keys::DerivationIndex;
use crate::safe_file;

use super::error::Error;

/// Indexes skipped when a database with payments has no mark.
pub(crate) const UNMARKED_GAP: u32 = 10_000;

/// Maximum size of the mark, in bytes.
const FILE_BYTES_MAX: u64 = 256;

/// The default path of the mark.
pub(crate) fn beside(database: &Path) -> PathBuf {
    safe_file::with_suffix(database, ".high-water")
}

/// The content of the mark when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// All smaller indexes may have been issued.
    Next(DerivationIndex),
    /// There was no mark, or one of another key.
    Nothing,
}

/// The mark of one database. Not written before [`HighWater::open`].
#[derive(Debug)]
pub(super) struct HighWater {
    path: PathBuf,
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    file: File,
    next: u32,
}

impl HighWater {
    pub(super) fn at(path: &Path) -> HighWater {
        HighWater { path: path.to_owned(), open: Mutex::new(None) }
    }

    /// Opens and reads the mark; `owner` is the fingerprint of the key.
    ///
    /// # Errors
    /// If it cannot be read, or is not a mark.
    pub(super) fn open(&self, owner: &str) -> Result<Found, Error> {
        let failed = |error| Error::of_file(&self.path)(error);
        let found = match safe_file::open_own_to_read(&self.path).map_err(failed)? {
            Some(file) => {
                let mut text = String::new();
                file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
                self.parse(&text, owner)?
            }
            None => Found::Nothing,
        };
        let next = match found {
            Found::Next(index) => index.get(),
            Found::Nothing => 0,
        };
        let make = || {
            let (file, _) = safe_file::open_own(&self.path)?;
            if found == Found::Nothing {
                file.set_len(0)?;
                file.write_all_at(format!("{next:010} {owner}\n").as_bytes(), 0)?;
                file.sync_all()?;
            }
            Ok(file)
        };
        let file = make().map_err(failed)?;
        *self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(Open { file, next });
        Ok(found)
    }

    /// Records that `index` may have been issued.
    pub(super) fn bump_over(&self, index: DerivationIndex) -> Result<(), Error> {
        let mut slot = self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some(open) = slot.as_mut() else { return Ok(()) };
        let next = index.get().saturating_add(1);
        if next > open.next {
            let digits = format!("{next:010}");
            let written = open.file.write_all_at(digits.as_bytes(), 0);
            written.map_err(Error::of_file(&self.path))?;
            open.next = next;
        }
        Ok(())
    }

    /// The error for a mark more than `most` above the database's next index.
    pub(super) fn implausible(
        &self,
        mark: DerivationIndex,
        next: DerivationIndex,
        most: u32,
    ) -> Error {
        Error::Impossible(format!(
            "{} says that the next index is {}, the database says {}, and at most {most} addresses can have been issued since the database was last in use: if the file was damaged, remove it, and {UNMARKED_GAP} indexes are skipped; if it is right, restore a newer backup",
            self.path.display(),
            mark.get(),
            next.get(),
        ))
    }

    fn parse(&self, text: &str, owner: &str) -> Result<Found, Error> {
        let read = || {
            let (next, key) = text.strip_suffix('\n')?.split_once(' ')?;
            let next = DerivationIndex::new(next.parse().ok()?)?;
            Some(if key == owner { Found::Next(next) } else { Found::Nothing })
        };
        read().ok_or_else(|| {
            Error::Impossible(format!(
                "{} is not a high-water mark; without the file, {UNMARKED_GAP} indexes are skipped",
                self.path.display()
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_high_water_mark_survives_a_restart_and_never_falls() {
        let dir = tempfile::tempdir().expect("a folder");
        let database = dir.path().join("litegate.db");
        let index = |n| DerivationIndex::new(n).expect("small");
        let mark = HighWater::at(&beside(&database));
        assert_eq!(mark.open("00aa").expect("made"), Found::Nothing);
        mark.bump_over(index(41)).expect("written");
        mark.bump_over(index(7)).expect("not written");
        assert_eq!(
            HighWater::at(&beside(&database)).open("00aa").expect("read"),
            Found::Next(index(42))
        );
        // Another account's mark does not apply.
        assert_eq!(HighWater::at(&beside(&database)).open("00bb").expect("read"), Found::Nothing);
        assert_eq!(
            HighWater::at(&beside(&database)).open("00bb").expect("read"),
            Found::Next(index(0))
        );
    }

    #[test]
    fn a_malformed_high_water_mark_is_refused() {
        for bad in ["", "12", "x 00aa\n", "-1 00aa\n", "4294967295 00aa\n", "0000000001 00aa"] {
            let dir = tempfile::tempdir().expect("a folder");
            let database = dir.path().join("litegate.db");
            std::fs::write(dir.path().join("litegate.db.high-water"), bad).expect("written");
            assert!(HighWater::at(&beside(&database)).open("00aa").is_err(), "{bad:?}");
        }
    }
}
