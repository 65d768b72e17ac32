//! Which of several nodes to follow: one at a time, another only when the one in use has been
//! unwell for as long as the operator's patience lasts.
//!
//! Looks come in; the answer is the node to follow from now on. Nobody is left for a better one,
//! and nobody is taken back soon after it was left, so two nodes that fail in turn cannot make us
//! run back and forth.
//!
//! Must not know: how a node is asked, and what following means.

use super::chain_guard::BRANCH_BLOCKS;

/// So many blocks behind another node of the same chain is lagging. One may be on its way.
pub(crate) const LAG_BLOCKS: u32 = 2;

/// How far below the tip of the node in use another node must have the same block to be of the
/// same chain: the last ones may be a race of two miners.
pub(crate) const RACE_BLOCKS: u32 = BRANCH_BLOCKS - 1;

/// How many times the patience a node that was left has to be well before it is taken for one
/// that merely lags.
const LEFT_FOR: i64 = 10;

/// What one look at a node found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// It does not answer, is starting, or refuses our credentials.
    Silent,
    /// It is of another network or chain, or too old: never to be followed.
    Unfit,
    /// It knows of blocks that it does not have yet.
    Syncing,
    /// It does not know the block that we stand on, and is not higher.
    BehindUs,
    /// It can be followed.
    Stands(ChainView),
}

/// How a node that can be followed stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainView {
    pub(crate) height: u32,
    /// [`RACE_BLOCKS`] below the tip of the node in use it has the same block.
    pub(crate) same_chain: bool,
    /// It refuses blocks above its tip as invalid. Then it does not lag, it disagrees; that is a
    /// doubt about the chain, and no reason to believe the other.
    pub(crate) refuses: bool,
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    Silent,
    Unfit,
    Syncing,
    BehindUs,
    Lagging,
}

impl Health {
    /// In words for the operator.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Health::Well => "well",
            Health::Silent => "out of reach",
            Health::Unfit => "not to be followed: of another chain, or too old",
            Health::Syncing => "still fetching blocks",
            Health::BehindUs => "behind the block that we stand on",
            Health::Lagging => "behind another node",
        }
    }
}

/// What is remembered of a node.
#[derive(Debug, Clone, Copy)]
struct Record {
    health: Health,
    /// Since when it has been well, or has not.
    since_ms: i64,
    /// It was left for another, and not taken back since.
    left: bool,
}

/// All the nodes, in the operator's order, and the one in use. Times are milliseconds of a clock
/// that nobody sets.
#[derive(Debug, Clone)]
pub(crate) struct NodePool {
    in_use: usize,
    patience_ms: i64,
    records: Vec<Record>,
}

impl NodePool {
    /// Of so many nodes. The one in use is given credit until it was looked at.
    pub(crate) fn new(count: usize, in_use: usize, patience_ms: i64, now_ms: i64) -> NodePool {
        let record = |index| Record {
            health: if index == in_use { Health::Well } else { Health::Silent },
            since_ms: now_ms,
            left: false,
        };
        NodePool { in_use, patience_ms, records: (0..count).map(record).collect() }
    }

    /// The node that is followed.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use
    }

    /// How each node is.
    pub(crate) fn health(&self) -> impl Iterator<Item = Health> + '_ {
        self.records.iter().map(|record| record.health)
    }

    /// Takes in a look at all of them, in their order.
    pub(crate) fn see(&mut self, probes: &[ProbeResult], now_ms: i64) {
        let best = probes.iter().filter_map(|probe| match probe {
            ProbeResult::Stands(chain_view) if chain_view.same_chain => Some(chain_view.height),
            ProbeResult::Stands(_)
            | ProbeResult::Silent
            | ProbeResult::Unfit
            | ProbeResult::Syncing
            | ProbeResult::BehindUs => None,
        });
        let best = best.max().unwrap_or(0);
        for (record, probe) in self.records.iter_mut().zip(probes) {
            let health = match probe {
                ProbeResult::Silent => Health::Silent,
                ProbeResult::Unfit => Health::Unfit,
                ProbeResult::Syncing => Health::Syncing,
                ProbeResult::BehindUs => Health::BehindUs,
                ProbeResult::Stands(chain_view) if lags(*chain_view, best) => Health::Lagging,
                ProbeResult::Stands(_) => Health::Well,
            };
            if (record.health == Health::Well) != (health == Health::Well) {
                record.since_ms = now_ms;
            }
            record.health = health;
        }
    }

    /// The node to follow instead of the one in use, if it is time to leave that.
    pub(crate) fn next(&self, now_ms: i64) -> Option<usize> {
        let current = self.records.get(self.in_use)?;
        let lasts = |record: &Record| now_ms.saturating_sub(record.since_ms);
        if current.health == Health::Well || lasts(current) < self.patience_ms {
            return None;
        }
        let count = self.records.len();
        let after = (1..count).map(|step| self.in_use.saturating_add(step) % count);
        let well: Vec<usize> =
            after.filter(|at| self.records[*at].health == Health::Well).collect();
        let steady = |at: &&usize| {
            let record = &self.records[**at];
            let times = if record.left { LEFT_FOR } else { 1 };
            lasts(record) >= self.patience_ms.saturating_mul(times)
        };
        let chosen = well.iter().find(steady);
        match current.health {
            // There is nothing to lose.
            Health::Silent | Health::Unfit | Health::BehindUs => chosen.or(well.first()).copied(),
            Health::Lagging | Health::Syncing | Health::Well => chosen.copied(),
        }
    }

    /// A node to hold the one in use against, if there is another: the present one for as long as
    /// it can say something, else the first that can. Only a node that is silent or fetching blocks
    /// has nothing to say; one that is unwell in any other way may be so because it disagrees.
    pub(crate) fn other(&self, present: Option<usize>) -> Option<usize> {
        let others = || (0..self.records.len()).filter(|at| *at != self.in_use);
        let present = present.filter(|at| others().any(|other| other == *at));
        let can_say = |at: &usize| match self.records[*at].health {
            Health::Silent | Health::Syncing => false,
            Health::Well | Health::Unfit | Health::BehindUs | Health::Lagging => true,
        };
        present.filter(can_say).or_else(|| others().find(can_say)).or(present).or(others().next())
    }

    /// Another node is followed from now on.
    pub(crate) fn follow(&mut self, index: usize) {
        for (at, left) in [(self.in_use, true), (index, false)] {
            if let Some(record) = self.records.get_mut(at) {
                record.left = left;
            }
        }
        self.in_use = index;
    }
}

/// Whether a node is behind one of the same chain that has come so far.
fn lags(chain_view: ChainView, best: u32) -> bool {
    !chain_view.refuses
        && chain_view.same_chain
        && chain_view.height.saturating_add(LAG_BLOCKS) <= best
}

#[cfg(test)]
mod tests;
