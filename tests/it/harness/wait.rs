//! Waiting for something to become true, with a deadline. The only place that sleeps.

use std::time::{Duration, Instant};

/// How long a look-again loop rests between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Long enough for anything that works, on a machine that is busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Looks until `look` finds something, and says what was awaited if it never does.
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

/// Looks until `look` is true.
#[track_caller]
pub(crate) fn wait_for(what: &str, deadline: Duration, mut look: impl FnMut() -> bool) {
    wait_until(what, deadline, || look().then_some(()));
}

/// Watches that something stays true for a while: the way to see that nothing happens.
#[track_caller]
pub(crate) fn stays_true(what: &str, duration: Duration, mut look: impl FnMut() -> bool) {
    let start = Instant::now();
    while start.elapsed() < duration {
        assert!(look(), "did not stay so: {what}");
        std::thread::sleep(PAUSE);
    }
}
