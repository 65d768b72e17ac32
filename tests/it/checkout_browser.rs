//! The checkout in Chromium: each state through real payments, without a reload; the same
//! without JavaScript; screenshots, QR codes, size and accessibility of each state.
//!
//! Screenshots are in `target/checkout`, in a directory per test.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::random;
use crate::harness::shopper::Shopper;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

fn page(test_env: &TestEnv, payment_id: &str) -> String {
    format!("http://127.0.0.1:{}/pay/{payment_id}", test_env.gateway.port())
}

/// 1. Open the page of a payment: title, amount and QR code match.
/// 2. Pay in two parts and confirm: each state appears without a reload, with its QR code and
///    size.
/// 3. Print the receipt.
/// 4. The page loads nothing else; other languages are accessible.
#[test]
#[ignore = "long: a browser"]
fn the_shopper_follows_a_payment_in_two_parts() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let body = r#"{"amountLtc": 0.05, "reference": "A-17", "displayAmount": "4.17 EUR",
                   "redirectUrl": "https://shop.example/t"}"#;
    let payment = test_env.shop.create_with(body);
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    let tab = shopper.does(json!({"act": "tab"}));
    assert_eq!(tab["title"], "Pay 0.05\u{a0}LTC · Corner Shop");
    assert!(tab["icon"].as_str().unwrap().contains("%231f4fa3"), "blue: {tab}");
    shopper.sees("waiting", "Pay 0.05 LTC");
    shopper.sees("waiting", "4.17 EUR, quoted by Corner Shop");
    shopper.sees("waiting", "A payment from an MWEB balance appears with the next block");
    shopper.scans("waiting", &payment.fields.text("paymentUri"));
    shopper.weighs("waiting", &url);
    test_env.node.send(&payment.address, "0.02");
    shopper.sees("partly", "Please send 0.03 LTC more");
    let rest = format!("litecoin:{}?amount=0.03", payment.address);
    shopper.scans("partly", &rest);
    let picture = json!({"act": "picture", "url": format!("{url}/qr.svg"), "name": "picture"});
    assert_eq!(shopper.does(picture)["code"], rest, "the code as a picture of its own");
    shopper.weighs("partly", &url);
    test_env.node.send(&payment.address, "0.03");
    shopper.sees("seen", "You can close this page");
    shopper.weighs("seen", &url);
    test_env.node.mine(1);
    shopper.sees("confirming", "Confirmed 1 of 2");
    shopper.weighs("confirming", &url);
    test_env.node.mine(1);
    shopper.sees("paid", "Back to shop.example");
    shopper.weighs("paid", &url);
    let tab = shopper.does(json!({"act": "tab"}));
    assert_eq!(tab["title"], "Paid · Corner Shop");
    assert!(tab["icon"].as_str().unwrap().contains("%2317693a"), "green: {tab}");
    let receipt = shopper.does(json!({"act": "print", "name": "paid"}));
    let receipt = receipt["text"].as_str().unwrap();
    for fact in ["Corner Shop", "A-17", "4.17 EUR", "Paid", payment.id.as_str()] {
        assert!(receipt.contains(fact), "{fact} is not on the receipt: {receipt}");
    }
    assert!(!receipt.contains("Back to"), "{receipt}");
    shopper.asked_for_little(&format!("http://127.0.0.1:{}/", test_env.gateway.port()));
    for language in ["de", "ru", "ja", "ar"] {
        let next = test_env.shop.create("0.05");
        shopper.opens(&format!("{}?lang={language}", page(&test_env, &next.id)));
        shopper.evaluates(&format!("waiting-{language}"));
    }
}

/// 1. Double-spend a seen payment: the page shows it as withdrawn.
/// 2. Pay too much: the page shows the surplus.
#[test]
#[ignore = "long: a browser"]
fn the_page_shows_a_withdrawn_payment_and_an_overpayment() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    let txid = test_env.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    let other = test_env.node.double_spend_of(&txid);
    test_env.node.mine_exactly(&[&other]);
    shopper.sees("replaced", "was withdrawn");
    shopper.scans("replaced", &payment.fields.text("paymentUri"));
    shopper.weighs("replaced", &url);
    test_env.node.send(&payment.address, "0.06");
    shopper.sees("seen", "Payment seen");
    test_env.node.mine(2);
    shopper.sees("overpaid", "0.01 LTC more than asked");
    shopper.weighs("overpaid", &url);
}

/// 1. Let a payment expire: the page says so.
/// 2. Pay after the expiry: the page shows it as late.
/// 3. Open an unknown payment's page.
#[test]
#[ignore = "long: a browser"]
fn the_page_shows_late_and_unknown_payments() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    test_env.gateway.let_pass(Duration::from_secs(31 * 60));
    test_env.shop.await_status(&payment.id, "expired", SOON);
    shopper.sees("expired", "Do not send anything");
    shopper.weighs("expired", &url);
    test_env.node.send(&payment.address, "0.01");
    shopper.sees("late", "The money is not lost");
    shopper.weighs("late", &url);
    let unknown = page(&test_env, "550e8400-e29b-41d4-a716-446655440000");
    shopper.opens(&unknown);
    shopper.evaluates("unknown");
    shopper.weighs("unknown", &unknown);
}

/// 1. Open the page without JavaScript and press "Check again" after each step of a payment.
/// 2. Each state is shown.
#[test]
#[ignore = "long: a browser"]
fn without_javascript_check_again_shows_each_state() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    let comes_to = |shopper: &mut Shopper, state: &str| {
        shopper.does(json!({"act": "again", "state": state}));
    };
    comes_to(&mut shopper, "waiting");
    test_env.node.send(&payment.address, "0.02");
    comes_to(&mut shopper, "partly");
    test_env.node.send(&payment.address, "0.03");
    comes_to(&mut shopper, "seen");
    test_env.node.mine(1);
    comes_to(&mut shopper, "confirming");
    test_env.node.mine(1);
    comes_to(&mut shopper, "paid");
}

/// 1. Without JavaScript, let a payment be withdrawn and overpaid.
/// 2. Let another one be delayed, expire and be paid late: each state is shown.
#[test]
#[ignore = "long: a browser"]
fn without_javascript_check_again_shows_exceptional_states() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let open = |shopper: &mut Shopper, payment: &str| {
        let url = page(&test_env, payment);
        shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    };
    let comes_to = |shopper: &mut Shopper, state: &str| {
        shopper.does(json!({"act": "again", "state": state}));
    };
    let (payment, unpaid) = (test_env.shop.create("0.05"), test_env.shop.create("0.05"));
    open(&mut shopper, &payment.id);
    let txid = test_env.node.send(&payment.address, "0.05");
    comes_to(&mut shopper, "seen");
    let other = test_env.node.double_spend_of(&txid);
    test_env.node.mine_exactly(&[&other]);
    comes_to(&mut shopper, "replaced");
    test_env.node.send(&payment.address, "0.06");
    test_env.node.mine(2);
    comes_to(&mut shopper, "overpaid");
    open(&mut shopper, &unpaid.id);
    comes_to(&mut shopper, "waiting");
    test_env.node.stop();
    test_env.gateway.let_pass(Duration::from_secs(2 * 60));
    comes_to(&mut shopper, "waiting .delayed");
    test_env.node.up();
    test_env.gateway.let_pass(Duration::from_secs(31 * 60));
    comes_to(&mut shopper, "expired");
    test_env.node.send(&unpaid.address, "0.01");
    comes_to(&mut shopper, "late");
}

#[test]
#[ignore = "long: a browser"]
fn the_page_shows_when_the_gateway_cannot_reach_the_node() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    shopper.opens(&page(&test_env, &payment.id));
    shopper.sees("waiting", "Pay 0.05 LTC");
    test_env.node.stop();
    test_env.gateway.let_pass(Duration::from_secs(2 * 60));
    shopper.sees("waiting .delayed", "Do not pay twice");
    shopper.weighs("delayed", &page(&test_env, &payment.id));
    test_env.node.up();
    shopper.does(json!({"act": "await", "state": "waiting:not(:has(.delayed))"}));
    test_env.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
}

/// 1. Configure logo, colours, explorer and frame ancestors.
/// 2. The page shows them, is accessible, and can be framed by the allowed site only.
#[test]
#[ignore = "long: a browser"]
fn the_page_shows_the_operators_branding() {
    let test_env = TestEnv::alone_with(|gateway| {
        let logo = gateway.folder().join("logo.svg");
        let circle = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 3' width='180' \
                      height='60'><rect width='9' height='3' rx='1' fill='#7a1f5c'/></svg>";
        std::fs::write(&logo, circle).unwrap();
        gateway.set("checkout.logo_file", logo.to_str().unwrap());
        gateway.set("checkout.color", "#7a1f5c");
        gateway.set("checkout.color_dark", "#ffb3e6");
        gateway.set("checkout.explorer_url", "https://explorer.example/tx/{txid}");
        gateway.set("checkout.frame_ancestors", vec!["http://shop.example"]);
    });
    let Some(test_env) = test_env else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    shopper.scans("own-looks", &payment.fields.text("paymentUri"));
    let framed = |shopper: &mut Shopper, site: &str| {
        let inside = shopper.does(json!({"act": "frame", "url": url, "site": site}));
        inside["text"].as_str().unwrap().contains("LTC")
    };
    assert!(framed(&mut shopper, "http://shop.example"), "the operator allowed it");
    assert!(!framed(&mut shopper, "http://other.example"), "nobody allowed it");
    let txid = test_env.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    let html = shopper.does(json!({"act": "markup"}))["html"].take();
    let link = format!("href=\"https://explorer.example/tx/{txid}\"");
    assert!(html.as_str().unwrap().contains(&link), "{html}");
    shopper.evaluates("own-looks-seen");
    shopper.weighs("own looks", &url);
    shopper.asked_for_little(&format!("http://127.0.0.1:{}/", test_env.gateway.port()));
}

/// 1. Walk through the page by keyboard, copy each value, and use high contrast.
/// 2. The focus stays when the payment arrives.
/// 3. Without a clipboard the address is selected.
#[test]
#[ignore = "long: a browser"]
fn the_page_supports_keyboard_clipboard_and_custom_colours() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    let way = [
        "Open in wallet",
        "Copy: Amount",
        "Copy: Address",
        "Copy: Payment link",
        "Check again",
        "Language: English",
    ];
    assert_eq!(shopper.does(json!({"act": "keys"}))["met"], json!(way));
    assert_eq!(shopper.does(json!({"act": "sizes"}))["small"], json!([]));
    let uri = payment.fields.text("paymentUri");
    let copied = [("amount", "0.05"), ("address", &payment.address), ("link", &uri)];
    let check = |shopper: &mut Shopper, says: &str| {
        for (what, text) in copied {
            let got = shopper.does(json!({"act": "copy", "what": what}));
            assert_eq!(got, json!({"text": text, "said": says}));
        }
    };
    check(&mut shopper, "Copied");
    let said = shopper.does(json!({"act": "wallet"}));
    assert_eq!(said["said"], "No wallet opened? Scan the code or copy the address.");
    let own = shopper.does(json!({"act": "contrast", "name": "waiting"}));
    assert_eq!(own, json!({"code": uri, "moving": 0}));

    shopper.opens(&url);
    shopper.does(json!({"act": "focus", "text": "Check again"}));
    test_env.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    assert_eq!(shopper.does(json!({"act": "focused"}))["text"], "Check again");
    let own = shopper.does(json!({"act": "contrast", "name": "seen"}));
    assert_eq!(own["moving"], 0);

    // Browsers offer no clipboard on this insecure origin.
    let next = test_env.shop.create("0.05");
    let plain = format!("http://plain.example:{}/pay/{}", test_env.gateway.port(), next.id);
    shopper.opens(&plain);
    let got = shopper.does(json!({"act": "copy", "what": "address"}));
    assert_eq!(got, json!({"text": next.address, "said": "Selected: copy it from the menu"}));
}

#[test]
#[ignore = "long: a browser"]
fn the_page_announces_twice_that_time_runs_out() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    shopper.does(json!({"act": "open", "url": page(&test_env, &payment.id), "clock": true}));
    let said = shopper.does(json!({"act": "said", "seconds": 30 * 60}));
    assert_eq!(said["heard"], json!(["Time left: 5 min", "Time left: 1 min"]));
}

#[test]
#[ignore = "long: a browser"]
fn the_page_polls_where_event_streams_are_blocked() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let url = page(&test_env, &payment.id);
    shopper.opens(&url);
    let back = shopper.does(json!({"act": "return"}));
    assert_eq!(back["status"], 200, "back from the wallet, it looks at once");
    shopper.does(json!({"act": "open", "url": url, "streams": false}));
    shopper.sees("waiting", "Pay 0.05 LTC");
    test_env.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    test_env.node.mine(2);
    shopper.sees("paid", "Thank you");
}

/// 1. Open the page in Firefox, pay in two parts and confirm.
/// 2. Each state appears without a reload, with the right QR code.
#[test]
#[ignore = "long: another browser"]
fn the_page_follows_a_payment_in_firefox() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive_with_firefox();
    let payment = test_env.shop.create("0.05");
    let comes_to = |shopper: &mut Shopper, state: &str, words: &str| {
        let seen = shopper.does(json!({"act": "await", "state": state}));
        assert_eq!((&seen["loads"], &seen["complaints"]), (&json!(1), &json!([])), "{seen}");
        let text = seen["text"].as_str().unwrap().replace('\u{a0}', " ");
        assert!(text.contains(words), "{state} says {words:?}, not: {text}");
        shopper.does(json!({"act": "shot", "name": state}))["code"].take()
    };
    shopper.opens(&page(&test_env, &payment.id));
    let code = comes_to(&mut shopper, "waiting", "Pay 0.05 LTC");
    assert_eq!(code, payment.fields.text("paymentUri"));
    test_env.node.send(&payment.address, "0.02");
    let code = comes_to(&mut shopper, "partly", "Please send 0.03 LTC more");
    assert_eq!(code, format!("litecoin:{}?amount=0.03", payment.address));
    test_env.node.send(&payment.address, "0.03");
    comes_to(&mut shopper, "seen", "Payment seen");
    test_env.node.mine(1);
    comes_to(&mut shopper, "confirming", "Confirmed 1 of 2");
    test_env.node.mine(1);
    comes_to(&mut shopper, "paid", "Thank you");
}

/// 1. Load the page at 400 kbit/s with a latency of 400 ms.
#[test]
#[ignore = "long: a browser"]
fn the_page_renders_quickly_over_a_slow_connection() {
    let Some(test_env) = TestEnv::shared() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let painted = shopper.does(json!({"act": "paint", "url": page(&test_env, &payment.id)}));
    println!("first paint over a slow line: {} ms", painted["ms"]);
    assert!(painted["ms"].as_u64().unwrap() <= 1_500, "{painted}");
}

/// The speed depends on the machine's load: the best of three attempts counts, with a limit
/// above that of an idle machine.
#[test]
#[ignore = "long: a browser, several times"]
fn the_page_reaches_the_required_lighthouse_scores() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = test_env.shop.create("0.05");
    let evaluated = shopper.does(json!({"act": "lighthouse", "url": page(&test_env, &payment.id)}));
    println!("lighthouse: {evaluated}");
    assert_eq!(evaluated["failed"], json!([]));
    assert_eq!(evaluated["scores"]["accessibility"], 100);
    assert_eq!(evaluated["scores"]["best-practices"], 100);
    assert!(evaluated["scores"]["performance"].as_u64().unwrap() >= 90, "{evaluated}");
}

/// 1. Pay `PAYMENTS_WATCHED` payments and measure the time until the page shows each.
#[test]
#[ignore = "long: a browser"]
fn the_page_updates_soon_after_the_node_gets_the_transaction() {
    let Some(test_env) = TestEnv::alone() else { return };
    let mut shopper = Shopper::arrive();
    let count = usize::try_from(random::setting("PAYMENTS_WATCHED", 5)).unwrap().max(1);
    let mut times_ms: Vec<u128> = Vec::with_capacity(count);
    for _ in 0..count {
        let payment = test_env.shop.create("0.05");
        shopper.opens(&page(&test_env, &payment.id));
        shopper.does(json!({"act": "await", "state": "waiting"}));
        // The wallet's own work is included, so the measurement is an upper bound.
        let start = Instant::now();
        test_env.node.send(&payment.address, "0.05");
        shopper.does(json!({"act": "await", "state": "seen"}));
        times_ms.push(start.elapsed().as_millis());
    }
    times_ms.sort_unstable();
    let (median, maximum) = (times_ms[count / 2], times_ms[count - 1]);
    println!("changed page: {count} payments, median {median} ms, maximum {maximum} ms");
}
