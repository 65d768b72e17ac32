//! Fetches the peg-outs of a block from the node if the block's bytes do not contain them.

use anyhow::Context;

use crate::node::codec::{Block, PegoutProof};
use crate::node::rpc::Node;
use crate::store::{Store, payments};

/// Completes the peg-out proof of a block that pays the gateway by peg-outs, if the node
/// stripped the extension block (`rpcserialversion`).
///
/// # Errors
/// If the node does not answer.
pub(super) fn complete(block: &mut Block, node: &Node, store: &Store) -> anyhow::Result<()> {
    let PegoutProof::Absent { .. } = block.pegouts else { return Ok(()) };
    let outputs = block.txs.last().map_or(&[][..], |hogex| &hogex.outputs);
    let scripts = outputs.iter().map(|output| output.script_pubkey.as_script());
    if store.read_blocking(|tx| payments::of_scripts(tx, scripts))?.is_empty() {
        return Ok(());
    }
    let kernels = node.block_kernels(block.hash).context("read the kernels of a block")?;
    block.pegouts = match kernels {
        Some(kernels) => PegoutProof::Kernels(kernels),
        None => {
            let unmined = node.mempool_txids().context("read the mempool after a block")?;
            PegoutProof::Absent { unmined: unmined.into_iter().collect() }
        }
    };
    Ok(())
}
