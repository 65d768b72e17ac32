//! The sweeper's seals of payments, and the facts that they cover.

use bitcoin::ScriptBuf;
use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;

use super::columns::script;
use super::{Error, ReadTx, WriteTx};

/// What a seal covers: whose money comes to which script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedFacts {
    pub(crate) index: DerivationIndex,
    pub(crate) payment: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
}

const COLUMNS: &str = "derivation_index, id, merchant_id, script";

fn from_row(row: &rusqlite::Row) -> rusqlite::Result<SealedFacts> {
    Ok(SealedFacts {
        index: row.get("derivation_index")?,
        payment: row.get("id")?,
        merchant: row.get("merchant_id")?,
        script: script(row, "script")?,
    })
}

/// The facts of the payments from an index on, so many at most.
pub(crate) fn facts_from(tx: &ReadTx, index: u32, limit: u32) -> Result<Vec<SealedFacts>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM payments WHERE derivation_index >= ?
         ORDER BY derivation_index LIMIT ?"
    );
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![index, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The facts of one payment.
pub(crate) fn facts_of(tx: &ReadTx, index: DerivationIndex) -> Result<Option<SealedFacts>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM payments WHERE derivation_index = ?");
    Ok(tx.connection.prepare_cached(&sql)?.query_row([index], from_row).optional()?)
}

/// The seal of a payment.
pub(crate) fn of(tx: &ReadTx, index: DerivationIndex) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT seal FROM payment_seals WHERE derivation_index = ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row([index], |row| row.get(0)).optional()?)
}

/// How many payments have no seal.
pub(crate) fn unsealed_count(tx: &ReadTx) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM payments
               WHERE derivation_index NOT IN (SELECT derivation_index FROM payment_seals)";
    let count: i64 = tx.connection.query_row(sql, [], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Whether there is any seal.
pub(crate) fn any(tx: &ReadTx) -> Result<bool, Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM payment_seals)";
    Ok(tx.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Stores a seal, unless the payment has one: the first one counts.
pub(crate) fn insert(tx: &WriteTx, index: DerivationIndex, seal: &[u8]) -> Result<(), Error> {
    let sql = "INSERT OR IGNORE INTO payment_seals (derivation_index, seal) VALUES (?, ?)";
    tx.connection.prepare_cached(sql)?.execute(params![index, seal])?;
    Ok(())
}

/// Takes so many seals away, where the operator vouches for what the database says now. Answers how
/// many there were.
pub(crate) fn forget(tx: &WriteTx, limit: u32) -> Result<usize, Error> {
    let sql = "DELETE FROM payment_seals
               WHERE derivation_index IN (SELECT derivation_index FROM payment_seals LIMIT ?)";
    Ok(tx.connection.execute(sql, [limit])?)
}
