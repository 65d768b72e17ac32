//! What this database belongs to. Coins of one key on one chain must never meet those of another.

use rusqlite::OptionalExtension;

use super::{Error, ReadTx, WriteTx};

/// A fingerprint of the installation, written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Network,
    /// The account key in its core spelling, so that two spellings of one key agree.
    Xpub,
    /// A tag of the installation's secret; it tells another secret without revealing this one.
    Secret,
    /// How it became known which addresses of the account were used before this database existed.
    AccountScan,
}

impl Mark {
    fn name(self) -> &'static str {
        match self {
            Mark::Network => "network",
            Mark::Xpub => "xpub",
            Mark::Secret => "secret",
            Mark::AccountScan => "account_scan",
        }
    }
}

/// The stored value of a mark.
pub(crate) fn get(tx: &ReadTx, mark: Mark) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM identity WHERE name = ?";
    Ok(tx.connection.query_row(sql, [mark.name()], |row| row.get(0)).optional()?)
}

/// Writes the mark in the place of the one that is there.
pub(crate) fn replace(tx: &WriteTx, mark: Mark, value: &str) -> Result<(), Error> {
    let sql = "INSERT INTO identity (name, value) VALUES (?, ?)
               ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.connection.execute(sql, [mark.name(), value])?;
    Ok(())
}

/// Writes the mark if there is none yet, and returns the one that stands.
pub(crate) fn claim(tx: &WriteTx, mark: Mark, value: &str) -> Result<String, Error> {
    let sql = "INSERT INTO identity (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING";
    tx.connection.execute(sql, [mark.name(), value])?;
    get(tx, mark)?.ok_or_else(|| Error::Impossible(format!("no identity {}", mark.name())))
}
