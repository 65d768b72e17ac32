//! Daily limits of a merchant, and removal of old data.

use std::time::{Duration, Instant};

use rusqlite::types::Value;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::random::setting;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn count(gateway: &Gateway, sql: &str) -> i64 {
    match Database::of(gateway).rows(sql).remove(0).remove(0) {
        Value::Integer(count) => count,
        other => panic!("{sql}: {other:?}"),
    }
}

/// A request that holds all texts that a shop may send, each as long as it may be.
fn longest(n: u64, webhook_url: &str) -> String {
    let url = |start: &str| format!("{start}{}", "x".repeat(2_048 - start.len()));
    let reference = format!("{n:08}{}", "\u{1f642}".repeat(120));
    format!(
        r#"{{"amountLtc": 0.05, "expiresIn": 60, "displayAmount": "{}", "reference": "{reference}",
            "webhookUrl": "{}", "redirectUrl": "{}"}}"#,
        "\u{1f642}".repeat(24),
        url(&format!("{webhook_url}?")),
        url("https://shop.example/?"),
    )
}

fn keyed(gateway: &Gateway, shop: &Shop, path: &str) -> Answer {
    let answer = gateway.request("GET", path, &[("x-api-key", &shop.api_key)], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer
}

/// 1. Create three payments with all texts: one unpaid, one partly paid, one completed.
/// 2. After 89 days all texts remain; after 91 days only the unpaid payment's are removed.
/// 3. It still answers `expired`; a coin that arrives now is late and swept.
#[test]
#[ignore = "long"]
fn texts_of_unpaid_payments_are_removed_and_payments_kept() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let [unpaid, partly, paid] = [1, 2, 3].map(|n| shop.create_with(&longest(n, &url)));
    node.send(&partly.address, "0.01");
    node.send(&paid.address, "0.05");
    node.mine(2);
    shop.await_status(&paid.id, "completed", SOON);
    shop.await_field(&partly.id, "amountReceivedLtc", "0.01", SOON);
    let removed = |n: usize| {
        let sql = "SELECT count(*) FROM payments
                   WHERE coalesce(reference, webhook_url, redirect_url, display_amount) IS NULL";
        usize::try_from(count(&gateway, sql)).unwrap() == n
    };
    gateway.let_pass(89 * DAY);
    shop.await_status(&unpaid.id, "expired", SOON);
    shop.await_status(&partly.id, "expired", SOON);
    gateway.restart(); // A start looks at once.
    gateway.await_log(&["ready"]);
    assert!(removed(0), "too early");
    gateway.let_pass(91 * DAY);
    wait_for("the end of the texts", SOON, || removed(1));
    let left = shop.status(&unpaid.id);
    assert_eq!(left.text("status"), "expired");
    assert_eq!(left.text("receivingAddress"), unpaid.address);
    assert_eq!(left.text("createdAt"), unpaid.fields.text("createdAt"));
    for name in ["reference", "displayAmount", "redirectUrl"] {
        assert_eq!(left.raw(name), "null", "{name}");
    }
    assert_eq!(gateway.get(&format!("/pay/{}", unpaid.id)).status, 200);
    for other in [&partly, &paid] {
        assert_ne!(shop.status(&other.id).raw("reference"), "null", "with a coin the texts stay");
    }
    node.send(&unpaid.address, "0.05");
    // Seen by our clock: the node's, and so the time of its blocks, has not moved.
    shop.await_field(&unpaid.id, "detail", "\"late\"", SOON);
    node.mine(2);
    shop.await_field(&unpaid.id, "amountConfirmedLtc", "0.05", SOON);
    assert_eq!(shop.status(&unpaid.id).text("status"), "expired");
    gateway.cli_ok(&["sweep"]);
    let payouts = gateway.cli_ok(&["payment", "show", &unpaid.id, "--json"]).stdout;
    assert!(payouts.contains("\"txid\""), "{payouts}");
    gateway.cli_ok(&["audit"]);
}

/// 1. Create a payment with an idempotency key, deliver its webhook, and send a notification.
/// 2. After 29 days the key returns the same payment; after 31 days a new one.
/// 3. After 91 days attempt and notification are removed; the number of attempts remains.
#[test]
#[ignore = "long"]
fn idempotency_keys_attempts_and_notifications_expire() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.cli_ok(&["merchant", "grant", &shop.merchant_id, "300"]);
    let receiver = Receiver::start();
    let body = format!(r#"{{"amountLtc": 0.05, "webhookUrl": "{}"}}"#, receiver.url("/hook"));
    let post = || {
        let answer = shop.post(&body, &[("idempotency-key", "order-7")]);
        assert_eq!(answer.status, 200, "{}", answer.body);
        Fields::of(&answer.body)
    };
    let first = post();
    node.send(&first.text("receivingAddress"), "0.05");
    node.mine(2);
    receiver.await_hit_for(&first.text("paymentId"), SOON);
    Database::of(&gateway).write(
        "INSERT INTO notifications (key, kind, merchant_id, text, created_at, state, done_at)
         SELECT 'a', 'paid', id, 'old', 1, 'sent', 1 FROM merchants;
         INSERT INTO notifications (key, kind, merchant_id, text, created_at, state, done_at)
         VALUES ('b', 'node', NULL, 'of administrators', 1, 'sent', 1);
         INSERT INTO notifications (key, kind, merchant_id, text, created_at, next_at)
         SELECT 'c', 'paid', id, 'waits', 1, 1 FROM merchants",
    );
    gateway.let_pass(29 * DAY);
    wait_for("the end of the notification", SOON, || {
        count(&gateway, "SELECT count(*) FROM notifications WHERE key = 'a'") == 0
    });
    assert_eq!(count(&gateway, "SELECT count(*) FROM notifications WHERE key IN ('b', 'c')"), 2);
    assert_eq!(post().text("paymentId"), first.text("paymentId"));
    gateway.let_pass(31 * DAY);
    wait_for("the end of the key", SOON, || {
        count(&gateway, "SELECT count(*) FROM idempotency_keys") == 0
    });
    assert_ne!(post().text("paymentId"), first.text("paymentId"));
    assert_eq!(count(&gateway, "SELECT count(*) FROM attempts"), 1);
    gateway.let_pass(91 * DAY);
    wait_for("the end of the attempt", SOON, || {
        count(&gateway, "SELECT count(*) FROM attempts") == 0
    });
    let page = Fields::of(&keyed(&gateway, &shop, "/api/webhooks").body);
    let event = page.objects("data").remove(0);
    assert_eq!((event.raw("attemptCount"), event.raw("attempts")), ("1", "[]"));
}

/// 1. Create payments up to the daily limit: the next gets 429 until the day ends.
/// 2. A repeated idempotency key and another merchant are not affected.
/// 3. The next day payments are created again.
#[test]
fn a_merchant_has_a_daily_limit_of_payments() {
    let Some(TestEnv { gateway, shop, node }) =
        TestEnv::shared_with(|gateway| gateway.set("payments.max_daily_payments", 3))
    else {
        return;
    };
    let body = r#"{"amountLtc": 0.05}"#;
    let known = shop.post(body, &[("idempotency-key", "known")]);
    shop.create("0.05");
    shop.create("0.05");
    let refused = shop.post(body, &[]);
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "rate_limited");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&wait), "until the day ends: {wait}");
    assert_eq!(shop.post(body, &[("idempotency-key", "known")]).body, known.body);
    Shop::open(&gateway, &node, "Neighbour").create("0.05");
    gateway.let_pass(Duration::from_secs(wait + 1));
    shop.create("0.05");
}

/// The sizes of all tables with their indexes, in bytes.
fn sizes(gateway: &Gateway) -> Vec<(String, i64)> {
    let sql = "SELECT tbl_name, sum(pgsize) FROM dbstat
               JOIN (SELECT name, tbl_name FROM sqlite_schema) USING (name)
               WHERE aggregate = TRUE GROUP BY tbl_name ORDER BY 2 DESC LIMIT 8";
    let rows = Database::of(gateway).rows(sql).into_iter().map(|row| match &row[..] {
        [Value::Text(name), Value::Integer(bytes)] => (name.clone(), *bytes),
        other => panic!("{other:?}"),
    });
    rows.collect()
}

/// 1. Create as many payments as allowed with the longest texts and keys, and resend events as
///    often as allowed.
/// 2. Each table and each answer stays within its limits.
/// 3. After 91 days texts, keys and attempts are removed, and the rest of a payment is small.
#[test]
#[ignore = "long: thousands of payments"]
fn a_merchant_at_all_limits_uses_bounded_storage() {
    let most = setting("PAYMENTS", 1_000);
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(|gateway| {
        gateway.set("payments.max_daily_payments", i64::try_from(most).unwrap());
        gateway.set("payments.max_open_payments", 1_000_000);
    }) else {
        return;
    };
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let paid = shop.create_with(&longest(0, &url));
    node.send(&paid.address, "0.05");
    node.mine(2);
    receiver.await_hit_for(&paid.id, SOON);
    let start = Instant::now();
    let mut made = 1;
    let refused = (1..=most + 5).filter(|n| {
        // Within an hour, minute by minute.
        gateway.let_pass(Duration::from_secs(n * 3_600 / most));
        let key = format!("{n:08}{}", "k".repeat(247));
        let answer = shop.post(&longest(*n, &url), &[("idempotency-key", &key)]);
        made += u64::from(answer.status == 200);
        answer.status == 429
    });
    assert!(refused.count() >= 5, "the limit holds");
    println!("{made} payments in {:?}", start.elapsed());
    assert!((most..=most * 2).contains(&made), "{made}: a day may end meanwhile");
    let listed = keyed(&gateway, &shop, "/api/webhooks?limit=100");
    let event = Fields::of(&listed.body).objects("data").remove(0).text("eventId");
    let again = format!("/api/webhooks/{event}/resend");
    let codes = (0..20)
        .map(|_| gateway.request("POST", &again, &[("x-api-key", &shop.api_key)], "").status);
    assert_eq!(codes.filter(|code| *code == 200).count(), 10);
    for (path, bytes_max) in [
        ("/api/payments?limit=100".to_owned(), 500_000),
        ("/api/webhooks?limit=100".to_owned(), 100 * 14_000),
        (format!("/api/webhooks/{event}/attempts?limit=100"), 150_000),
        ("/api/payouts?limit=100".to_owned(), 500_000),
        ("/api/account".to_owned(), 20_000),
    ] {
        let bytes = keyed(&gateway, &shop, &path).body.len();
        println!("{path}: {bytes} bytes");
        assert!(bytes <= bytes_max, "{path}: {bytes} bytes");
    }
    let (full, of_each) = (sizes(&gateway), |sizes: &[(String, i64)]| {
        sizes.iter().map(|(_, bytes)| bytes).sum::<i64>() / i64::try_from(made).unwrap()
    });
    println!("at the limit, in bytes: {full:?}, {} for each payment", of_each(&full));
    // The texts are stored twice: the event `expired`, which nobody is sent, has them too.
    assert!(of_each(&full) < 13_000, "{full:?}");

    gateway.let_pass(91 * DAY);
    wait_for("the end of their time", SOON, || {
        count(&gateway, "SELECT count(*) FROM payments WHERE status = 'pending'") == 0
    });
    gateway.let_pass(91 * DAY + Duration::from_secs(2 * 3_600)); // It looks once an hour.
    let with_texts = "SELECT count(*) FROM payments WHERE reference IS NOT NULL";
    wait_for("the end of all texts but the paid one's", Duration::from_secs(120), || {
        count(&gateway, with_texts) == 1
    });
    assert_eq!(count(&gateway, "SELECT count(*) FROM idempotency_keys"), 0);
    gateway.let_pass(95 * DAY);
    wait_for("the end of the events that nobody was sent", SOON, || {
        count(&gateway, "SELECT count(*) FROM events WHERE state = 'none'") == 0
    });
    // The space is reused; the file does not shrink.
    let left = sizes(&gateway);
    println!("91 days later: {left:?}, {} for each payment", of_each(&left));
    let texts = "SELECT sum(length(reference) + length(webhook_url) + length(redirect_url))
                 FROM payments";
    assert!(count(&gateway, texts) < 10_000);
    wait_for("the sizes in the metrics", SOON, || {
        gateway.metrics().contains("litegate_table_bytes{table=\"payments\"}")
    });
    let doctor = gateway.doctor().stdout;
    assert!(doctor.contains("largest tables: payments "), "{doctor}");
}
