//! Secrets: a wrapper that does not print, and keys that are derived instead of stored.
//!
//! API keys and webhook secrets are HMACs under the master secret of a merchant and a version.
//! The database holds no part of them, so a stolen copy grants no access, and they can be
//! shown again.

mod backup_key;
mod mac;
pub(crate) mod rotation;
mod row_key;
pub(crate) mod row_key_file;
mod second_factor;
mod secrets;

use std::fmt;
use std::sync::Arc;

use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::api_key::ApiKeyId;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;

pub(crate) use backup_key::BackupKey;
pub(crate) use mac::{MAC_BYTES, Mac, input_field};
pub(crate) use row_key::{KeyPair, RowKey, RowKeys};
pub(crate) use second_factor::{AppSecret, Under};
pub(crate) use secrets::Secrets;

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
fn hmac(key: &Secret<[u8; 32]>, parts: &[&[u8]]) -> [u8; 32] {
    let mut engine = HmacEngine::<sha256::Hash>::new(key.reveal());
    for part in parts {
        engine.input(&(part.len() as u64).to_be_bytes());
        engine.input(part);
    }
    Hmac::<sha256::Hash>::from_engine(engine).to_byte_array()
}

/// The sweeper's seal key. Only the sweeper reads it. Clones share one place in memory, as
/// those of [`MasterSecret`] do.
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
    pub(crate) fn fits(&self, seal: &[u8], parts: &[&[u8]]) -> bool {
        self.seal(parts)[..].ct_eq(seal).into()
    }
}

/// The master secret, from which API keys and webhook secrets derive.
#[derive(Debug, Clone)]
pub(crate) struct MasterSecret(Arc<Secret<[u8; 32]>>);

/// Bytes of the tag in an API key. 160 bits cannot be guessed.
const TAG_BYTES: usize = 20;

impl MasterSecret {
    pub(crate) fn new(bytes: [u8; 32]) -> MasterSecret {
        MasterSecret(Arc::new(Secret::new(bytes)))
    }

    fn derive(&self, parts: &[&[u8]]) -> [u8; 32] {
        hmac(&self.0, parts)
    }

    /// Identifies the master secret without revealing it.
    pub(crate) fn tag(&self) -> String {
        use bitcoin::hex::DisplayHex;
        self.derive(&[b"tag"])[..8].to_lower_hex_string()
    }

    /// The API key of a merchant: the network's prefix, then merchant id, tag and checksum in
    /// base58. The checksum detects a mistyped key without a database query.
    pub(crate) fn api_key(
        &self,
        network: Network,
        merchant: MerchantId,
        version: u32,
    ) -> Secret<String> {
        let mut payload = merchant.get().to_be_bytes()[2..].to_vec();
        payload.extend(self.api_key_tag(network, merchant, version));
        let text = bitcoin::base58::encode_check(&payload);
        Secret::new(format!("{}{text}", network.api_key_prefix()))
    }

    /// As [`MasterSecret::api_key`], for a named key: its id precedes the tag.
    pub(crate) fn named_api_key(
        &self,
        network: Network,
        merchant: MerchantId,
        id: ApiKeyId,
    ) -> Secret<String> {
        let mut payload = merchant.get().to_be_bytes()[2..].to_vec();
        payload.extend(&id.get().to_be_bytes()[2..]);
        payload.extend(self.named_api_key_tag(network, merchant, id));
        let text = bitcoin::base58::encode_check(&payload);
        Secret::new(format!("{}{text}", network.api_key_prefix()))
    }

    /// Whether this is the merchant's main key of this version, compared in constant time.
    pub(crate) fn is_api_key(&self, key: &ApiKey, network: Network, version: u32) -> bool {
        let tag = self.api_key_tag(network, key.merchant, version);
        key.named.is_none() && bool::from(tag.ct_eq(&key.tag[..]))
    }

    /// Whether this is a named key of the merchant, compared in constant time.
    pub(crate) fn is_named_api_key(&self, key: &ApiKey, network: Network) -> bool {
        key.named.is_some_and(|id| {
            self.named_api_key_tag(network, key.merchant, id).ct_eq(&key.tag[..]).into()
        })
    }

    fn named_api_key_tag(&self, network: Network, merchant: MerchantId, id: ApiKeyId) -> Vec<u8> {
        let (merchant, id) = (merchant.get().to_be_bytes(), id.get().to_be_bytes());
        let parts: [&[u8]; 4] = [b"named api key", network.as_str().as_bytes(), &merchant, &id];
        self.derive(&parts)[..TAG_BYTES].to_vec()
    }

    fn api_key_tag(&self, network: Network, merchant: MerchantId, version: u32) -> Vec<u8> {
        let merchant = merchant.get().to_be_bytes();
        let parts: [&[u8]; 4] =
            [b"api key", network.as_str().as_bytes(), &merchant, &version.to_be_bytes()];
        self.derive(&parts)[..TAG_BYTES].to_vec()
    }

    /// The key that signs the merchant's webhooks.
    pub(crate) fn webhook_key(&self, merchant: MerchantId, version: u32) -> Secret<[u8; 32]> {
        let merchant = merchant.get().to_be_bytes();
        Secret::new(self.derive(&[b"webhook", &merchant, &version.to_be_bytes()]))
    }

    /// The webhook key in the merchant's form: `whsec_` and base64 (Standard Webhooks).
    pub(crate) fn webhook_secret(&self, merchant: MerchantId, version: u32) -> Secret<String> {
        webhook_secret(&self.webhook_key(merchant, version))
    }
}

/// A webhook key in the receiver's form: `whsec_` and base64 (Standard Webhooks).
pub(crate) fn webhook_secret(key: &Secret<[u8; 32]>) -> Secret<String> {
    use bitcoin::base64::Engine;
    let text = bitcoin::base64::engine::general_purpose::STANDARD.encode(key.reveal());
    Secret::new(format!("whsec_{text}"))
}

/// A well-formed API key; [`MasterSecret`] decides whether it is valid.
pub(crate) struct ApiKey {
    pub(crate) merchant: MerchantId,
    /// The id of a named key; `None` for the merchant's main key.
    pub(crate) named: Option<ApiKeyId>,
    tag: [u8; TAG_BYTES],
}

/// Why a text is not an API key of this gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadApiKey {
    /// A key of another network.
    OtherNetwork(Network),
    /// Not a key, mistyped or truncated.
    Malformed,
}

impl ApiKey {
    /// Parses a presented key. The time this takes does not depend on a secret.
    pub(crate) fn parse(text: &str, network: Network) -> Result<ApiKey, BadApiKey> {
        let Some(body) = text.strip_prefix(network.api_key_prefix()) else {
            let other = Network::ALL.into_iter().find(|n| text.starts_with(n.api_key_prefix()));
            return Err(other.map_or(BadApiKey::Malformed, BadApiKey::OtherNetwork));
        };
        if body.len() > 64 {
            return Err(BadApiKey::Malformed);
        }
        let payload = bitcoin::base58::decode_check(body).map_err(|_| BadApiKey::Malformed)?;
        let (merchant, named, tag) = match payload.len() {
            OWN_KEY_BYTES => (&payload[..ID_BYTES], None, &payload[ID_BYTES..]),
            NAMED_KEY_BYTES => (
                &payload[..ID_BYTES],
                Some(&payload[ID_BYTES..2 * ID_BYTES]),
                &payload[2 * ID_BYTES..],
            ),
            _ => return Err(BadApiKey::Malformed),
        };
        let tag = tag.try_into().map_err(|_| BadApiKey::Malformed)?;
        let merchant = MerchantId::from_random(id_bits(merchant));
        let named = named.map(|id| ApiKeyId::from_random(id_bits(id)));
        Ok(ApiKey { merchant, named, tag })
    }
}

/// Bytes of a merchant id or key id, and of whole keys.
const ID_BYTES: usize = 6;
const OWN_KEY_BYTES: usize = ID_BYTES + TAG_BYTES;
const NAMED_KEY_BYTES: usize = 2 * ID_BYTES + TAG_BYTES;

fn id_bits(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn master() -> MasterSecret {
        MasterSecret::new([7; 32])
    }

    #[test]
    fn a_key_opens_its_merchant_network_and_version_only() {
        let merchant = MerchantId::from_random(42);
        let text = master().api_key(Network::Regtest, merchant, 1);
        assert!(text.reveal().starts_with("lg_regtest_"));
        let key = ApiKey::parse(text.reveal(), Network::Regtest)
            .unwrap_or_else(|_| panic!("it is our own key"));
        assert_eq!(key.merchant, merchant);
        assert!(master().is_api_key(&key, Network::Regtest, 1));
        assert!(!master().is_api_key(&key, Network::Regtest, 2), "rotated");
        assert!(!MasterSecret::new([8; 32]).is_api_key(&key, Network::Regtest, 1));
        let other = ApiKey::parse(text.reveal(), Network::Main).err();
        assert_eq!(other, Some(BadApiKey::OtherNetwork(Network::Regtest)));
    }

    #[test]
    fn a_named_key_opens_its_merchant_network_and_id_only() {
        let (merchant, id) = (MerchantId::from_random(42), ApiKeyId::from_random(7));
        let read = |text: &Secret<String>| {
            ApiKey::parse(text.reveal(), Network::Regtest).unwrap_or_else(|_| panic!("our own key"))
        };
        let key = read(&master().named_api_key(Network::Regtest, merchant, id));
        assert_eq!((key.merchant, key.named), (merchant, Some(id)));
        assert!(master().is_named_api_key(&key, Network::Regtest));
        assert!(!master().is_named_api_key(&key, Network::Main));
        assert!(!MasterSecret::new([8; 32]).is_named_api_key(&key, Network::Regtest));
        let other = ApiKey { named: Some(ApiKeyId::from_random(8)), ..key };
        assert!(!master().is_named_api_key(&other, Network::Regtest), "another id");
        assert!((0..9).all(|version| !master().is_api_key(&key, Network::Regtest, version)));
        let own = read(&master().api_key(Network::Regtest, merchant, 7));
        assert!(!master().is_named_api_key(&own, Network::Regtest));
    }

    #[test]
    fn a_mistyped_key_is_detected_by_its_checksum() {
        let text = master().api_key(Network::Main, MerchantId::from_random(1), 1);
        let good = text.reveal().as_str();
        for bad in [
            "",
            "lg_live_",
            &good[..good.len() - 1],
            &format!("{good}1"),
            &good.replace("lg_live_", "sk_"),
        ] {
            assert_eq!(
                ApiKey::parse(bad, Network::Main).err(),
                Some(BadApiKey::Malformed),
                "{bad}"
            );
        }
    }

    #[test]
    fn secrets_are_never_printed() {
        let shown = format!("{:?} {:?}", master(), Secret::new("hush".to_owned()));
        assert!(!shown.contains('7') && !shown.contains("hush"), "{shown}");
    }

    #[test]
    fn webhook_secrets_have_the_form_of_standard_webhooks() {
        let secret = master().webhook_secret(MerchantId::from_random(1), 1);
        let encoded = secret.reveal().strip_prefix("whsec_").expect("the prefix");
        assert_eq!(encoded.len(), 44, "32 bytes in base64");
    }
}
