//! The facts that cause notifications.

use bitcoin::Txid;
use rusqlite::{Row, params};

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;
use crate::store::columns::{script, txid};
use crate::store::error::Error;
use crate::store::tx::ReadTx;

/// A payment whose status was decided, for a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decided {
    pub(crate) payment: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) amount: Amount,
    pub(crate) reference: Option<String>,
    pub(crate) completed: bool,
    pub(crate) late: bool,
    /// The amount on its address that was not removed.
    pub(crate) received: Amount,
    /// The merchant's first completed payment.
    pub(crate) first: bool,
}

/// Payments decided since a time, except those that expired without a coin: a mass expiry
/// needs no notification.
pub(crate) fn decided_since(tx: &ReadTx, since: Timestamp) -> Result<Vec<Decided>, Error> {
    let sql = "SELECT payments.*,
                 (SELECT coalesce(sum(coins.amount), 0) FROM coins
                   WHERE coins.derivation_index = payments.derivation_index AND place <> 'removed')
                   AS received,
                 NOT EXISTS (SELECT 1 FROM payments AS other
                   WHERE other.merchant_id = payments.merchant_id AND other.status = 'completed'
                     AND (other.status_at, other.derivation_index) <
                         (payments.status_at, payments.derivation_index)) AS first
               FROM payments WHERE status_at >= ? AND
                 (status = 'completed' OR EXISTS (SELECT 1 FROM coins
                   WHERE coins.derivation_index = payments.derivation_index AND place <> 'removed'))
               ORDER BY status_at, derivation_index";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([since], |row| {
        Ok(Decided {
            payment: row.get("id")?,
            merchant: row.get("merchant_id")?,
            amount: row.get("amount")?,
            reference: row.get("reference")?,
            completed: row.get::<_, String>("status")? == "completed",
            late: row.get("late")?,
            received: row.get("received")?,
            first: row.get("first")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A coin that arrived after its payment expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateCoin {
    pub(crate) txid: Txid,
    pub(crate) vout: u32,
    pub(crate) amount: Amount,
    pub(crate) payment: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) reference: Option<String>,
    /// Whether it can still complete the payment.
    pub(crate) within_grace: bool,
}

/// Late coins first seen since a time.
pub(crate) fn late_since(tx: &ReadTx, since: Timestamp) -> Result<Vec<LateCoin>, Error> {
    let sql = "SELECT txid, vout, coins.amount, id, merchant_id, reference,
                      seen_at <= late_until AS within_grace
               FROM coins JOIN payments USING (derivation_index)
               WHERE seen_at >= ? AND seen_at > expires_at AND place <> 'removed'
               ORDER BY seen_at, txid, vout";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([since], |row| {
        Ok(LateCoin {
            txid: txid(row, "txid")?,
            vout: row.get("vout")?,
            amount: row.get("amount")?,
            payment: row.get("id")?,
            merchant: row.get("merchant_id")?,
            reference: row.get("reference")?,
            within_grace: row.get("within_grace")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadWebhook {
    pub(crate) event: String,
    pub(crate) merchant: MerchantId,
    pub(crate) payment: PaymentId,
    pub(crate) given_up: bool,
    pub(crate) attempts: u32,
    /// The outcome of the last attempt.
    pub(crate) outcome: String,
}

/// Webhooks with at least `attempts` attempts since a time that are due again or were given
/// up.
pub(crate) fn bad_webhooks(
    tx: &ReadTx,
    attempts: u32,
    since: Timestamp,
) -> Result<Vec<BadWebhook>, Error> {
    let sql = "SELECT events.id, events.merchant_id, payments.id AS payment_id, events.attempts,
                      state = 'failed' AS given_up, outcome
               FROM (SELECT id FROM events INDEXED BY events_failed WHERE state = 'failed'
                     UNION ALL
                     SELECT id FROM events INDEXED BY events_due
                     WHERE state = 'due' AND attempts >= ?1) AS bad
               CROSS JOIN events USING (id) CROSS JOIN payments USING (derivation_index)
               CROSS JOIN attempts ON event_id = events.id AND number = events.attempts
               WHERE started_at >= ?2
               ORDER BY events.id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![attempts, since], |row| {
        Ok(BadWebhook {
            event: row.get("id")?,
            merchant: row.get("merchant_id")?,
            payment: row.get("payment_id")?,
            given_up: row.get("given_up")?,
            attempts: row.get("attempts")?,
            outcome: row.get("outcome")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A merchant's payout in a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentLine {
    pub(crate) sweep: i64,
    pub(crate) merchant: MerchantId,
    pub(crate) txid: Txid,
    pub(crate) amount: Amount,
}

fn sent_line(row: &Row) -> rusqlite::Result<SentLine> {
    Ok(SentLine {
        sweep: row.get("sweep_id")?,
        merchant: row.get("merchant_id")?,
        txid: txid(row, "txid")?,
        amount: row.get("amount")?,
    })
}

/// Payouts that a node first accepted since a time.
pub(crate) fn payouts_since(tx: &ReadTx, since: Timestamp) -> Result<Vec<SentLine>, Error> {
    let sql = "SELECT sweep_id, merchant_id, txid, amount
               FROM sweep_txs INDEXED BY sweep_txs_by_sending
               CROSS JOIN payouts USING (sweep_id, version)
               WHERE sent_at >= ? AND version = 1 ORDER BY sweep_id, merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([since], sent_line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Payouts of in-flight sweeps that were created before a time.
pub(crate) fn stuck_since(tx: &ReadTx, before: Timestamp) -> Result<Vec<SentLine>, Error> {
    let sql = "SELECT sweep_id, merchant_id, txid, amount
               FROM in_flight_sweeps CROSS JOIN sweeps ON sweeps.id = sweep_id
               CROSS JOIN sweep_txs AS newest USING (sweep_id)
               JOIN payouts USING (sweep_id, version)
               WHERE sweeps.created_at < ?
                 AND version = (SELECT max(version) FROM sweep_txs AS any_version
                                WHERE any_version.sweep_id = newest.sweep_id)
               ORDER BY sweep_id, merchant_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([before], sent_line)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AddressChange {
    pub(crate) merchant: MerchantId,
    pub(crate) version: u32,
    pub(crate) script: bitcoin::ScriptBuf,
    pub(crate) registered_at: Timestamp,
    pub(crate) effective_at: Timestamp,
    pub(crate) cancelled_at: Option<Timestamp>,
}

/// Delayed registrations that changed since a time.
pub(crate) fn address_changes_since(
    tx: &ReadTx,
    since: Timestamp,
) -> Result<Vec<AddressChange>, Error> {
    let sql = "SELECT * FROM payout_addresses
               WHERE effective_at > registered_at
                 AND (registered_at >= ?1 OR effective_at >= ?1 OR cancelled_at >= ?1)
               ORDER BY merchant_id, version";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([since], |row| {
        Ok(AddressChange {
            merchant: row.get("merchant_id")?,
            version: row.get("version")?,
            script: script(row, "script")?,
            registered_at: row.get("registered_at")?,
            effective_at: row.get("effective_at")?,
            cancelled_at: row.get("cancelled_at")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Merchants whose subscription ends between two times, and when.
pub(crate) fn ending_between(
    tx: &ReadTx,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<(MerchantId, Timestamp)>, Error> {
    let sql = "SELECT id, subscription_until FROM merchants
               WHERE subscription_until >= ? AND subscription_until <= ? ORDER BY id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([from, to], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
