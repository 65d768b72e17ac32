//! How the watcher learns of transactions and blocks: pauses of ZMQ and of polling.

use std::time::Duration;

use crate::node::zmq;
use crate::view::role_status::NotificationMode;

/// How often the watcher polls without ZMQ.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(700);

/// The longest pause between two passes.
pub(super) fn pause(mode: NotificationMode) -> Duration {
    match mode {
        NotificationMode::Zmq => zmq::POLL_WITH_ZMQ,
        NotificationMode::Polling(_) => POLL_INTERVAL,
    }
}
