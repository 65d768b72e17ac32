//! The guard and the client, against real sockets and names that answer as the test says.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::Instant;

use super::*;
use crate::webhooks::receiver::{Receiver, Reply};

const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_secs(1), total: Duration::from_secs(2) };

fn sender(private: PrivateNetworks) -> Sender {
    Sender::new(private, TIMEOUTS).expect("a client")
}

async fn post(sender: &Sender, url: &str) -> Result<Answer, NoAnswer> {
    sender.post(url, HeaderMap::new(), "{}".to_owned()).await
}

#[test]
fn answers_are_made_harmless() {
    assert_eq!(printable(b"ok"), "ok");
    assert_eq!(printable(b"a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
    assert_eq!(printable("\u{202e}x".as_bytes()), "\\u{202e}x");
    assert_eq!(printable(&[b'x'; 1000]).chars().count(), ANSWER_CHARS_KEPT);
}

#[tokio::test]
async fn a_literal_inside_is_refused_without_a_connection() {
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let sender = sender(PrivateNetworks::Refused);
    for host in ["127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0"] {
        let url = format!("http://{host}:{}/", receiver.port());
        assert_eq!(post(&sender, &url).await, Err(NoAnswer::NotPublic), "{host}");
    }
    assert!(receiver.hits().is_empty());
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is_inside() {
    fn one_of_two(_: &str) -> io::Result<Vec<SocketAddr>> {
        let found: [IpAddr; 2] = [Ipv4Addr::new(8, 8, 8, 8).into(), Ipv4Addr::LOCALHOST.into()];
        Ok(found.map(|ip| SocketAddr::new(ip, 0)).to_vec())
    }
    let receiver = Receiver::start(vec![], Reply::status("200 OK")).await;
    let sender = Sender::asking(one_of_two, PrivateNetworks::Refused, TIMEOUTS).expect("a client");
    let url = format!("http://shop.example:{}/", receiver.port());
    assert_eq!(post(&sender, &url).await, Err(NoAnswer::NotPublic));
    assert_eq!(receiver.open_max(), 0, "not even connected");
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    fn first_here_then_nowhere(_: &str) -> io::Result<Vec<SocketAddr>> {
        let last = if ASKED.fetch_add(1, Ordering::SeqCst) == 0 { 1 } else { 2 };
        Ok(vec![SocketAddr::new(Ipv4Addr::new(127, 0, 0, last).into(), 0)])
    }
    let receiver = Receiver::start(vec![], Reply::status("204 No Content")).await;
    let sender = Sender::asking(first_here_then_nowhere, PrivateNetworks::Allowed, TIMEOUTS);
    let url = format!("http://shop.example:{}/", receiver.port());
    let answer = post(&sender.expect("a client"), &url).await.expect("an answer");
    assert_eq!(answer.status, 204);
    assert_eq!(ASKED.load(Ordering::SeqCst), 1, "asked once, so it cannot answer twice");
    assert!(receiver.hits()[0].header("host").starts_with("shop.example:"));
}

#[tokio::test]
async fn a_redirect_inside_is_an_answer_and_not_a_way() {
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
    assert_eq!(inside.open_max(), 0);
}

#[tokio::test]
async fn no_more_is_read_of_an_endless_answer_than_is_needed() {
    let receiver = Receiver::start(vec![], Reply::Endless).await;
    let start = Instant::now();
    let answer = post(&sender(PrivateNetworks::Allowed), &receiver.url()).await.expect("200");
    assert_eq!((answer.status, answer.beginning), (200, "x".repeat(ANSWER_CHARS_KEPT)));
    assert!(start.elapsed() < TIMEOUTS.total, "it was cut off, not timed out");
}

#[tokio::test]
async fn what_does_not_answer_is_told_apart() {
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
async fn a_name_that_takes_too_long_is_a_timeout() {
    fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
        std::thread::sleep(Duration::from_secs(4));
        Ok(Vec::new())
    }
    let sender = Sender::asking(slow, PrivateNetworks::Allowed, TIMEOUTS).expect("a client");
    let start = Instant::now();
    assert_eq!(post(&sender, "http://shop.example/").await, Err(NoAnswer::Timeout));
    assert!(start.elapsed() < TIMEOUTS.total, "it counts as connecting");
}

#[tokio::test]
async fn look_ups_that_hang_leave_threads_to_the_database() {
    static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    fn slow(_: &str) -> io::Result<Vec<SocketAddr>> {
        let under_way = UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(under_way, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs(2));
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        Ok(Vec::new())
    }
    let sender = Sender::asking(slow, PrivateNetworks::Allowed, TIMEOUTS).expect("a client");
    let posts = (0..LOOK_UPS_MAX + 40).map(|_| post(&sender, "http://shop.example/"));
    for outcome in futures_util::future::join_all(posts).await {
        assert_eq!(outcome, Err(NoAnswer::Timeout));
    }
    let most = MOST.load(Ordering::SeqCst);
    assert!(most <= u32::try_from(LOOK_UPS_MAX).expect("small"), "{most} at once");
}
