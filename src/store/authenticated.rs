//! Authenticated rows: tables whose rows carry a MAC over all of their columns.
//!
//! The columns of each table stand here once. A row is written with [`insert`] or [`update`], which
//! make its MAC from the values that the caller meant, not from those that the database holds. A
//! row is read by way of [`ReadTx::verify`]; one that does not verify is [`Error::Unverified`], and
//! has no other way out of the store.
//!
//! A MAC proves that this gateway wrote the row at some time. That a newer row was replaced by an
//! older one, or deleted, is found by the heads ([`super::heads`]).
//!
//! Must not know: what the columns mean.

pub(crate) mod reseal;
mod tables;

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::domain::merchant::MerchantId;
use crate::metrics;
use crate::secret::{MAC_BYTES, Mac, RowKey, RowKeys};

use super::audit_log::chain;
use super::canonical::input_value;
use super::heads::{self, Head, Heads};
use super::merchants;
use super::{Error, ReadTx, WriteTx};

pub(super) use tables::{
    API_KEYS, COINS, CONFIRMATIONS, EVENTS, IDEMPOTENCY_KEYS, IDENTITY, MERCHANTS,
    PAYOUT_ADDRESSES, SECOND_FACTORS, SKIPPED_INDEXES,
};
pub(crate) use tables::{PAYMENTS, TABLES, Table};

/// A value for a column.
pub(super) type Value<'v> = (&'static str, &'v dyn ToSql);

impl Table {
    /// The columns of the key.
    fn key(&self) -> &'static [&'static str] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// `a = ?1 AND b = ?2` for the columns of the key.
    fn by_key(&self) -> String {
        let conditions = self.key().iter().enumerate();
        let conditions: Vec<String> =
            conditions.map(|(at, column)| format!("{column} = ?{}", at + 1)).collect();
        conditions.join(" AND ")
    }

    /// How an error names a row.
    fn name_of(&self, row: &Row) -> String {
        let values = self.key().iter().map(|column| match row.get_ref(*column) {
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Blob(bytes)) => bitcoin::hex::DisplayHex::to_lower_hex_string(bytes),
            _ => "?".to_owned(),
        });
        values.collect::<Vec<_>>().join("/")
    }

    fn mac<'v>(
        &self,
        key: &RowKey,
        mut value: impl FnMut(&'static str) -> rusqlite::Result<ValueRef<'v>>,
    ) -> rusqlite::Result<Mac> {
        let mut mac = key.mac_of(self.name);
        for column in self.columns {
            let value = value(column)?;
            // NULL adds nothing, so a column that a later version adds leaves the MACs of the rows
            // that do not use it valid.
            if value != ValueRef::Null {
                mac.field(b'C', column.as_bytes());
                input_value(mac.engine(), value);
            }
        }
        Ok(mac)
    }
}

impl ReadTx<'_> {
    /// Checks the MAC of a row. All columns of the table and `mac` must be in the query under their
    /// own names.
    ///
    /// # Errors
    /// [`Error::Unverified`] names table and row.
    pub(super) fn verify(
        &self,
        table: &'static Table,
        row: &Row,
    ) -> rusqlite::Result<Result<(), Error>> {
        let Some(keys) = self.keys else { return Ok(Ok(())) };
        let stored = match row.get_ref("mac")? {
            ValueRef::Blob(bytes) => bytes,
            _ => &[],
        };
        for key in keys.now().all() {
            if table.mac(key, |column| row.get_ref(column))?.fits(stored) {
                return Ok(Ok(()));
            }
        }
        Ok(Err(self.unverified(table, table.name_of(row), "its MAC does not fit")))
    }

    /// The error for a row that is not believed. It counts in the metrics.
    pub(super) fn unverified(&self, table: &Table, row: String, why: &'static str) -> Error {
        metrics::unverified();
        Error::Unverified { table: table.name, row, why }
    }
}

/// The rows that are believed. One that cannot be read or does not verify is left out, so that it
/// keeps nothing else from being used; `audit` names it.
///
/// # Errors
/// Those of the database.
pub(super) fn believed<T>(
    rows: impl Iterator<Item = rusqlite::Result<Result<T, Error>>>,
) -> Result<Vec<T>, Error> {
    let believed = rows.filter_map(|row| match row.map_err(Error::from).and_then(|row| row) {
        Err(error) if error.is_of_a_row() => {
            tracing::debug!(%error, "a row is left out");
            None
        }
        row => Some(row),
    });
    believed.collect()
}

/// Adds a row with its MAC. Columns that are not given stay at their defaults, which the MAC covers
/// as NULL: all columns that it covers and that have another default must be given.
///
/// # Errors
/// Those of the database.
pub(super) fn insert(tx: &WriteTx, table: &Table, values: &[Value]) -> Result<(), Error> {
    insert_or(tx, table, values, "")
}

/// As [`insert`], unless there is a row with this key already.
///
/// # Errors
/// Those of the database.
pub(super) fn insert_if_absent(tx: &WriteTx, table: &Table, values: &[Value]) -> Result<(), Error> {
    insert_or(tx, table, values, " ON CONFLICT DO NOTHING")
}

fn insert_or(tx: &WriteTx, table: &Table, values: &[Value], conflict: &str) -> Result<(), Error> {
    let mac = mac_of(tx, table, values)?;
    let columns: Vec<&str> = values.iter().map(|(column, _)| *column).collect();
    let marks = vec!["?"; columns.len() + 1].join(", ");
    let (name, columns) = (table.name, columns.join(", "));
    let sql = format!("INSERT INTO {name} ({columns}, mac) VALUES ({marks}){conflict}");
    let bound = values.iter().map(|(_, value)| *value).chain([&mac as &dyn ToSql]);
    tx.connection.prepare_cached(&sql)?.execute(params_from_iter(bound))?;
    Ok(())
}

/// The MAC of a row with these values.
fn mac_of(tx: &WriteTx, table: &Table, values: &[Value]) -> Result<Option<[u8; MAC_BYTES]>, Error> {
    let Some(keys) = tx.keys else { return Ok(None) };
    let mut converted: Vec<(&str, ToSqlOutput)> = Vec::with_capacity(values.len());
    for (column, value) in values {
        converted.push((column, value.to_sql()?));
    }
    let mac = table.mac(&keys.now().current, |column| {
        let found = converted.iter().find(|(name, _)| *name == column);
        Ok(found.map_or(ValueRef::Null, |(_, value)| borrowed(value)))
    })?;
    Ok(Some(mac.finish()))
}

/// A value as SQLite will store it.
fn borrowed<'v>(value: &'v ToSqlOutput<'_>) -> ValueRef<'v> {
    match value {
        ToSqlOutput::Borrowed(value) => *value,
        ToSqlOutput::Owned(value) => value.into(),
        _ => ValueRef::Null,
    }
}

/// Changes columns of the row with this key: the row that is there is verified, and the MAC is made
/// over its values and the new ones. Answers whether there is one.
///
/// # Errors
/// [`Error::Unverified`] if the row that is there is not ours, and those of the database.
pub(super) fn update(
    tx: &WriteTx,
    table: &'static Table,
    key: &[&dyn ToSql],
    changes: &[Value],
) -> Result<bool, Error> {
    let by_key = table.by_key();
    let sql =
        format!("SELECT {}, mac FROM {} WHERE {by_key}", table.columns.join(", "), table.name);
    let mut statement = tx.connection.prepare_cached(&sql)?;
    let mut rows = statement.query(key)?;
    let Some(row) = rows.next()? else { return Ok(false) };
    tx.verify(table, row)??;
    let mut converted: Vec<(&str, ToSqlOutput)> = Vec::with_capacity(changes.len());
    for (column, value) in changes {
        converted.push((column, value.to_sql()?));
    }
    let mac = match tx.keys {
        None => None,
        Some(keys) => {
            let mac = table.mac(&keys.now().current, |column| {
                match converted.iter().find(|(name, _)| *name == column) {
                    Some((_, value)) => Ok(borrowed(value)),
                    None => row.get_ref(column),
                }
            })?;
            Some(mac.finish())
        }
    };
    drop(rows);
    let first = table.key + 1;
    let sets: Vec<String> = changes
        .iter()
        .enumerate()
        .map(|(at, (column, _))| format!("{column} = ?{}", first + at))
        .collect();
    let sql = format!(
        "UPDATE {} SET {}, mac = ?{} WHERE {by_key}",
        table.name,
        sets.join(", "),
        first + changes.len()
    );
    let bound = key.iter().copied().chain(changes.iter().map(|(_, value)| *value));
    let bound = bound.chain([&mac as &dyn ToSql]);
    tx.connection.prepare_cached(&sql)?.execute(params_from_iter(bound))?;
    Ok(true)
}

/// A stored row with a MAC that it is to get.
struct Sealed {
    /// The columns of its key, and the MAC.
    bound: Vec<rusqlite::types::Value>,
}

impl Sealed {
    /// The MAC of a row over the values that it has now.
    fn of(table: &Table, row: &Row, key: &RowKey) -> rusqlite::Result<Sealed> {
        let mac = table.mac(key, |column| row.get_ref(column))?.finish();
        let columns = table.key().iter().map(|column| row.get(*column));
        let mut bound = columns.collect::<Result<Vec<rusqlite::types::Value>, _>>()?;
        bound.push(mac.to_vec().into());
        Ok(Sealed { bound })
    }

    /// Writes the MAC into the row with this key.
    fn store(&self, connection: &Connection, table: &Table) -> rusqlite::Result<()> {
        let (by_key, at) = (table.by_key(), table.key + 1);
        let sql = format!("UPDATE {} SET mac = ?{at} WHERE {by_key}", table.name);
        connection.prepare_cached(&sql)?.execute(params_from_iter(&self.bound)).map(|_| ())
    }
}

/// Gives a MAC to every row that has none: of a database that an older version wrote.
///
/// # Errors
/// Those of the database.
#[cfg(test)]
pub(super) fn seal_all(connection: &Connection, keys: &RowKeys) -> Result<(), Error> {
    for table in TABLES {
        let columns = table.columns.join(", ");
        let sql = format!("SELECT {columns} FROM {} WHERE mac IS NULL", table.name);
        let mut select = connection.prepare(&sql)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            Sealed::of(table, row, &keys.now().current)?.store(connection, table)?;
        }
    }
    Ok(())
}

/// Makes the file of heads if there is none, by what the rows that verify say.
///
/// # Errors
/// If the file cannot be read or written, and those of the database.
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
        tracing::warn!("there was no file of heads beside the database: it is made anew");
    }
    heads.raise(&found)
}

/// The heads that the rows of a database come to, as far as they verify.
///
/// # Errors
/// Those of the database.
pub(super) fn heads_of(tx: &ReadTx) -> Result<heads::State, Error> {
    let audit_log = chain::head(tx)?;
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

/// Gives the rows of a table for which `condition` holds the MAC of the values that they have: an
/// operator vouches for them. `bound` are its values. Answers how many were not believed before.
///
/// # Errors
/// Those of the database.
pub(super) fn vouch(
    tx: &WriteTx,
    table: &'static Table,
    condition: &str,
    bound: &[&dyn ToSql],
) -> Result<usize, Error> {
    let Some(keys) = tx.keys else { return Ok(0) };
    let columns = table.columns.join(", ");
    let sql = format!("SELECT {columns}, mac FROM {} WHERE {condition}", table.name);
    let mut select = tx.connection.prepare(&sql)?;
    let (mut rows, mut made) = (select.query(bound)?, Vec::new());
    while let Some(row) = rows.next()? {
        if tx.verify(table, row)?.is_err() {
            made.push(Sealed::of(table, row, &keys.now().current)?);
        }
    }
    drop(rows);
    made.iter().try_for_each(|sealed| sealed.store(tx.connection, table))?;
    Ok(made.len())
}

/// Rows that are not believed: those that do not verify, merchants' rows that are older than their
/// heads, and rows that are missing. So many are named at most; of each table the `newest` rows are
/// examined.
///
/// # Errors
/// Those of the database.
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

/// What the heads know of and the rows do not show.
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

/// Why a row is not believed although no row fails to verify.
pub(super) const MISSING: &str = "it is missing, or an older state of it was put back";

#[cfg(test)]
impl WriteTx<'_> {
    /// Lets rows of a table no longer verify.
    pub(crate) fn spoil_mac(&self, table: &str, which: &str) -> Result<(), Error> {
        let sql = format!("UPDATE {table} SET mac = zeroblob(32) WHERE {which}");
        Ok(self.connection.execute_batch(&sql)?)
    }

    /// Gives a MAC to the rows that a test wrote without one.
    pub(crate) fn seal_all(&self) -> Result<(), Error> {
        seal_all(self.connection, self.keys.expect("a database of our own"))
    }
}
