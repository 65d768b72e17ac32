//! The end of the audit log, as it is kept outside the database.

use bitcoin::hex::DisplayHex;

/// The newest row of the audit log's hash chain: all others follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 before the first row.
    pub(crate) id: i64,
    /// SHA-256 over the hash of the row before and the columns of this one.
    pub(crate) hash: [u8; 32],
}

impl Head {
    /// The hash in hexadecimal digits.
    pub(crate) fn hash_hex(&self) -> String {
        self.hash.to_lower_hex_string()
    }
}
