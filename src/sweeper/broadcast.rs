//! Sending stored sweeps. The node's error texts are for people; nothing is decided by them.

use anyhow::Context;

use crate::node::rpc::Node;
use crate::store::sweeps::StoredSweepTx;

/// Whether the node has the sweep now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It is in the node's mempool.
    InMempool,
    /// The node did not take it. It stays stored and claimed, and is sent again.
    NotTaken(String),
}

/// Whether the node has this version in its mempool.
pub(crate) fn is_in_mempool(node: &Node, sweep: &StoredSweepTx) -> anyhow::Result<bool> {
    node.mempool_contains(sweep.txid()).context("look for the sweep")
}

/// Sends a stored sweep, or sees that the node has it. Sending the same bytes twice does no harm.
pub(crate) fn send(node: &Node, sweep: &StoredSweepTx) -> anyhow::Result<Sent> {
    if is_in_mempool(node, sweep)? {
        return Ok(Sent::InMempool);
    }
    match node.broadcast(sweep.raw()) {
        Ok(_) => Ok(Sent::InMempool),
        Err(crate::node::Error::Rejected { code, message }) => {
            Ok(Sent::NotTaken(format!("{message} ({code})")))
        }
        Err(error) => Err(error).context("broadcast the sweep"),
    }
}
