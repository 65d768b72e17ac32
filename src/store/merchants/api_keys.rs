//! Named API keys. Their texts derive from the master secret and are not stored.
//!
//! Each row has the revision of the merchant's row at which the set of keys last shrank. A
//! revocation deletes one row and moves the others to the next revision, so a revoked row that
//! is restored does not match. The merchant's row has the number of keys.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};

use crate::domain::api_key::{ApiKeyId, NamedApiKey, Scope};
use crate::domain::merchant::{BusinessName, MerchantId};
use crate::domain::time::Timestamp;
use crate::store::authenticated::{self, API_KEYS, MISSING, Value};
use crate::store::columns::impossible;
use crate::store::error::Error;
use crate::store::tx::{ReadTx, WriteTx};

use super::row::{change, from_row, next_revision, verified};

/// The set of named keys, from the merchant's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct KeySet {
    /// The revision of the valid rows; `None` before the first key.
    revision: Option<u32>,
    count: u32,
}

fn key_set(tx: &ReadTx, merchant: MerchantId) -> Result<KeySet, Error> {
    let set = verified(tx, merchant, |row| {
        let count: Option<u32> = row.get("api_keys")?;
        Ok(KeySet { revision: row.get("api_keys_revision")?, count: count.unwrap_or(0) })
    })?;
    Ok(set.unwrap_or(KeySet { revision: None, count: 0 }))
}

fn read(tx: &ReadTx, row: &Row) -> rusqlite::Result<Result<NamedApiKey, Error>> {
    if let Err(error) = tx.verify(&API_KEYS, row)? {
        return Ok(Err(error));
    }
    let (name, scope): (String, String) = (row.get("name")?, row.get("scope")?);
    let Ok(name) = BusinessName::parse(&name) else {
        return Ok(Err(impossible("api_keys.name", name)));
    };
    let Ok(scope) = scope.parse::<Scope>() else {
        return Ok(Err(impossible("api_keys.scope", scope)));
    };
    Ok(Ok(NamedApiKey {
        merchant: row.get("merchant_id")?,
        id: row.get("id")?,
        name,
        scope,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
    }))
}

/// The merchant's valid named keys, the oldest first. Unverified rows are skipped: `audit`
/// reports them.
///
/// # Errors
/// [`Error::Unverified`] if the merchant's row does not verify, and database errors.
pub(crate) fn api_keys(tx: &ReadTx, merchant: MerchantId) -> Result<Vec<NamedApiKey>, Error> {
    let set = key_set(tx, merchant)?;
    let sql = "SELECT * FROM api_keys WHERE merchant_id = ? AND revision = ?
               ORDER BY created_at, id";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![merchant, set.revision], |row| read(tx, row))?;
    authenticated::trusted(rows)
}

/// The valid named key with this id.
///
/// # Errors
/// [`Error::Unverified`] if its row or the merchant's does not verify, and database errors.
pub(crate) fn api_key(
    tx: &ReadTx,
    merchant: MerchantId,
    id: ApiKeyId,
) -> Result<Option<NamedApiKey>, Error> {
    let set = key_set(tx, merchant)?;
    let sql = "SELECT * FROM api_keys WHERE merchant_id = ? AND id = ? AND revision = ?";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let found = statement.query_row(params![merchant, id, set.revision], |row| read(tx, row));
    found.optional()?.transpose()
}

pub(crate) fn insert_api_key(tx: &WriteTx, key: &NamedApiKey) -> Result<(), Error> {
    let set = key_set(tx, key.merchant)?;
    let count = set.count.saturating_add(1);
    let revision = match set.revision {
        Some(revision) => revision,
        None => next_revision(tx, key.merchant)?,
    };
    change(tx, key.merchant, &[("api_keys_revision", &revision), ("api_keys", &count)])?;
    let (name, scope) = (key.name.as_str(), key.scope.as_str());
    let values: [Value; 7] = [
        ("merchant_id", &key.merchant),
        ("id", &key.id),
        ("revision", &revision),
        ("name", &name),
        ("scope", &scope),
        ("created_at", &key.created_at),
        ("last_used_at", &key.last_used_at),
    ];
    authenticated::insert(tx, &API_KEYS, &values)
}

pub(crate) fn revoke_api_key(
    tx: &WriteTx,
    merchant: MerchantId,
    id: ApiKeyId,
) -> Result<(), Error> {
    let kept: Vec<ApiKeyId> =
        api_keys(tx, merchant)?.into_iter().map(|key| key.id).filter(|kept| *kept != id).collect();
    let (revision, count) = (next_revision(tx, merchant)?, u32::try_from(kept.len()).unwrap_or(0));
    for id in &kept {
        authenticated::update(tx, &API_KEYS, &[&merchant, id], &[("revision", &revision)])?;
    }
    // The revoked row, and restored rows of earlier revisions.
    let sql = "DELETE FROM api_keys WHERE merchant_id = ? AND revision <> ?";
    tx.connection.execute(sql, params![merchant, revision])?;
    change(tx, merchant, &[("api_keys_revision", &revision), ("api_keys", &count)])
}

/// Records that a named key was used.
pub(crate) fn note_api_key_used(
    tx: &WriteTx,
    merchant: MerchantId,
    id: ApiKeyId,
    at: Timestamp,
) -> Result<(), Error> {
    let used = api_key(tx, merchant, id)?.filter(|key| key.is_use_worth_noting(at));
    if used.is_some() {
        authenticated::update(tx, &API_KEYS, &[&merchant, &id], &[("last_used_at", &at)])?;
    }
    Ok(())
}

pub(super) fn end_api_keys(tx: &WriteTx, merchant: MerchantId) -> Result<(), Error> {
    let sql = "DELETE FROM api_keys WHERE merchant_id = ?";
    let ended = tx.connection.execute(sql, [merchant])?;
    if ended > 0 {
        tracing::warn!(merchant_id = %merchant, ended, "named API keys revoked; add new ones");
    }
    let revision = next_revision(tx, merchant)?;
    change(tx, merchant, &[("api_keys_revision", &revision), ("api_keys", &0)])
}

/// Merchants with fewer verified named keys than their rows say.
pub(crate) fn missing_api_keys(tx: &ReadTx) -> Result<Vec<Error>, Error> {
    let mut shown: BTreeMap<(MerchantId, u32), u32> = BTreeMap::new();
    let mut statement = tx.connection.prepare("SELECT * FROM api_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if tx.verify(&API_KEYS, row)?.is_ok() {
            let of = (row.get("merchant_id")?, row.get("revision")?);
            *shown.entry(of).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    let sql = "SELECT * FROM merchants WHERE api_keys > 0";
    let mut statement = tx.connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Ok(merchant) = from_row(tx, row)? else { continue }; // reported itself
        let revision: Option<u32> = row.get("api_keys_revision")?;
        let valid = shown.get(&(merchant.id, revision.unwrap_or(0))).copied().unwrap_or(0);
        if valid < row.get("api_keys")? {
            found.push(tx.unverified(&API_KEYS, merchant.id.to_string(), MISSING));
        }
    }
    Ok(found)
}
