//! Crash points for tests, where the process dies as if by `kill -9`. Debug builds only; in a
//! release they do nothing.
//!
//! The points are `before-commit`, `after-commit`, `heads-raised` and `before-broadcast`; on a
//! change of node `node-left` and `node-taken`; on a database upgrade `upgrade-copied`,
//! `upgrade-step`, `upgrade-kept` and `upgrade-done`; on a restore `restore-moved` and
//! `restore-placed`; on a rotation of the master secret `secret-next`, `secret-old`,
//! `secret-row-keys` and `secret-replaced`. `command` and `button` panic instead, like a bug in a
//! bot command. A point is armed by `name`, or by `name@file`, which waits until the file exists.

#[cfg(debug_assertions)]
static ARMED: std::sync::OnceLock<(String, Option<std::path::PathBuf>)> =
    std::sync::OnceLock::new();

/// Arms this point. Does nothing in a release.
pub(crate) fn arm(point: &str) {
    #[cfg(debug_assertions)]
    let _ = ARMED.set(match point.split_once('@') {
        Some((name, file)) => (name.to_owned(), Some(file.into())),
        None => (point.to_owned(), None),
    }); // Set once, at start.
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Aborts if this point is armed.
pub(crate) fn point(name: &str) {
    #[cfg(debug_assertions)]
    if is_armed(name) {
        // No unwinding, no destructors, no flush: like a power failure.
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Panics if this point is armed.
pub(crate) fn panic_at(name: &str) {
    #[cfg(debug_assertions)]
    assert!(!is_armed(name), "a test wants a panic at {name}");
    #[cfg(not(debug_assertions))]
    let _ = name;
}

#[cfg(debug_assertions)]
fn is_armed(name: &str) -> bool {
    ARMED.get().is_some_and(|(armed, file)| {
        armed == name && file.as_ref().is_none_or(|file| file.exists())
    })
}
