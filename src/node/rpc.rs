//! The JSON-RPC connection to one litecoind. The typed calls are in the files beside this one.
//!
//! Blocking: call from a thread that may wait. Each request is sent once. The node's wallet is
//! not used.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoincore_rpc::{Client, RpcApi, jsonrpc};
use serde::Deserialize;
use serde_json::value::Value;

use super::error::Error;
use super::transport::{Cancelled, Endpoint, Http, HttpError};
use crate::metrics;
use crate::secret::Secret;

pub(crate) use super::auth::Auth;

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rpc_url: String,
    pub(crate) auth: Auth,
}

impl Settings {
    /// The node's name in logs. The URL holds no password (checked by `config`).
    pub(crate) fn host_and_port(&self) -> &str {
        let rest = self.rpc_url.split_once("://").map_or(self.rpc_url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// The timeout of a call. A block of 4 MB takes a second; a busy node may need more.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The timeout of a call about the node's state, which a healthy node has in memory.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);

const STATUS_CALLS: [&str; 8] = [
    "getblockchaininfo",
    "getbestblockhash",
    "getblockhash",
    "getblockheader",
    "getmempoolinfo",
    "getnetworkinfo",
    "getzmqnotifications",
    "uptime",
];

/// Every call that the gateway makes, for `rpcwhitelist` in the node's configuration.
pub(crate) const CALLS: [&str; 18] = [
    "getblockchaininfo",
    "getchaintips",
    "getbestblockhash",
    "getblockhash",
    "getblockheader",
    "getblock",
    "getrawmempool",
    "getmempoolentry",
    "getmempoolinfo",
    "getrawtransaction",
    "gettxout",
    "scantxoutset",
    "estimatesmartfee",
    "testmempoolaccept",
    "sendrawtransaction",
    "getnetworkinfo",
    "getzmqnotifications",
    "uptime",
];

/// A connection to one litecoind. Clones share it.
#[derive(Clone)]
pub(crate) struct Node {
    pub(super) settings: Arc<Settings>,
    timeout: Duration,
    /// Ends a call before its timeout.
    cancelled: Option<Cancelled>,
    /// The value of the header `authorization`, once it was read.
    authorization: Arc<Mutex<Option<Secret<String>>>>,
}

impl Node {
    pub(crate) fn new(settings: Settings) -> Node {
        Node::with_timeout(settings, TIMEOUT)
    }

    /// A node with another timeout, in whole seconds.
    pub(crate) fn with_timeout(settings: Settings, timeout: Duration) -> Node {
        let (settings, authorization) = (Arc::new(settings), Arc::default());
        Node { settings, timeout, cancelled: None, authorization }
    }

    pub(super) fn with_call_timeout(&self, timeout: Duration) -> Node {
        Node { timeout, ..self.clone() }
    }

    /// The same node with calls that fail soon after `cancelled` returns true, so that a node
    /// that hangs does not block the caller.
    pub(crate) fn cancelled_by(&self, cancelled: Cancelled) -> Node {
        let cancelled: Cancelled = match self.cancelled.clone() {
            Some(before) => Arc::new(move || before() || cancelled()),
            None => cancelled,
        };
        Node { cancelled: Some(cancelled), ..self.clone() }
    }

    /// A call without a typed answer. The bot's node status reads single fields of calls in
    /// [`CALLS`]; the demo also uses the node's wallet on regtest, which `rpcwhitelist`
    /// forbids.
    pub(crate) fn raw(&self, call: &'static str, arguments: &[Value]) -> Result<Value, Error> {
        self.ask(call, arguments)
    }

    pub(super) fn call<T: for<'de> Deserialize<'de>>(
        &self,
        call: &'static str,
        arguments: &[Value],
    ) -> Result<T, Error> {
        assert!(CALLS.contains(&call), "{call} is missing among the CALLS");
        self.ask(call, arguments)
    }

    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        call: &'static str,
        arguments: &[Value],
    ) -> Result<T, Error> {
        self.with_client(call, |client| client.call(call, arguments))
    }

    /// Runs a call and measures it. Drops the credentials if the node may have restarted.
    pub(super) fn with_client<T>(
        &self,
        call: &'static str,
        ask: impl FnOnce(&Client) -> Result<T, bitcoincore_rpc::Error>,
    ) -> Result<T, Error> {
        let timeout = match STATUS_CALLS.contains(&call) {
            true => self.timeout.min(STATUS_TIMEOUT),
            false => self.timeout,
        };
        let client = self.client(timeout)?;
        let began = Instant::now();
        let result = ask(&client).map_err(|error| classify_error(call, error));
        let unanswered = matches!(
            result,
            Err(Error::Unauthorized | Error::Unreachable(_) | Error::WarmingUp(_) | Error::Busy)
        );
        metrics::called(call, began.elapsed(), !unanswered);
        if matches!(result, Err(Error::Unauthorized | Error::Unreachable(_))) {
            // The node may have restarted with a new cookie: read it again next time.
            *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    pub(super) fn client(&self, timeout: Duration) -> Result<Client, Error> {
        let url = self.settings.rpc_url.clone();
        let endpoint = Endpoint { url, authorization: self.authorization()?, timeout };
        let transport = Http { endpoint, cancelled: self.cancelled.clone() };
        Ok(Client::from_jsonrpc(jsonrpc::Client::with_transport(transport)))
    }

    fn authorization(&self) -> Result<Secret<String>, Error> {
        let mut slot = self.authorization.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*slot {
            return Ok(known.clone());
        }
        let (user, password) = self.settings.auth.credentials()?;
        let pair = Secret::new(format!("{user}:{}", password.reveal()));
        let encoded = Secret::new(STANDARD.encode(pair.reveal()));
        let header = Secret::new(format!("Basic {}", encoded.reveal()));
        Ok(slot.insert(header).clone())
    }
}

/// An id as an argument of a call.
pub(super) fn json(id: &impl ToString) -> Value {
    Value::String(id.to_string())
}

/// Maps all failures to [`Error`].
pub(super) fn classify_error(call: &'static str, error: bitcoincore_rpc::Error) -> Error {
    let error = match error {
        bitcoincore_rpc::Error::JsonRpc(error) => error,
        other => return Error::Garbled { call, reason: other.to_string() },
    };
    match error {
        jsonrpc::Error::Rpc(error) => match error.code {
            -28 => Error::WarmingUp(error.message),
            -5 => Error::NotFound,
            code => Error::Rejected { code, message: error.message },
        },
        jsonrpc::Error::Transport(error) => match error.downcast_ref::<HttpError>() {
            Some(HttpError::Status(401)) => Error::Unauthorized,
            Some(HttpError::Status(403)) => Error::Forbidden(call),
            Some(HttpError::TooLong | HttpError::NoJson(_)) => {
                Error::Garbled { call, reason: error.to_string() }
            }
            // 503: the work queue is full. All other errors are failed connections.
            _ => Error::Unreachable(format!("{call}: {error}")),
        },
        other => Error::Garbled { call, reason: other.to_string() },
    }
}
