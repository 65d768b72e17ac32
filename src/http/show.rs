//! `GET /api/payments/:paymentId`, public.

use std::sync::Arc;

use bitcoin::hashes::{Hash, sha256};
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;
use crate::operations::Refusal;
use crate::operations::payments::facts;
use crate::view::{PaymentFacts, PaymentView, seconds_until};

use super::api::Api;
use super::error::ApiError;
use super::filters::{Route, get, json_text, public, respond_if, with_api};
use super::status_cache::{CachedResponse, Mark};

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("api" / "payments" / String)
        .and(get())
        .and(public(api))
        .and(with_api(api))
        .and(warp::header::headers_cloned())
        .then(|id, allowed, api, headers| respond_if(allowed, show(api, id, headers)))
        .boxed()
}

/// The error for a payment that does not exist.
pub(crate) fn unknown() -> ApiError {
    ApiError::from(Refusal::UnknownPayment)
}

/// The facts of a payment by the id in a path. A malformed id is treated as unknown.
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
    let id: PaymentId = id.parse().map_err(|_| unknown())?;
    let now = api.clock.now();
    let cached = match api.status_cache.get(id, now) {
        Some(cached) => cached,
        None => read_and_cache(&api, id, now).await?,
    };
    let etag = cached.etag.to_str().map_err(ApiError::internal)?;
    let mut response = if is_known(&headers, etag) {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let [before, after] = &cached.parts;
        let left = seconds_until(cached.expires_at, now);
        json_text(format!("{before}{left}{after}"))
    };
    response.headers_mut().insert(header::ETAG, cached.etag.clone());
    let no_cache = HeaderValue::from_static("no-cache");
    response.headers_mut().insert(header::CACHE_CONTROL, no_cache);
    Ok(response)
}

/// Reads a payment, and caches its response.
async fn read_and_cache(
    api: &Api,
    id: PaymentId,
    now: Timestamp,
) -> Result<Arc<CachedResponse>, ApiError> {
    let (facts, mark) =
        api.store.look_up(move |tx| Ok::<_, Refusal>((facts(tx, id, now)?, Mark::of(tx)?))).await?;
    let response =
        Arc::new(response_of(PaymentView::new(&facts, &api.site, now), facts.payment.expires_at)?);
    api.status_cache.insert(&facts, mark, response.clone());
    Ok(response)
}

/// Whether `if-none-match` names this tag.
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| is_same(value.trim(), etag))
}

/// Weak comparison (RFC 9110, 8.8.3.2); `*` matches any tag.
fn is_same(asked: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    asked == "*" || opaque(asked) == opaque(etag)
}

/// The response for a payment, with a weak tag over everything except the remaining seconds.
fn response_of(view: PaymentView, expires_at: Timestamp) -> Result<CachedResponse, ApiError> {
    // In a JSON string a quote has a backslash before it, so this can only be the name.
    const NAME: &str = "\"expiresInSeconds\":";
    let none_left = PaymentView { expires_in_seconds: 0, ..view };
    let text = serde_json::to_string(&none_left).map_err(ApiError::internal)?;
    let hash = sha256::Hash::hash(text.as_bytes()).to_string();
    let parts = text.split_once(&format!("{NAME}0"));
    let (before, after) =
        parts.ok_or_else(|| ApiError::internal("no expiresInSeconds in a response"))?;
    let etag = format!("W/\"{}\"", &hash[..16]);
    Ok(CachedResponse {
        parts: [format!("{before}{NAME}"), after.to_owned()],
        etag: HeaderValue::from_str(&etag).map_err(ApiError::internal)?,
        expires_at,
    })
}
