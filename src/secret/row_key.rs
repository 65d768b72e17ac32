//! The key of the MACs of database rows and of the file of heads.
//!
//! It derives from the master secret. A user who can write the database but does not hold the
//! key cannot forge a row.
//!
//! Must not know: tables, SQL.

use std::sync::{Arc, PoisonError, RwLock};

use super::mac::Mac;
use super::master_secret::MasterSecret;
use super::value::Secret;

/// The key of one master secret. Clones share one place in memory.
#[derive(Debug, Clone)]
pub(crate) struct RowKey {
    bytes: Arc<Secret<[u8; 32]>>,
    tag: Arc<str>,
}

impl RowKey {
    /// `tag` is the tag of the master secret from which the key derives.
    pub(super) fn new(bytes: [u8; 32], tag: &str) -> RowKey {
        RowKey { bytes: Arc::new(Secret::new(bytes)), tag: tag.into() }
    }

    /// The tag of the master secret ([`MasterSecret::tag`]).
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// The key itself, for the row-key file of the sweeper's process.
    pub(super) fn reveal(&self) -> &[u8; 32] {
        self.bytes.reveal()
    }

    /// Starts the MAC of a row of this table.
    pub(crate) fn mac_of(&self, table: &str) -> Mac {
        let mut mac = Mac::new(&self.bytes);
        mac.field(b'R', table.as_bytes());
        mac
    }
}

impl MasterSecret {
    /// The key that authenticates database rows.
    pub(crate) fn row_key(&self) -> RowKey {
        RowKey::new(self.derive(&[b"database rows"]), &self.tag())
    }
}

/// The keys that verify rows. Clones share them, so a rotation reaches the whole process at
/// once.
#[derive(Debug, Clone)]
pub(crate) struct RowKeys(Arc<RwLock<Arc<KeyPair>>>);

/// The key of new rows and, during a rotation, the other one that verifies rows.
#[derive(Debug, Clone)]
pub(crate) struct KeyPair {
    pub(crate) current: RowKey,
    /// The previous key; in the sweeper's process also the next one.
    pub(crate) previous: Option<RowKey>,
}

impl RowKeys {
    pub(crate) fn new(keys: KeyPair) -> RowKeys {
        RowKeys(Arc::new(RwLock::new(Arc::new(keys))))
    }

    /// The keys of a master secret that is not being replaced.
    #[cfg(test)]
    pub(crate) fn of(secret: &MasterSecret) -> RowKeys {
        RowKeys::new(KeyPair { current: secret.row_key(), previous: None })
    }

    pub(crate) fn now(&self) -> Arc<KeyPair> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn replace(&self, keys: KeyPair) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

impl KeyPair {
    /// Both keys, the current one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RowKey> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Whether both pairs have a key of the same master secret.
    pub(crate) fn shares_a_key_with(&self, other: &KeyPair) -> bool {
        self.all().any(|key| other.all().any(|other| key.tag() == other.tag()))
    }

    /// Whether both pairs are of the same master secrets, in the same order.
    pub(crate) fn is_same_as(&self, other: &KeyPair) -> bool {
        self.all().map(RowKey::tag).eq(other.all().map(RowKey::tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::MAC_BYTES;

    fn mac(key: u8, table: &str, fields: &[(u8, &[u8])]) -> [u8; MAC_BYTES] {
        let mut mac = MasterSecret::new([key; 32]).row_key().mac_of(table);
        fields.iter().for_each(|(kind, bytes)| mac.field(*kind, bytes));
        mac.finish()
    }

    #[test]
    fn key_table_types_and_value_boundaries_change_the_mac() {
        let all = [
            mac(7, "t", &[(1, b"ab"), (1, b"c")]),
            mac(8, "t", &[(1, b"ab"), (1, b"c")]),
            mac(7, "u", &[(1, b"ab"), (1, b"c")]),
            mac(7, "t", &[(2, b"ab"), (1, b"c")]),
            mac(7, "t", &[(1, b"a"), (1, b"bc")]),
            mac(7, "t", &[(1, b"abc")]),
            mac(7, "t", &[(1, b"ab"), (1, b"c"), (1, b"")]),
        ];
        let different: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn a_truncated_mac_does_not_verify() {
        let begin = || MasterSecret::new([7; 32]).row_key().mac_of("t");
        let mac = begin().finish();
        assert!(begin().verifies(&mac));
        assert!(!begin().verifies(&mac[..31]));
        assert!(!begin().verifies(&[]));
    }
}
