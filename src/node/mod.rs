//! The only access to litecoind: JSON-RPC, ZMQ, and the decoding of both. Of several nodes one
//! is followed at a time.
//!
//! RPC is the source of truth. A ZMQ message only says that it is time to ask; no coin and no
//! block is stored from a message alone.

mod auth;
mod batch;
pub(crate) mod chain;
pub(crate) mod codec;
pub(crate) mod conf;
mod error;
mod hex;
pub(crate) mod mempool;
pub(crate) mod nodes;
pub(crate) mod rpc;
pub(crate) mod scan;
pub(crate) mod status;
pub(crate) mod transactions;
pub(crate) mod transport;
pub(crate) mod zmq;

pub(crate) use batch::BATCH_MAX;
pub(crate) use error::Error;
