//! HTTP transport of the JSON-RPC client: one request, one response, both bounded, no retry. A
//! call with a [`Cancelled`] ends early if the node hangs.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use bitcoincore_rpc::jsonrpc::client::Transport;
use bitcoincore_rpc::jsonrpc::{self, Request, Response};
use serde::de::DeserializeOwned;

use super::codec::BLOCK_BYTES_MAX;
use crate::secret::Secret;

/// The longest response that is read, in bytes: a block in hexadecimal within JSON.
const ANSWER_BYTES_MAX: u64 = 2 * (BLOCK_BYTES_MAX as u64) + 64 * 1024;

const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How often a waiting call checks whether it is cancelled.
const CHECK_PAUSE: Duration = Duration::from_millis(50);

/// How much longer than its timeout a call on another thread may take, because name resolution
/// has no timeout.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(1);

/// Whether to cancel a call. A call that is answered at once is never cancelled.
pub(crate) type Cancelled = Arc<dyn Fn() -> bool + Send + Sync>;

pub(super) struct Http {
    pub(super) endpoint: Endpoint,
    pub(super) cancelled: Option<Cancelled>,
}

/// The node's URL with the gateway's credentials.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) authorization: Secret<String>,
    /// The limit of connecting, sending and reading together.
    pub(super) timeout: Duration,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// A response without JSON, such as 401, or 503 if the node's work queue is full.
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("{0}")]
    Connection(#[source] Box<ureq::Error>),
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("cancelled before the answer: the node hangs, or the gateway stops")]
    Cancelled,
    #[error("cannot start a thread: {0}")]
    NoThread(#[source] std::io::Error),
    #[error("the answer was cut off: {0}")]
    BrokeOff(#[source] std::io::Error),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer is not JSON: {0}")]
    NoJson(#[source] serde_json::Error),
}

impl Http {
    fn ask<T: DeserializeOwned>(&self, request: &impl serde::Serialize) -> Result<T, HttpError> {
        let body = serde_json::to_vec(request).map_err(HttpError::NoJson)?;
        let (status, answer) = match &self.cancelled {
            Some(cancelled) => self.endpoint.exchange_until(body, cancelled)?,
            None => self.endpoint.exchange(body)?,
        };
        // The node's own errors come with status 500 or 404, and JSON.
        serde_json::from_slice(&answer).map_err(|error| match status {
            200 => HttpError::NoJson(error),
            status => HttpError::Status(status),
        })
    }
}

impl Endpoint {
    /// As [`Endpoint::exchange`], on a thread that is abandoned if the call is cancelled. It
    /// ends with its timeout.
    fn exchange_until(
        &self,
        body: Vec<u8>,
        cancelled: &Cancelled,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let deadline = Instant::now() + self.timeout + TIMEOUT_MARGIN;
        let (answered, answer) = sync_channel(1);
        let endpoint = self.clone();
        let exchange = move || {
            let _ = answered.send(endpoint.exchange(body)); // The caller may be gone.
        };
        let thread = std::thread::Builder::new().name("rpc".to_owned());
        thread.spawn(exchange).map_err(HttpError::NoThread)?;
        loop {
            match answer.recv_timeout(CHECK_PAUSE) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Disconnected) => return Err(HttpError::Cancelled),
                Err(RecvTimeoutError::Timeout) if cancelled() => return Err(HttpError::Cancelled),
                Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                    return Err(HttpError::TimedOut(self.timeout));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn exchange(&self, body: Vec<u8>) -> Result<(u16, Vec<u8>), HttpError> {
        let response = agent(self.timeout)
            .post(&self.url)
            .header("authorization", self.authorization.reveal())
            .header("content-type", "application/json")
            .send(body)
            .map_err(|error| HttpError::Connection(Box::new(error)))?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        Read::take(response.into_body().into_reader(), ANSWER_BYTES_MAX + 1)
            .read_to_end(&mut answer)
            .map_err(HttpError::BrokeOff)?;
        if answer.len() as u64 > ANSWER_BYTES_MAX {
            return Err(HttpError::TooLong);
        }
        Ok((status, answer))
    }
}

/// An HTTP client for one request on a new connection, without a proxy.
fn agent(timeout: Duration) -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(HEAD_BYTES_MAX)
        .max_idle_connections(0)
        .proxy(None)
        .build()
        .into()
}

impl Transport for Http {
    fn send_request(&self, request: Request) -> Result<Response, jsonrpc::Error> {
        self.ask(&request).map_err(|error| jsonrpc::Error::Transport(error.into()))
    }

    fn send_batch(&self, requests: &[Request]) -> Result<Vec<Response>, jsonrpc::Error> {
        self.ask(&requests).map_err(|error| jsonrpc::Error::Transport(error.into()))
    }

    fn fmt_target(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.endpoint.url)
    }
}
