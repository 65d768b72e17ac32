//! Blocks fetched ahead: while one block is connected, the next one is decoded and the one after
//! that is fetched, each on a thread of its own, so that catching up takes little longer than
//! fetching alone.
//!
//! What is fetched is a guess. The walk asks the node for each block's id as if nothing had been
//! fetched, and takes a block from here only if it has that id.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bitcoin::BlockHash;

use crate::node::codec::Block;
use crate::node::rpc::Node;

/// Blocks that may wait between two threads, as text and decoded. A full one takes about four
/// megabytes as text, and ten decoded.
const WAITING_MAX: usize = 1;

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
        let (texts, fetched) = sync_channel(WAITING_MAX);
        let (blocks, decoded) = sync_channel(WAITING_MAX);
        let node = node.clone();
        // Whatever is wrong, the walk will meet it and say so. A thread ends when nobody wants what
        // it has.
        let fetch = move || {
            for height in first..=last {
                let Ok(hash) = node.block_hash(height) else { return };
                let Ok(text) = node.block_text(hash) else { return };
                if texts.send((hash, text)).is_err() {
                    return;
                }
            }
        };
        let decode = move || {
            for (hash, text) in fetched {
                let Ok(block) = Node::block_of(hash, &text) else { return };
                if blocks.send(block).is_err() {
                    return;
                }
            }
        };
        let begun = spawn("blocks-fetched", fetch) && spawn("blocks-decoded", decode);
        self.blocks = begun.then_some(decoded);
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

/// Begins a thread. Whether there is one.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> bool {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).is_ok()
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
