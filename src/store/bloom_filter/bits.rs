//! A set of keys at three bytes per key, without false negatives and with about one false
//! positive in five hundred.

use std::hash::{BuildHasher, RandomState};

/// Bits per expected key; nearly four of every 24 are set.
const BITS_PER_KEY: usize = 24;

/// Maximum size in words of eight bytes: 256 MB, for ninety million keys.
const WORDS_MAX: usize = 32 * 1024 * 1024;

/// The set. Keys cannot be removed.
#[derive(Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
    /// Random in each process, so that no attacker can make outputs that collide with ours.
    hasher: RandomState,
    keys: usize,
}

impl Bits {
    /// An empty set for this many keys.
    pub(super) fn for_keys(keys: usize) -> Bits {
        let words = keys.saturating_mul(BITS_PER_KEY).div_ceil(64).clamp(64, WORDS_MAX);
        Bits { words: vec![0; words], hasher: RandomState::new(), keys: 0 }
    }

    pub(super) fn insert(&mut self, key: &[u8]) {
        let (at, mask) = self.place(key);
        if let Some(word) = self.words.get_mut(at) {
            self.keys += usize::from(*word & mask != mask);
            *word |= mask;
        }
    }

    /// Whether the key may have been added; `false` is certain.
    pub(super) fn may_contain(&self, key: &[u8]) -> bool {
        let (at, mask) = self.place(key);
        self.words.get(at).is_none_or(|word| word & mask == mask)
    }

    /// The approximate number of keys.
    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    /// Whether it has twice the keys that it was made for, so that one in fifty other keys is
    /// a false positive.
    pub(super) fn is_crowded(&self) -> bool {
        let made_for = self.words.len().saturating_mul(64) / BITS_PER_KEY;
        self.words.len() < WORDS_MAX && self.keys > made_for.saturating_mul(2)
    }

    /// The word of a key, and its four bits there: one memory access per key.
    fn place(&self, key: &[u8]) -> (usize, u64) {
        let hash = self.hasher.hash_one(key);
        // The upper bits select the word (Lemire's reduction).
        let at = (u128::from(hash) * self.words.len() as u128) >> 64;
        let bit = |shift: u32| 1u64 << ((hash >> shift) & 63);
        (usize::try_from(at).unwrap_or(usize::MAX), bit(0) | bit(6) | bit(12) | bit(18))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bloom_filter_has_no_false_negatives() {
        let mut bits = Bits::for_keys(20_000);
        for n in 0..20_000u32 {
            bits.insert(&n.to_be_bytes());
        }
        assert!((0..20_000u32).all(|n| bits.may_contain(&n.to_be_bytes())));
        let others = (20_000..120_000u32).filter(|n| bits.may_contain(&n.to_be_bytes())).count();
        assert!(others < 400, "{others} of 100,000 others");
        assert!(!bits.is_crowded());
    }

    #[test]
    fn an_overfull_bloom_filter_reports_that_it_is_crowded() {
        let mut bits = Bits::for_keys(1_000);
        let mut put = 0u32;
        while !bits.is_crowded() {
            bits.insert(&put.to_be_bytes());
            put += 1;
            assert!(put < 10_000, "it is never crowded");
        }
        assert!(put > 1_500, "crowded after {put}");
        assert!((0..put).all(|n| bits.may_contain(&n.to_be_bytes())));
    }

    #[test]
    fn two_bloom_filters_have_different_false_positives() {
        let (mut one, mut two) = (Bits::for_keys(2_000), Bits::for_keys(2_000));
        for n in 0..2_000u32 {
            one.insert(&n.to_be_bytes());
            two.insert(&n.to_be_bytes());
        }
        let wrong = |bits: &Bits| -> Vec<u32> {
            (2_000..22_000u32).filter(|n| bits.may_contain(&n.to_be_bytes())).collect()
        };
        assert_ne!(wrong(&one), wrong(&two), "each has a key of its own");
    }
}
