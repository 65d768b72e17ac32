//! Counts and sums over many payments, for people who look after the whole.

use rusqlite::params;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::{Error, ReadTx};

/// How a time went, for all merchants or for one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) created: i64,
    pub(crate) completed: i64,
    pub(crate) expired: i64,
    /// What the completed ones were to bring.
    pub(crate) amount: Amount,
    /// From creation to completion, the middle one, in milliseconds.
    pub(crate) median_ms: Option<i64>,
    /// Webhooks that were given up.
    pub(crate) failed_webhooks: i64,
}

/// The payments that were created since a time, and what became of them by now.
pub(crate) fn since(
    tx: &ReadTx,
    merchant: Option<MerchantId>,
    since: Timestamp,
) -> Result<Stats, Error> {
    let sql = "SELECT count(*) AS created,
                      count(*) FILTER (WHERE status = 'completed') AS completed,
                      count(*) FILTER (WHERE status = 'expired') AS expired,
                      coalesce(sum(amount) FILTER (WHERE status = 'completed'), 0) AS amount
               FROM payments WHERE created_at >= ?1 AND (?2 IS NULL OR merchant_id = ?2)";
    let mut stats =
        tx.connection.prepare_cached(sql)?.query_row(params![since, merchant], |row| {
            Ok(Stats {
                created: row.get("created")?,
                completed: row.get("completed")?,
                expired: row.get("expired")?,
                amount: row.get("amount")?,
                ..Stats::default()
            })
        })?;
    let middle = (stats.completed - 1) / 2;
    let sql = "SELECT status_at - created_at FROM payments
               WHERE created_at >= ?1 AND (?2 IS NULL OR merchant_id = ?2) AND status = 'completed'
               ORDER BY status_at - created_at LIMIT 1 OFFSET ?3";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query_map(params![since, merchant, middle], |row| row.get(0))?;
    stats.median_ms = rows.next().transpose()?;
    let sql = "SELECT count(*) FROM events WHERE state = 'failed' AND created_at >= ?1
               AND (?2 IS NULL OR merchant_id = ?2)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    stats.failed_webhooks = statement.query_row(params![since, merchant], |row| row.get(0))?;
    Ok(stats)
}
