//! Prefetch of blocks: while one block is connected, the next is decoded and the one after
//! that is fetched, each on its own thread.
//!
//! Near the tip the sync asks the node for each block hash, and uses a prefetched block only
//! if it has that hash. Far below the tip it uses prefetched children without asking, and asks
//! at an interval: a block that left the best chain meanwhile is disconnected like any other.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bitcoin::BlockHash;

use crate::domain::chain::BlockId;
use crate::node::codec::Block;
use crate::node::rpc::Node;

/// Blocks that may wait between two threads. A full block takes about 4 MB as text and 10 MB
/// decoded.
const WAITING_MAX: usize = 1;

/// The fewest missing blocks that are prefetched.
const BLOCKS_MIN: u32 = 2;

/// A depth below the tip at which blocks rarely leave the best chain.
const FAR: u32 = 100;

/// Blocks that are used without asking the node.
const UNASKED_MAX: u32 = 50;

/// How long the sync waits for the next block before it fetches the block itself.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Fetched {
    blocks: Option<Receiver<Block>>,
    last: u32,
    /// Blocks used since the node was asked.
    unasked: u32,
}

impl Fetched {
    /// Starts to fetch the blocks of these heights, unless a fetch runs or they are too few.
    pub(super) fn begin(&mut self, node: &Node, first: u32, last: u32) {
        if self.blocks.is_some() || last < first.saturating_add(BLOCKS_MIN) {
            return;
        }
        let (texts, fetched) = sync_channel(WAITING_MAX);
        let (blocks, decoded) = sync_channel(WAITING_MAX);
        let node = node.clone();
        // The sync meets and reports each error itself. A thread ends when its receiver is
        // dropped.
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
        self.last = last;
    }

    /// The child of a block far below the node's tip, if the node need not be asked.
    pub(super) fn child_of(&mut self, parent: BlockId) -> Option<Block> {
        let far = parent.height.saturating_add(FAR) < self.last;
        if !far || self.unasked >= UNASKED_MAX {
            return None;
        }
        self.unasked = self.unasked.saturating_add(1);
        self.next(BLOCK_TIMEOUT, |block| block.header.prev_blockhash == parent.hash)
    }

    /// The next block, if it has this hash. If not, the others are dropped.
    pub(super) fn take(&mut self, hash: BlockHash) -> Option<Block> {
        self.unasked = 0;
        self.next(BLOCK_TIMEOUT, |block| block.hash == hash)
    }

    fn next(&mut self, timeout: Duration, right: impl FnOnce(&Block) -> bool) -> Option<Block> {
        let next = self.blocks.as_ref()?.recv_timeout(timeout).ok();
        let next = next.filter(right);
        if next.is_none() {
            self.blocks = None;
        }
        next
    }
}

/// Starts a thread. `false` if the system cannot.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> bool {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::codec::PegoutProof;
    use crate::watcher::tests::header_on;

    #[test]
    fn waiting_for_a_missing_block_ends_after_a_timeout() {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let mut fetched = Fetched { blocks: Some(receiver), ..Fetched::default() };
        let (done, waited) = sync_channel(1);
        let wait = move || {
            let none = fetched.next(Duration::from_millis(20), |_| true).is_none();
            let _ = done.send((none, fetched.blocks.is_none())); // The test may be over.
        };
        std::thread::spawn(wait);
        let end = waited.recv_timeout(Duration::from_secs(20));
        assert_eq!(end, Ok((true, true)), "it gives up, and asks for no more of them");
        drop(sender);
    }

    #[test]
    fn prefetched_children_are_used_only_far_below_the_tip() {
        let chain = chain(UNASKED_MAX + 2);
        let fetched_below = |tip: u32| {
            let (sender, receiver) = sync_channel(chain.len());
            chain[1..].iter().for_each(|block| sender.send(block.clone()).expect("room"));
            Fetched { blocks: Some(receiver), last: tip, unasked: 0 }
        };
        let at = |height: u32| BlockId { height, hash: chain[height as usize].hash };

        let mut fetched = fetched_below(1_000);
        for height in 0..UNASKED_MAX {
            let child = fetched.child_of(at(height)).map(|block| block.hash);
            assert_eq!(child, Some(at(height + 1).hash), "at {height}");
        }
        assert!(fetched.child_of(at(UNASKED_MAX)).is_none(), "it is time to ask");
        assert!(
            fetched.take(at(UNASKED_MAX + 1).hash).is_some(),
            "what was asked for is still there"
        );
        assert!(fetched_below(FAR).child_of(at(0)).is_none(), "too near the tip");
        let mut fetched = fetched_below(1_000);
        assert!(fetched.child_of(at(1)).is_none(), "a child of another block");
        assert!(fetched.blocks.is_none(), "and nothing that follows it is of use");
    }

    /// Blocks that each have the one before for a parent.
    fn chain(blocks: u32) -> Vec<Block> {
        let mut parent = None;
        let child = |time| {
            let header = header_on(parent, time, 0);
            let hash = header.block_hash();
            parent = Some(hash);
            Block { hash, header, txs: Vec::new(), pegouts: PegoutProof::Listed(Vec::new()) }
        };
        (0..blocks).map(child).collect()
    }
}
