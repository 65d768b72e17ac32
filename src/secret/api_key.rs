//! API keys as text: parsing a presented key.

use crate::domain::api_key::ApiKeyId;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;

/// Bytes of the tag in an API key. 160 bits cannot be guessed.
pub(super) const TAG_BYTES: usize = 20;

/// A well-formed API key; [`super::MasterSecret`] decides whether it is valid.
pub(crate) struct ApiKey {
    pub(crate) merchant: MerchantId,
    /// The id of a named key; `None` for the merchant's main key.
    pub(crate) named: Option<ApiKeyId>,
    pub(super) tag: [u8; TAG_BYTES],
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
