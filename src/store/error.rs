//! The error type of the store.

use std::path::{Path, PathBuf};

use super::failure::{self, Failure, Kind};

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Too many writes are waiting, or another process holds the lock: try again later.
    #[error("the database is busy")]
    Busy,
    /// The gateway is stopping.
    #[error("the database is closed")]
    Closed,
    /// A newer litegate wrote the file.
    #[error("the database has schema {found}, this litegate knows {known}: install a newer one")]
    Newer { found: u32, known: u32 },
    /// The disk is full: nothing of the write was stored, and it may be repeated.
    #[error("the disk is full")]
    Full,
    /// The disk, or the process's user, cannot write.
    #[error(
        "the database cannot be written: its disk is read-only, or the file or its directory belongs to another user"
    )]
    ReadOnly,
    /// SQLite found the file damaged, or it is not a database.
    #[error("the database is damaged ({0}): nothing more is written; restore a backup")]
    Damaged(String),
    /// A file of the database must not be used.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A row has an impossible value: corruption, or another program wrote to the file.
    #[error("the database holds an impossible value: {0}")]
    Impossible(String),
    /// This gateway did not write the row in its present state: it is not shown, paid or sent.
    #[error("row {row} of the table {table} does not verify: {why}")]
    Unverified { table: &'static str, row: String, why: &'static str },
    #[error("database: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        failure::note(&error);
        match failure::classify(&error).kind {
            Kind::Busy => Error::Busy,
            Kind::Full => Error::Full,
            Kind::ReadOnly => Error::ReadOnly,
            Kind::Damaged => Error::Damaged(error.to_string()),
            Kind::Value => Error::Impossible(error.to_string()),
            Kind::DiskFault | Kind::Other => Error::Sqlite(error),
        }
    }
}

/// The error for a caller whose write was lost to this failure.
impl From<&Failure> for Error {
    fn from(failure: &Failure) -> Error {
        match failure.to_sqlite() {
            Some(error) => error.into(),
            None => Error::Impossible(format!("not written: {failure}")),
        }
    }
}

impl Error {
    /// Whether the error concerns a single row: it is unreadable or unverified.
    pub(crate) fn is_of_a_row(&self) -> bool {
        matches!(self, Error::Impossible(_) | Error::Unverified { .. })
    }

    /// Converts a file error.
    pub(super) fn of_file(path: &Path) -> impl Fn(std::io::Error) -> Error {
        use std::io::ErrorKind;
        |source| match source.kind() {
            ErrorKind::StorageFull => Error::Full,
            ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
            _ => Error::File { path: path.to_owned(), source },
        }
    }
}
