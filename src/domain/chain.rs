//! Blocks, and the one decision of chain following: connect, disconnect, wait, or rest at the tip.
//! Knows nothing of payments, of the node's RPC, or of how blocks are fetched.

use bitcoin::BlockHash;

/// A block by height and hash. A bare height says nothing: another branch has it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockId {
    pub(crate) height: u32,
    pub(crate) hash: BlockHash,
}

/// What the node says of its best chain, as seen from the tip that we stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeChain {
    /// The tip of the node's best chain.
    pub(crate) tip: BlockId,
    /// Where the block that we stand on is for the node.
    pub(crate) our_tip: OurTip,
}

/// What the node knows of the block that we stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OurTip {
    /// It is on the node's best chain.
    OnBestChain,
    /// The node knows it, and has left it for another branch.
    OffBestChain,
    /// The node has never seen it: it lags behind us, or follows another branch entirely.
    Unknown,
}

/// Proof, for one pass, that our chain was the node's best chain: only then does the absence of
/// something mean anything. Nothing expires and nothing is evicted without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtTip {
    tip: BlockId,
}

impl AtTip {
    /// The block that both we and the node stand on.
    pub(crate) fn tip(self) -> BlockId {
        self.tip
    }
}

/// The next thing to do to follow the node's best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Connect the node's block at this height; its parent is our tip.
    Connect { height: u32 },
    /// Our tip is off the best chain: take it back.
    Disconnect(BlockId),
    /// We stand where the node stands.
    AtTip(AtTip),
    /// The node has not come as far as we have. Its silence about newer things means nothing.
    Behind,
}

/// Decides the next step from our tip and the node's answer about it.
///
/// A node that does not know our tip and is not higher than we are is still catching up (a second
/// node, a reindex, a restored disk): we wait for it instead of taking back what is true.
pub(crate) fn next_step(ours: BlockId, node: NodeChain) -> NextStep {
    match node.our_tip {
        OurTip::OnBestChain if node.tip == ours => NextStep::AtTip(AtTip { tip: ours }),
        OurTip::OnBestChain if node.tip.height > ours.height => {
            NextStep::Connect { height: ours.height.saturating_add(1) }
        }
        // The two answers were given at different moments; the next pass asks again.
        OurTip::OnBestChain => NextStep::Behind,
        OurTip::OffBestChain => NextStep::Disconnect(ours),
        OurTip::Unknown if node.tip.height > ours.height => NextStep::Disconnect(ours),
        OurTip::Unknown => NextStep::Behind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;

    fn block(height: u32, branch: u8) -> BlockId {
        BlockId { height, hash: BlockHash::from_byte_array([branch; 32]) }
    }

    #[track_caller]
    fn check(node_tip: BlockId, our_tip: OurTip, expected: NextStep) {
        assert_eq!(next_step(block(5, 1), NodeChain { tip: node_tip, our_tip }), expected);
    }

    #[test]
    fn each_chain_position_has_its_next_step() {
        let ours = block(5, 1);
        check(ours, OurTip::OnBestChain, NextStep::AtTip(AtTip { tip: ours }));
        // 4 ─ 5 ─ 6 ─ 7: the node is ahead on our branch.
        check(block(7, 3), OurTip::OnBestChain, NextStep::Connect { height: 6 });
        // 4 ─ 5 (ours), 4 ─ 5' ─ 6' (theirs): a reorganisation.
        check(block(6, 9), OurTip::OffBestChain, NextStep::Disconnect(ours));
        // The operator invalidated our tip: the node stands lower and has left it.
        check(block(4, 1), OurTip::OffBestChain, NextStep::Disconnect(ours));
        // The node is new and still catching up.
        check(block(2, 1), OurTip::Unknown, NextStep::Behind);
        check(block(5, 9), OurTip::Unknown, NextStep::Behind);
        // A node of another branch that is longer than ours.
        check(block(6, 9), OurTip::Unknown, NextStep::Disconnect(ours));
    }
}
