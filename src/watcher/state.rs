//! The watcher's state in memory: what lasts as long as the process, and what belongs to one
//! node.
//!
//! A restart loses all of it, which costs repeated work and repeated log lines, nothing else.

use std::time::{Duration, Instant};

use crate::domain::chain::BlockId;
use crate::domain::time::Timestamp;
use crate::progress::Lines;

use super::chain_guard;
use super::clock_watch::ClockWatch;
use super::expiry::Expiry;
use super::filter_builder::FilterBuilder;
use super::lookahead::Lookahead;
use super::mempool::MempoolView;
use super::notification_mode::{self, POLL_INTERVAL};
use super::reorg_alarm::ReorgAlarm;
use crate::view::role_status::NotificationMode;

/// What lasts as long as the process.
pub(super) struct State {
    /// Replaced as a whole when another node is followed.
    pub(super) node: NodeState,
    pub(super) lookahead: Lookahead,
    pub(super) filter_builder: FilterBuilder,
    pub(super) chain_guard: chain_guard::Watch,
    pub(super) clock: ClockWatch,
    pub(super) expiry: Expiry,
    pub(super) reorg_alarm: ReorgAlarm,
    /// The chain or the mempool changed since the reorg alarm last checked.
    pub(super) coins_changed: bool,
    /// The tip at which the payments that waited for the chain guard were evaluated.
    pub(super) evaluated_at: Option<BlockId>,
    /// When the last ZMQ message came, until it is recorded.
    pub(super) zmq_message_at: Option<Timestamp>,
    /// Why the watcher is not at the tip, as recorded for `/readyz`.
    pub(super) trouble: Option<String>,
    pub(super) failures: u32,
    pub(super) progress_lines: Lines,
}

/// What is known of the followed node.
pub(super) struct NodeState {
    pub(super) followed_since: Timestamp,
    /// Network, version and ZMQ topics were checked since the last error.
    pub(super) is_checked: bool,
    /// It has not fetched all blocks that it knows of, or has fewer than the gateway.
    pub(super) is_behind: bool,
    pub(super) mempool: MempoolView,
    /// When its whole mempool was last compared.
    pub(super) compared_at: Option<Timestamp>,
    /// It still reads its mempool file after its start, so the watcher polls it often.
    pub(super) is_loading_mempool: bool,
    pub(super) notification_mode: NotificationMode,
    /// Since when there is no ZMQ connection; `None` while there is one.
    pub(super) disconnected_since: Option<Instant>,
    /// Passes in a row that found a new tip without a `hashblock` message.
    pub(super) unannounced_tips: u32,
    /// A `hashblock` message came since the last pass.
    pub(super) block_announced: bool,
    /// When success was last recorded for this node.
    pub(super) recorded_at: Option<Timestamp>,
    /// The index of the node that the chain guard compares it with.
    pub(super) second_node: Option<usize>,
}

impl NodeState {
    /// A node that was not asked yet. `compared_at`: see the field.
    pub(super) fn new(followed_since: Timestamp, compared_at: Option<Timestamp>) -> NodeState {
        NodeState {
            followed_since,
            is_checked: false,
            is_behind: false,
            mempool: MempoolView::default(),
            compared_at,
            is_loading_mempool: false,
            notification_mode: NotificationMode::Zmq,
            disconnected_since: Some(Instant::now()),
            unannounced_tips: 0,
            block_announced: true,
            recorded_at: None,
            second_node: None,
        }
    }

    /// The longest pause until the next pass.
    pub(super) fn pause(&self) -> Duration {
        match self.is_loading_mempool {
            true => POLL_INTERVAL,
            false => notification_mode::pause(self.notification_mode),
        }
    }
}
