//! The key that authenticates backups.
//!
//! It derives from the master secret for this purpose alone, so the sweeper's process, which
//! has only the row keys, cannot make a backup. A backup names its key, so that a backup of
//! another secret is distinguished from a changed one.
//!
//! Must not know: what a backup contains.

use std::sync::Arc;

use bitcoin::hex::DisplayHex;

use super::mac::Mac;
use super::master_secret::MasterSecret;
use super::value::{Secret, hmac};

/// Version of this derivation and of the MAC's input.
const PURPOSE: &[u8] = b"backup 1";

/// Bytes of a key's name.
const ID_BYTES: usize = 8;

/// The key of one master secret. Clones share one place in memory.
#[derive(Debug, Clone)]
pub(crate) struct BackupKey(Arc<Secret<[u8; 32]>>);

impl MasterSecret {
    /// The key that seals backups.
    pub(crate) fn backup_key(&self) -> BackupKey {
        BackupKey(Arc::new(Secret::new(self.derive(&[PURPOSE]))))
    }
}

impl BackupKey {
    /// Identifies the key without revealing it.
    pub(crate) fn id(&self) -> String {
        hmac(&self.0, &[b"id"])[..ID_BYTES].to_lower_hex_string()
    }

    /// Starts the MAC of this part of a backup.
    pub(crate) fn mac_of(&self, part: &str) -> Mac {
        let mut mac = Mac::new(&self.0);
        mac.field(b'P', part.as_bytes());
        mac
    }
}
