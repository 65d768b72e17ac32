//! Disk space: free space, the reserve that new payments leave, and the size of SQLite's
//! write-ahead log.
//!
//! A checkpoint needs free space itself, because the database may grow before the log is
//! truncated. So the log is checkpointed while there is space for it, and new payments are
//! refused before the watcher can no longer write.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::safe_file::directory_of;

use super::error::Error;

/// Free space that new payments leave for the watcher and checkpoints, in bytes; a quarter of
/// a disk smaller than four times this.
const RESERVE_BYTES: u64 = 16 * 1024 * 1024;

/// A log up to this size is kept however full the disk is, in bytes.
const LOG_BYTES_MIN: u64 = 128 * 1024;

/// The pause after a failed attempt to truncate the log: a reader of an old state may block
/// it.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(250);

/// Free space of a file's disk, in bytes; `None` if the system does not report it.
pub(crate) fn free_bytes(file: &Path) -> Option<u64> {
    space(file).map(|space| space.free)
}

#[derive(Debug, Clone, Copy)]
struct Space {
    free: u64,
    total: u64,
}

impl Space {
    fn reserve(self) -> u64 {
        RESERVE_BYTES.min(self.total / 4)
    }
}

fn space(file: &Path) -> Option<Space> {
    let found = rustix::fs::statvfs(directory_of(file)).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(Space { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}

/// Refuses deferrable writes while only the reserve is left. The log counts as free, since it
/// is truncated when the disk fills up; but not alone, since a reader of an old state may
/// block that.
///
/// # Errors
/// [`Error::Full`].
pub(super) fn require(connection: &Connection) -> Result<(), Error> {
    let Some(path) = connection.path().map(Path::new) else { return Ok(()) };
    let Some(space) = space(path) else { return Ok(()) };
    let free_later = space.free.saturating_add(size_of(&log_of(path)));
    let is_left = free_later >= space.reserve() && space.free >= space.reserve() / 2;
    if is_left { Ok(()) } else { Err(Error::Full) }
}

/// The file of the write-ahead log.
fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn size_of(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

/// Keeps the write-ahead log below half of the free space.
#[derive(Debug)]
pub(super) struct LogLimit {
    log: PathBuf,
    /// The connection's busy timeout; a checkpoint here does not wait.
    patience: Duration,
    failed_at: Option<Instant>,
}

impl LogLimit {
    /// For the log of the database at `path`, on a connection with this timeout.
    pub(super) fn of(path: &Path, patience: Duration) -> LogLimit {
        LogLimit { log: log_of(path), patience, failed_at: None }
    }

    /// Checkpoints and truncates the log if the disk becomes too small for both.
    pub(super) fn keep(&mut self, connection: &Connection) {
        let size = size_of(&self.log);
        if size <= LOG_BYTES_MIN {
            return;
        }
        let Some(space) = space(&self.log) else { return };
        let is_large = size > space.free / 2 || space.free < space.reserve();
        let rests = self.failed_at.is_some_and(|at| at.elapsed() < ATTEMPT_PAUSE);
        if !is_large || rests {
            return;
        }
        self.failed_at = None;
        let cut = connection.busy_timeout(Duration::ZERO).and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
        });
        match cut {
            Ok(false) => {}
            Ok(true) => {
                self.failed_at = Some(Instant::now());
                tracing::debug!(
                    "a reader of an old state blocks the truncation of the write-ahead log"
                );
            }
            Err(error) => {
                self.failed_at = Some(Instant::now());
                tracing::debug!(%error, "the write-ahead log could not be truncated");
            }
        }
        if let Err(error) = connection.busy_timeout(self.patience) {
            tracing::debug!(%error, "the lock timeout could not be restored");
        }
    }
}
