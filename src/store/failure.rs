//! SQLite's result codes: the only mapping of them, and the failures that roll back a
//! transaction.
//!
//! On a full disk, an I/O error or too little memory SQLite may roll back the whole
//! transaction, and with it the work of other jobs of the same commit. The failing job returns
//! its own error type, so the writer learns of the failure here, to report it to the other
//! callers.

use std::cell::RefCell;
use std::fmt;

use rusqlite::{ErrorCode, ffi};

thread_local! {
    /// The first one on this thread since [`forget`]; later ones are its consequences.
    static FIRST: RefCell<Option<Failure>> = const { RefCell::new(None) };
}

/// The meaning of a result code for the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Another connection holds the lock.
    Busy,
    /// The disk is full.
    Full,
    /// The file cannot be written.
    ReadOnly,
    /// The file is damaged, or is not a database.
    Damaged,
    /// The disk failed to read, write or flush (SQLITE_IOERR).
    DiskFault,
    /// A cell has a value that its column cannot have.
    Value,
    Other,
}

/// A classified result code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) kind: Kind,
    /// Whether SQLite may have rolled back the whole transaction
    /// (<https://sqlite.org/lang_transaction.html>, "Response to errors within a
    /// transaction").
    rolls_back: bool,
}

/// Classifies an error of SQLite or of a column's conversion.
pub(super) fn classify(error: &rusqlite::Error) -> Class {
    let (kind, rolls_back) = match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => (Kind::Value, false),
        error => error.sqlite_error().map_or((Kind::Other, false), classify_code),
    };
    Class { kind, rolls_back }
}

fn classify_code(code: &ffi::Error) -> (Kind, bool) {
    match code.code {
        ErrorCode::DatabaseBusy => (Kind::Busy, true),
        ErrorCode::DatabaseLocked => (Kind::Busy, false),
        ErrorCode::DiskFull => (Kind::Full, true),
        // No space for the index of the write-ahead log: the disk is full, but does not fail.
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => {
            (Kind::Full, true)
        }
        ErrorCode::SystemIoFailure => (Kind::DiskFault, true),
        ErrorCode::ReadOnly => (Kind::ReadOnly, true),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (Kind::Damaged, true),
        ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted => (Kind::Other, true),
        _ => (Kind::Other, false),
    }
}

/// A failure as SQLite reported it. Several callers can get it.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    code: Option<ffi::Error>,
    text: String,
}

impl Failure {
    pub(super) fn of(error: &rusqlite::Error) -> Failure {
        Failure { code: error.sqlite_error().copied(), text: error.to_string() }
    }

    /// The transaction was rolled back for an unknown reason.
    pub(super) fn unknown() -> Failure {
        Failure { code: None, text: "the transaction was rolled back".to_owned() }
    }

    /// The error of SQLite, if the reason is known.
    pub(super) fn to_sqlite(&self) -> Option<rusqlite::Error> {
        let code = self.code?;
        Some(rusqlite::Error::SqliteFailure(code, Some(self.text.clone())))
    }

    /// Whether the disk failed to read, write or flush.
    pub(super) fn is_of_the_disk(&self) -> bool {
        self.code.as_ref().is_some_and(|code| classify_code(code).0 == Kind::DiskFault)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Records an error after which SQLite may have rolled back the whole transaction.
pub(super) fn note(error: &rusqlite::Error) {
    if classify(error).rolls_back {
        FIRST.with_borrow_mut(|first| {
            first.get_or_insert_with(|| Failure::of(error));
        });
    }
}

/// Forgets the failure recorded on this thread.
pub(super) fn forget() {
    FIRST.set(None);
}

/// The failure recorded on this thread since [`forget`].
pub(super) fn last() -> Option<Failure> {
    FIRST.with_borrow(Clone::clone)
}
