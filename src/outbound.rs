//! The HTTP client of all outbound requests: no redirects, no proxy, bounded time, bounded
//! response.
//!
//! [`builder`] has the rules that all clients share; `webhooks` adds its rules about addresses.
//! [`Fetcher`] gets whole documents, for exchange rates. [`probe_client`] is for `doctor`, which
//! requests the gateway's own URL.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, RETRY_AFTER, USER_AGENT};
use reqwest::{Certificate, Client, ClientBuilder, Response, redirect};

/// The name of this program in requests.
pub(crate) const OUR_NAME: &str = concat!("litegate/", env!("CARGO_PKG_VERSION"));

/// Limits of connecting and of the whole request.
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

/// Why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoResponse {
    #[error("no response in time")]
    Timeout,
    #[error("no connection")]
    Connect,
    #[error("no secure connection: the certificate or TLS is not valid")]
    Tls,
    #[error("the connection broke off")]
    Broken,
    #[error("the response is too large")]
    TooLarge,
}

/// A client without redirects and proxy, with a limit on the whole request.
pub(crate) fn builder(total: Duration) -> ClientBuilder {
    Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(total)
}

/// A client for the gateway's own URL, which may be on a private network.
///
/// # Errors
/// If the system has no usable TLS.
pub(crate) fn probe_client(total: Duration) -> Result<Client, reqwest::Error> {
    builder(total).build()
}

/// Reads at most `bytes_max` of a response body. A body that is cut off counts as far as it
/// came.
pub(crate) async fn read_start(response: &mut Response, bytes_max: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < bytes_max {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(bytes_max);
    body
}

/// Classifies an error by its chain of causes.
pub(crate) fn classify(error: &reqwest::Error) -> NoResponse {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<native_tls::Error>() {
            return NoResponse::Tls;
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        NoResponse::Timeout
    } else if error.is_connect() {
        NoResponse::Connect
    } else {
        NoResponse::Broken
    }
}

/// A whole response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Gets documents. Clones share the client and its connections.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client,
    bytes_max: usize,
}

impl Fetcher {
    /// `further_roots` are certificates in PEM that are trusted besides the system's.
    ///
    /// # Errors
    /// If the system has no usable TLS, or the certificates cannot be read.
    pub(crate) fn new(
        timeouts: Timeouts,
        bytes_max: usize,
        further_roots: Option<&[u8]>,
    ) -> Result<Fetcher, reqwest::Error> {
        let mut roots = Vec::new();
        if let Some(pem) = further_roots {
            roots = Certificate::from_pem_bundle(pem)?;
        }
        let client = builder(timeouts.total)
            .connect_timeout(timeouts.connect)
            .pool_max_idle_per_host(1)
            .tls_certs_merge(roots)
            .build()?;
        Ok(Fetcher { client, bytes_max })
    }

    /// Gets one document, whole.
    ///
    /// # Errors
    /// If there was no whole response of the allowed size. A response of any status is `Ok`.
    pub(crate) async fn get(&self, url: &str, accept: &str) -> Result<Document, NoResponse> {
        let request = self.client.get(url).header(USER_AGENT, OUR_NAME).header(ACCEPT, accept);
        let mut response = request.send().await.map_err(|error| classify(&error))?;
        let header = response.headers().get(RETRY_AFTER);
        let retry_after = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
            if body.len().saturating_add(chunk.len()) > self.bytes_max {
                return Err(NoResponse::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Document { status: response.status().as_u16(), retry_after, body })
    }
}

/// Whether a text has at least one certificate in PEM.
pub(crate) fn has_certificates(pem: &[u8]) -> bool {
    Certificate::from_pem_bundle(pem).is_ok_and(|found| !found.is_empty())
}
