//! Signs of life. A loop that must never stand still says each time that it goes round; whoever
//! watches over the process asks how long ago that was.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The loops that are watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loop {
    Watcher,
    Sweeper,
}

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// When each loop last went round, in milliseconds since the beginning, plus one; 0 is never.
static HEARTBEATS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

fn since_began_ms() -> u64 {
    u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The loop goes on.
pub(crate) fn heartbeat(of: Loop) {
    HEARTBEATS[of as usize].store(since_began_ms().saturating_add(1), Ordering::Relaxed);
}

/// How long the loop that has stood still for longest has done so. A loop that has not begun
/// counts for nothing: it may run in another process.
pub(crate) fn stalest() -> Duration {
    let now = since_began_ms();
    let heartbeats =
        HEARTBEATS.iter().map(|heartbeat| heartbeat.load(Ordering::Relaxed)).filter(|at| *at > 0);
    let longest = heartbeats.map(|at| now.saturating_sub(at.saturating_sub(1))).max();
    Duration::from_millis(longest.unwrap_or(0))
}
