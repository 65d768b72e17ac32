//! URLs of merchants: webhook receivers, and the checkout's return link.
//!
//! Only the text is checked. Nothing is resolved here, so a name may still resolve to an
//! internal address when a webhook is delivered. The `url` crate is allowed in the domain
//! because the HTTP client uses the same parser, so both read unusual notations (octal,
//! hexadecimal, full-width digits) alike.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Whether webhooks may go to addresses that are not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PrivateNetworks {
    Refused,
    Allowed,
}

/// Maximum length of a URL, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// Why a URL is refused. Each message follows a field's name.
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
    #[error("must use a port that the operator allows, such as 443")]
    Port,
}

/// Why a URL of the operator is refused. Each message follows a key's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadOperatorUrl {
    #[error(transparent)]
    Url(#[from] BadUrl),
    #[error("must begin with https://, except to this machine (http://127.0.0.1:8080/notify)")]
    Plaintext,
}

/// A webhook URL whose text passed the checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookUrl(Url);

impl WebhookUrl {
    /// Parses a URL and refuses internal addresses and names.
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

    /// Parses a URL of the operator, which may be on a private network.
    pub(crate) fn of_operator(text: &str) -> Result<WebhookUrl, BadOperatorUrl> {
        let url = WebhookUrl::parse(text, PrivateNetworks::Allowed)?;
        let is_loopback = match url.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.0.scheme() == "https" || is_loopback {
            true => Ok(url),
            false => Err(BadOperatorUrl::Plaintext),
        }
    }

    /// The URL as it is requested.
    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The port, including a default one.
    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or_default()
    }

    /// The IP address, if the host is not a name.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(IpAddr::V4(address)),
            Host::Ipv6(address) => Some(IpAddr::V6(address)),
            Host::Domain(_) => None,
        }
    }

    /// Host and port, equal for every notation and path of the same receiver.
    pub(crate) fn receiver(&self) -> String {
        let host = self.0.host_str().unwrap_or_default().trim_end_matches('.');
        format!("{host}:{}", self.port())
    }
}

/// A URL to which the checkout may send a shopper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedirectUrl(Url);

impl RedirectUrl {
    /// Parses a URL; only http and https, so that it cannot contain a script.
    pub(crate) fn parse(text: &str) -> Result<RedirectUrl, BadUrl> {
        parse_http(text).map(RedirectUrl)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The origin (scheme, host and port), for the content security policy.
    pub(crate) fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The host, shown on the button.
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
        Some(Host::Domain(name)) if !is_name(name) => Err(BadUrl::NotAUrl),
        None => Err(BadUrl::NotAUrl),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(url),
    }
}

/// Whether a name is valid in DNS (RFC 1035, 2.3.4): no label is empty or too long. Empty
/// labels would hide a number such as `1..` that some resolvers accept.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= 253 && name.split('.').all(|part| (1..=63).contains(&part.len()))
}

/// Names that are internal by convention (RFC 6761, RFC 6762, ICANN's reserved `internal`).
fn is_inside_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let inside = [
        "localhost",
        "local",
        "internal",
        "localdomain",
        "localdomain6",
        "lan",
        "home",
        "corp",
        "intranet",
    ];
    inside.contains(&last) || name.ends_with(".home.arpa") || !name.contains('.')
}

/// Whether an address is on the public Internet (IANA's special-purpose registries, RFC 6890).
/// IPv4 embedded in IPv6 is checked as IPv4.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// First address and prefix length of non-public networks.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // In no registry: Azure's virtual address of the host agent, reachable only from its
    // machines, which serves them certificates and settings.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
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

/// The IPv4 address embedded in an IPv6 address: mapped, or in 64:ff9b::/96 (RFC 6052).
pub(crate) fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)))
        }
        _ => address.to_ipv4_mapped(),
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    if let Some(embedded) = embedded_v4(address) {
        return is_public_v4(embedded);
    }
    match segments {
        // 2001::/23 has Teredo and other protocols; 2001:db8::/32 and 3fff::/20 are for
        // documentation; 2002::/16 is 6to4.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x2002, ..] => false,
        [0x3fff, second, ..] => second >= 0x1000,
        // Only 2000::/3 is allocated.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests;
