//! Notifications: their outbox, the facts that cause them, and their settings.
//! `operations/notifications.rs` writes their texts.

mod causes;
mod settings;

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::merchant::MerchantId;
use crate::domain::notification::Kind;
use crate::domain::time::Timestamp;

use super::batches::ROWS_MAX;
use super::columns::impossible;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

pub(crate) use causes::{
    address_changes_since, bad_webhooks, decided_since, ending_between, late_since, payouts_since,
    stuck_since,
};
pub(crate) use settings::{admins, choose, forget_admin, remember_admin, way};

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
