//! What somebody was asked to confirm by a button, until they do or the time is up.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::authenticated::{self, CONFIRMATIONS, Value};
use super::columns::impossible;
use super::{Error, ReadTx, WriteTx};

/// A question that waits for its button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// 128 random bits in hexadecimal digits: nobody guesses it.
    pub(crate) id: String,
    pub(crate) discord_id: u64,
    pub(crate) act: String,
    pub(crate) argument: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// Questions that are forgotten at most when one is stored: more than one, so that they get fewer.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// Stores a question. Some of those that ran out more than a day ago are forgotten.
pub(crate) fn insert(tx: &WriteTx, new: &Confirmation, now: Timestamp) -> Result<(), Error> {
    let long_over = now.plus_ms(-crate::domain::time::DAY_MS);
    let sql = "DELETE FROM confirmations
               WHERE id IN (SELECT id FROM confirmations WHERE expires_at < ? LIMIT ?)";
    tx.connection.execute(sql, params![long_over, FORGOTTEN_AT_ONCE])?;
    let user = new.discord_id.to_string();
    let values: [Value; 5] = [
        ("id", &new.id),
        ("discord_id", &user),
        ("act", &new.act),
        ("argument", &new.argument),
        ("expires_at", &new.expires_at),
    ];
    authenticated::insert(tx, &CONFIRMATIONS, &values)
}

/// The question of this id.
pub(crate) fn find(tx: &ReadTx, id: &str) -> Result<Option<Confirmation>, Error> {
    let sql = "SELECT * FROM confirmations WHERE id = ?";
    let row = tx.connection.prepare_cached(sql)?.query_row([id], |row| {
        if let Err(error) = tx.verify(&CONFIRMATIONS, row)? {
            return Ok(Err(error));
        }
        let user: String = row.get("discord_id")?;
        let Ok(discord_id) = user.parse() else {
            return Ok(Err(impossible("confirmations.discord_id", user)));
        };
        Ok(Ok(Confirmation {
            id: row.get("id")?,
            discord_id,
            act: row.get("act")?,
            argument: row.get("argument")?,
            expires_at: row.get("expires_at")?,
            used_at: row.get("used_at")?,
        }))
    });
    row.optional()?.transpose()
}

/// Uses a question up, in the write that does what it asked. Answers whether this was the first.
pub(crate) fn use_up(tx: &WriteTx, id: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE confirmations SET used_at = ? WHERE id = ? AND used_at IS NULL";
    Ok(tx.connection.execute(sql, params![now, id])? == 1)
}
