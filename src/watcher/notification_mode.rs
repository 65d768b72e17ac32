//! How the watcher learns of new transactions and blocks: by ZMQ, or by polling.

use std::time::Duration;

use crate::node::zmq;
use crate::operations::payments::{ZMQ_CUT, ZMQ_SILENT};

/// How often the watcher polls without ZMQ.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(700);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotificationMode {
    Zmq,
    Polling(PollingReason),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PollingReason {
    NotConfigured,
    NotBuiltIn,
    NotPublished,
    NotConnected,
    Silent,
}

impl NotificationMode {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            NotificationMode::Zmq => "zmq",
            NotificationMode::Polling(PollingReason::NotConfigured) => "polling: no ZMQ configured",
            NotificationMode::Polling(PollingReason::NotBuiltIn) => {
                "polling: the node was built without ZMQ"
            }
            NotificationMode::Polling(PollingReason::NotPublished) => {
                "polling: the node does not publish rawtx and hashblock"
            }
            NotificationMode::Polling(PollingReason::NotConnected) => ZMQ_CUT,
            NotificationMode::Polling(PollingReason::Silent) => ZMQ_SILENT,
        }
    }

    /// The longest pause between two passes.
    pub(super) fn pause(self) -> Duration {
        match self {
            NotificationMode::Zmq => zmq::POLL_WITH_ZMQ,
            NotificationMode::Polling(_) => POLL_INTERVAL,
        }
    }
}
