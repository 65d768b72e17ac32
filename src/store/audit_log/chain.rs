//! The hash chain of the audit log.
//!
//! A row's hash is SHA-256 of the previous row's hash and all of the row's columns, each with
//! type and length, computed from the values that the caller passed. The chain has no key: a
//! user who can write the database can recompute it from a changed row on. So the newest hash
//! ([`Head`]) is also stored outside the database; if the chain no longer contains it, the log
//! was rewritten or truncated.

use std::fmt;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row};

use crate::store::batches::ROWS_MAX;
use crate::store::database::Store;
use crate::store::error::Error;
use crate::store::tx::ReadTx;

use crate::store::audit_log_hash::{COLUMN_COUNT, COLUMNS, EMPTY, Hash, hash_of};

pub(crate) use crate::domain::audit_log::Head;
pub(crate) use crate::store::audit_log_hash::head;

/// A head that was recorded outside the database, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownHead {
    pub(crate) source: &'static str,
    pub(crate) head: Head,
}

/// The first defect of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Break {
    /// The row's columns or hash were changed, or a row before it.
    Changed { id: i64 },
    /// Rows between two others are missing.
    Missing { first: i64, last: i64 },
    /// The row matches the chain, but a recorded head has another hash for it.
    Rewritten { id: i64, source: &'static str },
    /// The log ends before a recorded head.
    CutOff { last: i64, head: i64, source: &'static str },
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Break::Changed { id } => {
                write!(f, "row {id} of the audit log does not match the hash chain: it was changed")
            }
            Break::Missing { first, last } if first == last => {
                write!(f, "row {first} of the audit log is missing")
            }
            Break::Missing { first, last } => {
                write!(f, "rows {first} to {last} of the audit log are missing")
            }
            Break::Rewritten { id, source } => write!(
                f,
                "the audit log was rewritten up to row {id}: {source} has another hash for that row"
            ),
            Break::CutOff { last, head, source } => write!(
                f,
                "the audit log ends with row {last}, but {source} knows row {head}: the rows after {last} are missing"
            ),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) rows: u64,
    /// The last valid row.
    pub(crate) head: Head,
    /// Whether older rows were skipped.
    pub(crate) partly: bool,
    pub(crate) found: Option<Break>,
}

/// How much of the log to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// At most this many rows, the newest.
    Newest(u32),
}

/// Checks the log from its start, or its newest rows, and compares it with heads recorded
/// elsewhere. Each page of rows is a separate read.
///
/// # Errors
/// If the database cannot be read.
pub(crate) fn check(store: &Store, extent: Extent, known: &[KnownHead]) -> Result<Checked, Error> {
    let first = match extent {
        Extent::All => EMPTY,
        Extent::Newest(count) => store.read_blocking(|tx| before_newest(tx, count))?,
    };
    let mut check = Check { checked: Checked::from(first), known };
    while check.checked.found.is_none() {
        if store.read_blocking(|tx| check.page(tx))? < ROWS_MAX {
            break;
        }
    }
    Ok(check.finish())
}

/// Checks the rows after a known head. Returns the newest head, or why it does not follow from
/// the known one; without a known head the log is accepted unchecked. Calls `go_on` before
/// each page of rows.
///
/// # Errors
/// If the database cannot be read.
pub(crate) fn follow(
    store: &Store,
    known: Option<&KnownHead>,
    go_on: impl Fn(),
) -> Result<Result<Head, Break>, Error> {
    let Some(KnownHead { source, head: from }) = known else {
        return store.read_blocking(head).map(Ok);
    };
    let source = *source;
    let (newest, stored) =
        store.read_blocking(|tx| Ok::<_, Error>((head(tx)?, hash_at(tx, from.id)?)))?;
    match stored {
        _ if from.id == 0 => {}
        Some(hash) if hash == from.hash => {}
        Some(_) => return Ok(Err(Break::Rewritten { id: from.id, source })),
        None if newest.id < from.id => {
            return Ok(Err(Break::CutOff { last: newest.id, head: from.id, source }));
        }
        None => return Ok(Err(Break::Missing { first: from.id, last: from.id })),
    }
    let mut check = Check { checked: Checked::from(*from), known: &[] };
    while check.checked.found.is_none() {
        go_on();
        if store.read_blocking(|tx| check.page(tx))? < ROWS_MAX {
            break;
        }
    }
    let Checked { head, found, .. } = check.finish();
    Ok(found.map_or(Ok(head), Err))
}

/// The stored hash of the row with this id.
fn hash_at(tx: &ReadTx, id: i64) -> Result<Option<Hash>, Error> {
    let sql = "SELECT hash FROM audit_log WHERE id = ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?)
}

/// The row before the newest `count`; it is accepted unchecked.
fn before_newest(tx: &ReadTx, count: u32) -> Result<Head, Error> {
    let sql = "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1 OFFSET ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row([count], |row| Ok(Head { id: row.get(0)?, hash: row.get(1)? }));
    Ok(found.optional()?.unwrap_or(EMPTY))
}

impl Checked {
    fn from(head: Head) -> Checked {
        Checked { rows: 0, head, partly: head != EMPTY, found: None }
    }
}

/// A check in progress.
struct Check<'k> {
    checked: Checked,
    known: &'k [KnownHead],
}

impl Check<'_> {
    /// Checks the next rows up to the first defect. Returns the number of rows read.
    fn page(&mut self, tx: &ReadTx) -> Result<u32, Error> {
        let sql = format!("SELECT {COLUMNS}, hash FROM audit_log WHERE id > ? ORDER BY id LIMIT ?");
        let mut statement = tx.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([self.checked.head.id, i64::from(ROWS_MAX)])?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            read += 1;
            self.row(row)?;
            if self.checked.found.is_some() {
                break;
            }
        }
        Ok(read)
    }

    fn row(&mut self, row: &Row) -> Result<(), Error> {
        let Checked { head, found, .. } = &mut self.checked;
        let id: i64 = row.get(0)?;
        let hash = hash_of(row, &head.hash)?;
        if row.get_ref(COLUMN_COUNT)? != ValueRef::Blob(&hash) {
            let next = head.id.saturating_add(1);
            *found = Some(match id > next {
                true => Break::Missing { first: next, last: id.saturating_sub(1) },
                false => Break::Changed { id },
            });
            return Ok(());
        }
        let other = self.known.iter().find(|known| known.head.id == id && known.head.hash != hash);
        *found = other.map(|known| Break::Rewritten { id, source: known.source });
        *head = Head { id, hash };
        self.checked.rows += 1;
        Ok(())
    }

    /// Compares the end of the log with the known heads.
    fn finish(self) -> Checked {
        let Check { mut checked, known } = self;
        if checked.found.is_none() {
            let last = checked.head.id;
            let beyond = known.iter().filter(|known| known.head.id > last);
            checked.found = beyond.max_by_key(|known| known.head.id).map(|known| Break::CutOff {
                last,
                head: known.head.id,
                source: known.source,
            });
        }
        checked
    }
}

#[cfg(test)]
mod tests;
