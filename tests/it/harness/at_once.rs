//! The same act many times at once, for what two may both want. Knows nothing of the acts.

use std::thread;

/// Runs the act so many times at once, and gives what each came to.
pub(crate) fn at_once<T: Send>(count: usize, act: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&act)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
