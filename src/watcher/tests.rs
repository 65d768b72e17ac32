//! What the tests of this folder share: how many random histories they play, and where those that
//! once failed are kept, to be played first.

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
