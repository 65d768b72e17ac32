//! Error codes of the API, each with its HTTP status.

use warp::http::StatusCode;

/// The closed list of codes. Each has an anchor in the integration guide
/// (`static/guide.html`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    InvalidRequest,
    InvalidApiKey,
    InsufficientScope,
    SubscriptionInactive,
    PayoutAddressMissing,
    IdempotencyKeyReused,
    NothingConfirmed,
    PaymentHasCoins,
    RateUnavailable,
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
    pub(crate) const ALL: [Code; 20] = [
        Code::InvalidRequest,
        Code::InvalidApiKey,
        Code::InsufficientScope,
        Code::SubscriptionInactive,
        Code::PayoutAddressMissing,
        Code::IdempotencyKeyReused,
        Code::NothingConfirmed,
        Code::PaymentHasCoins,
        Code::RateUnavailable,
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
            Code::NothingConfirmed => "nothing_confirmed",
            Code::PaymentHasCoins => "payment_has_coins",
            Code::RateUnavailable => "rate_unavailable",
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
            Code::PayoutAddressMissing | Code::NothingConfirmed | Code::PaymentHasCoins => {
                StatusCode::CONFLICT
            }
            Code::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            // Not 408: the gateway may have been slow, and clients retry a 503.
            Code::Timeout | Code::Overloaded | Code::Starting | Code::RateUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Code::UnverifiedData | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
