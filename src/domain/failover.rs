//! Node failover: which of several nodes to follow.
//!
//! One node is followed at a time, and another only after the current one was unhealthy for
//! the operator's timeout. No node is left for a better one, and a node that was left must be
//! healthy for longer, so two nodes that fail in turn cannot cause constant switching.
//!
//! Must not know: how a node is probed, and what following it involves.

use super::chain_guard::BRANCH_BLOCKS;

/// A node this many blocks behind another one of the same chain is lagging. One block may be
/// in transit.
pub(crate) const LAG_BLOCKS: u32 = 2;

/// How far below the tip of the current node another node must have the same block to be on
/// the same chain: the last blocks may be a race of two miners.
pub(crate) const RACE_BLOCKS: u32 = BRANCH_BLOCKS - 1;

/// A node that was left must be healthy for this many timeouts before it replaces a node that
/// only lags.
const LEFT_FOR: i64 = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeResult {
    /// It does not answer, is starting, or refuses our credentials.
    Silent,
    /// It is on another network or chain, or too old: it must never be followed.
    Unfit,
    /// It knows of blocks that it does not have yet.
    Syncing,
    /// It does not know our tip and is not higher.
    BehindUs,
    /// It can be followed.
    Stands(ChainView),
}

/// The chain of a node that can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChainView {
    pub(crate) height: u32,
    /// It has the current node's block at [`RACE_BLOCKS`] below that node's tip.
    pub(crate) same_chain: bool,
    /// It rejects blocks above its tip as invalid. Then it disagrees instead of lagging, which
    /// makes the chain suspect and is no reason to trust the other node.
    pub(crate) refuses: bool,
}

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
    /// The description for the operator.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Health::Well => "well",
            Health::Silent => "out of reach",
            Health::Unfit => "not usable: on another chain, or too old",
            Health::Syncing => "still fetching blocks",
            Health::BehindUs => "behind the gateway's own tip",
            Health::Lagging => "behind another node",
        }
    }
}

/// The stored state of a node.
#[derive(Debug, Clone, Copy)]
struct Record {
    health: Health,
    /// The time of the last change between healthy and unhealthy.
    since_ms: i64,
    /// It was left for another node and not followed since.
    left: bool,
}

/// All nodes in the configured order, and the current one. Times are milliseconds of a
/// monotonic clock.
#[derive(Debug, Clone)]
pub(crate) struct NodePool {
    in_use: usize,
    patience_ms: i64,
    records: Vec<Record>,
}

impl NodePool {
    /// A pool of this many nodes. The current one counts as healthy until its first probe.
    pub(crate) fn new(count: usize, in_use: usize, patience_ms: i64, now_ms: i64) -> NodePool {
        let record = |index| Record {
            health: if index == in_use { Health::Well } else { Health::Silent },
            since_ms: now_ms,
            left: false,
        };
        NodePool { in_use, patience_ms, records: (0..count).map(record).collect() }
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use
    }

    pub(crate) fn health(&self) -> impl Iterator<Item = Health> + '_ {
        self.records.iter().map(|record| record.health)
    }

    /// Records a probe of every node, in the configured order.
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

    /// The node to follow instead of the current one, if it is time to switch.
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
            // The current node cannot serve us, so any healthy node is better.
            Health::Silent | Health::Unfit | Health::BehindUs => chosen.or(well.first()).copied(),
            Health::Lagging | Health::Syncing | Health::Well => chosen.copied(),
        }
    }

    /// A node to compare the current one with, if there is another: the present one while it
    /// has information, else the first that does. Only a node that is silent or syncing has
    /// none; a node that is unhealthy otherwise may be so because it disagrees.
    pub(crate) fn other(&self, present: Option<usize>) -> Option<usize> {
        let others = || (0..self.records.len()).filter(|at| *at != self.in_use);
        let present = present.filter(|at| others().any(|other| other == *at));
        let can_say = |at: &usize| match self.records[*at].health {
            Health::Silent | Health::Syncing => false,
            Health::Well | Health::Unfit | Health::BehindUs | Health::Lagging => true,
        };
        present.filter(can_say).or_else(|| others().find(can_say)).or(present).or(others().next())
    }

    /// Switches to another node.
    pub(crate) fn follow(&mut self, index: usize) {
        for (at, left) in [(self.in_use, true), (index, false)] {
            if let Some(record) = self.records.get_mut(at) {
                record.left = left;
            }
        }
        self.in_use = index;
    }
}

/// Whether a node is behind the best height of its chain.
fn lags(chain_view: ChainView, best: u32) -> bool {
    !chain_view.refuses
        && chain_view.same_chain
        && chain_view.height.saturating_add(LAG_BLOCKS) <= best
}

#[cfg(test)]
mod tests;
