//! HTTP to the node: one request, one answer, both bounded. Nothing is sent a second time.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use bitcoincore_rpc::jsonrpc::client::Transport;
use bitcoincore_rpc::jsonrpc::{self, Request, Response};
use serde::de::DeserializeOwned;

use super::codec::BLOCK_BYTES_MAX;
use crate::secret::Secret;

/// The longest answer that is read, in bytes: a block in hexadecimal, and its wrapping.
const ANSWER_BYTES_MAX: u64 = 2 * (BLOCK_BYTES_MAX as u64) + 64 * 1024;

/// The longest status line, and the longest headers of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Where the node answers, and how we prove who we are.
pub(super) struct Http {
    pub(super) url: String,
    /// The value of the header `authorization`.
    pub(super) authorization: Secret<String>,
    /// How long connecting, asking and reading may take together, to the second.
    pub(super) timeout: Duration,
}

/// Why there is no JSON to read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    /// An answer without JSON, such as 401, or 503 when the node's work queue is full.
    #[error("HTTP status {0}")]
    Status(i32),
    #[error("{0}")]
    Connection(#[source] minreq::Error),
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
        let response = minreq::post(&self.url)
            .with_timeout(self.timeout.as_secs().max(1))
            .with_max_redirects(0)
            .with_max_headers_size(HEAD_BYTES_MAX)
            .with_max_status_line_length(HEAD_BYTES_MAX)
            .with_header("authorization", self.authorization.reveal())
            .with_header("content-type", "application/json")
            .with_body(body)
            .send_lazy()
            .map_err(HttpError::Connection)?;
        let status = response.status_code;
        let mut answer = Vec::new();
        Read::take(response, ANSWER_BYTES_MAX + 1)
            .read_to_end(&mut answer)
            .map_err(HttpError::BrokeOff)?;
        if answer.len() as u64 > ANSWER_BYTES_MAX {
            return Err(HttpError::TooLong);
        }
        // The node's own errors come with status 500 or 404, and JSON.
        serde_json::from_slice(&answer).map_err(|error| match status {
            200 => HttpError::NoJson(error),
            status => HttpError::Status(status),
        })
    }
}

impl Transport for Http {
    fn send_request(&self, request: Request) -> Result<Response, jsonrpc::Error> {
        self.ask(&request).map_err(|error| jsonrpc::Error::Transport(error.into()))
    }

    fn send_batch(&self, requests: &[Request]) -> Result<Vec<Response>, jsonrpc::Error> {
        self.ask(&requests).map_err(|error| jsonrpc::Error::Transport(error.into()))
    }

    fn fmt_target(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.url)
    }
}
