//! Signatures as merchants verify them: with the published Standard Webhooks libraries of npm
//! and PyPI.

use std::io::Write;
use std::process::Stdio;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};
use serde_json::json;

use crate::guide::{command, shops};
use crate::harness::clock;
use crate::harness::packages::prepare;
use crate::harness::receiver::{Hit, Receiver};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// A presented webhook, and whether a merchant should accept it.
#[derive(Debug, Clone)]
struct Case {
    what: &'static str,
    secret: String,
    id: String,
    timestamp: String,
    signatures: String,
    body: String,
    taken: bool,
}

impl Case {
    /// As it came.
    fn of(hit: &Hit, secret: &str) -> Case {
        Case {
            what: "as it came",
            secret: secret.to_owned(),
            id: hit.header("webhook-id").to_owned(),
            timestamp: hit.header("webhook-timestamp").to_owned(),
            signatures: hit.header("webhook-signature").to_owned(),
            body: hit.body.clone(),
            taken: true,
        }
    }

    fn refused(what: &'static str, change: impl FnOnce(&mut Case), of: &Case) -> Case {
        let mut case = Case { what, taken: false, ..of.clone() };
        change(&mut case);
        case
    }

    /// With a valid signature, this many seconds from now.
    fn signed_at(what: &'static str, seconds: i64, taken: bool, of: &Case) -> Case {
        let now = clock::now().as_secs();
        let timestamp = now.checked_add_signed(seconds).unwrap().to_string();
        let mut case = Case { what, timestamp, taken, ..of.clone() };
        case.signatures = signature(&case.secret, &case);
        case
    }
}

fn signature(secret: &str, case: &Case) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut engine = HmacEngine::<sha256::Hash>::new(&key);
    engine.input(format!("{}.{}.{}", case.id, case.timestamp, case.body).as_bytes());
    format!("v1,{}", STANDARD.encode(Hmac::from_engine(engine).to_byte_array()))
}

/// Lets a library verify the cases, and compares.
#[track_caller]
fn check(program: &str, script: &str, cases: &[Case]) {
    let mut process = command(program, &shops().join("verify").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("install {program}: {error}"));
    let mut stdin = process.stdin.take().unwrap();
    for case in cases {
        let headers = json!({
            "webhook-id": case.id,
            "webhook-timestamp": case.timestamp,
            "webhook-signature": case.signatures,
        });
        let line = json!({ "secret": case.secret, "headers": headers, "body": case.body });
        writeln!(stdin, "{line}").unwrap();
    }
    drop(stdin);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(said.lines().count(), cases.len(), "{script}: {said}");
    for (case, said) in cases.iter().zip(said.lines()) {
        assert_eq!(said == "taken", case.taken, "{script}, {}: {said}", case.what);
    }
}

/// 1. Receive webhooks before and after rotations of the secret.
/// 2. Change body, time, id, secret and signature of copies.
/// 3. The npm and PyPI libraries accept exactly the genuine ones.
#[test]
fn published_libraries_accept_only_our_signatures() {
    let Some(test_env) = TestEnv::shared() else { return };
    prepare();
    let receiver = Receiver::start();
    let secret = |command: &str| {
        let shown = test_env.gateway.cli_json(&["merchant", command, &test_env.shop.merchant_id]);
        shown.text("webhookSecret")
    };
    let notified = || {
        let reference = r#""reference": "ä \" \\ \/ \u00df €""#;
        let url = receiver.url("/hook");
        let body = format!(r#"{{"amountLtc": 0.05, "webhookUrl": "{url}", {reference}}}"#);
        let payment = test_env.shop.create_with(&body);
        test_env.node.send(&payment.address, "0.05");
        test_env.node.mine(2);
        receiver.await_hit_for(&payment.id, SOON)
    };
    let first = secret("view-webhook-secret");
    let genuine = Case::of(&notified(), &first);
    let second = secret("rotate-webhook-secret");
    let twice_signed = notified();
    let third = secret("rotate-webhook-secret");
    let after_third = notified();
    let stranger = test_env.gateway.cli_json(&["merchant", "add", "--name", "Stranger"]);
    let strangers = test_env.gateway.cli_json(&[
        "merchant",
        "view-webhook-secret",
        &stranger.text("merchantId"),
    ]);
    let strangers = strangers.text("webhookSecret");

    let changed = |case: &mut Case| case.body = case.body.replace("0.05", "5.00");
    let cases = [
        genuine.clone(),
        Case::refused("another body", changed, &genuine),
        Case::refused(
            "another body, signed by a stranger",
            |case| {
                changed(case);
                case.signatures = signature(&strangers, case);
            },
            &genuine,
        ),
        Case::refused(
            "an old one with a fresh time",
            |case| case.timestamp = (case.timestamp.parse::<u64>().unwrap() + 1).to_string(),
            &genuine,
        ),
        Case::refused("under another id", |case| case.id.push('0'), &genuine),
        Case::refused("a stranger's secret", |case| case.secret = strangers.clone(), &genuine),
        Case::refused("no signature", |case| case.signatures = "v1,".to_owned(), &genuine),
        Case::signed_at("somewhat old", -240, true, &genuine),
        Case::signed_at("stale", -320, false, &genuine),
        Case::signed_at("from the future", 320, false, &genuine),
        Case::of(&twice_signed, &first),
        Case::of(&twice_signed, &second),
        Case::refused(
            "not yet made",
            |case| case.secret = third.clone(),
            &Case::of(&twice_signed, &first),
        ),
        Case::of(&after_third, &second),
        Case::of(&after_third, &third),
        Case::refused("over", |case| case.secret = first.clone(), &Case::of(&after_third, &third)),
    ];
    check("node", "verify.js", &cases);
    check("python3", "verify.py", &cases);
}
