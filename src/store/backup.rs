//! Backups: copying the database while it is in use, checking a copy, and restoring it.
//!
//! A copy is a single file with a seal that detects changes ([`seal`]). It contains no key and
//! no secret, but shops' references and webhook URLs, so only its owner may read it.

pub(crate) mod seal;

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};

use crate::crash;
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;
use crate::progress::{OnProgress, Progress};
use crate::safe_file::{self, Output, Place, with_suffix};
use crate::secret::BackupKey;

use super::audit_log::chain;
use super::connect::{READ_ONLY, READ_WRITE, connect};
use super::schema::Schema;
use super::{Error, ReadTx, Store, blocks, indexes, migrations};

/// Pages of 4 kB copied per step; between steps the disk serves other work.
const STEP_PAGES: i32 = 1_000;

/// Errors of backups and restores.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The file cannot be restored.
    #[error("{}: {what}", path.display())]
    Unfit { path: PathBuf, what: String },
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Failed {
        Failed::Store(error.into())
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Failed {
    let path = path.to_owned();
    |source| Failed::File { path, source }
}

/// Summary of a copy's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) bytes: u64,
    pub(crate) payments: u64,
    pub(crate) merchants: u64,
    /// Creation time of the newest payment.
    pub(crate) newest_at: Option<Timestamp>,
    pub(crate) next_index: DerivationIndex,
    pub(crate) tip: Option<BlockId>,
}

/// The input of a copy's seal.
#[derive(Debug)]
pub(crate) struct Sealing {
    pub(crate) key: BackupKey,
    pub(crate) now: Timestamp,
    /// The heads from before the copy started.
    pub(crate) heads: Option<String>,
}

/// Copies one state of the database to a new file while others write, seals it, and returns
/// its size in bytes. Reports the copied pages to `on_progress`.
///
/// # Errors
/// If the file exists or cannot be written. No file is left then.
pub(crate) fn copy(
    store: &Store,
    to: &Path,
    sealing: &Sealing,
    on_progress: OnProgress,
) -> Result<u64, Failed> {
    if to.exists() {
        return Err(Failed::Exists(to.to_owned()));
    }
    let part = Scratch::beside(to, "part")?;
    fill(store, &part, to, sealing, on_progress)?;
    let bytes = part.bytes();
    part.take_place_of(to)?;
    Ok(bytes)
}

/// As [`copy`], to a file that root opened before dropping privileges, by way of one beside
/// the database. Errors call it `named`.
///
/// # Errors
/// If it cannot be written. No file, or an empty one, is left then; after a kill, a file that
/// is not a database.
pub(crate) fn copy_out(
    store: &Store,
    database: &Path,
    output: Output,
    named: &Path,
    sealing: &Sealing,
    on_progress: OnProgress,
) -> Result<u64, Failed> {
    let part = Scratch::beside(database, "backup")?;
    fill(store, &part, named, sealing, on_progress)?;
    let from = part.open().map_err(failed(part.path()))?;
    let bytes = part.bytes();
    pour(&from, output.file(), bytes, on_progress).map_err(failed(named))?;
    output.finish().map_err(failed(named))?;
    Ok(bytes)
}

/// The error for a copy that could not be created.
pub(crate) fn not_made(to: &Path) -> impl FnOnce(std::io::Error) -> Failed {
    let to = to.to_owned();
    |error| match error.kind() {
        ErrorKind::AlreadyExists => Failed::Exists(to),
        _ => Failed::File { path: to, source: error },
    }
}

/// Copies all bytes, the database header last, so that an incomplete copy is not a database.
fn pour(from: &File, to: &File, bytes: u64, on_progress: OnProgress) -> std::io::Result<()> {
    let mut chunk = vec![0; usize::try_from(CHUNK).unwrap_or(usize::MAX)];
    let mut head = [0; 100];
    from.read_exact_at(&mut head, 0)?;
    let mut done = 0;
    while done < bytes {
        let length = from.read_at(&mut chunk, done)?;
        if length == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if done == 0 {
            let hidden = head.len().min(length);
            chunk[..hidden].fill(0);
        }
        to.write_all_at(&chunk[..length], done)?;
        to.sync_data()?;
        done += u64::try_from(length).unwrap_or(0);
        on_progress(Progress { what: "writing the copy", done, of: bytes });
    }
    to.write_all_at(&head, 0)
}

/// Copies one state of the database to a scratch file, checks and seals it. Errors call it
/// `named`.
fn fill(
    store: &Store,
    part: &Scratch,
    named: &Path,
    sealing: &Sealing,
    on_progress: OnProgress,
) -> Result<(), Failed> {
    let written = part.open().map_err(failed(part.path()))?;
    // The read transaction stays on one state; in WAL mode it blocks no writer.
    store.read_blocking(|tx| {
        // A transaction begins with its first read. If that were the copy's own, every step
        // would be a transaction of its own, and each write in between would restart the copy.
        tx.connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        let mut copy = connect(part.path(), READ_WRITE)?;
        copy.pragma_update(None, "synchronous", "OFF")?; // flushed as a whole
        {
            let backup = Backup::new(tx.connection, &mut copy)?;
            while backup.step(STEP_PAGES)? != StepResult::Done {
                // In small steps: one flush at the end would delay the writer's flushes.
                written.sync_data().map_err(failed(part.path()))?;
                let progress = backup.progress();
                let total = u64::try_from(progress.pagecount).unwrap_or(0);
                let left = u64::try_from(progress.remaining).unwrap_or(0);
                let done = total.saturating_sub(left);
                on_progress(Progress { what: "copying the database", done, of: total });
            }
        }
        // A single file, without a log.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok::<_, Failed>(())
    })?;
    evaluate(part.path(), named)?;
    seal_copy(part, sealing, on_progress)
}

/// Seals a checked copy.
fn seal_copy(part: &Scratch, sealing: &Sealing, on_progress: OnProgress) -> Result<(), Failed> {
    let mut connection = connect(part.path(), READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "OFF")?; // flushed as a whole
    let tx = connection.transaction()?;
    let facts = seal::Facts {
        made_at: sealing.now,
        audit_log: chain::head_of(&tx)?,
        heads: sealing.heads.clone(),
    };
    seal::write(&tx, &sealing.key, &facts, on_progress)?;
    Ok(tx.commit()?)
}

/// The database from before an upgrade, under a temporary name. It is removed unless it is
/// kept.
pub(super) struct Before {
    part: Scratch,
    named: PathBuf,
}

impl Before {
    /// Copies the last committed state of the database. The caller holds the write lock.
    pub(super) fn copy(database: &Path, suffix: &str) -> Result<Before, Error> {
        let named = with_suffix(database, suffix);
        let part = Scratch::beside(&named, "part").map_err(not_kept)?;
        // SQLite cannot copy from the connection that holds the lock.
        let source = connect(database, READ_ONLY)?;
        let mut copy = connect(part.path(), READ_WRITE)?;
        copy.pragma_update(None, "synchronous", "OFF")?; // flushed as a whole
        if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(Error::Busy);
        }
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(Before { part, named })
    }

    /// Keeps the flushed copy beside those of earlier upgrades.
    pub(super) fn keep(self) -> Result<(), Error> {
        let further = (2..).map(|n: u64| with_suffix(&self.named, &format!("-{n}")));
        let mut names = std::iter::once(self.named.clone()).chain(further);
        let free = names.find(|name| !name.exists()).unwrap_or(self.named);
        self.part.take_place_of(&free).map_err(not_kept)
    }
}

fn not_kept(failed: Failed) -> Error {
    match failed {
        Failed::Store(error) => error,
        Failed::File { source, .. } if source.kind() == ErrorKind::StorageFull => Error::Full,
        Failed::File { .. } | Failed::Exists(_) | Failed::Unfit { .. } => {
            Error::Impossible(format!("cannot copy the database before the upgrade: {failed}"))
        }
    }
}

/// The origin of a file to restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Made by `litegate backup`.
    Backup,
    /// Restored by Litestream from its replica: complete, but its header says that it has a
    /// log.
    Replica,
}

/// An open copy that is to be unpacked.
#[derive(Debug)]
pub(crate) struct Copy {
    file: File,
    path: PathBuf,
    source: Source,
}

impl Copy {
    pub(crate) fn bytes(&self) -> u64 {
        bytes_of(&self.file)
    }
}

/// Opens a copy. Called before root privileges are dropped, since the file may be root's.
///
/// # Errors
/// If it cannot be opened, or if a replica has a log.
pub(crate) fn open(file: &Path, source: Source) -> Result<Copy, Failed> {
    let opened = safe_file::open_to_read(file).map_err(failed(file))?;
    if source == Source::Replica && with_suffix(file, "-wal").exists() {
        let what =
            "has a write-ahead log beside it: restore it again, and do not open it".to_owned();
        return Err(Failed::Unfit { path: file.to_owned(), what });
    }
    Ok(Copy { file: opened, path: file.to_owned(), source })
}

/// A private duplicate of a copy beside `near`, which may be opened and changed. Checks that
/// it is a complete database of litegate, of a known schema, and sealed under one of `keys`; a
/// replica has no seal. Reports to `on_progress`.
///
/// # Errors
/// [`Failed::Unfit`] with the reason.
pub(crate) fn unpack(
    copy: Copy,
    near: &Path,
    name: &str,
    keys: &[BackupKey],
    on_progress: OnProgress,
) -> Result<(Scratch, Option<seal::Facts>), Failed> {
    let scratch = Scratch::beside(near, name)?;
    duplicate(copy.file, scratch.path(), on_progress).map_err(failed(scratch.path()))?;
    if copy.source == Source::Replica {
        drop(unmark(scratch.path())); // the check below reports a file that is not a database
    }
    evaluate(scratch.path(), &copy.path)?;
    let connection = connect(scratch.path(), READ_WRITE)?;
    let sealed = seal::is_sealed(&connection)?;
    if copy.source == Source::Replica && !sealed {
        return Ok((scratch, None));
    }
    let facts = seal::verify(&connection, keys, on_progress).map_err(|refusal| match refusal {
        seal::Refusal::Store(error) => Failed::Store(error),
        refusal => Failed::Unfit { path: copy.path.clone(), what: refusal.to_string() },
    })?;
    seal::remove(&connection)?;
    Ok((scratch, Some(facts)))
}

fn bytes_of(file: &File) -> u64 {
    file.metadata().map_or(0, |found| found.len())
}

/// Bytes copied per step.
const CHUNK: u64 = 4 << 20;

fn duplicate(mut from: File, to: &Path, on_progress: OnProgress) -> std::io::Result<()> {
    let mut to = File::options().write(true).open(to)?;
    let (mut done, of) = (0, from.metadata()?.len());
    loop {
        let copied = std::io::copy(&mut Read::by_ref(&mut from).take(CHUNK), &mut to)?;
        if copied == 0 {
            return Ok(());
        }
        done += copied;
        on_progress(Progress { what: "unpacking the copy", done, of: of.max(done) });
    }
}

/// Summary of the database's content.
pub(crate) fn contents(tx: &ReadTx, bytes: u64) -> Result<Contents, Error> {
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        tx.connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
    };
    let newest = "SELECT max(created_at) FROM payments";
    Ok(Contents {
        bytes,
        payments: u64::try_from(count("payments")?).unwrap_or(0),
        merchants: u64::try_from(count("merchants")?).unwrap_or(0),
        newest_at: tx.connection.query_row(newest, [], |row| row.get(0))?,
        next_index: indexes::next_index(tx)?,
        tip: blocks::tip(tx)?,
    })
}

/// Replaces the database by a checked copy. The old database is kept under another name, which
/// is returned. The caller holds the locks of all roles.
///
/// A kill in between leaves no database rather than a wrong one; the restore is then repeated.
///
/// # Errors
/// If a file cannot be renamed.
pub(crate) fn put_in_place(
    scratch: Scratch,
    database: &Path,
    suffix: &str,
) -> Result<Option<PathBuf>, Failed> {
    let kept = with_suffix(database, suffix);
    let mut moved = None;
    empty_log_of(database);
    // The database before its log: SQLite ignores a log without a database, but a database
    // without its log is damaged.
    for part in ["", "-wal", "-shm"] {
        let (from, to) = (with_suffix(database, part), with_suffix(&kept, part));
        match fs::rename(&from, &to) {
            Ok(()) if part.is_empty() => {
                moved = Some(kept.clone());
                crash::point("restore-moved");
            }
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&from)(error)),
        }
    }
    scratch.take_place_of(database)?;
    crash::point("restore-placed");
    Ok(moved)
}

/// Checkpoints the log into its database, so that a kill between two renames does not separate
/// them. A database that cannot be opened keeps its log.
fn empty_log_of(database: &Path) {
    if !database.exists() {
        return;
    }
    let emptied = connect(database, READ_WRITE).and_then(|connection| {
        Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    });
    if let Err(error) = emptied {
        tracing::debug!(%error, "the replaced database keeps its write-ahead log");
    }
}

/// Removes the header's mark that the file has a log.
fn unmark(file: &Path) -> Result<(), Error> {
    Ok(connect(file, READ_WRITE)?.pragma_update(None, "journal_mode", "DELETE")?)
}

/// Checks that a file is a complete database of litegate. Errors call it `named`.
fn evaluate(file: &Path, named: &Path) -> Result<(), Failed> {
    let unfit = |what: String| Failed::Unfit { path: named.to_owned(), what };
    let mut head = [0; 20];
    let read = safe_file::open_to_read(file).and_then(|mut file| file.read_exact(&mut head));
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(unfit("is not a database".to_owned()));
    }
    // Bytes 18 and 19 of the file format: 2 means a write-ahead log.
    if head[18] != 1 || head[19] != 1 {
        return Err(unfit(
            "is in WAL mode, so it may be a plain copy of a database in use that lacks the newest \
             rows; sqlite3's .backup makes such files too: make copies with litegate backup"
                .to_owned(),
        ));
    }
    let connection = connect(file, READ_ONLY)?;
    let damaged = |error: rusqlite::Error| unfit(format!("is damaged ({error})"));
    let said: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(damaged)?;
    if said != "ok" {
        return Err(unfit(format!("is damaged ({said})")));
    }
    let loose: i64 = connection
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .map_err(damaged)?;
    if loose > 0 {
        return Err(unfit(format!("is damaged ({loose} rows refer to missing rows)")));
    }
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = migrations::known_version();
    if found > known {
        return Err(Error::Newer { found, known }.into());
    }
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name IN ('payments', 'identity')";
    if found == 0 || connection.query_row(ours, [], |row| row.get::<_, i64>(0))? != 2 {
        return Err(unfit("is not a database of litegate".to_owned()));
    }
    let schema = match seal::is_sealed(&connection)? {
        true => Schema::of_copy(found)?,
        false => Schema::of_version(found)?,
    };
    match schema.check(&connection) {
        Err(Error::Damaged(what)) => Err(unfit(format!("is damaged ({what})"))),
        other => Ok(other?),
    }
}

/// A temporary file, removed on drop with all that SQLite puts beside it, unless it is renamed
/// into place.
#[derive(Debug)]
pub(crate) struct Scratch {
    place: Place,
    path: PathBuf,
}

impl Scratch {
    /// Creates an empty file that only its owner may read.
    fn beside(near: &Path, name: &str) -> Result<Scratch, Failed> {
        let path = with_suffix(near, &format!(".{name}"));
        let place = Place::of(&path).map_err(failed(&path))?;
        let scratch = Scratch { path: place.path(), place };
        scratch.remove(); // left by a killed run
        scratch.place.create_new().map_err(failed(&path))?;
        Ok(scratch)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.open().map_or(0, |file| bytes_of(&file))
    }

    fn open(&self) -> std::io::Result<File> {
        safe_file::open_to_read(&self.path)
    }

    /// Reads from the file without changing it.
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        job(&ReadTx::of_foreign(&connect(&self.path, READ_ONLY)?))
    }

    /// Flushes the file and renames it within its directory.
    fn take_place_of(self, to: &Path) -> Result<(), Failed> {
        let name = to.file_name().unwrap_or_default();
        self.place.rename(name).map_err(failed(to))
    }

    fn remove(&self) {
        let kept = migrations::kept_suffix(migrations::known_version());
        for part in ["", "-wal", "-shm", "-journal", &kept, &format!("{kept}.part")] {
            let _ = self.place.remove_suffixed(part); // it may not exist
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}
