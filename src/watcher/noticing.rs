//! How the watcher notices that something happened: by ZMQ, or by looking often.

use std::time::Duration;

use anyhow::{Context, ensure};

use crate::acts::payments::{ZMQ_CUT, ZMQ_SILENT};
use crate::measures;
use crate::node::rpc::Notifications;
use crate::node::zmq;

use super::{State, Watcher};

/// How often we look without ZMQ.
pub(super) const POLL_ALONE: Duration = Duration::from_millis(700);

/// How we notice that something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noticing {
    Zmq,
    Polling(Why),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    NotConfigured,
    NotBuiltIn,
    NotPublished,
    NotConnected,
    Silent,
}

impl Noticing {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Noticing::Zmq => "zmq",
            Noticing::Polling(Why::NotConfigured) => "polling: no ZMQ configured",
            Noticing::Polling(Why::NotBuiltIn) => "polling: the node was built without ZMQ",
            Noticing::Polling(Why::NotPublished) => {
                "polling: the node does not publish rawtx and hashblock"
            }
            Noticing::Polling(Why::NotConnected) => ZMQ_CUT,
            Noticing::Polling(Why::Silent) => ZMQ_SILENT,
        }
    }

    pub(super) fn pause(self) -> Duration {
        match self {
            Noticing::Zmq => zmq::POLL_WITH_ZMQ,
            Noticing::Polling(_) => POLL_ALONE,
        }
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
        let noticing = match (&self.followed.zmq, published) {
            (None, _) => Noticing::Polling(Why::NotConfigured),
            (Some(_), Notifications::NotBuiltIn) => Noticing::Polling(Why::NotBuiltIn),
            (Some(_), Notifications::Topics(topics)) => {
                let published = |kind: &str| topics.iter().any(|topic| topic.kind == kind);
                if published("pubrawtx") && published("pubhashblock") {
                    Noticing::Zmq
                } else {
                    Noticing::Polling(Why::NotPublished)
                }
            }
        };
        self.notice(noticing, state);
        *asked = true;
        Ok(())
    }

    /// Says once how blocks and transactions are noticed from now on.
    pub(super) fn notice(&self, noticing: Noticing, state: &mut State) {
        if state.noticing == noticing {
            return;
        }
        state.noticing = noticing;
        state.recorded_at = None;
        measures::notices_by_polling(noticing != Noticing::Zmq);
        match noticing {
            Noticing::Zmq => tracing::info!("noticing payments by ZMQ"),
            Noticing::Polling(_) => tracing::warn!(
                every_ms = POLL_ALONE.as_millis(),
                "noticing payments by {}",
                noticing.as_str()
            ),
        }
    }
}
