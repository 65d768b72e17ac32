//! The audit log: who changed what, and when. Append-only, without secrets, and hash-chained
//! ([`chain`]), so that a changed or removed row is detected.

pub(crate) mod chain;

use rusqlite::{OptionalExtension, Row, ToSql, params};

use crate::domain::audit_log::Head;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::audit_log_hash as hash;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// An act to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) at: Timestamp,
    /// The actor: `cli`, `discord:<user id>`, `api key` or `system`.
    pub(crate) actor: String,
    /// The place on Discord: `server <id>` or `message`.
    pub(crate) place: Option<String>,
    /// The act's name, such as `set_address`.
    pub(crate) act: &'static str,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

/// A stored act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) place: Option<String>,
    pub(crate) act: String,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

fn from_row(row: &Row) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get("id")?,
        at: row.get("at")?,
        actor: row.get("actor")?,
        place: row.get("place")?,
        act: row.get("act")?,
        merchant: row.get("merchant_id")?,
        before: row.get("before")?,
        after: row.get("after")?,
    })
}

/// Appends an act to the chain, in the transaction that performs it.
pub(crate) fn append(tx: &WriteTx, act: &Act) -> Result<(), Error> {
    let head = hash::head(tx)?;
    let id = head.id.checked_add(1).ok_or_else(|| {
        Error::Impossible(format!("the audit log has a row of the id {}", head.id))
    })?;
    let columns: [&dyn ToSql; hash::COLUMN_COUNT] =
        [&id, &act.at, &act.actor, &act.place, &act.act, &act.merchant, &act.before, &act.after];
    let row_hash = hash::insert(tx.connection, &head.hash, columns)?;
    tx.raise_audit_log(Head { id, hash: row_hash });
    Ok(())
}

/// Acts of one merchant or of all, newest first: at most `limit`, after the newest `skip`.
pub(crate) fn list(
    tx: &ReadTx,
    merchant: Option<MerchantId>,
    skip: u32,
    limit: u32,
) -> Result<Vec<Entry>, Error> {
    let sql = "SELECT * FROM audit_log WHERE ?1 IS NULL OR merchant_id = ?1
               ORDER BY id DESC LIMIT ?3 OFFSET ?2";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, skip, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The id of the newest act; 0 before the first.
pub(crate) fn newest(tx: &ReadTx) -> Result<i64, Error> {
    let sql = "SELECT coalesce(max(id), 0) FROM audit_log";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// At most `limit` acts after this id, oldest first, each with whether the merchant performed
/// it, by its key or its own Discord account.
pub(crate) fn after(tx: &ReadTx, id: i64, limit: u32) -> Result<Vec<(Entry, bool)>, Error> {
    let sql = "SELECT audit_log.*, actor = 'api key'
                   OR coalesce(actor = 'discord:' || merchants.discord_id, FALSE) AS own
               FROM audit_log LEFT JOIN merchants ON merchants.id = audit_log.merchant_id
               WHERE audit_log.id > ? ORDER BY audit_log.id LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![id, limit], |row| Ok((from_row(row)?, row.get("own")?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether an act of this name was ever performed on a merchant.
pub(crate) fn was_done(tx: &ReadTx, merchant: MerchantId, act: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM audit_log WHERE merchant_id = ? AND act = ?)";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![merchant, act], |row| row.get(0))?)
}

/// Acts of this name since a time, oldest first.
pub(crate) fn of_act_since(tx: &ReadTx, act: &str, since: Timestamp) -> Result<Vec<Entry>, Error> {
    let sql = "SELECT * FROM audit_log WHERE act = ? AND at >= ? ORDER BY id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![act, since], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Number of acts of this name by an actor since a time.
pub(crate) fn count_since(
    tx: &ReadTx,
    act: &str,
    actor: &str,
    since: Timestamp,
) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM audit_log WHERE act = ? AND at >= ? AND actor = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row(params![act, since, actor], |row| row.get(0))?)
}

/// Time of the `most`-th newest act that a merchant itself performed since a time; `None` if
/// there are fewer. With `after`, only acts with this new value count.
pub(crate) fn nth_newest_of_merchant(
    tx: &ReadTx,
    merchant: MerchantId,
    act: &str,
    after: Option<&str>,
    since: Timestamp,
    most: u32,
) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT at FROM audit_log INDEXED BY audit_log_by_merchant_and_act
               WHERE merchant_id = ?1 AND act = ?2 AND at > ?3 AND actor <> 'cli'
                 AND (?4 IS NULL OR after = ?4)
               ORDER BY at DESC LIMIT 1 OFFSET ?5";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let values = params![merchant, act, since, after, most.saturating_sub(1)];
    Ok(statement.query_row(values, |row| row.get(0)).optional()?)
}

/// Time of a merchant's last subscription grant.
pub(crate) fn last_grant(tx: &ReadTx, merchant: MerchantId) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT max(at) FROM audit_log WHERE act = 'grant' AND merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row([merchant], |row| row.get(0))?)
}
