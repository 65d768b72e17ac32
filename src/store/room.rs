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

/// The pause after an attempt to cut the log: a reader of an old state may hinder it.
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
    fn is_in_reserve(self) -> bool {
        self.free < RESERVE_BYTES.min(self.total / 4)
    }
}

fn space(file: &Path) -> Option<Space> {
    let found = rustix::fs::statvfs(directory_of(file)).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(Space { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
}

/// Refuses what can wait while only the reserve is left.
///
/// # Errors
/// [`Error::Full`].
pub(super) fn require(connection: &Connection) -> Result<(), Error> {
    let space = connection.path().and_then(|path| space(Path::new(path)));
    if space.is_some_and(Space::is_in_reserve) { Err(Error::Full) } else { Ok(()) }
}

/// Keeps the log of writes smaller than half of the space that is left.
#[derive(Debug)]
pub(super) struct LogLimit {
    log: PathBuf,
    /// How long the connection waits for locks; a checkpoint here waits for none.
    patience: Duration,
    tried_at: Option<Instant>,
}

impl LogLimit {
    /// For the log of the database at `path`, on a connection with this patience.
    pub(super) fn of(path: &Path, patience: Duration) -> LogLimit {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        LogLimit { log: log.into(), patience, tried_at: None }
    }

    /// Puts the log into the database and cuts it, if the disk gets too small for both.
    pub(super) fn keep(&mut self, connection: &Connection) {
        let size = std::fs::metadata(&self.log).map_or(0, |found| found.len());
        if size <= LOG_BYTES_MIN {
            return;
        }
        let Some(space) = space(&self.log) else { return };
        let is_large = size > space.free / 2 || space.is_in_reserve();
        let rests = self.tried_at.is_some_and(|at| at.elapsed() < ATTEMPT_PAUSE);
        if !is_large || rests {
            return;
        }
        self.tried_at = Some(Instant::now());
        let cut = connection.busy_timeout(Duration::ZERO).and_then(|()| {
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
        });
        match cut {
            Ok(false) => {}
            Ok(true) => tracing::debug!("somebody reads an old state: the log stays as it is"),
            Err(error) => tracing::debug!(%error, "the log could not be cut"),
        }
        if let Err(error) = connection.busy_timeout(self.patience) {
            tracing::debug!(%error, "writes do not wait for other processes");
        }
    }
}
