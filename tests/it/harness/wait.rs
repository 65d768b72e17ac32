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

/// Expects that something stays true for a while, to show that nothing happens.
#[track_caller]
pub(crate) fn stays_true(what: &str, duration: Duration, mut look: impl FnMut() -> bool) {
    let start = Instant::now();
    while start.elapsed() < duration {
        assert!(look(), "did not stay so: {what}");
        std::thread::sleep(PAUSE);
    }
}
