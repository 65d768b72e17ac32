//! Webhook delivery of completions: signed, at least once, whatever the receiver does.

use std::collections::BTreeSet;
use std::time::Duration;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::hashes::{Hash, HashEngine, Hmac, HmacEngine, sha256};

use crate::harness::clock;
use crate::harness::json::Fields;
use crate::harness::passes::Passes;
use crate::harness::receiver::{Hit, Receiver, Reply};
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// Deadline of the second attempt, with margin.
const RETRIED: Duration = Duration::from_secs(30);

/// Pays and completes a payment.
fn pay(test_env: &TestEnv, payment: &Created) {
    test_env.node.send(&payment.address, "0.05");
    test_env.node.mine(2);
    test_env.shop.await_status(&payment.id, "completed", SOON);
}

/// Verifies the signature by the Standard Webhooks specification.
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

/// 1. Complete a payment with a webhook URL and a reference.
/// 2. The receiver gets a POST of flat JSON with the payment's fields.
/// 3. Its signature verifies with the merchant's webhook secret.
#[test]
fn a_completion_is_delivered_as_signed_flat_json() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    let body = format!(
        r#"{{"amountLtc": 0.05, "webhookUrl": "{}", "reference": "order 7"}}"#,
        receiver.url("/api/webhook/ltc-payment?shop=1")
    );
    let payment = test_env.shop.create_with(&body);
    pay(&test_env, &payment);
    let hit = receiver.await_hit_for(&payment.id, SOON);
    assert_eq!(hit.method, "POST");
    assert_eq!(hit.path, "/api/webhook/ltc-payment?shop=1");
    assert_eq!(hit.header("content-type"), "application/json");
    let notified = hit.fields();
    assert_eq!(notified.text("paymentId"), payment.id);
    assert_eq!(notified.text("status"), "completed");
    assert_eq!(notified.raw("amountLtc"), "0.05");
    assert_eq!(notified.text("receivingAddress"), payment.address);
    assert_eq!(notified.raw("amountReceivedLtc"), "0.05");
    assert_eq!(notified.raw("late"), "false");
    assert_eq!(notified.text("reference"), "order 7");
    assert_eq!(notified.texts("txids").len(), 1);
    let status = test_env.shop.status(&payment.id);
    assert_eq!(notified.text("completedAt"), status.text("completedAt"));
    let shown =
        test_env.gateway.cli_json(&["merchant", "view-webhook-secret", &test_env.shop.merchant_id]);
    verify(&hit, &shown.text("webhookSecret"));
}

#[test]
fn a_failure_is_retried_with_the_same_id_and_body() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(1);
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &payment);
    let hits = receiver.await_hits(2, RETRIED);
    assert_eq!(hits[0].body, hits[1].body);
    assert_eq!(hits[0].header("webhook-id"), hits[1].header("webhook-id"));
    test_env
        .gateway
        .holds_for_passes(Passes::Webhooks, "a success ends it", || receiver.hits().len() == 2);
}

/// 1. Let a receiver fail always.
/// 2. Advance the clock past each retry: ten attempts.
/// 3. The event is failed and listed by `webhook list --failed`; no attempt follows.
#[test]
#[ignore = "long"]
fn a_dead_receiver_is_retried_for_days_and_marked_failed() {
    let Some(test_env) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(100);
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &payment);
    // Longer than any pause of the schedule, so that each jump makes one attempt due. Its time
    // depends on the record of the previous attempt.
    let jump = Duration::from_secs(27 * 3_600);
    let mut passed = Duration::ZERO;
    for tries in 1..=10 {
        receiver.await_hits(tries, SOON);
        let recorded = format!("\"number\":{tries},");
        wait_until("the record of the try", SOON, || {
            let events = test_env.gateway.cli_list(&["webhook", "list"]);
            events.into_iter().find(|event| event.whole().contains(&recorded))
        });
        passed += jump;
        test_env.gateway.let_pass(passed);
    }
    let failed = wait_until("the event as failed", SOON, || {
        test_env.gateway.cli_list(&["webhook", "list", "--failed"]).into_iter().next()
    });
    assert!(failed.whole().contains(&payment.id));
    test_env.gateway.holds_for_passes(Passes::Webhooks, "given up", || receiver.hits().len() == 10);
}

#[test]
fn a_redirect_is_not_followed_and_counts_as_a_failure() {
    let Some(test_env) = TestEnv::shared() else { return };
    let (receiver, elsewhere) = (Receiver::start(), Receiver::start());
    receiver.reply_next([Reply::Redirect(elsewhere.url("/")), Reply::HangUp]);
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &payment);
    receiver.await_hits(2, RETRIED);
    assert!(elsewhere.hits().is_empty(), "followed a redirect");
}

#[test]
fn an_undelivered_event_is_delivered_after_a_crash() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    receiver.reply_next([Reply::HangUp]);
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &payment);
    let first = receiver.await_hit_for(&payment.id, SOON);
    test_env.gateway.kill();
    test_env.gateway.start();
    let hits = receiver.await_hits(2, RETRIED);
    assert_eq!(hits[1].body, first.body);
    assert_eq!(hits[1].header("webhook-id"), first.header("webhook-id"));
}

/// 1. Let five events of one shop go to a receiver that answers after 10 seconds.
/// 2. Another shop's event reaches its receiver within 3 seconds.
#[test]
fn a_slow_receiver_delays_no_other_receiver() {
    let Some(test_env) = TestEnv::shared() else { return };
    let (slow, quick) = (Receiver::start(), Receiver::start());
    slow.reply_next(std::iter::repeat_n(Reply::Slow(Duration::from_secs(10)), 10));
    let neighbour = Shop::open(&test_env.gateway, &test_env.node, "Neighbour");
    let slow_ones: Vec<Created> =
        (0..5).map(|_| test_env.shop.create_with_webhook("0.05", &slow.url("/hook"))).collect();
    let theirs = neighbour.create_with_webhook("0.05", &quick.url("/hook"));
    for payment in slow_ones.iter().chain([&theirs]) {
        test_env.node.send(&payment.address, "0.05");
    }
    test_env.node.mine(2);
    test_env.shop.await_status(&theirs.id, "completed", SOON);
    quick.await_hit_for(&theirs.id, Duration::from_secs(3));
}

/// 1. Occupy the host's delivery slots of one shop with slow responses.
/// 2. Another shop's event reaches the same host within 3 seconds.
#[test]
fn a_slow_shop_delays_no_other_shop_on_the_same_host() {
    let Some(test_env) = TestEnv::shared() else { return };
    let shared = Receiver::start();
    shared.reply_next(std::iter::repeat_n(Reply::Slow(Duration::from_secs(10)), 3));
    let neighbour = Shop::open(&test_env.gateway, &test_env.node, "Neighbour");
    let slow_ones: Vec<Created> =
        (0..6).map(|_| test_env.shop.create_with_webhook("0.05", &shared.url("/slow"))).collect();
    let theirs = neighbour.create_with_webhook("0.05", &shared.url("/quick"));
    for payment in &slow_ones {
        test_env.node.send(&payment.address, "0.05");
    }
    test_env.node.mine(2);
    shared.await_hits(3, SOON);
    test_env.node.send(&theirs.address, "0.05");
    test_env.node.mine(2);
    test_env.shop.await_status(&theirs.id, "completed", SOON);
    shared.await_hit_for(&theirs.id, Duration::from_secs(3));
}

#[test]
fn a_payment_without_a_webhook_url_creates_no_event() {
    let Some(test_env) = TestEnv::shared() else { return };
    let payment = test_env.shop.create("0.05");
    pay(&test_env, &payment);
    assert!(outbox(&test_env).iter().all(|event| !event.whole().contains(&payment.id)));
}

/// 1. Refuse private networks in the configuration.
/// 2. Each spelling of a private or special address is refused as `webhookUrl`.
#[test]
fn targets_on_private_networks_are_refused() {
    let test_env =
        TestEnv::shared_with(|gateway| gateway.set("webhooks.allow_private_networks", false));
    let Some(TestEnv { gateway: _gateway, shop, .. }) = test_env else { return };
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

/// 1. Deliver an event and find it with `webhook list`.
/// 2. Run `webhook resend`: it arrives again with the same id and body.
#[test]
fn webhook_events_can_be_listed_and_sent_again() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &payment);
    let first = receiver.await_hit_for(&payment.id, SOON);
    let event = wait_until("the event as delivered", SOON, || {
        let events = outbox(&test_env);
        let event = events.into_iter().find(|event| event.whole().contains(&payment.id))?;
        event.whole().contains("delivered").then_some(event)
    });
    test_env.gateway.cli_ok(&["webhook", "resend", &event.text("eventId")]);
    let hits = receiver.await_hits(2, SOON);
    let ids: BTreeSet<&str> = hits.iter().map(|hit| hit.header("webhook-id")).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(hits[1].body, first.body);
    assert!(test_env.gateway.cli_list(&["webhook", "list", "--failed"]).is_empty());
}

/// The events of the outbox.
fn outbox(test_env: &TestEnv) -> Vec<Fields> {
    test_env.gateway.cli_list(&["webhook", "list"])
}
