//! URLs that merchants give us: where webhooks go, and where the checkout leads back to.
//!
//! Judged by their text alone: nothing is resolved here, so a name may still turn out to be inside
//! when a webhook is delivered. The `url` crate is the one parser whose reading of odd spellings
//! (octal, hexadecimal, full-width digits) is the same as the HTTP client's, which is why it is
//! allowed in here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether webhooks may go to addresses that are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrivateNetworks {
    Refused,
    Allowed,
}

/// The longest URL, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// Why a URL is refused. The sentences follow the name of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUrl {
    #[error("must have at most {URL_BYTES_MAX} bytes")]
    TooLong,
    #[error("must be an absolute URL such as https://shop.example/webhook")]
    NotAUrl,
    #[error("must begin with https:// or http://")]
    Scheme,
    #[error("must not hold a user name or password")]
    Credentials,
    #[error("must not lead to a private or special address")]
    NotPublic,
}

/// A URL to which a webhook may be sent, as far as its text can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookUrl(Url);

impl WebhookUrl {
    /// Reads a URL and refuses what leads inside by its text.
    pub(crate) fn parse(text: &str, private: PrivateNetworks) -> Result<WebhookUrl, BadUrl> {
        let url = parse_http(text)?;
        let public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
            Some(Host::Domain(name)) => !is_inside_name(name),
            None => return Err(BadUrl::NotAUrl),
        };
        match private {
            PrivateNetworks::Refused if !public => Err(BadUrl::NotPublic),
            PrivateNetworks::Refused | PrivateNetworks::Allowed => Ok(WebhookUrl(url)),
        }
    }

    /// The URL as it will be requested.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Host and port, the same for every spelling and path: who is being sent to.
    pub(crate) fn receiver(&self) -> String {
        let host = self.0.host_str().unwrap_or_default().trim_end_matches('.');
        format!("{host}:{}", self.0.port_or_known_default().unwrap_or_default())
    }
}

/// A URL to which the checkout may send a shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedirectUrl(Url);

impl RedirectUrl {
    /// Reads a URL; only http and https, so that no script hides in it.
    pub(crate) fn parse(text: &str) -> Result<RedirectUrl, BadUrl> {
        parse_http(text).map(RedirectUrl)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Scheme, host and port, as a content security policy names them.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The host, which the button names.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

fn parse_http(text: &str) -> Result<Url, BadUrl> {
    if text.len() > URL_BYTES_MAX {
        return Err(BadUrl::TooLong);
    }
    let url = Url::parse(text).map_err(|_| BadUrl::NotAUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BadUrl::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::Credentials);
    }
    match url.host() {
        Some(Host::Domain("")) | None => Err(BadUrl::NotAUrl),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(url),
    }
}

/// Names that are inside by convention (RFC 6761, RFC 6762, ICANN's reserved `internal`).
fn is_inside_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let inside =
        ["localhost", "local", "internal", "localdomain", "lan", "home", "corp", "intranet"];
    inside.contains(&last) || name.ends_with(".home.arpa") || !name.contains('.')
}

/// Whether an address is on the public Internet (IANA's registries of special addresses, RFC
/// 6890). IPv4 inside of IPv6 is judged as IPv4.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// First address and prefix length of what is not public.
const SPECIAL_V4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |(first, bits): &(Ipv4Addr, u32)| {
        let mask = u32::MAX.checked_shl(32u32.saturating_sub(*bits)).unwrap_or(0);
        address.to_bits() & mask == first.to_bits()
    };
    !SPECIAL_V4.iter().any(within)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match segments {
        // 64:ff9b::/96 translates to IPv4 (RFC 6052).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            is_public_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
        }
        // 2001::/23 holds Teredo and other protocols; 2001:db8::/32 and 3fff::/20 are for
        // documentation; 2002::/16 is 6to4.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        // Only 2000::/3 is given out at all.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_inside_is_refused() {
        for text in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://2130706433/",
            "http://017700000001/",
            "http://0x7f000001/",
            "http://127.0.0.1./",
            "http://０.０.０.０/",
            "http://①②⑦.0.0.1/",
            "http://0/",
            "http://0.0.0.0:80/",
            "http://10.0.0.1/",
            "http://10.255.255.255/",
            "http://100.64.0.1/",
            "http://100.127.255.254/",
            "http://169.254.169.254/latest/meta-data",
            "http://172.16.0.1/",
            "http://172.31.255.255/",
            "http://192.0.0.1/",
            "http://192.0.2.1/",
            "http://192.88.99.1/",
            "http://192.168.1.1/",
            "http://198.18.0.1/",
            "http://198.19.255.255/",
            "http://198.51.100.7/",
            "http://203.0.113.7/",
            "http://224.0.0.1/",
            "http://239.255.255.250/",
            "http://240.0.0.1/",
            "http://255.255.255.255/",
            "http://[::]/",
            "http://[::1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::ffff:10.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[64:ff9b::a00:1]/",
            "http://[64:ff9b:1::1]/",
            "http://[fc00::1]/",
            "http://[fd12:3456::1]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://[2001::1]/",
            "http://[2001:1ff::1]/",
            "http://[2001:db8::1]/",
            "http://[2002:7f00:1::]/",
            "http://[3fff::1]/",
            "http://[100::1]/",
            "http://[4000::1]/",
            "http://localhost/",
            "http://LOCALHOST/",
            "http://localhost./",
            "http://a.localhost/",
            "http://printer.local/",
            "http://metadata.google.internal/",
            "http://router.lan/",
            "http://intranet/",
            "http://host.docker.internal:8080/",
            "http://x.home.arpa/",
            "http://%31%32%37.0.0.1/",
        ] {
            let parsed = WebhookUrl::parse(text, PrivateNetworks::Refused);
            assert_eq!(parsed, Err(BadUrl::NotPublic), "{text}");
            assert!(WebhookUrl::parse(text, PrivateNetworks::Allowed).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        #[track_caller]
        fn check(text: &str, expected: BadUrl) {
            assert_eq!(WebhookUrl::parse(text, PrivateNetworks::Allowed), Err(expected), "{text}");
            assert_eq!(RedirectUrl::parse(text), Err(expected), "{text}");
        }
        check("shop.example/hook", BadUrl::NotAUrl);
        check("//shop.example/hook", BadUrl::NotAUrl);
        check("https://", BadUrl::NotAUrl);
        check("http://[example.com]/", BadUrl::NotAUrl);
        check("http://1.2.3.4.5.6.7.8.0x/", BadUrl::NotAUrl);
        check("ftp://shop.example/", BadUrl::Scheme);
        check("javascript:alert(1)", BadUrl::Scheme);
        check("data:text/html,hi", BadUrl::Scheme);
        check("file:///etc/passwd", BadUrl::Scheme);
        check("gopher://shop.example/", BadUrl::Scheme);
        check("https://user@shop.example/", BadUrl::Credentials);
        check("https://user:pass@shop.example/", BadUrl::Credentials);
        check("https://:pass@shop.example/", BadUrl::Credentials);
        check(&format!("https://shop.example/{}", "a".repeat(2048)), BadUrl::TooLong);
    }

    #[test]
    fn ordinary_addresses_are_accepted() {
        for text in [
            "https://your-website.com/api/webhook/ltc-payment",
            "https://shop.example/hook",
            "http://shop.example:8080/hook?shop=1",
            "https://xn--bcher-kva.example/",
            "https://bücher.example/",
            "https://8.8.8.8/",
            "https://1.1.1.1:8443/x",
            "https://[2606:4700::1111]/",
            "https://[2a00:1450::1]/",
            "https://[::ffff:8.8.8.8]/",
            "https://172.15.0.1/",
            "https://172.32.0.1/",
            "https://100.63.255.255/",
            "https://100.128.0.1/",
            "https://192.0.1.1/",
            "https://198.17.0.1/",
            "https://198.20.0.1/",
            "https://223.255.255.255/",
            "https://a.b.c.d.shop.example/",
            "https://localhost.example/",
            "https://local.shop.example/",
            "HTTPS://SHOP.EXAMPLE/HOOK",
            "https://shop.example#f",
        ] {
            assert!(WebhookUrl::parse(text, PrivateNetworks::Refused).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_range_ends_where_the_registry_says() {
        // The address before a special range, its first, its last, and the one after it.
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            ("2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"),
            ("2001:ffff::", "2002::", "2002:ffff::", "2003::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff::", "3fff:1000::"),
            ("3fff:ffff::", "4000::", "ffff:ffff::", ""),
            ("::ffff:9.255.255.255", "::ffff:10.0.0.0", "::ffff:10.9.9.9", "::ffff:11.0.0.0"),
            ("64:ff9b::8.8.8.8", "64:ff9b::10.0.0.0", "64:ff9b::127.0.0.1", "64:ff9b::11.0.0.0"),
        ] {
            for (text, expected) in [(before, true), (first, false), (last, false), (after, true)] {
                if !text.is_empty() {
                    let address: IpAddr = text.parse().expect("an address");
                    assert_eq!(is_public(address), expected, "{text}");
                }
            }
        }
    }

    #[test]
    fn a_receiver_is_the_same_in_every_spelling() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let url = WebhookUrl::parse(text, PrivateNetworks::Allowed).expect("a URL");
            assert_eq!(url.receiver(), expected, "{text}");
        }
        check("https://shop.example/hook?a=1", "shop.example:443");
        check("HTTPS://Shop.Example.:443", "shop.example:443");
        check("http://shop.example/", "shop.example:80");
        check("http://shop.example:8080/", "shop.example:8080");
        check("http://0x7f.1/", "127.0.0.1:80");
        check("http://[::1]/", "[::1]:80");
    }
}
