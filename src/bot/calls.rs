//! Requests to Discord: each has an end, some are made again, and what its refusals mean.
//!
//! Must not know: what is said to people.

use std::time::Duration;

use poise::serenity_prelude as serenity;

/// Tries and the first pause between them, for what Discord may refuse for a moment.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);

/// How long one request to Discord may take; the library itself would wait for ever.
const REQUEST_MAX: Duration = Duration::from_secs(15);

/// One request with an end.
pub(super) async fn in_time<T>(
    call: impl Future<Output = Result<T, serenity::Error>>,
) -> Result<T, serenity::Error> {
    match tokio::time::timeout(REQUEST_MAX, call).await {
        Ok(answered) => answered,
        Err(_) => Err(serenity::Error::Other("no answer in time")),
    }
}

/// Calls until it works, or cannot.
pub(super) async fn patiently<T, F>(mut call: impl FnMut() -> F) -> Result<T, serenity::Error>
where
    F: Future<Output = Result<T, serenity::Error>>,
{
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match in_time(call()).await {
            Err(error) if may_pass(&error) => tokio::time::sleep(pause).await,
            ended => return ended,
        }
        pause *= 2;
    }
    in_time(call()).await
}

/// The status of Discord's answer, if it is one that says no, and its own code.
pub(super) fn refusal_of(error: &serenity::Error) -> Option<(u16, isize)> {
    match error {
        serenity::Error::Http(serenity::HttpError::UnsuccessfulRequest(response)) => {
            Some((response.status_code.as_u16(), response.error.code))
        }
        _ => None,
    }
}

pub(super) fn is_unauthorized(error: &serenity::Error) -> bool {
    use serenity::GatewayError;
    let by_gateway = matches!(
        error,
        serenity::Error::Gateway(
            GatewayError::InvalidAuthentication | GatewayError::NoAuthentication
        )
    );
    by_gateway || refusal_of(error).is_some_and(|(status, _)| status == 401)
}

/// Whether the same may work in a moment.
pub(super) fn may_pass(error: &serenity::Error) -> bool {
    match refusal_of(error) {
        Some((status, _)) => status == 429 || status >= 500,
        None => matches!(error, serenity::Error::Http(serenity::HttpError::Request(_))),
    }
}

/// An error without the addresses in it, which hold tokens of interactions.
pub(super) fn in_words(error: &serenity::Error) -> String {
    match error {
        serenity::Error::Http(serenity::HttpError::UnsuccessfulRequest(response)) => format!(
            "it answers {} ({}: {})",
            response.status_code.as_u16(),
            response.error.code,
            response.error.message
        ),
        serenity::Error::Http(serenity::HttpError::Request(request)) => {
            let kind = if request.is_timeout() {
                "no answer in time"
            } else if request.is_connect() {
                "cannot be reached"
            } else {
                "the connection broke"
            };
            kind.to_owned()
        }
        serenity::Error::Http(_) => "an answer that is not understood".to_owned(),
        other => other.to_string(),
    }
}
