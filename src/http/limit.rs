//! How many requests a key or an address may make, how much an address may hold at a time, and
//! whose address a request has.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use warp::http::{HeaderMap, HeaderValue};
use warp::reply::Response;

use super::error::ApiError;

type Buckets<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// A limit for each of many callers, as a leaky bucket (GCRA). Never refuses when it is off.
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    buckets: Option<Buckets<K>>,
    per_minute: u32,
}

/// What is left to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    per_minute: u32,
    /// Requests that would be taken now.
    left: u32,
    /// Until the whole burst would be taken again, or the next request at all if none is left.
    reset_seconds: u64,
}

/// Callers that are remembered before those at rest are forgotten.
const CALLERS_MAX: usize = 100_000;

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many requests a minute, a sixth of them at once; 0: no limit.
    pub(crate) fn per_minute(per_minute: u32) -> Limit<K> {
        let quota = NonZeroU32::new(per_minute).map(|rate| {
            let burst = NonZeroU32::new(per_minute / 6).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(rate).allow_burst(burst)
        });
        let buckets = quota.map(|quota| RateLimiter::keyed(quota).with_middleware());
        Limit { buckets, per_minute }
    }

    /// Counts one request, and says what is left; nothing if there is no limit.
    ///
    /// # Errors
    /// 429 with the seconds after which the next request has a chance.
    pub(crate) fn count(&self, caller: &K) -> Result<Option<Allowance>, ApiError> {
        let Some(buckets) = &self.buckets else { return Ok(None) };
        if buckets.len() > CALLERS_MAX {
            buckets.retain_recent();
        }
        match buckets.check_key(caller) {
            Ok(state) => {
                let (left, quota) = (state.remaining_burst_capacity(), state.quota());
                let used = quota.burst_size().get().saturating_sub(left);
                let reset = quota.replenish_interval().saturating_mul(used);
                let reset_seconds = reset.as_secs().saturating_add(1);
                Ok(Some(Allowance { per_minute: self.per_minute, left, reset_seconds }))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(DefaultClock::default().now());
                Err(ApiError::rate_limited(wait.as_secs().saturating_add(1)))
            }
        }
    }

    /// What a caller is told who was refused.
    pub(crate) fn exhausted(&self, error: &ApiError) -> Option<Allowance> {
        let reset_seconds = error.retry_after_seconds()?;
        Some(Allowance { per_minute: self.per_minute, left: 0, reset_seconds })
    }
}

impl Allowance {
    /// Adds the header fields of draft-ietf-httpapi-ratelimit-headers, for the policy "key".
    pub(crate) fn tell(self, response: &mut Response) {
        let policy = format!("\"key\";q={};w=60", self.per_minute);
        let left = format!("\"key\";r={};t={}", self.left, self.reset_seconds);
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            let value = HeaderValue::from_str(&text).expect("digits and quotes are fine");
            response.headers_mut().insert(name, value);
        }
    }
}

/// Who counts as one caller: an IPv4 address, or the /64 network of an IPv6 address, of which
/// every customer has a whole one.
pub(crate) fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
        }
    }
}

/// How much of something each neighbourhood holds; nobody holds more than a share.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
    each_max: usize,
}

/// One piece; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Shares,
    holder: IpAddr,
}

impl Shares {
    pub(crate) fn of(each_max: usize) -> Shares {
        Shares { held: Arc::default(), each_max }
    }

    /// A piece for this address, unless its neighbourhood has its share.
    pub(crate) fn take(&self, address: IpAddr) -> Option<Share> {
        let holder = neighbourhood(address);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(holder).or_insert(0);
        if *count >= self.each_max {
            return None;
        }
        *count += 1;
        Some(Share { of: self.clone(), holder })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.holder) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.remove(&self.holder);
            }
        }
    }
}

/// The address of the client: the peer's, or, if the peer is one of our proxies, the last address
/// in `x-forwarded-for` that is none of our proxies.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    // A socket for both families names an IPv4 peer ::ffff:a.b.c.d.
    let peer = peer.to_canonical();
    if !is_proxy(peer, proxies) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    for hop in hops.into_iter().rev() {
        match read_hop(hop) {
            Some(address) if is_proxy(address, proxies) => {}
            Some(address) => return address,
            None => return peer, // Nothing before a garbled hop can be believed.
        }
    }
    peer
}

/// Whether requests from this address may name another one.
pub(crate) fn is_proxy(address: IpAddr, proxies: &[IpAddr]) -> bool {
    proxies.iter().any(|proxy| proxy.to_canonical() == address.to_canonical())
}

/// An address as proxies write it: bare, in brackets, or with the port.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
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
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["6.6.6.6", "198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1");
        check("127.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1:4711, 10.0.0.2:80"], "198.51.100.1");
        check("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
        check("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1");
        check("127.0.0.1", &["2001:db8::1"], "2001:db8::1");
        check("127.0.0.1", &["198.51.100.1, nonsense"], "127.0.0.1");
        check("127.0.0.1", &["198.51.100.1:"], "127.0.0.1");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    #[test]
    fn neighbours_of_one_network_count_as_one() {
        #[track_caller]
        fn check(one: &str, other: &str, same: bool) {
            let of = |text: &str| neighbourhood(text.parse().unwrap());
            assert_eq!(of(one) == of(other), same, "{one} and {other}");
        }
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false);
        check("198.51.100.1", "::ffff:198.51.100.1", true);
        check("198.51.100.1", "198.51.100.2", false);
        check("::ffff:198.51.100.1", "::ffff:198.51.100.2", false);
    }

    #[test]
    fn the_burst_is_a_sixth_of_a_minute() {
        let limit = Limit::per_minute(60);
        for left in (0..10).rev() {
            let allowance = limit.count(&"a").unwrap().unwrap();
            assert_eq!((allowance.per_minute, allowance.left), (60, left));
            assert!((1..=11).contains(&allowance.reset_seconds), "{allowance:?}");
        }
        let refused = limit.count(&"a").expect_err("the eleventh at once");
        assert_eq!(limit.exhausted(&refused).map(|told| told.left), Some(0));
        assert!(limit.count(&"b").is_ok(), "others are not concerned");
        let off = Limit::per_minute(0);
        assert!((0..1000).all(|_| off.count(&"a") == Ok(None)));
    }

    #[test]
    fn a_share_is_given_back_when_it_is_dropped() {
        let shares = Shares::of(2);
        let (one, other) = ("198.51.100.1".parse().unwrap(), "198.51.100.2".parse().unwrap());
        let held = [shares.take(one), shares.take(one)];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take(one).is_none(), "a third");
        assert!(shares.take(other).is_some(), "others are not concerned");
        drop(held);
        assert!(shares.take(one).is_some());
        assert!(shares.held.lock().unwrap().is_empty(), "nobody at rest is remembered");
    }
}
