//! Named points at which a test lets the process die, as `kill -9` would. Debug builds only: a
//! release has no such points.

#[cfg(debug_assertions)]
static ARMED: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Makes the process die when it reaches the point of this name. Without effect in a release.
pub(crate) fn arm(name: &str) {
    #[cfg(debug_assertions)]
    let _ = ARMED.set(name.to_owned()); // Set once, at start.
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Dies here if this point was armed.
pub(crate) fn point(name: &str) {
    #[cfg(debug_assertions)]
    if ARMED.get().is_some_and(|armed| armed == name) {
        // No unwinding, no destructors, no flushing: as if the power had gone.
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
