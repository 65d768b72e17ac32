//! Completions are told to the shop's receiver: signed, at least once, whatever it does.

use std::collections::BTreeSet;
use std::time::Duration;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

use crate::harness::clock;
use crate::harness::json::Fields;
use crate::harness::receiver::{Hit, Receiver, Reply};
use crate::harness::shop::{Created, Shop};
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_until};

/// By when the second attempt is due, with time to spare.
const RETRIED: Duration = Duration::from_secs(30);

fn pay(stage: &Stage, payment: &Created) {
    stage.node.send(&payment.address, "0.05");
    stage.node.mine(2);
    stage.shop.await_status(&payment.id, "completed", SOON);
}

/// Verifies as the Standard Webhooks specification says.
#[track_caller]
pub(crate) fn verify(hit: &Hit, secret: &str) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    assert!((24..=64).contains(&key.len()), "the secret has {} bytes", key.len());
    let (id, timestamp) = (hit.header("webhook-id"), hit.header("webhook-timestamp"));
    let mut engine = HmacEngine::<sha256::Hash>::new(&key);
    engine.input(format!("{id}.{timestamp}.{}", hit.body).as_bytes());
    let signature = STANDARD.encode(Hmac::from_engine(engine).to_byte_array());
    let given: Vec<&str> = hit.header("webhook-signature").split(' ').collect();
    assert!(given.contains(&format!("v1,{signature}").as_str()), "{given:?}");
    let now = clock::now().as_secs();
    assert!(now.abs_diff(timestamp.parse().unwrap()) < 120, "sent at {timestamp}, now {now}");
}

#[test]
fn a_completion_is_told_signed_and_flat() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    let body = format!(
        r#"{{"amountLtc": 0.05, "webhookUrl": "{}", "reference": "order 7"}}"#,
        receiver.url("/api/webhook/ltc-payment?shop=1")
    );
    let payment = stage.shop.create_with(&body);
    pay(&stage, &payment);
    let hit = receiver.await_hit_for(&payment.id, SOON);
    assert_eq!(hit.method, "POST");
    assert_eq!(hit.path, "/api/webhook/ltc-payment?shop=1");
    assert_eq!(hit.header("content-type"), "application/json");
    let told = hit.fields();
    assert_eq!(told.text("paymentId"), payment.id);
    assert_eq!(told.text("status"), "completed");
    assert_eq!(told.raw("amountLtc"), "0.05");
    assert_eq!(told.text("receivingAddress"), payment.address);
    assert_eq!(told.raw("amountReceivedLtc"), "0.05");
    assert_eq!(told.raw("late"), "false");
    assert_eq!(told.text("reference"), "order 7");
    assert_eq!(told.texts("txids").len(), 1);
    let status = stage.shop.status(&payment.id);
    assert_eq!(told.text("completedAt"), status.text("completedAt"));
    let shown = stage.gate.cli_json(&["merchant", "view-webhook-secret", &stage.shop.merchant_id]);
    verify(&hit, &shown.text("webhookSecret"));
}

#[test]
fn a_failure_is_retried_with_the_same_id_and_body() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(1);
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &payment);
    let hits = receiver.await_hits(2, RETRIED);
    assert_eq!(hits[0].body, hits[1].body);
    assert_eq!(hits[0].header("webhook-id"), hits[1].header("webhook-id"));
    assert!(hits[1].at - hits[0].at > Duration::from_secs(1), "not at once");
    stays_true("a success ends it", Duration::from_secs(2), || receiver.hits().len() == 2);
}

#[test]
fn a_dead_receiver_is_tried_for_days_and_then_kept_as_failed() {
    let Some(stage) = Stage::alone() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(100);
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &payment);
    // Longer than any pause of the schedule, so that each jump makes one try due. It waits for
    // the record of the try before it, which says when the next one is due.
    let jump = Duration::from_secs(27 * 3_600);
    let mut passed = Duration::ZERO;
    for tries in 1..=10 {
        receiver.await_hits(tries, SOON);
        let recorded = format!("\"number\":{tries},");
        wait_until("the record of the try", SOON, || {
            let events = stage.gate.cli_list(&["webhook", "list"]);
            events.into_iter().find(|event| event.whole().contains(&recorded))
        });
        passed += jump;
        stage.gate.let_pass(passed);
    }
    let failed = wait_until("the event as failed", SOON, || {
        stage.gate.cli_list(&["webhook", "list", "--failed"]).into_iter().next()
    });
    assert!(failed.whole().contains(&payment.id));
    stays_true("given up", Duration::from_secs(2), || receiver.hits().len() == 10);
}

#[test]
fn a_redirect_is_not_followed_and_counts_as_a_failure() {
    let Some(stage) = Stage::shared() else { return };
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.reply_next([Reply::Redirect(elsewhere.url("/")), Reply::HangUp]);
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &payment);
    receiver.await_hits(2, RETRIED);
    assert!(elsewhere.hits().is_empty(), "followed a redirect");
}

#[test]
fn what_could_not_be_told_is_told_after_a_crash() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    receiver.reply_next([Reply::HangUp]);
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &payment);
    let first = receiver.await_hit_for(&payment.id, SOON);
    stage.gate.kill();
    stage.gate.start();
    let hits = receiver.await_hits(2, RETRIED);
    assert_eq!(hits[1].body, first.body);
    assert_eq!(hits[1].header("webhook-id"), first.header("webhook-id"));
}

#[test]
fn a_slow_receiver_holds_up_nobody_else() {
    let Some(stage) = Stage::shared() else { return };
    let (slow, quick) = (Receiver::start(), Receiver::start());
    slow.reply_next(std::iter::repeat_n(Reply::Slow(Duration::from_secs(10)), 10));
    let neighbour = Shop::open(&stage.gate, &stage.node, "Neighbour");
    let slow_ones: Vec<Created> =
        (0..5).map(|_| stage.shop.create_told("0.05", &slow.url("/hook"))).collect();
    let theirs = neighbour.create_told("0.05", &quick.url("/hook"));
    for payment in slow_ones.iter().chain([&theirs]) {
        stage.node.send(&payment.address, "0.05");
    }
    stage.node.mine(2);
    stage.shop.await_status(&theirs.id, "completed", SOON);
    quick.await_hit_for(&theirs.id, Duration::from_secs(3));
}

#[test]
fn a_slow_shop_holds_up_no_other_on_the_same_host() {
    let Some(stage) = Stage::shared() else { return };
    let shared = Receiver::start();
    shared.reply_next(std::iter::repeat_n(Reply::Slow(Duration::from_secs(10)), 3));
    let neighbour = Shop::open(&stage.gate, &stage.node, "Neighbour");
    let slow_ones: Vec<Created> =
        (0..6).map(|_| stage.shop.create_told("0.05", &shared.url("/slow"))).collect();
    let theirs = neighbour.create_told("0.05", &shared.url("/quick"));
    for payment in &slow_ones {
        stage.node.send(&payment.address, "0.05");
    }
    stage.node.mine(2);
    shared.await_hits(3, SOON);
    stage.node.send(&theirs.address, "0.05");
    stage.node.mine(2);
    stage.shop.await_status(&theirs.id, "completed", SOON);
    shared.await_hit_for(&theirs.id, Duration::from_secs(3));
}

#[test]
fn without_a_webhook_url_nobody_is_told() {
    let Some(stage) = Stage::shared() else { return };
    let payment = stage.shop.create("0.05");
    pay(&stage, &payment);
    assert!(outbox(&stage).iter().all(|event| !event.whole().contains(&payment.id)));
}

#[test]
fn targets_on_private_networks_are_refused() {
    let stage = Stage::shared_with(|gate| gate.set("webhooks.allow_private_networks", false));
    let Some(Stage { gate: _gate, shop, .. }) = stage else { return };
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "localhost",
    ] {
        let body = format!(r#"{{"amountLtc": 0.05, "webhookUrl": "http://{host}/hook"}}"#);
        let answer = shop.post(&body, &[]);
        assert_eq!(answer.status, 400, "{host}: {}", answer.body);
        let error = Fields::of(&answer.body).object("error");
        assert!(error.text("message").contains("webhookUrl"), "{host}: {}", answer.body);
    }
}

#[test]
fn the_outbox_can_be_looked_at_and_sent_again() {
    let Some(stage) = Stage::shared() else { return };
    let receiver = Receiver::start();
    let payment = stage.shop.create_told("0.05", &receiver.url("/hook"));
    pay(&stage, &payment);
    let first = receiver.await_hit_for(&payment.id, SOON);
    let event = wait_until("the event as delivered", SOON, || {
        let events = outbox(&stage);
        let event = events.into_iter().find(|event| event.whole().contains(&payment.id))?;
        event.whole().contains("delivered").then_some(event)
    });
    stage.gate.cli_ok(&["webhook", "resend", &event.text("eventId")]);
    let hits = receiver.await_hits(2, SOON);
    let ids: BTreeSet<&str> = hits.iter().map(|hit| hit.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(hits[1].body, first.body);
    assert!(stage.gate.cli_list(&["webhook", "list", "--failed"]).is_empty());
}

fn outbox(stage: &Stage) -> Vec<Fields> {
    stage.gate.cli_list(&["webhook", "list"])
}
