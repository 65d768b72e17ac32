//! Asking the node which peg-outs a block contains, where the block's bytes do not say.

use anyhow::Context;

use crate::node::codec::{Block, PegoutProof};
use crate::node::rpc::Node;
use crate::store::{Store, payments};

/// Completes what is known of a block's peg-outs, if some pay us and the node has stripped the
/// extension block (`rpcserialversion`).
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
    let kernels = node.block_kernels(block.hash).context("ask for the kernels of a block")?;
    block.pegouts = match kernels {
        Some(kernels) => PegoutProof::Kernels(kernels),
        None => {
            let unmined = node.mempool_txids().context("ask what a block left unmined")?;
            PegoutProof::Absent { unmined: unmined.into_iter().collect() }
        }
    };
    Ok(())
}
