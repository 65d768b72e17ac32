//! Checks of a node before it is followed: its network, its version, and its ZMQ topics.

use anyhow::{Context, ensure};

use crate::metrics;
use crate::node::status::Notifications;

use super::notification_mode::POLL_INTERVAL;
use super::role::Watcher;
use super::state::State;
use crate::view::role_status::{NotificationMode, PollingReason};

impl Watcher {
    /// Checks the node once after each change of node and after each error.
    pub(super) fn check_node(&self, state: &mut State) -> anyhow::Result<()> {
        if state.node.is_checked {
            return Ok(());
        }
        let node = &self.followed.node;
        let genesis = node.genesis_hash().context("read the genesis block")?.to_string();
        ensure!(
            genesis == self.network.genesis_hash(),
            "the node's chain begins with {genesis}: it is not on {}",
            self.network
        );
        if let Some(oldest) = self.followed.oldest {
            let version = node.version().context("read the version of the node")?;
            ensure!(
                version.number >= oldest,
                "the node is {}, older than 0.21.5.4, and may follow an invalid chain; update it, \
                 or set node.allow_old_node",
                version.name
            );
        }
        let published = node.notifications().context("read the ZMQ topics of the node")?;
        self.set_notification_mode(self.mode_for(&published), state);
        state.node.is_checked = true;
        Ok(())
    }

    fn mode_for(&self, published: &Notifications) -> NotificationMode {
        match (&self.followed.zmq, published) {
            (None, _) => NotificationMode::Polling(PollingReason::NotConfigured),
            (Some(_), Notifications::NotBuiltIn) => {
                NotificationMode::Polling(PollingReason::NotBuiltIn)
            }
            (Some(_), Notifications::Topics(topics)) => {
                let published = |kind: &str| topics.iter().any(|topic| topic.kind == kind);
                if published("pubrawtx") && published("pubhashblock") {
                    NotificationMode::Zmq
                } else {
                    NotificationMode::Polling(PollingReason::NotPublished)
                }
            }
        }
    }

    pub(super) fn set_notification_mode(&self, mode: NotificationMode, state: &mut State) {
        if state.node.notification_mode == mode {
            return;
        }
        state.node.notification_mode = mode;
        state.node.recorded_at = None;
        metrics::notifications_by_polling(mode != NotificationMode::Zmq);
        match mode {
            NotificationMode::Zmq => tracing::info!("payments are detected by ZMQ"),
            NotificationMode::Polling(_) => tracing::warn!(
                every_ms = POLL_INTERVAL.as_millis(),
                "payments are detected by {}",
                mode
            ),
        }
    }
}
