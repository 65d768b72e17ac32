//! Failures of SQLite that cost more than the statement that met them.
//!
//! On a full disk, an I/O error or too little memory SQLite may roll back the whole transaction,
//! and so take the work of other jobs of the same commit with it. The job returns an error of its
//! own type; the writer has to know the failure itself, to tell the others.

use std::cell::RefCell;
use std::fmt;

use rusqlite::{ErrorCode, ffi};

use super::Error;

thread_local! {
    /// The first one on this thread since [`forget`]: those that follow are its consequences.
    static FIRST: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// A failure as SQLite reported it. It can be told to several callers.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: Option<ffi::Error>,
    said: String,
}

impl Failure {
    pub(super) fn of(error: &rusqlite::Error) -> Failure {
        Failure { code: error.sqlite_error().copied(), said: error.to_string() }
    }

    /// The transaction was rolled back, and nothing said why.
    pub(super) fn unknown() -> Failure {
        Failure { code: None, said: "the transaction was rolled back".to_owned() }
    }

    /// The error for a caller whose write was lost to this.
    pub(super) fn notified(&self) -> Error {
        match self.code {
            Some(code) => rusqlite::Error::SqliteFailure(code, Some(self.said.clone())).into(),
            None => Error::Impossible(format!("not written: {}", self.said)),
        }
    }

    /// Whether the disk failed to read, write or flush (SQLITE_IOERR). One that is too full for the
    /// index of the log has not failed.
    pub(super) fn is_of_the_disk(&self) -> bool {
        let failed = |code: &ffi::Error| code.code == ErrorCode::SystemIoFailure;
        self.code.filter(failed).is_some_and(|code| code.extended_code != ffi::SQLITE_IOERR_SHMSIZE)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.said)
    }
}

/// Notes an error after which SQLite may have rolled back the whole transaction
/// (<https://sqlite.org/lang_transaction.html>, "Response to errors within a transaction").
pub(super) fn note(error: &rusqlite::Error) {
    let rolls_back = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::OutOfMemory
                | ErrorCode::DatabaseBusy
                | ErrorCode::OperationInterrupted
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::ReadOnly
        )
    );
    if rolls_back {
        FIRST.with_borrow_mut(|first| {
            first.get_or_insert_with(|| Failure::of(error));
        });
    }
}

/// Forgets what was noted on this thread.
pub(super) fn forget() {
    FIRST.set(None);
}

/// What was noted on this thread since.
pub(super) fn last() -> Option<Failure> {
    FIRST.with_borrow(Clone::clone)
}
