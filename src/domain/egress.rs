//! The operator's rules on the addresses and ports that webhooks may reach.
//!
//! Must not know: this machine's addresses, which only the system can list.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::ip_network::IpNetwork;
use super::webhook_url::{BadUrl, PrivateNetworks, WebhookUrl, embedded_v4, is_public};

/// The rules. Clones share them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Egress(Arc<Rules>);

#[derive(Debug, PartialEq, Eq)]
struct Rules {
    private: PrivateNetworks,
    allowed_ports: Vec<Ports>,
    denied_ports: Vec<Ports>,
    denied_networks: Vec<IpNetwork>,
}

type Ports = RangeInclusive<u16>;

/// The rule on private networks alone, with every port allowed.
impl From<PrivateNetworks> for Egress {
    fn from(private: PrivateNetworks) -> Egress {
        Egress::new(private, vec![0..=u16::MAX], Vec::new(), Vec::new())
    }
}

impl Egress {
    /// Denied ports and networks override allowed ones.
    pub(crate) fn new(
        private: PrivateNetworks,
        allowed_ports: Vec<Ports>,
        denied_ports: Vec<Ports>,
        denied_networks: Vec<IpNetwork>,
    ) -> Egress {
        Egress(Arc::new(Rules { private, allowed_ports, denied_ports, denied_networks }))
    }

    pub(crate) fn private(&self) -> PrivateNetworks {
        self.0.private
    }

    /// Parses a URL and refuses it if its text alone violates the rules.
    ///
    /// # Errors
    /// The reason for the refusal.
    pub(crate) fn check(&self, text: &str) -> Result<WebhookUrl, BadUrl> {
        let url = WebhookUrl::parse(text, self.0.private)?;
        let within = |ports: &[Ports]| ports.iter().any(|ports| ports.contains(&url.port()));
        if !within(&self.0.allowed_ports) || within(&self.0.denied_ports) {
            return Err(BadUrl::Port);
        }
        if url.literal().is_some_and(|address| !self.allows(address)) {
            return Err(BadUrl::NotPublic);
        }
        Ok(url)
    }

    /// Whether the rules allow a connection to this address. IPv4 embedded in IPv6 is checked
    /// as both.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let embedded = match address {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => embedded_v4(address).map(IpAddr::V4),
        };
        let denied =
            |address: &IpAddr| self.0.denied_networks.iter().any(|net| net.contains(*address));
        let allowed = self.0.private == PrivateNetworks::Allowed || is_public(address);
        allowed && !denied(&address) && !embedded.as_ref().is_some_and(denied)
    }
}

/// Parses ports of the configuration: `443`, or `1024-65535`.
pub(crate) fn read_ports(text: &str) -> Option<Ports> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (u16, u16) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= first && first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(private: PrivateNetworks) -> Egress {
        let ports = |list: &[&str]| list.iter().filter_map(|text| read_ports(text)).collect();
        let denied = ["198.18.0.0/15", "9.9.9.9", "2606:4700::/32"];
        let networks = denied.iter().filter_map(|text| IpNetwork::parse(text)).collect();
        Egress::new(
            private,
            ports(&["443", "80", "1024-65535"]),
            ports(&["5432", "7000-7001"]),
            networks,
        )
    }

    #[test]
    fn urls_with_blocked_ports_or_denied_networks_are_refused() {
        #[track_caller]
        fn check(url: &str, expected: Option<BadUrl>) {
            for private in [PrivateNetworks::Refused, PrivateNetworks::Allowed] {
                assert_eq!(rules(private).check(url).err(), expected, "{url}");
            }
        }
        check("https://shop.example/", None);
        check("http://shop.example/", None);
        check("https://shop.example:1024/", None);
        check("https://shop.example:65535/", None);
        for port in [0, 1, 22, 25, 79, 81, 442, 444, 1023, 5432, 7000, 7001] {
            check(&format!("https://shop.example:{port}/"), Some(BadUrl::Port));
        }
        check("https://shop.example:6999/", None);
        check("https://shop.example:7002/", None);
        check("https://8.8.8.8/", None);
        check("https://9.9.9.9/", Some(BadUrl::NotPublic));
        check("https://0x9090909/", Some(BadUrl::NotPublic));
        check("https://[64:ff9b::9.9.9.9]/", Some(BadUrl::NotPublic));
        check("https://[2606:4700::1111]/", Some(BadUrl::NotPublic));
        check("https://[2620:fe::9]/", None);
    }

    #[test]
    fn denied_networks_override_allowed_private_networks() {
        #[track_caller]
        fn check(address: &str, refused: bool, allowed: bool) {
            let address = address.parse().unwrap();
            assert_eq!(rules(PrivateNetworks::Refused).allows(address), refused, "{address}");
            assert_eq!(rules(PrivateNetworks::Allowed).allows(address), allowed, "{address}");
        }
        check("8.8.8.8", true, true);
        check("9.9.9.9", false, false);
        check("9.9.9.8", true, true);
        check("::ffff:9.9.9.9", false, false);
        check("10.0.0.1", false, true);
        check("198.19.255.255", false, false);
    }

    #[test]
    fn port_settings_are_parsed_or_refused() {
        assert_eq!(read_ports("443"), Some(443..=443));
        assert_eq!(read_ports("1024-65535"), Some(1024..=65535));
        for text in ["", "0", "-", "80-", "-80", "90-80", "65536", "http", "80,443"] {
            assert_eq!(read_ports(text), None, "{text}");
        }
    }
}
