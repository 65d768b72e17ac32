//! The current master secret and, during a rotation, the previous one.
//!
//! New keys derive from the current secret. Keys of the previous one are valid until the grace
//! period ends; rows and backups that it authenticated verify as long as its file exists.

use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::time::Timestamp;

use super::api_key::ApiKey;
use super::backup_key::BackupKey;
use super::master_secret::MasterSecret;
use super::rotation::Previous;
use super::row_key::{KeyPair, RowKeys};
use super::value::Secret;

/// Clones share their content, so a rotation reaches the whole process at once.
#[derive(Debug, Clone)]
pub(crate) struct Secrets {
    generation: Arc<RwLock<Arc<Generation>>>,
    row_keys: RowKeys,
}

#[derive(Debug)]
struct Generation {
    current: MasterSecret,
    previous: Option<Previous>,
}

impl Secrets {
    /// A rotation that stopped before it replaced the secret has no effect.
    pub(crate) fn new(current: MasterSecret, previous: Option<Previous>) -> Secrets {
        let generation = Generation::new(current, previous);
        let row_keys = RowKeys::new(generation.row_keys());
        Secrets { generation: Arc::new(RwLock::new(Arc::new(generation))), row_keys }
    }

    pub(crate) fn replace(&self, current: MasterSecret, previous: Option<Previous>) {
        let new = Generation::new(current, previous);
        self.row_keys.replace(new.row_keys());
        *self.generation.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }

    fn now(&self) -> Arc<Generation> {
        Arc::clone(&self.generation.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn current(&self) -> MasterSecret {
        self.now().current.clone()
    }

    /// The previous secret, while its file exists.
    pub(crate) fn previous(&self) -> Option<Previous> {
        self.now().previous.clone()
    }

    /// Whether this is the merchant's key of this version under a valid secret. Compared in
    /// constant time.
    pub(crate) fn is_api_key(
        &self,
        key: &ApiKey,
        network: Network,
        version: u32,
        now: Timestamp,
    ) -> bool {
        let fits = |secret: &MasterSecret| secret.is_api_key(key, network, version);
        let fitting: Vec<bool> = self.valid(now).iter().map(fits).collect();
        fitting.contains(&true)
    }

    /// As [`Secrets::is_api_key`], for a named key.
    pub(crate) fn is_named_api_key(&self, key: &ApiKey, network: Network, now: Timestamp) -> bool {
        let fits = |secret: &MasterSecret| secret.is_named_api_key(key, network);
        let fitting: Vec<bool> = self.valid(now).iter().map(fits).collect();
        fitting.contains(&true)
    }

    /// The keys that sign a merchant's webhooks, the newest first.
    pub(crate) fn webhook_keys(
        &self,
        merchant: MerchantId,
        version: u32,
        now: Timestamp,
    ) -> Vec<Secret<[u8; 32]>> {
        self.valid(now).iter().map(|secret| secret.webhook_key(merchant, version)).collect()
    }

    /// The keys under which a backup may have been sealed.
    pub(crate) fn backup_keys(&self) -> Vec<BackupKey> {
        let now = self.now();
        let previous = now.previous.iter().map(|previous| &previous.secret);
        std::iter::once(&now.current).chain(previous).map(MasterSecret::backup_key).collect()
    }

    /// The keys that verify database rows.
    pub(crate) fn row_keys(&self) -> RowKeys {
        self.row_keys.clone()
    }

    /// The secrets whose derived keys are valid, the current one first.
    fn valid(&self, at: Timestamp) -> Vec<MasterSecret> {
        let now = self.now();
        let previous = now.previous.iter().filter(|previous| at < previous.keys_until);
        let previous = previous.map(|previous| previous.secret.clone());
        std::iter::once(now.current.clone()).chain(previous).collect()
    }
}

impl Generation {
    fn new(current: MasterSecret, previous: Option<Previous>) -> Generation {
        let previous = previous.filter(|previous| previous.secret.tag() != current.tag());
        Generation { current, previous }
    }

    fn row_keys(&self) -> KeyPair {
        let previous = self.previous.as_ref().map(|previous| previous.secret.row_key());
        KeyPair { current: self.current.row_key(), previous }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn master(byte: u8) -> MasterSecret {
        MasterSecret::new([byte; 32])
    }

    fn previous(byte: u8) -> Option<Previous> {
        Some(Previous { secret: master(byte), keys_until: Timestamp::from_ms(100) })
    }

    fn key_of(byte: u8) -> ApiKey {
        let text = master(byte).api_key(Network::Regtest, MerchantId::from_random(1), 1);
        ApiKey::parse(text.reveal(), Network::Regtest).unwrap_or_else(|_| panic!("our own key"))
    }

    #[test]
    fn keys_of_the_old_secret_stay_valid_during_the_grace() {
        let secrets = Secrets::new(master(8), previous(7));
        let is_valid = |byte, at| {
            secrets.is_api_key(&key_of(byte), Network::Regtest, 1, Timestamp::from_ms(at))
        };
        assert!(is_valid(8, 0) && is_valid(7, 0) && is_valid(7, 99));
        assert!(is_valid(8, 100) && !is_valid(7, 100));
        assert!(!is_valid(9, 0));
        let count =
            |at| secrets.webhook_keys(MerchantId::from_random(1), 1, Timestamp::from_ms(at)).len();
        assert_eq!((count(99), count(100)), (2, 1));
    }

    #[test]
    fn a_rotation_reaches_all_clones() {
        let secrets = Secrets::new(master(7), None);
        let clone = secrets.clone();
        secrets.replace(master(8), previous(7));
        assert_eq!(clone.current().tag(), master(8).tag());
        assert!(clone.previous().is_some_and(|old| old.secret.tag() == master(7).tag()));
    }

    #[test]
    fn an_old_secret_equal_to_the_current_one_is_ignored() {
        assert!(Secrets::new(master(7), previous(7)).previous().is_none());
    }
}
