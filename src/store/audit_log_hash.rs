//! The hashes of the audit log's rows, and appending to the chain.

use bitcoin::hashes::{Hash as _, HashEngine, sha256};
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};

use crate::domain::audit_log::Head;
use crate::store::canonical::input_value;
use crate::store::error::Error;
use crate::store::tx::ReadTx;

/// The columns that a hash covers.
pub(super) const COLUMNS: &str = "id, at, actor, place, act, merchant_id, before, after";

pub(in crate::store) const COLUMN_COUNT: usize = 8;

/// The hash of a row.
pub(crate) type Hash = [u8; 32];

/// The hash before the first row.
pub(in crate::store) const START: Hash = *b"litegate audit log, version 1\0\0\0";

pub(super) const EMPTY: Head = Head { id: 0, hash: START };

/// The newest row of the log.
pub(crate) fn head(tx: &ReadTx) -> Result<Head, Error> {
    head_of(tx.connection)
}

/// The newest row of the log in a file of the newest schema.
pub(in crate::store) fn head_of(connection: &Connection) -> Result<Head, Error> {
    let sql = "SELECT id, hash FROM audit_log ORDER BY id DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_row([], |row| Ok(Head { id: row.get(0)?, hash: row.get(1)? }));
    Ok(found.optional()?.unwrap_or(EMPTY))
}

/// Appends a row with these columns after the one with this hash. Returns its hash.
pub(in crate::store) fn insert(
    connection: &Connection,
    previous: &Hash,
    columns: [&dyn ToSql; COLUMN_COUNT],
) -> Result<Hash, Error> {
    let mut engine = sha256::HashEngine::default();
    engine.input(previous);
    for column in columns {
        match column.to_sql()? {
            ToSqlOutput::Borrowed(value) => input_value(&mut engine, value),
            ToSqlOutput::Owned(value) => input_value(&mut engine, (&value).into()),
            _ => return Err(Error::Impossible("a column of the audit log".to_owned())),
        }
    }
    let hash = sha256::Hash::from_engine(engine).to_byte_array();
    let sql = format!("INSERT INTO audit_log ({COLUMNS}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    let values = columns.into_iter().chain(std::iter::once(&hash as &dyn ToSql));
    connection.prepare_cached(&sql)?.execute(params_from_iter(values))?;
    Ok(hash)
}

/// The hash of a row whose first columns are [`COLUMNS`].
pub(super) fn hash_of(row: &Row, previous: &Hash) -> Result<Hash, Error> {
    let mut engine = sha256::HashEngine::default();
    engine.input(previous);
    for column in 0..COLUMN_COUNT {
        input_value(&mut engine, row.get_ref(column)?);
    }
    Ok(sha256::Hash::from_engine(engine).to_byte_array())
}
