//! Public ids of payments (UUIDs).

use std::fmt;
use std::str::FromStr;

/// The public id of a payment: a random UUID (RFC 9562, version 4) with 122 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PaymentId([u8; 16]);

impl PaymentId {
    /// Makes an id from 16 random bytes; six bits become version and variant.
    pub(crate) fn from_random(mut bytes: [u8; 16]) -> PaymentId {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        PaymentId(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> PaymentId {
        PaymentId(bytes)
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
            if matches!(position, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The text is not a UUID in the usual form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a payment id such as 550e8400-e29b-41d4-a716-446655440000")]
pub(crate) struct BadPaymentId;

impl FromStr for PaymentId {
    type Err = BadPaymentId;

    fn from_str(text: &str) -> Result<PaymentId, BadPaymentId> {
        let raw = text.as_bytes();
        let hyphens = [8, 13, 18, 23];
        if raw.len() != 36 || hyphens.iter().any(|at| raw.get(*at) != Some(&b'-')) {
            return Err(BadPaymentId);
        }
        let digits: Vec<u8> = raw.iter().copied().filter(|b| *b != b'-').collect();
        let mut bytes = [0u8; 16];
        if digits.len() != 32 {
            return Err(BadPaymentId);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| {
                let value = pair.get(at).and_then(|b| char::from(*b).to_digit(16));
                value.and_then(|v| u8::try_from(v).ok()).ok_or(BadPaymentId)
            };
            *byte = (digit(0)? << 4) | digit(1)?;
        }
        Ok(PaymentId(bytes))
    }
}
