//! Pending actions of the bot, until they are confirmed or expire.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::authenticated::{self, CONFIRMATIONS, Value};
use super::columns::impossible;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// A question with a confirmation button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// 128 random bits in hexadecimal digits, which cannot be guessed.
    pub(crate) id: String,
    pub(crate) discord_id: u64,
    pub(crate) act: String,
    pub(crate) argument: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) used_at: Option<Timestamp>,
}

/// Maximum number of expired questions deleted per insert: more than one, so that their number
/// falls.
const FORGOTTEN_AT_ONCE: u32 = 100;

/// Stores a question. Deletes some that expired more than a day ago.
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

/// Marks a question as used, in the transaction of its action. Returns whether it was unused.
pub(crate) fn use_up(tx: &WriteTx, id: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE confirmations SET used_at = ? WHERE id = ? AND used_at IS NULL";
    Ok(tx.connection.execute(sql, params![now, id])? == 1)
}
