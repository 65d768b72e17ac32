//! The key of the MACs that rows of the database carry (HMAC-SHA256, RFC 2104).
//!
//! It derives from the master secret. A user who can write the database but does not hold the key
//! cannot make a row that verifies.
//!
//! Must not know: tables, SQL.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Mac, MasterSecret, Secret};

/// The key of one master secret. Clones share the one place in memory that holds it.
#[derive(Debug, Clone)]
pub(crate) struct RowKey(Arc<Secret<[u8; 32]>>);

impl RowKey {
    pub(crate) fn new(bytes: [u8; 32]) -> RowKey {
        RowKey(Arc::new(Secret::new(bytes)))
    }

    /// Begins the MAC of a row of the table with this name.
    pub(crate) fn mac_of(&self, table: &str) -> Mac {
        let mut mac = Mac::new(&self.0);
        mac.field(b'R', table.as_bytes());
        mac
    }
}

impl MasterSecret {
    /// The key with which rows of the database are authenticated.
    pub(crate) fn row_key(&self) -> RowKey {
        RowKey::new(self.derive(&[b"database rows"]))
    }
}

/// The keys that rows verify under. Clones share them: a rotation of the master secret reaches all
/// of a process at once.
#[derive(Debug, Clone)]
pub(crate) struct RowKeys(Arc<RwLock<Arc<KeyPair>>>);

/// The key that new rows get and, while the master secret is being replaced, the one before.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) current: RowKey,
    pub(crate) previous: Option<RowKey>,
}

impl RowKeys {
    pub(crate) fn new(current: RowKey, previous: Option<RowKey>) -> RowKeys {
        RowKeys(Arc::new(RwLock::new(Arc::new(KeyPair { current, previous }))))
    }

    /// The keys of a master secret that is not being replaced.
    #[cfg(test)]
    pub(crate) fn of(secret: &MasterSecret) -> RowKeys {
        RowKeys::new(secret.row_key(), None)
    }

    /// The keys at this moment.
    pub(crate) fn now(&self) -> Arc<KeyPair> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in the place of these, for all clones.
    pub(super) fn replace(&self, current: RowKey, previous: Option<RowKey>) {
        let new = Arc::new(KeyPair { current, previous });
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = new;
    }
}

impl KeyPair {
    /// Both keys, the one in force first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &RowKey> {
        std::iter::once(&self.current).chain(&self.previous)
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
    fn key_table_kinds_and_borders_of_values_change_the_mac() {
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
    fn a_mac_that_is_cut_off_does_not_fit() {
        let begin = || MasterSecret::new([7; 32]).row_key().mac_of("t");
        let mac = begin().finish();
        assert!(begin().fits(&mac));
        assert!(!begin().fits(&mac[..31]));
        assert!(!begin().fits(&[]));
    }
}
