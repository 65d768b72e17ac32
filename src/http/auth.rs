//! Which merchant a request speaks for, by its `x-api-key`.

use warp::http::HeaderMap;

use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::secret::{ApiKey, BadApiKey, Secrets};
use crate::store::{Store, merchants};

use super::error::{ApiError, Code};

/// Proof that a request presented a key of a merchant that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHolder {
    merchant: MerchantId,
}

impl KeyHolder {
    pub(crate) fn merchant(self) -> MerchantId {
        self.merchant
    }
}

/// Judges the key of a request. Unknown, rotated and mistyped keys get one and the same answer.
///
/// # Errors
/// 401, with a hint when the key belongs to another network.
pub(crate) async fn key_holder(
    headers: &HeaderMap,
    store: &Store,
    secret: &Secrets,
    network: Network,
    now: Timestamp,
) -> Result<KeyHolder, ApiError> {
    let refused = |message: &str| ApiError::new(Code::InvalidApiKey, message);
    let Some(value) = headers.get("x-api-key") else {
        return Err(refused("send your API key in the x-api-key header"));
    };
    let wrong = "this API key is not valid";
    let text = value.to_str().map_err(|_| refused(wrong))?;
    let key = match ApiKey::parse(text.trim(), network) {
        Ok(key) => key,
        Err(BadApiKey::OtherNetwork(other)) => {
            let message =
                format!("this API key is for the {other} network; this gateway is on {network}");
            return Err(refused(&message));
        }
        Err(BadApiKey::Malformed) => return Err(refused(wrong)),
    };
    let id = key.merchant;
    let merchant: Option<Merchant> =
        store.look_up(move |tx| merchants::by_id(tx, id).map_err(ApiError::from)).await?;
    // A merchant who does not exist has version 0, which no key was ever made for; the work, and
    // so the time, is the same.
    let version = merchant.as_ref().map_or(0, |merchant| merchant.key_version);
    let previous = merchant.as_ref().and_then(|merchant| merchant.previous_key_version(now));
    let [current, previous] = [version, previous.unwrap_or(0)]
        .map(|version| secret.is_api_key(&key, network, version, now));
    if (current || previous) && merchant.is_some() {
        Ok(KeyHolder { merchant: id })
    } else {
        Err(refused(wrong))
    }
}
