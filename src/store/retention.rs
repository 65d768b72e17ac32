//! Data retention: deletes old data in batches, so that no write takes long.
//!
//! A read finds the candidates; the write checks them again, so that a row changed meanwhile
//! stays.

use rusqlite::params;

use crate::domain::keys::DerivationIndex;
use crate::domain::time::{DAY_MS, Timestamp};

use super::authenticated::{self, PAYMENTS, Value};
use super::batches::ROWS_MAX;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// Days for which the number of payments per merchant is kept.
const DAYS_KEPT: i64 = 7;

/// Tables whose rows are deleted by age alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aged {
    /// Idempotency keys by creation.
    IdempotencyKeys,
    /// Webhook attempts by start.
    Attempts,
    /// Notifications to merchants by when they were sent or kept; due ones stay.
    Notifications,
    /// Questions of the bot by expiry.
    Confirmations,
    /// Events of which no webhook was asked for, by creation.
    UnsentEvents,
    /// Exchange rates by their refresh.
    Rates,
}

impl Aged {
    fn sql(self) -> &'static str {
        match self {
            Aged::IdempotencyKeys => {
                "DELETE FROM idempotency_keys WHERE (merchant_id, key) IN (
                     SELECT merchant_id, key FROM idempotency_keys
                     INDEXED BY idempotency_keys_by_time WHERE created_at < ?1 LIMIT ?2)"
            }
            Aged::Attempts => {
                "DELETE FROM attempts WHERE (event_id, number) IN (
                     SELECT event_id, number FROM attempts
                     INDEXED BY attempts_by_time WHERE started_at < ?1 LIMIT ?2)"
            }
            Aged::Notifications => {
                "DELETE FROM notifications WHERE id IN (
                     SELECT id FROM notifications INDEXED BY notifications_done
                     WHERE state <> 'due' AND merchant_id IS NOT NULL AND done_at < ?1 LIMIT ?2)"
            }
            Aged::Confirmations => {
                "DELETE FROM confirmations WHERE id IN (
                     SELECT id FROM confirmations
                     INDEXED BY confirmations_by_expiry WHERE expires_at < ?1 LIMIT ?2)"
            }
            Aged::UnsentEvents => {
                "DELETE FROM events WHERE id IN (
                     SELECT id FROM events INDEXED BY events_unsent
                     WHERE state = 'none' AND created_at < ?1 LIMIT ?2)"
            }
            Aged::Rates => {
                "DELETE FROM rate_refreshes WHERE at IN (
                     SELECT at FROM rate_refreshes WHERE at < ?1 LIMIT ?2)"
            }
        }
    }
}

/// Deletes at most `limit` rows of a table that are older than `before`. Returns how many.
pub(crate) fn delete_aged(
    tx: &WriteTx,
    table: Aged,
    before: Timestamp,
    limit: u32,
) -> Result<usize, Error> {
    Ok(tx.connection.prepare_cached(table.sql())?.execute(params![before, limit])?)
}

/// Deletes old daily counts, and requests to sweep before the newest: at most `limit` of each.
/// Returns how many.
pub(crate) fn delete_superseded(tx: &WriteTx, now: Timestamp, limit: u32) -> Result<usize, Error> {
    let sql = "DELETE FROM merchant_days WHERE (day, merchant_id) IN (
                   SELECT day, merchant_id FROM merchant_days WHERE day < ?1 LIMIT ?2)";
    let day = now.ms().div_euclid(DAY_MS).saturating_sub(DAYS_KEPT);
    let days = tx.connection.prepare_cached(sql)?.execute(params![day, limit])?;
    let sql = "DELETE FROM sweep_requests WHERE id IN (
                   SELECT id FROM sweep_requests
                   WHERE id < (SELECT max(id) FROM sweep_requests) LIMIT ?1)";
    let requests = tx.connection.prepare_cached(sql)?.execute([limit])?;
    Ok(days.saturating_add(requests))
}

/// Payments that expired without a coin before `expired_before`, cannot be paid late any more,
/// and still have texts of the shop: at most one write's worth, the oldest first, after the
/// one with this expiry and index.
pub(crate) fn unpaid_with_texts(
    tx: &ReadTx,
    after: (Timestamp, Option<DerivationIndex>),
    expired_before: Timestamp,
    now: Timestamp,
) -> Result<Vec<(Timestamp, DerivationIndex)>, Error> {
    let sql = "SELECT expires_at, derivation_index FROM payments INDEXED BY payments_with_texts
               WHERE status = 'expired'
                 AND coalesce(reference, webhook_url, redirect_url, display_amount, price,
                              metadata) IS NOT NULL
                 AND (expires_at, derivation_index) > (?1, ?2)
                 AND expires_at < ?3 AND late_until < ?4
                 AND NOT EXISTS (SELECT 1 FROM coins
                                 WHERE coins.derivation_index = payments.derivation_index)
               ORDER BY expires_at, derivation_index LIMIT ?5";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let (at, index) = after;
    let index = index.map_or(-1, |index| i64::from(index.get()));
    let rows = statement.query_map(params![at, index, expired_before, now, ROWS_MAX], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Removes the shop's texts of a payment that expired and never had a coin. Returns whether it
/// did.
pub(crate) fn remove_texts(tx: &WriteTx, index: DerivationIndex) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payments WHERE derivation_index = ?1
               AND status = 'expired'
               AND NOT EXISTS (SELECT 1 FROM coins WHERE coins.derivation_index = ?1))";
    if !tx.connection.prepare_cached(sql)?.query_row([index], |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    let none = None::<String>;
    let texts = ["reference", "webhook_url", "redirect_url", "display_amount", "price", "metadata"];
    let changes: [Value; 6] = texts.map(|column| (column, &none as _));
    authenticated::update(tx, &PAYMENTS, &[&index], &changes)
}

/// The size of each table with its indexes, in bytes. Reads the whole file.
pub(crate) fn measure(tx: &ReadTx) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT tbl_name, sum(pgsize) FROM dbstat
               JOIN (SELECT name, tbl_name FROM sqlite_schema) USING (name)
               WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY tbl_name";
    let mut statement = tx.connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores the sizes of all tables, for metrics and `doctor`.
pub(crate) fn record_sizes(
    tx: &WriteTx,
    sizes: &[(String, i64)],
    now: Timestamp,
) -> Result<(), Error> {
    tx.connection.execute("DELETE FROM table_sizes", [])?;
    let mut insert = tx.connection.prepare_cached("INSERT INTO table_sizes VALUES (?, ?, ?)")?;
    for (name, bytes) in sizes {
        insert.execute(params![name, bytes, now])?;
    }
    Ok(())
}

/// When the tables were last measured.
pub(crate) fn measured_at(tx: &ReadTx) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT max(at) FROM table_sizes";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// The last measured sizes of all tables, the largest first.
pub(crate) fn sizes(tx: &ReadTx) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT name, bytes FROM table_sizes ORDER BY bytes DESC, name";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::{Merchant, MerchantId};
    use crate::store::{Store, merchants, payments};

    /// A database with payments that have texts: 0 is pending, 1 expired, 2 expired with a
    /// coin.
    fn open() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let written = store.write_blocking(|tx| {
            let id = MerchantId::from_random(1);
            merchants::insert(tx, &Merchant::new_shop(id))?;
            let sql = "INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                           created_at, expires_at, late_until, confirmations,
                           confirmations_pegout, status, status_at, reference, webhook_url)
                       VALUES (?1, randomblob(16), ?2, randomblob(22), 5, 0, 100, 200, 1, 1, ?3,
                               ?4, 'order', 'https://shop.example/')";
            for (n, status) in [(0, "pending"), (1, "expired"), (2, "expired")] {
                let at = (n > 0).then_some(101);
                tx.connection.execute(sql, params![n, id, status, at])?;
            }
            let sql = "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at,
                           place) VALUES (zeroblob(32), 0, 2, 1, 'plain', 50, 'removed')";
            tx.connection.execute(sql, [])?;
            tx.seal_all()
        });
        written.expect("written");
        (dir, store)
    }

    fn index(n: u32) -> DerivationIndex {
        DerivationIndex::new(n).expect("in range")
    }

    #[test]
    fn only_expired_unpaid_payments_lose_their_texts() {
        let (_dir, store) = open();
        let at = Timestamp::from_ms;
        let found = |from, before: i64, now: i64| {
            let read = |tx: &ReadTx| unpaid_with_texts(tx, from, at(before), at(now));
            store.read_blocking(read).expect("read")
        };
        let start = (at(0), None);
        assert_eq!(found(start, 101, 201), [(at(100), index(1))]);
        assert!(found(start, 100, 201).is_empty(), "not old enough");
        assert!(found(start, 101, 200).is_empty(), "late coins may still complete it");
        assert!(found((at(100), Some(index(1))), 101, 201).is_empty(), "after it is none");
        let removed = |n| store.write_blocking(move |tx| remove_texts(tx, index(n))).expect("run");
        let change = || store.read_blocking(payments::last_change).expect("read");
        let before = change();
        assert_eq!([0, 1, 2].map(removed), [false, true, false]);
        assert_eq!(change(), before + 1, "pages read it again");
        let texts = |n| {
            let payment = store.read_blocking(|tx| payments::by_index(tx, index(n)));
            payment.expect("a payment").payment.reference
        };
        assert_eq!([0, 1, 2].map(texts).map(|text| text.is_some()), [true, false, true]);
        assert!(found(start, 101, 201).is_empty(), "done once");
    }

    #[test]
    fn no_other_statement_changes_a_payment_request() {
        let (_dir, store) = open();
        for sql in [
            "UPDATE payments SET reference = 'other' WHERE derivation_index = 1",
            "UPDATE payments SET reference = NULL WHERE derivation_index = 1",
            "UPDATE payments SET reference = NULL, webhook_url = NULL WHERE derivation_index = 0",
            "UPDATE payments SET reference = NULL, webhook_url = NULL WHERE derivation_index = 2",
            "UPDATE payments SET amount = 6 WHERE derivation_index = 1",
            "UPDATE payments SET script = zeroblob(22) WHERE derivation_index = 1",
        ] {
            let change =
                store.write_blocking(move |tx| Ok::<_, Error>(tx.connection.execute(sql, [])?));
            assert!(
                change.is_err_and(|error| error.to_string().contains("never changes")),
                "{sql}"
            );
        }
    }
}
