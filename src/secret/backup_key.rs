//! The key that authenticates backups.
//!
//! It derives from the master secret for this purpose alone, so the row keys, which the sweeper's
//! process has in place of the master secret, cannot make a backup. A backup names the key that
//! sealed it, so that one that was made under another secret is distinguished from one that was
//! changed.
//!
//! Must not know: what a backup holds.

use std::sync::Arc;

use bitcoin::hex::DisplayHex;

use super::{Mac, MasterSecret, Secret, hmac};

/// The version of this derivation and of what a MAC covers.
const PURPOSE: &[u8] = b"backup 1";

/// Bytes of the name of a key.
const ID_BYTES: usize = 8;

/// The key of one master secret. Clones share the one place in memory that holds it.
#[derive(Debug, Clone)]
pub(crate) struct BackupKey(Arc<Secret<[u8; 32]>>);

impl MasterSecret {
    /// The key with which backups are sealed.
    pub(crate) fn backup_key(&self) -> BackupKey {
        BackupKey(Arc::new(Secret::new(self.derive(&[PURPOSE]))))
    }
}

impl BackupKey {
    /// The name of the key, which does not reveal it.
    pub(crate) fn id(&self) -> String {
        hmac(&self.0, &[b"id"])[..ID_BYTES].to_lower_hex_string()
    }

    /// Begins a MAC of this part of a backup.
    pub(crate) fn mac_of(&self, part: &str) -> Mac {
        let mut mac = Mac::new(&self.0);
        mac.field(b'P', part.as_bytes());
        mac
    }
}
