//! HTTP to the node: one request, one answer, both bounded. Nothing is sent a second time. A caller
//! that has a [`Cancelled`] need not wait for the end of a call that hangs.

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

/// The longest answer that is read, in bytes: a block in hexadecimal, and its wrapping.
const ANSWER_BYTES_MAX: u64 = 2 * (BLOCK_BYTES_MAX as u64) + 64 * 1024;

/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How often a caller that waits for an answer checks whether it still wants it.
const CHECK_PAUSE: Duration = Duration::from_millis(50);

/// How much longer than its own timeout a call on another thread may take (the resolver has none).
const TIMEOUT_MARGIN: Duration = Duration::from_secs(1);

/// Whether an answer is not wanted any more. A call that is answered promptly is never cancelled.
pub(crate) type Cancelled = Arc<dyn Fn() -> bool + Send + Sync>;

/// Where the node answers, and how we prove who we are.
pub(super) struct Http {
    pub(super) door: Door,
    pub(super) cancelled: Option<Cancelled>,
}

/// One way to the node.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) url: String,
    /// The value of the header `authorization`.
    pub(super) authorization: Secret<String>,
    /// How long connecting, asking and reading may take together.
    pub(super) timeout: Duration,
}

/// Why there is no JSON to read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// An answer without JSON, such as 401, or 503 when the node's work queue is full.
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("{0}")]
    Connection(#[source] Box<ureq::Error>),
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("given up before the answer: the node hangs, or the gateway stops")]
    Cancelled,
    #[error("cannot start a thread: {0}")]
    NoThread(#[source] std::io::Error),
    #[error("the answer broke off: {0}")]
    BrokeOff(#[source] std::io::Error),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer is no JSON: {0}")]
    NoJson(#[source] serde_json::Error),
}

impl Http {
    fn ask<T: DeserializeOwned>(&self, request: &impl serde::Serialize) -> Result<T, HttpError> {
        let body = serde_json::to_vec(request).map_err(HttpError::NoJson)?;
        let (status, answer) = match &self.cancelled {
            Some(cancelled) => self.door.exchange_until(body, cancelled)?,
            None => self.door.exchange(body)?,
        };
        // The node's own errors come with status 500 or 404, and JSON.
        serde_json::from_slice(&answer).map_err(|error| match status {
            200 => HttpError::NoJson(error),
            status => HttpError::Status(status),
        })
    }
}

impl Door {
    /// As [`Door::exchange`], on a thread that is left behind if the answer is not wanted any more;
    /// it ends with its timeout.
    fn exchange_until(
        &self,
        body: Vec<u8>,
        cancelled: &Cancelled,
    ) -> Result<(u16, Vec<u8>), HttpError> {
        let deadline = Instant::now() + self.timeout + TIMEOUT_MARGIN;
        let (answered, answer) = sync_channel(1);
        let door = self.clone();
        let exchange = move || {
            let _ = answered.send(door.exchange(body)); // The caller may have left.
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

    /// The answer's status and body.
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

/// A client that asks once, over a connection of its own, whatever the environment says of proxies.
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
        f.write_str(&self.door.url)
    }
}
