//! Posts webhooks, and only to addresses that `target` allows. The rules of all outbound
//! requests are in `outbound.rs`.

use std::error::Error as _;

use reqwest::Client;
use reqwest::header::{
    CONTENT_TYPE, HeaderMap, HeaderValue, InvalidHeaderValue, RETRY_AFTER, USER_AGENT,
};

use crate::domain::egress::Egress;
use crate::domain::printable::is_unprintable;
use crate::domain::retry::RetryAfter;
use crate::domain::time::Timestamp;
use crate::outbound::{self, NoResponse, OUR_NAME, Timeouts, builder, read_start};

use super::target::{
    CheckingResolver, LookUp, NameNotFound, PrivateAddress, ask_system, may_reach,
};

/// The most that is read of a response body, in bytes.
const BODY_BYTES_MAX: usize = 16 * 1024;

const ANSWER_CHARS_KEPT: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The beginning of the body, control characters escaped.
    pub(crate) beginning: String,
    pub(crate) retry_after: Option<RetryAfter>,
}

impl Answer {
    /// Whether the receiver accepted the webhook: any 2xx.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no response. The merchant sees these texts, so they name no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the URL leads to a private or special address, or to a port that is not allowed")]
    NotPublic,
    #[error("the receiver took too long")]
    Timeout,
    #[error("the receiver's name has no address")]
    NoSuchName,
    #[error("no connection to the receiver")]
    Connect,
    #[error("no secure connection: the receiver's certificate or TLS is not valid")]
    Tls,
    #[error("the receiver broke off")]
    Broken,
}

impl NoAnswer {
    pub(crate) const ALL: [NoAnswer; 6] = [
        NoAnswer::NotPublic,
        NoAnswer::Timeout,
        NoAnswer::NoSuchName,
        NoAnswer::Connect,
        NoAnswer::Tls,
        NoAnswer::Broken,
    ];
}

/// Posts webhooks to allowed addresses. Clones share the client.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client,
    egress: Egress,
}

impl Sender {
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) fn new(
        egress: impl Into<Egress>,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        Sender::with_look_up(ask_system, egress, timeouts)
    }

    fn with_look_up(
        look_up: LookUp,
        egress: impl Into<Egress>,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        let egress = egress.into();
        let client = builder(timeouts.total)
            .dns_resolver(CheckingResolver::new(egress.clone(), look_up))
            .connect_timeout(timeouts.connect)
            .pool_max_idle_per_host(0)
            // The status line decides. PHP plugins and warnings print into the headers.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .build()?;
        Ok(Sender { client, egress })
    }

    /// Posts a JSON body once.
    ///
    /// # Errors
    /// If there was no response. A response of any status is `Ok`.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, NoAnswer> {
        // The configuration may have changed since the payment was created, and the client
        // does not call the resolver for literal addresses.
        let url = self.egress.check(url).map_err(|_| NoAnswer::NotPublic)?;
        if url.literal().is_some_and(|address| !may_reach(&self.egress, address)) {
            return Err(NoAnswer::NotPublic);
        }
        let request = self
            .client
            .post(url.as_str())
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, OUR_NAME)
            .body(body);
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let read = read_start(&mut response, BODY_BYTES_MAX).await;
        Ok(Answer {
            status: response.status().as_u16(),
            beginning: printable(&read),
            retry_after: retry_after(response.headers()),
        })
    }
}

/// Classifies an error: the reasons of `target` first, then those of every request.
fn classify(error: &reqwest::Error) -> NoAnswer {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<PrivateAddress>() {
            return NoAnswer::NotPublic;
        }
        if inner.is::<NameNotFound>() {
            return NoAnswer::NoSuchName;
        }
        cause = inner.source();
    }
    match outbound::classify(error) {
        NoResponse::Timeout => NoAnswer::Timeout,
        NoResponse::Connect => NoAnswer::Connect,
        NoResponse::Tls => NoAnswer::Tls,
        NoResponse::Broken | NoResponse::TooLarge => NoAnswer::Broken,
    }
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    RetryAfter::parse(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// The start of a body as text that is safe in a log or a terminal.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let escaped = text.chars().flat_map(|c| {
        let plain = !is_unprintable(c);
        let kept = plain.then_some(c);
        kept.into_iter().chain(c.escape_default().take(if plain { 0 } else { 12 }))
    });
    escaped.take(ANSWER_CHARS_KEPT).collect()
}

/// The headers of the Standard Webhooks specification.
pub(super) fn headers(
    id: &str,
    now: Timestamp,
    signatures: &str,
) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_str(id)?);
    headers.insert("webhook-timestamp", HeaderValue::from(now.seconds()));
    headers.insert("webhook-signature", HeaderValue::from_str(signatures)?);
    Ok(headers)
}

/// An outcome as it is stored and shown.
pub(super) fn shown(outcome: &Result<Answer, NoAnswer>) -> String {
    match outcome {
        Ok(answer) => format!("HTTP {}", answer.status),
        Err(why) => why.to_string(),
    }
}

#[cfg(test)]
mod tests;
