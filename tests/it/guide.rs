//! The integration guide's examples, unchanged except for host, key and amount, in the real
//! clients and servers: axios, requests, Express 4 and 5.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

use crate::harness::files;
use crate::harness::json::Fields;
use crate::harness::packages::prepare;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

pub(crate) fn shops() -> PathBuf {
    files::project().join("tests/shops")
}

/// An example as the guide prints it, with this gateway's host, this shop's key and receiver.
fn example(name: &str, test_env: &TestEnv, hook: &str) -> String {
    let text = std::fs::read_to_string(shops().join("guide").join(name)).unwrap();
    let host = format!("http://127.0.0.1:{}", test_env.gateway.port());
    let replace = |text: String, what: &str, by: &str| {
        assert!(text.contains(what), "{name} has no {what}");
        text.replace(what, by)
    };
    let text = replace(text, "https://gateway.fluxcord.store", &host);
    let text = replace(text, "YOUR_SECRET_API_KEY", &test_env.shop.api_key);
    replace(text, "https://your-website.com/api/webhook/ltc-payment", hook)
}

/// Runs a program with the packages of `tests/shops`.
fn run(program: &str, script: &Path) -> Output {
    let output = command(program, script).output();
    output.unwrap_or_else(|error| {
        panic!("install {program}, which the guide's examples use: {error}")
    })
}

pub(crate) fn command(program: &str, script: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(script).stdin(Stdio::null());
    command.env("NODE_PATH", shops().join("node_modules"));
    command.env("PYTHONPATH", shops().join("python"));
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    command
}

/// Runs an example that creates a payment and checks its output.
#[track_caller]
fn check_creates(test_env: &TestEnv, program: &str, script: &Path, amount: &str) -> Fields {
    let output = run(program, script);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let url = said.trim().strip_prefix("Payment URL: ");
    let url = url.unwrap_or_else(|| panic!("{program} said {said:?}, {complaint:?}"));
    let path = url.strip_prefix(&format!("http://127.0.0.1:{}", test_env.gateway.port())).unwrap();
    let page = test_env.gateway.get(path);
    assert_eq!(page.status, 200, "the payment page opens");
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let id = path.strip_prefix("/pay/").unwrap();
    let status = test_env.shop.status(id);
    for name in
        ["paymentId", "status", "amountLtc", "receivingAddress", "expiresAt", "businessName"]
    {
        assert!(status.has(name), "the guide promises {name}: {}", status.whole());
    }
    assert_eq!(status.raw("amountLtc"), amount);
    status
}

#[test]
fn the_node_example_creates_a_payment() {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    let folder = files::folder();
    let script = folder.path().join("create.js");
    let hook = "http://127.0.0.1:65535/api/webhook/ltc-payment";
    for (amount, answered) in
        [("0.05", "0.05"), ("0.1 + 0.2", "0.3"), ("0.001 + 5e-8", "0.00100005")]
    {
        let text = example("create.js", &test_env, hook);
        std::fs::write(&script, format!("{text}\ncreatePayment({amount});\n")).unwrap();
        check_creates(&test_env, "node", &script, answered);
    }
}

#[test]
fn the_python_example_creates_a_payment() {
    let Some(test_env) =
        TestEnv::shared_with(|gateway| gateway.set("payments.min_amount", "0.00000001"))
    else {
        return;
    };
    prepare();
    let folder = files::folder();
    let script = folder.path().join("create.py");
    let hook = "http://127.0.0.1:65535/api/webhook/ltc-payment";
    for (amount, answered) in [("0.05", "0.05"), ("0.00005", "0.00005"), ("0.1 + 0.2", "0.3")] {
        let text = example("create.py", &test_env, hook);
        std::fs::write(&script, format!("{text}\ncreate_payment({amount})\n")).unwrap();
        check_creates(&test_env, "python3", &script, answered);
    }
}

/// 1. Revoke the subscription and run the guide's examples: each prints the error's code
///    without a stack trace.
#[test]
fn the_examples_print_a_clear_error() {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    test_env.gateway.cli_ok(&["merchant", "revoke", &test_env.shop.merchant_id]);
    let folder = files::folder();
    for (name, program, call) in [
        ("create.js", "node", "createPayment(0.05);"),
        ("create.py", "python3", "create_payment(0.05)"),
    ] {
        let script = folder.path().join(name);
        let text = example(name, &test_env, "http://127.0.0.1:65535/");
        std::fs::write(&script, format!("{text}\n{call}\n")).unwrap();
        let output = run(program, &script);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("Error") && said.contains("subscription_inactive"), "{said}");
        assert!(!said.contains("Traceback"), "{said}");
    }
}

/// The guide's receiver in an Express server of its own. Ends when it is dropped.
struct ExpressShop {
    process: Child,
    lines: Mutex<Receiver<String>>,
    port: u16,
}

impl ExpressShop {
    fn start(express: &str, folder: &Path) -> ExpressShop {
        let receiver = std::fs::read_to_string(shops().join("guide/receiver.js")).unwrap();
        let script = folder.join("receiver.js");
        let text = format!(
            "const express = require('{express}');\nconst app = express();\n{receiver}\n\
             const server = app.listen(0, '127.0.0.1', \
             () => console.log('port ' + server.address().port));\n"
        );
        std::fs::write(&script, text).unwrap();
        let mut process = command("node", &script).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // Nothing listens after the test.
                let _ = sender.send(line);
            }
        });
        let mut shop = ExpressShop { process, lines: Mutex::new(lines), port: 0 };
        let line = shop.await_line("port ");
        shop.port = line["port ".len()..].parse().unwrap();
        shop
    }

    #[track_caller]
    fn await_line(&self, beginning: &str) -> String {
        wait_until(&format!("a line `{beginning}…` of the shop"), SOON, || {
            let line = self.lines.lock().unwrap().try_recv().ok()?;
            assert!(line.starts_with(beginning), "the shop said {line:?}");
            Some(line)
        })
    }
}

impl Drop for ExpressShop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[track_caller]
fn check_receiver(express: &str) {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    let folder = files::folder();
    let shop = ExpressShop::start(express, folder.path());
    let hook = format!("http://127.0.0.1:{}/api/webhook/ltc-payment", shop.port);
    let script = folder.path().join("create.js");
    let text = example("create.js", &test_env, &hook);
    std::fs::write(&script, format!("{text}\ncreatePayment(0.05);\n")).unwrap();
    let created = check_creates(&test_env, "node", &script, "0.05");
    let id = created.text("paymentId");
    test_env.node.send(&created.text("receivingAddress"), "0.05");
    test_env.node.mine(2);
    let said = shop.await_line("Payment ");
    assert_eq!(said, format!("Payment {id} completed! Delivered product."));
    let status = test_env.shop.status(&id);
    assert_eq!(status.text("status"), "completed");
    wait_until("the event as delivered", SOON, || {
        let events = test_env.gateway.cli_list(&["webhook", "list"]);
        let notified =
            |event: &&Fields| event.whole().contains(&id) && event.whole().contains("delivered");
        events.iter().find(notified).map(|_| ())
    });
}

#[test]
fn the_express_4_receiver_gets_the_completion() {
    check_receiver("express4");
}

#[test]
fn the_express_5_receiver_gets_the_completion() {
    check_receiver("express5");
}
