//! URLs of the configuration: the gateway's site, the nodes' RPC and ZMQ endpoints.
//!
//! Each is parsed once and stored in the parser's spelling. Errors continue a sentence that
//! begins with the key.

use std::fmt;

use url::{Host, Url};

use super::validate::Diagnostics;

/// Why a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadUrl {
    #[error("must be a URL such as {0}")]
    NotAUrl(&'static str),
    #[error("must begin with https:// or http://, as in {0}")]
    Scheme(&'static str),
    #[error(
        "must begin with http://: litecoind serves no TLS; for a node on another machine use a \
         tunnel (WireGuard, ssh -L, stunnel), and name its end on this machine"
    )]
    NodeTls,
    #[error("must not contain a user name or password")]
    Credentials,
    #[error("must not contain a query (?…) or a fragment (#…)")]
    Tail,
    #[error(
        "is a wildcard, which only the node's own configuration may use; name one \
         address, such as tcp://127.0.0.1:28332"
    )]
    Wildcard,
    #[error("must name a port between 1 and 65535")]
    Port,
    #[error("must begin with https://; http:// is for regtest, to an address of this machine")]
    PlainHttp,
}

const SITE: &str = "https://pay.example.com";
const RATE_SOURCE: &str = "https://api.kraken.com";
const NODE: &str = "http://127.0.0.1:9332";
const PUBLISHER: &str = "tcp://127.0.0.1:28332";

/// Parses the base URL of a site, which may have a path. The result has no trailing slash.
///
/// # Errors
/// [`BadUrl`].
pub(crate) fn read_site(text: &str) -> Result<String, BadUrl> {
    let url = read_http(text, SITE)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// As [`read_site`], for an optional key. Reports a mistake.
pub(super) fn read_optional_site(
    diagnostics: &mut Diagnostics,
    key: &str,
    text: Option<&str>,
) -> Option<String> {
    diagnostics.take(key, read_site(text?))
}

/// Parses the base URL of a source of exchange rates. Plain http is for stand-ins on this
/// machine, where `plain_http` allows it.
///
/// # Errors
/// [`BadUrl`].
pub(super) fn read_rate_source(text: &str, plain_http: PlainHttp) -> Result<String, BadUrl> {
    let url = read_http(text, RATE_SOURCE)?;
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !(is_loopback && plain_http == PlainHttp::Loopback) {
        return Err(BadUrl::PlainHttp);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Whether a source of exchange rates may be asked without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlainHttp {
    Refused,
    /// On this machine only.
    Loopback,
}

/// Parses the URL of a node's RPC.
///
/// # Errors
/// [`BadUrl`].
pub(super) fn read_node(text: &str) -> Result<String, BadUrl> {
    let url = read_http(text, NODE)?;
    if url.scheme() != "http" {
        return Err(BadUrl::NodeTls);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn read_http(text: &str, example: &'static str) -> Result<Url, BadUrl> {
    let url = Url::parse(text.trim()).map_err(|_| BadUrl::NotAUrl(example))?;
    if !matches!(url.scheme(), "http" | "https") {
        // `pay.example.com:443` parses as a URL of the scheme `pay.example.com`.
        let names_scheme = text.contains("://");
        let wrong = if names_scheme { BadUrl::Scheme } else { BadUrl::NotAUrl };
        return Err(wrong(example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadUrl::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(BadUrl::Tail);
    }
    Ok(url)
}

/// Parses the endpoint of a node's ZMQ publisher into the form that libzmq needs: lower-case
/// scheme, host in the resolver's form.
///
/// # Errors
/// [`BadUrl`].
pub(super) fn read_publisher(text: &str) -> Result<String, BadUrl> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").ok_or(BadUrl::NotAUrl(PUBLISHER))?;
    match scheme.to_ascii_lowercase().as_str() {
        "ipc" if !rest.is_empty() => return Ok(format!("ipc://{rest}")),
        "tcp" => {}
        _ => return Err(BadUrl::NotAUrl(PUBLISHER)),
    }
    let (host, port) = rest.rsplit_once(':').ok_or(BadUrl::Port)?;
    if host == "*" {
        return Err(BadUrl::Wildcard);
    }
    let port: u16 = port.parse().ok().filter(|port| *port != 0).ok_or(BadUrl::Port)?;
    let host = Host::parse(host).map_err(|_| BadUrl::NotAUrl(PUBLISHER))?;
    Ok(Publisher { host, port }.to_string())
}

struct Publisher {
    host: Host,
    port: u16,
}

impl fmt::Display for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = fn(&str) -> Result<String, BadUrl>;

    #[track_caller]
    fn check(read: Read, text: &str, expected: Result<&str, BadUrl>) {
        assert_eq!(read(text), expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn sites_are_read_in_every_spelling() {
        let read: Read = read_site;
        check(read, "https://pay.example.com", Ok("https://pay.example.com"));
        check(read, " HTTPS://Pay.Example.COM/ ", Ok("https://pay.example.com"));
        check(read, "https://shop.example/pay-gw/", Ok("https://shop.example/pay-gw"));
        check(read, "https://shop.example:443/pay-gw", Ok("https://shop.example/pay-gw"));
        check(read, "http://[::1]:8080", Ok("http://[::1]:8080"));
        check(read, "http://[0:0:0:0:0:0:0:1]:8080/a//", Ok("http://[::1]:8080/a"));
        check(read, "https://pay.example.com/#", Err(BadUrl::Tail));
        check(read, "https://pay.example.com/#top", Err(BadUrl::Tail));
        check(read, "https://pay.example.com/?", Err(BadUrl::Tail));
        check(read, "https://pay.example.com/?a=b", Err(BadUrl::Tail));
        check(read, "https://me@pay.example.com/", Err(BadUrl::Credentials));
        check(read, "https://me:secret@pay.example.com/", Err(BadUrl::Credentials));
        check(read, "ftp://pay.example.com", Err(BadUrl::Scheme(SITE)));
        for text in ["", "pay.example.com", "pay.example.com:443", "https://", "//pay.example.com"]
        {
            check(read, text, Err(BadUrl::NotAUrl(SITE)));
        }
    }

    #[test]
    fn nodes_are_read_in_every_spelling() {
        let read: Read = read_node;
        check(read, "http://127.0.0.1:9332", Ok("http://127.0.0.1:9332"));
        check(read, "HTTP://LocalHost:9332/", Ok("http://localhost:9332"));
        check(read, "http://[::1]:9332", Ok("http://[::1]:9332"));
        check(
            read,
            "http://node.internal:9332/wallet/shop",
            Ok("http://node.internal:9332/wallet/shop"),
        );
        check(read, "https://127.0.0.1:9332", Err(BadUrl::NodeTls));
        check(read, "HTTPS://node.example", Err(BadUrl::NodeTls));
        check(read, "http://user:hush@127.0.0.1:9332", Err(BadUrl::Credentials));
        check(read, "http://user@127.0.0.1:9332", Err(BadUrl::Credentials));
        check(read, "http://127.0.0.1:9332/#x", Err(BadUrl::Tail));
        check(read, "tcp://127.0.0.1:9332", Err(BadUrl::Scheme(NODE)));
        for text in ["127.0.0.1:9332", "localhost:9332", "http://::1:9332", "http://[::1:9332"] {
            check(read, text, Err(BadUrl::NotAUrl(NODE)));
        }
    }

    #[test]
    fn publishers_are_read_in_every_spelling() {
        let read: Read = read_publisher;
        check(read, "tcp://127.0.0.1:28332", Ok("tcp://127.0.0.1:28332"));
        check(read, "TCP://LocalHost:28332", Ok("tcp://localhost:28332"));
        check(read, "tcp://[::1]:28332", Ok("tcp://[::1]:28332"));
        check(read, "tcp://[0:0::1]:28332", Ok("tcp://[::1]:28332"));
        check(read, "IPC:///run/Litecoin/zmq", Ok("ipc:///run/Litecoin/zmq"));
        check(read, "tcp://*:28332", Err(BadUrl::Wildcard));
        for text in ["tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://h:65536", "tcp://h:*"] {
            check(read, text, Err(BadUrl::Port));
        }
        for text in ["127.0.0.1:28332", "http://127.0.0.1:28332", "tcp://::1:28332", "ipc://"] {
            check(read, text, Err(BadUrl::NotAUrl(PUBLISHER)));
        }
    }
}
