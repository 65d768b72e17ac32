//! Looking for reasons to doubt the chain: the branches that nodes know of, a second node's view,
//! the pace of blocks. What is found is recorded with the tip that it was found at; until a tip
//! was looked at, it is not trusted.
//!
//! Must not know: what is withheld while in doubt.

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

/// Where doubts are looked for.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Off: the chain is believed as it comes.
    pub(crate) enabled: bool,
    /// Another node, which should stand on the same chain. Absent: where there are several nodes
    /// to follow, one that is not followed.
    pub(crate) second_node: Option<node::rpc::Settings>,
}

/// How often we look while no block comes: `getchaintips` walks the node's whole block index.
const LOOK_PAUSE: Duration = Duration::from_secs(60);

/// How long a second node that failed is left alone: a look must not wait for it each time.
const SECOND_NODE_REST: Duration = Duration::from_secs(300);

/// A look that was this late means that we were not watching meanwhile.
const WATCH_GAP_MAX: Duration = Duration::from_secs(600);

/// What the watcher remembers from look to look. After a restart it is learnt anew, and all that
/// matters is in the database.
pub(crate) struct Watch {
    enabled: bool,
    second: Option<Node>,
    /// The configuration names the second node for this alone.
    second_is_fixed: bool,
    /// When the second node may be asked again.
    second_rests_until: Option<Instant>,
    /// Since when the two nodes have been far apart.
    apart_since: Option<Instant>,
    /// Since when we have stood at the tip, and when we last did.
    watching: Option<(Instant, Instant)>,
    looked: Option<(BlockId, Instant)>,
    on_progress: Option<ActiveGuard>,
}

impl Watch {
    pub(crate) fn new(settings: &Settings) -> Watch {
        let fixed = settings.second_node.clone().map(Node::new);
        Watch {
            enabled: settings.enabled,
            second_is_fixed: fixed.is_some(),
            second: fixed.filter(|_| settings.enabled),
            second_rests_until: None,
            apart_since: None,
            watching: None,
            looked: None,
            on_progress: None,
        }
    }

    /// Another node is followed: what the one before was trusted for says nothing of it.
    pub(crate) fn begin_anew(&mut self) {
        (self.second_rests_until, self.apart_since, self.watching) = (None, None, None);
        self.looked = None;
    }

    /// Compares with this node from now on, unless the configuration names one for that alone.
    pub(crate) fn compare_with(&mut self, other: Option<Node>) {
        if !self.second_is_fixed {
            self.second = other.filter(|_| self.enabled);
            (self.second_rests_until, self.apart_since) = (None, None);
        }
    }

    /// The node is catching up: what it shows says nothing of the chain's pace.
    pub(crate) fn node_is_behind(&mut self) {
        self.watching = None;
    }

    /// Looks, if this tip was not looked at or the last look is a while ago, and says once when a
    /// doubt begins or has ended.
    pub(crate) fn look(
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
        let since = match self.watching {
            Some((since, last)) if instant.duration_since(last) <= WATCH_GAP_MAX => since,
            Some(_) | None => instant,
        };
        self.watching = Some((since, instant));
        let tip = at_tip.tip();
        let due = self.looked.is_none_or(|(at, when)| at != tip || when.elapsed() >= LOOK_PAUSE);
        if due {
            let look = self.gather(node, store, tip, now, instant.duration_since(since))?;
            let verdict = {
                let look = look.clone();
                store.write_blocking(move |tx| chain_guard_alerts::record(tx, &look, now))?
            };
            if let Verdict::Begin(_) | Verdict::GoesOn = verdict {
                tracing::debug!(troubles = ?look.troubles, height = tip.height, "trouble");
            }
            self.looked = Some((tip, instant));
        }
        let open = store.read_blocking(chain_guard_alerts::open)?;
        self.tell(open, tip);
        Ok(())
    }

    fn gather(
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

    /// How the second node stands to our tip. `None` if there is none, or it cannot say now.
    fn ask_second(&mut self, node: &Node, tip: BlockId) -> anyhow::Result<Option<SecondNode>> {
        let Some(second) = &self.second else { return Ok(None) };
        let rests = self.second_rests_until.is_some_and(|until| Instant::now() < until);
        if rests {
            return Ok(None);
        }
        let view = match view_of(second, tip) {
            Ok(view) => view,
            Err(error) => {
                tracing::warn!(%error, "the second node does not answer");
                self.second_rests_until = Some(Instant::now() + SECOND_NODE_REST);
                return Ok(None);
            }
        };
        self.second_rests_until = None;
        let Some(view) = view else { return Ok(None) };
        let ours = node.block_hash(view.compared.height).context("compare the two nodes")?;
        let same_chain = ours == view.compared.hash;
        let apart = view.tip_height.abs_diff(tip.height);
        if apart < BRANCH_BLOCKS {
            self.apart_since = None;
        }
        let apart_ms = match apart {
            0..BRANCH_BLOCKS => 0,
            BRANCH_BLOCKS.. => {
                let since = *self.apart_since.get_or_insert_with(Instant::now);
                i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
            }
        };
        Ok(Some(SecondNode { apart, same_chain, apart_ms }))
    }

    /// Says once that a doubt began, goes on after a restart, or is over.
    fn tell(&mut self, open: Option<ActiveGuard>, tip: BlockId) {
        let on_progress =
            |chain_guard: &ActiveGuard| (chain_guard.began_at, chain_guard.began_height);
        if self.on_progress.as_ref().map(on_progress) == open.as_ref().map(on_progress) {
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
        self.on_progress = open;
    }
}

/// What the second node said.
struct View {
    tip_height: u32,
    /// Its block a little below the lower of both tips: the last ones may be a race.
    compared: BlockId,
}

/// `None` while the second node downloads the chain.
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
