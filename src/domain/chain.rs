//! Following the node's best chain: blocks, and the decision to connect, disconnect or wait.
//!
//! Must not know: payments, the node's RPC, how blocks are fetched.

use bitcoin::BlockHash;

/// A block by height and hash. A height alone is ambiguous: another branch has it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BlockId {
    pub(crate) height: u32,
    pub(crate) hash: BlockHash,
}

/// The node's best chain, relative to our tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeChain {
    /// The tip of the node's best chain.
    pub(crate) tip: BlockId,
    /// Where the node has our tip.
    pub(crate) our_tip: OurTip,
}

/// Where the node has our tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OurTip {
    OnBestChain,
    /// Known to the node, but not on its best chain.
    OffBestChain,
    /// Unknown: the node is behind us, or follows another branch.
    Unknown,
}

/// Proof, for one pass, that our chain is the node's best chain. Only then does the absence of
/// a transaction mean anything: without it no payment expires and no coin is evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AtTip {
    tip: BlockId,
}

impl AtTip {
    /// The tip of both chains.
    pub(crate) fn tip(self) -> BlockId {
        self.tip
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// Connect the node's block at this height; its parent is our tip.
    Connect {
        height: u32,
    },
    /// Disconnect our tip, which is off the best chain.
    Disconnect(BlockId),
    AtTip(AtTip),
    /// The node is behind us, so what it does not report means nothing.
    Behind,
}

/// Decides the next step from our tip and the node's answer about it.
///
/// A node that does not know our tip and is not higher is still catching up (a second node, a
/// reindex, a restored disk). We wait for it instead of disconnecting valid blocks.
pub(crate) fn next_step(ours: BlockId, node: NodeChain) -> NextStep {
    match node.our_tip {
        OurTip::OnBestChain if node.tip == ours => NextStep::AtTip(AtTip { tip: ours }),
        OurTip::OnBestChain if node.tip.height > ours.height => {
            NextStep::Connect { height: ours.height.saturating_add(1) }
        }
        // The node's answers were given at different moments; the next pass asks again.
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
        // The operator invalidated our tip: the node is lower, on another branch.
        check(block(4, 1), OurTip::OffBestChain, NextStep::Disconnect(ours));
        // The node is new and still catching up.
        check(block(2, 1), OurTip::Unknown, NextStep::Behind);
        check(block(5, 9), OurTip::Unknown, NextStep::Behind);
        // The node is on another, longer branch.
        check(block(6, 9), OurTip::Unknown, NextStep::Disconnect(ours));
    }
}
