//! The checkout in a real Chromium: each state by real payments, the page never reloaded by the
//! shopper; the same with JavaScript off; pictures, codes, weight and accessibility of each state.
//!
//! The pictures are left in `target/checkout`, in a folder for each test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::guide::prepare;
use crate::harness::files;
use crate::harness::random;
use crate::harness::stage::Stage;
use crate::harness::wait::SOON;

/// What a page may weigh with all that it loads, in bytes: as it is, and compressed.
const RAW_BYTES_MAX: u64 = 20_000;
const COMPRESSED_BYTES_MAX: u64 = 8_000;

/// Languages of each width of letters, and of both directions.
const LANGUAGES: [&str; 13] =
    ["en", "de", "es", "fr", "it", "nl", "pl", "pt-BR", "ru", "tr", "ja", "zh-Hans", "ar"];

/// A browser and the one who looks at it. Ends when dropped.
struct Shopper {
    process: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Shopper {
    #[track_caller]
    fn arrive() -> Shopper {
        prepare();
        let program = files::project().join("tests/browser/shopper.mjs");
        let test = std::thread::current().name().expect("a test's name").replace("::", "-");
        let mut process = Command::new("node")
            .arg(program)
            .arg(files::project().join("target/checkout").join(test))
            .arg("/usr/bin/chromium")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs");
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Shopper { process, answers }
    }

    #[track_caller]
    fn does(&mut self, command: Value) -> Value {
        let stdin = self.process.stdin.as_mut().unwrap();
        writeln!(stdin, "{command}").unwrap();
        let answer = self.answers.next().expect("the browser has not ended").unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["error"].is_null(), "{command}: {answer}");
        answer["ok"].take()
    }

    #[track_caller]
    fn opens(&mut self, url: &str) {
        self.does(json!({"act": "open", "url": url}));
    }

    /// Waits for a state; the page must come to it without being loaded again.
    #[track_caller]
    fn sees(&mut self, state: &str, words: &str) {
        let seen = self.does(json!({"act": "await", "state": state}));
        assert_eq!(seen["loads"], 1, "the page was loaded again before {state}");
        let text = seen["text"].as_str().unwrap().replace('\u{a0}', " ");
        assert!(text.contains(words), "{state} says {words:?}, not: {text}");
        self.judges(&state.replace(" .", "-"));
    }

    /// Takes the pictures, and lets axe look for what keeps people out.
    #[track_caller]
    fn judges(&mut self, name: &str) -> Value {
        let found = self.does(json!({"act": "judge"}));
        assert_eq!(found["violations"], json!([]), "{name}");
        self.does(json!({"act": "shots", "name": name}))
    }

    /// Reads the code from each picture and at half its size.
    #[track_caller]
    fn scans(&mut self, name: &str, uri: &str) {
        let codes = self.does(json!({"act": "shots", "name": name}))["codes"].take();
        for (picture, code) in codes.as_object().unwrap() {
            assert_eq!(code, uri, "{picture}");
        }
        let half = self.does(json!({"act": "half", "name": name}));
        assert_eq!(half["code"], uri, "at half its size");
    }

    /// The page is light in each language.
    #[track_caller]
    fn weighs(&mut self, name: &str, url: &str) {
        let weighed = self.does(json!({"act": "weigh", "url": url, "languages": LANGUAGES}));
        for size in weighed["sizes"].as_array().unwrap() {
            let (raw, gzip) = (size["raw"].as_u64().unwrap(), size["gzip"].as_u64().unwrap());
            println!("weight: {name} {}: {raw} bytes, {gzip} compressed", size["language"]);
            assert!(raw <= RAW_BYTES_MAX && gzip <= COMPRESSED_BYTES_MAX, "{name}: {size}");
        }
    }

    /// One page and one stream of events, nothing from others, no cookie, nothing refused.
    #[track_caller]
    fn asked_for_little(&mut self, origin: &str) {
        let seen = self.does(json!({"act": "seen"}));
        assert_eq!(seen["cookies"], 0);
        assert_eq!(seen["complaints"], json!([]));
        for request in seen["requests"].as_array().unwrap() {
            let url = request.as_str().unwrap();
            assert!(url.starts_with(origin) || url.starts_with("data:"), "{url}");
        }
    }
}

impl Drop for Shopper {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn page(stage: &Stage, payment_id: &str) -> String {
    format!("http://127.0.0.1:{}/pay/{payment_id}", stage.gate.port())
}

#[test]
#[ignore = "long: a browser"]
fn the_shopper_follows_a_payment_in_two_parts() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let body =
        r#"{"amountLtc": 0.05, "reference": "A-17", "redirectUrl": "https://shop.example/t"}"#;
    let payment = stage.shop.create_with(body);
    let url = page(&stage, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    shopper.scans("waiting", &payment.fields.text("paymentUri"));
    shopper.weighs("waiting", &url);
    stage.node.send(&payment.address, "0.02");
    shopper.sees("partly", "Please send 0.03 LTC more");
    shopper.scans("partly", &format!("litecoin:{}?amount=0.03", payment.address));
    shopper.weighs("partly", &url);
    stage.node.send(&payment.address, "0.03");
    shopper.sees("seen", "You can close this page");
    shopper.weighs("seen", &url);
    stage.node.mine(1);
    shopper.sees("confirming", "Confirmed 1 of 2");
    shopper.weighs("confirming", &url);
    stage.node.mine(1);
    shopper.sees("paid", "Back to shop.example");
    shopper.weighs("paid", &url);
    let receipt = shopper.does(json!({"act": "print", "name": "paid"}));
    let receipt = receipt["text"].as_str().unwrap();
    for fact in ["Corner Shop", "A-17", "Paid", payment.id.as_str()] {
        assert!(receipt.contains(fact), "{fact} is not on the receipt: {receipt}");
    }
    assert!(!receipt.contains("Back to"), "{receipt}");
    shopper.asked_for_little(&format!("http://127.0.0.1:{}/", stage.gate.port()));
    for language in ["de", "ru", "ja", "ar"] {
        let next = stage.shop.create("0.05");
        shopper.opens(&format!("{}?lang={language}", page(&stage, &next.id)));
        shopper.judges(&format!("waiting-{language}"));
    }
}

#[test]
#[ignore = "long: a browser"]
fn the_shopper_sees_a_withdrawn_payment_and_pays_too_much() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = stage.shop.create("0.05");
    let url = page(&stage, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    let txid = stage.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    let other = stage.node.double_spend_of(&txid);
    stage.node.mine_exactly(&[&other]);
    shopper.sees("replaced", "was withdrawn");
    stage.node.send(&payment.address, "0.06");
    shopper.sees("seen", "Payment seen");
    stage.node.mine(2);
    shopper.sees("overpaid", "0.01 LTC more than asked");
    shopper.weighs("overpaid", &url);
}

#[test]
#[ignore = "long: a browser"]
fn the_shopper_comes_too_late_or_to_no_payment() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = stage.shop.create("0.05");
    let url = page(&stage, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    stage.gate.let_pass(Duration::from_secs(31 * 60));
    stage.shop.await_status(&payment.id, "expired", SOON);
    shopper.sees("expired", "Do not send anything");
    shopper.weighs("expired", &url);
    stage.node.send(&payment.address, "0.01");
    shopper.sees("late", "The money is not lost");
    shopper.weighs("late", &url);
    shopper.opens(&page(&stage, "550e8400-e29b-41d4-a716-446655440000"));
    shopper.judges("unknown");
}

#[test]
#[ignore = "long: a browser"]
fn without_javascript_check_again_leads_to_each_state() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = stage.shop.create("0.05");
    let url = page(&stage, &payment.id);
    shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    let comes_to = |shopper: &mut Shopper, state: &str| {
        shopper.does(json!({"act": "again", "state": state}));
    };
    comes_to(&mut shopper, "waiting");
    stage.node.send(&payment.address, "0.02");
    comes_to(&mut shopper, "partly");
    stage.node.send(&payment.address, "0.03");
    comes_to(&mut shopper, "seen");
    stage.node.mine(1);
    comes_to(&mut shopper, "confirming");
    stage.node.mine(1);
    comes_to(&mut shopper, "paid");
}

#[test]
#[ignore = "long: a browser"]
fn without_javascript_check_again_shows_what_went_wrong() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let open = |shopper: &mut Shopper, payment: &str| {
        let url = page(&stage, payment);
        shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    };
    let comes_to = |shopper: &mut Shopper, state: &str| {
        shopper.does(json!({"act": "again", "state": state}));
    };
    let (payment, unpaid) = (stage.shop.create("0.05"), stage.shop.create("0.05"));
    open(&mut shopper, &payment.id);
    let txid = stage.node.send(&payment.address, "0.05");
    comes_to(&mut shopper, "seen");
    let other = stage.node.double_spend_of(&txid);
    stage.node.mine_exactly(&[&other]);
    comes_to(&mut shopper, "replaced");
    stage.node.send(&payment.address, "0.06");
    stage.node.mine(2);
    comes_to(&mut shopper, "overpaid");
    open(&mut shopper, &unpaid.id);
    comes_to(&mut shopper, "waiting");
    stage.node.stop();
    stage.gate.let_pass(Duration::from_secs(2 * 60));
    comes_to(&mut shopper, "waiting .delayed");
    stage.node.up();
    stage.gate.let_pass(Duration::from_secs(31 * 60));
    comes_to(&mut shopper, "expired");
    stage.node.send(&unpaid.address, "0.01");
    comes_to(&mut shopper, "late");
}

#[test]
#[ignore = "long: a browser"]
fn the_shopper_is_told_when_the_gateway_cannot_see_the_chain() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let payment = stage.shop.create("0.05");
    shopper.opens(&page(&stage, &payment.id));
    shopper.sees("waiting", "Pay 0.05 LTC");
    stage.node.stop();
    stage.gate.let_pass(Duration::from_secs(2 * 60));
    shopper.sees("waiting .delayed", "Do not pay twice");
    stage.node.up();
    shopper.does(json!({"act": "await", "state": "waiting:not(:has(.delayed))"}));
    stage.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
}

#[test]
#[ignore = "long: a browser"]
fn the_page_looks_as_the_operator_wants_it_to() {
    let stage = Stage::alone_with(|gate| {
        let logo = gate.folder().join("logo.svg");
        let circle = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 3' width='180' \
                      height='60'><rect width='9' height='3' rx='1' fill='#7a1f5c'/></svg>";
        std::fs::write(&logo, circle).unwrap();
        gate.set("checkout.logo_file", logo.to_str().unwrap());
        gate.set("checkout.color", "#7a1f5c");
        gate.set("checkout.color_dark", "#ffb3e6");
        gate.set("checkout.explorer_url", "https://explorer.example/tx/{txid}");
        gate.set("checkout.frame_ancestors", vec!["http://shop.example"]);
    });
    let Some(stage) = stage else { return };
    let mut shopper = Shopper::arrive();
    let payment = stage.shop.create("0.05");
    let url = page(&stage, &payment.id);
    shopper.opens(&url);
    shopper.sees("waiting", "Pay 0.05 LTC");
    shopper.scans("own-looks", &payment.fields.text("paymentUri"));
    let framed = |shopper: &mut Shopper, site: &str| {
        let inside = shopper.does(json!({"act": "frame", "url": url, "site": site}));
        inside["text"].as_str().unwrap().contains("LTC")
    };
    assert!(framed(&mut shopper, "http://shop.example"), "the operator allowed it");
    assert!(!framed(&mut shopper, "http://other.example"), "nobody allowed it");
    let txid = stage.node.send(&payment.address, "0.05");
    shopper.sees("seen", "Payment seen");
    let html = shopper.does(json!({"act": "markup"}))["html"].take();
    let link = format!("href=\"https://explorer.example/tx/{txid}\"");
    assert!(html.as_str().unwrap().contains(&link), "{html}");
    shopper.judges("own-looks-seen");
    shopper.weighs("own looks", &url);
    shopper.asked_for_little(&format!("http://127.0.0.1:{}/", stage.gate.port()));
}

/// `PAYMENTS_WATCHED=50` measures more of them.
#[test]
#[ignore = "long: a browser"]
fn the_page_changes_soon_after_the_transaction_reaches_the_node() {
    let Some(stage) = Stage::alone() else { return };
    let mut shopper = Shopper::arrive();
    let count = usize::try_from(random::setting("PAYMENTS_WATCHED", 5)).unwrap().max(1);
    let mut times_ms: Vec<u128> = Vec::with_capacity(count);
    for _ in 0..count {
        let payment = stage.shop.create("0.05");
        shopper.opens(&page(&stage, &payment.id));
        shopper.does(json!({"act": "await", "state": "waiting"}));
        // The wallet's own work is counted in: what is measured is never less than what is.
        let start = Instant::now();
        stage.node.send(&payment.address, "0.05");
        shopper.does(json!({"act": "await", "state": "seen"}));
        times_ms.push(start.elapsed().as_millis());
    }
    times_ms.sort_unstable();
    let (median, maximum) = (times_ms[count / 2], times_ms[count - 1]);
    println!("changed page: {count} payments, median {median} ms, maximum {maximum} ms");
}
