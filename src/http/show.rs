//! `GET /api/payments/:paymentId`: public, for anybody who knows the id.

use std::sync::Arc;

use bitcoin::hashes::{Hash, sha256};
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use crate::acts::Refusal;
use crate::acts::payments::facts;
use crate::domain::payment::PaymentId;
use crate::view::{PaymentFacts, PaymentView};

use super::error::ApiError;
use super::{Api, json};

/// The error for a payment that does not exist.
pub(crate) fn unknown() -> ApiError {
    ApiError::from(Refusal::UnknownPayment)
}

/// The facts of a payment by the id in a path. A malformed id is an unknown one.
pub(crate) async fn look_up(api: &Api, id: &str) -> Result<PaymentFacts, ApiError> {
    let id: PaymentId = id.parse().map_err(|_| unknown())?;
    let now = api.clock.now();
    Ok(api.store.look_up(move |tx| facts(tx, id, now)).await?)
}

/// Shows a payment. With `if-none-match`, 304 while nothing but the countdown has changed.
pub(crate) async fn show(
    api: Arc<Api>,
    id: String,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let facts = look_up(&api, &id).await?;
    let view = PaymentView::new(&facts, &api.site, api.clock.now());
    let etag = etag(&view)?;
    let mut response = if is_known(&headers, &etag) {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        json(&view)?
    };
    let value = HeaderValue::from_str(&etag).map_err(ApiError::internal)?;
    response.headers_mut().insert(header::ETAG, value);
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
    Ok(response)
}

/// Whether the client has what this tag stands for.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| is_same(value.trim(), etag))
}

/// Compares weakly (RFC 9110, 8.8.3.2), as `if-none-match` does; `*` stands for any tag.
fn is_same(asked: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    asked == "*" || opaque(asked) == opaque(etag)
}

/// A weak tag over all but the seconds that are left.
fn etag(view: &PaymentView) -> Result<String, ApiError> {
    let still = PaymentView { expires_in_seconds: 0, ..view.clone() };
    let text = serde_json::to_string(&still).map_err(ApiError::internal)?;
    let hash = sha256::Hash::hash(text.as_bytes()).to_string();
    Ok(format!("W/\"{}\"", &hash[..16]))
}
