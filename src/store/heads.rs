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

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Serialize};

use crate::domain::merchant::MerchantId;
use crate::safe_file::{self, Place, with_suffix};
use crate::secret::{Mac, RowKey, RowKeys};

use super::Error;
use super::audit_log::chain;

/// Maximum size of the file: a million merchants' heads.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// Version of the file's format.
const VERSION: u32 = 1;

/// The newest state of one merchant's rows. Zero means none yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// `merchants.revision`.
    pub(crate) revision: u32,
    /// The version of the API key.
    pub(crate) key: u32,
    /// The version of the webhook secret.
    pub(crate) secret: u32,
    /// The newest registration of a payout address. They are numbered without gaps.
    pub(crate) addresses: u32,
    /// The number of cancelled registrations.
    pub(crate) cancelled: u32,
    /// When the second factor was last enabled or disabled.
    #[serde(default, skip_serializing_if = "FactorHead::is_none")]
    pub(crate) second_factor: FactorHead,
}

/// Whether a merchant's second factor is enabled, and the revision of the merchant's row at
/// that decision. A later decision is higher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FactorHead(u64);

impl FactorHead {
    pub(super) fn enabled_at(revision: u32) -> FactorHead {
        FactorHead(u64::from(revision) * 2 + 1)
    }

    pub(super) fn disabled_at(revision: u32) -> FactorHead {
        FactorHead(u64::from(revision) * 2)
    }

    /// Whether there was no decision yet.
    pub(super) fn is_none(&self) -> bool {
        self.0 == 0
    }

    pub(super) fn is_disabled(self) -> bool {
        !self.is_none() && self.0.is_multiple_of(2)
    }
}

impl Head {
    /// The higher value of each part.
    pub(super) fn or_higher(self, other: Head) -> Head {
        Head {
            revision: self.revision.max(other.revision),
            key: self.key.max(other.key),
            secret: self.secret.max(other.secret),
            addresses: self.addresses.max(other.addresses),
            cancelled: self.cancelled.max(other.cancelled),
            second_factor: self.second_factor.max(other.second_factor),
        }
    }
}

/// The heads of all merchants.
pub(crate) type Map = BTreeMap<MerchantId, Head>;

/// The newest state of everything that must not revert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) merchants: Map,
    /// The newest row of the audit log.
    pub(crate) audit_log: Option<chain::Head>,
}

impl State {
    /// Raises each part to at least that of another state.
    fn raise(&mut self, to: &State) {
        for (merchant, head) in &to.merchants {
            let known = self.merchants.entry(*merchant).or_default();
            *known = known.or_higher(*head);
        }
        let newer = to.audit_log.filter(|to| self.audit_log.is_none_or(|known| known.id < to.id));
        self.audit_log = newer.or(self.audit_log);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.merchants.is_empty() && self.audit_log.is_none()
    }
}

/// The default path of the file.
pub(crate) fn beside(database: &Path) -> PathBuf {
    with_suffix(database, ".heads")
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    merchants: BTreeMap<u64, Head>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_log: Option<AuditLog>,
    /// HMAC-SHA256 over the other fields, in hexadecimal digits.
    mac: String,
}

/// The newest row of the audit log, with its hash in hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditLog {
    id: i64,
    hash: String,
}

/// Identifies the file version that was read last: inode, modification time and length.
type Stamp = (u64, i64, i64, u64);

fn stamp_of(file: &std::fs::Metadata) -> Stamp {
    (file.ino(), file.mtime(), file.mtime_nsec(), file.len())
}

/// The file of heads. Clones share what was read.
#[derive(Debug, Clone)]
pub(super) struct Heads(Option<Arc<Kept>>);

#[derive(Debug)]
struct Kept {
    path: PathBuf,
    keys: RowKeys,
    read: Mutex<(Option<Stamp>, Arc<State>)>,
}

impl Heads {
    /// The heads in this file. Without a path nothing is checked: for a process whose user may not
    /// read the file and that has its own record.
    pub(super) fn at(path: Option<&Path>, keys: &RowKeys) -> Heads {
        let kept = |path: &Path| {
            let read = Mutex::new((None, Arc::default()));
            Arc::new(Kept { path: path.to_owned(), keys: keys.clone(), read })
        };
        Heads(path.map(kept))
    }

    /// Whether the file exists.
    pub(super) fn exist(&self) -> bool {
        self.0.as_ref().is_some_and(|kept| kept.path.exists())
    }

    /// The current heads. Reads only the file's metadata if nothing changed.
    ///
    /// # Errors
    /// If the file cannot be read, or this gateway did not write it.
    pub(super) fn now(&self) -> Result<Arc<State>, Error> {
        let Some(kept) = &self.0 else { return Ok(Arc::default()) };
        let stamp = match std::fs::symlink_metadata(&kept.path) {
            Ok(found) => Some(stamp_of(&found)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::of_file(&kept.path)(error)),
        };
        let mut read = kept.read.lock().unwrap_or_else(PoisonError::into_inner);
        if stamp.is_some() && read.0 != stamp {
            match kept.load() {
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
        let Some(kept) = self.0.as_ref() else { return Ok(()) };
        let failed = |error| Error::of_file(&kept.path)(error);
        let _lock = lock(&kept.path).map_err(failed)?;
        let known = kept.load_patiently()?;
        let mut heads = State::clone(&known);
        heads.raise(to);
        if heads != *known || !self.exist() {
            let text = encode(&heads, &kept.keys.now().current);
            let place = Place::of(&kept.path).map_err(failed)?;
            place.replace(text.as_bytes()).map_err(failed)?;
        }
        *kept.read.lock().unwrap_or_else(PoisonError::into_inner) = kept.load()?;
        Ok(())
    }
}

impl Heads {
    /// Accepts the end of a restored audit log as the newest. Returns the previous one.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn adopt_audit_log(
        &self,
        newest: chain::Head,
    ) -> Result<Option<chain::Head>, Error> {
        let Some(kept) = self.0.as_ref() else { return Ok(None) };
        let failed = |error| Error::of_file(&kept.path)(error);
        let _lock = lock(&kept.path).map_err(failed)?;
        let (_, known) = kept.load()?;
        let heads = State { audit_log: Some(newest), ..State::clone(&known) };
        let text = encode(&heads, &kept.keys.now().current);
        Place::of(&kept.path).and_then(|place| place.replace(text.as_bytes())).map_err(failed)?;
        Ok(known.audit_log.filter(|before| *before != newest))
    }

    /// Authenticates the file under the current key instead of the previous one.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub(super) fn reseal(&self) -> Result<(), Error> {
        let Some(kept) = self.0.as_ref().filter(|_| self.exist()) else { return Ok(()) };
        let failed = |error| Error::of_file(&kept.path)(error);
        let _lock = lock(&kept.path).map_err(failed)?;
        let (_, heads) = kept.load()?;
        let text = encode(&heads, &kept.keys.now().current);
        let place = Place::of(&kept.path).map_err(failed)?;
        place.replace(text.as_bytes()).map_err(failed)
    }
}

/// Retries for a file that another process wrote under a secret which this process has not
/// read yet.
const READ_AGAIN_MAX: u32 = 30;
const READ_AGAIN_PAUSE: Duration = Duration::from_millis(100);

impl Kept {
    /// As [`Kept::load`], for a writer: during a rotation it waits until the new secret is
    /// known.
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

/// The heads as text, for the file and for backups.
pub(crate) fn encode(heads: &State, key: &RowKey) -> String {
    let merchants = heads.merchants.iter().map(|(id, head)| (id.get(), *head)).collect();
    let mac = mac(&merchants, heads.audit_log, key).finish().to_lower_hex_string();
    let audit_log = heads.audit_log.map(|head| AuditLog { id: head.id, hash: head.hash_hex() });
    let content = Content { version: VERSION, merchants, audit_log, mac };
    serde_json::to_string(&content).unwrap_or_default()
}

/// Parses the output of [`encode`] if it verifies under one of these keys.
pub(crate) fn decode(text: &str, keys: &RowKeys) -> Option<State> {
    let content: Content = serde_json::from_str(text).ok()?;
    let stored = Vec::from_hex(&content.mac).ok()?;
    let audit_log = match content.audit_log {
        Some(AuditLog { id, hash }) => {
            Some(chain::Head { id, hash: FromHex::from_hex(&hash).ok()? })
        }
        None => None,
    };
    let keys = keys.now();
    let fits = |key| mac(&content.merchants, audit_log, key).fits(&stored);
    if content.version != VERSION || !keys.all().any(fits) {
        return None;
    }
    let merchants = content.merchants.iter();
    let merchants = merchants.map(|(id, head)| (MerchantId::from_random(*id), *head)).collect();
    Some(State { merchants, audit_log })
}

fn mac(merchants: &BTreeMap<u64, Head>, audit_log: Option<chain::Head>, key: &RowKey) -> Mac {
    let mut mac = key.mac_of("heads");
    for (id, head) in merchants {
        mac.field(b'M', &id.to_be_bytes());
        for part in [head.revision, head.key, head.secret, head.addresses, head.cancelled] {
            mac.field(b'I', &part.to_be_bytes());
        }
        if !head.second_factor.is_none() {
            mac.field(b'F', &head.second_factor.0.to_be_bytes());
        }
    }
    if let Some(head) = audit_log {
        mac.field(b'A', &head.id.to_be_bytes());
        mac.field(b'B', &head.hash);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let row = |id| chain::Head { id, hash: [u8::try_from(id).expect("small"); 32] };
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
