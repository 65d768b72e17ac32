//! The only talk with litecoind: questions by JSON-RPC, hints by ZMQ, and the bytes of both. There
//! may be several, of which one is followed at a time.
//!
//! RPC is the truth. A ZMQ frame only says that it may be time to ask; no coin and no block is
//! ever believed from a frame alone.

mod batch;
pub(crate) mod codec;
pub(crate) mod conf;
mod hex;
pub(crate) mod mempool;
pub(crate) mod nodes;
pub(crate) mod rpc;
pub(crate) mod scan;
pub(crate) mod transport;
pub(crate) mod zmq;

pub(crate) use batch::BATCH_MAX;

/// Why the node did not answer, by what a caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// No connection, a timeout, or an overloaded queue: wait and ask again.
    #[error("the node is out of reach: {0}")]
    Unreachable(String),
    /// It answers, but is still starting (RPC error -28): wait and ask again.
    #[error("the node is starting: {0}")]
    WarmingUp(String),
    /// It does the same for somebody else already, and does it once at a time: ask again later.
    #[error("the node is busy with the same for somebody else")]
    Busy,
    /// It does not take our user name and password, or our cookie.
    #[error("the node refuses our credentials: check node.cookie_file or node.rpc_user")]
    Unauthorized,
    /// It takes who we are, but not that we make this call (HTTP status 403).
    #[error("the node does not let us call {0}: add it to rpcwhitelist in litecoin.conf")]
    Forbidden(&'static str),
    /// What was asked for does not exist (RPC error -5, or -8 for a height).
    #[error("the node does not know it")]
    NotFound,
    /// It understood, and says no.
    #[error("the node refuses ({code}): {message}")]
    Rejected { code: i32, message: String },
    /// Its answer has not the form that the call has.
    #[error("the node's answer to {call} cannot be read: {reason}")]
    Garbled { call: &'static str, reason: String },
}
