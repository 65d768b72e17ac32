//! The key that authenticates backups (HMAC-SHA256, RFC 2104).
//!
//! It derives from the master secret for this purpose alone, so the row key, which the sweeper
//! holds as well, cannot make a backup. A backup names the key that sealed it, so that one that was
//! made under another secret is told from one that was changed.
//!
//! Must not know: what a backup holds.

use std::sync::Arc;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use bitcoin::hex::DisplayHex;
use subtle::ConstantTimeEq;

use super::{MasterSecret, Secret, hmac};

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
    pub(crate) fn mac_of(&self, part: &str) -> BackupMac {
        let mut mac = BackupMac(HmacEngine::new(self.0.reveal()));
        mac.0.input(b"part");
        mac.0.input(&(part.len() as u64).to_be_bytes());
        mac.0.input(part.as_bytes());
        mac
    }
}

/// A MAC while bytes are added.
pub(crate) struct BackupMac(HmacEngine<sha256::Hash>);

impl BackupMac {
    pub(crate) fn engine(&mut self) -> &mut impl HashEngine {
        &mut self.0
    }

    /// The MAC over all bytes.
    pub(crate) fn finish(self) -> [u8; 32] {
        Hmac::<sha256::Hash>::from_engine(self.0).to_byte_array()
    }

    /// Whether `mac` is the MAC over all bytes, compared in constant time.
    pub(crate) fn fits(self, mac: &[u8]) -> bool {
        self.finish()[..].ct_eq(mac).into()
    }
}
