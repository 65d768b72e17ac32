//! Runs the same action concurrently, for races.

use std::thread;

/// Runs the action `count` times at once. Answers all results.
pub(crate) fn at_once<T: Send>(count: usize, act: impl Fn() -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(&act)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
