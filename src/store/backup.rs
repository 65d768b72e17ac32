//! Copies of the database: made while it is in use, judged, and put in its place.
//!
//! A copy is one file that needs no other, with a seal by which a changed one is refused
//! ([`seal`]). It holds no key and no secret; it does hold customers' references and merchants'
//! webhook addresses, so only its owner may read it.

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

/// Pages that are copied at a time, of 4 kB each; between them the disk serves others.
const STEP_PAGES: i32 = 1_000;

/// What goes wrong with copies.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} is there already", .0.display())]
    Exists(PathBuf),
    /// The file is no copy that can be put back.
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

/// What a copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contents {
    pub(crate) bytes: u64,
    pub(crate) payments: u64,
    pub(crate) merchants: u64,
    /// When the newest payment was created.
    pub(crate) newest_at: Option<Timestamp>,
    pub(crate) next_index: DerivationIndex,
    pub(crate) tip: Option<BlockId>,
}

/// What a copy is sealed with.
#[derive(Debug)]
pub(crate) struct Sealing {
    pub(crate) key: BackupKey,
    pub(crate) now: Timestamp,
    /// The heads from before the copy was begun.
    pub(crate) heads: Option<String>,
}

/// Copies one state of the database into a new file, while others write, seals it, and answers its
/// bytes. `on_progress` hears how many pages are done.
///
/// # Errors
/// If the file is there already, or cannot be written. Nothing is left then.
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

/// As [`copy`], into a file that root opened before it gave up its rights, by way of one beside the
/// database. `named` is what errors call it.
///
/// # Errors
/// If it cannot be written. Nothing, or an empty file, is left then; after a kill, a file that is
/// no database.
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

/// Why a new file for a copy was not made.
pub(crate) fn not_made(to: &Path) -> impl FnOnce(std::io::Error) -> Failed {
    let to = to.to_owned();
    |error| match error.kind() {
        ErrorKind::AlreadyExists => Failed::Exists(to),
        _ => Failed::File { path: to, source: error },
    }
}

/// Copies all bytes, and those by which SQLite knows a database last: a copy that was cut short is
/// no database.
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

/// Copies one state of the database into a scratch file, checks it and seals it; `named` is what
/// errors call it.
fn fill(
    store: &Store,
    part: &Scratch,
    named: &Path,
    sealing: &Sealing,
    on_progress: OnProgress,
) -> Result<(), Failed> {
    let written = part.open().map_err(failed(part.path()))?;
    // The transaction stays on one state for as long as it lasts; in WAL mode it stops no writer.
    store.read_blocking(|tx| {
        // It begins with the first read. If that were the copy's own, each step would be a
        // transaction, and the copy begin anew with every write in between: it would never end.
        tx.connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        let mut copy = connect(part.path(), READ_WRITE)?;
        copy.pragma_update(None, "synchronous", "OFF")?; // It is flushed as a whole.
        {
            let backup = Backup::new(tx.connection, &mut copy)?;
            while backup.step(STEP_PAGES)? != StepResult::Done {
                // Little by little: a flush of all at the end would hold up those of the writer.
                written.sync_data().map_err(failed(part.path()))?;
                let progress = backup.progress();
                let total = u64::try_from(progress.pagecount).unwrap_or(0);
                let left = u64::try_from(progress.remaining).unwrap_or(0);
                let done = total.saturating_sub(left);
                on_progress(Progress { what: "copying the database", done, of: total });
            }
        }
        // One file, that nothing beside it belongs to.
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok::<_, Failed>(())
    })?;
    evaluate(part.path(), named)?;
    seal_copy(part, sealing, on_progress)
}

/// Seals a copy that was checked.
fn seal_copy(part: &Scratch, sealing: &Sealing, on_progress: OnProgress) -> Result<(), Failed> {
    let mut connection = connect(part.path(), READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "OFF")?; // It is flushed as a whole.
    let tx = connection.transaction()?;
    let facts = seal::Facts {
        made_at: sealing.now,
        audit_log: chain::head_of(&tx)?,
        heads: sealing.heads.clone(),
    };
    seal::write(&tx, &sealing.key, &facts, on_progress)?;
    Ok(tx.commit()?)
}

/// The database as it was before an upgrade, under a name that is not the one it is kept by yet. It
/// goes away unless it is kept.
pub(super) struct Before {
    part: Scratch,
    named: PathBuf,
}

impl Before {
    /// Copies the database as it was last committed. The caller holds the write lock.
    pub(super) fn copy(database: &Path, suffix: &str) -> Result<Before, Error> {
        let named = with_suffix(database, suffix);
        let part = Scratch::beside(&named, "part").map_err(not_kept)?;
        // A connection of its own: the one that holds the lock cannot be copied from.
        let source = connect(database, READ_ONLY)?;
        let mut copy = connect(part.path(), READ_WRITE)?;
        copy.pragma_update(None, "synchronous", "OFF")?; // It is flushed as a whole.
        if Backup::new(&source, &mut copy)?.step(-1)? != StepResult::Done {
            return Err(Error::Busy);
        }
        copy.pragma_update(None, "journal_mode", "DELETE")?;
        Ok(Before { part, named })
    }

    /// Keeps it, whole and flushed, beside what earlier upgrades have kept.
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
            Error::Impossible(format!("the copy from before the upgrade cannot be made: {failed}"))
        }
    }
}

/// Where a file that is to be put back comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// `litegate backup` made it.
    Backup,
    /// Litestream put it together from its replica: whole, but marked as a database with a log.
    Replica,
}

/// A copy that is to be unpacked, open.
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

/// Opens a copy. Done before root gives up its rights, for the file may be root's.
///
/// # Errors
/// If it cannot be opened, or if a replica has a log.
pub(crate) fn open(file: &Path, source: Source) -> Result<Copy, Failed> {
    let opened = safe_file::open_to_read(file).map_err(failed(file))?;
    if source == Source::Replica && with_suffix(file, "-wal").exists() {
        let what = "has a log beside it: restore it anew, and let nobody open it".to_owned();
        return Err(Failed::Unfit { path: file.to_owned(), what });
    }
    Ok(Copy { file: opened, path: file.to_owned(), source })
}

/// A private copy of a copy, that may be opened and changed, beside `near`. It is checked: whole,
/// of this program, of a schema that this binary knows, and as one of `keys` sealed it. A replica
/// has no seal. `on_progress` hears how much is done.
///
/// # Errors
/// [`Failed::Unfit`] says what it is instead.
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
        drop(unmark(scratch.path())); // What is no database is judged below.
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

/// Bytes that are copied at a time.
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

/// What the database holds, in numbers.
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

/// Puts a checked copy where the database is; what was there is kept under another name, which is
/// answered. The caller holds the locks of all roles.
///
/// A kill in the middle leaves no database rather than a wrong one: then it is done again.
///
/// # Errors
/// If a file cannot be moved.
pub(crate) fn put_in_place(
    scratch: Scratch,
    database: &Path,
    suffix: &str,
) -> Result<Option<PathBuf>, Failed> {
    let kept = with_suffix(database, suffix);
    let mut moved = None;
    empty_log_of(database);
    // The file before its log: a log without its file is ignored, a file without its log is torn.
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

/// Takes the log into the file that it belongs to, so that a kill between two renames does not part
/// them. A database that cannot be opened any more keeps its log.
fn empty_log_of(database: &Path) {
    if !database.exists() {
        return;
    }
    let emptied = connect(database, READ_WRITE).and_then(|connection| {
        Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    });
    if let Err(error) = emptied {
        tracing::debug!(%error, "the log of the database that is put aside stays beside it");
    }
}

/// Takes the mark away that says that a log belongs to a file.
fn unmark(file: &Path) -> Result<(), Error> {
    Ok(connect(file, READ_WRITE)?.pragma_update(None, "journal_mode", "DELETE")?)
}

/// Whether a file is a whole database of ours. `named` is what errors call it.
fn evaluate(file: &Path, named: &Path) -> Result<(), Failed> {
    let unfit = |what: String| Failed::Unfit { path: named.to_owned(), what };
    let mut head = [0; 20];
    let read = safe_file::open_to_read(file).and_then(|mut file| file.read_exact(&mut head));
    if read.is_err() || !head.starts_with(b"SQLite format 3\0") {
        return Err(unfit("is no database".to_owned()));
    }
    // Bytes 18 and 19 of the file format: 2 is a database with a log beside it.
    if head[18] != 1 || head[19] != 1 {
        return Err(unfit(
            "is marked to have a log beside it, so it may be a plain copy of a database in use \
             that lacks the newest rows; a copy by sqlite3's .backup looks the same: make copies \
             by litegate backup"
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
        return Err(unfit(format!("is damaged ({loose} rows refer to nothing)")));
    }
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = migrations::known_version();
    if found > known {
        return Err(Error::Newer { found, known }.into());
    }
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name IN ('payments', 'identity')";
    if found == 0 || connection.query_row(ours, [], |row| row.get::<_, i64>(0))? != 2 {
        return Err(unfit("is no database of litegate".to_owned()));
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

/// A file that goes away again, with all that SQLite puts beside it, unless it takes a place.
#[derive(Debug)]
pub(crate) struct Scratch {
    place: Place,
    path: PathBuf,
}

impl Scratch {
    /// A new, empty file that nobody else may read.
    fn beside(near: &Path, name: &str) -> Result<Scratch, Failed> {
        let path = with_suffix(near, &format!(".{name}"));
        let place = Place::of(&path).map_err(failed(&path))?;
        let scratch = Scratch { path: place.path(), place };
        scratch.remove(); // Of a run that was killed.
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

    /// Reads from it without changing it.
    pub(crate) fn read<T>(
        &self,
        job: impl FnOnce(&ReadTx) -> Result<T, Error>,
    ) -> Result<T, Error> {
        job(&ReadTx::of_foreign(&connect(&self.path, READ_ONLY)?))
    }

    /// Flushes it and gives it another name in its directory.
    fn take_place_of(self, to: &Path) -> Result<(), Failed> {
        let name = to.file_name().unwrap_or_default();
        self.place.rename(name).map_err(failed(to))
    }

    fn remove(&self) {
        let kept = migrations::kept_suffix(migrations::known_version());
        for part in ["", "-wal", "-shm", "-journal", &kept, &format!("{kept}.part")] {
            let _ = self.place.remove_suffixed(part); // It may not be there.
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}
