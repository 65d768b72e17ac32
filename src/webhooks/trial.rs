//! Test webhook: signed and sent like any other, and not stored.

use std::time::Instant;

use anyhow::Context;

use crate::domain::egress::Egress;
use crate::domain::event::id_of;
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::Merchant;
use crate::domain::network::Network;
use crate::domain::payment::PaymentId;
use crate::domain::time::Timestamp;
use crate::operations::Refusal;
use crate::outbound::Timeouts;
use crate::secret::{self, Secrets};
use crate::view::{EventBody, TrialView};

use super::client::{self, Answer, NoAnswer, Sender};
use super::sign::Signer;

/// Checks a URL by the rules for new payments.
///
/// # Errors
/// If the rules refuse it.
pub(crate) fn check_url(url: &str, egress: &Egress) -> Result<(), Refusal> {
    egress.check(url).map(|_| ()).map_err(|error| Refusal::invalid("url", error))
}

#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) view: TrialView,
    /// The advice in `view`, for translation.
    pub(crate) advice: Option<Advice>,
}

/// Sends one test.
///
/// # Errors
/// If the system has no usable TLS. A failure of the receiver is not an error.
pub(crate) async fn send(
    merchant: &Merchant,
    secret: &Secrets,
    network: Network,
    egress: &Egress,
    url: &str,
    kind: EventKind,
    now: Timestamp,
) -> anyhow::Result<Tried> {
    let sender =
        Sender::new(egress.clone(), Timeouts::default()).context("prepare the HTTP client")?;
    // A new id each time, so that no receiver ignores the second test as a repeat.
    let id = id_of(PaymentId::from_random(secret::random_bytes()), kind, None);
    let body = EventBody::of_test(kind, network, now);
    let body = serde_json::to_string(&body).context("the body")?;
    let signatures = Signer::of(merchant, secret, now).signatures(&id, now, &body);
    let headers = client::headers(&id, now, &signatures).context("the headers")?;
    let start = Instant::now();
    let outcome = sender.post(url, headers, body).await;
    let advice = advice(&outcome);
    let view = TrialView {
        event_id: id,
        delivered: outcome.as_ref().is_ok_and(Answer::is_success),
        http_status: outcome.as_ref().ok().map(|answer| answer.status),
        duration_ms: u32::try_from(start.elapsed().as_millis()).unwrap_or(u32::MAX),
        outcome: client::shown(&outcome),
        advice: advice.map(Advice::as_str),
        answer: outcome.map(|answer| answer.beginning).unwrap_or_default(),
    };
    Ok(Tried { view, advice })
}

/// The usual cause of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advice {
    NotPublic,
    NoSuchName,
    Connect,
    Tls,
    Timeout,
    Broken,
    Redirect,
    Body,
    Login,
    Route,
    Busy,
    Failed,
}

impl Advice {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Advice::NotPublic => {
                "The gateway sends to public addresses only. The operator can allow private ones \
                 with webhooks.allow_private_networks."
            }
            Advice::NoSuchName => "Check how the host is spelled, and its DNS record.",
            Advice::Connect => {
                "No server accepts connections there: check the port and the firewall."
            }
            Advice::Tls => {
                "The certificate has expired, is for another name or has no known issuer, the server \
                 does not send the intermediate certificates, or it speaks http where the URL says \
                 https."
            }
            Advice::Timeout => {
                "Answer within 15 seconds: verify the signature, store the event, answer 200, and do \
                 the work afterwards."
            }
            Advice::Broken => {
                "The connection ended without an HTTP response: is the URL http where the server \
                 speaks https, or the other way round?"
            }
            Advice::Redirect => {
                "Redirects are not followed: use the URL that the redirect points to."
            }
            Advice::Body => {
                "The receiver refuses the body: it is JSON with content-type application/json. If \
                 the receiver verifies the signature, it must use the bytes as received."
            }
            Advice::Login => {
                "The receiver requires a login or a CSRF token, or a firewall blocks the gateway: \
                 allow POST without them, and verify the signature instead."
            }
            Advice::Route => "No route of the receiver accepts POST at this path.",
            Advice::Busy => "The receiver is busy. A real event would be sent again later.",
            Advice::Failed => "The receiver failed: see its log.",
        }
    }
}

fn advice(outcome: &Result<Answer, NoAnswer>) -> Option<Advice> {
    Some(match outcome {
        Err(NoAnswer::NotPublic) => Advice::NotPublic,
        Err(NoAnswer::NoSuchName) => Advice::NoSuchName,
        Err(NoAnswer::Connect) => Advice::Connect,
        Err(NoAnswer::Tls) => Advice::Tls,
        Err(NoAnswer::Timeout) => Advice::Timeout,
        Err(NoAnswer::Broken) => Advice::Broken,
        Ok(answer) => match answer.status {
            200..=299 => return None,
            300..=399 => Advice::Redirect,
            400 | 413 | 415 | 422 => Advice::Body,
            401 | 403 => Advice::Login,
            404 | 405 | 410 => Advice::Route,
            429 | 503 => Advice::Busy,
            _ => Advice::Failed,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_explained_and_a_success_is_not() {
        let answered = |status| Ok(Answer { status, beginning: String::new(), retry_after: None });
        assert_eq!(advice(&answered(204)), None);
        for (status, word) in [
            (302, "Redirects"),
            (400, "JSON"),
            (403, "CSRF"),
            (404, "POST"),
            (410, "POST"),
            (429, "busy"),
            (500, "log"),
        ] {
            assert!(
                advice(&answered(status)).is_some_and(|a| a.as_str().contains(word)),
                "{status}"
            );
        }
        for (why, word) in [
            (NoAnswer::NotPublic, "public"),
            (NoAnswer::NoSuchName, "DNS"),
            (NoAnswer::Connect, "firewall"),
            (NoAnswer::Tls, "certificate"),
            (NoAnswer::Timeout, "15 seconds"),
            (NoAnswer::Broken, "https"),
        ] {
            assert!(advice(&Err(why)).is_some_and(|a| a.as_str().contains(word)), "{why}");
        }
    }
}
