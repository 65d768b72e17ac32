//! Errors of RPC calls, by what the caller does next.

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// No connection, a timeout, or a full work queue: retry later.
    #[error("the node is out of reach: {0}")]
    Unreachable(String),
    /// The node is still starting (RPC error -28): retry later.
    #[error("the node is starting: {0}")]
    WarmingUp(String),
    /// The node runs the same call for another client, one at a time: retry later.
    #[error("the node runs the same call for another client")]
    Busy,
    /// The node refuses user and password, or the cookie (HTTP status 401).
    #[error("the node refuses the credentials: check node.cookie_file or node.rpc_user")]
    Unauthorized,
    /// `rpcwhitelist` forbids this call (HTTP status 403).
    #[error("the node forbids {0}: add it to rpcwhitelist in litecoin.conf")]
    Forbidden(&'static str),
    /// The object does not exist (RPC error -5, or -8 for a height).
    #[error("the node does not know it")]
    NotFound,
    #[error("the node refuses ({code}): {message}")]
    Rejected { code: i32, message: String },
    /// The answer does not have the documented form.
    #[error("the node's answer to {call} cannot be read: {reason}")]
    Garbled { call: &'static str, reason: String },
}
