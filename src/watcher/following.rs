//! Which of several nodes the watcher follows, and what a change of node means for what it knows.

use std::time::Instant;

use crate::crash;
use crate::domain::time::Timestamp;
use crate::store::{self, chain_guard_alerts, node_in_use};

use super::mempool::{LookedAt, Patience};
use super::node_monitor::NodeMonitor;
use super::subscriber::Subscriber;
use super::{State, Watcher};
use crate::view::role_status::NotificationMode;

/// For how many times the patience a node that is followed from now on, or was restarted, is given
/// to hear of what was seen before: ten minutes, as it is configured.
const HEARSAY_PATIENCES: u32 = 20;

impl Watcher {
    /// Follows another node from now on. All that was learnt from the one before is forgotten; the
    /// next pass walks from the block that we stand on to where the other stands, as after a start.
    ///
    /// # Errors
    /// If the change cannot be stored: then nothing changes.
    pub(super) fn change_node(
        &mut self,
        to: usize,
        state: &mut State,
        subscriber: &mut Subscriber,
        node_monitor: &NodeMonitor,
    ) -> anyhow::Result<()> {
        let next = self.nodes.all()[to].clone();
        let from = self.nodes.place_of(Some(&self.followed.name));
        crash::point("node-left");
        let followed_since = self.record_followed(&next.name)?;
        crash::point("node-taken");
        tracing::warn!(
            from = self.followed.name,
            to = next.name,
            "following another node: the one before is {}",
            node_monitor.health_of(from)
        );
        node_monitor.follow(to);
        self.followed = node_monitor.leavable(&next);
        subscriber.end();
        *subscriber = self.subscribe();
        state.followed_since = followed_since;
        state.compared_at = None;
        state.looked_at = LookedAt::default();
        state.notification_mode = NotificationMode::Zmq;
        state.disconnected_since = Some(Instant::now());
        state.unreported_moves = 0;
        state.block_announced = true;
        state.recorded_at = None;
        state.chain_guard.begin_anew();
        state.compared = None;
        Ok(())
    }

    /// Records which node is followed, if it is another than before: by our choice, or because the
    /// configuration names another. Answers since when it has been.
    pub(super) fn record_followed(&self, name: &str) -> Result<Timestamp, store::Error> {
        let (name, now) = (name.to_owned(), self.clock.now());
        self.store.write_blocking(move |tx| node_in_use::follow(tx, &name, now))
    }

    /// How long the node that is followed may take to hear of what was seen before.
    pub(super) fn patience_with(&self, state: &State, now: Timestamp) -> Patience {
        let wait = self.patience * HEARSAY_PATIENCES;
        Patience { now, followed_since: state.followed_since, wait }
    }

    /// Sees to it that the followed node is held against another that answers, if there is one.
    pub(super) fn choose_other(
        &self,
        state: &mut State,
        node_monitor: &NodeMonitor,
    ) -> anyhow::Result<()> {
        let chosen = node_monitor.other(state.compared);
        if chosen == state.compared {
            return Ok(());
        }
        // What a node that is silent said last stands, and nobody else can take it back.
        let disagrees = || self.store.read_blocking(chain_guard_alerts::nodes_disagree);
        if state.compared.is_none() || !disagrees()? {
            let node = chosen.map(|at| self.nodes.all()[at].probe.clone());
            state.chain_guard.compare_with(node);
            state.compared = chosen;
        }
        Ok(())
    }
}
