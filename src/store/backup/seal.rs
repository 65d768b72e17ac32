//! The seal of a backup: a table that only a copy has, with a MAC for each other table and one
//! over the seal itself.
//!
//! A MAC covers all rows of its table in key order, each value with type and length, so
//! changing, removing or adding a row needs the backup key. The seal also contains the time of
//! the copy, the head of the audit log, and the gateway's heads.
//!
//! Must not know: files, the meaning of the tables.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::audit_log::Head;
use crate::domain::time::Timestamp;
use crate::progress::{OnProgress, Progress};
use crate::secret::{BackupKey, Mac};

use super::super::canonical::input_value;
use super::super::error::Error;

/// The seal's table. Its text is part of a copy's schema.
pub(in crate::store) const SCHEMA: &str = "CREATE TABLE backup_seal (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID";

/// The name of the MAC over the other rows of the seal.
const OF_SEAL: &str = "seal";

/// The prefix of the names of the tables' MACs.
const OF_TABLE: &str = "table ";

/// Progress is reported after this many rows.
const REPORT_EVERY: u64 = 10_000;

/// The content of a seal besides its MACs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) made_at: Timestamp,
    /// The newest row of the audit log.
    pub(crate) audit_log: Head,
    /// The gateway's heads, as text.
    pub(crate) heads: Option<String>,
}

/// Why a copy is not trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "is not sealed: litegate backup did not make it, or its seal was removed; if it is a replica, or was kept by an upgrade or a restore, --replica checks it row by row"
    )]
    Unsealed,
    #[error(
        "belongs to another gateway, or was made under another secret (key {0}): name the file with that secret by --old-secret"
    )]
    OtherSecret(String),
    #[error("was changed: its seal is wrong")]
    Seal,
    #[error("was changed: the table {0} does not match the seal")]
    Table(String),
    #[error("was changed: the table {0} is missing")]
    Missing(String),
    #[error("was changed: the table {0} was added")]
    Added(String),
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Refusal {
        Refusal::Store(error.into())
    }
}

/// Whether the copy has a seal of any gateway.
pub(in crate::store) fn is_sealed(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'backup_seal')";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Seals a copy. Reports the processed rows to `on_progress`.
pub(super) fn write(
    connection: &Connection,
    key: &BackupKey,
    facts: &Facts,
    on_progress: OnProgress,
) -> Result<(), Error> {
    connection.execute_batch(SCHEMA)?;
    let mut insert = connection.prepare("INSERT INTO backup_seal VALUES (?, ?)")?;
    let mut add = |name: &str, value: &[u8]| insert.execute(params![name, value]);
    add("key", key.id().as_bytes())?;
    add("made at", &facts.made_at.ms().to_be_bytes())?;
    add("audit log id", &facts.audit_log.id.to_be_bytes())?;
    add("audit log hash", &facts.audit_log.hash)?;
    if let Some(heads) = &facts.heads {
        add("heads", heads.as_bytes())?;
    }
    let mut count = RowCount::of(connection, "sealing the copy", on_progress)?;
    for table in tables(connection)? {
        let mac = mac_of(connection, key, &table, &mut count)?.finish();
        add(&format!("{OF_TABLE}{table}"), &mac)?;
    }
    add(OF_SEAL, &mac_of_seal(connection, key)?.finish())?;
    Ok(())
}

/// Verifies a copy against its seal, under the key among `keys` that made it.
///
/// # Errors
/// [`Refusal`] with the first mismatch.
pub(super) fn verify(
    connection: &Connection,
    keys: &[BackupKey],
    on_progress: OnProgress,
) -> Result<Facts, Refusal> {
    let facts = read(connection, keys)?;
    let key = key_of(connection, keys)?;
    let mut count = RowCount::of(connection, "checking the seal", on_progress)?;
    let sealed = sealed_tables(connection)?;
    let found = tables(connection)?;
    if let Some((missing, _)) = sealed.iter().find(|(name, _)| !found.contains(name)) {
        return Err(Refusal::Missing(missing.clone()));
    }
    for table in found {
        let Some((_, mac)) = sealed.iter().find(|(name, _)| *name == table) else {
            return Err(Refusal::Added(table));
        };
        if !mac_of(connection, key, &table, &mut count)?.verifies(mac) {
            return Err(Refusal::Table(table));
        }
    }
    Ok(facts)
}

/// The content of a copy's seal. Does not verify the tables.
///
/// # Errors
/// If there is no seal, or it does not verify under these keys.
pub(super) fn read(connection: &Connection, keys: &[BackupKey]) -> Result<Facts, Refusal> {
    if !is_sealed(connection)? {
        return Err(Refusal::Unsealed);
    }
    let key = key_of(connection, keys)?;
    let mac = value(connection, OF_SEAL)?.ok_or(Refusal::Seal)?;
    if !mac_of_seal(connection, key)?.verifies(&mac) {
        return Err(Refusal::Seal);
    }
    let whole = |name| -> Result<i64, Refusal> {
        let bytes = value(connection, name)?.and_then(|bytes| bytes.try_into().ok());
        bytes.map(i64::from_be_bytes).ok_or(Refusal::Seal)
    };
    let hash = value(connection, "audit log hash")?.and_then(|bytes| bytes.try_into().ok());
    let heads = value(connection, "heads")?.map(String::from_utf8).transpose();
    Ok(Facts {
        made_at: Timestamp::from_ms(whole("made at")?),
        audit_log: Head { id: whole("audit log id")?, hash: hash.ok_or(Refusal::Seal)? },
        heads: heads.map_err(|_| Refusal::Seal)?,
    })
}

/// Removes the seal, so that the copy can become a database again.
pub(super) fn remove(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DROP TABLE IF EXISTS backup_seal")
}

/// The key that the seal names.
fn key_of<'k>(connection: &Connection, keys: &'k [BackupKey]) -> Result<&'k BackupKey, Refusal> {
    let id = value(connection, "key")?.ok_or(Refusal::Seal)?;
    let id = String::from_utf8_lossy(&id).into_owned();
    keys.iter().find(|key| key.id() == id).ok_or_else(|| {
        let shown = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
        Refusal::OtherSecret(shown)
    })
}

fn value(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let sql = "SELECT value FROM backup_seal WHERE name = ?";
    Ok(connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?)
}

/// The sealed tables, with their MACs.
fn sealed_tables(connection: &Connection) -> Result<Vec<(String, Vec<u8>)>, Refusal> {
    let sql = "SELECT substr(name, ?1), value FROM backup_seal
               WHERE substr(name, 1, ?1 - 1) = ?2 ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let from = i64::try_from(OF_TABLE.len()).unwrap_or(0).saturating_add(1);
    let rows =
        statement.query_map(params![from, OF_TABLE], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The tables of a copy by name, without those of SQLite and Litestream.
fn tables(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = r"SELECT name FROM sqlite_schema
                WHERE type = 'table' AND name <> 'backup_seal'
                  AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
                  AND name NOT LIKE '\_litestream\_%' ESCAPE '\' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// The MAC over all rows of a table, in key order.
fn mac_of(
    connection: &Connection,
    key: &BackupKey,
    table: &str,
    count: &mut RowCount,
) -> Result<Mac, Error> {
    let order = order_of(connection, table)?;
    let sql = format!("SELECT * FROM {} ORDER BY {order}", quoted(table));
    let mut statement = connection.prepare(&sql)?;
    let mut mac = key.mac_of(table);
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    for name in &columns {
        input_value(mac.engine(), ValueRef::Text(name.as_bytes()));
    }
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // The number of columns first, so that no two tables give the same bytes.
        input_value(mac.engine(), ValueRef::Integer(columns.len().try_into().unwrap_or(0)));
        for column in 0..columns.len() {
            input_value(mac.engine(), row.get_ref(column)?);
        }
        count.row();
    }
    Ok(mac)
}

/// The MAC over all rows of the seal except itself.
fn mac_of_seal(connection: &Connection, key: &BackupKey) -> rusqlite::Result<Mac> {
    let sql = "SELECT name, value FROM backup_seal WHERE name <> ? ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([OF_SEAL])?;
    let mut mac = key.mac_of("the seal itself");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    input_value(mac.engine(), ValueRef::Integer(version));
    while let Some(row) = rows.next()? {
        input_value(mac.engine(), row.get_ref(0)?);
        input_value(mac.engine(), row.get_ref(1)?);
    }
    Ok(mac)
}

/// The columns of a table's key.
fn order_of(connection: &Connection, table: &str) -> Result<String, Error> {
    let sql = "SELECT wr FROM pragma_table_list(?) WHERE schema = 'main'";
    let without_rowid: bool = connection.query_row(sql, [table], |row| row.get(0))?;
    if !without_rowid {
        return Ok("rowid".to_owned());
    }
    let sql = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    Ok(names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Progress in rows.
struct RowCount<'t> {
    what: &'static str,
    on_progress: OnProgress<'t>,
    done: u64,
    of: u64,
}

impl<'t> RowCount<'t> {
    fn of(
        connection: &Connection,
        what: &'static str,
        on_progress: OnProgress<'t>,
    ) -> Result<Self, Error> {
        let mut of = 0u64;
        for table in tables(connection)? {
            let sql = format!("SELECT count(*) FROM {}", quoted(&table));
            let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
            of = of.saturating_add(u64::try_from(count).unwrap_or(0));
        }
        Ok(RowCount { what, on_progress, done: 0, of })
    }

    fn row(&mut self) {
        self.done = self.done.saturating_add(1);
        if self.done.is_multiple_of(REPORT_EVERY) {
            (self.on_progress)(Progress { what: self.what, done: self.done, of: self.of });
        }
    }
}

#[cfg(test)]
mod tests;
