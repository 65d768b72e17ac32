//! How the watcher notices that something happened: by ZMQ, or by looking often.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::metrics;
use crate::node::rpc::Notifications;
use crate::node::zmq;
use crate::view::role_status::{NotificationMode, PollingReason};

use super::{State, Watcher};

/// How often we look without ZMQ.
pub(super) const POLL_ALONE: Duration = Duration::from_millis(700);

/// How long the watcher waits between two looks at the node.
pub(super) fn pause(mode: NotificationMode) -> Duration {
    match mode {
        NotificationMode::Zmq => zmq::POLL_WITH_ZMQ,
        NotificationMode::Polling(_) => POLL_ALONE,
    }
}

impl Watcher {
    /// Asks the node, once after each (re)connection, which chain it has and what it publishes.
    pub(super) fn ask_once(&self, asked: &mut bool, state: &mut State) -> anyhow::Result<()> {
        if *asked {
            return Ok(());
        }
        let genesis =
            self.followed.node.genesis_hash().context("ask for the first block")?.to_string();
        ensure!(
            genesis == self.network.genesis_hash(),
            "the node's chain begins with {genesis}: it is not on {}",
            self.network
        );
        if let Some(oldest) = self.followed.oldest {
            let version = self.followed.node.version().context("ask for the node's version")?;
            ensure!(
                version.number >= oldest,
                "the node is {}, older than 0.21.5.4, and may follow an invalid chain; update it, \
                 or set node.allow_old_node",
                version.name
            );
        }
        let published = self.followed.node.notifications().context("ask for ZMQ")?;
        let notification_mode = match (&self.followed.zmq, published) {
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
        };
        self.notification(notification_mode, state);
        *asked = true;
        Ok(())
    }

    /// Says once how blocks and transactions are noticed from now on.
    pub(super) fn notification(&self, notification_mode: NotificationMode, state: &mut State) {
        if state.notification_mode == notification_mode {
            return;
        }
        state.notification_mode = notification_mode;
        state.recorded_at = None;
        metrics::notifications_by_polling(notification_mode != NotificationMode::Zmq);
        match notification_mode {
            NotificationMode::Zmq => tracing::info!("payments are detected by ZMQ"),
            NotificationMode::Polling(_) => tracing::warn!(
                every_ms = POLL_ALONE.as_millis(),
                "payments are detected by {notification_mode}"
            ),
        }
    }
}
