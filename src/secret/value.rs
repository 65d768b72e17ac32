//! Secret values: a wrapper that does not print, HMACs, random bytes, and wiping the stack.

use std::fmt;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use zeroize::Zeroizing;

/// A secret value: no Display, and Debug hides it.
pub(crate) struct Secret<T: zeroize::Zeroize>(Zeroizing<T>);

impl<T: zeroize::Zeroize> Secret<T> {
    pub(crate) fn new(value: T) -> Secret<T> {
        Secret(Zeroizing::new(value))
    }

    /// The value itself. Review every caller for leaks.
    pub(crate) fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T: zeroize::Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Secret<T> {
        Secret(self.0.clone())
    }
}

impl<T: zeroize::Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// HMAC-SHA256 of a purpose and its parts. Each part follows its length, so no two lists of
/// parts collide.
pub(super) fn hmac(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key.reveal());
    for part in parts {
        engine.input(&(part.len() as u64).to_be_bytes());
        engine.input(part);
    }
    Hmac::<sha256::Hash>::from_engine(engine).to_byte_array()
}

/// Bytes of the stack that [`wipe_stack`] overwrites; reading or using a key needs less.
const STACK_BYTES: usize = 128 * 1024;

/// Overwrites the stack of functions that have returned. Libraries that read and derive keys
/// leave copies there.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut bytes = [0u8; STACK_BYTES];
    std::hint::black_box(&mut bytes);
}

/// Random bytes from the operating system.
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    use bitcoin::secp256k1::rand::RngCore;
    let mut bytes = [0u8; N];
    bitcoin::secp256k1::rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}
