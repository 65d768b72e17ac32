//! Totals for metrics and notifications, read every few seconds. Their cost grows with what is
//! open, not with the history.

use rusqlite::Row;

use crate::domain::amount::Amount;
use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// Open payments, events and sweeps, and the size of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) payments: Vec<(String, i64)>,
    pub(crate) events_due: i64,
    /// Creation time of the oldest of them.
    pub(crate) oldest_due_at: Option<Timestamp>,
    /// Events that were given up.
    pub(crate) events_failed: i64,
    pub(crate) unswept: Unswept,
    /// Unmined sweeps, and the creation time of the oldest.
    pub(crate) sweeps_waiting: i64,
    pub(crate) oldest_sweep_at: Option<Timestamp>,
    /// Notifications of the bot that are due.
    pub(crate) notifications_due: i64,
    pub(crate) bytes: i64,
}

/// Confirmed coins that no sweep has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unswept {
    pub(crate) coins: i64,
    pub(crate) sum: Amount,
}

/// Counts and sums the coins that wait for payout.
pub(crate) fn unswept(tx: &ReadTx) -> Result<Unswept, Error> {
    let sql = "SELECT count(*), coalesce(sum(amount), 0) FROM coins
               WHERE sweep_id IS NULL AND place = 'block' AND spent_txid IS NULL";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let read = |row: &Row| Ok(Unswept { coins: row.get(0)?, sum: row.get(1)? });
    Ok(statement.query_row([], read)?)
}

/// Their amount from the stored sums. Its cost is constant; for display only, never for
/// payouts.
pub(crate) fn unswept_kept(tx: &ReadTx) -> Result<Amount, Error> {
    let sql = "SELECT coalesce(sum(amount), 0) FROM merchant_coins WHERE state = 'unclaimed'";
    let kept: i64 = tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    match u64::try_from(kept).ok().and_then(Amount::from_litoshis) {
        Some(sum) => Ok(sum),
        None => Ok(unswept(tx)?.sum), // another program wrote it; the audit reports it
    }
}

/// Whether the stored numbers of payments by status are right. The cost grows with the
/// payments: for audits.
pub(crate) fn payments_are_counted(tx: &ReadTx) -> Result<bool, Error> {
    let sql = "WITH counted AS (SELECT status, count(*) AS count FROM payments GROUP BY status),
                    kept AS (SELECT status, count FROM payment_counts WHERE count <> 0)
               SELECT NOT EXISTS (SELECT * FROM counted EXCEPT SELECT * FROM kept)
                  AND NOT EXISTS (SELECT * FROM kept EXCEPT SELECT * FROM counted)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Recounts the payments by status, after another program wrote to the database without the
/// triggers.
pub(crate) fn count_payments(tx: &WriteTx) -> Result<(), Error> {
    tx.connection.execute("DELETE FROM payment_counts", [])?;
    let sql = "INSERT INTO payment_counts SELECT ?1, count(*) FROM payments WHERE status = ?1";
    for status in ["pending", "completed", "expired"] {
        tx.connection.execute(sql, [status])?;
    }
    Ok(())
}

pub(crate) fn totals(tx: &ReadTx) -> Result<Totals, Error> {
    let connection = tx.connection;
    let mut statement =
        connection.prepare_cached("SELECT status, count FROM payment_counts ORDER BY status")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let payments = rows.collect::<Result<_, _>>()?;
    let two = |sql: &str| {
        connection.prepare_cached(sql)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
    };
    let one = |sql: &str| connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
    let (events_due, oldest_due_at) =
        two("SELECT count(*), min(created_at) FROM events WHERE state = 'due'")?;
    let events_failed = one("SELECT count(*) FROM events WHERE state = 'failed'")?;
    let (sweeps_waiting, oldest_sweep_at) = two("SELECT count(*), min(created_at)
         FROM in_flight_sweeps CROSS JOIN sweeps ON sweeps.id = sweep_id")?;
    let notifications_due = one("SELECT count(*) FROM notifications WHERE state = 'due'")?;
    let pages: i64 = one("PRAGMA page_count")?;
    let page_bytes: i64 = one("PRAGMA page_size")?;
    Ok(Totals {
        payments,
        events_due,
        oldest_due_at,
        events_failed,
        unswept: unswept(tx)?,
        sweeps_waiting,
        oldest_sweep_at,
        notifications_due,
        bytes: pages.saturating_mul(page_bytes),
    })
}
