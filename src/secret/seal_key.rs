//! The sweeper's seal key.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::value::{Secret, hmac};

/// The sweeper's seal key. Only the sweeper reads it. Clones share one place in memory, as
/// those of [`super::MasterSecret`] do.
#[derive(Debug, Clone)]
pub(crate) struct SealKey(Arc<Secret<[u8; 32]>>);

impl SealKey {
    pub(crate) fn new(bytes: [u8; 32]) -> SealKey {
        SealKey(Arc::new(Secret::new(bytes)))
    }

    /// The seal over a purpose and its parts.
    pub(crate) fn seal(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac(&self.0, parts)
    }

    /// The key that signs the operator notifications.
    pub(crate) fn notification_key(&self) -> Secret<[u8; 32]> {
        Secret::new(self.seal(&[b"notification"]))
    }

    /// Whether `seal` is the seal over these parts, compared in constant time.
    pub(crate) fn verifies(&self, seal: &[u8], parts: &[&[u8]]) -> bool {
        self.seal(parts)[..].ct_eq(seal).into()
    }
}
