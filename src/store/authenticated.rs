//! Authenticated rows: tables whose rows carry a MAC over all of their columns.
//!
//! The columns of each table are listed once, in [`tables`]. [`insert`] and [`update`] compute
//! the MAC from the caller's values, not from those in the database. Reading goes through
//! [`ReadTx::verify`]; a row that does not verify is [`Error::Unverified`] and cannot leave
//! the store.
//!
//! A MAC proves that this gateway wrote the row at some time. The heads ([`super::heads`])
//! detect a row that was deleted or replaced by an older one.
//!
//! Must not know: the meaning of the columns.

mod tables;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, ToSql, params_from_iter};

use crate::metrics;
#[cfg(test)]
use crate::secret::RowKeys;
use crate::secret::{MAC_BYTES, Mac, RowKey};

use super::canonical::input_value;
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

pub(super) use tables::{
    API_KEYS, COINS, CONFIRMATIONS, EVENTS, IDEMPOTENCY_KEYS, IDENTITY, MERCHANTS,
    PAYOUT_ADDRESSES, RATE_REFRESHES, SECOND_FACTORS, SKIPPED_INDEXES,
};
pub(crate) use tables::{PAYMENTS, TABLES, Table};

pub(super) type Value<'v> = (&'static str, &'v dyn ToSql);

impl Table {
    pub(super) fn key(&self) -> &'static [&'static str] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// `a = ?1 AND b = ?2` for the columns of the key.
    fn by_key(&self) -> String {
        let conditions = self.key().iter().enumerate();
        let conditions: Vec<String> =
            conditions.map(|(at, column)| format!("{column} = ?{}", at + 1)).collect();
        conditions.join(" AND ")
    }

    /// The name of a row in errors.
    pub(super) fn name_of(&self, row: &Row) -> String {
        let values = self.key().iter().map(|column| match row.get_ref(*column) {
            Ok(ValueRef::Integer(number)) => number.to_string(),
            Ok(ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            Ok(ValueRef::Blob(bytes)) => bitcoin::hex::DisplayHex::to_lower_hex_string(bytes),
            _ => "?".to_owned(),
        });
        values.collect::<Vec<_>>().join("/")
    }

    pub(super) fn mac<'v>(
        &self,
        key: &RowKey,
        mut value: impl FnMut(&'static str) -> rusqlite::Result<ValueRef<'v>>,
    ) -> rusqlite::Result<Mac> {
        let mut mac = key.mac_of(self.name);
        for column in self.columns {
            let value = value(column)?;
            // NULL adds nothing, so the MACs of existing rows stay valid when a later version
            // adds a column.
            if value != ValueRef::Null {
                mac.field(b'C', column.as_bytes());
                input_value(mac.engine(), value);
            }
        }
        Ok(mac)
    }
}

impl ReadTx<'_> {
    /// Checks the MAC of a row. The query must select all columns of the table and `mac` under
    /// their own names.
    ///
    /// # Errors
    /// [`Error::Unverified`] with table and row.
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
            if table.mac(key, |column| row.get_ref(column))?.verifies(stored) {
                return Ok(Ok(()));
            }
        }
        Ok(Err(self.unverified(table, table.name_of(row), "its MAC is wrong")))
    }

    /// The error for an untrusted row. Counts it in the metrics.
    pub(super) fn unverified(&self, table: &Table, row: String, why: &'static str) -> Error {
        metrics::unverified();
        Error::Unverified { table: table.name, row, why }
    }
}

/// The trusted rows. One that is unreadable or unverified is skipped, so that it does not
/// block the others; `audit` reports it.
pub(super) fn trusted<T>(
    rows: impl Iterator<Item = rusqlite::Result<Result<T, Error>>>,
) -> Result<Vec<T>, Error> {
    let trusted = rows.filter_map(|row| match row.map_err(Error::from).and_then(|row| row) {
        Err(error) if error.is_of_a_row() => {
            tracing::debug!(%error, "row skipped");
            None
        }
        row => Some(row),
    });
    trusted.collect()
}

/// Inserts a row with its MAC. Columns that are not given get their default, which the MAC
/// covers as NULL: give every covered column that has another default.
pub(super) fn insert(tx: &WriteTx, table: &Table, values: &[Value]) -> Result<(), Error> {
    insert_or(tx, table, values, "")
}

/// As [`insert`], unless a row with this key exists.
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

/// A value as SQLite stores it.
fn borrowed<'v>(value: &'v ToSqlOutput<'_>) -> ValueRef<'v> {
    match value {
        ToSqlOutput::Borrowed(value) => *value,
        ToSqlOutput::Owned(value) => value.into(),
        _ => ValueRef::Null,
    }
}

/// Changes columns of the row with this key: verifies the stored row, and computes the MAC
/// over its values and the new ones. Returns whether the row exists.
///
/// # Errors
/// [`Error::Unverified`] if the stored row does not verify, and database errors.
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

/// A stored row with its new MAC.
pub(super) struct Sealed {
    /// The columns of its key, and the MAC.
    bound: Vec<rusqlite::types::Value>,
}

impl Sealed {
    pub(super) fn of(table: &Table, row: &Row, key: &RowKey) -> rusqlite::Result<Sealed> {
        let mac = table.mac(key, |column| row.get_ref(column))?.finish();
        let columns = table.key().iter().map(|column| row.get(*column));
        let mut bound = columns.collect::<Result<Vec<rusqlite::types::Value>, _>>()?;
        bound.push(mac.to_vec().into());
        Ok(Sealed { bound })
    }

    pub(super) fn store(&self, connection: &Connection, table: &Table) -> rusqlite::Result<()> {
        let (by_key, at) = (table.by_key(), table.key + 1);
        let sql = format!("UPDATE {} SET mac = ?{at} WHERE {by_key}", table.name);
        connection.prepare_cached(&sql)?.execute(params_from_iter(&self.bound)).map(|_| ())
    }
}

/// Gives a MAC to every row without one, for databases of older versions.
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

/// Computes the MACs of a table's rows for which `condition` holds from their current values:
/// an operator vouches for them. `bound` are the condition's values. Returns how many rows
/// were untrusted before.
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

/// Why a row is untrusted although no row fails verification.
pub(super) const MISSING: &str = "it is missing, or an older state of it was restored";

#[cfg(test)]
impl WriteTx<'_> {
    /// Breaks the MACs of a table's rows.
    pub(crate) fn spoil_mac(&self, table: &str, which: &str) -> Result<(), Error> {
        let sql = format!("UPDATE {table} SET mac = zeroblob(32) WHERE {which}");
        Ok(self.connection.execute_batch(&sql)?)
    }

    /// Gives a MAC to rows that a test wrote without one.
    pub(crate) fn seal_all(&self) -> Result<(), Error> {
        seal_all(self.connection, self.keys.expect("a database of our own"))
    }
}
