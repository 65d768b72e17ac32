//! Rate limit of deliveries per receiver and per merchant: a burst, then a steady rate.
//!
//! In memory only: a restart resets it.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// The steady rate: fifty per second.
const INTERVAL: Duration = Duration::from_millis(20);

/// Deliveries that may begin at once after a pause.
pub(super) const BURST: u32 = 200;

/// The generic cell rate algorithm: for each key the time at which it is within its rate
/// again. Keys within their rate are removed.
#[derive(Debug)]
pub(super) struct RateLimit<K> {
    ahead_until: HashMap<K, Instant>,
}

impl<K> Default for RateLimit<K> {
    fn default() -> RateLimit<K> {
        RateLimit { ahead_until: HashMap::new() }
    }
}

impl<K: Eq + Hash> RateLimit<K> {
    /// Whether one more delivery may begin now.
    pub(super) fn allows(&self, key: &K, now: Instant) -> bool {
        let ahead = self.ahead_until.get(key).map(|until| until.saturating_duration_since(now));
        ahead.is_none_or(|ahead| ahead + INTERVAL <= INTERVAL * BURST)
    }

    pub(super) fn count(&mut self, key: K, now: Instant) {
        self.ahead_until.retain(|_, until| *until > now);
        let until = self.ahead_until.entry(key).or_insert(now);
        *until += INTERVAL;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_limit_allows_a_burst_and_then_a_steady_rate() {
        let (mut rate_limit, start) = (RateLimit::default(), Instant::now());
        let mut count_until_refused = |key: &'static str, now: Instant| {
            let mut counted = 0;
            while rate_limit.allows(&key, now) {
                rate_limit.count(key, now);
                counted += 1;
            }
            counted
        };
        assert_eq!(count_until_refused("a", start), BURST);
        assert_eq!(count_until_refused("b", start), BURST, "keys are independent");
        assert_eq!(count_until_refused("a", start + INTERVAL / 2), 0);
        assert_eq!(count_until_refused("a", start + Duration::from_secs(1)), 50);
        assert_eq!(count_until_refused("a", start + Duration::from_secs(2)), 50);
        assert_eq!(count_until_refused("a", start + Duration::from_secs(600)), BURST);
        assert_eq!(rate_limit.ahead_until.len(), 1, "idle keys are removed");
    }
}
