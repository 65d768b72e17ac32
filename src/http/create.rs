//! `POST /api/payments`: parses the request, creates the payment in one write, and responds
//! once it is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use warp::Filter;
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::Response;

use crate::domain::api_key::Permission;
use crate::domain::egress::Egress;
use crate::domain::event_kind::{BadEventKinds, EventKinds};
use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::payment::{BadMetadata, Metadata, PaymentId};
use crate::domain::printable::is_printable;
use crate::domain::tolerance::Tolerance;
use crate::domain::webhook_url::RedirectUrl;
use crate::operations::create_payment::{
    Asked, Created, DISPLAY_AMOUNT_CHARS_MAX, EXPIRES_IN_SECONDS, NewPayment, REFERENCE_CHARS_MAX,
    Request, create_payment,
};
use crate::operations::payments::facts_at_creation;
use crate::secret;
use crate::view::{Ltc, PaymentView};

use super::api::Api;
use super::auth::KeyHolder;
use super::error::{ApiError, Code};
use super::filters::{Route, json, read_limited, with_api};
use super::keyed::{Keyed, keyed};

/// The longest idempotency key, in characters of printable ASCII.
const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

pub(super) fn route(api: &Arc<Api>) -> Route {
    warp::path!("api" / "payments")
        .and(warp::post())
        .and(keyed(api))
        .and(with_api(api))
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(|key: Keyed, api, headers, body| {
            key.respond(Permission::CreatePayment, |holder| async move {
                let headers = read_headers(&headers)?;
                create(api, holder, headers, read_limited(body).await?).await
            })
        })
        .boxed()
}

/// The body's raw fields. Each is parsed separately, so that an error can name it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    amount_ltc: Option<Box<RawValue>>,
    amount: Option<Box<RawValue>>,
    currency: Option<Box<RawValue>>,
    webhook_url: Option<Box<RawValue>>,
    redirect_url: Option<Box<RawValue>>,
    reference: Option<Box<RawValue>>,
    display_amount: Option<Box<RawValue>>,
    expires_in: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    events: Option<Box<RawValue>>,
    tolerance_percent: Option<Box<RawValue>>,
}

pub(crate) struct RequestHeaders {
    idempotency_key: Option<String>,
}

/// Parses the headers, so that an invalid one is refused before the body is read.
///
/// # Errors
/// 400, 415.
pub(crate) fn read_headers(headers: &HeaderMap) -> Result<RequestHeaders, ApiError> {
    check_content_type(headers)?;
    Ok(RequestHeaders { idempotency_key: idempotency_key(headers)? })
}

/// Creates a payment.
///
/// # Errors
/// 400, 402, 409, 422, 429, 503.
pub(crate) async fn create(
    api: Arc<Api>,
    holder: KeyHolder,
    headers: RequestHeaders,
    body: Vec<u8>,
) -> Result<Response, ApiError> {
    let request = Request {
        merchant: holder.merchant(),
        api_key: holder.named_key(),
        new: read_body(&body, &api.egress)?,
        idempotency_key: headers.idempotency_key,
        id: PaymentId::from_random(secret::random_bytes()),
    };
    let ignored = ignored_fields(without_byte_order_mark(&body));
    api.addresses.derive_ahead();
    let now = api.clock.now();
    let of_write = api.clone();
    let (replayed, facts) = api
        .store
        .write(move |tx| {
            let (rules, addresses) = (&of_write.payment_rules, &of_write.addresses);
            let created = create_payment(tx, rules, addresses, &request, now)?;
            let (replayed, evaluated) = match created {
                Created::New(evaluated) => (false, evaluated),
                Created::Replayed(evaluated) => (true, evaluated),
            };
            // The facts at creation, so that a repeated request gets the same bytes.
            facts_at_creation(tx, evaluated.payment).map(|facts| (replayed, facts))
        })
        .await?;
    let view = PaymentView::for_merchant(&facts, &api.site, facts.payment.created_at);
    tracing::info!(payment_id = %view.payment_id, amount = %facts.payment.amount, replayed, "payment created");
    let mut response = json(&view)?;
    if replayed {
        let value = HeaderValue::from_static("true");
        response.headers_mut().insert("idempotent-replayed", value);
    }
    if let Some(names) = ignored {
        response.headers_mut().insert("x-ignored-fields", names);
    }
    Ok(response)
}

/// Requires JSON, which is also the default. Compressed bodies are refused: a few bytes could
/// become gigabytes.
fn check_content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    if headers.contains_key(warp::http::header::CONTENT_ENCODING) {
        let message = "content-encoding must be absent: compressed bodies are not accepted";
        return Err(ApiError::new(Code::UnsupportedMediaType, message));
    }
    let Some(value) = headers.get(warp::http::header::CONTENT_TYPE) else { return Ok(()) };
    let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if kind.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = "content-type must be application/json";
    Err(ApiError::new(Code::UnsupportedMediaType, message))
}

/// Parses and validates the body.
///
/// # Errors
/// 400 that names the field.
pub(crate) fn read_body(body: &[u8], egress: &Egress) -> Result<NewPayment, ApiError> {
    let body = without_byte_order_mark(body);
    if std::str::from_utf8(body).is_err() {
        // serde does not check the text of fields that it skips.
        return Err(ApiError::new(Code::InvalidRequest, "the body must be JSON in UTF-8"));
    }
    if !body.trim_ascii_start().starts_with(b"{") {
        // serde accepts an array as a struct.
        return Err(ApiError::new(Code::InvalidRequest, "the body must be a JSON object"));
    }
    let body: Body = serde_json::from_slice(body).map_err(|error| malformed(body, &error))?;
    let amount = amount(&body)?;
    let webhook_url = text("webhookUrl", body.webhook_url.as_deref())?
        .map(|text| egress.check(&text))
        .transpose()
        .map_err(|error| ApiError::invalid("webhookUrl", error))?;
    let redirect_url = text("redirectUrl", body.redirect_url.as_deref())?
        .map(|text| RedirectUrl::parse(&text))
        .transpose()
        .map_err(|error| ApiError::invalid("redirectUrl", error))?;
    Ok(NewPayment {
        amount,
        webhook_url: webhook_url.map(|url| url.as_str().to_owned()),
        redirect_url: redirect_url.map(|url| url.as_str().to_owned()),
        reference: shown("reference", body.reference.as_deref(), REFERENCE_CHARS_MAX)?,
        display_amount: shown(
            "displayAmount",
            body.display_amount.as_deref(),
            DISPLAY_AMOUNT_CHARS_MAX,
        )?,
        expires_in_seconds: expires_in(body.expires_in.as_deref())?,
        metadata: metadata(body.metadata.as_deref())?,
        events: event_kinds(body.events.as_deref())?,
        tolerance: tolerance(body.tolerance_percent.as_deref())?,
    })
}

/// Removes a byte order mark, which PowerShell and .NET write (RFC 8259, 8.1).
pub(crate) fn without_byte_order_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

const FIELDS: [&str; 11] = [
    "amountLtc",
    "amount",
    "currency",
    "webhookUrl",
    "redirectUrl",
    "reference",
    "displayAmount",
    "expiresIn",
    "metadata",
    "events",
    "tolerancePercent",
];

/// The error for a body that is not JSON. It names the field where parsing stopped, as in
/// `{"amountLtc": NaN}`.
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
        Some((_, field)) if error.is_data() => ApiError::invalid(field, "must not be sent twice"),
        Some((_, field)) => ApiError::invalid(field, format!("is not valid JSON: {error}")),
        None => {
            let message = format!("the body must be a JSON object: {error}");
            ApiError::new(Code::InvalidRequest, message)
        }
    }
}

/// The most ignored fields that are reported, and the longest reported name, in bytes.
const IGNORED_MAX: usize = 16;
const IGNORED_BYTES_MAX: usize = 64;

/// The unknown fields of a body, percent-encoded, so that a misspelt field is noticed.
fn ignored_fields(body: &[u8]) -> Option<HeaderValue> {
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(body).ok()?;
    let names: Vec<String> = fields
        .into_keys()
        .filter(|name| !FIELDS.contains(&name.as_str()))
        .take(IGNORED_MAX)
        .map(|name| {
            let bytes = name.as_bytes();
            let start = &bytes[..bytes.len().min(IGNORED_BYTES_MAX)];
            url::form_urlencoded::byte_serialize(start).collect()
        })
        .collect();
    if names.is_empty() { None } else { HeaderValue::from_str(&names.join(", ")).ok() }
}

/// A text field; null and "" mean none.
fn text(field: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, ApiError> {
    let Some(raw) = raw else { return Ok(None) };
    let text: Option<String> = serde_json::from_str(raw.get()).map_err(|_| {
        // The body is valid JSON, so a string can fail only for an unpaired surrogate.
        let reason = match raw.get().starts_with('"') {
            true => "must not contain an unpaired surrogate, such as \\ud83d alone",
            false => "must be a string or null",
        };
        ApiError::invalid(field, reason)
    })?;
    Ok(text.filter(|text| !text.is_empty()))
}

/// A text field that is displayed.
fn shown(
    field: &'static str,
    raw: Option<&RawValue>,
    chars_max: usize,
) -> Result<Option<String>, ApiError> {
    let Some(text) = text(field, raw)? else { return Ok(None) };
    if text.chars().count() > chars_max {
        return Err(ApiError::invalid(field, format!("must have at most {chars_max} characters")));
    }
    if !is_printable(&text) {
        return Err(ApiError::invalid(field, "must not contain control or invisible characters"));
    }
    Ok(Some(text))
}

/// The amount: `amountLtc`, or `amount` and `currency`.
fn amount(body: &Body) -> Result<Asked, ApiError> {
    let absent = |raw: &Option<Box<RawValue>>| raw.as_ref().is_none_or(|raw| raw.get() == "null");
    if absent(&body.amount) && absent(&body.currency) {
        let missing = "is missing; send it, or amount and currency";
        let raw =
            body.amount_ltc.as_ref().ok_or_else(|| ApiError::invalid("amountLtc", missing))?;
        let amount: Ltc = serde_json::from_str(raw.get())
            .map_err(|error| ApiError::invalid("amountLtc", without_position(&error)))?;
        if amount.0.is_zero() {
            return Err(ApiError::invalid("amountLtc", "must be greater than 0"));
        }
        return Ok(Asked::Ltc(amount.0));
    }
    if !absent(&body.amount_ltc) {
        let both = "must not be sent with amount and currency";
        return Err(ApiError::invalid("amountLtc", both));
    }
    let missing = |field| move || ApiError::invalid(field, "is missing");
    let code = text("currency", body.currency.as_deref())?.ok_or_else(missing("currency"))?;
    let currency = Currency::parse(&code).map_err(|error| ApiError::invalid("currency", error))?;
    let raw = body.amount.as_ref().filter(|raw| raw.get() != "null");
    let raw = raw.ok_or_else(missing("amount"))?.get();
    let amount = if raw.starts_with('"') {
        FiatAmount::parse(&text("amount", body.amount.as_deref())?.unwrap_or_default(), currency)
    } else {
        FiatAmount::parse_json_number(raw, currency)
    };
    amount.map(Asked::Price).map_err(|error| ApiError::invalid("amount", error))
}

fn metadata(raw: Option<&RawValue>) -> Result<Option<Metadata>, ApiError> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let pairs = serde_json::from_str(raw.get());
    let pairs = pairs.map_err(|_| ApiError::invalid("metadata", BadMetadata))?;
    let metadata = Metadata::new(pairs).map_err(|error| ApiError::invalid("metadata", error))?;
    Ok(Some(metadata).filter(|metadata| !metadata.is_empty()))
}

fn event_kinds(raw: Option<&RawValue>) -> Result<Option<EventKinds>, ApiError> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let names: Result<Vec<String>, _> = serde_json::from_str(raw.get());
    let names = names.map_err(|_| ApiError::invalid("events", BadEventKinds))?;
    EventKinds::parse(names.iter().map(String::as_str))
        .map(Some)
        .map_err(|error| ApiError::invalid("events", error))
}

/// A number of percent, or the same as a string.
fn tolerance(raw: Option<&RawValue>) -> Result<Option<Tolerance>, ApiError> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let text: String = serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned());
    Tolerance::parse(&text).map(Some).map_err(|error| ApiError::invalid("tolerancePercent", error))
}

fn expires_in(raw: Option<&RawValue>) -> Result<Option<u32>, ApiError> {
    let Some(raw) = raw.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let seconds = serde_json::from_str::<u32>(raw.get()).ok();
    let allowed = seconds.filter(|seconds| EXPIRES_IN_SECONDS.contains(seconds));
    allowed.map(Some).ok_or_else(|| {
        ApiError::invalid("expiresIn", "must be a whole number of seconds from 60 to 86400")
    })
}

/// The key of the `idempotency-key` header. The quoted form of the IETF draft (a string of RFC
/// 9651) and the bare form are the same key, so a value that begins with a quote must be a
/// whole string.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let key = if text.starts_with('"') {
        let reason = "begins with a quote and must then be a whole quoted string, such as \"a\"";
        unquoted(text).ok_or_else(|| ApiError::invalid("idempotency-key", reason))?
    } else {
        text.to_owned()
    };
    let printable = key.bytes().all(|b| (0x20..=0x7e).contains(&b));
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX || !printable {
        let reason = format!("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters");
        return Err(ApiError::invalid("idempotency-key", reason));
    }
    Ok(Some(key))
}

/// The content of a quoted string, in which a backslash escapes a quote or a backslash.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut content = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return None,
            '\\' => content.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            c => content.push(c),
        }
    }
    Some(content)
}

/// serde's message without " at line 1 column 5", which is relative to the field.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_idempotency_keys_are_equal() {
        #[track_caller]
        fn check(sent: &str, expected: Option<&str>) {
            let mut headers = HeaderMap::new();
            headers.insert("idempotency-key", sent.parse().unwrap());
            assert_eq!(idempotency_key(&headers).ok().flatten().as_deref(), expected, "{sent}");
        }
        check("order-7", Some("order-7"));
        check(r#""order-7""#, Some("order-7"));
        check(r#""a\"b\\c""#, Some(r#"a"b\c"#));
        check(r#"a"b"#, Some(r#"a"b"#));
        check(r#""a"b""#, None);
        check(r#""a\b""#, None);
        check(r#""a"#, None);
        check(r#"""#, None);
        check(r#""""#, None);
        check(r#"" a""#, Some(" a"));
        check(&format!(r#""{}""#, "x".repeat(255)), Some(&"x".repeat(255)));
        check(&format!(r#""{}""#, r#"\""#.repeat(255)), Some(&r#"""#.repeat(255)));
        check(&format!(r#""{}""#, "x".repeat(256)), None);
        check("", None);
        check(&"x".repeat(255), Some(&"x".repeat(255)));
        check(&"x".repeat(256), None);
    }

    #[test]
    fn ignored_fields_are_reported() {
        #[track_caller]
        fn check(body: &str, expected: Option<&str>) {
            let ignored = ignored_fields(body.as_bytes());
            assert_eq!(ignored.as_ref().map(|value| value.to_str().unwrap()), expected, "{body}");
        }
        check(r#"{"amountLtc": 1, "reference": null}"#, None);
        check(r#"{"amountLTC": 1, "note": {"a": [1]}}"#, Some("amountLTC, note"));
        check(r#"{"a b\r\n,": 1, "ö": 2}"#, Some("a+b%0D%0A%2C, %C3%B6"));
        let many: Vec<String> = (10..99).map(|n| format!("\"{n}{}\": 0", "x".repeat(99))).collect();
        let ignored = ignored_fields(format!("{{{}}}", many.join(",")).as_bytes()).unwrap();
        assert!(ignored.len() < 16 * 70, "{}", ignored.len());
    }
}
