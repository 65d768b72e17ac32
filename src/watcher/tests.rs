//! Shared parts of this folder's tests: block headers, the number of random histories, and the
//! file of histories that failed once, which run first.

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use proptest::prelude::ProptestConfig;
use proptest::test_runner::FileFailurePersistence;

const FAILED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/histories.txt");

/// So many in the usual run; `PROPTEST_CASES=100000` plays as many.
pub(super) fn histories(usual: u32) -> ProptestConfig {
    #[expect(clippy::disallowed_methods, reason = "proptest's own variable")]
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(usual),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(FAILED))),
        ..ProptestConfig::default()
    }
}

/// The header of a block on top of another, or of a first one. Two of one height differ by
/// their nonce.
pub(super) fn header_on(parent: Option<BlockHash>, time: u32, nonce: u32) -> Header {
    Header {
        version: Version::TWO,
        prev_blockhash: parent.unwrap_or_else(BlockHash::all_zeros),
        merkle_root: TxMerkleNode::all_zeros(),
        time,
        bits: CompactTarget::from_consensus(0),
        nonce,
    }
}
