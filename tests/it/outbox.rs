//! What a merchant and an operator can do with webhooks by hand: look at them, send them again, try
//! a receiver, change the secret.

use std::time::Duration;

use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::receiver::{Receiver, Reply};
use crate::harness::shop::{Created, Shop};
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_until};

fn pay(stage: &Stage, payments: &[&Created]) {
    for payment in payments {
        stage.node.send(&payment.address, "0.05");
    }
    stage.node.mine(2);
    for payment in payments {
        stage.shop.await_status(&payment.id, "completed", SOON);
    }
}

fn keyed(stage: &Stage, shop: &Shop, method: &str, path: &str) -> Answer {
    stage.gate.request(method, path, &[("x-api-key", &shop.api_key)], "")
}

#[track_caller]
fn page(stage: &Stage, shop: &Shop, query: &str) -> Fields {
    let answer = keyed(stage, shop, "GET", &format!("/api/webhooks{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    Fields::of(&answer.body)
}

/// Attempts until an event is given up.
const ATTEMPTS: usize = 10;

/// Longer than the longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(27 * 3_600);

#[track_caller]
fn await_recorded(stage: &Stage, payment: &Created, attempts: usize) {
    wait_until(&format!("{attempts} attempts of {}", payment.id), SOON, || {
        let events = page(stage, &stage.shop, "?limit=100").objects("data");
        let event = events.into_iter().find(|event| event.text("paymentId") == payment.id)?;
        (event.objects("attempts").len() == attempts).then_some(())
    });
}

#[track_caller]
fn await_state(stage: &Stage, payment: &Created, state: &str) -> Fields {
    wait_until(&format!("{state} of {}", payment.id), SOON, || {
        let events = page(stage, &stage.shop, "?limit=100").objects("data");
        events
            .into_iter()
            .find(|event| event.text("paymentId") == payment.id && event.text("state") == state)
    })
}

#[test]
fn a_merchant_sees_what_its_receiver_answered_and_asks_again() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    receiver.reply_next([const { Reply::Status(410) }; ATTEMPTS]);
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook?token=hush"));
    pay(&stage, &[&payment]);
    for attempt in 1..ATTEMPTS {
        receiver.await_hits(attempt, SOON);
        await_recorded(&stage, &payment, attempt);
        stage.gate.let_pass(PAUSE_MAX * u32::try_from(attempt).unwrap());
    }
    let failed = await_state(&stage, &payment, "failed");
    assert!(failed.text("url").ends_with("/hook?…"), "{}", failed.whole());
    let tries = failed.objects("attempts");
    assert_eq!(tries.len(), ATTEMPTS, "410 is retried like any other status");
    assert_eq!((tries[0].raw("httpStatus"), tries[0].text("answer")), ("410", "heard".to_owned()));
    assert!(tries[0].raw("durationMs").parse::<u32>().unwrap() < 20_000);
    let id = failed.text("eventId");
    assert_eq!(page(&stage, &stage.shop, "?status=failed").objects("data").len(), 1);
    stage.gate.await_log(&["given up", &id]);

    let stranger = Shop::open(&stage.gate, &stage.node, "Stranger");
    assert!(page(&stage, &stranger, "").objects("data").is_empty());
    let resend = format!("/api/webhooks/{id}/resend");
    for (shop, path) in [(&stranger, resend.as_str()), (&stage.shop, "/api/webhooks/evt_1/resend")]
    {
        let answer = keyed(&stage, shop, "POST", path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("code"), "not_found");
    }
    assert_eq!(keyed(&stage, &stage.shop.with_key("lg_regtest_1"), "POST", &resend).status, 401);
    assert_eq!(receiver.hits().len(), ATTEMPTS);

    let answer = keyed(&stage, &stage.shop, "POST", &resend);
    assert_eq!((answer.status, Fields::of(&answer.body).text("state")), (200, "due".to_owned()));
    let hits = receiver.await_hits(ATTEMPTS + 1, Duration::from_secs(5));
    assert_eq!(hits[0].header("webhook-id"), hits[ATTEMPTS].header("webhook-id"));
    assert_eq!(hits[0].body, hits[ATTEMPTS].body);
    await_state(&stage, &payment, "delivered");
    assert!(page(&stage, &stage.shop, "?status=failed").objects("data").is_empty());
}

#[test]
fn the_list_comes_in_pages_and_never_without_a_key() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    let payments: Vec<Created> =
        (0..5).map(|_| stage.shop.create_told("0.05", &receiver.url("/hook"))).collect();
    pay(&stage, &payments.iter().collect::<Vec<_>>());
    let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
    for length in [2, 2, 1] {
        let page = page(&stage, &stage.shop, &query);
        let events = page.objects("data");
        assert_eq!(events.len(), length);
        found.extend(events.iter().map(|event| event.text("paymentId")));
        if length == 1 {
            assert_eq!(page.raw("nextCursor"), "null");
        } else {
            query = format!("?limit=2&cursor={}", page.text("nextCursor"));
        }
    }
    found.sort();
    let mut expected: Vec<String> = payments.iter().map(|payment| payment.id.clone()).collect();
    expected.sort();
    assert_eq!(found, expected);
    for query in ["?limit=0", "?limit=x", "?status=lost", "?cursor=evt_0", "?cursor=%00"] {
        let answer = keyed(&stage, &stage.shop, "GET", &format!("/api/webhooks{query}"));
        let param = query.trim_start_matches('?').split('=').next().unwrap();
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), param);
    }
    let answer = stage.gate.get("/api/webhooks");
    assert_eq!(answer.status, 401);
    assert!(answer.header("access-control-allow-origin").is_none(), "keys stay out of browsers");
}

#[test]
fn a_receiver_can_be_tried() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let merchant = stage.shop.merchant_id.as_str();
    let arguments = ["webhook", "test", "--merchant", merchant, "--url", &url];
    let tried = stage.gate.cli_json(&arguments);
    assert_eq!((tried.raw("delivered"), tried.raw("httpStatus")), ("true", "200"));
    let hit = receiver.hits().remove(0);
    let told = hit.fields();
    assert_eq!(told.raw("test"), "true");
    assert_eq!(told.text("paymentId"), "00000000-0000-0000-0000-000000000000");
    for name in ["status", "amountLtc", "receivingAddress"] {
        assert!(told.has(name), "{name} is in a real one, too: {}", told.whole());
    }
    assert_eq!(hit.header("webhook-id"), tried.text("eventId"));
    assert!(hit.header("webhook-signature").starts_with("v1,"));

    let redirect = Reply::Redirect("http://127.0.0.1:1/".to_owned());
    receiver.reply_next([Reply::Status(404), redirect, Reply::HangUp]);
    for words in [["HTTP 404", "POST"], ["HTTP 302", "Redirects"], ["broke off", "https"]] {
        stage.gate.cli_fails(&arguments, 1, &words);
    }
    let nowhere = "http://no-such-name.invalid/hook";
    let of_nowhere = ["webhook", "test", "--merchant", merchant, "--url", nowhere];
    stage.gate.cli_fails(&of_nowhere, 1, &["no address", "DNS"]);
    assert!(stage.gate.cli_list(&["webhook", "list"]).is_empty(), "nothing of it is stored");

    stage.gate.set("webhooks.allow_private_networks", false);
    stage.gate.cli_fails(&arguments, 2, &["url", "private"]);
    let text = stage.gate.cli_fails(&of_nowhere, 1, &["no address"]);
    assert!(!text.stderr.contains("127.0.0.1"), "{text:?}");
}

#[test]
fn a_rotated_secret_is_shown_and_signs() {
    let Some(stage) = Stage::shared() else { return };
    let secret = |command: &str| {
        let arguments = ["merchant", command, stage.shop.merchant_id.as_str()];
        stage.gate.cli_json(&arguments)
    };
    let first = secret("view-webhook-secret");
    assert!(!first.has("previousWebhookSecretEndsAt"));
    let rotated = secret("rotate-webhook-secret");
    assert!(rotated.has("previousWebhookSecretEndsAt"));
    let (first, second) = (first.text("webhookSecret"), rotated.text("webhookSecret"));
    assert_ne!(first, second);
    assert_eq!(secret("view-webhook-secret").text("webhookSecret"), second);

    let receiver = Receiver::start();
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &[&payment]);
    let hit = receiver.await_hit_for(&payment.id, SOON);
    assert_eq!(hit.header("webhook-signature").split(' ').count(), 2);
    stage.gate.let_pass(Duration::from_secs(24 * 3_600 + 1));
    assert!(!secret("view-webhook-secret").has("previousWebhookSecretEndsAt"));
    let later = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &[&later]);
    let hit = receiver.await_hit_for(&later.id, SOON);
    assert_eq!(hit.header("webhook-signature").split(' ').count(), 1);

    let database = std::fs::read(stage.gate.folder().join("litegate.db")).unwrap();
    let log = stage.gate.log();
    for secret in [&first, &second] {
        let found = database.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found && !log.contains(secret.as_str()), "a secret is stored or logged");
    }
    stays_true("each is told once", Duration::from_secs(1), || receiver.hits().len() == 2);
}
