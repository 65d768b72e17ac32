//! Chain guard: decides when the node's chain is suspect.
//!
//! Input are the troubles that the watcher found at one tip; the result says whether the guard
//! starts, continues or ends. Its consequences (MWEB coins complete no payment, no sweep is
//! sent, no payment expires) are decided elsewhere, by [`Trust`].
//!
//! Invariants: the guard ends automatically as soon as [`QUIET_BLOCKS`] blocks are above the
//! last trouble, and never before. After an operator ended it, only new trouble starts it
//! again.

use std::collections::BTreeSet;

use bitcoin::BlockHash;

use super::time::Timestamp;

/// A shorter branch is an ordinary race of two miners.
pub(crate) const BRANCH_BLOCKS: u32 = 3;

/// A branch that ends this many blocks below our tip is ignored. The guard ends after this
/// many blocks without trouble: about an hour.
pub(crate) const QUIET_BLOCKS: u32 = 24;

/// This many blocks or fewer within [`SLOW_WINDOW_MS`] are far too few: 24 are expected, and 5
/// occur by chance about once a year.
pub(crate) const SLOW_BLOCKS: u32 = 5;

/// The window in which blocks are counted, in milliseconds. The watcher must have been at the
/// tip for as long.
pub(crate) const SLOW_WINDOW_MS: i64 = 60 * 60_000;

/// How long two nodes may be [`BRANCH_BLOCKS`] or more apart before they disagree, in
/// milliseconds: one may only be busy.
pub(crate) const APART_MS_MAX: i64 = 10 * 60_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// The second node is on another chain, or does not advance with ours.
    NodesDisagree,
    /// Blocks come far too slowly.
    SlowBlocks,
    /// A node rejects a branch, which ends in this block.
    Invalid(BlockHash),
    /// A competing branch is valid as far as the node can tell, and ends in this block.
    Competing(BlockHash),
}

impl Trouble {
    /// The kind, as stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Trouble::NodesDisagree => "nodes_disagree",
            Trouble::SlowBlocks => "slow_blocks",
            Trouble::Invalid(_) => "invalid_branch",
            Trouble::Competing(_) => "competing_branch",
        }
    }

    /// The last block of the branch, if the trouble is a branch.
    pub(crate) fn branch(self) -> Option<BlockHash> {
        match self {
            Trouble::NodesDisagree | Trouble::SlowBlocks => None,
            Trouble::Invalid(hash) | Trouble::Competing(hash) => Some(hash),
        }
    }

    /// The inverse of [`Trouble::as_str`] and [`Trouble::branch`].
    pub(crate) fn from_parts(kind: &str, branch: Option<BlockHash>) -> Option<Trouble> {
        match (kind, branch) {
            ("nodes_disagree", None) => Some(Trouble::NodesDisagree),
            ("slow_blocks", None) => Some(Trouble::SlowBlocks),
            ("invalid_branch", Some(hash)) => Some(Trouble::Invalid(hash)),
            ("competing_branch", Some(hash)) => Some(Trouble::Competing(hash)),
            _ => None,
        }
    }

    /// Whether it is a trouble for as long as it exists. A branch is one only when it appears
    /// or grows.
    fn lasts(self) -> bool {
        match self {
            Trouble::NodesDisagree | Trouble::SlowBlocks => true,
            Trouble::Invalid(_) | Trouble::Competing(_) => false,
        }
    }
}

/// The state of a branch (`getchaintips`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BranchState {
    /// The node's best chain.
    Active,
    /// One of its blocks is invalid.
    Invalid,
    /// It could become the best chain; the node may not have validated it.
    Competing,
}

/// A branch that a node knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) height: u32,
    pub(crate) hash: BlockHash,
    /// Number of its blocks that are not on the node's best chain.
    pub(crate) blocks: u32,
    pub(crate) state: BranchState,
}

/// The trouble that a branch is, seen from a tip of this height.
pub(crate) fn evaluate_branch(branch: &Branch, tip_height: u32) -> Option<Trouble> {
    let young = branch.height.saturating_add(QUIET_BLOCKS) > tip_height;
    if branch.blocks < BRANCH_BLOCKS || !young {
        return None;
    }
    match branch.state {
        BranchState::Active => None,
        BranchState::Invalid => Some(Trouble::Invalid(branch.hash)),
        BranchState::Competing => Some(Trouble::Competing(branch.hash)),
    }
}

/// The rate of blocks as the watcher saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Blocks with a time within the last [`SLOW_WINDOW_MS`].
    pub(crate) blocks: u32,
    /// How long the watcher has been at the tip of a node that was not catching up.
    pub(crate) watched_ms: i64,
}

/// Whether blocks come far too slowly. Decides nothing before the watcher was at the tip for
/// the whole window: after a start, an outage or a download blocks may still be missing.
pub(crate) fn evaluate_pace(pace: Pace) -> Option<Trouble> {
    let slow = pace.watched_ms >= SLOW_WINDOW_MS && pace.blocks <= SLOW_BLOCKS;
    slow.then_some(Trouble::SlowBlocks)
}

/// The second node, compared with ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecondNode {
    /// Difference of the tips' heights.
    pub(crate) apart: u32,
    /// Whether both have the same block [`BRANCH_BLOCKS`] - 1 below the lower tip.
    pub(crate) same_chain: bool,
    /// How long they have been [`BRANCH_BLOCKS`] or more apart.
    pub(crate) apart_ms: i64,
}

/// Whether two nodes disagree: on the blocks, or because one does not follow the other.
pub(crate) fn evaluate_second_node(second: SecondNode) -> Option<Trouble> {
    let left_behind = second.apart >= BRANCH_BLOCKS && second.apart_ms >= APART_MS_MAX;
    (!second.same_chain || left_behind).then_some(Trouble::NodesDisagree)
}

/// A chain guard that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveGuard {
    pub(crate) began_at: Timestamp,
    pub(crate) began_height: u32,
    /// The trouble that started it, as [`Trouble::as_str`].
    pub(crate) reason: String,
    /// The height of our tip at the last trouble.
    pub(crate) last_trouble_height: u32,
}

impl ActiveGuard {
    /// Blocks without trouble that are still required.
    pub(crate) fn blocks_left(&self, tip_height: u32) -> u32 {
        self.last_trouble_height.saturating_add(QUIET_BLOCKS).saturating_sub(tip_height)
    }
}

/// The change of the chain guard at a tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No change, active or not.
    Unchanged,
    Begin(Trouble),
    /// New trouble: the count of quiet blocks restarts.
    GoesOn,
    End,
}

/// Evaluates the troubles of this pass. `known` are those of the pass before: a branch among
/// them is not new, and a trouble that an operator dismissed stays dismissed until it was
/// absent once.
pub(crate) fn evaluate(
    open: Option<&ActiveGuard>,
    known: &BTreeSet<Trouble>,
    troubles: &BTreeSet<Trouble>,
    tip_height: u32,
) -> Verdict {
    let chain_suspect = open.is_some();
    let counts = |t: &&Trouble| !known.contains(*t) || (chain_suspect && t.lasts());
    match (open, troubles.iter().find(counts)) {
        (None, None) => Verdict::Unchanged,
        (None, Some(trouble)) => Verdict::Begin(*trouble),
        (Some(_), Some(_)) => Verdict::GoesOn,
        (Some(open), None) if open.blocks_left(tip_height) == 0 => Verdict::End,
        (Some(_), None) => Verdict::Unchanged,
    }
}

/// How far the chain is trusted with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    Full,
    /// The chain is suspect, or this tip was not checked yet: MWEB coins complete no payment,
    /// and no sweep is sent.
    Withheld,
}

#[cfg(test)]
mod tests;
