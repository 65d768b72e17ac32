//! How many requests a key or an address may make, and whose address a request has.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use warp::http::HeaderMap;

use super::error::ApiError;

/// A limit for each of many callers, as a leaky bucket (GCRA). Never refuses when it is off.
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    buckets: Option<DefaultKeyedRateLimiter<K>>,
}

/// Callers that are remembered before those at rest are forgotten.
const CALLERS_MAX: usize = 100_000;

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many requests a minute, a sixth of them at once; 0: no limit.
    pub(crate) fn per_minute(requests: u32) -> Limit<K> {
        let quota = NonZeroU32::new(requests).map(|rate| {
            let burst = NonZeroU32::new(requests / 6).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(rate).allow_burst(burst)
        });
        Limit { buckets: quota.map(RateLimiter::keyed) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// 429 with the seconds after which the next request has a chance.
    pub(crate) fn count(&self, caller: &K) -> Result<(), ApiError> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        if buckets.len() > CALLERS_MAX {
            buckets.retain_recent();
        }
        buckets.check_key(caller).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            ApiError::rate_limited(wait.as_secs().saturating_add(1))
        })
    }
}

/// The address of the client: the peer's, or, if the peer is one of our proxies, the last address
/// in `x-forwarded-for` that is none of our proxies.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    // A socket for both families names an IPv4 peer ::ffff:a.b.c.d.
    let peer = peer.to_canonical();
    if !proxies.contains(&peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        match hop.parse::<IpAddr>() {
            Ok(address) if proxies.contains(&address) => {}
            Ok(address) => return address,
            Err(_) => return peer, // Nothing before a garbled hop can be believed.
        }
    }
    peer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_are_believed() {
        #[track_caller]
        fn check(peer: &str, forwarded: &[&str], expected: &str) {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            let proxies = ["127.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
            let address = client_address(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(address, expected.parse::<IpAddr>().unwrap());
        }
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["6.6.6.6", "198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    #[test]
    fn the_burst_is_a_sixth_of_a_minute() {
        let limit = Limit::per_minute(60);
        for _ in 0..10 {
            assert_eq!(limit.count(&"a"), Ok(()));
        }
        assert!(limit.count(&"a").is_err(), "the eleventh at once");
        assert_eq!(limit.count(&"b"), Ok(()), "others are not concerned");
        let off = Limit::per_minute(0);
        assert!((0..1000).all(|_| off.count(&"a").is_ok()));
    }
}
