//! Notifications: the facts that cause them, their outbox, and their settings.
//! `operations/notifications.rs` writes their texts.

use bitcoin::Txid;
use rusqlite::{OptionalExtension, Row, params};

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::notification::{Kind, Way};
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;

use super::batches::ROWS_MAX;
use super::columns::{impossible, script, txid};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// A new notification, unique by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) key: String,
    pub(crate) kind: Kind,
    /// The recipient; `None` for the administrators.
    pub(crate) merchant: Option<MerchantId>,
    /// The text in English.
    pub(crate) text: String,
    /// The same as a sentence's kind and values, for other languages.
    pub(crate) notification: String,
}

/// A stored notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredNotification {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) text: String,
    /// `None` for notifications of older versions.
    pub(crate) notification: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) batch: Option<i64>,
    pub(crate) attempts: u32,
}

fn from_row(row: &Row) -> rusqlite::Result<Result<StoredNotification, Error>> {
    let word: String = row.get("kind")?;
    let Ok(kind) = word.parse() else { return Ok(Err(impossible("notifications.kind", word))) };
    Ok(Ok(StoredNotification {
        id: row.get("id")?,
        key: row.get("key")?,
        kind,
        merchant: row.get("merchant_id")?,
        text: row.get("text")?,
        notification: row.get("payload")?,
        created_at: row.get("created_at")?,
        batch: row.get("batch")?,
        attempts: row.get("attempts")?,
    }))
}

/// Whether a notification with this key exists.
pub(crate) fn is_known(tx: &ReadTx, key: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM notifications WHERE key = ?)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([key], |row| row.get(0))?)
}

/// Adds a notification that is due at once, unless its key exists.
pub(crate) fn insert(tx: &WriteTx, draft: &Draft, now: Timestamp) -> Result<(), Error> {
    let sql =
        "INSERT INTO notifications (key, kind, merchant_id, text, payload, created_at, next_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (key) DO NOTHING";
    let kind = draft.kind.as_str();
    let values = params![draft.key, kind, draft.merchant, draft.text, draft.notification, now];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Notifications due by `now`, oldest first, at most `limit`.
pub(crate) fn due(
    tx: &ReadTx,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<StoredNotification>, Error> {
    let sql = "SELECT * FROM notifications INDEXED BY notifications_due
               WHERE state = 'due' AND next_at <= ? ORDER BY id LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![now, limit], from_row)?;
    rows.map(|row| row?).collect()
}

/// When this recipient last got a message, or a mention in a channel.
pub(crate) fn last_sent(
    tx: &ReadTx,
    merchant: Option<MerchantId>,
) -> Result<Option<Timestamp>, Error> {
    let sql =
        "SELECT max(done_at) FROM notifications WHERE merchant_id IS ? AND done_at IS NOT NULL";
    Ok(tx.connection.prepare_cached(sql)?.query_row([merchant], |row| row.get(0))?)
}

/// The last notification of this kind for the administrators.
pub(crate) fn last_made(tx: &ReadTx, kind: Kind) -> Result<Option<StoredNotification>, Error> {
    last_made_of(tx, kind, "")
}

/// The last one whose key continues with these words after its kind.
pub(crate) fn last_made_of(
    tx: &ReadTx,
    kind: Kind,
    words: &str,
) -> Result<Option<StoredNotification>, Error> {
    let sql = "SELECT * FROM notifications WHERE merchant_id IS NULL AND kind = ?1
                 AND substr(key, 1, length(?2)) = ?2
               ORDER BY id DESC LIMIT 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let beginning = format!("{}:{words}", kind.as_str());
    statement.query_row([kind.as_str(), &beginning], from_row).optional()?.transpose()
}

/// Groups notifications into one message before it is sent. A retry sends the same message.
pub(crate) fn put_together(tx: &WriteTx, batch: i64, ids: &[i64]) -> Result<(), Error> {
    let sql = "UPDATE notifications SET batch = ? WHERE id = ? AND state = 'due'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for id in ids {
        statement.execute([batch, *id])?;
    }
    Ok(())
}

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Sent,
    /// Its reader takes no messages: it is kept for them.
    Kept,
}

/// Records that notifications need no further attempt.
pub(crate) fn end(tx: &WriteTx, ids: &[i64], end: End, now: Timestamp) -> Result<(), Error> {
    let word = match end {
        End::Sent => "sent",
        End::Kept => "kept",
    };
    let sql = "UPDATE notifications SET state = ?, done_at = ?, next_at = NULL
               WHERE id = ? AND state = 'due'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for id in ids {
        statement.execute(params![word, now, id])?;
    }
    Ok(())
}

/// Records a failed attempt, and when the next one is due.
pub(crate) fn postpone(tx: &WriteTx, ids: &[i64], next_at: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE notifications SET attempts = attempts + 1, next_at = ?
               WHERE id = ? AND state = 'due'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    for id in ids {
        statement.execute(params![next_at, id])?;
    }
    Ok(())
}

/// Number of notifications kept for a merchant who has not read them.
pub(crate) fn count_kept(tx: &ReadTx, merchant: MerchantId) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM notifications WHERE merchant_id = ? AND state = 'kept'";
    Ok(tx.connection.prepare_cached(sql)?.query_row([merchant], |row| row.get(0))?)
}

/// A merchant's notifications, newest first: at most `limit`, after the newest `skip`.
pub(crate) fn list(
    tx: &ReadTx,
    merchant: MerchantId,
    skip: u32,
    limit: u32,
) -> Result<Vec<StoredNotification>, Error> {
    let sql = "SELECT * FROM notifications WHERE merchant_id = ? ORDER BY id DESC LIMIT ? OFFSET ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, limit, skip], from_row)?;
    rows.map(|row| row?).collect()
}

/// Marks a merchant's kept notifications as read; at most the newest [`ROWS_MAX`].
pub(crate) fn mark_read(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    let sql = "UPDATE notifications SET state = 'read'
               WHERE id IN (SELECT id FROM notifications WHERE merchant_id = ? AND state = 'kept'
                            ORDER BY id DESC LIMIT ?)";
    tx.connection.execute(sql, params![merchant, ROWS_MAX])?;
    Ok(())
}

/// How a merchant receives notifications of a kind.
pub(crate) fn way(tx: &ReadTx, merchant: MerchantId, kind: Kind) -> Result<Way, Error> {
    let sql =
        "SELECT wanted, by_channel FROM notification_settings WHERE merchant_id = ? AND kind = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let chosen = statement.query_row(params![merchant, kind.as_str()], |row| {
        Ok(match (row.get("wanted")?, row.get("by_channel")?) {
            (false, _) => Way::Off,
            (true, true) => Way::Channel,
            (true, false) => Way::Message,
        })
    });
    Ok(chosen.optional()?.unwrap_or(kind.usual_way()))
}

/// Sets how a merchant receives notifications of a kind.
pub(crate) fn choose(
    tx: &WriteTx,
    merchant: MerchantId,
    kind: Kind,
    way: Way,
) -> Result<(), Error> {
    let sql = "INSERT INTO notification_settings (merchant_id, kind, wanted, by_channel)
               VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (merchant_id, kind) DO UPDATE SET wanted = ?3, by_channel = ?4";
    let (wanted, by_channel) = (way != Way::Off, way == Way::Channel);
    tx.connection.execute(sql, params![merchant, kind.as_str(), wanted, by_channel])?;
    Ok(())
}

/// Records that a Discord user has proven to be an administrator.
pub(crate) fn remember_admin(tx: &WriteTx, user: u64, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO discord_admins (discord_id, proven_at) VALUES (?1, ?2)
               ON CONFLICT (discord_id) DO UPDATE SET proven_at = ?2";
    tx.connection.execute(sql, params![user.to_string(), now])?;
    Ok(())
}

/// Forgets a user who is no longer an administrator.
pub(crate) fn forget_admin(tx: &WriteTx, user: u64) -> Result<(), Error> {
    let sql = "DELETE FROM discord_admins WHERE discord_id = ?";
    tx.connection.execute(sql, [user.to_string()])?;
    Ok(())
}

/// The users who proved to be administrators.
pub(crate) fn admins(tx: &ReadTx) -> Result<Vec<u64>, Error> {
    let sql = "SELECT discord_id FROM discord_admins ORDER BY proven_at, discord_id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let read =
        |text: String| text.parse().map_err(|_| impossible("discord_admins.discord_id", text));
    rows.map(|row| read(row?)).collect()
}

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

/// A webhook that fails.
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

/// A change of a payout address.
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
