//! The contract's table of errors: each refusal has one status, one code and one sentence.
//!
//! A handler answers an [`ApiError`]; the body is written at the edge, where the request id is
//! known. Everything that is not the caller's fault is `internal`, its detail only in the log.

use serde::Serialize;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use crate::operations::Refusal;
use crate::store;

use super::weights::ranges;

/// The closed list of codes. Each has an anchor in the integration guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidApiKey,
    InsufficientScope,
    SubscriptionInactive,
    PayoutAddressMissing,
    IdempotencyKeyReused,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    HeadersTooLarge,
    UnsupportedMediaType,
    RateLimited,
    Timeout,
    Overloaded,
    Starting,
    UnverifiedData,
    Internal,
}

impl Code {
    #[cfg(test)]
    pub(crate) const ALL: [Code; 17] = [
        Code::InvalidRequest,
        Code::InvalidApiKey,
        Code::InsufficientScope,
        Code::SubscriptionInactive,
        Code::PayoutAddressMissing,
        Code::IdempotencyKeyReused,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::PayloadTooLarge,
        Code::HeadersTooLarge,
        Code::UnsupportedMediaType,
        Code::RateLimited,
        Code::Timeout,
        Code::Overloaded,
        Code::Starting,
        Code::UnverifiedData,
        Code::Internal,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::InvalidApiKey => "invalid_api_key",
            Code::InsufficientScope => "insufficient_scope",
            Code::SubscriptionInactive => "subscription_inactive",
            Code::PayoutAddressMissing => "payout_address_missing",
            Code::IdempotencyKeyReused => "idempotency_key_reused",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::PayloadTooLarge => "payload_too_large",
            Code::HeadersTooLarge => "headers_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RateLimited => "rate_limited",
            Code::Timeout => "timeout",
            Code::Overloaded => "overloaded",
            Code::Starting => "starting",
            Code::UnverifiedData => "unverified_data",
            Code::Internal => "internal",
        }
    }

    pub(crate) fn status(self) -> StatusCode {
        match self {
            Code::InvalidRequest => StatusCode::BAD_REQUEST,
            Code::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Code::InsufficientScope => StatusCode::FORBIDDEN,
            Code::SubscriptionInactive => StatusCode::PAYMENT_REQUIRED,
            Code::PayoutAddressMissing => StatusCode::CONFLICT,
            Code::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            // Not 408: it may have been our slowness, and clients send a 503 again.
            Code::Timeout | Code::Overloaded | Code::Starting => StatusCode::SERVICE_UNAVAILABLE,
            Code::UnverifiedData | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What a caller learns of a row that does not verify.
const UNVERIFIED: &str = "the stored record was changed outside the gateway and is not used; \
                          the operator is alerted";

/// When a payment may be asked for again during the first start, in seconds: the node reads its
/// whole set of unspent outputs meanwhile.
const STARTING_RETRY_SECONDS: u64 = 10;

/// An error on its way to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    code: Code,
    message: String,
    /// The field or header that is wrong.
    param: Option<&'static str>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> ApiError {
        ApiError { code, message: message.into(), param: None, retry_after_seconds: None }
    }

    /// A field that is wrong; the message begins with its name.
    pub(crate) fn invalid(param: &'static str, reason: impl std::fmt::Display) -> ApiError {
        let message = format!("{param} {reason}");
        ApiError { param: Some(param), ..ApiError::new(Code::InvalidRequest, message) }
    }

    pub(crate) fn not_found() -> ApiError {
        ApiError::new(Code::NotFound, "there is nothing under this address")
    }

    /// Too many requests: when the next one has a chance.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> ApiError {
        ApiError {
            retry_after_seconds: Some(retry_after_seconds),
            ..ApiError::new(Code::RateLimited, "too many requests; see retry-after")
        }
    }

    /// The client's address has as many connections as it gets.
    pub(crate) fn too_many_connections() -> ApiError {
        ApiError {
            retry_after_seconds: Some(10),
            ..ApiError::new(Code::RateLimited, "too many connections from this address")
        }
    }

    /// The request did not end in time. What it asked for may have happened.
    pub(crate) fn timeout() -> ApiError {
        let message = "the request took too long; send it again, with the same idempotency key";
        ApiError { retry_after_seconds: Some(1), ..ApiError::new(Code::Timeout, message) }
    }

    /// We have too much to do: it may be tried again in a second.
    pub(crate) fn overloaded(message: impl Into<String>) -> ApiError {
        ApiError { retry_after_seconds: Some(1), ..ApiError::new(Code::Overloaded, message) }
    }

    /// When another try has a chance, for errors that pass.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// Something of ours failed. The detail goes to the log, not to the caller.
    pub(crate) fn internal(detail: impl std::fmt::Display) -> ApiError {
        tracing::error!(error = %detail, "internal error");
        ApiError::new(Code::Internal, "something went wrong on our side; try again later")
    }

    /// A response that carries this error; its body is written by [`write_body`].
    pub(crate) fn into_response(self) -> Response {
        let mut response = warp::reply().into_response();
        *response.status_mut() = self.code.status();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        let message = refusal.to_string();
        match refusal {
            Refusal::Invalid { field, .. } => {
                ApiError { param: Some(field), ..ApiError::new(Code::InvalidRequest, message) }
            }
            Refusal::SubscriptionInactive | Refusal::Suspended => {
                ApiError::new(Code::SubscriptionInactive, message)
            }
            Refusal::TooManyOpen(_) => ApiError {
                retry_after_seconds: Some(60),
                ..ApiError::new(Code::RateLimited, message)
            },
            Refusal::Starting => ApiError {
                retry_after_seconds: Some(STARTING_RETRY_SECONDS),
                ..ApiError::new(Code::Starting, message)
            },
            Refusal::DailyLimit { retry_after_seconds, .. } => ApiError {
                retry_after_seconds: Some(retry_after_seconds),
                ..ApiError::new(Code::RateLimited, message)
            },
            Refusal::PayoutAddressMissing => ApiError::new(Code::PayoutAddressMissing, message),
            Refusal::IdempotencyKeyReused => ApiError {
                param: Some("idempotency-key"),
                ..ApiError::new(Code::IdempotencyKeyReused, message)
            },
            Refusal::UnknownPayment | Refusal::UnknownEvent => {
                ApiError::new(Code::NotFound, message)
            }
            Refusal::Store(error) => ApiError::from(error),
            Refusal::UnknownMerchant(_)
            | Refusal::DiscordUserTaken(_)
            | Refusal::ChainSuspect
            | Refusal::SuspendedAlready
            | Refusal::NotSuspended
            | Refusal::TooManyAddressChanges
            | Refusal::SecondFactor(_)
            | Refusal::NoAddressChange => ApiError::internal(message),
        }
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> ApiError {
        match error {
            store::Error::Busy | store::Error::Closed => {
                ApiError::overloaded("the gateway is busy; try again in a second")
            }
            store::Error::Full | store::Error::ReadOnly => {
                tracing::error!(%error, "nothing can be written");
                let message = "the gateway cannot store anything at the moment; try again later";
                ApiError {
                    retry_after_seconds: Some(60),
                    ..ApiError::new(Code::Overloaded, message)
                }
            }
            store::Error::Unverified { .. } => {
                tracing::error!(%error, "a row of the database is not used");
                ApiError::new(Code::UnverifiedData, UNVERIFIED)
            }
            store::Error::Newer { .. }
            | store::Error::Damaged(_)
            | store::Error::Impossible(_)
            | store::Error::File { .. }
            | store::Error::Sqlite(_) => ApiError::internal(error),
        }
    }
}

/// How the caller wants to read errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"error": {…}}`
    Usual,
    /// RFC 9457.
    Problem,
}

impl Shape {
    /// By the `accept` header: problems for those who ask for them, and not less than for JSON.
    pub(crate) fn wanted(headers: &HeaderMap) -> Shape {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok());
        let mut problem = 0;
        let mut json = 0;
        for (kind, weight) in accepted.flat_map(ranges) {
            if kind.eq_ignore_ascii_case("application/problem+json") {
                problem = weight;
            } else if kind.eq_ignore_ascii_case("application/json") {
                json = weight;
            }
        }
        if problem > 0 && problem >= json { Shape::Problem } else { Shape::Usual }
    }

    fn media_type(self) -> &'static str {
        match self {
            Shape::Usual => "application/json",
            Shape::Problem => "application/problem+json",
        }
    }
}

#[derive(Serialize)]
struct Body<'e> {
    error: Inner<'e>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inner<'e> {
    code: &'static str,
    message: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    doc_url: String,
    request_id: &'e str,
}

/// The same facts as RFC 9457 names them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem<'e> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'e str,
    /// The request, as the operator finds it in the log.
    instance: &'e str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'static str>,
    request_id: &'e str,
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    #[cfg(test)]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error as JSON.
    pub(crate) fn text(&self, shape: Shape, public_url: &str, request_id: &str) -> String {
        let (code, message, param) = (self.code.as_str(), &self.message, self.param);
        let doc_url = format!("{public_url}/docs#{code}");
        let text = match shape {
            Shape::Usual => {
                let error = Inner { code, message, param, doc_url, request_id };
                serde_json::to_string(&Body { error })
            }
            Shape::Problem => serde_json::to_string(&Problem {
                kind: doc_url,
                title: self.status().canonical_reason().unwrap_or(code),
                status: self.status().as_u16(),
                detail: message,
                instance: request_id,
                code,
                param,
                request_id,
            }),
        };
        text.expect("strings are always JSON")
    }
}

/// Writes the body of a response that carries an error; leaves others as they are.
pub(crate) fn write_body(
    response: Response,
    shape: Shape,
    public_url: &str,
    request_id: &str,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(error) = parts.extensions.remove::<ApiError>() else {
        return Response::from_parts(parts, body);
    };
    let kind = HeaderValue::from_static(shape.media_type());
    parts.headers.insert(header::CONTENT_TYPE, kind);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    parts.headers.append(header::VARY, HeaderValue::from_static("accept"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = error.retry_after_seconds {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Response::from_parts(parts, error.text(shape, public_url, request_id).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_json_is_sent_only_to_clients_that_accept_it() {
        #[track_caller]
        fn check(accept: &[&str], expected: Shape) {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(header::ACCEPT, value.parse().unwrap());
            }
            assert_eq!(Shape::wanted(&headers), expected, "{accept:?}");
        }
        check(&[], Shape::Usual);
        check(&["*/*"], Shape::Usual);
        check(&["application/json, text/plain, */*"], Shape::Usual);
        check(&["application/problem+json"], Shape::Problem);
        check(&["text/html", "Application/Problem+JSON; q=0.5"], Shape::Problem);
        check(&["application/json, application/problem+json"], Shape::Problem);
        check(&["application/json, application/problem+json;q=0.9"], Shape::Usual);
        check(&["application/json;q=0.8, application/problem+json;q=0.9"], Shape::Problem);
        check(&["application/problem+json;q=0"], Shape::Usual);
        check(&["application/problem+json;q=x"], Shape::Usual);
    }

    #[test]
    fn both_error_formats_carry_the_same_information() {
        let error = ApiError::invalid("limit", "must be a number");
        let usual = error.text(Shape::Usual, "https://pay.example", "req_1");
        assert_eq!(
            usual,
            r#"{"error":{"code":"invalid_request","message":"limit must be a number","param":"limit","docUrl":"https://pay.example/docs#invalid_request","requestId":"req_1"}}"#
        );
        let problem = error.text(Shape::Problem, "https://pay.example", "req_1");
        assert_eq!(
            problem,
            r#"{"type":"https://pay.example/docs#invalid_request","title":"Bad Request","status":400,"detail":"limit must be a number","instance":"req_1","code":"invalid_request","param":"limit","requestId":"req_1"}"#
        );
    }
}
