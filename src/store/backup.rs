//! Backups: copying the database while it is in use, checking a copy, and restoring it.
//!
//! A copy is a single file with a seal that detects changes ([`seal`]). It contains no key and
//! no secret, but shops' references and webhook URLs, so only its owner may read it.

mod check;
mod restore;
pub(crate) mod seal;

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};

use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;
use crate::progress::{OnProgress, Progress};
use crate::safe_file::Output;
use crate::secret::BackupKey;

use self::check::evaluate;
use super::audit_log_hash as hash;
use super::connect::{READ_WRITE, connect};
use super::database::Store;
use super::error::Error;
use super::scratch::failed;
use super::tx::ReadTx;
use super::{blocks, indexes};

pub(crate) use super::scratch::{Failed, Scratch};
pub(crate) use restore::{Source, open, put_in_place, unpack};

/// Pages of 4 kB copied per step; between steps the disk serves other work.
const STEP_PAGES: i32 = 1_000;

/// Bytes copied per step.
const CHUNK: u64 = 4 << 20;

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
    write_copy(&from, output.file(), bytes, on_progress).map_err(failed(named))?;
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
fn write_copy(from: &File, to: &File, bytes: u64, on_progress: OnProgress) -> std::io::Result<()> {
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

fn seal_copy(part: &Scratch, sealing: &Sealing, on_progress: OnProgress) -> Result<(), Failed> {
    let mut connection = connect(part.path(), READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "OFF")?; // flushed as a whole
    let tx = connection.transaction()?;
    let facts = seal::Facts {
        made_at: sealing.now,
        audit_log: hash::head_of(&tx)?,
        heads: sealing.heads.clone(),
    };
    seal::write(&tx, &sealing.key, &facts, on_progress)?;
    Ok(tx.commit()?)
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
