//! Heads: the newest state of each merchant's rows, stored in a file outside of the database.
//!
//! A MAC proves that this gateway wrote a row at some time. It does not show that the row was
//! deleted, or replaced by an older one. So a file beside the high-water mark stores the
//! highest revision of each merchant, the versions of its key and secret, the numbers of its
//! payout addresses, and whether it has a second factor. They only increase.
//!
//! The file is written after the commit that raises a head, and before the caller learns of
//! the commit. A kill in between leaves a head below its row, which is no contradiction.
//!
//! Must not know: what a head is compared with.

mod encoding;
mod state;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::audit_log::Head as AuditHead;
use crate::safe_file::{self, Place, with_suffix};
use crate::secret::RowKeys;

use super::error::Error;

pub(crate) use encoding::{decode, encode};
pub(crate) use state::{FactorHead, Head, State};

/// Maximum size of the file: a million merchants' heads.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// The default path of the file.
pub(crate) fn beside(database: &Path) -> PathBuf {
    with_suffix(database, ".heads")
}

/// Identifies the file version that was read last: inode, modification time and length.
type Stamp = (u64, i64, i64, u64);

fn stamp_of(file: &std::fs::Metadata) -> Stamp {
    (file.ino(), file.mtime(), file.mtime_nsec(), file.len())
}

/// The file of heads. Clones share what was read.
#[derive(Debug, Clone)]
pub(super) struct Heads(Option<Arc<HeadsFile>>);

#[derive(Debug)]
struct HeadsFile {
    path: PathBuf,
    keys: RowKeys,
    read: Mutex<(Option<Stamp>, Arc<State>)>,
}

impl Heads {
    /// The heads in this file. Without a path nothing is checked: for a process whose user may
    /// not read the file and that has its own record.
    pub(super) fn at(path: Option<&Path>, keys: &RowKeys) -> Heads {
        let file = |path: &Path| {
            let read = Mutex::new((None, Arc::default()));
            Arc::new(HeadsFile { path: path.to_owned(), keys: keys.clone(), read })
        };
        Heads(path.map(file))
    }

    /// Whether the file exists.
    pub(super) fn exist(&self) -> bool {
        self.0.as_ref().is_some_and(|file| file.path.exists())
    }

    /// The current heads. Reads only the file's metadata if nothing changed.
    ///
    /// # Errors
    /// If the file cannot be read, or this gateway did not write it.
    pub(super) fn now(&self) -> Result<Arc<State>, Error> {
        let Some(file) = &self.0 else { return Ok(Arc::default()) };
        let stamp = match std::fs::symlink_metadata(&file.path) {
            Ok(found) => Some(stamp_of(&found)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::of_file(&file.path)(error)),
        };
        let mut read = file.read.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && read.0 != stamp {
            match file.load() {
                Ok(loaded) => *read = loaded,
                // Another process wrote it under a new secret, which this process reads
                // shortly.
                Err(Error::Impossible(why)) if read.0.is_some() => {
                    tracing::debug!(why, "using the heads that were read last");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Arc::clone(&read.1))
    }

    /// Raises the heads to at least these, durably.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn raise(&self, to: &State) -> Result<(), Error> {
        let Some(file) = self.0.as_ref() else { return Ok(()) };
        let failed = |error| Error::of_file(&file.path)(error);
        let _lock = lock(&file.path).map_err(failed)?;
        let known = file.load_patiently()?;
        let mut heads = State::clone(&known);
        heads.raise(to);
        if heads != *known || !self.exist() {
            let text = encode(&heads, &file.keys.now().current);
            let place = Place::of(&file.path).map_err(failed)?;
            place.replace(text.as_bytes()).map_err(failed)?;
        }
        *file.read.lock().unwrap_or_else(PoisonError::into_inner) = file.load()?;
        Ok(())
    }
}

impl Heads {
    /// Accepts the end of a restored audit log as the newest. Returns the previous one.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn adopt_audit_log(&self, newest: AuditHead) -> Result<Option<AuditHead>, Error> {
        let Some(file) = self.0.as_ref() else { return Ok(None) };
        let failed = |error| Error::of_file(&file.path)(error);
        let _lock = lock(&file.path).map_err(failed)?;
        let (_, known) = file.load()?;
        let heads = State { audit_log: Some(newest), ..State::clone(&known) };
        let text = encode(&heads, &file.keys.now().current);
        Place::of(&file.path).and_then(|place| place.replace(text.as_bytes())).map_err(failed)?;
        Ok(known.audit_log.filter(|before| *before != newest))
    }

    /// Authenticates the file under the current key instead of the previous one.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn reseal(&self) -> Result<(), Error> {
        let Some(file) = self.0.as_ref().filter(|_| self.exist()) else { return Ok(()) };
        let failed = |error| Error::of_file(&file.path)(error);
        let _lock = lock(&file.path).map_err(failed)?;
        let (_, heads) = file.load()?;
        let text = encode(&heads, &file.keys.now().current);
        let place = Place::of(&file.path).map_err(failed)?;
        place.replace(text.as_bytes()).map_err(failed)
    }
}

/// Retries for a file that another process wrote under a secret which this process has not
/// read yet.
const READ_AGAIN_MAX: u32 = 30;
const READ_AGAIN_PAUSE: Duration = Duration::from_millis(100);

impl HeadsFile {
    /// As [`HeadsFile::load`], for a writer: during a rotation it waits until the new secret
    /// is known.
    fn load_patiently(&self) -> Result<Arc<State>, Error> {
        for _ in 0..READ_AGAIN_MAX {
            match self.load() {
                Err(Error::Impossible(_)) => std::thread::sleep(READ_AGAIN_PAUSE),
                loaded => return Ok(loaded?.1),
            }
        }
        Ok(self.load()?.1)
    }

    fn load(&self) -> Result<(Option<Stamp>, Arc<State>), Error> {
        let failed = |error| Error::of_file(&self.path)(error);
        let Some(file) = safe_file::open_own_to_read(&self.path).map_err(failed)? else {
            return Ok((None, Arc::default()));
        };
        let stamp = stamp_of(&file.metadata().map_err(failed)?);
        let mut text = String::new();
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        let heads = decode(&text, &self.keys).ok_or_else(|| {
            Error::Impossible(format!(
                "{} was not written by this gateway: restore it from the newest backup",
                self.path.display()
            ))
        })?;
        Ok((Some(stamp), Arc::new(heads)))
    }
}

/// Held by one process while it replaces the file.
fn lock(path: &Path) -> std::io::Result<File> {
    let (file, _) = safe_file::open_own(&with_suffix(path, ".lock"))?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::merchant::MerchantId;
    use crate::secret::MasterSecret;

    fn keys(byte: u8) -> RowKeys {
        RowKeys::of(&MasterSecret::new([byte; 32]))
    }

    fn head(revision: u32, addresses: u32) -> Head {
        Head { revision, addresses, ..Head::default() }
    }

    fn id(n: u64) -> MerchantId {
        MerchantId::from_random(n)
    }

    fn state(merchants: impl IntoIterator<Item = (MerchantId, Head)>) -> State {
        State { merchants: merchants.into_iter().collect(), audit_log: None }
    }

    #[test]
    fn heads_survive_a_restart_and_never_decrease() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = beside(&dir.path().join("litegate.db"));
        let open = || Heads::at(Some(&path), &keys(7));
        let (here, elsewhere) = (open(), open());
        assert!(!here.exist() && here.now().expect("read").is_empty());
        here.raise(&state([(id(1), head(5, 2))])).expect("written");
        elsewhere.raise(&state([(id(1), head(4, 3)), (id(2), head(1, 0))])).expect("written");
        let expected = state([(id(1), head(5, 3)), (id(2), head(1, 0))]);
        assert_eq!(*here.now().expect("read"), expected, "another process raised it");
        assert_eq!(*open().now().expect("read"), expected);
    }

    #[test]
    fn the_newest_audit_log_row_is_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = beside(&dir.path().join("litegate.db"));
        let heads = Heads::at(Some(&path), &keys(7));
        let row = |id| AuditHead { id, hash: [u8::try_from(id).expect("small"); 32] };
        for id in [3, 9, 4] {
            let to = State { audit_log: Some(row(id)), ..State::default() };
            heads.raise(&to).expect("written");
        }
        let read = Heads::at(Some(&path), &keys(7)).now().expect("read");
        assert_eq!(read.audit_log, Some(row(9)));
        let text = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, text.replace("\"id\":9", "\"id\":8")).expect("written");
        assert!(Heads::at(Some(&path), &keys(7)).now().is_err());
    }

    #[test]
    fn a_heads_file_of_another_secret_or_changed_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = beside(&dir.path().join("litegate.db"));
        let open = |byte| Heads::at(Some(&path), &keys(byte));
        open(7).raise(&state([(id(1), head(5, 2))])).expect("written");
        assert!(open(8).now().is_err());
        let text = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, text.replace("\"revision\":5", "\"revision\":4")).expect("written");
        assert!(open(7).now().is_err());
    }
}
