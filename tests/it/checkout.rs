//! The checkout page without a browser: content, QR image and event stream.

use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// 1. Open the page: amount, address, name and QR code are on it.
/// 2. It has security headers, no cookie, and loads nothing from other hosts.
#[test]
fn the_page_shows_the_amount_and_the_address() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let page = gateway.get(&format!("/pay/{}", payment.id));
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    for wanted in [
        payment.address.as_str(),
        "0.05",
        "Corner Shop",
        "<svg",
        &payment.fields.text("paymentUri"),
    ] {
        assert!(page.body.contains(wanted), "{wanted} is not on the page");
    }
    for header in ["content-security-policy", "referrer-policy", "x-content-type-options"] {
        assert!(page.header(header).is_some(), "no {header}");
    }
    assert!(page.header("set-cookie").is_none());
    for foreign in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!page.body.contains(foreign), "the page loads from elsewhere: {foreign}");
    }
}

#[test]
fn the_page_shows_each_change_of_the_payment() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let path = format!("/pay/{}", payment.id);
    node.send(&payment.address, "0.02");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.02", SOON);
    let page = gateway.get(&path).body;
    let uri = format!("litecoin:{}?amount=0.03", payment.address);
    assert!(page.contains(&uri), "asks for the remainder");
    node.send(&payment.address, "0.03");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the page without a request for money", SOON, || {
        !gateway.get(&path).body.contains(&format!("litecoin:{}", payment.address))
    });
}

/// 1. Load the QR image: SVG with CORS headers and an ETag.
/// 2. Pay a part: the image changes.
/// 3. Pay the rest: 404, as for unknown payments.
#[test]
fn the_qr_image_requests_the_remaining_amount() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let path = format!("/pay/{}/qr.svg", payment.id);
    let whole = gateway.get(&path);
    assert_eq!(whole.status, 200, "{}", whole.body);
    assert_eq!(whole.header("content-type"), Some("image/svg+xml"));
    assert_eq!(whole.header("access-control-allow-origin"), Some("*"));
    assert!(whole.header("content-security-policy").is_some());
    assert!(whole.body.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{}", whole.body);
    let etag = whole.header("etag").unwrap().to_owned();
    let again = gateway.request("GET", &path, &[("if-none-match", &etag)], "");
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    node.send(&payment.address, "0.02");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.02", SOON);
    let rest = gateway.request("GET", &path, &[("if-none-match", &etag)], "");
    assert_eq!(rest.status, 200, "it asks for something else now");
    assert_ne!(rest.body, whole.body);
    node.send(&payment.address, "0.03");
    shop.await_field(&payment.id, "detail", "\"seen\"", SOON);
    for path in [&path, "/pay/550e8400-e29b-41d4-a716-446655440000/qr.svg", "/pay/x/qr.svg"] {
        let nothing = gateway.get(path);
        assert_eq!(nothing.status, 404, "{}", nothing.body);
        assert_eq!(nothing.header("content-type"), Some("application/json"));
    }
}

#[test]
fn an_unknown_payment_gets_a_not_found_page() {
    let Some(TestEnv { gateway, node: _node, .. }) = TestEnv::shared() else { return };
    for id in ["550e8400-e29b-41d4-a716-446655440000", "nonsense", "%3Cscript%3E"] {
        let page = gateway.get(&format!("/pay/{id}"));
        assert_eq!(page.status, 404, "{id}");
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{id}");
        assert!(!page.body.to_lowercase().contains("<script>"), "{id}");
    }
}

/// 1. Open a payment's event stream: the first event has the current state.
/// 2. Pay and confirm: each change arrives.
#[test]
fn payment_changes_arrive_as_stream_events() {
    use std::io::{BufRead, BufReader, Write};
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let path = format!("/api/payments/{}/events", payment.id);
    write!(stream, "GET {path} HTTP/1.1\r\nhost: gateway\r\naccept: text/event-stream\r\n\r\n")
        .unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let mut next = || {
        let line = lines.find(|line| line.starts_with("data:"));
        let line = line.expect("an event before the time is up");
        crate::harness::json::Fields::of(line["data:".len()..].trim())
    };
    let first = next();
    assert_eq!(first.text("paymentId"), payment.id);
    assert_eq!(first.raw("amountReceivedLtc"), "0");
    node.send(&payment.address, "0.05");
    let mut seen = next();
    while seen.raw("amountReceivedLtc") != "0.05" {
        seen = next();
    }
    assert_eq!(seen.text("status"), "pending");
    node.mine(2);
    let mut last = next();
    while last.text("status") != "completed" {
        last = next();
    }
}
