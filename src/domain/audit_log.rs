//! The head of the audit log's hash chain, as stored outside the database.

use bitcoin::hex::DisplayHex;

/// The newest row of the audit log's hash chain. It determines all earlier rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 before the first row.
    pub(crate) id: i64,
    /// SHA-256 of the previous row's hash and this row's columns.
    pub(crate) hash: [u8; 32],
}

impl Head {
    /// The hash in hexadecimal digits.
    pub(crate) fn hash_hex(&self) -> String {
        self.hash.to_lower_hex_string()
    }
}
