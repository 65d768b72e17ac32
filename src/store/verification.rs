//! Verification of all authenticated rows, and of their heads.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;

use crate::domain::merchant::MerchantId;
use crate::secret::RowKeys;

use super::audit_log_hash as hash;
use super::authenticated::{MERCHANTS, MISSING, PAYOUT_ADDRESSES, TABLES};
use super::error::Error;
use super::heads::{self, Head, Heads};
use super::merchants;
use super::tx::ReadTx;

/// Creates the file of heads, if it is missing, from the rows that verify.
///
/// # Errors
/// If the file cannot be read or written, and database errors.
pub(super) fn find_heads(
    connection: &Connection,
    keys: &RowKeys,
    heads: &Heads,
) -> Result<(), Error> {
    if heads.exist() {
        return heads.now().map(|_| ());
    }
    let found = heads_of(&ReadTx::new(connection, keys, Arc::default()))?;
    if !found.merchants.is_empty() {
        tracing::warn!("the file of heads was missing; created from the database");
    }
    heads.raise(&found)
}

/// The heads of a database's rows, as far as the rows verify.
pub(super) fn heads_of(tx: &ReadTx) -> Result<heads::State, Error> {
    let audit_log = hash::head(tx)?;
    let audit_log = Some(audit_log).filter(|head| head.id > 0);
    let mut found = heads::State { audit_log, ..heads::State::default() };
    let mut raise = |merchant: MerchantId, to: Head| {
        let head = found.merchants.entry(merchant).or_default();
        *head = head.or_higher(to);
    };
    let mut statement = tx.connection.prepare("SELECT * FROM merchants")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if tx.verify(&MERCHANTS, row)?.is_ok() {
            let head = Head {
                revision: row.get("revision")?,
                key: row.get("key_version")?,
                secret: row.get("webhook_version")?,
                ..Head::default()
            };
            raise(row.get("id")?, head);
        }
    }
    let mut cancelled: BTreeMap<MerchantId, u32> = BTreeMap::new();
    let mut statement = tx.connection.prepare("SELECT * FROM payout_addresses")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if tx.verify(&PAYOUT_ADDRESSES, row)?.is_ok() {
            let merchant = row.get("merchant_id")?;
            let count = cancelled.entry(merchant).or_default();
            let is_cancelled = row.get::<_, Option<i64>>("cancelled_at")?.is_some();
            *count = count.saturating_add(u32::from(is_cancelled));
            let (addresses, cancelled) = (row.get("version")?, *count);
            raise(merchant, Head { addresses, cancelled, ..Head::default() });
        }
    }
    for (merchant, second_factor) in merchants::enabled_second_factors(tx)? {
        raise(merchant, Head { second_factor, ..Head::default() });
    }
    Ok(found)
}

/// Untrusted rows: those that do not verify, merchants' rows older than their heads, and
/// missing rows; at most `most`. Of each table the `newest` rows are examined.
pub(crate) fn unverified(tx: &ReadTx, newest: u32, most: usize) -> Result<Vec<Error>, Error> {
    let mut found = missing(tx)?;
    found.extend(merchants::missing_api_keys(tx)?);
    found.extend(merchants::missing_second_factors(tx)?);
    for table in TABLES {
        let (columns, keys) = (table.columns.join(", "), table.key().join(" DESC, "));
        let sql = format!(
            "SELECT {columns}, mac FROM {} ORDER BY {keys} DESC LIMIT {newest}",
            table.name
        );
        let mut statement = tx.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            found.extend(tx.verify(table, row)?.err());
            if found.len() >= most {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// Rows that the heads know and the database lacks.
fn missing(tx: &ReadTx) -> Result<Vec<Error>, Error> {
    let shown = heads_of(tx)?;
    let mut found = Vec::new();
    for (merchant, head) in &tx.heads.merchants {
        let rows = shown.merchants.get(merchant).copied().unwrap_or_default();
        let (name, parts) = (
            merchant.to_string(),
            [
                (&MERCHANTS, head.revision > rows.revision),
                (
                    &PAYOUT_ADDRESSES,
                    head.addresses > rows.addresses || head.cancelled > rows.cancelled,
                ),
            ],
        );
        let is_missing = parts.into_iter().filter(|(_, is_missing)| *is_missing);
        found.extend(is_missing.map(|(table, _)| tx.unverified(table, name.clone(), MISSING)));
    }
    Ok(found)
}
