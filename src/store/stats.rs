//! Counts and sums over many payments, for people who look after the whole.

use rusqlite::params;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::sweep::SentPayout;
use crate::domain::time::Timestamp;

use super::columns::txid;
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

/// The version of a sweep that counts: the one that confirmed, else the newest.
const VERSION_THAT_COUNTS: &str = "version = coalesce(
    (SELECT version FROM sweep_txs AS mined WHERE block_height IS NOT NULL
      AND mined.sweep_id = payouts.sweep_id),
    (SELECT max(version) FROM sweep_txs AS newest WHERE newest.sweep_id = payouts.sweep_id))";

/// A merchant's payouts that were not given up, newest first: at most `limit`, after the newest
/// `skip`.
pub(crate) fn payouts(
    tx: &ReadTx,
    merchant: MerchantId,
    skip: u32,
    limit: u32,
) -> Result<Vec<SentPayout>, Error> {
    let sql = format!(
        "SELECT sweep_txs.txid, merchant_id, gross, fee_share, operator_fee, amount,
                sweep_txs.created_at, sweep_txs.block_height
         FROM payouts JOIN sweep_txs USING (sweep_id, version) JOIN sweeps ON sweeps.id = sweep_id
         WHERE merchant_id = ? AND dissolved_at IS NULL AND {VERSION_THAT_COUNTS}
         ORDER BY sweep_id DESC LIMIT ? OFFSET ?"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![merchant, limit, skip], |row| {
        Ok(SentPayout {
            txid: txid(row, "txid")?,
            merchant: row.get("merchant_id")?,
            gross: row.get("gross")?,
            fee_share: row.get("fee_share")?,
            operator_fee: row.get("operator_fee")?,
            amount: row.get("amount")?,
            created_at: row.get("created_at")?,
            block_height: row.get("block_height")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a merchant was paid out, and what came for it, is confirmed or not, and waits.
pub(crate) fn sums(tx: &ReadTx, merchant: MerchantId) -> Result<(Amount, Amount), Error> {
    let sql = format!(
        "SELECT coalesce(sum(amount), 0) FROM payouts JOIN sweeps ON sweeps.id = sweep_id
         WHERE merchant_id = ? AND dissolved_at IS NULL AND {VERSION_THAT_COUNTS}"
    );
    let paid = tx.connection.prepare_cached(&sql)?.query_row([merchant], |row| row.get(0))?;
    let sql =
        "SELECT coalesce(sum(coins.amount), 0) FROM coins JOIN payments USING (derivation_index)
               WHERE merchant_id = ? AND sweep_id IS NULL AND spent_txid IS NULL
                 AND place <> 'gone'";
    let waits = tx.connection.prepare_cached(sql)?.query_row([merchant], |row| row.get(0))?;
    Ok((paid, waits))
}
