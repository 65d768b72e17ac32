//! IP networks: a prefix and its length (CIDR, RFC 4632).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network; bits after the prefix are zero. IPv4 is never stored as IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct IpNetwork {
    first: IpAddr,
    bits: u32,
}

impl IpNetwork {
    /// The network of this prefix length that contains an address; `None` if the address is
    /// shorter.
    pub(crate) fn around(address: IpAddr, bits: u32) -> Option<IpNetwork> {
        let first = match address.to_canonical() {
            IpAddr::V4(v4) if bits <= Ipv4Addr::BITS => {
                let mask = u32::MAX.checked_shl(Ipv4Addr::BITS.saturating_sub(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) if bits <= Ipv6Addr::BITS => {
                let mask = u128::MAX.checked_shl(Ipv6Addr::BITS.saturating_sub(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => return None,
        };
        Some(IpNetwork { first, bits })
    }

    /// Parses a network such as `198.51.100.0/24`, or a single address. `None` for anything
    /// else, including IPv4 written as IPv6.
    pub(crate) fn parse(text: &str) -> Option<IpNetwork> {
        let text = text.trim();
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { Ipv4Addr::BITS } else { Ipv6Addr::BITS };
        let plain = address.to_canonical() == address;
        IpNetwork::around(address, bits.unwrap_or(all)).filter(|_| plain)
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        IpNetwork::around(address, self.bits) == Some(self)
    }

    /// The length of its prefix.
    #[cfg(test)]
    pub(crate) fn bits(self) -> u32 {
        self.bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_parsed_or_refused_and_contains_its_addresses() {
        #[track_caller]
        fn check(network: &str, inside: &[&str], outside: &[&str]) {
            let network = IpNetwork::parse(network).expect(network);
            let contains = |text: &&str| network.contains(text.parse().expect(text));
            assert!(inside.iter().all(contains), "{network:?}");
            assert!(!outside.iter().any(contains), "{network:?}");
        }
        let mapped = "::ffff:198.51.100.9";
        check("198.51.100.7/24", &["198.51.100.0", "198.51.100.255", mapped], &["198.51.101.0"]);
        check("198.51.100.7", &["198.51.100.7"], &["198.51.100.6", "::c633:6407"]);
        check("0.0.0.0/0", &["255.255.255.255"], &["::"]);
        check("2001:db8::/32", &["2001:db8:ffff::1"], &["2001:db9::", "32.1.13.184"]);
        check("::/0", &["::1", "ffff::"], &["0.0.0.0"]);
        check("2001:db8::1", &["2001:db8::1"], &["2001:db8::2"]);
        for text in ["", "/", "example.com", "198.51.100.0/33", "198.51.100", "::/129", mapped] {
            assert_eq!(IpNetwork::parse(text), None, "{text}");
        }
    }
}
