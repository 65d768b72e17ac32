//! Shows that nothing changes, by completed passes of a loop instead of by time.

use super::gateway::Gateway;
use super::node::Node;
use super::roles::Part;
use super::wait::{SOON, wait_for};

/// A loop of the gateway that counts its passes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Passes {
    Watcher,
    Sweeper,
    Webhooks,
    Notifications,
}

impl Passes {
    fn metric(self) -> &'static str {
        match self {
            Passes::Watcher => "litegate_watcher_passes_total{",
            Passes::Sweeper => "litegate_sweeper_passes_total{",
            Passes::Webhooks => "litegate_webhook_rounds_total{",
            Passes::Notifications => "litegate_notification_rounds_total{",
        }
    }

    /// Passes that have ended, whatever their outcome.
    fn count(self, metrics: &str) -> u64 {
        let counts = metrics.lines().filter_map(|line| {
            let (_, count) = line.strip_prefix(self.metric())?.split_once("} ")?;
            Some(count.parse::<u64>().unwrap())
        });
        counts.sum()
    }

    /// Expects that `look` is true now, until so many passes have ended, and then.
    #[track_caller]
    fn hold(
        self,
        count: u64,
        what: &str,
        metrics: impl Fn() -> String,
        mut look: impl FnMut() -> bool,
    ) {
        let before = self.count(&metrics());
        wait_for(&format!("{count} passes of {self:?}: {what}"), 3 * SOON, || {
            // Read before the condition, which is so checked after the last pass.
            let now = self.count(&metrics());
            assert!(look(), "did not stay so: {what}");
            now >= before + count
        });
    }
}

impl Gateway {
    /// Expects that something stays true while this loop makes two passes: the first may have
    /// begun earlier, the second has seen everything that the test did.
    #[track_caller]
    pub(crate) fn holds_for_passes(&self, passes: Passes, what: &str, look: impl FnMut() -> bool) {
        passes.hold(2, what, || self.metrics(), look);
    }

    /// As [`Gateway::holds_for_passes`], for so many passes. For a thread that counts none
    /// and works more often than this loop.
    #[track_caller]
    pub(crate) fn holds_for(
        &self,
        count: u64,
        passes: Passes,
        what: &str,
        look: impl FnMut() -> bool,
    ) {
        passes.hold(count, what, || self.metrics(), look);
    }
}

impl Gateway {
    /// As [`Gateway::holds_for_passes`], for passes of the watcher that two empty blocks
    /// cause: without them the next one is up to five seconds away. The pass that records
    /// the second block began after the one of the first had ended.
    #[track_caller]
    pub(crate) fn holds_for_blocks(&self, node: &Node, what: &str, mut look: impl FnMut() -> bool) {
        for _ in 0..2 {
            node.mine_empty();
            self.await_tip(&node.height().to_string());
            assert!(look(), "did not stay so: {what}");
        }
    }
}

impl Part {
    /// As [`Gateway::holds_for_passes`], for a process that is not the watcher's.
    #[track_caller]
    pub(crate) fn holds_for_passes(&self, passes: Passes, what: &str, look: impl FnMut() -> bool) {
        passes.hold(2, what, || self.metrics(), look);
    }
}
