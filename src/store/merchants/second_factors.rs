//! Second factors: the encrypted secret of an authenticator app, and the codes used.
//!
//! The merchant's row, whose revision has a head outside of the database, names the revision
//! at which the row of an enabled factor is valid. Each change moves both to the next
//! revision, so neither a deleted row nor an older state of it disables a factor or accepts a
//! used code: the factor is then unusable until an operator disables it.

use crate::domain::merchant::MerchantId;
use crate::domain::second_factor::{HASH_BYTES, RecoveryHash, SecondFactor};
use crate::domain::time::Timestamp;
use rusqlite::{OptionalExtension, Row};

use crate::store::authenticated::{self, MISSING, SECOND_FACTORS, Value};

use crate::store::columns::impossible;
use crate::store::error::Error;
use crate::store::heads::{FactorHead, Head};
use crate::store::tx::{ReadTx, WriteTx};

use super::row::{change, from_row, next_revision, revision_of, verified};

/// The state of a merchant's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Off,
    /// Waits for its first code, and protects nothing yet.
    Begun(SecondFactor),
    Enabled(SecondFactor),
    /// Enabled, but its row does not verify, is missing or is an older one.
    Unusable,
}

struct Stored {
    factor: SecondFactor,
    revision: u32,
    enabled_revision: Option<u32>,
}

fn read(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<Stored, Error>> {
    if let Err(error) = tx.verify(&SECOND_FACTORS, row)? {
        return Ok(Err(error));
    }
    let recovery: Vec<u8> = row.get("recovery")?;
    let (hashes, rest) = recovery.as_chunks::<HASH_BYTES>();
    let last_step: i64 = row.get("last_step")?;
    let (true, Ok(last_step)) = (rest.is_empty(), u64::try_from(last_step)) else {
        return Ok(Err(impossible("second_factors", row.get::<_, i64>("merchant_id")?)));
    };
    let factor = SecondFactor {
        merchant: row.get("merchant_id")?,
        secret: row.get("secret")?,
        begun_at: row.get("begun_at")?,
        last_step,
        wrong: row.get("wrong")?,
        locked_until: row.get("locked_until")?,
        recovery: hashes.iter().map(|hash| RecoveryHash(*hash)).collect(),
    };
    let enabled_revision = row.get("enabled_revision")?;
    Ok(Ok(Stored { factor, revision: row.get("revision")?, enabled_revision }))
}

/// The row of a merchant; `None` if there is none that verifies.
fn stored(tx: &ReadTx, merchant: MerchantId) -> Result<Option<Stored>, Error> {
    let sql = "SELECT * FROM second_factors WHERE merchant_id = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row([merchant], |row| read(tx, row)).optional();
    match found.map_err(Error::from).and_then(Option::transpose) {
        Err(error) if error.is_of_a_row() => Ok(None), // the merchant's row decides
        found => found,
    }
}

/// The merchant's second factor.
///
/// # Errors
/// [`Error::Unverified`] if the merchant's row does not verify, and database errors.
pub(crate) fn second_factor(tx: &ReadTx, merchant: MerchantId) -> Result<State, Error> {
    let valid: Option<u32> =
        verified(tx, merchant, |row| row.get("second_factor_revision"))?.flatten();
    Ok(match (valid, stored(tx, merchant)?) {
        (None, Some(stored)) if stored.enabled_revision.is_none() => State::Begun(stored.factor),
        (None, _) => State::Off,
        (Some(valid), Some(stored))
            if stored.revision == valid && stored.enabled_revision.is_some() =>
        {
            State::Enabled(stored.factor)
        }
        (Some(_), _) => State::Unusable,
    })
}

/// Stores a factor that waits for its first code. Replaces an earlier one in setup.
pub(crate) fn begin_second_factor(tx: &WriteTx, factor: &SecondFactor) -> Result<(), Error> {
    forget(tx, factor.merchant)?;
    let revision = revision_of(tx, factor.merchant)?;
    let none = None::<Timestamp>;
    let recovery = joined(&factor.recovery);
    let values: [Value; 9] = [
        ("merchant_id", &factor.merchant),
        ("revision", &revision),
        ("secret", &factor.secret),
        ("begun_at", &factor.begun_at),
        ("enabled_revision", &none),
        ("last_step", &0),
        ("wrong", &0),
        ("locked_until", &none),
        ("recovery", &recovery),
    ];
    authenticated::insert(tx, &SECOND_FACTORS, &values)
}

/// Enables the factor in setup.
pub(crate) fn enable_second_factor(tx: &WriteTx, factor: &SecondFactor) -> Result<(), Error> {
    let revision = next_revision(tx, factor.merchant)?;
    let enabled: [Value; 1] = [("enabled_revision", &revision)];
    authenticated::update(tx, &SECOND_FACTORS, &[&factor.merchant], &enabled)?;
    save_second_factor(tx, factor)?;
    decide(tx, factor.merchant, FactorHead::enabled_at(revision));
    Ok(())
}

/// Stores the used codes of an enabled factor.
pub(crate) fn save_second_factor(tx: &WriteTx, factor: &SecondFactor) -> Result<(), Error> {
    let revision = next_revision(tx, factor.merchant)?;
    let last_step = i64::try_from(factor.last_step).unwrap_or(i64::MAX);
    let recovery = joined(&factor.recovery);
    let changes: [Value; 5] = [
        ("revision", &revision),
        ("last_step", &last_step),
        ("wrong", &factor.wrong),
        ("locked_until", &factor.locked_until),
        ("recovery", &recovery),
    ];
    authenticated::update(tx, &SECOND_FACTORS, &[&factor.merchant], &changes)?;
    change(tx, factor.merchant, &[("second_factor_revision", &revision)])
}

/// Disables the factor in any state.
pub(crate) fn disable_second_factor(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    forget(tx, merchant)?;
    let (revision, none) = (next_revision(tx, merchant)?, None::<u32>);
    change(tx, merchant, &[("second_factor_revision", &none)])?;
    decide(tx, merchant, FactorHead::disabled_at(revision));
    Ok(())
}

fn forget(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    tx.connection.execute("DELETE FROM second_factors WHERE merchant_id = ?", [merchant])?;
    Ok(())
}

fn joined(hashes: &[RecoveryHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// Records the decision in the head outside of the database.
fn decide(tx: &WriteTx, merchant: MerchantId, second_factor: FactorHead) {
    tx.raise_head(merchant, Head { second_factor, ..Head::default() });
}

/// Adjusts the factor of a merchant's row that was restored or vouched for to its head.
///
/// A factor that was enabled before the row was stored keeps its secret; its recovery codes
/// are revoked, since it is unknown which were used. One that was enabled later is not in the
/// database, so the factor is unusable until an operator disables it. One that was disabled
/// later stays disabled.
pub(super) fn follow_head(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    let head = tx.head_of(merchant).second_factor;
    let row: Option<u32> =
        verified(tx, merchant, |row| row.get("second_factor_revision"))?.flatten();
    if head.is_none() && row.is_none() {
        return Ok(());
    }
    // The head is below the row if a kill prevented raising it.
    let is_newest = |stored: &Stored| {
        stored.enabled_revision.is_some_and(|revision| FactorHead::enabled_at(revision) >= head)
    };
    match stored(tx, merchant)?.filter(is_newest) {
        Some(stored) => {
            tracing::warn!(merchant_id = %merchant, "recovery codes of the second factor revoked");
            save_second_factor(tx, &SecondFactor { recovery: Vec::new(), ..stored.factor })
        }
        None if head.is_disabled() => match row {
            Some(_) => disable_second_factor(tx, merchant),
            None => Ok(()),
        },
        None => {
            tracing::warn!(
                merchant_id = %merchant,
                "second factor unusable; run litegate merchant second-factor disable"
            );
            let revision = next_revision(tx, merchant)?;
            change(tx, merchant, &[("second_factor_revision", &revision)])
        }
    }
}

pub(crate) fn enabled_second_factors(tx: &ReadTx) -> Result<Vec<(MerchantId, FactorHead)>, Error> {
    let mut statement = tx.connection.prepare("SELECT * FROM second_factors")?;
    let rows = statement.query_map([], |row| read(tx, row))?;
    let enabled = authenticated::trusted(rows)?.into_iter().filter_map(|stored| {
        let revision = stored.enabled_revision?;
        Some((stored.factor.merchant, FactorHead::enabled_at(revision)))
    });
    Ok(enabled.collect())
}

/// Merchants whose enabled factor is unusable.
pub(crate) fn missing_second_factors(tx: &ReadTx) -> Result<Vec<Error>, Error> {
    let mut found = Vec::new();
    let sql = "SELECT * FROM merchants WHERE second_factor_revision IS NOT NULL";
    let mut statement = tx.connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(merchant) = from_row(tx, row)? else { continue }; // reported itself
        if second_factor(tx, merchant.id)? == State::Unusable {
            found.push(tx.unverified(&SECOND_FACTORS, merchant.id.to_string(), MISSING));
        }
    }
    Ok(found)
}

/// The stored factor of a merchant, in any state; `None` if there is none that verifies.
pub(crate) fn stored_second_factor(
    tx: &ReadTx,
    merchant: MerchantId,
) -> Result<Option<SecondFactor>, Error> {
    Ok(stored(tx, merchant)?.map(|stored| stored.factor))
}
