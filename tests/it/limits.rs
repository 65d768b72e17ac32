//! Limits per key, address, and slow or hostile client; other clients are not affected.
//!
//! `HELD=3500 cargo test --test it limits` holds more connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use crate::harness::at_once::at_once;
use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::random::setting;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Longest duration of ordinary calls under attack, unless they take a tenth of it without
/// one.
const PROMPT: Duration = Duration::from_secs(4);

/// Number of held connections, and of those per address.
const HELD: u64 = 600;
const HELD_EACH: u64 = 100;

/// A connection from another address of this machine, which is no trusted proxy.
fn connect_from(from: Ipv4Addr, gateway: &Gateway) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let to = SocketAddr::from(([127, 0, 0, 1], gateway.port()));
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        // A small window, so that unread data stays at the gateway.
        socket.set_recv_buffer_size(4096)?;
        socket.bind(SocketAddr::from((from, 0)))?;
        socket.connect(to).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SOON))?;
    Ok(stream)
}

/// Whether the peer has closed the connection, without waiting.
fn is_closed(stream: &TcpStream) -> bool {
    let mut byte = [0];
    stream.set_nonblocking(true).unwrap();
    let read = stream.peek(&mut byte);
    stream.set_nonblocking(false).unwrap();
    match read {
        Ok(count) => count == 0,
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

/// Opens an event stream for a client behind a proxy, and reads up to the first message.
fn listen(gateway: &Gateway, path: &str, client: &str) -> (u16, TcpStream) {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut seen = Vec::new();
    let mut bytes = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains("\r\n\r\n{")
        && !String::from_utf8_lossy(&seen).contains("data:")
    {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "closed: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    let status = String::from_utf8_lossy(&seen)[9..12].parse().unwrap();
    (status, stream)
}

/// 1. Create payments until the key's limit is reached: each response has the remaining
///    number.
/// 2. The refusal is 429 `rate_limited` with `retry-after`.
/// 3. Public calls have no such header.
#[test]
fn a_response_reports_the_remaining_rate_limit_of_the_key() {
    let Some(TestEnv { gateway, shop, node: _node }) =
        TestEnv::shared_with(|gateway| gateway.set("http.rate_per_key", 60))
    else {
        return;
    };
    let mut refused = None;
    for left in (0..10).rev() {
        let answer = shop.post(r#"{"amountLtc": 0.05}"#, &[]);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"key\";q=60;w=60"));
        let notified = answer.header("ratelimit").unwrap().to_owned();
        if answer.status == 429 {
            refused = Some(answer); // A second has passed meanwhile, or the machine is slow.
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        let words: Vec<&str> = notified.split(';').collect();
        assert_eq!(words[0], "\"key\"");
        let count: u32 = words[1].strip_prefix("r=").unwrap().parse().unwrap();
        assert!((left..10).contains(&count), "{notified}, at least {left}");
    }
    let started = Instant::now();
    let refused = refused.unwrap_or_else(|| {
        loop {
            let answer = shop.post(r#"{"amountLtc": 0.05}"#, &[]);
            if answer.status == 429 {
                break answer;
            }
            assert!(started.elapsed() < SOON, "never refused");
        }
    });
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").unwrap().starts_with("\"key\";r=0;t="));
    let public = gateway.get("/api/payments/x");
    assert_eq!(public.header("ratelimit"), None, "the limit of keys is nothing to others");
}

/// 1. Fill a shop up to one payment below the limit, by SQL.
/// 2. Create 64 payments at once: one succeeds, the others get 429.
/// 3. Another shop and a repeated idempotency key are not affected.
/// 4. Let one payment expire: another can be created.
#[test]
fn a_shop_has_ten_thousand_open_payments_at_most() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let first = shop.create("0.05").id;
    let body = r#"{"amountLtc": 0.05}"#;
    let known = shop.post(body, &[("idempotency-key", "known")]);
    Database::of(&gateway).write(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9997)
         INSERT INTO payments (derivation_index, id, merchant_id, script, amount, created_at,
             expires_at, late_until, confirmations, confirmations_pegout)
         SELECT n + 1000, randomblob(16), merchant_id, CAST(x'0014' || randomblob(20) AS BLOB), amount, created_at,
             expires_at, late_until, confirmations, confirmations_pegout
         FROM n JOIN payments ON derivation_index = 0",
    );
    let short = r#"{"amountLtc": 0.05, "expiresIn": 60}"#;
    let (made, mut refused): (Vec<_>, Vec<_>) =
        at_once(64, || shop.post(short, &[])).into_iter().partition(|answer| answer.status == 200);
    assert_eq!((made.len(), refused.len()), (1, 63));
    let last = Fields::of(&made[0].body).text("paymentId");
    let refused = refused.pop().unwrap();
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "rate_limited");
    assert_eq!(refused.header("retry-after"), Some("60"));
    assert!(refused.body.contains("10000 payments are open"), "{}", refused.body);
    neighbour.create("0.05");
    let again = shop.post(body, &[("idempotency-key", "known")]);
    assert_eq!(again.body, known.body, "what was promised is kept");
    assert_eq!(shop.status(&first).text("status"), "pending");
    // An expired payment frees its place, even before the watcher records it.
    gateway.let_pass(Duration::from_secs(61));
    shop.create("0.05");
    shop.await_status(&last, "expired", SOON);
}

/// 1. Send wrong keys from one address: after some 401, 429.
/// 2. Other addresses and a valid key are not affected.
/// 3. Addresses of one IPv6 /64 count as one, with or without port.
#[test]
fn a_client_address_that_guesses_keys_is_rate_limited() {
    let Some(TestEnv { gateway, shop, node: _node }) =
        TestEnv::shared_with(|gateway| gateway.set("http.rate_per_address", 60))
    else {
        return;
    };
    let wrong = format!("{}x", shop.api_key);
    let attempt = |key: &str, client: &str| {
        let headers = [("x-api-key", key), ("x-forwarded-for", client)];
        gateway.request("POST", "/api/payments", &headers, r#"{"amountLtc": 0.05}"#)
    };
    let codes: Vec<u16> = (0..15).map(|_| attempt(&wrong, "203.0.113.7").status).collect();
    assert_eq!(codes[..5], [401; 5], "{codes:?}");
    assert!(codes.contains(&429), "{codes:?}");
    assert_eq!(attempt(&wrong, "203.0.113.8").status, 401, "others are not concerned");
    assert_eq!(attempt(&shop.api_key, "203.0.113.7").status, 200, "nor is a key that is valid");
    let codes: Vec<u16> =
        (0..15).map(|n| attempt(&wrong, &format!("[2001:db8::{n:x}]:4711")).status).collect();
    assert!(codes.contains(&429), "{codes:?}");
    let codes: Vec<u16> =
        (0..15).map(|n| attempt(&wrong, &format!("2001:db8:0:{n:x}::1")).status).collect();
    assert_eq!(codes[1..], [401; 14], "other networks: {codes:?}");
}

/// 1. Send headers with a wrong key, content type or idempotency key, and a part of the body.
/// 2. The refusal arrives before the rest of the body.
#[test]
fn a_wrong_key_is_refused_before_the_body_is_read() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    for (headers, status) in [
        ("x-api-key: wrong\r\n".to_owned(), "401"),
        (format!("x-api-key: {}\r\ncontent-type: text/xml\r\n", shop.api_key), "415"),
        (format!("x-api-key: {}\r\nidempotency-key: \"\"\r\n", shop.api_key), "400"),
    ] {
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let head = format!(
            "POST /api/payments HTTP/1.1\r\nhost: x\r\n{headers}content-length: 60000\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        assert_eq!(&start[9..], status.as_bytes(), "{headers}");
    }
}

/// 1. Follow a payment's stream until it completes: the last event has the id `last`.
/// 2. Reconnect with that id: 204, without a body.
#[test]
fn a_stream_ends_at_the_final_state_without_reconnects() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let path = format!("/api/payments/{}/events", payment.id);
    let (status, mut stream) = listen(&gateway, &path, "203.0.113.7");
    assert_eq!(status, 200);
    node.send(&payment.address, "0.05");
    node.mine(2);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the stream ends by itself");
    assert!(rest.contains("\"status\":\"completed\""), "{rest}");
    assert!(rest.contains("id:last"), "{rest}");
    let again = gateway.request("GET", &path, &[("last-event-id", "last")], "");
    assert_eq!((again.status, again.body.as_str()), (204, ""), "nothing more to tell");
    let whole = gateway.get(&path);
    assert!(whole.body.contains("\"status\":\"completed\""), "{}", whole.body);
}

/// 1. Let a payment expire: its stream stays open during the grace period.
/// 2. Let 60 days pass: the stream ends.
#[test]
fn a_stream_ends_when_its_payment_can_no_longer_be_paid() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create_with(r#"{"amountLtc": 0.05, "expiresIn": 60}"#);
    let path = format!("/api/payments/{}/events", payment.id);
    let (_, mut stream) = listen(&gateway, &path, "203.0.113.7");
    gateway.let_pass(Duration::from_secs(120));
    shop.await_status(&payment.id, "expired", SOON);
    let (mut seen, mut bytes) = (String::new(), [0; 4096]);
    let whole_event = |seen: &str| {
        seen.split_once("\"status\":\"expired\"").is_some_and(|(_, rest)| rest.contains("\n\n"))
    };
    while !whole_event(&seen) {
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended in the time for late money: {seen}");
        seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    assert!(!seen.contains("id:last"), "money may still come: {seen}");
    gateway.let_pass(Duration::from_secs(60 * 24 * 3600));
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the stream ends by itself");
    assert!(rest.contains("id:last"), "{rest}");
}

/// 1. Limit streams to two: a third gets 503.
/// 2. Close them: another one is accepted.
#[test]
fn all_streams_together_have_a_limit_that_the_operator_sets() {
    let Some(TestEnv { gateway, shop, node: _node }) =
        TestEnv::shared_with(|gateway| gateway.set("http.max_event_streams", 2))
    else {
        return;
    };
    let path = format!("/api/payments/{}/events", shop.create("0.05").id);
    let open = ["203.0.113.7", "203.0.113.8"].map(|client| listen(&gateway, &path, client));
    assert!(open.iter().all(|(status, _)| *status == 200));
    assert_eq!(listen(&gateway, &path, "203.0.113.9").0, 503, "a third");
    drop(open);
    wait_for("the places of streams that were left", SOON, || {
        listen(&gateway, &path, "203.0.113.9").0 == 200
    });
}

/// 1. Open streams of one address up to its limit, and of one payment up to its limit: 429.
/// 2. Other addresses are not affected; closed streams free their places.
/// 3. Open sockets of one address up to its limit: 429 as JSON, while another address is
///    served.
#[test]
fn each_client_address_has_a_limit_of_streams_and_sockets() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let path = || format!("/api/payments/{}/events", shop.create("0.05").id);
    let paths = [path(), path(), path()];
    let path = &paths[2];
    let open: Vec<(u16, TcpStream)> =
        (0..64).map(|n| listen(&gateway, &paths[n % 2], "203.0.113.7")).collect();
    assert!(open.iter().all(|(status, _)| *status == 200));
    assert_eq!(listen(&gateway, path, "203.0.113.7").0, 429, "one more than its share");
    assert_eq!(listen(&gateway, &paths[0], "203.0.113.8").0, 429, "a payment has 32 at most");
    let (status, other) = listen(&gateway, path, "203.0.113.8");
    assert_eq!(status, 200, "others are not concerned");
    drop(other);
    drop(open);
    wait_for("the places of streams that were left", SOON, || {
        listen(&gateway, path, "203.0.113.7").0 == 200
    });

    let greedy = Ipv4Addr::new(127, 0, 0, 2);
    let held: Vec<TcpStream> = (0..128).map(|_| connect_from(greedy, &gateway).unwrap()).collect();
    let mut refused = connect_from(greedy, &gateway).unwrap();
    let mut answer = String::new();
    let _ = refused.read_to_string(&mut answer); // It may have been reset after the answer.
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("rate_limited") && answer.contains("x-request-id"), "{answer}");
    let mut neighbour = connect_from(Ipv4Addr::new(127, 0, 0, 3), &gateway).unwrap();
    neighbour.write_all(b"GET /docs HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut start = [0; 12];
    neighbour.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    assert!(held.iter().any(|stream| !is_closed(stream)), "the first ones were taken");
}

/// 1. Limit event streams to 300: a quarter is reserved for payments without a stream, and an
///    IPv6 /56 gets at most a quarter.
/// 2. Open streams from neighbouring /64s of one /56 until their share is used: the next is
///    refused.
/// 3. Open streams from other networks until only the reserved ones are left.
/// 4. A payment without a stream still gets one, but no second one.
#[test]
fn neighbouring_networks_leave_streams_to_others() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared_with(|gateway| {
        gateway.set("http.max_event_streams", 300);
    }) else {
        return;
    };
    let path = || format!("/api/payments/{}/events", shop.create("0.05").id);
    let many: Vec<String> = (0..8).map(|_| path()).collect();
    let neighbour = |n: usize| format!("2001:db8:0:{n:x}::1");
    let mut open: Vec<(u16, TcpStream)> =
        (0..75).map(|n| listen(&gateway, &many[n % 8], &neighbour(n))).collect();
    assert!(open.iter().all(|(status, _)| *status == 200));
    assert_eq!(listen(&gateway, &many[0], &neighbour(75)).0, 429, "a quarter of 300 is taken");
    let stranger = |n: usize| format!("203.0.113.{}", n / 50);
    open.extend((0..150).map(|n| listen(&gateway, &many[n % 8], &stranger(n))));
    assert!(open.iter().all(|(status, _)| *status == 200));
    let fresh = path();
    assert_eq!(listen(&gateway, &many[0], "198.51.100.1").0, 503, "the rest is reserved");
    let first = listen(&gateway, &fresh, "198.51.100.1");
    assert_eq!(first.0, 200, "for payments that have none");
    assert_eq!(listen(&gateway, &fresh, "198.51.100.1").0, 503, "and for no second one");
    drop((open, first));
}

#[test]
fn the_guide_and_the_openapi_document_are_rate_limited() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) =
        TestEnv::shared_with(|gateway| gateway.set("http.rate_per_address", 60))
    else {
        return;
    };
    for (path, client) in [("/docs", "203.0.113.7"), ("/openapi.json", "203.0.113.8")] {
        let headers = [("x-forwarded-for", client)];
        let codes: Vec<u16> =
            (0..15).map(|_| gateway.request("GET", path, &headers, "").status).collect();
        assert_eq!(codes[..5], [200; 5], "{path}: {codes:?}");
        assert!(codes.contains(&429), "{path}: {codes:?}");
    }
}

/// Duration of a shop's usual calls.
#[track_caller]
fn ordinary_calls(test_env: &TestEnv) -> Duration {
    let before = Instant::now();
    let payment = test_env.shop.create("0.05");
    test_env.shop.status(&payment.id);
    assert_eq!(test_env.gateway.get(&format!("/pay/{}", payment.id)).status, 200);
    before.elapsed()
}

/// 1. Hold connections that send nothing, stop within headers or body, never read, or are half
///    closed.
/// 2. Ordinary calls stay quick.
/// 3. Connections without a complete request are closed.
#[test]
#[ignore = "long"]
fn slow_readers_and_half_open_connections_delay_no_others() {
    let Some(test_env) = TestEnv::shared() else { return };
    let TestEnv { gateway, shop, node: _node } = &test_env;
    let path = format!("/api/payments/{}", shop.create("0.05").id);
    let alone = (0..5).map(|_| ordinary_calls(&test_env)).max().unwrap();
    let check_ordinary_calls = |what: &str| {
        let took = ordinary_calls(&test_env);
        assert!(took < PROMPT.max(alone * 10), "{what}: {took:?}, and {alone:?} alone");
    };
    let count = setting("HELD", HELD);
    let attackers: Vec<Ipv4Addr> = (2..)
        .take(usize::try_from(count.div_ceil(HELD_EACH)).unwrap())
        .map(|n: u8| Ipv4Addr::new(127, 0, 1, n))
        .collect();
    let mut held = Vec::new();
    for n in 0..usize::try_from(count).unwrap() {
        let Ok(mut stream) = connect_from(attackers[n % attackers.len()], gateway) else {
            continue;
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        let sent = match n % 5 {
            0 => Ok(()),                                          // Says nothing.
            1 => stream.write_all(b"GET /docs HTTP/1.1\r\nhost"), // Stops within the headers.
            2 => stream.write_all(request.repeat(40).as_bytes()), // Asks much, reads nothing.
            3 => stream.write_all(
                format!(
                    "POST /api/payments HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\n\
                     content-length: 60000\r\n\r\n{{",
                    shop.api_key
                )
                .as_bytes(),
            ), // Stops within the body.
            _ => stream
                .write_all(format!("GET {path}/events HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
                .and_then(|()| stream.shutdown(Shutdown::Write)), // Half closed.
        };
        if sent.is_ok() {
            held.push((n % 5, stream));
        }
        if n % 100 == 99 {
            check_ordinary_calls(&format!("beside {n} others"));
        }
    }
    let most = usize::try_from(count * 2 / 3).unwrap();
    assert!(held.len() > most, "{} of {count}", held.len());
    let cut_off = |kind: usize| {
        held.iter().filter(|(of, _)| *of == kind).all(|(_, stream)| is_closed(stream))
    };
    wait_for("the end of connections without a request", SOON, || {
        check_ordinary_calls("while others are cut off");
        cut_off(0) && cut_off(1)
    });
    check_ordinary_calls("afterwards");
}
