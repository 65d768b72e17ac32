//! Thousands of open pages: each change is read once and reaches all of them, also from
//! another process; idle pages cost nothing; surplus pages poll.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::gateway::Gateway;
use crate::harness::http;
use crate::harness::node::Node;
use crate::harness::random::setting;
use crate::harness::roles::Part;
use crate::harness::shop::{Created, Shop};
use crate::harness::shopper::Shopper;
use crate::harness::wait::{SOON, rest, wait_for};

/// Streams for one client address at most.
const EACH: usize = 50;

/// Descriptors that a test with thousands of connections needs, and its gateway too.
const DESCRIPTORS: u32 = 12_000;

/// Memory that 2,000 open streams may add, in bytes.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;

/// A gateway in two processes: the one that serves pages, and the one that watches the chain.
struct Apart {
    api: Part,
    _watcher: Part,
    shop: Shop,
    gateway: Gateway,
    node: Arc<Node>,
}

impl Apart {
    fn start() -> Option<Apart> {
        let node = Arc::new(Node::start()?);
        let gateway = Gateway::init(&node);
        gateway.set("payments.confirmations", 3);
        // For this process; those that it starts inherit it.
        let me = std::process::id().to_string();
        let raised = Command::new("prlimit")
            .args(["--pid", &me, &format!("--nofile={DESCRIPTORS}:")])
            .status();
        assert!(raised.is_ok_and(|status| status.success()), "{DESCRIPTORS} files may not be open");
        let (mut watcher, mut api) = (Part::of("watcher"), Part::of("api"));
        watcher.start(&gateway);
        api.start(&gateway);
        let shop = Shop::open(&gateway, &node, "Corner Shop");
        Some(Apart { api, _watcher: watcher, shop, gateway, node })
    }

    /// Memory of the process that serves pages, in bytes.
    fn memory(&self) -> u64 {
        let file = format!("/proc/{}/status", self.api.process());
        let status = std::fs::read_to_string(file).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Opens streams, spread over these payments, and reads the first message of each.
    fn open(&self, payments: &[Created], count: usize) -> Vec<TcpStream> {
        let streams = (0..count).map(|number| {
            let client = format!("203.0.{}.7", number / EACH);
            let payment = &payments[number % payments.len()];
            let mut stream = TcpStream::connect(("127.0.0.1", self.gateway.port())).unwrap();
            stream.set_read_timeout(Some(SOON)).unwrap();
            let path = format!("/api/payments/{}/events", payment.id);
            let head =
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            let first = read_until(&mut stream, "\n\n");
            assert!(first.contains("\"detail\":\"waiting\""), "{first}");
            stream
        });
        streams.collect()
    }

    /// Reads of the database within a time in which nothing happens.
    fn reads_at_rest(&self, time: Duration) -> u64 {
        let before = self.api.reads();
        rest(time);
        self.api.reads() - before
    }
}

/// Reads a stream until this text.
#[track_caller]
fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut seen, mut bytes, start) = (String::new(), [0; 4096], Instant::now());
    while !seen.contains(end) {
        assert!(start.elapsed() < SOON, "no {end} but {seen}"); // Comments come all the time.
        let count = stream.read(&mut bytes).expect("more, in time");
        assert!(count > 0, "closed after {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    seen
}

/// Reads all streams until this text.
#[track_caller]
fn all_read(streams: &mut [TcpStream], end: &str) -> Duration {
    let start = Instant::now();
    for stream in streams {
        read_until(stream, end);
    }
    start.elapsed()
}

/// 1. Count the database reads with no, one and 401 open streams at rest: one and many cost
///    the same.
/// 2. Pay and confirm one payment: all its streams get each change, within 40 reads.
/// 3. The other streams get nothing.
#[test]
#[ignore = "long: nothing happens for some seconds"]
fn many_open_pages_cost_no_more_reads_than_one() {
    let Some(scene) = Apart::start() else { return };
    let payments: Vec<Created> = (0..20).map(|_| scene.shop.create("0.05")).collect();
    let rest = Duration::from_secs(6);
    assert!(scene.reads_at_rest(Duration::from_secs(2)) <= 4, "no page is open");
    let mut streams = scene.open(&payments[..1], 1);
    let by_one = scene.reads_at_rest(rest);
    streams.extend(scene.open(&payments, 400));
    let by_many = scene.reads_at_rest(rest);
    println!("reads in {rest:?}: {by_one} with 1 open stream, {by_many} with 401");
    assert!(by_many <= by_one + 4, "{by_one} with one, {by_many} with many");

    let before = scene.api.reads();
    let mut concerned: Vec<TcpStream> = streams.drain(..1).collect();
    concerned.extend((0..20).map(|n| streams.remove(n * 19)));
    scene.node.send(&payments[0].address, "0.05");
    let took = all_read(&mut concerned, "\"detail\":\"seen\"");
    scene.node.mine(1);
    all_read(&mut concerned, "\"detail\":\"confirming\"");
    scene.node.mine(1);
    all_read(&mut concerned, "\"confirmations\":2,");
    let looks = scene.api.reads() - before;
    println!("{} of 401 streams told after {took:?}, all in {looks} reads", concerned.len());
    assert!(looks < 40, "{looks} reads");
    for other in &mut streams {
        other.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        let said = other
            .read(&mut bytes)
            .map(|count| String::from_utf8_lossy(&bytes[..count]).into_owned());
        assert!(said.as_ref().is_err() || !said.unwrap().contains("data:"), "it did not change");
    }
}

/// 1. Open `STREAMS` streams: their memory stays within the limit.
/// 2. Pay all payments and mine: every stream gets both changes.
/// 3. Open one more stream: 503, and the browser's page polls.
#[test]
#[ignore = "long: 2,000 streams and a browser"]
fn two_thousand_streams_fit_and_further_pages_poll() {
    let Some(scene) = Apart::start() else { return };
    let count = usize::try_from(setting("STREAMS", 2_000)).unwrap();
    let payments: Vec<Created> = (0..count).map(|_| scene.shop.create("0.05")).collect();
    // One-time allocations are not part of the measurement.
    drop(scene.open(&payments, 50));
    let open = |expected: usize| {
        let line = format!("litegate_event_streams {expected}");
        scene.api.metrics().lines().any(|found| found == line)
    };
    wait_for("the end of the first streams", SOON, || open(0));
    let before = scene.memory();
    let mut streams = scene.open(&payments, count);
    let grown = scene.memory().saturating_sub(before);
    println!(
        "{count} open streams: {} kB more memory, {} bytes each",
        grown / 1024,
        grown / count as u64
    );
    assert!(open(count));
    assert!(grown <= MEMORY_MAX, "{grown} bytes more");

    for some in payments.chunks(100) {
        let addresses: Vec<&str> = some.iter().map(|payment| payment.address.as_str()).collect();
        scene.node.send_to_all(&addresses, "0.05");
    }
    let took = all_read(&mut streams, "\"detail\":\"seen\"");
    let start = Instant::now();
    scene.node.mine(1);
    all_read(&mut streams, "\"detail\":\"confirming\"");
    let block = start.elapsed();
    println!(
        "{count} streams: told of the last payment after {took:?}, of a block after {block:?}"
    );
    println!("memory after that: {} kB more", scene.memory().saturating_sub(before) / 1024);

    if count == 2_000 {
        let payment = scene.shop.create("0.05");
        let path = format!("/api/payments/{}/events", payment.id);
        let refused = http::request(scene.gateway.port(), "GET", &path, &[], b"").unwrap();
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.header("retry-after").is_some());
        let mut shopper = Shopper::arrive();
        shopper.opens(&format!("http://127.0.0.1:{}/pay/{}", scene.gateway.port(), payment.id));
        shopper.sees("waiting", "Pay 0.05 LTC");
        scene.node.send(&payment.address, "0.05");
        shopper.does(json!({"act": "await", "state": "seen"}));
    }
}
