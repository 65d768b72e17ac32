//! The client and its address checks, against real sockets and a fake resolver.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Duration;
use std::time::Instant;

use reqwest::dns::Resolve;

use super::*;
use crate::domain::webhook_url::PrivateNetworks;
use crate::webhooks::receiver::{DEADLINE, Receiver, Reply};
use crate::webhooks::target::{LOOK_UPS_MAX, is_own};

const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(2) };

fn sender(private: PrivateNetworks) -> Sender {
    Sender::new(private, TIMEOUTS).expect("a client")
}

async fn post(sender: &Sender, url: &str) -> Result<Answer, NoAnswer> {
    sender.post(url, HeaderMap::new(), "{}".to_owned()).await
}

#[test]
fn response_texts_are_escaped_and_truncated() {
    assert_eq!(printable(b"ok"), "ok");
    assert_eq!(printable(b"a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
    assert_eq!(printable("\u{202e}x".as_bytes()), "\\u{202e}x");
    assert_eq!(printable(&[b'x'; 1000]).chars().count(), ANSWER_CHARS_KEPT);
}

#[tokio::test]
async fn a_private_ip_literal_is_refused_without_a_connection() {
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let sender = sender(PrivateNetworks::Refused);
    for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0"] {
        let url = format!("http://{host}:{}/", receiver.port());
        assert_eq!(post(&sender, &url).await, Err(NoAnswer::NotPublic), "{host}");
    }
    assert!(receiver.hits().is_empty());
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is_private() {
    fn one_of_two(_: &str) -> io::Result<Vec<SocketAddr>> {
        let found: [IpAddr; 2] = [Ipv4Addr::new(8, 8, 8, 8).into(), Ipv4Addr::LOCALHOST.into()];
        Ok(found.map(|ip| SocketAddr::new(ip, 0)).to_vec())
    }
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let sender =
        Sender::with_look_up(one_of_two, PrivateNetworks::Refused, TIMEOUTS).expect("a client");
    let url = format!("http://shop.example:{}/", receiver.port());
    assert_eq!(post(&sender, &url).await, Err(NoAnswer::NotPublic));
    assert_eq!(receiver.max_open(), 0, "not even connected");
}

/// Resolver answers with at least one private address.
const ANSWERS_INSIDE: [&[&str]; 48] = [
    &["127.0.0.1"],
    &["127.255.255.255"],
    &["0.0.0.0"],
    &["0.255.0.1"],
    &["10.0.0.1"],
    &["10.255.255.255"],
    &["100.64.0.1"],
    &["100.100.100.200"],
    &["168.63.129.16"],
    &["169.254.169.254"],
    &["169.254.170.2"],
    &["172.16.0.1"],
    &["172.31.255.255"],
    &["192.0.0.1"],
    &["192.0.0.192"],
    &["192.0.2.1"],
    &["192.88.99.1"],
    &["192.168.0.1"],
    &["198.18.0.1"],
    &["198.51.100.1"],
    &["203.0.113.1"],
    &["224.0.0.1"],
    &["239.255.255.250"],
    &["240.0.0.1"],
    &["255.255.255.255"],
    &["::"],
    &["::1"],
    &["::127.0.0.1"],
    &["::ffff:127.0.0.1"],
    &["::ffff:10.0.0.1"],
    &["::ffff:169.254.169.254"],
    &["64:ff9b::127.0.0.1"],
    &["64:ff9b::c0a8:101"],
    &["64:ff9b:1::1"],
    &["100::1"],
    &["2001::1"],
    &["2001:db8::1"],
    &["2002:7f00:1::1"],
    &["3fff::1"],
    &["fc00::1"],
    &["fd00:ec2::254"],
    &["fe80::1"],
    &["fec0::1"],
    &["ff02::1"],
    // A good address before, after and between bad ones.
    &["8.8.8.8", "127.0.0.1"],
    &["127.0.0.1", "8.8.8.8"],
    &["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:10.0.0.1"],
    &["2606:4700::1111", "169.254.169.254", "8.8.8.8"],
];

/// Resolver answers with public addresses only.
const ANSWERS_OUTSIDE: [&[&str]; 8] = [
    &["8.8.8.8"],
    &["1.1.1.1", "1.0.0.1"],
    &["168.63.129.15"],
    &["2606:4700::1111"],
    &["2a00:1450::1", "172.217.0.1"],
    &["::ffff:8.8.8.8"],
    &["64:ff9b::808:808", "8.8.8.8"],
    &["172.15.0.1", "172.32.0.1", "192.167.0.1", "11.0.0.1", "126.0.0.1"],
];

/// Resolves `n17.shop.example` to answer 17, the private ones first.
fn by_number(name: &str) -> io::Result<Vec<SocketAddr>> {
    let number = name.trim_start_matches('n').split('.').next().expect("a number");
    let number: usize = number.parse().expect("a number");
    let answers = ANSWERS_INSIDE.iter().chain(&ANSWERS_OUTSIDE).nth(number).expect("an answer");
    let address = |text: &&str| SocketAddr::new(text.parse::<IpAddr>().expect("an address"), 0);
    Ok(answers.iter().map(address).collect())
}

#[tokio::test]
async fn a_name_that_resolves_to_a_private_address_is_refused() {
    let sender =
        Sender::with_look_up(by_number, PrivateNetworks::Refused, TIMEOUTS).expect("a client");
    for (number, answers) in ANSWERS_INSIDE.iter().enumerate() {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://n{number}.shop.example/");
            assert_eq!(post(&sender, &url).await, Err(NoAnswer::NotPublic), "{answers:?}");
        }
    }
}

#[tokio::test]
async fn a_public_name_resolves_to_its_addresses() {
    let resolver = CheckingResolver::new(PrivateNetworks::Refused.into(), by_number);
    for (number, answers) in ANSWERS_OUTSIDE.iter().enumerate() {
        let name = format!("n{}.shop.example", ANSWERS_INSIDE.len() + number);
        let found = resolver.resolve(name.parse().expect("a name")).await;
        let found = found.unwrap_or_else(|error| panic!("{answers:?}: {error}"));
        let found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
        assert_eq!(found, *answers);
    }
}

#[tokio::test]
async fn a_name_without_addresses_is_reported_as_unknown() {
    fn none(_: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(Vec::new())
    }
    fn unknown(_: &str) -> io::Result<Vec<SocketAddr>> {
        Err(io::Error::other("Name or service not known"))
    }
    for look_up in [none, unknown] {
        let sender =
            Sender::with_look_up(look_up, PrivateNetworks::Refused, TIMEOUTS).expect("a client");
        assert_eq!(post(&sender, "http://shop.example/").await, Err(NoAnswer::NoSuchName));
    }
}

#[tokio::test]
async fn a_name_is_resolved_only_once_despite_dns_rebinding() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // Public at the first look-up and private at every later one: DNS rebinding.
    fn first_outside(_: &str) -> io::Result<Vec<SocketAddr>> {
        let first = ASKED.fetch_add(1, Ordering::SeqCst) == 0;
        let ip = if first { Ipv4Addr::new(0, 0, 0, 1) } else { Ipv4Addr::LOCALHOST };
        Ok(vec![SocketAddr::new(ip.into(), 0)])
    }
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    // The "public" address is unreachable: no test sends anything to the Internet.
    let sender = Sender::with_look_up(first_outside, PrivateNetworks::Allowed, TIMEOUTS);
    let url = format!("http://shop.example:{}/", receiver.port());
    let failed = post(&sender.expect("a client"), &url).await;
    assert!(matches!(failed, Err(NoAnswer::Connect | NoAnswer::Timeout)), "{failed:?}");
    assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    assert_eq!(receiver.max_open(), 0);
}

#[tokio::test]
async fn the_connection_uses_the_validated_address() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    fn first_here_then_nowhere(_: &str) -> io::Result<Vec<SocketAddr>> {
        let last = if ASKED.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { 2 };
        Ok(vec![SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), 0)])
    }
    let receiver = Receiver::start(vec![], Reply::status("204 No Content")).await;
    let sender = Sender::with_look_up(first_here_then_nowhere, PrivateNetworks::Allowed, TIMEOUTS);
    let url = format!("http://shop.example:{}/", receiver.port());
    let answer = post(&sender.expect("a client"), &url).await.expect("an answer");
    assert_eq!(answer.status, 204);
    assert_eq!(ASKED.load(Ordering::SeqCst), 1, "asked once, so it cannot answer twice");
    assert!(receiver.hits()[0].header("host").starts_with("shop.example:"));
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_not_followed() {
    static PORT: AtomicU16 = AtomicU16::new(0);
    let inside = Receiver::start(vec![], Reply::status("200 OK")).await;
    PORT.store(inside.port(), Ordering::SeqCst);
    let location = format!("http://127.0.0.1:{}/", PORT.load(Ordering::SeqCst));
    for status in [301, 302, 303, 307, 308] {
        let text =
            format!("HTTP/1.1 {status} Moved\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let receiver = Receiver::start(vec![], Reply::Text(text)).await;
        let answer = post(&sender(PrivateNetworks::Allowed), &receiver.url()).await;
        assert_eq!(answer.map(|answer| answer.status), Ok(status));
    }
    assert_eq!(inside.max_open(), 0);
}

#[tokio::test]
async fn an_endless_response_is_read_only_as_far_as_needed() {
    let receiver = Receiver::start(vec![], Reply::Endless).await;
    // A long timeout, so that the limit of the body ends the read.
    let long = Timeouts { connect: DEADLINE, total: DEADLINE * 100 };
    let sender = Sender::new(PrivateNetworks::Allowed, long).expect("a client");
    let answer = tokio::time::timeout(DEADLINE, post(&sender, &receiver.url())).await;
    let answer = answer.expect("it was cut off").expect("200");
    assert_eq!((answer.status, answer.beginning), (200, "x".repeat(ANSWER_CHARS_KEPT)));
}

#[tokio::test]
async fn the_status_line_decides_despite_malformed_headers() {
    let sender = sender(PrivateNetworks::Allowed);
    for head in [
        include_str!("../../../tests/fixtures/field/header-without-colon.http"),
        "HTTP/1.1 200 OK\r\nPHP Warning:  Undefined variable\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx-note: one\r\n two\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nx-name: caf\u{e9}\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\n: no name\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    ] {
        let receiver = Receiver::start(vec![], Reply::Text(head.to_owned())).await;
        let answer = post(&sender, &receiver.url()).await;
        assert_eq!(answer.as_ref().map(|answer| answer.status), Ok(200), "{head:?}");
    }
}

#[tokio::test]
async fn timeouts_and_connection_failures_are_distinguished() {
    let sender = sender(PrivateNetworks::Allowed);
    let hanging = Receiver::start(vec![], Reply::Hang).await;
    assert_eq!(post(&sender, &hanging.url()).await, Err(NoAnswer::Timeout));
    let closing = Receiver::start(vec![], Reply::HangUp).await;
    assert_eq!(post(&sender, &closing.url()).await, Err(NoAnswer::Broken));
    let babbling = Receiver::start(vec![], Reply::Text("not HTTP\r\n\r\n".to_owned())).await;
    assert_eq!(post(&sender, &babbling.url()).await, Err(NoAnswer::Broken));
    let gone = Receiver::start(vec![], Reply::Hang).await.url();
    assert_eq!(post(&sender, &gone).await, Err(NoAnswer::Connect));
}

#[tokio::test]
async fn a_name_lookup_that_takes_too_long_is_a_timeout() {
    fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
        std::thread::sleep(Duration::from_secs(4));
        Ok(Vec::new())
    }
    let sender = Sender::with_look_up(slow, PrivateNetworks::Allowed, TIMEOUTS).expect("a client");
    let start = Instant::now();
    assert_eq!(post(&sender, "http://shop.example/").await, Err(NoAnswer::Timeout));
    assert!(start.elapsed() < TIMEOUTS.total, "it counts as connecting");
}

#[tokio::test]
async fn hanging_name_lookups_leave_threads_for_the_database() {
    static IN_FLIGHT: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
        let in_flight = IN_FLIGHT.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(in_flight, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs(2));
        IN_FLIGHT.fetch_sub(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
    let sender = Sender::with_look_up(slow, PrivateNetworks::Allowed, TIMEOUTS).expect("a client");
    let posts = (0..LOOK_UPS_MAX + 40).map(|_| post(&sender, "http://shop.example/"));
    for outcome in futures_util::future::join_all(posts).await {
        assert_eq!(outcome, Err(NoAnswer::Timeout));
    }
    let most = MOST.load(Ordering::SeqCst);
    assert!(most <= u32::try_from(LOOK_UPS_MAX).expect("small"), "{most} at once");
}

#[test]
fn an_address_of_this_machine_is_recognised() {
    assert!(is_own(Ipv4Addr::LOCALHOST.into()));
    assert!(!is_own("192.0.2.1".parse().expect("an address")));
    // The address from which this machine reaches the Internet, if it has a route.
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    if socket.connect("192.0.2.1:9").is_ok() {
        assert!(is_own(socket.local_addr().expect("an address").ip()));
    }
}
