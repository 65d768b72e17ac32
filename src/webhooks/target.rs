//! Where a webhook may really go: every resolved address is judged, and the connection is made to
//! a judged address only. No redirects, no proxy, and little of the answer is read.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, redirect};
use tokio::sync::Semaphore;

use crate::domain::egress::Egress;
use crate::domain::printable::is_unprintable;
use crate::domain::retry::RetryAfter;
use crate::domain::webhook_url::PrivateNetworks;

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

/// Sends requests to judged addresses only.
#[derive(Clone)]
pub(crate) struct Sender {
    client: Client,
    egress: Egress,
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
    egress: Egress,
    look_up: LookUp,
    look_ups: Arc<Semaphore>,
}

/// Look-ups under way at a time. One that nobody waits for any more still holds a blocking thread,
/// and the database needs those as well: tokio has 512 of them.
const LOOK_UPS_MAX: usize = 256;

/// Finds the addresses of a name; may block.
type LookUp = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// A port that nothing is sent to.
const DISCARD: u16 = 9;

/// Asks the system, as `/etc/hosts` and the resolver's configuration say.
fn ask_system(name: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((name, 0).to_socket_addrs()?.collect())
}

/// Whether a webhook may go to this address: the rules allow it, and it is not this machine's own.
/// Where private networks are allowed, so is the machine.
fn may_reach(egress: &Egress, address: IpAddr) -> bool {
    egress.allows(address) && (egress.private() == PrivateNetworks::Allowed || !is_own(address))
}

/// Whether this machine has the address now: then the system would send to it from itself.
/// Connecting a datagram socket sends nothing. Unlike a list of interfaces, this needs no netlink
/// socket, which the unit's sandbox does not grant.
pub(super) fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let from = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, DISCARD))?;
        socket.local_addr()
    });
    // Without a way there, no webhook goes there either.
    from.is_ok_and(|from| from.ip().to_canonical() == address.to_canonical())
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (egress, look_up) = (self.egress.clone(), self.look_up);
        let look_ups = self.look_ups.clone();
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
            if !found.iter().all(|address| may_reach(&egress, address.ip())) {
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
        egress: impl Into<Egress>,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        Sender::asking(ask_system, egress, timeouts)
    }

    fn asking(
        look_up: LookUp,
        egress: impl Into<Egress>,
        timeouts: Timeouts,
    ) -> Result<Sender, reqwest::Error> {
        let egress = egress.into();
        let look_ups = Arc::new(Semaphore::new(LOOK_UPS_MAX));
        let client = Client::builder()
            .dns_resolver(JudgingResolver { egress: egress.clone(), look_up, look_ups })
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .pool_max_idle_per_host(0)
            // The status line decides. What a plugin or a warning printed among the headers is
            // the receiver's own affair.
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .build()?;
        Ok(Sender { client, egress })
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
        let url = self.egress.check(url).map_err(|_| NoAnswer::NotPublic)?;
        if url.literal().is_some_and(|address| !may_reach(&self.egress, address)) {
            return Err(NoAnswer::NotPublic);
        }
        let request = self
            .client
            .post(url.as_str())
            .headers(headers)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("litegate/", env!("CARGO_PKG_VERSION")))
            .body(body);
        let mut response = request.send().await.map_err(|error| classify(&error))?;
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
fn classify(error: &reqwest::Error) -> NoAnswer {
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
        let plain = !is_unprintable(c);
        let kept = plain.then_some(c);
        kept.into_iter().chain(c.escape_default().take(if plain { 0 } else { 12 }))
    });
    escaped.take(ANSWER_CHARS_KEPT).collect()
}

#[cfg(test)]
mod tests;
