//! Blocks fetched ahead: while one block is connected, the next ones are asked for and decoded on a
//! thread of their own, so that catching up takes little longer than fetching alone.
//!
//! What is fetched is a guess. The walk asks the node for each block's id as if nothing had been
//! fetched, and takes a block from here only if it has that id.

use std::sync::mpsc::{Receiver, sync_channel};

use bitcoin::BlockHash;

use crate::node::codec::Block;
use crate::node::rpc::Node;

/// Decoded blocks that may wait. A full one takes about ten megabytes.
const WAITING_MAX: usize = 2;

/// Blocks that must be missing for fetching ahead to be worth a thread.
const WORTH: u32 = 2;

/// The blocks that are on their way, if any are.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    blocks: Option<Receiver<Block>>,
}

impl Fetched {
    /// Begins to fetch the blocks of these heights, unless some are on their way already or there
    /// are too few.
    pub(super) fn begin(&mut self, node: &Node, first: u32, last: u32) {
        if self.blocks.is_some() || last < first.saturating_add(WORTH) {
            return;
        }
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let node = node.clone();
        let fetch = move || {
            for height in first..=last {
                // Whatever is wrong, the walk will meet it and say so.
                let Ok(block) = node.block_hash(height).and_then(|hash| node.block(hash)) else {
                    return;
                };
                if sender.send(block).is_err() {
                    return; // Nobody wants them any more.
                }
            }
        };
        let thread = std::thread::Builder::new().name("blocks-ahead".to_owned()).spawn(fetch);
        self.blocks = thread.is_ok().then_some(receiver);
    }

    /// The next block, if it is the one with this id. If it is not, the others are of no use.
    pub(super) fn take(&mut self, hash: BlockHash) -> Option<Block> {
        let next = self.blocks.as_ref()?.recv().ok().filter(|block| block.hash == hash);
        if next.is_none() {
            self.blocks = None;
        }
        next
    }
}
