//! `POST /api/payments`: text becomes types, the act is done in one write, the answer follows it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use warp::http::HeaderMap;
use warp::reply::Response;

use crate::acts::create_payment::{
    Created, EXPIRES_IN_SECONDS, NewPayment, REFERENCE_CHARS_MAX, Request, create_payment,
};
use crate::acts::payments::facts_of;
use crate::domain::merchant::is_unprintable;
use crate::domain::payment::{PaymentId, Status};
use crate::domain::webhook_url::{PrivateNetworks, RedirectUrl, WebhookUrl};
use crate::secret;
use crate::view::{Ltc, PaymentFacts, PaymentView};

use super::error::{ApiError, Code};
use super::{Api, auth, json};

/// The longest idempotency key, in characters of printable ASCII.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// The body's fields as they were sent. Each is read by itself, so that an error can name it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    amount_ltc: Option<Box<RawValue>>,
    webhook_url: Option<Box<RawValue>>,
    redirect_url: Option<Box<RawValue>>,
    reference: Option<Box<RawValue>>,
    expires_in: Option<Box<RawValue>>,
}

/// Creates a payment.
///
/// # Errors
/// See the contract's table: 400, 401, 402, 409, 422, 429.
pub(crate) async fn create(
    api: Arc<Api>,
    headers: HeaderMap,
    body: Vec<u8>,
) -> Result<Response, ApiError> {
    let holder = auth::key_holder(&headers, &api.store, &api.secret, api.site.network).await?;
    api.limits.per_key.count(&holder.merchant())?;
    check_content_type(&headers)?;
    let request = Request {
        merchant: holder.merchant(),
        new: read_body(&body, api.private_networks)?,
        idempotency_key: idempotency_key(&headers)?,
        id: PaymentId::from_random(secret::random_bytes()),
    };
    let now = api.clock.now();
    let of_write = api.clone();
    let (replayed, mut facts) = api
        .store
        .write(move |tx| {
            let (rules, xpub) = (&of_write.payment_rules, &of_write.xpub);
            let created = create_payment(tx, rules, xpub, &request, now)?;
            let (replayed, judged) = match created {
                Created::New(judged) => (false, judged),
                Created::Replayed(judged) => (true, judged),
            };
            facts_of(tx, judged, now).map(|facts| (replayed, facts))
        })
        .await?;
    // The answer is the payment as it was created, so that a repeated request gets the same bytes.
    facts = PaymentFacts { coins: Vec::new(), status: Status::Pending, delayed: false, ..facts };
    let view = PaymentView::new(&facts, &api.site, facts.payment.created_at);
    tracing::info!(payment.id = %view.payment_id, amount = %facts.payment.amount, replayed, "created");
    let mut response = json(&view)?;
    if replayed {
        let value = warp::http::HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", value);
    }
    Ok(response)
}

/// JSON, or nothing said about it.
fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get(warp::http::header::CONTENT_TYPE) else { return Ok(()) };
    let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "content-type must be application/json";
    Err(ApiError::new(Code::UnsupportedMediaType, message))
}

/// Reads what a shop asks for; every field is judged, none is believed.
pub(crate) fn read_body(
    body: &[u8],
    private_networks: PrivateNetworks,
) -> Result<NewPayment, ApiError> {
    if std::str::from_utf8(body).is_err() {
        // serde would not look into the fields that it skips.
        return Err(ApiError::new(Code::InvalidRequest, "the body must be JSON in UTF-8"));
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        // serde would read an array field by field.
        return Err(ApiError::new(Code::InvalidRequest, "the body must be a JSON object"));
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| malformed(body, &error))?;
    let amount = body.amount_ltc.ok_or_else(|| ApiError::invalid("amountLtc", "is missing"))?;
    let amount: Ltc = serde_json::from_str(amount.get())
        .map_err(|error| ApiError::invalid("amountLtc", without_position(&error)))?;
    if amount.0.is_zero() {
        return Err(ApiError::invalid("amountLtc", "must be greater than 0"));
    }
    let webhook_url = text("webhookUrl", body.webhook_url.as_deref())?
        .map(|text| WebhookUrl::parse(&text, private_networks))
        .transpose()
        .map_err(|error| ApiError::invalid("webhookUrl", error))?;
    let redirect_url = text("redirectUrl", body.redirect_url.as_deref())?
        .map(|text| RedirectUrl::parse(&text))
        .transpose()
        .map_err(|error| ApiError::invalid("redirectUrl", error))?;
    Ok(NewPayment {
        amount: amount.0,
        webhook_url: webhook_url.map(|url| url.as_str().to_owned()),
        redirect_url: redirect_url.map(|url| url.as_str().to_owned()),
        reference: reference(text("reference", body.reference.as_deref())?)?,
        expires_in_seconds: expires_in(body.expires_in.as_deref())?,
    })
}

/// The fields that a body may have, as they are spelled in it.
const FIELDS: [&str; 5] = ["amountLtc", "webhookUrl", "redirectUrl", "reference", "expiresIn"];

/// The error for a body that is no JSON. It names the field in which reading ended, so that
/// `{"amountLtc": NaN}` is told where to look.
fn malformed(body: &[u8], error: &serde_json::Error) -> ApiError {
    let lines = body.split(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    let before: usize = lines.map(|line| line.len() + 1).sum();
    let read = body.get(..before.saturating_add(error.column())).unwrap_or(body);
    let read = String::from_utf8_lossy(read);
    let field = FIELDS
        .into_iter()
        .filter_map(|field| read.rfind(&format!("\"{field}\"")).map(|at| (at, field)))
        .max();
    match field {
        Some((_, field)) => ApiError::invalid(field, format!("is not valid JSON: {error}")),
        None => {
            let message = format!("the body must be a JSON object: {error}");
            ApiError::new(Code::InvalidRequest, message)
        }
    }
}

/// A text field; null and "" mean none.
fn text(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, ApiError> {
    let Some(raw) = raw else { return Ok(None) };
    let text: Option<String> = serde_json::from_str(raw.get())
        .map_err(|_| ApiError::invalid(field, "must be a string or null"))?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn reference(text: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    if text.chars().count() > REFERENCE_CHARS_MAX {
        let reason = format!("must have at most {REFERENCE_CHARS_MAX} characters");
        return Err(ApiError::invalid("reference", reason));
    }
    if text.chars().any(is_unprintable) {
        return Err(ApiError::invalid("reference", "must not hold control characters"));
    }
    Ok(Some(text))
}

fn expires_in(raw: Option<&RawValue>) -> Result<Option<u32>, ApiError> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let seconds = serde_json::from_str::<u32>(raw.get()).ok();
    let allowed = seconds.filter(|seconds| EXPIRES_IN_SECONDS.contains(seconds));
    allowed.map(Some).ok_or_else(|| {
        ApiError::invalid("expiresIn", "must be a whole number of seconds from 60 to 86400")
    })
}

/// The key of the `idempotency-key` header; the quoted form of the IETF draft and the bare one
/// are the same key.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let printable = bare.bytes().all(|b| (0x20..=0x7e).contains(&b));
    if bare.is_empty() || bare.len() > IDEMPOTENCY_KEY_CHARS_MAX || !printable {
        let reason = format!("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters");
        return Err(ApiError::invalid("idempotency-key", reason));
    }
    Ok(Some(bare.to_owned()))
}

/// serde's sentence without " at line 1 column 5", which counts within the field.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}
