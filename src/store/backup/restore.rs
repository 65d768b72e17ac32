//! Unpacking a copy and putting it in the place of the database.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::crash;
use crate::progress::{OnProgress, Progress};
use crate::safe_file::{self, with_suffix};
use crate::secret::BackupKey;

use super::super::connect::{READ_WRITE, connect};
use super::super::error::Error;
use super::super::scratch::{Failed, Scratch, bytes_of, failed};
use super::check::evaluate;
use super::seal;

/// Bytes copied per step.
const CHUNK: u64 = 4 << 20;

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
