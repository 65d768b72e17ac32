//! The handle to the database: opening it, reads, and writes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use crate::metrics;
use crate::secret::RowKeys;

use super::connect::{self, connect, reconnect};
use super::disk_space::LogLimit;
use super::error::Error;
#[cfg(test)]
use super::heads;
use super::heads::Heads;
#[cfg(test)]
use super::high_water;
use super::high_water::HighWater;
use super::readers::{READERS_MAX, Readers, Snapshot, prepare};
use super::schema::{self, Schema};
use super::tally::Tally;
use super::tx::{ReadTx, WriteTx};
use super::writer::{Commit, Writer};
use super::{migrations, schema_version, verification};

/// How long a command waits for another process's lock. A write that has not started after
/// twice this time is refused as busy, and never runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// As [`PATIENCE`], for a server: its callers get "busy" within two seconds, even behind a
/// write that waits in vain, or that takes longer.
pub(crate) const PATIENCE_SERVING: Duration = Duration::from_millis(900);

/// Maximum size of a file that is checked for damage when it is opened, in bytes: about a
/// second.
const CHECKED_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Page cache per connection, in KiB: enough for the upper levels of a large database's
/// indexes.
const WRITER_CACHE_KIB: i64 = 24 * 1024;

/// Pages of 4 KiB in the write-ahead log before a checkpoint. A full block changes about five
/// hundred, many of which the next block changes again.
const LOG_PAGES: i64 = 4_000;

/// The files that belong to a database, beside it or elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside<'p> {
    pub(crate) high_water: &'p Path,
    /// `None` if the process's user may not read it, and needs no heads.
    pub(crate) heads: Option<&'p Path>,
    /// Whether a file that is not too large is checked for damage. An upgrade always checks
    /// it.
    pub(crate) examine: bool,
}

/// A handle to the database. Clones share it; the writer ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Store {
    pub(super) writer: Arc<Writer>,
    pub(super) readers: r2d2::Pool<Readers>,
    /// Opens further connections.
    pub(super) reader: Readers,
    pub(super) schema: Arc<Schema>,
    pub(super) keys: RowKeys,
    pub(super) heads: Heads,
    pub(super) tally: Tally,
}

impl Store {
    /// Opens the database, creates it if it is missing, and migrates it. `keys` verify its
    /// rows; `patience` is the timeout for another process's lock.
    ///
    /// # Errors
    /// If the file cannot be opened, is not a database, is damaged, or a newer litegate wrote
    /// it.
    pub(crate) fn open_with(
        path: &Path,
        beside: Beside,
        keys: RowKeys,
        patience: Duration,
    ) -> Result<Store, Error> {
        let path = &connect::prepare_file(path)?;
        let mut connection = reconnect(path, connect::READ_WRITE)?;
        prepare(&connection, patience)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // Keeps the undo information of savepoints in memory.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        if beside.examine || schema_version::are_due(&connection)? {
            check_for_damage(&connection, path)?;
        }
        let heads = Heads::at(beside.heads, &keys);
        migrations::run(&mut connection, path)?;
        let schema = Schema::known()?;
        schema.check(&connection)?;
        let reader = Readers { path: path.to_owned(), patience };
        let readers = reader.pool(READERS_MAX)?;
        verification::find_heads(&connection, &keys, &heads)?;
        let high_water = HighWater::at(beside.high_water);
        let log = LogLimit::of(path, patience);
        let writer = Arc::new(Writer::start(
            connection,
            keys.clone(),
            heads.clone(),
            high_water,
            patience,
            log,
        ));
        Ok(Store { writer, readers, reader, schema, keys, heads, tally: Tally::default() })
    }

    /// The same database with its own read connection, for long reads that must not occupy a
    /// shared one.
    ///
    /// # Errors
    /// If no further connection can be opened.
    pub(crate) fn apart(&self) -> Result<Store, Error> {
        Ok(Store { readers: self.reader.pool(1)?, ..self.clone() })
    }

    /// Runs `job` on one consistent state, on a blocking thread.
    pub(crate) async fn read<T, E>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || store.read_blocking(job)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(Error::Closed.into()),
        }
    }

    /// As [`Store::read`], for callers on a blocking thread.
    pub(crate) fn read_blocking<T, E: From<Error>>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.readers.get().map_err(|_| Error::Busy)?;
        self.over_one_state(&connection, job)
    }

    /// As [`Store::read`], for a few queries by key: runs on this thread if a connection is
    /// free, since switching threads takes longer than the queries.
    pub(crate) async fn look_up<T, E>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Some(connection) = self.readers.try_get() else { return self.read(job).await };
        self.over_one_state(&connection, job)
    }

    /// Runs `job` on the state that this connection sees now.
    fn over_one_state<T, E: From<Error>>(
        &self,
        connection: &Connection,
        job: impl FnOnce(&ReadTx) -> Result<T, E>,
    ) -> Result<T, E> {
        metrics::read();
        let heads = self.heads.now()?;
        let snapshot = Snapshot::begin(connection).map_err(Error::from)?;
        let outcome = job(&ReadTx::new(snapshot.0, &self.keys, heads));
        self.tally.count();
        outcome
    }

    /// Runs `job` as one transaction and returns once it is durable. An error or panic of the
    /// job rolls back its writes.
    pub(crate) async fn write<T, E>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let outcome = self.writer.run(job).await;
        self.tally.count();
        outcome
    }

    /// As [`Store::write`], for callers on a blocking thread.
    pub(crate) fn write_blocking<T, E>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.commit(Commit::Shared, job)
    }

    /// As [`Store::write_blocking`], for one fact that may change very many rows, such as a
    /// block full of our coins. It shares its commit with no other job, so that its cost grows
    /// only with the rows.
    pub(crate) fn write_large_blocking<T, E>(
        &self,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.commit(Commit::Alone, job)
    }

    fn commit<T, E>(
        &self,
        commit: Commit,
        job: impl FnOnce(&WriteTx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let outcome = self.writer.run_blocking(commit, job);
        self.tally.count();
        outcome
    }

    /// Compares the current schema with that of this binary. Takes less than a millisecond.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first object that differs, is missing, or is foreign.
    pub(crate) fn check_schema(&self) -> Result<(), Error> {
        self.read_blocking(|tx: &ReadTx| self.schema.check(tx.connection))
    }
}

#[cfg(test)]
impl Store {
    /// As [`Store::open_with`], with the timeout of a command.
    pub(crate) fn open(path: &Path) -> Result<Store, Error> {
        Store::open_patient(path, PATIENCE)
    }

    /// As [`Store::open_with`], with the keys of a fixed secret.
    pub(crate) fn open_patient(path: &Path, patience: Duration) -> Result<Store, Error> {
        let keys = RowKeys::of(&crate::secret::MasterSecret::new([7; 32]));
        let (high_water, heads) = (high_water::beside(path), heads::beside(path));
        Store::open_with(
            path,
            Beside { high_water: &high_water, heads: Some(&heads), examine: true },
            keys,
            patience,
        )
    }
}

/// Reads a database that may belong to another gateway. No row is trusted and nothing is
/// changed. `None` if it is missing or not a database.
pub(crate) fn look_into<T>(
    path: &Path,
    job: impl FnOnce(&ReadTx) -> Result<T, Error>,
) -> Option<T> {
    let connection = connect(path, connect::READ_ONLY).ok()?;
    job(&ReadTx::of_foreign(&connection)).ok()
}

/// Checks a file that is not too large. SQLite has no checksums: this detects a broken
/// structure and dangling references, not a changed value.
fn check_for_damage(connection: &Connection, path: &Path) -> Result<(), Error> {
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    if size > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let result: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if result != "ok" {
        return Err(Error::Damaged(result));
    }
    schema::dangling_reference(connection)?.map_or(Ok(()), |dangling| Err(Error::Damaged(dangling)))
}
