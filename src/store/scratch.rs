//! Temporary files for copies of a database, and the errors of making and restoring copies.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::safe_file::{self, Place, with_suffix};

use super::connect::{READ_ONLY, connect};
use super::error::Error;
use super::schema_version::{kept_suffix, known_version};
use super::tx::ReadTx;

/// Errors of backups and restores.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be restored.
    #[error("{}: {what}", path.display())]
    Unfit { path: PathBuf, what: String },
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Failed {
        Failed::Store(error.into())
    }
}

pub(super) fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Failed {
    let path = path.to_owned();
    |source| Failed::File { path, source }
}

/// A temporary file, removed on drop with all that SQLite puts beside it, unless it is renamed
/// into place.
#[derive(Debug)]
pub(crate) struct Scratch {
    place: Place,
    path: PathBuf,
}

impl Scratch {
    /// Creates an empty file that only its owner may read.
    pub(super) fn beside(near: &Path, name: &str) -> Result<Scratch, Failed> {
        let path = with_suffix(near, &format!(".{name}"));
        let place = Place::of(&path).map_err(failed(&path))?;
        let scratch = Scratch { path: place.path(), place };
        scratch.remove(); // left by a killed run
        scratch.place.create_new().map_err(failed(&path))?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.open().map_or(0, |file| bytes_of(&file))
    }

    pub(super) fn open(&self) -> std::io::Result<File> {
        safe_file::open_to_read(&self.path)
    }

    /// Reads from the file without changing it.
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        job(&ReadTx::of_foreign(&connect(&self.path, READ_ONLY)?))
    }

    /// Flushes the file and renames it within its directory.
    pub(super) fn take_place_of(self, to: &Path) -> Result<(), Failed> {
        let name = to.file_name().unwrap_or_default();
        self.place.rename(name).map_err(failed(to))
    }

    fn remove(&self) {
        let kept = kept_suffix(known_version());
        for part in ["", "-wal", "-shm", "-journal", &kept, &format!("{kept}.part")] {
            let _ = self.place.remove_suffixed(part); // it may not exist
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

pub(super) fn bytes_of(file: &File) -> u64 {
    file.metadata().map_or(0, |found| found.len())
}
