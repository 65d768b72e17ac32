//! Connections to SQLite files. Another user may write their directory, so SQLite opens only
//! checked files and follows no symbolic link.
//!
//! Only SQLite opens and closes the file of a database in use, or a file beside it: otherwise
//! the process would lose the locks of its other connections (sqlite.org/howtocorrupt.html,
//! 2.2).

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::safe_file::{self, Place};

use super::error::Error;

/// Suffixes of the files that SQLite opens beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

pub(super) const READ_ONLY: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Read and write an existing file.
pub(super) const READ_WRITE: OpenFlags =
    OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Creates the database file if it is missing, restricts it to its owner, and checks it and
/// the files beside it. Returns its path without symbolic links.
///
/// # Errors
/// [`Error::File`] if one of the files is not the gateway's own.
pub(super) fn prepare_file(path: &Path) -> Result<PathBuf, Error> {
    let place = safe_file::prepare_own(path).map_err(Error::of_file(path))?;
    place.check_suffixed(&BESIDE).map_err(Error::of_file(path))?;
    Ok(place.path())
}

/// Opens an existing file of the gateway.
///
/// # Errors
/// [`Error::File`] if it, or a file beside it, is not the gateway's own.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let place = Place::of(path).map_err(Error::of_file(path))?;
    place.check_suffixed(&[&[""], &BESIDE[..]].concat()).map_err(Error::of_file(path))?;
    Ok(reconnect(&place.path(), flags)?)
}

/// Opens a file that this process already checked; its path has no symbolic links.
pub(super) fn reconnect(path: &Path, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NOFOLLOW)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::store::Store;

    /// Number of this process's locks on a file (proc_locks(5)).
    fn locks_on(path: &Path) -> usize {
        let inode = format!(":{} ", std::fs::metadata(path).expect("there").ino());
        let process = format!(" {} ", std::process::id());
        let locks = std::fs::read_to_string("/proc/locks").expect("Linux shows them");
        locks.lines().filter(|line| line.contains(&inode) && line.contains(&process)).count()
    }

    #[test]
    fn a_check_releases_no_lock_of_another_connection() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("litegate.db");
        let store = Store::open(&path).expect("opened");
        let shared_memory = folder.path().join("litegate.db-shm");
        let count = || [locks_on(&path), locks_on(&shared_memory)];
        let read = store.read_blocking(|_| {
            let before = count();
            prepare_file(&path)?;
            drop(connect(&path, READ_ONLY)?);
            drop(Store::open(&path)?);
            Ok::<_, Error>((before, count()))
        });
        let (before, after) = read.expect("read");
        assert!(before.iter().all(|locks| *locks > 0), "{before:?}");
        // Closing any descriptor of a file releases all locks of the process on it. Their
        // number varies: the pool opens connections of its own.
        assert!(after.iter().all(|locks| *locks > 0), "{after:?}");
    }
}
