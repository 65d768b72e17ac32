//! Requests with an API key: authentication and rate limit, before the body is read.

use std::sync::Arc;

use warp::http::{HeaderMap, HeaderValue, header};
use warp::reply::Response;
use warp::{Filter, Rejection};

use crate::domain::api_key::Permission;

use super::api::{Api, ClientAddress};
use super::auth::{self, KeyHolder};
use super::error::ApiError;
use super::filters::{client_address, respond, with_api};
use super::limit::Allowance;

/// A request whose API key was checked.
pub(super) struct Keyed {
    holder: Result<KeyHolder, ApiError>,
    /// The rest of the merchant's limit; `None` for an invalid key, or without a limit.
    allowance: Option<Allowance>,
}

/// Checks and counts the API key of a request.
pub(super) fn keyed(
    api: &Arc<Api>,
) -> impl Filter<Extract = (Keyed,), Error = Rejection> + Clone + use<> {
    with_api(api).and(client_address()).and(warp::header::headers_cloned()).then(check)
}

/// Counts a valid key against its merchant, and an invalid one against the client's address,
/// which gets a 429 if it tries too often.
async fn check(api: Arc<Api>, ClientAddress(address): ClientAddress, headers: HeaderMap) -> Keyed {
    let (store, network) = (&api.store, api.site.network);
    let holder = match auth::key_holder(&headers, store, &api.secret, network, &api.clock).await {
        Ok(holder) => holder,
        Err(refused) => {
            let tries = api.limits.per_address.count(address);
            let holder = Err(tries.err().unwrap_or(refused));
            return Keyed { holder, allowance: None };
        }
    };
    match api.limits.per_key.count(&holder.merchant()) {
        Ok(allowance) => Keyed { holder: Ok(holder), allowance },
        Err(refused) => {
            let allowance = api.limits.per_key.exhausted(&refused);
            Keyed { holder: Err(refused), allowance }
        }
    }
}

impl Keyed {
    /// Responds by `handler` if the key is valid and its scope allows it, and reports the rest
    /// of the merchant's limit.
    pub(super) async fn respond<F>(
        self,
        needs: Permission,
        handler: impl FnOnce(KeyHolder) -> F,
    ) -> Response
    where
        F: Future<Output = Result<Response, ApiError>>,
    {
        let result = match self.holder.and_then(|holder| holder.require(needs)) {
            Ok(holder) => handler(holder).await,
            Err(refused) => Err(refused),
        };
        let mut response = respond(result);
        if let Some(allowance) = self.allowance {
            allowance.add_headers(&mut response);
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
