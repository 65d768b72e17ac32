//! Rate limiter with a bucket per key (GCRA, by the `governor` crate), for API requests and
//! bot commands. In memory: a restart allows a new burst.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

type Buckets<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// Keys that are kept before full buckets are dropped.
const KEYS_MAX: usize = 100_000;

/// While there are more keys, full buckets are dropped once in so many events: each search
/// visits all keys.
const DROP_EVERY: usize = 1_000;

/// A limit for each of many keys. Never refuses when it is off.
pub(crate) struct RateLimit<K: Hash + Eq + Clone> {
    buckets: Option<Buckets<K>>,
    /// Events that were counted while there were too many keys.
    counted: AtomicUsize,
}

/// The rest of a key's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remaining {
    /// Events that would be allowed now.
    pub(crate) left: u32,
    /// Seconds until the whole burst is allowed again.
    pub(crate) reset_seconds: u64,
}

/// A refused event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Seconds until the next event may be allowed.
    pub(crate) retry_after_seconds: u64,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// `rate` events a minute, of which `burst` (at least one) may come at once; rate 0: no
    /// limit.
    pub(crate) fn per_minute(rate: u32, burst: u32) -> RateLimit<K> {
        let quota = NonZeroU32::new(rate).map(|rate| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(rate).allow_burst(burst)
        });
        let buckets = quota.map(|quota| RateLimiter::keyed(quota).with_middleware());
        RateLimit { buckets, counted: AtomicUsize::new(0) }
    }

    /// Counts one event. `None` if there is no limit.
    ///
    /// # Errors
    /// If the key's bucket is empty.
    pub(crate) fn count(&self, key: &K) -> Result<Option<Remaining>, Refused> {
        let Some(buckets) = &self.buckets else { return Ok(None) };
        if buckets.len() > KEYS_MAX && self.counted.fetch_add(1, Relaxed).is_multiple_of(DROP_EVERY)
        {
            buckets.retain_recent();
        }
        match buckets.check_key(key) {
            Ok(state) => {
                let (left, quota) = (state.remaining_burst_capacity(), state.quota());
                let used = quota.burst_size().get().saturating_sub(left);
                let reset = quota.replenish_interval().saturating_mul(used);
                let reset_seconds = reset.as_secs().saturating_add(1);
                Ok(Some(Remaining { left, reset_seconds }))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(Refused { retry_after_seconds: wait.as_secs().saturating_add(1) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_allowed_at_once_and_keys_are_independent() {
        let limit = RateLimit::per_minute(60, 10);
        for left in (0..10).rev() {
            let remaining = limit.count(&"a").unwrap().unwrap();
            assert_eq!(remaining.left, left);
            assert!((1..=11).contains(&remaining.reset_seconds), "{remaining:?}");
        }
        let refused = limit.count(&"a").expect_err("the eleventh at once");
        assert!((1..=2).contains(&refused.retry_after_seconds), "{refused:?}");
        assert!(limit.count(&"b").is_ok());
        let off = RateLimit::per_minute(0, 0);
        assert!((0..1000).all(|_| off.count(&"a") == Ok(None)));
    }
}
