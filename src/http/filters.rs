//! Warp filters and conversions that the resources' routes share.

use std::convert::Infallible;
use std::sync::Arc;

use futures_util::TryStreamExt;
use serde::Serialize;
use warp::filters::BoxedFilter;
use warp::http::{HeaderValue, header};
use warp::reply::Response;
use warp::{Buf, Filter, Rejection};

use super::api::{Api, ClientAddress};
use super::error::{ApiError, Code};

/// A route whose response is made.
pub(super) type Route = BoxedFilter<(Response,)>;

/// The largest request body, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Header fields that most responses get, as capacity.
const HEADERS_USUAL: usize = 8;

pub(super) fn with_api(
    api: &Arc<Api>,
) -> impl Filter<Extract = (Arc<Api>,), Error = Infallible> + Clone + use<> {
    let api = api.clone();
    warp::any().map(move || api.clone())
}

pub(super) fn get() -> impl Filter<Extract = (), Error = Rejection> + Copy {
    warp::get().or(warp::head()).unify()
}

/// Adds the raw query; empty if there is none.
pub(super) fn query() -> impl Filter<Extract = (String,), Error = Infallible> + Copy {
    warp::query::raw().or(warp::any().map(String::new)).unify()
}

pub(super) fn client_address() -> impl Filter<Extract = (ClientAddress,), Error = Rejection> + Copy
{
    warp::ext::get::<ClientAddress>()
}

/// Counts a public request against the client's address, and adds whether it is allowed.
pub(super) fn public(
    api: &Arc<Api>,
) -> impl Filter<Extract = (Result<(), ApiError>,), Error = Rejection> + Clone + use<> {
    let api = api.clone();
    client_address().map(move |ClientAddress(address)| api.limits.per_address.count(address))
}

/// The response of `handler`, or the refusal of [`public`].
pub(super) async fn respond_if(
    allowed: Result<(), ApiError>,
    handler: impl Future<Output = Result<Response, ApiError>>,
) -> Response {
    match allowed {
        Ok(()) => respond(handler.await),
        Err(refused) => refused.into_response(),
    }
}

pub(super) fn respond(result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(ApiError::into_response)
}

/// The decoded values of known query parameters. Unknown ones are ignored, like unknown fields
/// of a body.
///
/// # Errors
/// 400 for a parameter that is sent twice.
pub(super) fn query_parts<const N: usize>(
    query: &str,
    known: [&'static str; N],
) -> Result<Vec<(&'static str, String)>, ApiError> {
    let mut parts: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let Some(name) = known.into_iter().find(|known| *known == name) else { continue };
        if parts.iter().any(|(found, _)| *found == name) {
            return Err(ApiError::invalid(name, "must not be sent twice"));
        }
        parts.push((name, value.into_owned()));
    }
    Ok(parts)
}

/// Reads a body of at most [`BODY_BYTES_MAX`].
///
/// # Errors
/// 413 for a larger one, 400 if it ends early.
pub(super) async fn read_limited<B: Buf>(
    body: impl futures_util::Stream<Item = Result<B, warp::Error>>,
) -> Result<Vec<u8>, ApiError> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    let incomplete = |_| ApiError::new(Code::InvalidRequest, "the body is incomplete");
    while let Some(mut chunk) = body.try_next().await.map_err(incomplete)? {
        if bytes.len() + chunk.remaining() > BODY_BYTES_MAX {
            let message = format!("the body must be at most {BODY_BYTES_MAX} bytes");
            return Err(ApiError::new(Code::PayloadTooLarge, message));
        }
        while chunk.has_remaining() {
            let part = chunk.chunk().len();
            bytes.extend_from_slice(chunk.chunk());
            chunk.advance(part);
        }
    }
    Ok(bytes)
}

/// A JSON response. Serialized directly: a `serde_json::Value` would turn amounts into floats.
pub(super) fn json(value: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_string(value).map(json_text).map_err(ApiError::internal)
}

/// A response whose body is JSON already.
pub(super) fn json_text(text: String) -> Response {
    let mut response = Response::new(text.into());
    let headers = response.headers_mut();
    headers.reserve(HEADERS_USUAL); // Growing copies the map.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
