//! The master secret, and the API keys and webhook secrets that derive from it.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::domain::api_key::ApiKeyId;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;

use super::api_key::{ApiKey, TAG_BYTES};
use super::value::{Secret, hmac};

/// The master secret, from which API keys and webhook secrets derive.
#[derive(Debug, Clone)]
pub(crate) struct MasterSecret(Arc<Secret<[u8; 32]>>);

impl MasterSecret {
    pub(crate) fn new(bytes: [u8; 32]) -> MasterSecret {
        MasterSecret(Arc::new(Secret::new(bytes)))
    }

    pub(super) fn derive(&self, parts: &[&[u8]]) -> [u8; 32] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::api_key::BadApiKey;

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
