//! The client's address: the peer's, or the one in `x-forwarded-for` of a trusted proxy. Also
//! detects proxies that are not configured as trusted.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use warp::http::{HeaderMap, HeaderValue};

use crate::domain::ip_network::IpNetwork;
use crate::domain::webhook_url::is_public;

use super::error::ApiError;

/// The client's address: the peer's, or behind a trusted proxy the last address in
/// `x-forwarded-for` that is not trusted. If all are trusted, as when shoppers are in a
/// trusted network, it is the first.
///
/// # Errors
/// 400 if a trusted proxy sends an unreadable address: the request must not count as the
/// proxy's.
pub(crate) fn client_address(
    peer: IpAddr,
    headers: &HeaderMap,
    proxies: &[IpNetwork],
) -> Result<IpAddr, ApiError> {
    // A dual-stack socket reports an IPv4 peer as ::ffff:a.b.c.d.
    let peer = peer.to_canonical();
    if !is_proxy(peer, proxies) {
        return Ok(peer);
    }
    // As bytes: a client may put any bytes before the proxy's entry.
    let values = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
    let hops: Vec<&[u8]> = values.flat_map(|value| value.split(|byte| *byte == b',')).collect();
    let mut farthest = peer;
    for hop in hops.into_iter().rev() {
        let address = std::str::from_utf8(hop).ok().and_then(|hop| read_hop(hop.trim()));
        match address {
            Some(address) if is_proxy(address, proxies) => farthest = address,
            Some(address) => return Ok(address),
            None => {
                let reason = "must end with the client's IP address, as the proxy knows it";
                return Err(ApiError::invalid("x-forwarded-for", reason));
            }
        }
    }
    Ok(farthest)
}

/// Whether the address is a trusted proxy.
pub(crate) fn is_proxy(address: IpAddr, proxies: &[IpNetwork]) -> bool {
    proxies.iter().any(|network| network.contains(address))
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    address.or_else(with_port).map(|address| address.to_canonical())
}

const FORWARDED: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// The most peers that are reported.
const REPORTED_MAX: usize = 8;

/// The reported peers that forward requests without being trusted. All their clients share one
/// rate limit.
#[derive(Debug, Default)]
pub(super) struct Untrusted(Mutex<BTreeSet<IpAddr>>);

impl Untrusted {
    /// The peer, if it forwards requests, is not trusted, and was not reported before. Only
    /// peers in private networks count, because any client can send these headers.
    pub(super) fn found(
        &self,
        peer: IpAddr,
        headers: &HeaderMap,
        proxies: &[IpNetwork],
    ) -> Option<IpAddr> {
        if !FORWARDED.iter().any(|name| headers.contains_key(*name)) {
            return None;
        }
        let peer = peer.to_canonical();
        if is_proxy(peer, proxies) || is_public(peer) {
            return None;
        }
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (reported.len() < REPORTED_MAX && reported.insert(peer)).then_some(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_configured_proxies_are_trusted() {
        #[track_caller]
        fn check(peer: &str, forwarded: &[&str], expected: &str) {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                headers.append("x-forwarded-for", value);
            }
            let proxies = ["127.0.0.1", "10.0.0.2", "172.16.0.0/12", "fd00::/8"];
            let proxies = proxies.map(|network| IpNetwork::parse(network).unwrap());
            let address = client_address(peer.parse().unwrap(), &headers, &proxies);
            assert_eq!(address.ok(), expected.parse::<IpAddr>().ok(), "{forwarded:?}");
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
        check("127.0.0.1", &["caf\u{e9}, 198.51.100.1"], "198.51.100.1");
        for unreadable in ["198.51.100.1, nonsense", "198.51.100.1:", "caf\u{e9}", "", "unknown"] {
            check("127.0.0.1", &[unreadable], "refused");
        }
        check("203.0.113.9", &["caf\u{e9}"], "203.0.113.9");
        check("127.0.0.1", &[], "127.0.0.1");
        // Docker's networks.
        check("172.18.0.2", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:172.18.0.2", &["198.51.100.1, 172.31.255.1"], "198.51.100.1");
        check("fd00::2", &["2001:db8::1"], "2001:db8::1");
        check("172.32.0.2", &["198.51.100.1"], "172.32.0.2");
        check("172.18.0.2", &["172.19.0.9, 172.18.0.3"], "172.19.0.9");
    }

    #[test]
    fn each_untrusted_proxy_is_reported_once() {
        let (untrusted, proxies) =
            (Untrusted::default(), [IpNetwork::parse("10.0.0.0/8").unwrap()]);
        let forwarded = HeaderMap::from_iter([(
            "x-forwarded-for".parse().unwrap(),
            HeaderValue::from_static("198.51.100.1"),
        )]);
        let found = |peer: &str, headers: &HeaderMap| {
            untrusted.found(peer.parse().unwrap(), headers, &proxies).is_some()
        };
        assert!(!found("172.17.0.1", &HeaderMap::new()), "no forwarding header");
        assert!(!found("10.1.2.3", &forwarded), "it is trusted");
        assert!(!found("8.8.8.8", &forwarded), "anyone can send the header");
        assert!(found("172.17.0.1", &forwarded));
        assert!(!found("::ffff:172.17.0.1", &forwarded), "it was reported");
        assert!(found("127.0.0.1", &forwarded));
        let many = (0..20).filter(|n| found(&format!("192.168.0.{n}"), &forwarded)).count();
        assert_eq!(many, REPORTED_MAX - 2);
    }
}
