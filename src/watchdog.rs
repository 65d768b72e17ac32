//! Heartbeats of the main loops, for systemd's watchdog.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loop {
    Watcher,
    Sweeper,
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The last heartbeat of each loop, in milliseconds since the start plus one; 0 means none
/// yet.
static HEARTBEATS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

fn since_began_ms() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Records that the loop is running.
pub(crate) fn heartbeat(of: Loop) {
    HEARTBEATS[of as usize].store(since_began_ms().saturating_add(1), Ordering::Relaxed);
}

/// Time since the oldest of the loops' last heartbeats. A loop without a heartbeat is ignored:
/// it may run in another process.
pub(crate) fn stalest() -> Duration {
    let now = since_began_ms();
    let heartbeats =
        HEARTBEATS.iter().map(|heartbeat| heartbeat.load(Ordering::Relaxed)).filter(|at| *at > 0);
    let longest = heartbeats.map(|at| now.saturating_sub(at.saturating_sub(1))).max();
    Duration::from_millis(longest.unwrap_or(0))
}
