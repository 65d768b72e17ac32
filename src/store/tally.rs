//! Counter of this process's reads and commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts this process's reads and commits, before their outcome is returned. While the count
/// is unchanged, no caller has learned of a newer state from this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(Arc<AtomicU64>);

impl Tally {
    pub(super) fn count(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}
