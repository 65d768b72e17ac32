//! Broadcast of stored sweeps. No code decides by the node's error texts.

use anyhow::Context;

use crate::node;
use crate::node::rpc::Node;
use crate::store::sweeps::{self, StoredSweepTx};

use super::memory::Memory;
use super::role::Sweeper;

/// Whether the node has this version in its mempool.
pub(super) fn is_in_mempool(node: &Node, sweep: &StoredSweepTx) -> anyhow::Result<bool> {
    node.mempool_contains(sweep.txid()).context("find the sweep in the mempool")
}

impl Sweeper {
    /// Sends a stored version unless the node has it, and records the result. Returns whether
    /// the node has it now. If not, the sweep stays stored and claimed, and is sent again.
    /// Idempotent.
    pub(super) fn send(&self, sweep: &StoredSweepTx, memory: &mut Memory) -> anyhow::Result<bool> {
        if !is_in_mempool(&self.node, sweep)? {
            match self.node.broadcast(sweep.raw()) {
                Ok(_) => {}
                Err(node::Error::Rejected { code, message }) => {
                    if memory.not_accepted.insert(sweep.txid()) {
                        tracing::warn!(
                            txid = %sweep.txid(), reason = format!("{message} ({code})"),
                            "node does not accept a sweep yet; it is sent again until a block decides"
                        );
                    }
                    return Ok(false);
                }
                Err(error) => return Err(error).context("broadcast the sweep"),
            }
        }
        memory.not_accepted.remove(&sweep.txid());
        let (sweep, now) = (sweep.clone(), self.clock.now());
        self.store.write_blocking(move |tx| sweeps::mark_sent(tx, &sweep, now))?;
        Ok(true)
    }
}
