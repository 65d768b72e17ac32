//! `GET /pay/:paymentId/qr.svg`: the QR code of the amount due, for shops with their own
//! checkout.

use std::sync::Arc;

use bitcoin::hashes::{Hash, sha256};
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use crate::domain::payment;
use crate::view::receiving_address;

use super::api::Api;
use super::error::{ApiError, Code};
use super::filters::{Route, get, public, respond_if, with_api};
use super::show;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("pay" / String / "qr.svg")
        .and(get())
        .and(public(api))
        .and(with_api(api))
        .and(warp::header::headers_cloned())
        .then(|id, allowed, api, headers| respond_if(allowed, qr_image(api, id, headers)))
        .boxed()
}

/// Serves the code. With `if-none-match`, 304 while the code is the same.
///
/// # Errors
/// 404 for an unknown payment, and for one that needs no payment any more.
pub(crate) async fn qr_image(
    api: Arc<Api>,
    id: String,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let facts = show::look_up(&api, &id).await?;
    let payment = &facts.payment;
    let assessment = payment::assess(payment, &facts.coins, facts.tip);
    if !payment::detail(payment, facts.status, &assessment).asks_for_money() {
        let message = "this payment needs no further payment";
        return Err(ApiError::new(Code::NotFound, message));
    }
    let address = receiving_address(payment, api.site.network);
    let uri = payment::payment_uri(&address, assessment.due);
    let picture = api
        .codes
        .picture(&uri)
        .ok_or_else(|| ApiError::internal("the payment URI is too long for a QR code"))?;
    let hash = sha256::Hash::hash(picture.as_bytes()).to_string();
    let etag = format!("\"{}\"", &hash[..16]);
    let mut response = if show::is_known(&headers, &etag) {
        let mut response = warp::reply().into_response();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(picture.into());
        let svg = HeaderValue::from_static("image/svg+xml");
        response.headers_mut().insert(header::CONTENT_TYPE, svg);
        response
    };
    let headers = response.headers_mut();
    let value = HeaderValue::from_str(&etag).map_err(ApiError::internal)?;
    headers.insert(header::ETAG, value);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let nothing = HeaderValue::from_static("default-src 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, nothing);
    Ok(response)
}
