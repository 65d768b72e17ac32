//! `POST /api/payments`: exact amounts, errors with reasons, one address per payment.

use std::collections::BTreeSet;

use crate::harness::at_once::at_once;
use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// Amounts as sent, as answered, and in litoshis.
const AMOUNTS: [(&str, &str, &str); 9] = [
    ("0.05", "0.05", "5000000"),
    ("0.1", "0.1", "10000000"),
    ("1e-8", "0.00000001", "1"),
    ("20999999.99999999", "20999999.99999999", "2099999999999999"),
    ("5e-05", "0.00005", "5000"),
    ("\"0.05\"", "0.05", "5000000"),
    ("0.30000000000000004", "0.3", "30000000"),
    ("2.50", "2.5", "250000000"),
    ("1", "1", "100000000"),
];

/// Lowers the smallest payment to one litoshi.
fn any_amount(gateway: &Gateway) {
    gateway.set("payments.min_amount", "0.00000001");
}

/// 1. Create payments with every spelling of an amount: the response has all digits.
/// 2. Restart: the status has the same digits, and asks for at least the dust limit.
#[test]
fn amounts_keep_every_digit_from_request_to_database_and_answer() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared_with(any_amount) else {
        return;
    };
    let mut created = Vec::new();
    for (sent, answered, litoshis) in AMOUNTS {
        let payment = shop.create(sent);
        assert_eq!(payment.fields.raw("amountLtc"), answered, "sent {sent}");
        assert_eq!(payment.fields.raw("amountLitoshi"), litoshis, "sent {sent}");
        created.push((payment.id, answered, litoshis));
    }
    gateway.restart();
    for (id, answered, litoshis) in created {
        let fields = shop.status(&id);
        assert_eq!(fields.raw("amountLtc"), answered);
        assert_eq!(fields.raw("amountLitoshi"), litoshis);
        // Nodes do not relay outputs below the dust limit, so at least that is due.
        let due = if answered == "0.00000001" { "0.0000294" } else { answered };
        assert_eq!(fields.raw("amountDueLtc"), due);
        let uri = format!("litecoin:{}?amount={due}", fields.text("receivingAddress"));
        assert_eq!(fields.text("paymentUri"), uri);
    }
}

/// 1. Create payments with the affordable amounts and overpay each.
/// 2. Each webhook has the digits of its amount.
#[test]
fn amounts_keep_every_digit_in_the_webhook() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::shared_with(any_amount) else {
        return;
    };
    let receiver = Receiver::start();
    let mut created = Vec::new();
    for (sent, answered, _) in AMOUNTS.iter().filter(|(_, _, litoshis)| litoshis.len() < 9) {
        let payment = shop.create_with_webhook(sent, &receiver.url("/hook"));
        // Nodes do not relay a litoshi, so pay more.
        node.send(&payment.address, "0.4");
        created.push((payment.id, *answered));
    }
    assert!(created.len() >= 5, "most of the table is cheap enough to be paid");
    node.mine(2);
    for (id, answered) in created {
        let hit = receiver.await_hit_for(&id, SOON);
        assert_eq!(hit.fields().raw("amountLtc"), answered);
        assert_eq!(hit.fields().raw("amountReceivedLtc"), "0.4");
    }
}

/// 1. Each invalid amount gets 400 `invalid_request`, naming `amountLtc`.
#[test]
fn an_invalid_amount_is_refused_with_the_field_name() {
    let Some(TestEnv { gateway: _gateway, shop, node: _node }) = TestEnv::shared() else { return };
    for body in [
        r#"{"amountLtc": "0.123456789"}"#,
        r#"{"amountLtc": 0}"#,
        r#"{"amountLtc": 0.000000001}"#,
        r#"{"amountLtc": -1}"#,
        r#"{"amountLtc": -0}"#,
        r#"{"amountLtc": 1e400}"#,
        r#"{"amountLtc": 1e-400}"#,
        r#"{"amountLtc": true}"#,
        r#"{"amountLtc": NaN}"#,
        r#"{"amountLtc": Infinity}"#,
        r#"{"amountLtc": null}"#,
        r#"{"amountLtc": ""}"#,
        r#"{"amountLtc": " 0.05"}"#,
        r#"{"amountLtc": "0,05"}"#,
        r#"{"amountLtc": "0x10"}"#,
        r#"{"amountLtc": [0.05]}"#,
        r#"{"amountLtc": {"value": 1}}"#,
        r#"{"amountLtc": 84000000.00000001}"#,
        r#"{"amountLtc": 0.00099999}"#,
        r#"{}"#,
    ] {
        let answer = shop.post(body, &[]);
        check_error(&answer, 400, "invalid_request");
        let error = Fields::of(&answer.body).object("error");
        assert!(error.text("message").contains("amountLtc"), "{body}: {}", answer.body);
    }
}

/// 1. Each invalid field gets 400 with its name.
/// 2. Valid, empty and unknown fields are accepted.
/// 3. Reference and redirect URL are in the response.
#[test]
fn other_invalid_fields_are_refused_by_name_or_ignored() {
    let Some(TestEnv { gateway: _gateway, shop, node: _node }) = TestEnv::shared() else { return };
    for (fields, named) in [
        (r#""webhookUrl": "ftp://shop.example/hook""#, "webhookUrl"),
        (r#""webhookUrl": "not a url""#, "webhookUrl"),
        (r#""webhookUrl": "/hook""#, "webhookUrl"),
        (r#""webhookUrl": 5"#, "webhookUrl"),
        (r#""webhookUrl": "https://user:word@shop.example/hook""#, "webhookUrl"),
        (r#""expiresIn": 59"#, "expiresIn"),
        (r#""expiresIn": 86401"#, "expiresIn"),
        (r#""expiresIn": "soon""#, "expiresIn"),
        (r#""redirectUrl": "javascript:alert(1)""#, "redirectUrl"),
        (&format!(r#""reference": "{}""#, "x".repeat(129)), "reference"),
    ] {
        let answer = shop.post(&format!(r#"{{"amountLtc": 0.05, {fields}}}"#), &[]);
        check_error(&answer, 400, "invalid_request");
        assert!(answer.body.contains(named), "{fields}: {}", answer.body);
    }
    for fields in [
        r#""webhookUrl": null"#,
        r#""webhookUrl": """#,
        r#""webhookUrl": "https://name-that-nobody-resolves.example/hook""#,
        r#""customer": {"name": "Ada", "tags": [1, 2.5, null]}, "note": "x""#,
        r#""expiresIn": 60"#,
        r#""expiresIn": 86400"#,
    ] {
        let answer = shop.post(&format!(r#"{{"amountLtc": 0.05, {fields}}}"#), &[]);
        assert_eq!(answer.status, 200, "{fields}: {}", answer.body);
    }
    let full = shop.create_with(
        r#"{"amountLtc": 0.05, "reference": "order 7", "redirectUrl": "https://shop.example/ok"}"#,
    );
    assert_eq!(full.fields.text("reference"), "order 7");
    assert_eq!(full.fields.text("redirectUrl"), "https://shop.example/ok");
}

/// 1. Create a payment: the response has payment URL, address and a UUID.
/// 2. Fetch its status without a key: every field has its initial value, and times are ISO
///    8601 in UTC.
#[test]
fn the_answer_is_complete_and_the_payment_can_be_fetched() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let payment = shop.create("0.05");
    let fields = &payment.fields;
    assert_eq!(fields.text("status"), "pending");
    let url = format!("http://127.0.0.1:{}/pay/{}", gateway.port(), payment.id);
    assert_eq!(fields.text("paymentUrl"), url);
    assert!(payment.address.starts_with("rltc1q"), "{}", payment.address);
    let id: Vec<usize> = payment.id.split('-').map(str::len).collect();
    assert_eq!(id, [8, 4, 4, 4, 12], "a UUID: {}", payment.id);
    let answer = gateway.get(&format!("/api/payments/{}", payment.id));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert!(answer.header("content-type").unwrap().starts_with("application/json"));
    assert!(answer.header("x-request-id").is_some_and(|id| !id.is_empty()));
    let status = Fields::of(&answer.body);
    assert_eq!(status.text("paymentId"), payment.id);
    assert_eq!(status.text("status"), "pending");
    assert_eq!(status.raw("amountLtc"), "0.05");
    assert_eq!(status.text("receivingAddress"), payment.address);
    assert_eq!(status.text("expiresAt"), fields.text("expiresAt"));
    assert_eq!(status.text("businessName"), "Corner Shop");
    assert_eq!(status.raw("livemode"), "false");
    assert_eq!(status.raw("confirmations"), "0");
    assert_eq!(status.raw("confirmationsRequired"), "2");
    assert_eq!(status.raw("amountReceivedLtc"), "0");
    assert_eq!(status.raw("completedAt"), "null");
    assert_eq!(status.raw("late"), "false");
    assert_eq!(status.texts("txids"), Vec::<String>::new());
    for name in ["createdAt", "expiresAt"] {
        let time = status.text(name);
        let shape: String =
            time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{name}: {time}");
    }
}

#[test]
fn requests_are_accepted_as_real_clients_send_them() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let key = shop.api_key.as_str();
    for headers in [
        vec![("Content-Type", "application/json; charset=utf-8"), ("X-API-Key", key)],
        vec![("content-type", "application/json"), ("x-api-key", key), ("accept", "text/xml")],
        vec![("x-api-key", key)],
    ] {
        let answer = gateway.request("POST", "/api/payments", &headers, r#"{"amountLtc":0.05}"#);
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.body);
    }
}

/// 1. Request without key, with an unknown key, and with a key of another network.
/// 2. Request for a merchant without subscription, and without payout address.
/// 3. Send malformed, deep, oversized, wrongly typed and encoded bodies, wrong methods and
///    paths.
/// 4. Each gets its status and code as JSON.
#[test]
fn each_refusal_has_a_status_a_code_and_a_message() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let post = |headers: &[(&str, &str)], body: &str| {
        gateway.request("POST", "/api/payments", headers, body)
    };
    let json = ("content-type", "application/json");
    let good = r#"{"amountLtc": 0.05}"#;
    check_error(&post(&[json], good), 401, "invalid_api_key");
    let (unknown, live) = ("lg_regtest_unknown", shop.api_key.replace("lg_regtest_", "lg_live_"));
    check_error(&post(&[json, ("x-api-key", unknown)], good), 401, "invalid_api_key");
    let other_network = post(&[json, ("x-api-key", &live)], good);
    check_error(&other_network, 401, "invalid_api_key");
    assert!(other_network.body.contains("regtest"), "told so: {}", other_network.body);

    let added = gateway.cli_json(&[
        "merchant",
        "add",
        "--name",
        "No Subscription",
        "--payout-address",
        &node.fresh_address(),
    ]);
    let key = added.text("apiKey");
    check_error(&post(&[json, ("x-api-key", &key)], good), 402, "subscription_inactive");
    let added = gateway.cli_json(&["merchant", "add", "--name", "No Address", "--days", "30"]);
    let key = added.text("apiKey");
    check_error(&post(&[json, ("x-api-key", &key)], good), 409, "payout_address_missing");

    let key = ("x-api-key", shop.api_key.as_str());
    let deep = format!(r#"{{"amountLtc": 0.05, "note": {}}}"#, "[".repeat(60_000));
    for body in ["", "{", "[]", "null", "5", "\"text\"", "{\"amountLtc\": 0.05", &deep] {
        check_error(&post(&[json, key], body), 400, "invalid_request");
    }
    let huge = format!(r#"{{"amountLtc": 0.05, "note": "{}"}}"#, "x".repeat(2_000_000));
    check_json_error(&post(&[json, key], &huge), 413);
    let xml = post(&[("content-type", "text/xml"), key], "<amount/>");
    check_json_error(&xml, 415);
    let packed = post(&[json, key, ("content-encoding", "gzip")], good);
    check_json_error(&packed, 415);
    assert!(packed.body.contains("content-encoding"), "{}", packed.body);
    check_json_error(&gateway.request("DELETE", "/api/payments", &[key], ""), 405);
    check_json_error(&gateway.get("/no/such/page"), 404);
    let unknown = gateway.get("/api/payments/550e8400-e29b-41d4-a716-446655440000");
    check_error(&unknown, 404, "not_found");
    check_error(&gateway.get("/api/payments/not-a-uuid"), 404, "not_found");
}

/// Expects a JSON error with this status and code.
#[track_caller]
fn check_error(answer: &Answer, status: u16, code: &str) {
    check_json_error(answer, status);
    let error = Fields::of(&answer.body).object("error");
    assert_eq!(error.text("code"), code, "{}", answer.body);
}

/// Expects a JSON error with this status, a message, a documentation URL and a request id.
#[track_caller]
fn check_json_error(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert!(answer.header("content-type").unwrap().starts_with("application/json"), "{answer:?}");
    let error = Fields::of(&answer.body).object("error");
    assert!(!error.text("message").is_empty());
    assert!(error.text("docUrl").contains(&error.text("code")), "{}", answer.body);
    assert_eq!(answer.header("x-request-id"), Some(error.text("requestId").as_str()));
}

#[test]
fn concurrent_payments_get_distinct_addresses_of_the_xpub() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let created = at_once(200, || shop.create("0.05"));
    let ids: BTreeSet<&String> = created.iter().map(|payment| &payment.id).collect();
    let given: BTreeSet<String> = created.iter().map(|payment| payment.address.clone()).collect();
    assert_eq!((ids.len(), given.len()), (200, 200));
    let derived = node.derive_addresses(&gateway.setting("wallet.xpub"), 0, 299);
    let derived: BTreeSet<String> = derived.into_iter().collect();
    let foreign: Vec<&String> = given.difference(&derived).collect();
    assert!(foreign.is_empty(), "not derived from the xpub by the node: {foreign:?}");
}

/// 1. Repeat a request with its key: the same payment, also for equivalent JSON.
/// 2. Another body with the key gets 422; another key or another merchant gets another
///    payment.
/// 3. Kill and start the gateway: the key still answers the payment.
/// 4. Send 20 requests with one key at once: one payment.
#[test]
fn the_same_idempotency_key_gives_the_same_payment() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let body = r#"{"amountLtc": 0.05, "reference": "a"}"#;
    let key = [("idempotency-key", "order-7")];
    let first = shop.post(body, &key);
    assert_eq!(first.status, 200, "{}", first.body);
    let id = Fields::of(&first.body).text("paymentId");
    let again = shop.post(body, &key);
    assert_eq!(again.status, 200, "{}", again.body);
    let (first, again) = (Fields::of(&first.body), Fields::of(&again.body));
    for name in ["paymentId", "paymentUrl", "receivingAddress", "amountLtc", "expiresAt"] {
        assert_eq!(first.raw(name), again.raw(name));
    }
    let same_meaning = shop.post(r#"{ "reference":"a", "amountLtc":0.050 }"#, &key);
    assert_eq!(same_meaning.status, 200, "{}", same_meaning.body);
    assert_eq!(Fields::of(&same_meaning.body).text("paymentId"), id);
    let other = shop.post(r#"{"amountLtc": 0.06, "reference": "a"}"#, &key);
    check_json_error(&other, 422);
    let other_key = shop.post(body, &[("idempotency-key", "order-8")]);
    assert_ne!(Fields::of(&other_key.body).text("paymentId"), id);
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let theirs = neighbour.post(body, &key);
    assert_ne!(Fields::of(&theirs.body).text("paymentId"), id, "keys are each merchant's own");

    gateway.kill();
    gateway.start();
    let after = shop.post(body, &key);
    assert_eq!(Fields::of(&after.body).text("paymentId"), id, "kept over a crash");

    let post = || {
        let answer = shop.post(body, &[("idempotency-key", "at-once")]);
        // 409 while the first request is running is allowed, but no second payment.
        (answer.status != 409).then(|| Fields::of(&answer.body).text("paymentId"))
    };
    let ids: BTreeSet<String> = at_once(20, post).into_iter().flatten().collect();
    assert_eq!(ids.len(), 1, "twenty at once are one payment");
}

/// 1. Create payments and kill the gateway, three times.
/// 2. Every payment exists, and no address was issued twice.
#[test]
fn kills_lose_no_answered_payment_and_reuse_no_address() {
    let Some(node) = Node::shared() else { return };
    let TestEnv { gateway, shop, node: _node } = TestEnv::beside(node, |_| ());
    let mut addresses = BTreeSet::new();
    let mut ids = Vec::new();
    for _ in 0..3 {
        for _ in 0..10 {
            let payment = shop.create("0.05");
            assert!(addresses.insert(payment.address), "an address was given twice");
            ids.push(payment.id);
        }
        gateway.kill();
        gateway.start();
    }
    for id in ids {
        assert_eq!(shop.status(&id).text("status"), "pending");
    }
}
