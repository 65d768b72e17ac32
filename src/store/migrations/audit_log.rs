//! Migration 11: the rows of `trail`, which have no hashes, become the hash chain `audit_log`.

use rusqlite::types::Value;
use rusqlite::{Connection, ToSql};

use super::super::Error;
use super::super::audit_log::chain::{COLUMN_COUNT, START, insert};

/// Moves the rows as they are, and drops the old table.
pub(super) fn chain_rows(connection: &Connection) -> Result<(), Error> {
    {
        let sql = "SELECT id, at, actor, place, act, merchant_id, before, after
                   FROM trail ORDER BY id";
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut previous = START;
        while let Some(row) = rows.next()? {
            let mut values: [Value; COLUMN_COUNT] = std::array::from_fn(|_| Value::Null);
            for (column, value) in values.iter_mut().enumerate() {
                *value = row.get(column)?;
            }
            let columns = values.each_ref().map(|value| value as &dyn ToSql);
            previous = insert(connection, &previous, columns)?;
        }
    }
    Ok(connection.execute_batch("DROP TABLE trail")?)
}
