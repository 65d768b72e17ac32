//! How many requests a key or an address may make, and how much an address may hold at a time.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::http::HeaderValue;
use warp::reply::Response;

use crate::domain::ip_network::IpNetwork;

use super::error::ApiError;

type Buckets<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// A limit for each of many callers, as a leaky bucket (GCRA). Never refuses when it is off.
pub(crate) struct Limit<K: Hash + Eq + Clone> {
    buckets: Option<Buckets<K>>,
    per_minute: u32,
    /// Requests that were counted while too many callers were remembered.
    counted: AtomicUsize,
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

/// While there are more, those at rest are looked for once in so many requests: each search goes
/// through all of them.
const FORGET_EVERY: usize = 1_000;

impl<K: Hash + Eq + Clone> Limit<K> {
    /// So many requests a minute, a sixth of them at once; 0: no limit.
    pub(crate) fn per_minute(per_minute: u32) -> Limit<K> {
        let quota = NonZeroU32::new(per_minute).map(|rate| {
            let burst = NonZeroU32::new(per_minute / 6).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(rate).allow_burst(burst)
        });
        let buckets = quota.map(|quota| RateLimiter::keyed(quota).with_middleware());
        Limit { buckets, per_minute, counted: AtomicUsize::new(0) }
    }

    /// Counts one request, and says what is left; nothing if there is no limit.
    ///
    /// # Errors
    /// 429 with the seconds after which the next request has a chance.
    pub(crate) fn count(&self, caller: &K) -> Result<Option<Allowance>, ApiError> {
        let Some(buckets) = &self.buckets else { return Ok(None) };
        if buckets.len() > CALLERS_MAX
            && self.counted.fetch_add(1, Relaxed).is_multiple_of(FORGET_EVERY)
        {
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

/// Prefix lengths at which IPv6 addresses are counted, from the narrowest, and how many times the
/// share of the first each one gets: every customer has a whole /64, a household often a /56 and a
/// site a /48.
const V6_NETWORKS: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// The networks that an address counts in, each with its number of shares: an IPv4 address alone.
fn networks(address: IpAddr) -> impl Iterator<Item = (IpNetwork, u32)> {
    let address = address.to_canonical();
    let levels = match address {
        IpAddr::V4(_) => &[(Ipv4Addr::BITS, 1)][..],
        IpAddr::V6(_) => &V6_NETWORKS[..],
    };
    levels.iter().filter_map(move |(bits, shares)| {
        IpNetwork::around(address, *bits).map(|network| (network, *shares))
    })
}

/// A limit for each client address, and wider ones for the IPv6 networks around it.
pub(crate) struct AddressLimit {
    /// One for each of [`V6_NETWORKS`]; the first counts IPv4 addresses too.
    levels: [Limit<IpNetwork>; V6_NETWORKS.len()],
}

impl AddressLimit {
    /// So many requests a minute for an IPv4 address or a /64, more for wider networks; 0: no
    /// limit.
    pub(crate) fn per_minute(per_minute: u32) -> AddressLimit {
        let level = |(_, shares)| Limit::per_minute(per_minute.saturating_mul(shares));
        AddressLimit { levels: V6_NETWORKS.map(level) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// 429 with the seconds after which the next request has a chance.
    pub(crate) fn count(&self, address: IpAddr) -> Result<(), ApiError> {
        // Narrowest first: what one network is refused is not taken from its neighbours.
        self.levels
            .iter()
            .zip(networks(address))
            .try_for_each(|(level, (network, _))| level.count(&network).map(|_| ()))
    }
}

/// How much of something each network holds; nobody holds more than a share.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    held: Arc<Mutex<HashMap<IpNetwork, usize>>>,
    each_max: usize,
    /// For an IPv6 network that is wider than a /64.
    wider_max: usize,
}

/// One piece; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Shares,
    holder: IpAddr,
}

impl Shares {
    /// So many for each IPv4 address and each /64; wider networks get more, but never more than a
    /// quarter of all there are.
    pub(crate) fn of(each_max: usize, all: usize) -> Shares {
        Shares { held: Arc::default(), each_max, wider_max: (all / 4).max(each_max) }
    }

    /// A piece for this address, unless a network that it is in has its share.
    pub(crate) fn take(&self, holder: IpAddr) -> Option<Share> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |(network, shares): (IpNetwork, u32)| {
            let shares = usize::try_from(shares).unwrap_or(usize::MAX);
            let most = self.each_max.saturating_mul(shares).min(self.wider_max);
            held.get(&network).copied().unwrap_or(0) < most
        };
        if !networks(holder).all(fits) {
            return None;
        }
        networks(holder).for_each(|(network, _)| *held.entry(network).or_insert(0) += 1);
        Some(Share { of: self.clone(), holder })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.held.lock().unwrap_or_else(PoisonError::into_inner);
        for (network, _) in networks(self.holder) {
            if let Some(count) = held.get_mut(&network) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    held.remove(&network);
                }
            }
        }
    }
}

/// The event streams that there may be at a time. The last quarter is for payments that have none,
/// so that a few payments with many streams keep no shopper from theirs.
#[derive(Debug)]
pub(crate) struct Streams {
    slots: Arc<Semaphore>,
    reserved: usize,
}

impl Streams {
    pub(crate) fn of(all: usize) -> Streams {
        Streams { slots: Arc::new(Semaphore::new(all)), reserved: all / 4 }
    }

    /// A place for a further stream of a payment, or for its first one; `None` if there is none
    /// left.
    pub(crate) fn take(&self, is_first: bool) -> Option<OwnedSemaphorePermit> {
        let place = self.slots.clone().try_acquire_owned().ok()?;
        (is_first || self.slots.available_permits() >= self.reserved).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_counts_toward_each_enclosing_network() {
        #[track_caller]
        fn check(one: &str, other: &str, shared: &[u32]) {
            let of = |text: &str| networks(text.parse().unwrap()).collect::<Vec<_>>();
            let both = of(one).into_iter().filter(|network| of(other).contains(network));
            let bits: Vec<u32> = both.map(|(network, _)| network.bits()).collect();
            assert_eq!(bits, shared, "{one} and {other}");
        }
        check("2001:db8:1:200::1", "2001:db8:1:200:ffff:ffff:ffff:ffff", &[64, 56, 48]);
        check("2001:db8:1:200::1", "2001:db8:1:2ff::1", &[56, 48]);
        check("2001:db8:1:200::1", "2001:db8:1:300::1", &[48]);
        check("2001:db8:1:200::1", "2001:db8:2:200::1", &[]);
        check("2001:db8:1::1", "2001:db8:1::2", &[64, 56, 48]);
        check("198.51.100.1", "::ffff:198.51.100.1", &[32]);
        check("198.51.100.1", "198.51.100.2", &[]);
        check("::ffff:198.51.100.1", "::ffff:198.51.100.2", &[]);
    }

    /// How many of these addresses are served before the first is refused.
    fn served(addresses: &[String], mut serve: impl FnMut(IpAddr) -> bool) -> usize {
        addresses.iter().take_while(|address| serve(address.parse().unwrap())).count()
    }

    #[test]
    fn neighbouring_ipv6_networks_share_wider_limits() {
        let of = |prefix: &dyn Fn(u32) -> String| (0..3_000).map(prefix).collect::<Vec<_>>();
        let household = of(&|n| format!("2001:db8:1:{:x}::1", n % 256));
        let site = of(&|n| format!("2001:db8:1:{:x}::1", n % 256 * 256 + n / 256));
        let strangers = of(&|n| format!("2001:db8:{n:x}::1"));
        // Ten at once for a /64; a slow machine lets some time pass meanwhile.
        let requests = |addresses: &[String]| {
            let limit = AddressLimit::per_minute(60);
            served(addresses, |address| limit.count(address).is_ok())
        };
        assert!((40..80).contains(&requests(&household)));
        assert!((160..320).contains(&requests(&site)));
        assert_eq!(requests(&strangers), 3_000);
        let streams = |addresses: &[String]| {
            let (shares, mut held) = (Shares::of(64, 2_000), Vec::new());
            served(addresses, |address| match shares.take(address) {
                Some(share) => {
                    held.push(share);
                    true
                }
                None => false,
            })
        };
        assert_eq!(streams(&household), 256);
        assert_eq!(streams(&site), 500, "no more than a quarter of all");
        assert_eq!(streams(&strangers), 3_000);
    }

    #[test]
    fn the_burst_limit_is_a_sixth_of_the_minute_limit() {
        let limit = Limit::per_minute(60);
        for left in (0..10).rev() {
            let allowance = limit.count(&"a").unwrap().unwrap();
            assert_eq!((allowance.per_minute, allowance.left), (60, left));
            assert!((1..=11).contains(&allowance.reset_seconds), "{allowance:?}");
        }
        let refused = limit.count(&"a").expect_err("the eleventh at once");
        assert_eq!(limit.exhausted(&refused).map(|notified| notified.left), Some(0));
        assert!(limit.count(&"b").is_ok(), "others are not concerned");
        let off = Limit::per_minute(0);
        assert!((0..1000).all(|_| off.count(&"a") == Ok(None)));
    }

    #[test]
    fn the_last_streams_are_reserved_for_payments_without_one() {
        let streams = Streams::of(8);
        let mut held: Vec<_> = (0..6).map(|_| streams.take(false).expect("a place")).collect();
        assert!(streams.take(false).is_none(), "a quarter is reserved");
        held.extend([streams.take(true), streams.take(true)].into_iter().flatten());
        assert_eq!(held.len(), 8);
        assert!(streams.take(true).is_none(), "all are taken");
        drop(held);
        assert!(streams.take(false).is_some());
        assert!(Streams::of(1).take(false).is_some(), "one is for anybody");
    }

    #[test]
    fn a_dropped_share_is_released() {
        let shares = Shares::of(2, 100);
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
