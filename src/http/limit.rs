//! Limits per API key and per client address: requests a minute, connections and event
//! streams.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use warp::http::HeaderValue;
use warp::reply::Response;

use crate::domain::ip_network::IpNetwork;
use crate::rate_limit::{RateLimit, Remaining};

use super::error::ApiError;

/// A limit on requests a minute, a sixth of which may come at once.
pub(crate) struct KeyLimit<K: Hash + Eq + Clone> {
    limit: RateLimit<K>,
    per_minute: u32,
}

/// The rest of a client's limit, as the `ratelimit` headers report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    per_minute: u32,
    /// If none is left, `reset_seconds` is the time until the next request.
    remaining: Remaining,
}

impl<K: Hash + Eq + Clone> KeyLimit<K> {
    /// 0: no limit.
    pub(crate) fn per_minute(per_minute: u32) -> KeyLimit<K> {
        KeyLimit { limit: RateLimit::per_minute(per_minute, per_minute / 6), per_minute }
    }

    /// Counts one request. `None` if there is no limit.
    ///
    /// # Errors
    /// 429 with the seconds until the next request.
    pub(crate) fn count(&self, key: &K) -> Result<Option<Allowance>, ApiError> {
        let remaining = self
            .limit
            .count(key)
            .map_err(|refused| ApiError::rate_limited(refused.retry_after_seconds))?;
        let per_minute = self.per_minute;
        Ok(remaining.map(|remaining| Allowance { per_minute, remaining }))
    }

    /// The allowance that a refusal reports.
    pub(crate) fn exhausted(&self, error: &ApiError) -> Option<Allowance> {
        let remaining = Remaining { left: 0, reset_seconds: error.retry_after_seconds()? };
        Some(Allowance { per_minute: self.per_minute, remaining })
    }
}

impl Allowance {
    /// Adds the header fields of draft-ietf-httpapi-ratelimit-headers, for the policy "key".
    pub(crate) fn add_headers(self, response: &mut Response) {
        let policy = format!("\"key\";q={};w=60", self.per_minute);
        let Remaining { left, reset_seconds } = self.remaining;
        let left = format!("\"key\";r={left};t={reset_seconds}");
        for (name, text) in [("ratelimit-policy", policy), ("ratelimit", left)] {
            let value = HeaderValue::from_str(&text).expect("digits and quotes are valid");
            response.headers_mut().insert(name, value);
        }
    }
}

/// Prefix lengths at which IPv6 addresses are counted, narrowest first, each with its multiple
/// of the limit: a customer has a /64, a household often a /56, a site a /48.
const V6_NETWORKS: [(u32, u32); 3] = [(64, 1), (56, 4), (48, 16)];

/// The networks that an address counts toward, each with its multiple of the limit. An IPv4
/// address counts only for itself.
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

/// A limit on requests per client address, with wider limits for enclosing IPv6 networks.
pub(crate) struct AddressLimit {
    /// One for each of [`V6_NETWORKS`]; the first also counts IPv4 addresses.
    levels: [KeyLimit<IpNetwork>; V6_NETWORKS.len()],
}

impl AddressLimit {
    /// The limit is for an IPv4 address or a /64; wider networks have more. 0: no limit.
    pub(crate) fn per_minute(per_minute: u32) -> AddressLimit {
        let level = |(_, shares)| KeyLimit::per_minute(per_minute.saturating_mul(shares));
        AddressLimit { levels: V6_NETWORKS.map(level) }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// 429 with the seconds until the next request.
    pub(crate) fn count(&self, address: IpAddr) -> Result<(), ApiError> {
        // Narrowest first: a request that a /64 is refused does not count toward its
        // neighbours.
        self.levels
            .iter()
            .zip(networks(address))
            .try_for_each(|(level, (network, _))| level.count(&network).map(|_| ()))
    }
}

/// A count per network of what its clients hold, such as connections, with an upper bound.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    held: Arc<Mutex<HashMap<IpNetwork, usize>>>,
    each_max: usize,
    /// The bound of an IPv6 network wider than a /64.
    wider_max: usize,
}

/// One held unit; released when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    of: Shares,
    holder: IpAddr,
}

impl Shares {
    /// `each_max` for each IPv4 address and each /64. Wider networks have more, up to a
    /// quarter of `all`.
    pub(crate) fn of(each_max: usize, all: usize) -> Shares {
        Shares { held: Arc::default(), each_max, wider_max: (all / 4).max(each_max) }
    }

    /// Takes one for this address, unless one of its networks has its share already.
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

/// Slots of event streams. The last quarter is reserved for payments without a stream, so that
/// a few payments with many streams cannot lock out other shoppers.
#[derive(Debug)]
pub(crate) struct Streams {
    slots: Arc<Semaphore>,
    reserved: usize,
}

impl Streams {
    pub(crate) fn of(all: usize) -> Streams {
        Streams { slots: Arc::new(Semaphore::new(all)), reserved: all / 4 }
    }

    /// Takes a slot for a payment's first or a further stream, if one is left.
    pub(crate) fn take(&self, is_first: bool) -> Option<OwnedSemaphorePermit> {
        let slot = self.slots.clone().try_acquire_owned().ok()?;
        (is_first || self.slots.available_permits() >= self.reserved).then_some(slot)
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
        // Ten at once for a /64; on a slow machine the buckets refill a little.
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
        let limit = KeyLimit::per_minute(60);
        for left in (0..10).rev() {
            let allowance = limit.count(&"a").unwrap().unwrap();
            assert_eq!((allowance.per_minute, allowance.remaining.left), (60, left));
        }
        let refused = limit.count(&"a").expect_err("the eleventh at once");
        assert_eq!(limit.exhausted(&refused).map(|allowance| allowance.remaining.left), Some(0));
    }

    #[test]
    fn the_last_streams_are_reserved_for_payments_without_one() {
        let streams = Streams::of(8);
        let mut held: Vec<_> = (0..6).map(|_| streams.take(false).expect("a slot")).collect();
        assert!(streams.take(false).is_none(), "a quarter is reserved");
        held.extend([streams.take(true), streams.take(true)].into_iter().flatten());
        assert_eq!(held.len(), 8);
        assert!(streams.take(true).is_none(), "all are taken");
        drop(held);
        assert!(streams.take(false).is_some());
        assert!(Streams::of(1).take(false).is_some(), "a single slot is not reserved");
    }

    #[test]
    fn a_dropped_share_is_released() {
        let shares = Shares::of(2, 100);
        let (one, other) = ("198.51.100.1".parse().unwrap(), "198.51.100.2".parse().unwrap());
        let held = [shares.take(one), shares.take(one)];
        assert!(held.iter().all(Option::is_some));
        assert!(shares.take(one).is_none(), "a third");
        assert!(shares.take(other).is_some(), "another address");
        drop(held);
        assert!(shares.take(one).is_some());
        assert!(shares.held.lock().unwrap().is_empty(), "addresses without a share are dropped");
    }
}
