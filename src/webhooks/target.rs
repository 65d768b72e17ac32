//! Where a webhook may really go: every resolved address is judged, and the connection is made to
//! a judged address only. No redirects, no proxy, and little of the answer is read.

use std::error::Error as _;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, redirect};
use tokio::sync::Semaphore;

use crate::domain::retry::RetryAfter;
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl, is_public};

/// What is read of an answer at most, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024;

/// What is kept of it, in characters.
const ANSWER_CHARS_KEPT: usize = 256;

/// How long connecting and the whole exchange may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { connect: Duration::from_secs(5), total: Duration::from_secs(15) }
    }
}

/// What a receiver answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The beginning of the body, control characters escaped.
    pub(crate) beginning: String,
    pub(crate) retry_after: Option<RetryAfter>,
}

impl Answer {
    /// Whether the receiver took it: any 2xx, whatever it says beside.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there was no answer. The words are shown to the merchant: they name no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error("the URL leads to a private or special address")]
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

/// Sends requests to judged addresses only.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client,
    private: PrivateNetworks,
}

/// A name resolved to an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("a resolved address is not public")]
struct ResolvedInside;

/// A name that could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("the name was not found")]
struct NotFound;

/// Looks a name up and refuses it if any of its addresses is not public. The connector gets
/// exactly the judged addresses, so a name that changes its mind changes nothing.
struct JudgingResolver {
    private: PrivateNetworks,
    look_up: LookUp,
    look_ups: Arc<Semaphore>,
}

/// Look-ups under way at a time. One that nobody waits for any more still holds a blocking thread,
/// and the database needs those as well: tokio has 512 of them.
const LOOK_UPS_MAX: usize = 256;

/// Finds the addresses of a name; may block.
type LookUp = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// Asks the system, as `/etc/hosts` and the resolver's configuration say.
fn ask_system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (private, look_up, look_ups) = (self.private, self.look_up, self.look_ups.clone());
        Box::pin(async move {
            let permit = look_ups.acquire_owned().await?;
            let found = tokio::task::spawn_blocking(move || {
                let found = look_up(name.as_str());
                drop(permit); // Not before: we stop waiting long before a dead name server does.
                found
            });
            let found = found.await?.map_err(|_| NotFound)?;
            if found.is_empty() {
                return Err(NotFound.into());
            }
            let inside = found.iter().any(|address| !is_public(address.ip()));
            if inside && private == PrivateNetworks::Refused {
                return Err(ResolvedInside.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Sender {
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) fn new(
        private: PrivateNetworks,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        Sender::asking(ask_system, private, timeouts)
    }

    fn asking(
        look_up: LookUp,
        private: PrivateNetworks,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        let look_ups = Arc::new(Semaphore::new(LOOK_UPS_MAX));
        let client = Client::builder()
            .dns_resolver(JudgingResolver { private, look_up, look_ups })
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .pool_max_idle_per_host(0)
            .build()?;
        Ok(Sender { client, private })
    }

    /// Posts a JSON body once.
    ///
    /// # Errors
    /// If there was no answer; any answer at all is `Ok`.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Answer, NoAnswer> {
        // Judged again: what was allowed when the payment was created may not be any more, and
        // the client does not ask the resolver about literal addresses.
        let url = WebhookUrl::parse(url, self.private).map_err(|_| NoAnswer::NotPublic)?;
        let request = self
            .client
            .post(url.as_str())
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("litegate/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let mut response = request.send().await.map_err(|error| judge(&error))?;
        let mut read = Vec::new();
        while read.len() < ANSWER_BYTES_MAX {
            match response.chunk().await {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                // The status came; a body that breaks off takes nothing back.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(Answer {
            status: response.status().as_u16(),
            beginning: printable(&read),
            retry_after: retry_after(response.headers()),
        })
    }
}

/// What went wrong, by the chain of causes.
fn judge(error: &reqwest::Error) -> NoAnswer {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<ResolvedInside>() {
            return NoAnswer::NotPublic;
        }
        if inner.is::<NotFound>() {
            return NoAnswer::NoSuchName;
        }
        if inner.is::<native_tls::Error>() {
            return NoAnswer::Tls;
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        NoAnswer::Timeout
    } else if error.is_connect() {
        NoAnswer::Connect
    } else {
        NoAnswer::Broken
    }
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    RetryAfter::parse(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// The beginning of an answer as text that does no harm in a log or a terminal.
fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let escaped = text.chars().flat_map(|c| {
        let plain = !crate::domain::merchant::is_unprintable(c);
        let kept = plain.then_some(c);
        kept.into_iter().chain(c.escape_default().take(if plain { 0 } else { 12 }))
    });
    escaped.take(ANSWER_CHARS_KEPT).collect()
}

#[cfg(test)]
mod tests;
