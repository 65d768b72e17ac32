//! The outbox: events for merchants, and every delivery attempt.

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::event::{Attempt, Event, NewEvent, State};
use crate::domain::event_kind::EventKind;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;

use super::authenticated::{self, EVENTS, Value};
use super::columns::impossible;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

const COLUMNS: &str = "events.id, payments.id AS payment_id, derivation_index, kind,
    events.merchant_id, url, body, events.created_at, state, attempts, attempts_before, next_at,
    events.mac";

fn from_row(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<Event, Error>> {
    if let Err(error) = tx.verify(&EVENTS, row)? {
        return Ok(Err(error));
    }
    let word: String = row.get("state")?;
    let next_at: Option<Timestamp> = row.get("next_at")?;
    let state = match (word.as_str(), next_at) {
        ("due", Some(next_at)) => State::Due { next_at },
        ("delivered", None) => State::Delivered,
        ("failed", None) => State::Failed,
        ("none", None) => State::Unsent,
        _ => return Ok(Err(impossible("events.state", word))),
    };
    let kind: String = row.get("kind")?;
    let Some(kind) = EventKind::parse(&kind) else {
        return Ok(Err(impossible("events.kind", kind)));
    };
    Ok(Ok(Event {
        id: row.get("id")?,
        payment: row.get("payment_id")?,
        kind,
        merchant: row.get("merchant_id")?,
        url: row.get("url")?,
        body: row.get("body")?,
        created_at: row.get("created_at")?,
        state,
        attempts: row.get("attempts")?,
        attempts_before: row.get("attempts_before")?,
    }))
}

/// Adds an event in the transaction that causes it. It is due at once if it has a URL.
pub(crate) fn insert(tx: &WriteTx, event: &NewEvent) -> Result<(), Error> {
    let kind = event.kind.as_str();
    let due_at = event.url.as_ref().map(|_| event.created_at);
    let state = if due_at.is_some() { "due" } else { "none" };
    let values: [Value; 10] = [
        ("id", &event.id),
        ("derivation_index", &event.index),
        ("kind", &kind),
        ("merchant_id", &event.merchant),
        ("sequence", &event.sequence),
        ("url", &event.url),
        ("body", &event.body),
        ("created_at", &event.created_at),
        ("state", &state),
        ("next_at", &due_at),
    ];
    authenticated::insert(tx, &EVENTS, &values)
}

pub(crate) fn exists(tx: &ReadTx, id: &str) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM events WHERE id = ?)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// The number of the payment's next event.
pub(crate) fn next_sequence(tx: &ReadTx, index: DerivationIndex) -> Result<u32, Error> {
    let sql = "SELECT coalesce(max(sequence), 0) + 1 FROM events WHERE derivation_index = ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row([index], |row| row.get(0))?)
}

/// The part of a due event that the choice of a delivery slot needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) id: String,
    pub(crate) merchant: MerchantId,
    pub(crate) url: String,
}

/// Events due by `now`, fairly by merchant: at most `per_merchant` of each, the longest
/// waiting first, and every merchant's first before any second, so that no backlog delays
/// another merchant. At most `limit` in all. An event waits for the first attempts of the
/// payment's earlier events, except `completed`.
pub(crate) fn due(
    tx: &ReadTx,
    now: Timestamp,
    per_merchant: u32,
    limit: u32,
) -> Result<Vec<Due>, Error> {
    // Steps from one waiting merchant to the next and reads only the first few of each, so the
    // cost does not grow with a backlog.
    let sql = "WITH RECURSIVE waiting (merchant) AS (
                   SELECT min(merchant_id) FROM events WHERE state = 'due'
                   UNION ALL
                   SELECT (SELECT min(merchant_id) FROM events
                           WHERE state = 'due' AND merchant_id > merchant)
                   FROM waiting WHERE merchant IS NOT NULL
               )
               SELECT id, merchant_id, url,
                   row_number() OVER (PARTITION BY merchant_id ORDER BY next_at, id) AS turn
               FROM waiting JOIN events AS found ON found.id IN (
                   SELECT id FROM events
                   WHERE state = 'due' AND merchant_id = merchant AND next_at <= ?1
                     AND (attempts > 0 OR kind = 'completed' OR NOT EXISTS (
                         SELECT 1 FROM events AS earlier
                         WHERE earlier.derivation_index = events.derivation_index
                           AND earlier.sequence < events.sequence
                           AND earlier.state = 'due' AND earlier.attempts = 0))
                   ORDER BY next_at, id LIMIT ?2
               )
               ORDER BY turn, next_at, id LIMIT ?3";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![now, per_merchant, limit], |row| {
        Ok(Due { id: row.get("id")?, merchant: row.get("merchant_id")?, url: row.get("url")? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Number of undelivered events.
pub(crate) fn count_due(tx: &ReadTx) -> Result<i64, Error> {
    let sql = "SELECT count(*) FROM events WHERE state = 'due'";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Records an attempt and the resulting state, in one transaction.
pub(crate) fn record_attempt(
    tx: &WriteTx,
    event_id: &str,
    attempt: &Attempt,
    state: State,
) -> Result<(), Error> {
    let sql = "INSERT INTO attempts
               (event_id, number, started_at, duration_ms, http_status, outcome, answer)
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    tx.connection.prepare_cached(sql)?.execute(params![
        event_id,
        attempt.number,
        attempt.started_at,
        attempt.duration_ms,
        attempt.http_status,
        attempt.outcome,
        attempt.answer,
    ])?;
    let next_at = match state {
        State::Due { next_at } => Some(next_at),
        State::Delivered | State::Failed | State::Unsent => None,
    };
    let sql = "UPDATE events SET attempts = ?, state = ?, next_at = ? WHERE id = ?";
    let values = params![attempt.number, state.as_str(), next_at, event_id];
    match tx.connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        _ => Err(impossible("no event", event_id)),
    }
}

/// Filter for events; absent parts exclude none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'w> {
    pub(crate) merchant: Option<MerchantId>,
    /// One of [`State::WORDS`].
    pub(crate) state: Option<&'w str>,
    /// The last event of the previous page.
    pub(crate) after: Option<&'w Event>,
}

/// Events with a webhook, newest first, at most `limit`.
pub(crate) fn list(tx: &ReadTx, wanted: &Wanted, limit: u32) -> Result<Vec<Event>, Error> {
    // Two statements, so that each can use an index.
    let whose = match wanted.merchant {
        Some(_) => "events.merchant_id = ?1",
        None => "?1 IS NULL",
    };
    let sql = format!(
        "SELECT {COLUMNS} FROM events JOIN payments USING (derivation_index)
         WHERE {whose} AND state <> 'none' AND (?2 IS NULL OR state = ?2)
           AND (?3 IS NULL OR events.created_at < ?3 OR (events.created_at = ?3 AND events.id > ?4))
         ORDER BY events.created_at DESC, events.id LIMIT ?5"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let (after_at, after_id) =
        wanted.after.map(|event| (event.created_at, event.id.as_str())).unzip();
    let values = params![wanted.merchant, wanted.state, after_at, after_id, limit];
    let rows = statement.query_map(values, |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

pub(crate) fn by_id(tx: &ReadTx, id: &str) -> Result<Option<Event>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events JOIN payments USING (derivation_index) WHERE events.id = ?"
    );
    tx.connection
        .prepare_cached(&sql)?
        .query_row([id], |row| from_row(tx, row))
        .optional()?
        .transpose()
}

pub(crate) fn of_payment(tx: &ReadTx, index: DerivationIndex) -> Result<Vec<Event>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events JOIN payments USING (derivation_index)
         WHERE events.derivation_index = ? ORDER BY sequence"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map([index], |row| from_row(tx, row))?;
    authenticated::trusted(rows)
}

/// The newest attempts of an event, newest first: at most `limit`, before number `before`.
pub(crate) fn attempts(
    tx: &ReadTx,
    event_id: &str,
    before: Option<u32>,
    limit: u32,
) -> Result<Vec<Attempt>, Error> {
    let sql = "SELECT number, started_at, duration_ms, http_status, outcome, answer
               FROM attempts WHERE event_id = ? AND number < ? ORDER BY number DESC LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let before = before.map_or(i64::MAX, i64::from);
    let rows = statement.query_map(params![event_id, before, limit], |row| {
        Ok(Attempt {
            number: row.get("number")?,
            started_at: row.get("started_at")?,
            duration_ms: row.get("duration_ms")?,
            http_status: row.get("http_status")?,
            outcome: row.get("outcome")?,
            answer: row.get("answer")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether an event itself is untrusted, rather than its payment or merchant.
pub(crate) fn is_of_an_event(error: &Error) -> bool {
    matches!(error, Error::Unverified { table, .. } if *table == EVENTS.name)
}

/// Fails an untrusted event: it is not sent, and blocks no other.
pub(crate) fn set_aside(tx: &WriteTx, id: &str) -> Result<(), Error> {
    let sql = "UPDATE events SET state = 'failed', next_at = NULL WHERE id = ?";
    tx.connection.execute(sql, [id])?;
    Ok(())
}

/// Makes an event with a URL due again in any state, and restarts its schedule. Returns whether
/// the event exists.
pub(crate) fn resend(tx: &WriteTx, id: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE events SET state = 'due', next_at = ?, attempts_before = attempts
               WHERE id = ? AND url IS NOT NULL";
    Ok(tx.connection.execute(sql, params![now, id])? > 0)
}

#[cfg(test)]
mod tests;
