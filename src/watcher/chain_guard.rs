//! Collects the signs of a suspect chain: branches that the node knows, a second node's chain,
//! the pace of blocks. Each observation is stored with its tip. A tip is not trusted before
//! that.
//!
//! Must not know: what the chain guard withholds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::{
    self, ActiveGuard, BRANCH_BLOCKS, Pace, SLOW_BLOCKS, SLOW_WINDOW_MS, SecondNode, Verdict,
};
use crate::domain::time::Timestamp;
use crate::node;
use crate::node::rpc::Node;
use crate::store::chain_guard_alerts::{self, Observation};
use crate::store::{self, Store, blocks};

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Off: every tip is trusted.
    pub(crate) enabled: bool,
    /// A node to compare with. Absent: one of the configured nodes that is not followed, if
    /// any.
    pub(crate) second_node: Option<node::rpc::Settings>,
}

/// How often a tip is checked again. `getchaintips` reads the node's whole block index.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How long a second node that failed is not asked again, so that no check waits for it.
const SECOND_NODE_PAUSE: Duration = Duration::from_secs(300);

/// A longer gap between two checks means that blocks were not watched meanwhile.
const WATCH_GAP_MAX: Duration = Duration::from_secs(600);

/// What is remembered from check to check. The decisions are in the database.
pub(super) struct Watch {
    enabled: bool,
    second: Option<Node>,
    /// `chain_guard` names the second node.
    second_is_fixed: bool,
    /// Replaced as a whole when another node is followed.
    node: NodeWatch,
    logged: Option<ActiveGuard>,
}

#[derive(Default)]
struct NodeWatch {
    comparison: Comparison,
    /// Since when the gateway has been at the tip, and when it last was.
    watching: Option<(Instant, Instant)>,
    checked: Option<(BlockId, Instant)>,
}

/// What is remembered of the comparison with the second node.
#[derive(Default)]
struct Comparison {
    /// When the second node may be asked again.
    paused_until: Option<Instant>,
    /// Since when the two nodes have been far apart.
    apart_since: Option<Instant>,
}

impl Watch {
    pub(super) fn new(settings: &Settings) -> Watch {
        let fixed = settings.second_node.clone().map(Node::new);
        Watch {
            enabled: settings.enabled,
            second_is_fixed: fixed.is_some(),
            second: fixed.filter(|_| settings.enabled),
            node: NodeWatch::default(),
            logged: None,
        }
    }

    /// Another node is followed: nothing that was observed of the previous one holds for it.
    pub(super) fn node_changed(&mut self) {
        self.node = NodeWatch::default();
    }

    /// Compares with this node, unless the configuration names another.
    pub(super) fn compare_with(&mut self, other: Option<Node>) {
        if !self.second_is_fixed {
            self.second = other.filter(|_| self.enabled);
            self.node.comparison = Comparison::default();
        }
    }

    /// The node is still syncing: the pace of its blocks means nothing.
    pub(super) fn node_is_behind(&mut self) {
        self.node.watching = None;
    }

    /// Checks a new tip, and each tip again at an interval. Logs when the guard becomes active
    /// and when it ends.
    pub(super) fn check(
        &mut self,
        node: &Node,
        store: &Store,
        at_tip: &AtTip,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        if !self.enabled {
            return Ok(());
        }
        let instant = Instant::now();
        let since = match self.node.watching {
            Some((since, last)) if instant.duration_since(last) <= WATCH_GAP_MAX => since,
            Some(_) | None => instant,
        };
        self.node.watching = Some((since, instant));
        let tip = at_tip.tip();
        let checked = self.node.checked;
        if checked.is_none_or(|(at, when)| at != tip || when.elapsed() >= CHECK_INTERVAL) {
            let observation = self.observe(node, store, tip, now, instant.duration_since(since))?;
            let verdict = {
                let observation = observation.clone();
                store.write_blocking(move |tx| chain_guard_alerts::record(tx, &observation, now))?
            };
            if let Verdict::Begin(_) | Verdict::GoesOn = verdict {
                tracing::debug!(
                    troubles = ?observation.troubles, height = tip.height,
                    "chain suspect"
                );
            }
            self.node.checked = Some((tip, instant));
        }
        let open = store.read_blocking(chain_guard_alerts::open)?;
        self.log_change(open, tip);
        Ok(())
    }

    fn observe(
        &mut self,
        node: &Node,
        store: &Store,
        tip: BlockId,
        now: Timestamp,
        watched: Duration,
    ) -> anyhow::Result<Observation> {
        let mut troubles = BTreeSet::new();
        let branches = node.chain_tips().context("read the node's branches")?;
        troubles
            .extend(branches.iter().filter_map(|b| chain_guard::evaluate_branch(b, tip.height)));
        let since = now.plus_ms(-SLOW_WINDOW_MS);
        let newer = |tx: &store::ReadTx| blocks::newer_than(tx, since, SLOW_BLOCKS + 1);
        let pace = Pace {
            blocks: store.read_blocking(newer)?,
            watched_ms: i64::try_from(watched.as_millis()).unwrap_or(i64::MAX),
        };
        troubles.extend(chain_guard::evaluate_pace(pace));
        let second = self.ask_second(node, tip)?;
        troubles.extend(second.and_then(chain_guard::evaluate_second_node));
        let second_node_silent = self.second.is_some() && second.is_none();
        Ok(Observation { tip, troubles, second_node_silent })
    }

    /// The second node's chain compared with `tip`. `None` if there is no second node, or it
    /// does not answer.
    fn ask_second(&mut self, node: &Node, tip: BlockId) -> anyhow::Result<Option<SecondNode>> {
        let Some(second) = &self.second else { return Ok(None) };
        let comparison = &mut self.node.comparison;
        if comparison.paused_until.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        let view = match view_of(second, tip) {
            Ok(view) => view,
            Err(error) => {
                tracing::warn!(%error, "second node does not answer");
                comparison.paused_until = Some(Instant::now() + SECOND_NODE_PAUSE);
                return Ok(None);
            }
        };
        comparison.paused_until = None;
        let Some(view) = view else { return Ok(None) };
        let ours = node.block_hash(view.compared.height).context("compare the two nodes")?;
        let same_chain = ours == view.compared.hash;
        let apart = view.tip_height.abs_diff(tip.height);
        if apart < BRANCH_BLOCKS {
            comparison.apart_since = None;
        }
        let apart_ms = match apart {
            0..BRANCH_BLOCKS => 0,
            BRANCH_BLOCKS.. => {
                let since = *comparison.apart_since.get_or_insert_with(Instant::now);
                i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
            }
        };
        Ok(Some(SecondNode { apart, same_chain, apart_ms }))
    }

    /// Logs once that the guard is active, also after a restart, and that it has ended.
    fn log_change(&mut self, open: Option<ActiveGuard>, tip: BlockId) {
        let id = |guard: &ActiveGuard| (guard.began_at, guard.began_height);
        if self.logged.as_ref().map(id) == open.as_ref().map(id) {
            return;
        }
        match &open {
            Some(chain_guard) => tracing::warn!(
                reason = chain_guard.reason,
                since = %chain_guard.began_at,
                height = tip.height,
                blocks_left = chain_guard.blocks_left(tip.height),
                "the chain guard is active: MWEB payments and sweeps wait; `litegate chain-guard show` \
                 says more"
            ),
            None => tracing::warn!(height = tip.height, "the chain guard is no longer active"),
        }
        self.logged = open;
    }
}

struct View {
    tip_height: u32,
    /// Its block a few below the lower of both tips, because the newest blocks may be a race.
    compared: BlockId,
}

/// `None` during the second node's initial block download.
fn view_of(second: &Node, tip: BlockId) -> Result<Option<View>, node::Error> {
    let state = second.chain_state()?;
    if state.initial_block_download && state.headers > state.tip.height {
        return Ok(None);
    }
    let lower = state.tip.height.min(tip.height);
    let height = lower.saturating_sub(BRANCH_BLOCKS - 1);
    let hash = second.block_hash(height)?;
    Ok(Some(View { tip_height: state.tip.height, compared: BlockId { height, hash } }))
}
