//! What this database belongs to. Coins of one key on one chain must never meet those of another.

use rusqlite::OptionalExtension;

use super::authenticated::{self, IDENTITY};
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
///
/// # Errors
/// [`Error::Unverified`] if this gateway did not write it, and those of the database.
pub(crate) fn get(tx: &ReadTx, mark: Mark) -> Result<Option<String>, Error> {
    let sql = "SELECT * FROM identity WHERE name = ?";
    let value = tx.connection.query_row(sql, [mark.name()], |row| {
        let value = row.get("value")?;
        Ok(tx.verify(&IDENTITY, row)?.map(|()| value))
    });
    value.optional()?.transpose()
}

/// As [`get`], of a database that may belong to another secret: the value is only compared.
pub(crate) fn peek(tx: &ReadTx, mark: Mark) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM identity WHERE name = ?";
    Ok(tx.connection.query_row(sql, [mark.name()], |row| row.get(0)).optional()?)
}

/// Writes the mark in the place of the one that is there.
pub(crate) fn replace(tx: &WriteTx, mark: Mark, value: &str) -> Result<(), Error> {
    tx.connection.execute("DELETE FROM identity WHERE name = ?", [mark.name()])?;
    authenticated::insert(tx, &IDENTITY, &[("name", &mark.name()), ("value", &value)])
}

/// Writes the mark if there is none yet, and returns the one that stands. It is a write even where
/// nothing changes, so that a database that cannot be written is found here.
pub(crate) fn claim(tx: &WriteTx, mark: Mark, value: &str) -> Result<String, Error> {
    let values: [authenticated::Value; 2] = [("name", &mark.name()), ("value", &value)];
    authenticated::insert_if_absent(tx, &IDENTITY, &values)?;
    peek(tx, mark)?.ok_or_else(|| Error::Impossible(format!("the mark {} vanished", mark.name())))
}
