//! Key-value pairs that a shop attaches to a payment.

use std::collections::BTreeMap;

/// Maximum number of pairs.
pub(crate) const METADATA_PAIRS_MAX: usize = 16;

/// Maximum length of all keys and values together, in bytes.
pub(crate) const METADATA_BYTES_MAX: usize = 2_048;

/// The shop's own pairs of a payment. They are returned to the shop and never shown to others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Metadata(BTreeMap<String, String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an object of at most {METADATA_PAIRS_MAX} pairs of strings and {METADATA_BYTES_MAX} bytes"
)]
pub(crate) struct BadMetadata;

impl Metadata {
    /// # Errors
    /// If there are too many pairs, or they are too long.
    pub(crate) fn new(pairs: BTreeMap<String, String>) -> Result<Metadata, BadMetadata> {
        let bytes: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        let fits = pairs.len() <= METADATA_PAIRS_MAX && bytes <= METADATA_BYTES_MAX;
        if fits { Ok(Metadata(pairs)) } else { Err(BadMetadata) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_few_pairs_and_bytes() {
        let pairs = |count: usize, value: &str| {
            let pair = |n: usize| (format!("{n:02}"), value.to_owned());
            Metadata::new((0..count).map(pair).collect()).is_ok()
        };
        assert!(pairs(0, ""));
        assert!(pairs(16, ""));
        assert!(!pairs(17, ""));
        assert!(pairs(1, &"x".repeat(2_046)));
        assert!(!pairs(1, &"x".repeat(2_047)));
        assert!(!pairs(1, &"ö".repeat(1_024)));
    }
}
