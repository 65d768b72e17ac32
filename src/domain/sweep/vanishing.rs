//! Sweeps that may have become impossible, because a coin of theirs has vanished.

use std::collections::BTreeMap;

/// The sweeps of which a coin is neither in the best chain nor in the mempool any more, each with
/// the height of our tip when that was first seen. Forgotten when the process ends: a restart
/// makes the wait longer, never shorter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Vanishing {
    since_height: BTreeMap<i64, u32>,
}

impl Vanishing {
    /// Takes the sweeps of which this is so at this tip. Answers those of which it has been so,
    /// without a break, for so many blocks.
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
        // 7 had come back for a while: its time begins again. A lower tip counts for nothing.
        assert_eq!(vanishing.observe(&[7], 103, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7], 90, 2), [0i64; 0]);
        assert_eq!(vanishing.observe(&[7], 105, 2), [7]);
    }
}
