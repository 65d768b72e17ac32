//! Read connections: their settings, their pool, and read transactions on them.

use std::path::PathBuf;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::connect::{READ_ONLY, reconnect};
use super::error::Error;

/// Number of concurrent read connections.
pub(super) const READERS_MAX: u32 = 4;

const READER_CACHE_KIB: i64 = 6 * 1024;

/// A read transaction, ended on drop.
pub(super) struct Snapshot<'c>(pub(super) &'c Connection);

impl<'c> Snapshot<'c> {
    pub(super) fn begin(connection: &'c Connection) -> Result<Snapshot<'c>, rusqlite::Error> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Snapshot(connection))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            // The pool discards the connection: see `has_broken`.
            tracing::debug!(%error, "a read transaction did not end");
        }
    }
}

/// Settings of every connection.
pub(super) fn prepare(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A plan must not depend on the bound values, or SQLite plans again for each.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(128);
    rusqlite::vtab::array::load_module(connection)?;
    Ok(())
}

/// Opens read-only connections.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    pub(super) path: PathBuf,
    pub(super) patience: Duration,
}

impl Readers {
    pub(super) fn pool(&self, size: u32) -> Result<r2d2::Pool<Readers>, Error> {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(self.patience);
        pool.build(self.clone()).map_err(|_| Error::Busy)
    }
}

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        let connection = reconnect(&self.path, READ_ONLY)?;
        prepare(&connection, self.patience)?;
        connection.pragma_update(None, "query_only", true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    }

    fn is_valid(&self, connection: &mut Connection) -> Result<(), rusqlite::Error> {
        connection.execute_batch("SELECT 1")
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        !connection.is_autocommit() // a read transaction that did not end
    }
}
