//! Underpayments, the merchant's decisions about a payment, events on request and metadata.

use std::sync::Arc;

use serde_json::json;

use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::receiver::{Hit, Receiver};
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// `POST /api/payments/:id/accept` or `/cancel` with this key.
fn settle(gateway: &Gateway, key: &str, id: &str, operation: &str) -> Answer {
    let path = format!("/api/payments/{id}/{operation}");
    gateway.request("POST", &path, &[("x-api-key", key)], "")
}

#[track_caller]
fn settled(gateway: &Gateway, shop: &Shop, id: &str, operation: &str) -> Fields {
    let answer = settle(gateway, &shop.api_key, id, operation);
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    Fields::of(&answer.body)
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(Fields::of(&answer.body).object("error").text("code"), code);
}

/// A payment that asks for all events, with further JSON fields.
fn create_watched(shop: &Shop, receiver: &Receiver, more: &str) -> Created {
    let url = receiver.url("/hook");
    let events = r#"["seen", "partly_paid", "expired", "late", "replaced"]"#;
    shop.create_with(&format!(
        r#"{{"amountLtc": 0.05, "webhookUrl": "{url}", "events": {events}{more}}}"#
    ))
}

/// Waits for this number of webhooks of a payment, and returns them by sequence.
#[track_caller]
fn await_events(receiver: &Receiver, id: &str, count: usize) -> Vec<Hit> {
    let mut hits = wait_until(&format!("{count} events"), SOON, || {
        let hits = receiver.hits().into_iter().filter(|hit| hit.fields().text("paymentId") == id);
        let hits: Vec<Hit> = hits.collect();
        (hits.len() >= count).then_some(hits)
    });
    hits.sort_by_key(|hit| hit.fields().raw("sequence").parse::<u32>().unwrap());
    assert_eq!(hits.len(), count, "no more than expected");
    hits
}

fn kinds(hits: &[Hit]) -> Vec<String> {
    hits.iter().map(|hit| hit.fields().text("event")).collect()
}

/// 1. Create a payment with a tolerance of 1 %, and one without.
/// 2. Pay 0.0495 of 0.05 to each: nothing is due on the first, and the rest on the second.
/// 3. Mine: the first completes with detail `paid_short`, the second stays pending.
/// 4. The webhook names the missing part.
#[test]
fn an_underpayment_within_the_tolerance_completes() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let body = format!(
        r#"{{"amountLtc": 0.05, "tolerancePercent": 1, "webhookUrl": "{}"}}"#,
        receiver.url("/hook")
    );
    let (tolerant, strict) = (shop.create_with(&body), shop.create("0.05"));
    node.send_to_all(&[&tolerant.address, &strict.address], "0.0495");
    let seen = shop.await_field(&tolerant.id, "amountReceivedLtc", "0.0495", SOON);
    assert_eq!((seen.text("detail").as_str(), seen.raw("amountDueLtc")), ("seen", "0"));
    let seen = shop.await_field(&strict.id, "amountReceivedLtc", "0.0495", SOON);
    assert_eq!(seen.text("detail"), "partly_paid");
    assert_eq!(seen.raw("amountDueLtc"), "0.0005");
    node.mine(2);
    let done = shop.await_status(&tolerant.id, "completed", SOON);
    assert_eq!(done.text("detail"), "paid_short");
    assert_eq!(done.raw("amountShortLtc"), "0.0005");
    let hit = receiver.await_hit_for(&tolerant.id, SOON).fields();
    assert_eq!((hit.text("event"), hit.text("status")), ("completed".into(), "completed".into()));
    assert_eq!((hit.raw("amountReceivedLtc"), hit.raw("amountShortLtc")), ("0.0495", "0.0005"));
    let still = shop.await_field(&strict.id, "confirmations", "2", SOON);
    assert_eq!((still.text("status"), still.raw("amountShortLtc")), ("pending".into(), "0"));
}

/// 1. The operator sets the merchant's tolerance and events.
/// 2. The account shows them, and payments that name none use them.
/// 3. A payment that names its own ignores them.
#[test]
fn a_payment_without_terms_uses_the_merchants_settings() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    gateway.cli_ok(&["merchant", "set-tolerance", &shop.merchant_id, "2.5"]);
    gateway.cli_ok(&["merchant", "set-events", &shop.merchant_id, "seen,late"]);
    let account = gateway.request("GET", "/api/account", &[("x-api-key", &shop.api_key)], "");
    let account = Fields::of(&account.body);
    assert_eq!(account.raw("tolerancePercent"), "2.5");
    assert_eq!(account.texts("events"), ["seen", "late"]);
    let usual = shop.create_with_webhook("0.04", &receiver.url("/usual"));
    let own = shop.create_with(&format!(
        r#"{{"amountLtc": 0.04, "tolerancePercent": "0", "events": [], "webhookUrl": "{}"}}"#,
        receiver.url("/own")
    ));
    node.send_to_all(&[&usual.address, &own.address], "0.039");
    node.mine(2);
    shop.await_status(&usual.id, "completed", SOON);
    assert_eq!(kinds(&await_events(&receiver, &usual.id, 2)), ["seen", "completed"]);
    let still = shop.await_field(&own.id, "confirmations", "2", SOON);
    assert_eq!(still.text("status"), "pending");
    assert!(receiver.hits().iter().all(|hit| hit.fields().text("paymentId") != own.id));
}

/// 1. Pay a part: it cannot be accepted before it is confirmed, nor by a key without the scope,
///    another merchant or a wrong id.
/// 2. Mine, and accept: completed with detail `accepted`, and the webhook is sent.
/// 3. Accepting again changes nothing and sends nothing.
/// 4. The audit log names the payment, and the audit is clean.
#[test]
fn a_merchant_accepts_a_partly_paid_payment() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.02");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.02", SOON);
    refused(&settle(&gateway, &shop.api_key, &payment.id, "accept"), 409, "nothing_confirmed");
    node.mine(2);
    shop.await_field(&payment.id, "amountConfirmedLtc", "0.02", SOON);
    let scoped =
        ["merchant", "key", "add", &shop.merchant_id, "--name", "web", "--scope", "create"];
    let scoped = gateway.cli_json(&scoped).text("apiKey");
    refused(&settle(&gateway, &scoped, &payment.id, "accept"), 403, "insufficient_scope");
    let other = Shop::open(&gateway, &node, "Other");
    refused(&settle(&gateway, &other.api_key, &payment.id, "accept"), 404, "not_found");
    refused(&settle(&gateway, &shop.api_key, "no-such-id", "accept"), 404, "not_found");
    let accepted = settled(&gateway, &shop, &payment.id, "accept");
    assert_eq!(accepted.text("status"), "completed");
    assert_eq!(accepted.text("detail"), "accepted");
    assert_eq!(accepted.raw("amountReceivedLtc"), "0.02");
    assert_eq!(accepted.raw("amountShortLtc"), "0.03");
    let hit = receiver.await_hit_for(&payment.id, SOON).fields();
    assert_eq!((hit.text("status"), hit.text("detail")), ("completed".into(), "accepted".into()));
    let again = settled(&gateway, &shop, &payment.id, "accept");
    assert_eq!(again.raw("completedAt"), accepted.raw("completedAt"));
    // A later payment's webhook arrives, so nothing of the first is on its way.
    let next = shop.create_with_webhook("0.01", &receiver.url("/hook"));
    node.send(&next.address, "0.01");
    node.mine(2);
    receiver.await_hit_for(&next.id, SOON);
    assert_eq!(await_events(&receiver, &payment.id, 1).len(), 1);
    let log = gateway.cli_ok(&["audit-log"]);
    let log = log.stdout;
    assert!(log.contains(&format!("{} accepted with 0.02 LTC", payment.id)), "{log}");
    gateway.cli_ok(&["audit"]);
}

/// 1. Let a partly paid payment expire, and accept it by the command.
/// 2. It is completed, and its coin is swept to the merchant.
#[test]
fn the_operator_accepts_an_expired_payment() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.expiry", "2s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.02");
    shop.await_status(&payment.id, "expired", SOON);
    node.mine(2);
    shop.await_field(&payment.id, "amountConfirmedLtc", "0.02", SOON);
    let accepted = gateway.cli_json(&["payment", "accept", &payment.id]);
    assert_eq!(
        (accepted.text("status"), accepted.text("detail")),
        ("completed".into(), "accepted".into())
    );
    let shown = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(shown.raw("amountShortLtc"), "0.03");
    gateway.cli_fails(
        &["payment", "accept", "550e8400-e29b-41d4-a716-446655440000"],
        1,
        &["payment"],
    );
}

/// 1. Cancel an unpaid payment, twice: expired with detail `cancelled`.
/// 2. Pay it in full and confirm: the coin is late, and the payment stays expired.
/// 3. Accept it: completed.
/// 4. A payment with a coin cannot be cancelled.
#[test]
fn a_cancelled_payment_completes_only_if_it_is_accepted() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = create_watched(&shop, &receiver, "");
    let cancelled = settled(&gateway, &shop, &payment.id, "cancel");
    assert_eq!(cancelled.text("status"), "expired");
    assert_eq!(cancelled.text("detail"), "cancelled");
    settled(&gateway, &shop, &payment.id, "cancel");
    node.send(&payment.address, "0.05");
    node.mine(3);
    let late = shop.await_field(&payment.id, "confirmations", "3", SOON);
    assert_eq!((late.text("status"), late.text("detail")), ("expired".into(), "late".into()));
    assert_eq!(late.raw("late"), "true");
    assert_eq!(kinds(&await_events(&receiver, &payment.id, 2)), ["expired", "late"]);
    let accepted = settled(&gateway, &shop, &payment.id, "accept");
    assert_eq!((accepted.text("detail"), accepted.raw("late")), ("accepted".into(), "true"));
    let events = await_events(&receiver, &payment.id, 3);
    assert_eq!(kinds(&events), ["expired", "late", "completed"]);
    let paid = shop.create("0.05");
    node.send(&paid.address, "0.01");
    shop.await_field(&paid.id, "amountReceivedLtc", "0.01", SOON);
    refused(&settle(&gateway, &shop.api_key, &paid.id, "cancel"), 409, "payment_has_coins");
    gateway.cli_fails(&["payment", "cancel", &paid.id], 1, &["has coins"]);
}

/// 1. Pay a payment in two parts, then mine.
/// 2. The events are `partly_paid`, `seen` and `completed`, numbered from 1, each with its
///    transaction; `seen` describes the transaction in the mempool.
#[test]
fn events_on_request_are_numbered_and_name_their_cause() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = create_watched(&shop, &receiver, r#", "metadata": {"cart": "7"}"#);
    let first = node.send(&payment.address, "0.02");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.02", SOON);
    let second = node.send(&payment.address, "0.03");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let hits = await_events(&receiver, &payment.id, 3);
    assert_eq!(kinds(&hits), ["partly_paid", "seen", "completed"]);
    let fields: Vec<Fields> = hits.iter().map(Hit::fields).collect();
    let numbers: Vec<&str> = fields.iter().map(|body| body.raw("sequence")).collect();
    assert_eq!(numbers, ["1", "2", "3"]);
    assert_eq!(fields[0].text("txid"), first);
    assert_eq!(fields[0].raw("amountDueLtc"), "0.03");
    assert_eq!(fields[1].text("txid"), second);
    assert_eq!(fields[1].text("status"), "pending");
    assert!(fields[1].raw("feeRate").parse::<f64>().unwrap() > 0.9, "{}", fields[1].whole());
    assert_eq!(fields[1].raw("mweb"), "false");
    assert!(fields[1].has("signalsReplacement") && fields[1].has("unconfirmedParents"));
    assert!(!fields[0].has("feeRate") && !fields[2].has("feeRate"));
    assert!(fields.iter().all(|body| body.object("metadata").text("cart") == "7"));
    let ids: std::collections::BTreeSet<&str> =
        hits.iter().map(|hit| hit.header("webhook-id")).collect();
    assert_eq!(ids.len(), 3);
}

/// 1. Replace a transaction that pays: `seen`, then `replaced` with its id.
/// 2. Let the payment expire: `expired`.
/// 3. Pay it afterwards: `late`.
#[test]
#[ignore = "long"]
fn withdrawn_expired_and_late_coins_are_reported() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.expiry", "4s"));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    let receiver = Receiver::start();
    let payment = create_watched(&shop, &receiver, "");
    let txid = node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine_exactly(&[&node.double_spend_of(&txid)]);
    shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    shop.await_status(&payment.id, "expired", SOON);
    node.send(&payment.address, "0.05");
    let hits = await_events(&receiver, &payment.id, 4);
    assert_eq!(kinds(&hits), ["seen", "replaced", "expired", "late"]);
    assert_eq!(hits[1].fields().text("txid"), txid);
    assert_eq!(hits[1].fields().text("detail"), "replaced");
}

/// 1. The receiver fails on every `seen`.
/// 2. Pay and mine: `completed` arrives although `seen` was never accepted.
#[test]
fn a_failing_event_holds_back_no_other() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(1);
    let payment = create_watched(&shop, &receiver, "");
    node.send(&payment.address, "0.05");
    let first = await_events(&receiver, &payment.id, 1);
    assert_eq!(kinds(&first), ["seen"], "and it was refused");
    node.mine(2);
    let hits = await_events(&receiver, &payment.id, 2);
    assert_eq!(kinds(&hits), ["seen", "completed"]);
}

/// 1. Create a payment with metadata: the response and the list contain them.
/// 2. The public status, its events and the checkout do not.
/// 3. A repeated request returns the same, one with other metadata is refused.
#[test]
fn metadata_is_returned_to_the_merchant_only() {
    let Some(TestEnv { gateway, shop, .. }) = TestEnv::shared() else { return };
    let body = r#"{"amountLtc": 0.05, "metadata": {"customer": "c-4711", "a": ""}}"#;
    let key = [("idempotency-key", "once")];
    let created = Fields::of(&shop.post(body, &key).body);
    assert_eq!(created.object("metadata").text("customer"), "c-4711");
    let id = created.text("paymentId");
    let list = gateway.request("GET", "/api/payments", &[("x-api-key", &shop.api_key)], "");
    assert!(list.body.contains("c-4711"), "{}", list.body);
    for path in [format!("/api/payments/{id}"), format!("/pay/{id}")] {
        let public = gateway.get(&path);
        assert_eq!(public.status, 200);
        assert!(!public.body.contains("4711") && !public.body.contains("metadata"), "{path}");
    }
    assert_eq!(Fields::of(&shop.post(body, &key).body).text("paymentId"), id);
    let other = shop.post(r#"{"amountLtc": 0.05, "metadata": {"customer": "c-4712"}}"#, &key);
    refused(&other, 422, "idempotency_key_reused");
}

/// 1. Send each invalid term: 400 that names the field.
#[test]
fn invalid_terms_are_refused_by_name() {
    let Some(TestEnv { gateway: _gateway, shop, .. }) = TestEnv::shared() else { return };
    let long = "x".repeat(2_048);
    for (field, value) in [
        ("tolerancePercent", "10.01"),
        ("tolerancePercent", "-1"),
        ("tolerancePercent", "0.001"),
        ("tolerancePercent", "\"1,5\""),
        ("tolerancePercent", "true"),
        ("events", "\"seen\""),
        ("events", "[\"paid\"]"),
        ("events", "[1]"),
        ("metadata", "[]"),
        ("metadata", "{\"a\": 1}"),
        ("metadata", &format!("{{\"a\": \"{long}\"}}")),
    ] {
        let answer = shop.post(&format!("{{\"amountLtc\": 0.05, \"{field}\": {value}}}"), &[]);
        refused(&answer, 400, "invalid_request");
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), field, "{value}");
    }
    for (field, value) in [
        ("tolerancePercent", "null"),
        ("tolerancePercent", "1e0"),
        ("tolerancePercent", "\"1.50\""),
        ("events", "null"),
        ("events", "[\"completed\"]"),
        ("metadata", "null"),
        ("metadata", "{}"),
    ] {
        let answer = shop.post(&format!("{{\"amountLtc\": 0.05, \"{field}\": {value}}}"), &[]);
        assert_eq!(answer.status, 200, "{field}: {value}: {}", answer.body);
    }
}

/// The confirmations of a new payment.
fn required(shop: &Shop, amount: &str) -> String {
    shop.create(amount).fields.raw("confirmationsRequired").to_owned()
}

/// 1. The operator allows 1 confirmation below 0.2 LTC and 3 below 2, and at most 0.3 LTC an
///    hour with fewer than the usual 6.
/// 2. Payments need the confirmations of their tier, until the limit is reached.
/// 3. A merchant may ask for more, and not for less.
#[test]
fn confirmations_follow_the_tiers_within_the_hourly_limit() {
    let tiers = json!([
        {"below": "0.2", "confirmations": 1},
        {"below": "2", "confirmations": 3},
    ]);
    let node: Option<Arc<Node>> = Node::shared();
    let Some(node) = node else { return };
    let TestEnv { gateway, shop, .. } = TestEnv::beside(node.clone(), |gateway| {
        gateway.set("payments.confirmations", 6);
        let tiers: toml::Value = serde_json::from_value(tiers).unwrap();
        gateway.set("payments.confirmation_tiers", tiers);
        gateway.set("payments.low_confirmation_limit", "0.3");
    });
    assert_eq!(required(&shop, "0.1"), "1");
    assert_eq!(required(&shop, "2"), "6");
    assert_eq!(required(&shop, "0.2"), "3");
    assert_eq!(required(&shop, "0.01"), "6", "0.3 LTC are reached");
    let other = Shop::open(&gateway, &node, "Other");
    gateway.cli_ok(&[
        "merchant",
        "set-confirmations",
        &other.merchant_id,
        "2 below 0.1, 4 below 1",
    ]);
    assert_eq!(required(&other, "0.01"), "2");
    assert_eq!(required(&other, "0.1"), "4");
    assert_eq!(required(&other, "1"), "6", "over the limit");
    gateway.cli_fails(
        &["merchant", "set-confirmations", &other.merchant_id, "3 below 1, 1 below 2"],
        2,
        &["rising"],
    );
}
