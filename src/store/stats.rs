//! Statistics over many payments.

use rusqlite::params;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::ReadTx;

/// Statistics of a period, for one merchant or all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) created: i64,
    pub(crate) completed: i64,
    pub(crate) expired: i64,
    /// The sum of the completed payments' amounts.
    pub(crate) amount: Amount,
    /// Median time from creation to completion, in milliseconds.
    pub(crate) median_ms: Option<i64>,
    /// Webhooks that were given up.
    pub(crate) failed_webhooks: i64,
}

/// Statistics of the payments created since a time. Reads only those, however long the history
/// is.
pub(crate) fn since(
    tx: &ReadTx,
    merchant: Option<MerchantId>,
    since: Timestamp,
) -> Result<Stats, Error> {
    let first = first_since(tx, since)?;
    // Each of the two can use an index.
    let (of_payments, of_events) = match merchant {
        None => ("?3 IS NULL", "?2 IS NULL"),
        Some(_) => ("merchant_id = ?3", "merchant_id = ?2"),
    };
    let sql = format!(
        "SELECT count(*) AS created,
                count(*) FILTER (WHERE status = 'completed') AS completed,
                count(*) FILTER (WHERE status = 'expired') AS expired,
                coalesce(sum(amount) FILTER (WHERE status = 'completed'), 0) AS amount
         FROM payments WHERE derivation_index >= ?1 AND created_at >= ?2 AND {of_payments}"
    );
    let values = params![first, since, merchant];
    let mut stats = tx.connection.prepare_cached(&sql)?.query_row(values, |row| {
        Ok(Stats {
            created: row.get("created")?,
            completed: row.get("completed")?,
            expired: row.get("expired")?,
            amount: row.get("amount")?,
            ..Stats::default()
        })
    })?;
    let middle = (stats.completed - 1) / 2;
    let sql = format!(
        "SELECT status_at - created_at FROM payments
         WHERE derivation_index >= ?1 AND created_at >= ?2 AND {of_payments}
           AND status = 'completed'
         ORDER BY status_at - created_at LIMIT 1 OFFSET ?4"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let values = params![first, since, merchant, middle];
    let mut rows = statement.query_map(values, |row| row.get(0))?;
    stats.median_ms = rows.next().transpose()?;
    let sql = format!(
        "SELECT count(*) FROM events WHERE state = 'failed' AND created_at >= ?1 AND {of_events}"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    stats.failed_webhooks = statement.query_row(params![since, merchant], |row| row.get(0))?;
    Ok(stats)
}

/// The first index created since a time, by bisection: indexes are issued in order of time. If
/// the clock was set back, the result is slightly wrong, which is acceptable for statistics.
fn first_since(tx: &ReadTx, since: Timestamp) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(derivation_index), -1) FROM payments";
    let last: i64 = tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let sql = "SELECT created_at FROM payments WHERE derivation_index >= ?
               ORDER BY derivation_index LIMIT 1";
    let mut created_at = tx.connection.prepare_cached(sql)?;
    let (mut low, mut high) = (0, last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let created: Timestamp = created_at.query_row([middle], |row| row.get(0))?;
        if created < since {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::Merchant;
    use crate::store::{Store, merchants};

    #[test]
    fn statistics_count_recent_payments_despite_index_gaps() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("litegate.db")).expect("a new database");
        let id = MerchantId::from_random;
        let written = store.write_blocking(move |tx| {
            for n in [1, 2] {
                merchants::insert(tx, &Merchant::new_shop(id(n)))?;
            }
            // Ten payments, one second apart; after every other one an index is missing. The
            // odd ones belong to the second merchant, and complete after n ms.
            let sql = "INSERT INTO payments (derivation_index, id, merchant_id, script, amount,
                           created_at, expires_at, late_until, confirmations,
                           confirmations_pegout, status, status_at)
                       VALUES (?1 * 3 / 2, randomblob(16), ?2, randomblob(22), 5, ?1 * 1000,
                               100000, 200000, 1, 1, ?3, ?4)";
            for n in 0..10i64 {
                let odd = n % 2 == 1;
                let (merchant, status) = if odd { (2, "completed") } else { (1, "pending") };
                let at = odd.then_some(n * 1000 + n);
                tx.connection.execute(sql, params![n, id(merchant), status, at])?;
            }
            tx.seal_all()
        });
        written.expect("written");
        let of = |merchant: Option<u64>, from_ms: i64| {
            let merchant = merchant.map(id);
            let read = move |tx: &ReadTx| since(tx, merchant, Timestamp::from_ms(from_ms));
            let stats = store.read_blocking(read).expect("read");
            (stats.created, stats.completed, stats.median_ms)
        };
        assert_eq!(of(None, 0), (10, 5, Some(5)));
        assert_eq!(of(None, 4_000), (6, 3, Some(7)));
        assert_eq!(of(None, 4_001), (5, 3, Some(7)));
        assert_eq!(of(Some(2), 6_500), (2, 2, Some(7)));
        assert_eq!(of(Some(1), 6_500), (1, 0, None));
        assert_eq!(of(None, 10_000), (0, 0, None));
    }
}
