//! The served guide's examples, extracted from the page and run as a merchant would.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use crate::guide::command;
use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::http;
use crate::harness::json::Fields;
use crate::harness::packages::prepare;
use crate::harness::ports;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// The page that may come with the gateway's own style, in bytes.
const PAGE_BYTES_MAX: usize = 60_000;

/// An example as the page shows it.
#[track_caller]
fn snippet(gateway: &Gateway, id: &str) -> String {
    let page = gateway.get("/docs").body;
    let start = format!("<pre id=\"{id}\"><code>");
    let Some((_, rest)) = page.split_once(&start) else { panic!("no example {id}") };
    let code = rest.split_once("</code></pre>").unwrap().0;
    let text = code.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    assert!(!text.contains("{{"), "something was not filled in: {text}");
    text
}

/// Whether this machine has a language; the ones that every test needs are not asked for.
fn is_installed(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Runs an example with the shop's key.
#[track_caller]
fn run(test_env: &TestEnv, id: &str, program: &str) -> Output {
    run_with(&test_env.gateway, id, program, &[("YOUR_SECRET_API_KEY", &test_env.shop.api_key)])
}

#[track_caller]
fn run_with(gateway: &Gateway, id: &str, program: &str, replaced: &[(&str, &str)]) -> Output {
    let mut text = snippet(gateway, id);
    for (what, by) in replaced {
        assert!(text.contains(what), "{id} has no {what}");
        text = text.replace(what, by);
    }
    let folder = files::folder();
    let script = folder.path().join(id);
    std::fs::write(&script, text).unwrap();
    command(program, &script).output().unwrap_or_else(|error| panic!("install {program}: {error}"))
}

#[track_caller]
fn said(output: &Output) -> String {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// 1. Run each language's example with the same idempotency key: one payment.
/// 2. With a wrong key each prints the error's code.
/// 3. The listing and status examples show the payment.
#[test]
fn every_creating_example_makes_the_same_payment() {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    let answer = Fields::of(&said(&run(&test_env, "create-curl", "sh")));
    let url = answer.text("paymentUrl");
    assert_eq!(answer.text("reference"), "order-7");
    let mut languages = vec![("create-node", "node"), ("create-python", "python3")];
    if is_installed("php") {
        languages.push(("create-php", "php"));
    }
    for (id, program) in languages {
        // They all send the same order under the same idempotency key, as number or as text.
        assert_eq!(said(&run(&test_env, id, program)), format!("Payment URL: {url}"), "{id}");
        let wrong = run_with(&test_env.gateway, id, program, &[("YOUR_SECRET_API_KEY", "wrong")]);
        let all = [wrong.stdout, wrong.stderr].concat();
        assert!(!wrong.status.success(), "{id} with a wrong key");
        assert!(String::from_utf8_lossy(&all).contains("invalid_api_key"), "{id}");
    }
    let listed = Fields::of(&said(&run(&test_env, "list-curl", "sh")));
    let listed = listed.objects("data");
    assert_eq!(listed.len(), 1, "one order, one payment");
    let id = listed[0].text("paymentId");
    let shown = said(&run_with(&test_env.gateway, "ask-curl", "sh", &[("PAYMENT_ID", &id)]));
    assert_eq!(Fields::of(&shown).text("paymentId"), id);
}

/// An example of a receiver that runs. Ends when it is dropped.
struct Running {
    process: Child,
    lines: Mutex<Receiver<String>>,
    port: u16,
}

impl Running {
    #[track_caller]
    fn start(gateway: &Gateway, id: &str, program: &str, secret: &str) -> Running {
        // Express is there under the name of its version.
        let text = snippet(gateway, id).replace("require('express')", "require('express5')");
        let folder = files::folder();
        let script = folder.path().join(id);
        std::fs::write(&script, text).unwrap();
        let port = ports::free();
        let mut command = command(program, &script);
        if program == "php" {
            command = Command::new("php");
            command.args(["-S", &format!("127.0.0.1:{port}")]).arg(&script);
        }
        command.env("PORT", port.to_string()).env("WEBHOOK_SECRET", secret);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout: Box<dyn std::io::Read + Send> = Box::new(process.stdout.take().unwrap());
        let stderr: Box<dyn std::io::Read + Send> = Box::new(process.stderr.take().unwrap());
        for stream in [stdout, stderr] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nothing listens after the test.
                    let _ = sender.send(line);
                }
            });
        }
        let running = Running { process, lines: Mutex::new(lines), port };
        wait_for("the receiver", SOON, || running.post("{}").is_some());
        running
    }

    /// Sends an unsigned webhook. Answers the response's status.
    fn post(&self, body: &str) -> Option<u16> {
        let path = "/api/webhook/ltc-payment";
        let json = [("content-type", "application/json")];
        http::request(self.port, "POST", path, &json, body.as_bytes()).ok().map(|a| a.status)
    }

    /// The lines about deliveries that were written until now.
    fn delivered(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.try_iter().filter(|line| line.contains("Delivered product")).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn check_receiver(id: &str, program: &str, unsigned: u16) {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    let merchant = &test_env.shop.merchant_id;
    let shown = test_env.gateway.cli_json(&["merchant", "view-webhook-secret", merchant]);
    let receiver = Running::start(&test_env.gateway, id, program, &shown.text("webhookSecret"));
    let hook = format!("http://127.0.0.1:{}/api/webhook/ltc-payment", receiver.port);
    let payment = test_env.shop.create_with_webhook("0.05", &hook);
    let forged = format!(r#"{{"paymentId": "{}", "status": "completed"}}"#, payment.id);
    assert_eq!(receiver.post(&forged), Some(unsigned), "{id}: nobody signed this");
    assert_eq!(receiver.delivered(), Vec::<String>::new(), "{id}: nothing was paid");
    test_env.node.send(&payment.address, "0.05");
    test_env.node.mine(2);
    let line = wait_until("the delivery", SOON, || receiver.delivered().pop());
    assert!(line.contains(&format!("Payment {} completed!", payment.id)), "{line}");
    wait_until("the event as delivered", SOON, || {
        let events = test_env.gateway.cli_list(&["webhook", "list"]);
        let notified = |event: &&Fields| {
            event.text("paymentId") == payment.id && event.text("state") == "delivered"
        };
        events.iter().find(notified).map(|_| ())
    });
}

#[test]
fn the_node_receiver_delivers_only_signed_events() {
    check_receiver("receiver-node", "node", 400);
}

#[test]
fn the_python_receiver_delivers_only_signed_events() {
    check_receiver("receiver-python", "python3", 400);
}

#[test]
fn the_php_receiver_delivers_only_signed_events() {
    if is_installed("php") {
        check_receiver("receiver-php", "php", 400);
    }
}

#[test]
fn the_querying_receiver_delivers_only_completed_payments() {
    check_receiver("receiver-asks", "node", 200);
}

#[test]
fn the_page_is_small_and_loads_nothing() {
    let gateway = Gateway::offline();
    gateway.start();
    let page = gateway.get("/docs");
    assert_eq!(page.status, 200);
    assert!(page.body.len() < PAGE_BYTES_MAX, "{}", page.body.len());
    for loading in ["<script", "<img", "<iframe", "@import", "url(", "<link"] {
        assert!(!page.body.contains(loading), "{loading}");
    }
    let own = format!("http://127.0.0.1:{}/api/payments", gateway.port());
    assert!(page.body.contains(&own), "the examples name this gateway");
}
