//! The machine's clock, which the gateway, the node and the receivers of a test share.

use std::time::{Duration, SystemTime};

/// Time since the Unix epoch.
#[expect(clippy::disallowed_methods, reason = "the one place of the tests that reads the clock")]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap()
}
