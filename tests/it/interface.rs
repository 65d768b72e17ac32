//! Properties of every response: machine-readable errors, headers for browsers and caches, and
//! idempotent repeats.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::at_once::at_once;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Sends bytes unchanged and reads until the end.
fn raw(gateway: &Gateway, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    // A server that closes with unread bytes may reset; earlier bytes count.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// 1. Read a status: it has an ETag and `no-cache`.
/// 2. Repeat with that ETag, in every form: 304 without a body.
/// 3. Pay a part: 200 with another ETag.
#[test]
fn an_unchanged_status_is_answered_without_a_body() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let path = format!("/api/payments/{}", payment.id);
    let first = gateway.get(&path);
    let tag = first.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with("W/\"") && tag.ends_with('"'), "{tag}");
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let ask = |tag: &str| gateway.request("GET", &path, &[("if-none-match", tag)], "");
    for known in [tag.clone(), format!("\"other\", {tag}"), tag[2..].to_owned(), "*".to_owned()] {
        let again = ask(&known);
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
        assert_eq!(again.header("access-control-allow-origin"), Some("*"));
    }
    assert_eq!(ask("W/\"other\"").status, 200);
    let head = gateway.request("HEAD", &path, &[], "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    node.send(&payment.address, "0.02");
    shop.await_field(&payment.id, "detail", "\"partly_paid\"", SOON);
    let changed = ask(&tag);
    assert_eq!(changed.status, 200, "it has changed");
    assert_ne!(changed.header("etag"), Some(tag.as_str()));
}

/// 1. Public resources have CORS headers, also with errors and preflights.
/// 2. Calls with a key have none.
#[test]
fn cross_origin_pages_may_read_only_public_resources() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let path = format!("/api/payments/{}", payment.id);
    let unknown = "/api/payments/550e8400-e29b-41d4-a716-446655440000";
    for (path, status) in [(path.as_str(), 200), (unknown, 404), ("/api/payments/x/y", 404)] {
        let answer = gateway.get(path);
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed, Some("x-request-id, etag, retry-after"), "{path}");
    }
    let asks = [
        ("origin", "https://shop.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    for path in [path.clone(), format!("{path}/events"), "/openapi.json".to_owned()] {
        let preflight = gateway.request("OPTIONS", &path, &asks, "");
        assert_eq!((preflight.status, preflight.body.as_str()), (204, ""), "{path}");
        assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
        assert!(preflight.header("access-control-allow-methods").unwrap().contains("GET"));
        let headers = preflight.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("if-none-match") && headers.contains("last-event-id"));
    }
    for (method, path) in [("OPTIONS", "/api/payments"), ("POST", "/api/payments")] {
        let answer = gateway.request(method, path, &asks, "");
        let shared: Vec<_> =
            answer.headers.iter().filter(|(name, _)| name.starts_with("access-control")).collect();
        assert!(shared.is_empty(), "{method} {path}: {shared:?}");
    }
}

/// 1. Each wrong method gets 405 with `allow` and a JSON error.
#[test]
fn a_wrong_method_gets_the_list_of_allowed_methods() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05").id;
    for (method, path, allowed) in [
        ("DELETE", "/api/payments".to_owned(), "GET, HEAD, POST, OPTIONS"),
        ("PUT", format!("/api/payments/{payment}"), "GET, HEAD, OPTIONS"),
        ("POST", format!("/api/payments/{payment}/events"), "GET, HEAD, OPTIONS"),
        ("POST", format!("/pay/{payment}"), "GET, HEAD, OPTIONS"),
        ("BREW", "/docs".to_owned(), "GET, HEAD, OPTIONS"),
    ] {
        let answer = gateway.request(method, &path, &[], "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{method}");
        if method != "HEAD" {
            let code = Fields::of(&answer.body).object("error").text("code");
            assert_eq!(code, "method_not_allowed");
        }
    }
}

/// 1. Send malformed and oversized requests as raw bytes.
/// 2. Each gets its status, code and request id as JSON.
#[test]
fn a_malformed_request_gets_a_json_error() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    let long = format!("GET / HTTP/1.1\r\nhost: x\r\nnote: {}\r\n\r\n", "x".repeat(100_000));
    let many: String = (0..200).map(|n| format!("h{n}: x\r\n")).collect();
    let many = format!("GET /docs HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    for (bytes, status, code) in [
        ("NONSENSE\r\n\r\n", "400", "invalid_request"),
        ("GET / HTTP/1.1\r\nbad header\r\n\r\n", "400", "invalid_request"),
        ("GET /\u{0}x HTTP/1.1\r\n\r\n", "400", "invalid_request"),
        (&long, "431", "headers_too_large"),
        (&many, "431", "headers_too_large"),
    ] {
        let answer = raw(&gateway, bytes.as_bytes());
        let start: String = bytes.chars().take(30).collect();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{start}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let error = Fields::of(body).object("error");
        assert_eq!(error.text("code"), code, "{start}");
        assert!(head.contains(&format!("x-request-id: {}", error.text("requestId"))), "{head}");
    }
}

/// 1. Send 40 kB of headers, and 101 headers: 431, with both limits in the message.
/// 2. Send decisive headers twice: 400 with the header's name, on every path.
/// 3. Let a proxy forward a client address that is not text: 400, unless the proxy's own
///    header is valid.
#[test]
fn headers_are_limited_and_decisive_ones_are_unique() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let get = |fields: &str| {
        let head = format!("GET /docs HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{fields}\r\n");
        raw(&gateway, head.as_bytes())
    };
    let fields = |count: usize, length: usize| -> String {
        (0..count).map(|n| format!("h{n}: {}\r\n", "x".repeat(length))).collect()
    };
    assert!(get(&fields(10, 3_000)).starts_with("HTTP/1.1 200 "));
    assert!(get(&fields(98, 1)).starts_with("HTTP/1.1 200 "));
    for too_much in [fields(10, 4_000), fields(1, 32 * 1024), fields(99, 1), fields(200, 1)] {
        let answer = get(&too_much);
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        assert!(answer.contains("32768 bytes") && answer.contains("100 headers"), "{answer}");
    }
    let key = shop.api_key.as_str();
    for (name, value) in [
        ("x-api-key", key),
        ("content-type", "application/json"),
        ("content-encoding", "identity"),
        ("idempotency-key", "a"),
        ("last-event-id", "last"),
    ] {
        let twice = [("x-api-key", key), (name, value), (name, value)];
        let twice = if name == "x-api-key" { &twice[1..] } else { &twice };
        for path in ["/api/payments", "/no/such"] {
            let answer = gateway.request("POST", path, twice, r#"{"amountLtc": 0.05}"#);
            assert_eq!(answer.status, 400, "{name}: {}", answer.body);
            let error = Fields::of(&answer.body).object("error");
            assert_eq!(
                (error.text("code"), error.text("param").as_str()),
                ("invalid_request".to_owned(), name)
            );
        }
    }
    let from = |client: &[u8]| {
        let head = b"GET /docs HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: ";
        raw(&gateway, &[head.as_slice(), client, b"\r\n\r\n"].concat())
    };
    assert!(from(b"198.51.100.1").starts_with("HTTP/1.1 200 "));
    assert!(from(b"\xff, 198.51.100.1").starts_with("HTTP/1.1 200 "));
    let refused = from(b"198.51.100.1, \xff");
    assert!(
        refused.starts_with("HTTP/1.1 400 ") && refused.contains("x-forwarded-for"),
        "{refused}"
    );
}

/// 1. Request with `accept: application/problem+json`: errors are problem documents (RFC
///    9457).
/// 2. Successes are ordinary JSON.
#[test]
fn errors_use_problem_json_for_clients_that_accept_it() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let problem = [("accept", "application/problem+json")];
    let answer = shop.post(r#"{"amountLtc": -1}"#, &problem);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let fields = Fields::of(&answer.body);
    let kind = format!("http://127.0.0.1:{}/docs#invalid_request", gateway.port());
    assert_eq!(fields.text("type"), kind);
    assert_eq!(fields.raw("status"), "400");
    assert_eq!(fields.text("param"), "amountLtc");
    assert!(fields.text("detail").contains("amountLtc"));
    assert_eq!(Some(fields.text("instance").as_str()), answer.header("x-request-id"));
    let fine = shop.post(r#"{"amountLtc": 1}"#, &problem);
    assert_eq!(fine.status, 200);
    assert_eq!(fine.header("content-type"), Some("application/json"));
    let unknown = gateway.request("GET", "/no/such", &problem, "");
    assert_eq!(unknown.header("content-type"), Some("application/problem+json"));
}

#[test]
fn misspelt_fields_are_reported() {
    let Some(TestEnv { gateway: _gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let answer = shop.post(r#"{"amountLtc": 1, "webhookURL": "x", "note": {"a": [1e999]}}"#, &[]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("x-ignored-fields"), Some("note, webhookURL"));
    let answer = shop.post(r#"{"amountLtc": 1}"#, &[]);
    assert_eq!(answer.header("x-ignored-fields"), None);
}

/// 1. Create a payment with an idempotency key, complete it, and restart.
/// 2. Repeat the request: the original response, marked as replayed.
/// 3. Another body gets 422, two keys get 400.
#[test]
fn a_repeated_request_gets_the_same_bytes() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let body = r#"{"amountLtc": 0.05, "reference": "a"}"#;
    let first = shop.post(body, &[("idempotency-key", "order-7")]);
    assert_eq!((first.status, first.header("idempotent-replayed")), (200, None));
    let id = Fields::of(&first.body).text("paymentId");
    node.send(&Fields::of(&first.body).text("receivingAddress"), "0.05");
    node.mine(2);
    shop.await_status(&id, "completed", SOON);
    gateway.restart();
    for key in ["order-7", "\"order-7\""] {
        let again = shop.post(body, &[("idempotency-key", key)]);
        assert_eq!((again.status, &again.body), (200, &first.body), "{key}");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    let other = shop.post(r#"{"amountLtc": 0.06}"#, &[("idempotency-key", "\"order-7\"")]);
    assert_eq!(other.status, 422, "{}", other.body);
    let twice = [("idempotency-key", "a"), ("idempotency-key", "b")];
    assert_eq!(shop.post(body, &twice).status, 400);
}

#[test]
fn concurrent_requests_with_one_key_create_one_payment() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let post = || shop.post(r#"{"amountLtc": 0.05}"#, &[("idempotency-key", "at once")]);
    let answers = at_once(200, post);
    assert!(answers.iter().all(|answer| answer.status == 200), "{:?}", answers[0]);
    let bodies: BTreeSet<&String> = answers.iter().map(|answer| &answer.body).collect();
    assert_eq!(bodies.len(), 1, "all got the same bytes");
    let first = answers.iter().filter(|answer| answer.header("idempotent-replayed").is_none());
    assert_eq!(first.count(), 1, "one of them made it");
    let key = ("x-api-key", shop.api_key.as_str());
    let list = gateway.request("GET", "/api/payments", &[key], "");
    assert_eq!(Fields::of(&list.body).objects("data").len(), 1, "{}", list.body);
}

/// 1. Abort 60 requests at different points, half of them after sending everything.
/// 2. Repeat each with its idempotency key: one complete payment each.
/// 3. No incomplete body created a payment.
#[test]
fn an_aborted_request_creates_a_whole_payment_or_none() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let body = |n: usize| format!(r#"{{"amountLtc": 0.05, "reference": "broken {n}"}}"#);
    let mut whole = 0;
    for n in 0..60 {
        let body = body(n);
        let head = format!(
            "POST /api/payments HTTP/1.1\r\nhost: x\r\nx-api-key: {}\r\nidempotency-key: k{n}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            shop.api_key,
            body.len()
        );
        let all = [head.as_bytes(), body.as_bytes()].concat();
        // The later ones send everything and disconnect before or during the response.
        let sent = if n < 30 { all.len() * (n + 1) / 31 } else { all.len() };
        whole += usize::from(sent == all.len());
        let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
        stream.write_all(&all[..sent]).unwrap();
        if n % 2 == 0 {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        drop(stream);
    }
    let key = ("x-api-key", shop.api_key.as_str());
    let mut made = 0;
    for n in 0..60 {
        let path = format!("/api/payments?reference=broken+{n}");
        let found = || {
            let answer = gateway.request("GET", &path, &[key], "");
            Fields::of(&answer.body).objects("data")
        };
        let before = found();
        assert!(before.len() <= 1, "{n}");
        let again = shop.post(&body(n), &[("idempotency-key", &format!("k{n}"))]);
        assert_eq!(again.status, 200, "{n}: {}", again.body);
        let id = Fields::of(&again.body).text("paymentId");
        let after = found();
        assert_eq!(after.len(), 1, "{n}");
        assert_eq!(after[0].text("paymentId"), id);
        assert_eq!(shop.status(&id).text("reference"), format!("broken {n}"));
        let replayed = again.header("idempotent-replayed").is_some();
        assert!(before.is_empty() || replayed, "{n} was there, so it is replayed");
        made += usize::from(replayed);
    }
    assert!(made <= whole, "a body that did not come whole made a payment: {made} of {whole}");
}

#[test]
fn the_log_contains_the_request_id() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let answer = shop.post(r#"{"amountLtc": 0.05}"#, &[("x-request-id", "theirs-1")]);
    let id = answer.header("x-request-id").unwrap();
    assert!(id.starts_with("req_"), "{id}");
    gateway.await_log(&["created", id, "theirs-1", &Fields::of(&answer.body).text("paymentId")]);
    let odd = shop.post(r#"{"amountLtc": 0.05}"#, &[("x-request-id", "a b <i>")]);
    assert_eq!(odd.status, 200, "{}", odd.body);
    gateway.await_log(&["created", odd.header("x-request-id").unwrap()]);
    assert!(gateway.log_lines(&["<i>"]).is_empty(), "only plain ids are logged");
}

/// 1. Drop a table that metrics read.
/// 2. `litegate_database_readable` is 0, and other metrics are still served.
#[test]
fn metrics_stay_available_when_the_database_is_unreadable() {
    let Some(TestEnv { gateway, shop: _shop, node: _node }) = TestEnv::shared() else { return };
    assert!(
        gateway.metrics().contains("\nlitegate_database_readable 1\n"),
        "{}",
        gateway.metrics()
    );
    let file = std::path::PathBuf::from(gateway.setting("database"));
    let file = gateway.folder().join(file);
    let rows = rusqlite::Connection::open(&file).unwrap();
    rows.execute_batch("DROP TABLE chain_guard_alerts").unwrap();
    wait_for("metrics without the database", SOON, || {
        gateway.metrics().contains("\nlitegate_database_readable 0\n")
    });
    assert!(gateway.metrics().contains("litegate_zmq"), "{}", gateway.metrics());
}
