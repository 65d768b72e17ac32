//! Following another node: the change itself, and the time that a node gets to learn of coins
//! which were seen before.

use crate::crash;
use crate::domain::time::Timestamp;
use crate::store::{self, chain_guard_alerts, node_in_use};

use super::mempool::Patience;
use super::node_monitor::NodeMonitor;
use super::role::Watcher;
use super::state::{NodeState, State};
use super::subscriber::Subscriber;

/// How many times `failover.timeout` a node that is newly followed, or was restarted, gets to
/// learn of coins that were seen before: ten minutes by default.
const CATCH_UP_TIMEOUTS: u32 = 20;

impl Watcher {
    /// Follows another node. What was learned from the previous node is dropped. The next pass
    /// syncs from the gateway's tip, as after a start.
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
            "following another node: the previous one is {}",
            node_monitor.health_of(from)
        );
        node_monitor.follow(to);
        self.followed = node_monitor.cancelled_by_failover(&next);
        subscriber.end();
        *subscriber = self.subscribe();
        let second_node = state.node.second_node;
        state.node = NodeState { second_node, ..NodeState::new(followed_since, None) };
        state.chain_guard.node_changed();
        Ok(())
    }

    /// Records the followed node, if it is another than before: after a failover, or because
    /// the configuration names another. Returns since when it has been followed.
    pub(super) fn record_followed(&self, name: &str) -> Result<Timestamp, store::Error> {
        let (name, now) = (name.to_owned(), self.clock.now());
        self.store.write_blocking(move |tx| node_in_use::follow(tx, &name, now))
    }

    /// How long the followed node gets to learn of coins that were seen before.
    pub(super) fn patience_with(&self, state: &State, now: Timestamp) -> Patience {
        let wait = self.failover_timeout * CATCH_UP_TIMEOUTS;
        Patience { now, followed_since: state.node.followed_since, wait }
    }

    /// Chooses the node that the chain guard compares the followed one with, if another
    /// answers.
    pub(super) fn choose_second_node(
        &self,
        state: &mut State,
        node_monitor: &NodeMonitor,
    ) -> anyhow::Result<()> {
        // After a failover the second node may be the followed one, which says nothing about it.
        let followed = self.nodes.place_of(Some(&self.followed.name));
        let present = state.node.second_node.filter(|at| *at != followed);
        let chosen = node_monitor.other(present);
        if chosen == state.node.second_node {
            return Ok(());
        }
        // The last answer of a node that is silent now still counts. Only that node can revoke
        // it.
        let disagrees = || self.store.read_blocking(chain_guard_alerts::nodes_disagree);
        if present.is_none() || !disagrees()? {
            let node = chosen.map(|at| self.nodes.all()[at].probe.clone());
            state.chain_guard.compare_with(node);
            state.node.second_node = chosen;
        }
        Ok(())
    }
}
