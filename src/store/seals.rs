//! The sweeper's seals of payments, and the facts that they cover.

use bitcoin::ScriptBuf;
use rusqlite::{OptionalExtension, params};

use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::{Payment, PaymentId};
use crate::domain::time::Timestamp;

use super::error::Error;
use super::tx::{ReadTx, WriteTx};
use super::{indexes, payments};

/// The facts that a seal covers: which merchant is paid through which script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedFacts {
    pub(crate) index: DerivationIndex,
    pub(crate) payment: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
}

impl SealedFacts {
    pub(crate) fn of(payment: &Payment) -> SealedFacts {
        SealedFacts {
            index: payment.index,
            payment: payment.id,
            merchant: payment.merchant,
            script: payment.script.clone(),
        }
    }
}

/// The facts of a payment, and when it was created.
pub(crate) type Created = (SealedFacts, Timestamp);

/// The facts of at most `limit` issued payments from an index on, each with its creation time,
/// and the index above them. Unreadable payments are skipped. `None` if there is no further
/// payment.
pub(crate) fn facts_from(
    tx: &ReadTx,
    index: u32,
    limit: u32,
) -> Result<Option<(Vec<Created>, u32)>, Error> {
    let sql = "SELECT * FROM payments WHERE derivation_index >= ? AND derivation_index < ?
               ORDER BY derivation_index LIMIT ?";
    let next = indexes::next_index(tx)?;
    let mut statement = tx.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![index, next, limit])?;
    let (mut facts, mut below) = (Vec::new(), None);
    while let Some(row) = rows.next()? {
        let at: u32 = row.get("derivation_index")?;
        below = Some(at.saturating_add(1));
        match payments::from_row(tx, row).map_err(Error::from).and_then(|read| read) {
            Ok(found) => facts.push((SealedFacts::of(&found.payment), found.payment.created_at)),
            Err(error) if error.is_of_a_row() => {
                tracing::error!(index = at, %error, "a payment cannot be read, and is not sealed");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(below.map(|below| (facts, below)))
}

pub(crate) fn facts_of(tx: &ReadTx, index: DerivationIndex) -> Result<Option<SealedFacts>, Error> {
    let found = payments::readable(tx, index)?;
    Ok(found.map(|found| SealedFacts::of(&found.payment)))
}

pub(crate) fn of(tx: &ReadTx, index: DerivationIndex) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT seal FROM payment_seals WHERE derivation_index = ?";
    Ok(tx.connection.prepare_cached(sql)?.query_row([index], |row| row.get(0)).optional()?)
}

/// The facts of at most `limit` payments of a merchant, from an index on.
pub(crate) fn facts_of_merchant(
    tx: &ReadTx,
    merchant: MerchantId,
    index: u32,
    limit: u32,
) -> Result<Vec<SealedFacts>, Error> {
    let sql = "SELECT * FROM payments WHERE merchant_id = ? AND derivation_index >= ?
               ORDER BY derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows =
        statement.query_map(params![merchant, index, limit], |row| payments::from_row(tx, row))?;
    rows.map(|row| Ok(SealedFacts::of(&row??.payment))).collect()
}

/// At most `limit` issued payments without a seal, from an index on.
pub(crate) fn unsealed_from(
    tx: &ReadTx,
    index: u32,
    limit: u32,
) -> Result<Vec<DerivationIndex>, Error> {
    let sql = "SELECT derivation_index FROM payments
               WHERE derivation_index >= ? AND derivation_index < ?
                 AND NOT EXISTS (SELECT 1 FROM payment_seals
                                 WHERE payment_seals.derivation_index = payments.derivation_index)
               ORDER BY derivation_index LIMIT ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let next = indexes::next_index(tx)?;
    let rows = statement.query_map(params![index, next, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

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

/// Replaces a seal: the operator vouches for the payment.
pub(crate) fn replace(tx: &WriteTx, index: DerivationIndex, seal: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO payment_seals (derivation_index, seal) VALUES (?, ?)
               ON CONFLICT (derivation_index) DO UPDATE SET seal = excluded.seal";
    tx.connection.prepare_cached(sql)?.execute(params![index, seal])?;
    Ok(())
}

/// Deletes at most `limit` seals, when the operator vouches for the database as it is. Returns
/// how many.
pub(crate) fn forget(tx: &WriteTx, limit: u32) -> Result<usize, Error> {
    let sql = "DELETE FROM payment_seals
               WHERE derivation_index IN (SELECT derivation_index FROM payment_seals LIMIT ?)";
    Ok(tx.connection.execute(sql, [limit])?)
}
