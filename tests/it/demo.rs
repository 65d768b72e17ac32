//! `litegate demo`: complete within seconds, and nothing left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::harness::files;
use crate::harness::http;
use crate::harness::json::Fields;
use crate::harness::node;
use crate::harness::receiver::Receiver;
use crate::harness::shopper::Shopper;
use crate::harness::wait::wait_for;

/// Processes whose command line contains this directory.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(&folder) {
            found.push(line);
        }
    }
    found
}

/// The demo as a command, in this directory.
fn demo(folder: &Path, arguments: &[&str]) -> Option<Command> {
    let Some(daemon) = node::daemon() else {
        let skip = std::env::var_os("LITEGATE_TEST_WITHOUT_NODE");
        assert!(skip.is_some_and(|value| value == "1"), "no litecoind for the demo");
        return None;
    };
    let mut command = Command::new(files::LITEGATE.as_str());
    command.arg("demo").args(arguments).current_dir(folder);
    command.env("TMPDIR", folder).env("HOME", folder).env("LITECOIND", daemon);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Some(command)
}

/// Waits until no process and no file of the demo is left.
#[track_caller]
fn check_nothing_left(folder: &Path) {
    wait_for("the end of the demo's processes", Duration::from_secs(10), || {
        processes_of(folder).is_empty()
    });
    let left = files::files_below(folder, "");
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// 1. Run `demo --autopay`: it prints all seven steps and exits with 0.
/// 2. No process and no file is left.
#[test]
#[ignore = "long"]
fn the_demo_pays_itself_and_cleans_up() {
    let folder = files::folder();
    let Some(mut command) = demo(folder.path(), &["--autopay"]) else { return };
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}\n{complaint}");
    for step in 1..=7 {
        assert!(said.contains(&format!("{step}/7")), "no step {step}:\n{said}");
    }
    for wanted in ["lg_regtest_", "/pay/", "0.05", "webhook", "swept"] {
        assert!(said.contains(wanted), "{wanted} is not in\n{said}");
    }
    check_nothing_left(folder.path());
}

/// 1. Start the demo and send SIGINT or SIGTERM after it printed its URL.
/// 2. It ends, and nothing is left.
#[test]
fn the_demo_cleans_up_when_it_is_interrupted() {
    for signal in ["INT", "TERM"] {
        let folder = files::folder();
        let Some(mut command) = demo(folder.path(), &[]) else { return };
        let mut process = command.spawn().unwrap();
        let stdout = process.stdout.take().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout));
        let url = lines.by_ref().map_while(Result::ok).find(|line| line.contains("/pay/"));
        if url.is_none() {
            let output = process.wait_with_output().unwrap();
            panic!("no address to pay at: {}", String::from_utf8_lossy(&output.stderr));
        }
        files::signal(process.id(), signal);
        wait_for("the demo's end", Duration::from_secs(20), || {
            process.try_wait().unwrap().is_some()
        });
        check_nothing_left(folder.path());
    }
}

/// 1. Start the demo and read key, secret and URL from its output.
/// 2. Create a payment over HTTP with an own receiver, and press its button.
/// 3. The webhook arrives with a valid signature; SIGTERM leaves nothing behind.
#[test]
#[ignore = "long"]
fn the_demo_supports_test_payments_and_a_custom_receiver() {
    let folder = files::folder();
    let Some(mut command) = demo(folder.path(), &[]) else { return };
    let mut process = command.spawn().unwrap();
    let stdout = process.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout)).map_while(Result::ok);
    let mut said: Vec<String> = Vec::new();
    while !said.last().is_some_and(|line| line.contains("whsec_")) {
        said.extend([lines.next().unwrap_or_else(|| panic!("it ended: {said:?}"))]);
    }
    let said = said.join("\n");
    let word = |start: &str| {
        let found = said.split([' ', '\'', '\n']).find(|word| word.starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {said}")).to_owned()
    };
    let (key, secret, docs) = (word("lg_regtest_"), word("whsec_"), word("http://127.0.0.1:"));
    let port_of = |url: &str| url.split([':', '/']).nth(4).unwrap().parse::<u16>().unwrap();
    let port = port_of(&docs);
    assert_eq!(http::request(port, "GET", "/docs", &[], b"").unwrap().status, 200);

    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let body = format!(r#"{{"amountLtc": 0.07, "webhookUrl": "{url}"}}"#);
    let headers = [("x-api-key", key.as_str()), ("content-type", "application/json")];
    let made = http::request(port, "POST", "/api/payments", &headers, body.as_bytes()).unwrap();
    assert_eq!(made.status, 200, "{}", made.body);
    let id = Fields::of(&made.body).text("paymentId");
    let page = http::request(port, "GET", &format!("/pay/{id}"), &[], b"").unwrap().body;
    let button = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let path = format!("/pay/{id}");
    assert!(button.ends_with(&path), "{button}");
    let pressed = http::request(port_of(button), "POST", &path, &[], b"").unwrap();
    assert_eq!(pressed.status, 303);
    let hit = receiver.await_hit_for(&id, Duration::from_secs(90));
    assert_eq!(hit.fields().text("status"), "completed");
    crate::webhooks::verify(&hit, &secret);
    files::signal(process.id(), "TERM");
    wait_for("the demo's end", Duration::from_secs(20), || process.try_wait().unwrap().is_some());
    check_nothing_left(folder.path());
}

/// 1. Open the demo's shop in a browser without JavaScript, and buy.
/// 2. Pay with play money on the checkout until it is paid.
/// 3. Return to the shop: the order is paid.
#[test]
#[ignore = "long: a browser"]
fn a_shopper_completes_a_purchase_in_the_demo_shop() {
    let folder = files::folder();
    let Some(mut command) = demo(folder.path(), &[]) else { return };
    let mut shopper = Shopper::arrive();
    let mut process = command.spawn().unwrap();
    let stdout = process.stdout.take().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(stdout)).map_while(Result::ok);
    let line = lines.find(|line| line.contains("buy something")).expect("where the shop is");
    let url = format!("http:{}", line.split("http:").nth(1).unwrap().trim());
    shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    shopper.evaluates("shop");
    let checkout = shopper.does(json!({"act": "press", "text": "Buy"}));
    let said = checkout["text"].as_str().unwrap().replace('\u{a0}', " ");
    for wanted in ["Demo Shop", "Order 1", "4.17 EUR, quoted by Demo Shop", "Pay 0.05 LTC"] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    shopper.does(json!({"act": "press", "text": "Pay with play money"}));
    shopper.does(json!({"act": "again", "state": "paid"}));
    let back = shopper.does(json!({"act": "press", "text": "Back to 127.0.0.1"}));
    assert_eq!(back["url"], format!("{url}orders/1"));
    let order = shopper.does(json!({"act": "again", "state": "paid"}));
    assert!(order["text"].as_str().unwrap().contains("a valid signature"), "{order}");
    shopper.evaluates("order");
    let seen = shopper.does(json!({"act": "seen"}));
    assert_eq!((&seen["complaints"], &seen["cookies"]), (&json!([]), &json!(0)), "{seen}");
    // Another order is not paid for by the first one.
    shopper.does(json!({"act": "open", "url": url, "javascript": false}));
    shopper.does(json!({"act": "press", "text": "Buy"}));
    let other = shopper.does(json!({"act": "open", "url": format!("{url}orders/2")}));
    assert_eq!(other["title"], "Order 2 · Demo Shop");
    let waits = shopper.does(json!({"act": "press", "text": "Check again"}));
    assert!(waits["text"].as_str().unwrap().contains("Not paid yet"), "{waits}");
    files::signal(process.id(), "TERM");
    wait_for("the demo's end", Duration::from_secs(20), || process.try_wait().unwrap().is_some());
    check_nothing_left(folder.path());
}

#[test]
fn a_missing_litecoind_is_reported_in_one_line() {
    let folder = files::folder();
    let output = Command::new(files::LITEGATE.as_str())
        .arg("demo")
        .current_dir(folder.path())
        .env("TMPDIR", folder.path())
        .env("LITECOIND", folder.path().join("no-such-daemon"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(complaint.trim().lines().count(), 1, "{complaint}");
    assert!(complaint.contains("no-such-daemon"), "{complaint}");
    check_nothing_left(folder.path());
}
