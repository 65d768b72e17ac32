//! Blocks fetched ahead: while one block is connected, the next ones are asked for and decoded on a
//! thread of their own, so that catching up takes little longer than fetching alone.
//!
//! What is fetched is a guess. The walk asks the node for each block's id as if nothing had been
//! fetched, and takes a block from here only if it has that id.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bitcoin::BlockHash;

use crate::node::codec::Block;
use crate::node::rpc::Node;

/// Decoded blocks that may wait. A full one takes about ten megabytes.
const WAITING_MAX: usize = 2;

/// Blocks that must be missing for fetching ahead to be worth a thread.
const WORTH: u32 = 2;

/// How long the next block is waited for: longer than that, and the walk fetches it itself, with
/// the time limit of a call.
const PATIENCE: Duration = Duration::from_secs(10);

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

    /// The next block, if it is the one with this id. If it is not, or does not come, the others
    /// are of no use.
    pub(super) fn take(&mut self, hash: BlockHash) -> Option<Block> {
        self.take_within(hash, PATIENCE)
    }

    fn take_within(&mut self, hash: BlockHash, patience: Duration) -> Option<Block> {
        let next = self.blocks.as_ref()?.recv_timeout(patience).ok();
        let next = next.filter(|block| block.hash == hash);
        if next.is_none() {
            self.blocks = None;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    #[test]
    fn a_block_that_does_not_come_is_not_waited_for_without_end() {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let mut fetched = Fetched { blocks: Some(receiver) };
        let hash = BlockHash::all_zeros();
        let (done, waited) = sync_channel(1);
        let wait = move || {
            let none = fetched.take_within(hash, Duration::from_millis(20)).is_none();
            let _ = done.send((none, fetched.blocks.is_none())); // The test may be over.
        };
        std::thread::spawn(wait);
        let end = waited.recv_timeout(Duration::from_secs(20));
        assert_eq!(end, Ok((true, true)), "it gives up, and asks for no more of them");
        drop(sender);
    }
}
