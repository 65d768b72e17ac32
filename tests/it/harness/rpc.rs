//! JSON-RPC to litecoind, for the tests' view of the chain.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::http;

/// Access to the node. The cookie is read for each call, because it changes at a restart.
#[derive(Debug, Clone)]
pub(crate) struct Rpc {
    pub(crate) port: u16,
    pub(crate) cookie_file: PathBuf,
}

/// Why a call failed: the node's error, or the connection's (code 0).
#[derive(Debug, Clone)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
}

#[derive(Deserialize)]
struct Reply {
    result: Option<Box<RawValue>>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    code: i64,
    message: String,
}

impl Rpc {
    /// Calls and returns the result as the node wrote it.
    ///
    /// # Errors
    /// If the node cannot be reached or refuses.
    pub(crate) fn try_raw(&self, method: &str, params: &Value) -> Result<String, RpcError> {
        let unreachable =
            |what: &dyn std::fmt::Display| RpcError { code: 0, message: what.to_string() };
        let cookie = std::fs::read_to_string(&self.cookie_file).map_err(|e| unreachable(&e))?;
        let login = bitcoin::base64::Engine::encode(
            &bitcoin::base64::engine::general_purpose::STANDARD,
            cookie.trim(),
        );
        let authorization = format!("Basic {login}");
        let body = serde_json::json!({"id": 1, "method": method, "params": params}).to_string();
        let headers = [("authorization", authorization.as_str())];
        let answer = http::request(self.port, "POST", "/", &headers, body.as_bytes())
            .map_err(|e| unreachable(&e))?;
        let reply: Reply = serde_json::from_str(&answer.body)
            .map_err(|_| unreachable(&format_args!("{}: {}", answer.status, answer.body)))?;
        match (reply.error, reply.result) {
            (Some(error), _) => Err(RpcError { code: error.code, message: error.message }),
            (None, Some(result)) => Ok(result.get().to_owned()),
            (None, None) => Ok("null".to_owned()),
        }
    }

    /// Calls and reads the result.
    ///
    /// # Errors
    /// If the node cannot be reached or refuses.
    pub(crate) fn try_call<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, RpcError> {
        let text = self.try_raw(method, &params)?;
        Ok(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{method}: {e}: {text}")))
    }

    /// Calls, and fails the test if the node refuses.
    #[track_caller]
    pub(crate) fn call<T: DeserializeOwned>(&self, method: &str, params: Value) -> T {
        match self.try_call(method, params.clone()) {
            Ok(result) => result,
            Err(error) => panic!("{method} {params}: {} ({})", error.message, error.code),
        }
    }
}
