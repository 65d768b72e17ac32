//! Doubt: when the chain that our node shows should not be believed with money yet.
//!
//! Troubles come in, as the watcher gathered them at one tip; the answer is whether a doubt begins,
//! goes on or ends. What is done about it (coins out of MWEB complete nothing, no sweep goes out,
//! nothing expires) is decided elsewhere, by [`Trust`].
//!
//! Invariants: a doubt never ends by itself before [`QUIET_BLOCKS`] blocks lie above the last
//! trouble, and always does then. What a hand has ended begins again only by something new.

use std::collections::BTreeSet;

use bitcoin::BlockHash;

use super::time::Timestamp;

/// A branch of fewer blocks is the usual race of two miners.
pub(crate) const BRANCH_BLOCKS: u32 = 3;

/// A branch that ends so many blocks below our tip is history. After so many blocks without
/// trouble a doubt ends: about an hour.
pub(crate) const QUIET_BLOCKS: u32 = 24;

/// So many blocks or fewer within [`SLOW_WINDOW_MS`] are far too few: of 24 that are due, 5 come
/// by chance about once a year.
pub(crate) const SLOW_BLOCKS: u32 = 5;

/// The window in which blocks are counted, in milliseconds. We must have watched for as long.
pub(crate) const SLOW_WINDOW_MS: i64 = 60 * 60_000;

/// How long two nodes may stand [`BRANCH_BLOCKS`] or more apart before that is a disagreement, in
/// milliseconds: one of them may only be busy.
pub(crate) const APART_MS_MAX: i64 = 10 * 60_000;

/// One thing that is wrong with the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// The second node stands on another chain, or does not move with ours.
    NodesDisagree,
    /// Blocks come far too slowly.
    SlowBlocks,
    /// A node refuses a branch, which ends in this block.
    Invalid(BlockHash),
    /// Another branch is valid as far as the node can tell, and ends in this block.
    Competing(BlockHash),
}

impl Trouble {
    /// What kind it is, as stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Trouble::NodesDisagree => "nodes_disagree",
            Trouble::SlowBlocks => "slow_blocks",
            Trouble::Invalid(_) => "invalid_branch",
            Trouble::Competing(_) => "competing_branch",
        }
    }

    /// The last block of the branch that it is about, if it is about one.
    pub(crate) fn branch(self) -> Option<BlockHash> {
        match self {
            Trouble::NodesDisagree | Trouble::SlowBlocks => None,
            Trouble::Invalid(hash) | Trouble::Competing(hash) => Some(hash),
        }
    }

    /// From what [`Trouble::as_str`] and [`Trouble::branch`] said.
    pub(crate) fn from_parts(kind: &str, branch: Option<BlockHash>) -> Option<Trouble> {
        match (kind, branch) {
            ("nodes_disagree", None) => Some(Trouble::NodesDisagree),
            ("slow_blocks", None) => Some(Trouble::SlowBlocks),
            ("invalid_branch", Some(hash)) => Some(Trouble::Invalid(hash)),
            ("competing_branch", Some(hash)) => Some(Trouble::Competing(hash)),
            _ => None,
        }
    }

    /// Whether it is a trouble for as long as it is there. A branch is one when it appears or
    /// grows; that the node goes on to know of it says nothing new.
    fn lasts(self) -> bool {
        match self {
            Trouble::NodesDisagree | Trouble::SlowBlocks => true,
            Trouble::Invalid(_) | Trouble::Competing(_) => false,
        }
    }
}

/// What a node says of a branch (`getchaintips`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BranchState {
    /// It is the node's best chain.
    Active,
    /// One of its blocks breaks a rule.
    Invalid,
    /// Checked or not, it could become the best chain.
    Competing,
}

/// A branch that a node knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) height: u32,
    pub(crate) hash: BlockHash,
    /// Its blocks that are not on the node's best chain.
    pub(crate) blocks: u32,
    pub(crate) state: BranchState,
}

/// What is wrong with a branch, seen from a tip of this height.
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

/// The pace of the chain as we saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Blocks with a time within the last [`SLOW_WINDOW_MS`].
    pub(crate) blocks: u32,
    /// For how long we have stood at the tip of a node that was not catching up.
    pub(crate) watched_ms: i64,
}

/// Whether blocks come far too slowly. Says nothing before we have watched for the whole window:
/// after a start, an outage or a download the blocks may just not be here yet.
pub(crate) fn evaluate_pace(pace: Pace) -> Option<Trouble> {
    let slow = pace.watched_ms >= SLOW_WINDOW_MS && pace.blocks <= SLOW_BLOCKS;
    slow.then_some(Trouble::SlowBlocks)
}

/// How the second node stands to ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SecondNode {
    /// Blocks between the two tips' heights.
    pub(crate) apart: u32,
    /// Whether both have the same block [`BRANCH_BLOCKS`] - 1 below the lower tip.
    pub(crate) same_chain: bool,
    /// For how long they have been [`BRANCH_BLOCKS`] or more apart.
    pub(crate) apart_ms: i64,
}

/// Whether two nodes disagree: on the blocks, or because one does not follow the other.
pub(crate) fn evaluate_second_node(second: SecondNode) -> Option<Trouble> {
    let left_behind = second.apart >= BRANCH_BLOCKS && second.apart_ms >= APART_MS_MAX;
    (!second.same_chain || left_behind).then_some(Trouble::NodesDisagree)
}

/// A doubt that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveGuard {
    pub(crate) began_at: Timestamp,
    pub(crate) began_height: u32,
    /// What began it, as [`Trouble::as_str`] says it.
    pub(crate) reason: String,
    /// Our tip's height when there was trouble last.
    pub(crate) troubled_height: u32,
}

impl ActiveGuard {
    /// Quiet blocks that are still wanted.
    pub(crate) fn blocks_left(&self, tip_height: u32) -> u32 {
        self.troubled_height.saturating_add(QUIET_BLOCKS).saturating_sub(tip_height)
    }
}

/// What becomes of the doubt at a tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it was, in doubt or not.
    Unchanged,
    Begin(Trouble),
    /// Trouble again: quiet blocks are counted anew.
    GoesOn,
    End,
}

/// Judges the troubles of this look. `known` are those of the look before: a branch among them is
/// no news, and what a hand has put aside stays so until it was gone once.
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

/// How far the chain may be believed with money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    Full,
    /// In doubt, or nobody has looked at this tip yet: coins out of MWEB complete nothing, and no
    /// sweep goes out.
    Withheld,
}

#[cfg(test)]
mod tests;
