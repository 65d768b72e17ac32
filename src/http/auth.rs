//! Authentication by `x-api-key`: the merchant of a request, and the scope of its key.

use warp::http::HeaderMap;

use crate::clock::Clock;
use crate::domain::api_key::{ApiKeyId, NamedApiKey, Permission, Scope};
use crate::domain::merchant::{Merchant, MerchantId};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::secret::{ApiKey, BadApiKey, Secrets};
use crate::store::{ReadTx, Store, merchants};

use super::error::{ApiError, Code};

/// Proof that a request presented a valid key of a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHolder {
    merchant: MerchantId,
    scope: Scope,
    named: Option<ApiKeyId>,
}

impl KeyHolder {
    pub(crate) fn merchant(self) -> MerchantId {
        self.merchant
    }

    /// The named key of the request; `None`: the merchant's own key.
    pub(crate) fn named_key(self) -> Option<ApiKeyId> {
        self.named
    }

    /// The only key whose payments the holder may read; `None`: all of the merchant's.
    pub(crate) fn sees_only(self) -> Option<ApiKeyId> {
        self.named.filter(|_| self.scope == Scope::Create)
    }

    /// Checks that the key's scope allows the request.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn require(self, permission: Permission) -> Result<KeyHolder, ApiError> {
        if self.scope.allows(permission) {
            return Ok(self);
        }
        let message = format!(
            "an API key with the scope {} does not allow this; use one with the scope {}",
            self.scope.as_str(),
            permission.scopes(),
        );
        Err(ApiError::new(Code::InsufficientScope, message))
    }
}

enum Found {
    Own(Option<Merchant>),
    Named(Option<NamedApiKey>),
}

fn find(tx: &ReadTx, id: MerchantId, named: Option<ApiKeyId>) -> Result<Found, ApiError> {
    Ok(match named {
        None => Found::Own(merchants::by_id(tx, id)?),
        Some(named) => Found::Named(merchants::api_key(tx, id, named)?),
    })
}

/// Checks the key of a request. Unknown, rotated, revoked and mistyped keys get the same
/// error.
///
/// # Errors
/// 401; the message says if the key belongs to another network.
pub(crate) async fn key_holder(
    headers: &HeaderMap,
    store: &Store,
    secret: &Secrets,
    network: Network,
    clock: &Clock,
) -> Result<KeyHolder, ApiError> {
    let now = clock.now();
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
    let (id, named) = (key.merchant, key.named);
    let found = store.look_up(move |tx| find(tx, id, named)).await?;
    let holder = match &found {
        Found::Own(merchant) => own_key(&key, merchant.as_ref(), secret, network, now),
        Found::Named(found) => named_key(&key, found.as_ref(), secret, network, now),
    };
    let holder = holder.ok_or_else(|| refused(wrong))?;
    if let Found::Named(Some(named)) = found
        && named.is_use_worth_noting(now)
    {
        note_use(store, named, now).await;
    }
    Ok(holder)
}

fn own_key(
    key: &ApiKey,
    merchant: Option<&Merchant>,
    secret: &Secrets,
    network: Network,
    now: Timestamp,
) -> Option<KeyHolder> {
    // Version 0 has no key. An unknown merchant costs the same work, so that the response time
    // does not reveal whether it exists.
    let version = merchant.map_or(0, |merchant| merchant.key_version);
    let previous = merchant.and_then(|merchant| merchant.previous_key_version(now));
    let [current, previous] = [version, previous.unwrap_or(0)]
        .map(|version| secret.is_api_key(key, network, version, now));
    let holder = KeyHolder { merchant: key.merchant, scope: Scope::Full, named: None };
    Some(holder).filter(|_| (current || previous) && merchant.is_some())
}

fn named_key(
    key: &ApiKey,
    found: Option<&NamedApiKey>,
    secret: &Secrets,
    network: Network,
    now: Timestamp,
) -> Option<KeyHolder> {
    // Computed even without a row, so that the response time does not reveal whether it
    // exists.
    let fits = secret.is_named_api_key(key, network, now);
    let found = found.filter(|_| fits)?;
    Some(KeyHolder { merchant: key.merchant, scope: found.scope, named: Some(found.id) })
}

/// Stores when a named key was last used. A failure is only logged.
async fn note_use(store: &Store, key: NamedApiKey, now: Timestamp) {
    let (merchant, id) = (key.merchant, key.id);
    let noted = store.write(move |tx| merchants::note_api_key_used(tx, merchant, id, now)).await;
    if let Err(error) = noted {
        tracing::warn!(merchant_id = %merchant, api_key = %id, %error, "cannot store the last use of an API key");
    }
}
