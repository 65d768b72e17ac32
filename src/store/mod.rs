//! The database: the only SQL of the gateway, and the only channel between its roles.
//!
//! [`Store::read`] sees one consistent state and cannot write; [`Store::write`] is one
//! transaction, durable (WAL, synchronous FULL) before it returns. The closures run on a
//! blocking thread: no await, no network, no clock.
//!
//! One thread writes for this process. It runs each waiting job in its own savepoint, commits
//! them together, and then answers the callers: they share the cost of one disk flush, and a
//! failing job affects no other. Other processes (the CLI) wait for SQLite's lock. A job on
//! any number of rows runs in bounded batches, with other writes in between ([`batches`]).
//!
//! Errors: every function returns [`Error`], except backups ([`backup::Failed`]) and their
//! seals ([`backup::seal::Refusal`]), which contain it. `failure.rs` has the only mapping of
//! SQLite's result codes.
//!
//! Must not know: the meaning of a job, HTTP, the node.

pub(crate) mod accounts;
pub(crate) mod audit_log;
pub(crate) mod authenticated;
pub(crate) mod backup;
pub(crate) mod batches;
pub(crate) mod blocks;
pub(crate) mod bloom_filter;
mod canonical;
pub(crate) mod chain_guard_alerts;
pub(crate) mod change_detector;
pub(crate) mod coins;
mod columns;
pub(crate) mod confirmations;
mod connect;
pub(crate) mod disk_space;
pub(crate) mod events;
mod failure;
pub(crate) mod heads;
pub(crate) mod high_water;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod indexes;
pub(crate) mod ledger_report;
pub(crate) mod locales;
pub(crate) mod merchants;
mod migrations;
pub(crate) mod node_in_use;
pub(crate) mod notifications;
pub(crate) mod overdue;
pub(crate) mod payments;
pub(crate) mod payout_waits;
pub(crate) mod pegouts;
pub(crate) mod requests;
pub(crate) mod retention;
pub(crate) mod role_status;
mod schema;
pub(crate) mod seals;
pub(crate) mod stats;
pub(crate) mod sweeps;
pub(crate) mod totals;
mod writer;

use std::cell::RefCell;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::secret::RowKeys;

use heads::{Head, Heads};
use high_water::HighWater;
use schema::Schema;
use writer::Commit;

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Too many writes are waiting, or another process holds the lock: try again later.
    #[error("the database is busy")]
    Busy,
    /// The gateway is stopping.
    #[error("the database is closed")]
    Closed,
    /// A newer litegate wrote the file.
    #[error("the database has schema {found}, this litegate knows {known}: install a newer one")]
    Newer { found: u32, known: u32 },
    /// The disk is full: nothing of the write was stored, and it may be repeated.
    #[error("the disk is full")]
    Full,
    /// The disk, or the process's user, cannot write.
    #[error(
        "the database cannot be written: its disk is read-only, or the file or its directory belongs to another user"
    )]
    ReadOnly,
    /// SQLite found the file damaged, or it is not a database.
    #[error("the database is damaged ({0}): nothing more is written; restore a backup")]
    Damaged(String),
    /// A file of the database must not be used.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A row has an impossible value: corruption, or another program wrote to the file.
    #[error("the database holds an impossible value: {0}")]
    Impossible(String),
    /// This gateway did not write the row in its present state: it is not shown, paid or sent.
    #[error("row {row} of the table {table} does not verify: {why}")]
    Unverified { table: &'static str, row: String, why: &'static str },
    #[error("database: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        use rusqlite::ErrorCode;
        failure::note(&error);
        if error.sqlite_extended_error_code() == Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
            return Error::Full; // no space for the index of the write-ahead log
        }
        if is_of_a_value(&error) {
            return Error::Impossible(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy,
            Some(ErrorCode::DiskFull) => Error::Full,
            Some(ErrorCode::ReadOnly) => Error::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Damaged(error.to_string())
            }
            _ => Error::Sqlite(error),
        }
    }
}

impl Error {
    /// Whether the error concerns a single row: it is unreadable or unverified.
    pub(crate) fn is_of_a_row(&self) -> bool {
        matches!(self, Error::Impossible(_) | Error::Unverified { .. })
    }

    /// Converts a file error.
    fn of_file(path: &Path) -> impl Fn(std::io::Error) -> Error {
        use std::io::ErrorKind;
        |source| match source.kind() {
            ErrorKind::StorageFull => Error::Full,
            ErrorKind::ReadOnlyFilesystem => Error::ReadOnly,
            _ => Error::File { path: path.to_owned(), source },
        }
    }
}

/// Whether a cell has a value that its column cannot have.
fn is_of_a_value(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
    )
}

/// How long a command waits for another process's lock. A write that has not started after
/// twice this time is refused as busy, and never runs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// As [`PATIENCE`], for a server: its callers get "busy" within two seconds, even behind a
/// write that waits in vain, or that takes longer.
pub(crate) const PATIENCE_SERVING: Duration = Duration::from_millis(900);

/// Maximum size of a file that is checked for damage when it is opened, in bytes: about a
/// second.
const CHECKED_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Number of concurrent read connections.
const READERS_MAX: u32 = 4;

/// Page cache per connection, in KiB: enough for the upper levels of a large database's
/// indexes.
const WRITER_CACHE_KIB: i64 = 24 * 1024;
const READER_CACHE_KIB: i64 = 6 * 1024;

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
    writer: Arc<writer::Writer>,
    readers: r2d2::Pool<Readers>,
    /// Opens further connections.
    reader: Readers,
    /// The expected schema.
    schema: Arc<Schema>,
    /// The keys that verify rows.
    keys: RowKeys,
    heads: Heads,
    tally: change_detector::Tally,
}

/// A read transaction: one state of the database.
pub(crate) struct ReadTx<'c> {
    connection: &'c Connection,
    /// The keys that verify rows; `None` for a file that is not the gateway's own database, of
    /// which no row is trusted.
    keys: Option<&'c RowKeys>,
    /// The heads from before this state: no row of it may be below them.
    heads: Arc<heads::State>,
}

/// A write transaction. It can do everything that a [`ReadTx`] can.
pub(crate) struct WriteTx<'c> {
    read: ReadTx<'c>,
    high_water: &'c HighWater,
    /// The heads to raise after the commit.
    raised: RefCell<heads::State>,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &ReadTx<'c> {
        &self.read
    }
}

impl<'c> ReadTx<'c> {
    fn new(connection: &'c Connection, keys: &'c RowKeys, heads: Arc<heads::State>) -> ReadTx<'c> {
        ReadTx { connection, keys: Some(keys), heads }
    }

    /// A transaction on a file that is not trusted.
    fn of_foreign(connection: &'c Connection) -> ReadTx<'c> {
        ReadTx { connection, keys: None, heads: Arc::default() }
    }

    /// The head of a merchant's rows.
    fn head_of(&self, merchant: MerchantId) -> Head {
        self.heads.merchants.get(&merchant).copied().unwrap_or_default()
    }
}

impl<'c> WriteTx<'c> {
    fn new(
        connection: &'c Connection,
        keys: &'c RowKeys,
        heads: Arc<heads::State>,
        high_water: &'c HighWater,
    ) -> WriteTx<'c> {
        let read = ReadTx::new(connection, keys, heads);
        WriteTx { read, high_water, raised: RefCell::default() }
    }

    /// Records the newest row of the audit log, stored after the commit.
    fn raise_audit_log(&self, head: audit_log::chain::Head) {
        self.raised.borrow_mut().audit_log = Some(head);
    }

    /// Raises the head of a merchant's rows to at least this, after the commit.
    fn raise_head(&self, merchant: MerchantId, to: Head) {
        let mut raised = self.raised.borrow_mut();
        let head = raised.merchants.entry(merchant).or_default();
        *head = head.or_higher(to);
    }
}

#[cfg(test)]
impl WriteTx<'_> {
    /// Makes the commit of this write fail.
    pub(crate) fn spoil_commit(&self) -> Result<(), Error> {
        let sql = "PRAGMA defer_foreign_keys = ON;
                   INSERT INTO payment_seals VALUES (2147483647, zeroblob(32))";
        Ok(self.connection.execute_batch(sql)?)
    }
}

impl Store {
    /// As [`Store::open_with`], with the timeout of a command.
    #[cfg(test)]
    pub(crate) fn open(path: &Path) -> Result<Store, Error> {
        Store::open_patient(path, PATIENCE)
    }

    /// As [`Store::open_with`], with the keys of a fixed secret.
    #[cfg(test)]
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
        let mut connection = connect::reconnect(path, connect::READ_WRITE)?;
        prepare(&connection, patience)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        // Keeps the undo information of savepoints in memory.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        if beside.examine || migrations::are_due(&connection)? {
            check_for_damage(&connection, path)?;
        }
        let heads = Heads::at(beside.heads, &keys);
        migrations::run(&mut connection, path)?;
        let schema = Schema::known()?;
        schema.check(&connection)?;
        let reader = Readers { path: path.to_owned(), patience };
        let readers = reader.pool(READERS_MAX)?;
        authenticated::find_heads(&connection, &keys, &heads)?;
        let high_water = HighWater::at(beside.high_water);
        let log = disk_space::LogLimit::of(path, patience);
        let writer = Arc::new(writer::Writer::start(
            connection,
            keys.clone(),
            heads.clone(),
            high_water,
            patience,
            log,
        ));
        Ok(Store {
            writer,
            readers,
            reader,
            schema,
            keys,
            heads,
            tally: change_detector::Tally::default(),
        })
    }

    /// The heads as text with its own MAC, for a backup.
    ///
    /// # Errors
    /// If their file cannot be read.
    pub(crate) fn heads_text(&self) -> Result<String, Error> {
        Ok(heads::encode(&*self.heads.now()?, &self.keys.now().current))
    }

    /// Raises the heads to those of a backup.
    ///
    /// # Errors
    /// If this gateway did not make them, or the file cannot be written.
    pub(crate) fn raise_heads(&self, text: &str) -> Result<(), Error> {
        let heads = heads::decode(text, &self.keys);
        let foreign =
            || Error::Impossible("the heads in the backup belong to another gateway".to_owned());
        self.heads.raise(&heads.ok_or_else(foreign)?)
    }

    /// Accepts the end of the audit log as the newest row. Returns it, and the different one
    /// that the file of heads had, if any.
    ///
    /// # Errors
    /// If the file of heads cannot be written, or the database cannot be read.
    pub(crate) fn adopt_audit_log(
        &self,
    ) -> Result<(audit_log::chain::Head, Option<audit_log::chain::Head>), Error> {
        let newest = self.read_blocking(audit_log::chain::head)?;
        Ok((newest, self.heads.adopt_audit_log(newest)?))
    }

    /// Accepts the audit log of a restored copy, and records in it where the previous one
    /// ended.
    ///
    /// # Errors
    /// If the heads or the database cannot be written.
    pub(crate) fn adopt_restored_audit_log(&self, now: Timestamp) -> Result<(), Error> {
        let (newest, before) = self.adopt_audit_log()?;
        let before = before.map(|before| format!("row {} {}", before.id, before.hash_hex()));
        let entry = audit_log::Act {
            at: now,
            actor: "cli".to_owned(),
            place: None,
            act: "restore",
            merchant: None,
            before,
            after: Some(format!("row {} {}", newest.id, newest.hash_hex())),
        };
        self.write_blocking(move |tx| audit_log::append(tx, &entry))
    }

    /// The newest row of the audit log, as stored outside the database.
    ///
    /// # Errors
    /// If the file of heads cannot be read.
    pub(crate) fn known_audit_log(&self) -> Result<Vec<audit_log::chain::KnownHead>, Error> {
        let head = self.heads.now()?.audit_log;
        let known = |head| audit_log::chain::KnownHead { source: "the file of heads", head };
        Ok(head.map(known).into_iter().collect())
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
}

/// Reads a database that may belong to another gateway. No row is trusted and nothing is
/// changed. `None` if it is missing or not a database.
pub(crate) fn look_into<T>(
    path: &Path,
    job: impl FnOnce(&ReadTx) -> Result<T, Error>,
) -> Option<T> {
    let connection = connect::connect(path, connect::READ_ONLY).ok()?;
    job(&ReadTx::of_foreign(&connection)).ok()
}

/// A read transaction, ended on drop.
struct Snapshot<'c>(&'c Connection);

impl<'c> Snapshot<'c> {
    fn begin(connection: &'c Connection) -> Result<Snapshot<'c>, rusqlite::Error> {
        connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Snapshot(connection))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            // The pool discards the connection: see `has_broken`.
            tracing::debug!(%error, "a read did not end");
        }
    }
}

/// Checks a file that is not too large. SQLite has no checksums: this detects a broken
/// structure and dangling references, not a changed value.
fn check_for_damage(connection: &Connection, path: &Path) -> Result<(), Error> {
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    if size > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Err(Error::Damaged(said));
    }
    schema::loose_row(connection)?.map_or(Ok(()), |loose| Err(Error::Damaged(loose)))
}

/// Settings of every connection.
fn prepare(connection: &Connection, patience: Duration) -> Result<(), rusqlite::Error> {
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
struct Readers {
    path: PathBuf,
    patience: Duration,
}

impl Readers {
    fn pool(&self, size: u32) -> Result<r2d2::Pool<Readers>, Error> {
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
        let connection = connect::reconnect(&self.path, connect::READ_ONLY)?;
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

#[cfg(test)]
mod tests;
