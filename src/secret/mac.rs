//! HMAC-SHA256 (RFC 2104) over fields, each with its kind and length.
//!
//! Must not know: what is authenticated, and by which key.

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use subtle::ConstantTimeEq;

use super::value::Secret;

pub(crate) const MAC_BYTES: usize = 32;

/// An unfinished MAC.
pub(crate) struct Mac(HmacEngine<sha256::Hash>);

impl Mac {
    pub(super) fn new(key: &Secret<[u8; 32]>) -> Mac {
        Mac(HmacEngine::new(key.reveal()))
    }

    /// Adds a field, as [`input_field`] does.
    pub(crate) fn field(&mut self, kind: u8, bytes: &[u8]) {
        input_field(&mut self.0, kind, bytes);
    }

    /// Adds bytes without kind and length.
    pub(crate) fn engine(&mut self) -> &mut impl HashEngine {
        &mut self.0
    }

    /// The MAC over all fields.
    pub(crate) fn finish(self) -> [u8; MAC_BYTES] {
        Hmac::<sha256::Hash>::from_engine(self.0).to_byte_array()
    }

    /// Whether `mac` is the MAC over all fields, compared in constant time.
    pub(crate) fn verifies(self, mac: &[u8]) -> bool {
        self.finish()[..].ct_eq(mac).into()
    }
}

/// Adds a field to a hash: its kind, its length in bytes, and the bytes. Different lists of
/// fields give different inputs.
pub(crate) fn input_field(engine: &mut impl HashEngine, kind: u8, bytes: &[u8]) {
    engine.input(&[kind]);
    engine.input(&(bytes.len() as u64).to_be_bytes());
    engine.input(bytes);
}
