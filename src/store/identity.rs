//! The identity of the database: network, account key and secret. Coins of different keys or
//! chains must never mix.

use rusqlite::OptionalExtension;

use super::authenticated::{self, IDENTITY};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// A property of the installation, written once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Network,
    /// The account key in BIP32's serialization, so that two serializations of one key agree.
    Xpub,
    /// A tag of the master secret, which identifies it without revealing it.
    Secret,
    /// How it was established which addresses of the account were used before this database
    /// existed.
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
/// [`Error::Unverified`] if this gateway did not write it, and database errors.
pub(crate) fn get(tx: &ReadTx, mark: Mark) -> Result<Option<String>, Error> {
    let sql = "SELECT * FROM identity WHERE name = ?";
    let value = tx.connection.query_row(sql, [mark.name()], |row| {
        let value = row.get("value")?;
        Ok(tx.verify(&IDENTITY, row)?.map(|()| value))
    });
    value.optional()?.transpose()
}

/// As [`get`], for a database that may belong to another secret: the value is only compared.
pub(crate) fn peek(tx: &ReadTx, mark: Mark) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM identity WHERE name = ?";
    Ok(tx.connection.query_row(sql, [mark.name()], |row| row.get(0)).optional()?)
}

/// Replaces a mark.
pub(crate) fn replace(tx: &WriteTx, mark: Mark, value: &str) -> Result<(), Error> {
    tx.connection.execute("DELETE FROM identity WHERE name = ?", [mark.name()])?;
    authenticated::insert(tx, &IDENTITY, &[("name", &mark.name()), ("value", &value)])
}

/// Stores the mark if there is none, and returns the stored one. It writes even without a
/// change, so that a read-only database is detected here.
pub(crate) fn claim(tx: &WriteTx, mark: Mark, value: &str) -> Result<String, Error> {
    let values: [authenticated::Value; 2] = [("name", &mark.name()), ("value", &value)];
    authenticated::insert_if_absent(tx, &IDENTITY, &values)?;
    peek(tx, mark)?.ok_or_else(|| Error::Impossible(format!("the mark {} vanished", mark.name())))
}
