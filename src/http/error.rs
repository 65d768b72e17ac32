//! The contract's table of errors: each refusal has one status, one code and one sentence.
//!
//! A handler answers an [`ApiError`]; the body is written at the edge, where the request id is
//! known. Everything that is not the caller's fault is `internal`, its detail only in the log.

use serde::Serialize;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::{Reply, Response};

use crate::acts::Refusal;
use crate::store;

/// The closed list of codes. Each has an anchor in the integration guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidApiKey,
    SubscriptionInactive,
    PayoutAddressMissing,
    IdempotencyKeyReused,
    NotFound,
    MethodNotAllowed,
    PayloadTooLarge,
    UnsupportedMediaType,
    RateLimited,
    Timeout,
    Overloaded,
    Internal,
}

impl Code {
    #[cfg(test)]
    pub(crate) const ALL: [Code; 13] = [
        Code::InvalidRequest,
        Code::InvalidApiKey,
        Code::SubscriptionInactive,
        Code::PayoutAddressMissing,
        Code::IdempotencyKeyReused,
        Code::NotFound,
        Code::MethodNotAllowed,
        Code::PayloadTooLarge,
        Code::UnsupportedMediaType,
        Code::RateLimited,
        Code::Timeout,
        Code::Overloaded,
        Code::Internal,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Code::InvalidRequest => "invalid_request",
            Code::InvalidApiKey => "invalid_api_key",
            Code::SubscriptionInactive => "subscription_inactive",
            Code::PayoutAddressMissing => "payout_address_missing",
            Code::IdempotencyKeyReused => "idempotency_key_reused",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::PayloadTooLarge => "payload_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::RateLimited => "rate_limited",
            Code::Timeout => "timeout",
            Code::Overloaded => "overloaded",
            Code::Internal => "internal",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Code::InvalidRequest => StatusCode::BAD_REQUEST,
            Code::InvalidApiKey => StatusCode::UNAUTHORIZED,
            Code::SubscriptionInactive => StatusCode::PAYMENT_REQUIRED,
            Code::PayoutAddressMissing => StatusCode::CONFLICT,
            Code::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Code::Timeout => StatusCode::REQUEST_TIMEOUT,
            Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

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
            Refusal::SubscriptionInactive => ApiError::new(Code::SubscriptionInactive, message),
            Refusal::PayoutAddressMissing => ApiError::new(Code::PayoutAddressMissing, message),
            Refusal::IdempotencyKeyReused => ApiError {
                param: Some("idempotency-key"),
                ..ApiError::new(Code::IdempotencyKeyReused, message)
            },
            Refusal::UnknownPayment => ApiError::new(Code::NotFound, message),
            Refusal::Store(error) => ApiError::from(error),
            Refusal::UnknownMerchant(_)
            | Refusal::DiscordUserTaken(_)
            | Refusal::ChainInDoubt
            | Refusal::NoAddressChange => ApiError::internal(message),
        }
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> ApiError {
        match error {
            store::Error::Busy | store::Error::Closed => ApiError {
                retry_after_seconds: Some(1),
                ..ApiError::new(Code::Overloaded, "the gateway is busy; try again in a second")
            },
            store::Error::Full => {
                tracing::error!(%error, "nothing can be written");
                let message = "the gateway cannot store anything at the moment; try again later";
                ApiError {
                    retry_after_seconds: Some(60),
                    ..ApiError::new(Code::Overloaded, message)
                }
            }
            store::Error::Newer { .. }
            | store::Error::Damaged(_)
            | store::Error::Impossible(_)
            | store::Error::Sqlite(_) => ApiError::internal(error),
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

/// Writes the body of a response that carries an error; leaves others as they are.
pub(crate) fn write_body(response: Response, public_url: &str, request_id: &str) -> Response {
    let (mut parts, body) = response.into_parts();
    let Some(error) = parts.extensions.remove::<ApiError>() else {
        return Response::from_parts(parts, body);
    };
    let body = Body {
        error: Inner {
            code: error.code.as_str(),
            message: &error.message,
            param: error.param,
            doc_url: format!("{public_url}/docs#{}", error.code.as_str()),
            request_id,
        },
    };
    let text = serde_json::to_string(&body).expect("strings are always JSON");
    let json = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, json);
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(seconds) = error.retry_after_seconds {
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Response::from_parts(parts, text.into())
}
