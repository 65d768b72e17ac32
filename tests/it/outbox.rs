//! The outbox for merchants and operators: list, resend, test a receiver, rotate the secret.

use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::passes::Passes;
use crate::harness::receiver::{Receiver, Reply};
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// Pays and completes payments.
fn pay(test_env: &TestEnv, payments: &[&Created]) {
    for payment in payments {
        test_env.node.send(&payment.address, "0.05");
    }
    test_env.node.mine(2);
    for payment in payments {
        test_env.shop.await_status(&payment.id, "completed", SOON);
    }
}

/// Sends a request with the shop's API key.
fn keyed(test_env: &TestEnv, shop: &Shop, method: &str, path: &str) -> Answer {
    test_env.gateway.request(method, path, &[("x-api-key", &shop.api_key)], "")
}

/// One page of the shop's events.
#[track_caller]
fn page(test_env: &TestEnv, shop: &Shop, query: &str) -> Fields {
    let answer = keyed(test_env, shop, "GET", &format!("/api/webhooks{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    Fields::of(&answer.body)
}

/// Attempts before an event is failed.
const ATTEMPTS: usize = 10;

/// More than the longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(27 * 3_600);

/// Waits until a payment's event has this many attempts.
#[track_caller]
fn await_recorded(test_env: &TestEnv, payment: &Created, attempts: usize) {
    wait_until(&format!("{attempts} attempts of {}", payment.id), SOON, || {
        let events = page(test_env, &test_env.shop, "?limit=100").objects("data");
        let event = events.into_iter().find(|event| event.text("paymentId") == payment.id)?;
        (event.objects("attempts").len() == attempts).then_some(())
    });
}

/// Waits until a payment's event has this state.
#[track_caller]
fn await_state(test_env: &TestEnv, payment: &Created, state: &str) -> Fields {
    wait_until(&format!("{state} of {}", payment.id), SOON, || {
        let events = page(test_env, &test_env.shop, "?limit=100").objects("data");
        events
            .into_iter()
            .find(|event| event.text("paymentId") == payment.id && event.text("state") == state)
    })
}

/// 1. Let a receiver answer 410 until the event fails: ten attempts are listed, and the URL's
///    query is hidden.
/// 2. Another merchant, an unknown event and an invalid key are refused.
/// 3. Resend the event: it arrives with the same id and body, and is `delivered`.
#[test]
fn a_merchant_sees_failed_attempts_and_requests_a_resend() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    receiver.reply_next([const { Reply::Status(410) }; ATTEMPTS]);
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook?token=hush"));
    pay(&test_env, &[&payment]);
    for attempt in 1..ATTEMPTS {
        receiver.await_hits(attempt, SOON);
        await_recorded(&test_env, &payment, attempt);
        test_env.gateway.let_pass(PAUSE_MAX * u32::try_from(attempt).unwrap());
    }
    let failed = await_state(&test_env, &payment, "failed");
    assert!(failed.text("url").ends_with("/hook?…"), "{}", failed.whole());
    let tries = failed.objects("attempts");
    assert_eq!(tries.len(), ATTEMPTS, "410 is retried like any other status");
    assert_eq!((tries[0].raw("httpStatus"), tries[0].text("answer")), ("410", "heard".to_owned()));
    assert!(tries[0].raw("durationMs").parse::<u32>().unwrap() < 20_000);
    let id = failed.text("eventId");
    assert_eq!(page(&test_env, &test_env.shop, "?status=failed").objects("data").len(), 1);
    test_env.gateway.await_log(&["webhook failed for good", &id]);

    let stranger = Shop::open(&test_env.gateway, &test_env.node, "Stranger");
    assert!(page(&test_env, &stranger, "").objects("data").is_empty());
    let resend = format!("/api/webhooks/{id}/resend");
    for (shop, path) in
        [(&stranger, resend.as_str()), (&test_env.shop, "/api/webhooks/evt_1/resend")]
    {
        let answer = keyed(&test_env, shop, "POST", path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("code"), "not_found");
    }
    assert_eq!(
        keyed(&test_env, &test_env.shop.with_key("lg_regtest_1"), "POST", &resend).status,
        401
    );
    assert_eq!(receiver.hits().len(), ATTEMPTS);

    let answer = keyed(&test_env, &test_env.shop, "POST", &resend);
    assert_eq!((answer.status, Fields::of(&answer.body).text("state")), (200, "due".to_owned()));
    let hits = receiver.await_hits(ATTEMPTS + 1, Duration::from_secs(5));
    assert_eq!(hits[0].header("webhook-id"), hits[ATTEMPTS].header("webhook-id"));
    assert_eq!(hits[0].body, hits[ATTEMPTS].body);
    await_state(&test_env, &payment, "delivered");
    assert!(page(&test_env, &test_env.shop, "?status=failed").objects("data").is_empty());
}

/// 1. Deliver five events and read them in pages of two: each once.
/// 2. Invalid parameters are refused by name.
/// 3. Without a key the list is refused, without CORS headers.
#[test]
fn the_event_list_is_paginated_and_requires_a_key() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    let payments: Vec<Created> =
        (0..5).map(|_| test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"))).collect();
    pay(&test_env, &payments.iter().collect::<Vec<_>>());
    let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
    for length in [2, 2, 1] {
        let page = page(&test_env, &test_env.shop, &query);
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
        let answer = keyed(&test_env, &test_env.shop, "GET", &format!("/api/webhooks{query}"));
        let param = query.trim_start_matches('?').split('=').next().unwrap();
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), param);
    }
    let answer = test_env.gateway.get("/api/webhooks");
    assert_eq!(answer.status, 401);
    assert!(answer.header("access-control-allow-origin").is_none(), "keys stay out of browsers");
}

/// 1. Run `webhook test`: a signed event with `test: true` arrives.
/// 2. Each kind of failure is reported with a hint; nothing is stored.
/// 3. Refused ports and networks are refused before any connection.
#[test]
fn a_receiver_can_be_tested() {
    let Some(test_env) = TestEnv::shared() else { return };
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let merchant = test_env.shop.merchant_id.as_str();
    let arguments = ["webhook", "test", "--merchant", merchant, "--url", &url];
    let tried = test_env.gateway.cli_json(&arguments);
    assert_eq!((tried.raw("delivered"), tried.raw("httpStatus")), ("true", "200"));
    let hit = receiver.hits().remove(0);
    let notified = hit.fields();
    assert_eq!(notified.raw("test"), "true");
    assert_eq!(notified.text("paymentId"), "00000000-0000-0000-0000-000000000000");
    for name in ["status", "amountLtc", "receivingAddress"] {
        assert!(notified.has(name), "{name} is in a real one, too: {}", notified.whole());
    }
    assert_eq!(hit.header("webhook-id"), tried.text("eventId"));
    assert!(hit.header("webhook-signature").starts_with("v1,"));

    let redirect = Reply::Redirect("http://127.0.0.1:1/".to_owned());
    receiver.reply_next([Reply::Status(404), redirect, Reply::HangUp]);
    for words in [["HTTP 404", "POST"], ["HTTP 302", "Redirects"], ["broke off", "https"]] {
        test_env.gateway.cli_fails(&arguments, 1, &words);
    }
    let nowhere = "http://no-such-name.invalid/hook";
    let of_nowhere = ["webhook", "test", "--merchant", merchant, "--url", nowhere];
    test_env.gateway.cli_fails(&of_nowhere, 1, &["no address", "DNS"]);
    assert!(test_env.gateway.cli_list(&["webhook", "list"]).is_empty(), "nothing of it is stored");

    let of_database = [&arguments[..5], &["http://shop.example:5432/hook"]].concat();
    test_env.gateway.cli_fails(&of_database, 2, &["url", "port"]);
    test_env.gateway.set("webhooks.denied_networks", vec!["127.0.0.0/8".to_owned()]);
    test_env.gateway.cli_fails(&arguments, 2, &["url", "private"]);
    test_env.gateway.set("webhooks.allow_private_networks", false);
    test_env.gateway.cli_fails(&arguments, 2, &["url", "private"]);
    let text = test_env.gateway.cli_fails(&of_nowhere, 1, &["no address"]);
    assert!(!text.stderr.contains("127.0.0.1"), "{text:?}");
}

/// 1. Rotate the webhook secret: an event carries two signatures.
/// 2. Let 24 hours pass: the next event carries one.
/// 3. No secret is in the database or in the log.
#[test]
fn a_rotated_secret_is_shown_and_signs() {
    let Some(test_env) = TestEnv::shared() else { return };
    let secret = |command: &str| {
        let arguments = ["merchant", command, test_env.shop.merchant_id.as_str()];
        test_env.gateway.cli_json(&arguments)
    };
    let first = secret("view-webhook-secret");
    assert!(!first.has("previousWebhookSecretEndsAt"));
    let rotated = secret("rotate-webhook-secret");
    assert!(rotated.has("previousWebhookSecretEndsAt"));
    let (first, second) = (first.text("webhookSecret"), rotated.text("webhookSecret"));
    assert_ne!(first, second);
    assert_eq!(secret("view-webhook-secret").text("webhookSecret"), second);

    let receiver = Receiver::start();
    let payment = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &[&payment]);
    let hit = receiver.await_hit_for(&payment.id, SOON);
    assert_eq!(hit.header("webhook-signature").split(' ').count(), 2);
    test_env.gateway.let_pass(Duration::from_secs(24 * 3_600 + 1));
    assert!(!secret("view-webhook-secret").has("previousWebhookSecretEndsAt"));
    let later = test_env.shop.create_with_webhook("0.05", &receiver.url("/hook"));
    pay(&test_env, &[&later]);
    let hit = receiver.await_hit_for(&later.id, SOON);
    assert_eq!(hit.header("webhook-signature").split(' ').count(), 1);

    let database = std::fs::read(test_env.gateway.folder().join("litegate.db")).unwrap();
    let log = test_env.gateway.log();
    for secret in [&first, &second] {
        let found = database.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found && !log.contains(secret.as_str()), "a secret is stored or logged");
    }
    test_env
        .gateway
        .holds_for_passes(Passes::Webhooks, "each is sent once", || receiver.hits().len() == 2);
}

/// 1. Refused ports are rejected when a payment is created.
/// 2. In a network namespace with one public address, that address is refused as the machine's
///    own.
#[test]
#[ignore = "needs a network namespace"]
fn webhooks_to_blocked_ports_and_own_addresses_are_refused() {
    let Some(test_env) = TestEnv::shared() else { return };
    for port in [22, 25, 1023, 3306, 5432, 6379, 11211] {
        let body =
            format!(r#"{{"amountLtc": 0.05, "webhookUrl": "https://shop.example:{port}/"}}"#);
        let answer = test_env.shop.post(&body, &[]);
        assert_eq!(answer.status, 400, "{port}: {}", answer.body);
        assert_eq!(Fields::of(&answer.body).object("error").text("param"), "webhookUrl");
    }
    // A namespace with only this public address, on which a service could listen.
    test_env.gateway.set("webhooks.allow_private_networks", false);
    let shell = "exec unshare -n -- sh -c 'ip link set lo up; ip address add 8.8.8.8/32 dev lo; \
                 shift; exec \"$@\"' sh";
    let arguments = ["webhook", "test", "--merchant", &test_env.shop.merchant_id, "--url"];
    for (url, words) in [
        ("http://8.8.8.8/hook", "private or special address"),
        ("http://[::ffff:8.8.8.8]/hook", "private or special address"),
        ("http://8.8.4.4/hook", "no connection"),
    ] {
        let tried = test_env.gateway.cli_after(shell, &[&arguments[..], &[url]].concat());
        assert!(tried.code == 1 && tried.stdout.contains(words), "{url}: {tried:?}");
    }
}

/// Completes payments and waits until their events are delivered. Answers the event ids.
fn delivered(test_env: &TestEnv, count: usize) -> Vec<String> {
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let payments: Vec<Created> =
        (0..count).map(|_| test_env.shop.create_with_webhook("0.05", &url)).collect();
    pay(test_env, &payments.iter().collect::<Vec<_>>());
    let mut events: Vec<String> = Vec::new();
    for payment in &payments {
        events.push(await_state(test_env, payment, "delivered").text("eventId"));
    }
    events
}

/// 1. Store 1,000 attempts of one event, each with the longest answer.
/// 2. The list shows the newest ten, the total number, and less than 16 kB.
/// 3. The pages of attempts contain each once, newest first.
/// 4. Other merchants and invalid parameters are refused.
#[test]
fn a_thousand_delivery_attempts_are_paginated() {
    let Some(test_env) = TestEnv::shared() else { return };
    let id = delivered(&test_env, 1).remove(0);
    Database::of(&test_env.gateway).write(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
         INSERT INTO attempts SELECT '{id}', n, n, 1, 500, 'HTTP 500', '{}' FROM n;
         UPDATE events SET attempts = 1000 WHERE id = '{id}';",
        "\u{1f642}".repeat(256)
    ));
    let answer = keyed(&test_env, &test_env.shop, "GET", "/api/webhooks?limit=1");
    assert!(answer.body.len() < 16_000, "{} bytes", answer.body.len());
    let event = Fields::of(&answer.body).objects("data").remove(0);
    assert_eq!(event.raw("attemptCount"), "1000");
    let numbers = |attempts: &[Fields]| -> Vec<usize> {
        attempts.iter().map(|attempt| attempt.raw("number").parse().unwrap()).collect()
    };
    assert_eq!(numbers(&event.objects("attempts")), (991..=1_000).collect::<Vec<_>>());

    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/webhooks/{id}/attempts?limit=100{cursor}");
        let answer = keyed(&test_env, &test_env.shop, "GET", &path);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.len() < 150_000, "{} bytes", answer.body.len());
        let page = Fields::of(&answer.body);
        found.extend(numbers(&page.objects("data")));
        if page.raw("nextCursor") == "null" {
            break;
        }
        cursor = format!("&cursor={}", page.text("nextCursor"));
    }
    assert_eq!(found, (1..=1_000).rev().collect::<Vec<_>>());

    let stranger = Shop::open(&test_env.gateway, &test_env.node, "Stranger");
    let path = format!("/api/webhooks/{id}/attempts");
    assert_eq!(keyed(&test_env, &stranger, "GET", &path).status, 404);
    assert_eq!(test_env.gateway.get(&path).status, 401);
    for query in ["limit=101", "limit=0", "cursor=evt_1", "cursor=-1", "cursor=99999999999"] {
        let answer = keyed(&test_env, &test_env.shop, "GET", &format!("{path}?{query}"));
        assert_eq!(answer.status, 400, "{query}: {}", answer.body);
    }
}

/// 1. Resend one event ten times: the eleventh is refused for a day.
/// 2. Resend other events: refused after a hundred in total.
/// 3. The operator may resend; a day later the merchant may again.
#[test]
fn a_merchant_has_a_daily_limit_of_resends() {
    let Some(test_env) = TestEnv::shared() else { return };
    let events = delivered(&test_env, 2);
    let resend =
        |id: &str| keyed(&test_env, &test_env.shop, "POST", &format!("/api/webhooks/{id}/resend"));
    for n in 1..=10 {
        assert_eq!(resend(&events[0]).status, 200, "number {n}");
    }
    let refused = resend(&events[0]);
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");

    let other = "evt_00000000000000000000000000000000 due";
    Database::of(&test_env.gateway).write(&format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 89)
         INSERT INTO audit_log (at, actor, act, merchant_id, after, hash)
         SELECT at, actor, act, merchant_id, '{other}', zeroblob(32) FROM n CROSS JOIN
             (SELECT * FROM audit_log WHERE act = 'resend_webhook' LIMIT 1)"
    ));
    assert_eq!(resend(&events[1]).status, 200, "the hundredth");
    let refused = resend(&events[1]);
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.body.contains("100"), "{}", refused.body);
    test_env.gateway.cli_ok(&["webhook", "resend", &events[0]]);
    let stranger = Shop::open(&test_env.gateway, &test_env.node, "Stranger");
    let path = format!("/api/webhooks/{}/resend", events[0]);
    assert_eq!(keyed(&test_env, &stranger, "POST", &path).status, 404, "as before");

    test_env.gateway.let_pass(Duration::from_secs(24 * 3_600 + 60));
    assert_eq!(resend(&events[0]).status, 200, "a day later");
}
