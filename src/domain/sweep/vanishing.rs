//! Sweeps that may have become impossible because one of their coins was removed.

use std::collections::BTreeMap;

/// Sweeps with a coin that is neither on the best chain nor in the mempool, each with the
/// height of our tip when that was first seen. Not stored: a restart lengthens the wait, never
/// shortens it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Vanishing {
    since_height: BTreeMap<i64, u32>,
}

impl Vanishing {
    /// Records the sweeps concerned at this tip. Returns those that were concerned without a
    /// break for this many blocks.
    pub(crate) fn observe(&mut self, sweeps: &[i64], tip_height: u32, blocks: u32) -> Vec<i64> {
        self.since_height.retain(|sweep, _| sweeps.contains(sweep));
        let mut lasting = Vec::new();
        for sweep in sweeps {
            let since = *self.since_height.entry(*sweep).or_insert(tip_height);
            if tip_height.saturating_sub(since) >= blocks {
                lasting.push(*sweep);
            }
        }
        lasting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coin_loss_counts_only_after_it_persists() {
        let mut vanishing = Vanishing::default();
        assert_eq!(vanishing.observe(&[7], 100, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7, 8], 101, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7, 8], 102, 2), [7]);
        assert_eq!(vanishing.observe(&[8], 103, 2), [8]);
        // 7 was absent in between, so its time restarts. A lower tip does not count.
        assert_eq!(vanishing.observe(&[7], 103, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7], 90, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7], 105, 2), [7]);
    }
}
