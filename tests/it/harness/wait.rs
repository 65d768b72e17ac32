//! Waits for conditions, with a deadline. The only module that sleeps.

use std::time::{Duration, Instant};

/// Poll interval.
const PAUSE: Duration = Duration::from_millis(10);

/// Enough for anything that works, on a machine that runs other tests.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Polls until `look` answers a value, or fails naming `what`.
#[track_caller]
pub(crate) fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}

/// Polls until `look` is true.
#[track_caller]
pub(crate) fn wait_for(what: &str, deadline: Duration, mut look: impl FnMut() -> bool) {
    wait_until(what, deadline, || look().then_some(()));
}

/// Waits while nothing happens, to count what is done without a cause: no event can end this.
pub(crate) fn rest(duration: Duration) {
    std::thread::sleep(duration);
}
