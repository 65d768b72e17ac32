//! The locale in which each Discord user last used the bot.

use rusqlite::{OptionalExtension, params};

use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// The locale of a user; `None` if they never used the bot.
pub(crate) fn of(tx: &ReadTx, user: u64) -> Result<Option<String>, Error> {
    let sql = "SELECT locale FROM discord_locales WHERE discord_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    Ok(statement.query_row([user.to_string()], |row| row.get(0)).optional()?)
}

/// Stores the locale of a user.
pub(crate) fn remember(tx: &WriteTx, user: u64, locale: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO discord_locales (discord_id, locale, since) VALUES (?1, ?2, ?3)
               ON CONFLICT (discord_id) DO UPDATE SET locale = ?2, since = ?3";
    tx.connection.execute(sql, params![user.to_string(), locale, now])?;
    Ok(())
}
