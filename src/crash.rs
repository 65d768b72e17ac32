//! Named points at which a test lets the process die, as `kill -9` would. Debug builds only: a
//! release has no such points.
//!
//! The points are `before-commit`, `after-commit` and `before-broadcast`; of a change of node
//! `node-left` and `node-taken`; of an upgrade of the database `upgrade-copied`,
//! `upgrade-step`, `upgrade-kept` and `upgrade-done`; of a restore `restore-moved` and
//! `restore-placed`. At `command` and `button` there is a panic
//! instead, as by a mistake in a command of the bot. A point is armed by its name, or by
//! `name@file`: then it waits until that file is there.

#[cfg(debug_assertions)]
static ARMED: std::sync::OnceLock<(String, Option<std::path::PathBuf>)> =
    std::sync::OnceLock::new();

/// Makes the process die when it reaches this point. Without effect in a release.
pub(crate) fn arm(point: &str) {
    #[cfg(debug_assertions)]
    let _ = ARMED.set(match point.split_once('@') {
        Some((name, file)) => (name.to_owned(), Some(file.into())),
        None => (point.to_owned(), None),
    }); // Set once, at start.
    #[cfg(not(debug_assertions))]
    let _ = point;
}

/// Dies here if this point was armed.
pub(crate) fn point(name: &str) {
    #[cfg(debug_assertions)]
    if is_armed(name) {
        // No unwinding, no destructors, no flushing: as if the power had gone.
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Panics here if this point was armed.
pub(crate) fn stumble(name: &str) {
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
