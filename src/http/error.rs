//! Errors of the API: each has a status, a code and a message.
//!
//! Error types by layer: operations return `Refusal`, the database `store::Error`, and both
//! become an [`ApiError`] here. Handlers return `Result<Response, ApiError>`; a response
//! carries its `ApiError` as an extension until `error_body` writes the JSON, where the
//! request id is known. Start-up (`server::bind`) and `/metrics` use `anyhow`. An error that
//! is not the client's fault has the code `internal`, and its detail goes to the log only.

use warp::http::StatusCode;
use warp::reply::{Reply, Response};

use crate::operations::Refusal;
use crate::store;

pub(crate) use super::error_code::Code;

const UNVERIFIED: &str = "the stored record was changed outside the gateway and is not used; \
                          the operator is alerted";

/// `retry-after` during the first start, in seconds: the node scans its UTXO set meanwhile.
const STARTING_RETRY_SECONDS: u64 = 10;

/// `retry-after` without a usable exchange rate: the usual interval of refreshes, in seconds.
const RATE_RETRY_SECONDS: u64 = 30;

/// `retry-after` of a limit that frees up slowly, and of a full disk, in seconds.
const SLOW_RETRY_SECONDS: u64 = 60;

/// `retry-after` for an address with too many connections, in seconds.
const CONNECTIONS_RETRY_SECONDS: u64 = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    code: Code,
    message: String,
    /// The wrong field, parameter or header.
    param: Option<&'static str>,
    retry_after_seconds: Option<u64>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> ApiError {
        ApiError { code, message: message.into(), param: None, retry_after_seconds: None }
    }

    fn retry_after(self, seconds: u64) -> ApiError {
        ApiError { retry_after_seconds: Some(seconds), ..self }
    }

    fn of_param(self, param: &'static str) -> ApiError {
        ApiError { param: Some(param), ..self }
    }

    /// A wrong field; the message is its name and the reason.
    pub(crate) fn invalid(param: &'static str, reason: impl std::fmt::Display) -> ApiError {
        ApiError::new(Code::InvalidRequest, format!("{param} {reason}")).of_param(param)
    }

    pub(crate) fn not_found() -> ApiError {
        ApiError::new(Code::NotFound, "not found")
    }

    pub(crate) fn rate_limited(retry_after_seconds: u64) -> ApiError {
        ApiError::new(Code::RateLimited, "too many requests; see retry-after")
            .retry_after(retry_after_seconds)
    }

    /// The client's address has its share of connections.
    pub(crate) fn too_many_connections() -> ApiError {
        ApiError::new(Code::RateLimited, "too many connections from this address")
            .retry_after(CONNECTIONS_RETRY_SECONDS)
    }

    /// The request did not end in time. It may have taken effect.
    pub(crate) fn timeout() -> ApiError {
        let message = "the request took too long; send it again, with the same idempotency key";
        ApiError::new(Code::Timeout, message).retry_after(1)
    }

    /// The gateway is overloaded; the client may retry in a second.
    pub(crate) fn overloaded(message: impl Into<String>) -> ApiError {
        ApiError::new(Code::Overloaded, message).retry_after(1)
    }

    /// A failure of the gateway. The detail goes to the log, not to the client.
    pub(crate) fn internal(detail: impl std::fmt::Display) -> ApiError {
        tracing::error!(error = %detail, "internal error");
        ApiError::new(Code::Internal, "something went wrong on our side; try again later")
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn param(&self) -> Option<&'static str> {
        self.param
    }

    /// Seconds after which a retry may succeed, for temporary errors.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after_seconds
    }

    /// A response that carries this error; `error_body::write` adds its body.
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
                ApiError::new(Code::InvalidRequest, message).of_param(field)
            }
            Refusal::SubscriptionInactive | Refusal::Suspended => {
                ApiError::new(Code::SubscriptionInactive, message)
            }
            Refusal::TooManyOpen(_) => {
                ApiError::new(Code::RateLimited, message).retry_after(SLOW_RETRY_SECONDS)
            }
            Refusal::Starting => {
                ApiError::new(Code::Starting, message).retry_after(STARTING_RETRY_SECONDS)
            }
            Refusal::DailyLimit { retry_after_seconds, .. } => {
                ApiError::new(Code::RateLimited, message).retry_after(retry_after_seconds)
            }
            Refusal::PayoutAddressMissing => ApiError::new(Code::PayoutAddressMissing, message),
            Refusal::IdempotencyKeyReused => {
                ApiError::new(Code::IdempotencyKeyReused, message).of_param("idempotency-key")
            }
            Refusal::RateUnavailable(_) => {
                ApiError::new(Code::RateUnavailable, message).retry_after(RATE_RETRY_SECONDS)
            }
            Refusal::NothingConfirmed => ApiError::new(Code::NothingConfirmed, message),
            Refusal::PaymentHasCoins => ApiError::new(Code::PaymentHasCoins, message),
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
                tracing::error!(%error, "the database cannot be written");
                let message = "the gateway cannot store anything at the moment; try again later";
                ApiError::new(Code::Overloaded, message).retry_after(SLOW_RETRY_SECONDS)
            }
            store::Error::Unverified { .. } => {
                tracing::error!(%error, "a database row does not verify and is not used");
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
