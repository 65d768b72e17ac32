//! Pending payments that are overdue: pages of them, and those that changed.

use rusqlite::params;

use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;

use super::batches::ROWS_MAX;
use super::error::Error;
use super::tx::ReadTx;

/// An overdue pending payment. Ordered by its expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Overdue {
    pub(crate) expires_at: Timestamp,
    pub(crate) index: DerivationIndex,
}

/// The next pending payments that expired before `now`, after `after`; at most [`ROWS_MAX`].
pub(crate) fn after(
    tx: &ReadTx,
    after: Option<Overdue>,
    now: Timestamp,
) -> Result<Vec<Overdue>, Error> {
    let sql = "SELECT expires_at, derivation_index FROM payments INDEXED BY payments_pending
               WHERE status = 'pending' AND (expires_at, derivation_index) > (?, ?)
                 AND expires_at < ? ORDER BY expires_at, derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let (expired_at, index) = match after {
        Some(after) => (after.expires_at, i64::from(after.index.get())),
        None => (Timestamp::from_ms(i64::MIN), -1),
    };
    let rows = statement.query_map(params![expired_at, index, now, ROWS_MAX], |row| {
        Ok(Overdue { expires_at: row.get(0)?, index: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Of the next changes after this number, at most [`ROWS_MAX`]: the number of the last one,
/// and the overdue pending payments among them. `None` if there was no change.
pub(crate) fn changed_after(
    tx: &ReadTx,
    number: i64,
    now: Timestamp,
) -> Result<Option<(i64, Vec<DerivationIndex>)>, Error> {
    let sql = "SELECT number, derivation_index, status = 'pending' AND expires_at < ?2
               FROM payment_changes CROSS JOIN payments USING (derivation_index)
               WHERE number > ?1 ORDER BY number LIMIT ?3";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![number, now, ROWS_MAX])?;
    let (mut last, mut overdue) = (None, Vec::new());
    while let Some(row) = rows.next()? {
        last = Some(row.get(0)?);
        if row.get(2)? {
            overdue.push(row.get(1)?);
        }
    }
    Ok(last.map(|last| (last, overdue)))
}
