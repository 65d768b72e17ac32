//! Disk space: what is free beside the database, the reserve that new payments leave, and the size
//! of the log of writes (SQLite's write-ahead log).
//!
//! A checkpoint needs free space itself, because it may make the database larger before the log can
//! be cut. So the log is put into the database while there is space for that, and new payments are
//! refused before the watcher can write no more.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::safe_file::directory_of;

use super::Error;

/// Free space that new payments leave to the watcher and to checkpoints, in bytes; a quarter of a
/// disk that is smaller than four times this.
const RESERVE_BYTES: u64 = 16 * 1024 * 1024;

/// A log of at most this size is left alone however full the disk is, in bytes.
const LOG_BYTES_MIN: u64 = 128 * 1024;

/// The pause after an attempt to cut the log that failed: a reader of an old state may hinder it.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(250);

/// Room that is left beside a file, in bytes; `None` if the system does not say.
pub(crate) fn free_bytes(file: &Path) -> Option<u64> {
    space(file).map(|space| space.free)
}

/// Space of a disk, in bytes.
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

/// Refuses what can wait while only the reserve is left. The log counts as free, since it is cut
/// when the disk gets full; but not alone, since a reader of an old state may hinder that.
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

/// The file of the log of writes.
fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

fn size_of(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

/// Keeps the log of writes smaller than half of the space that is left.
#[derive(Debug)]
pub(super) struct LogLimit {
    log: PathBuf,
    /// How long the connection waits for locks; a checkpoint here waits for none.
    patience: Duration,
    failed_at: Option<Instant>,
}

impl LogLimit {
    /// For the log of the database at `path`, on a connection with this patience.
    pub(super) fn of(path: &Path, patience: Duration) -> LogLimit {
        LogLimit { log: log_of(path), patience, failed_at: None }
    }

    /// Puts the log into the database and cuts it, if the disk gets too small for both.
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
                tracing::debug!("a reader of an old state keeps the log from being cut");
            }
            Err(error) => {
                self.failed_at = Some(Instant::now());
                tracing::debug!(%error, "the log could not be cut");
            }
        }
        if let Err(error) = connection.busy_timeout(self.patience) {
            tracing::debug!(%error, "writes do not wait for other processes");
        }
    }
}
