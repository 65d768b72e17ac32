//! Receivers that fail, lie, flood and call back, while other receivers get their webhooks.
//!
//! `DELIVERIES=1000 ASKS=1000 WEBHOOK_KILLS=20 cargo test --test it receivers --
//! --include-ignored` does more of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::clock;
use crate::harness::files;
use crate::harness::hostile_receiver::{HostileReceiver, Misbehaviour};
use crate::harness::http;
use crate::harness::json::Fields;
use crate::harness::random::setting;
use crate::harness::receiver::{Hit, Receiver, Reply};
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::tls::{GOOD, Identity, TlsReceiver};
use crate::harness::wait::{SOON, wait_for, wait_until};

/// Number of deliveries that must be on time, and of shops that receive them.
const DELIVERIES: u64 = 120;
const SHOPS: u64 = 12;

/// Deadline of all deliveries, on a machine that runs other tests.
const DELIVERED: Duration = Duration::from_secs(180);

/// How many times longer deliveries may take beside hostile receivers.
const SLOWER_AT_MOST: u64 = 3;

/// Payments per hostile receiver: more than its delivery slots.
const OF_A_HOSTILE_RECEIVER: usize = 6;

/// Largest number of bytes that the gateway reads from one hostile connection, with buffers.
const SENT_MAX: u64 = 32 * 1024 * 1024;

/// Deadline of the first attempts at hostile receivers: several times the longest wait.
const TRIED: Duration = Duration::from_secs(120);

const AMOUNT: &str = "0.001";

/// Pays all payments and completes them in one block.
fn complete(test_env: &TestEnv, payments: &[Created]) {
    let addresses: Vec<&str> = payments.iter().map(|payment| payment.address.as_str()).collect();
    test_env.node.send_to_all(&addresses, AMOUNT);
    test_env.node.mine(2);
}

/// The events of a shop.
fn events_of(test_env: &TestEnv, shop: &Shop) -> Vec<Fields> {
    test_env.gateway.cli_list(&[
        "webhook",
        "list",
        "--merchant",
        &shop.merchant_id,
        "--limit",
        "10000",
    ])
}

/// Milliseconds from the completion to the webhook's arrival.
fn latency_ms(hit: &Hit) -> u64 {
    const DAY_MS: u64 = 86_400_000;
    let arrived = u64::try_from((clock::now() - hit.at.elapsed()).as_millis()).unwrap();
    // 2026-01-02T03:04:05.678Z
    let completed = hit.fields().text("completedAt");
    let part = |from: usize, to: usize| completed[from..to].parse::<u64>().unwrap();
    let minutes = part(11, 13) * 60 + part(14, 16);
    let completed = (minutes * 60 + part(17, 19)) * 1_000 + part(20, 23);
    (arrived % DAY_MS + DAY_MS - completed) % DAY_MS
}

/// Shops whose receivers answer at once.
struct Quick {
    shops: Vec<(Shop, Receiver)>,
}

impl Quick {
    fn open(test_env: &TestEnv) -> Quick {
        let open = |_| (Shop::open(&test_env.gateway, &test_env.node, "Quick"), Receiver::start());
        Quick { shops: (0..SHOPS).map(open).collect() }
    }

    /// Creates this number of payments, evenly for all shops.
    fn create(&self, payments: u64) -> Vec<Created> {
        let of_shop = |(shop, receiver): &(Shop, Receiver)| -> Vec<Created> {
            let create = |_| shop.create_with_webhook(AMOUNT, &receiver.url("/hook"));
            (0..payments.div_ceil(SHOPS)).map(create).collect()
        };
        self.shops.iter().flat_map(of_shop).collect()
    }

    /// The webhooks of these payments, each once.
    fn await_webhook(&self, payments: &[Created]) -> Vec<Hit> {
        let ids: BTreeSet<&str> = payments.iter().map(|payment| payment.id.as_str()).collect();
        let of_these = || {
            let all = self.shops.iter().flat_map(|(_, receiver)| receiver.hits());
            all.filter(|hit| ids.contains(hit.fields().text("paymentId").as_str()))
        };
        let hits = wait_until("the deliveries of honest shops", DELIVERED, || {
            let hits: Vec<Hit> = of_these().collect();
            (hits.len() >= ids.len()).then_some(hits)
        });
        let notified: BTreeSet<String> =
            hits.iter().map(|hit| hit.fields().text("paymentId")).collect();
        assert_eq!((notified.len(), hits.len()), (ids.len(), ids.len()), "each once");
        hits
    }
}

/// The 99th percentile of the latencies.
fn p99_ms(hits: &[Hit]) -> u64 {
    let mut latencies: Vec<u64> = hits.iter().map(latency_ms).collect();
    latencies.sort_unstable();
    latencies[(latencies.len() - 1) * 99 / 100]
}

/// The expected record of attempts at a hostile receiver.
struct Expected {
    outcome: &'static str,
    answer: &'static str,
    state: &'static str,
}

/// One hostile receiver of each kind. The first one hangs.
fn hostile_receivers(elsewhere: &Receiver) -> Vec<(HostileReceiver, Expected)> {
    let redirect = format!("302 Found\r\nlocation: {}", elsewhere.url("/inside"));
    let failed = |outcome, state| Expected { outcome, answer: "", state };
    [
        (Misbehaviour::Hang, failed("the receiver took too long", "due")),
        (Misbehaviour::Reset, failed("the receiver broke off", "due")),
        (Misbehaviour::drip(), failed("the receiver took too long", "due")),
        (Misbehaviour::endless_continues(), failed("the receiver took too long", "due")),
        (Misbehaviour::endless_header(), failed("the receiver broke off", "due")),
        (Misbehaviour::endless_field(), failed("the receiver broke off", "due")),
        (Misbehaviour::answer("500 Oops", ""), failed("HTTP 500", "due")),
        (Misbehaviour::answer(&redirect, ""), failed("HTTP 302", "due")),
        (Misbehaviour::answer("410 Gone", ""), failed("HTTP 410", "due")),
        (
            Misbehaviour::endless_body(),
            Expected { outcome: "HTTP 200", answer: "xxxxxxxxxxxxxxxx", state: "delivered" },
        ),
        (
            Misbehaviour::gzip_bomb(),
            Expected { outcome: "HTTP 200", answer: "\\u{1f}", state: "delivered" },
        ),
        (
            Misbehaviour::answer("200 OK", "\u{1b}[2J\u{202e}\r\nERROR forged"),
            Expected {
                outcome: "HTTP 200",
                answer: "\\u{1b}[2J\\u{202e}\\r\\nERROR forged",
                state: "delivered",
            },
        ),
    ]
    .map(|(misbehaviour, expected)| (HostileReceiver::start(misbehaviour), expected))
    .into()
}

/// 1. Measure deliveries without hostile receivers.
/// 2. Complete payments for hostile receivers of each kind, an untrusted certificate and
///    honest shops at once.
/// 3. The honest deliveries are not delayed.
/// 4. Each hostile attempt is recorded as expected, without control characters and within the
///    limits of slots and bytes.
#[test]
#[ignore = "long"]
fn hostile_receivers_do_not_delay_other_receivers() {
    let Some(test_env) = TestEnv::alone() else { return };
    let deliveries = setting("DELIVERIES", DELIVERIES);
    let quick = Quick::open(&test_env);
    let alone = quick.create(deliveries);
    complete(&test_env, &alone);
    let alone_ms = p99_ms(&quick.await_webhook(&alone));

    let elsewhere = Receiver::start();
    let hostile_receivers = hostile_receivers(&elsewhere);
    let hanging = &hostile_receivers[0].0;
    let untrusted = TlsReceiver::start(&Identity::authority("Nobody").signed_by("localhost", GOOD));
    let mut payments = Vec::new();
    let owners: Vec<Shop> = hostile_receivers
        .iter()
        .map(|(hostile_receiver, _)| {
            let owner = Shop::open(&test_env.gateway, &test_env.node, "Hostile");
            payments.extend(
                (0..OF_A_HOSTILE_RECEIVER)
                    .map(|_| owner.create_with_webhook(AMOUNT, &hostile_receiver.url())),
            );
            owner
        })
        .collect();
    // Two further shops use the hanging receiver: its limit of connections must hold.
    let hammers = [(); 2].map(|()| Shop::open(&test_env.gateway, &test_env.node, "Hammer"));
    payments.extend(hammers.iter().map(|owner| owner.create_with_webhook(AMOUNT, &hanging.url())));
    let of_untrusted = Shop::open(&test_env.gateway, &test_env.node, "Untrusted");
    payments.push(of_untrusted.create_with_webhook(AMOUNT, &untrusted.url()));
    let honest = quick.create(deliveries);
    payments.extend(honest.iter().cloned());
    complete(&test_env, &payments);

    let hits = quick.await_webhook(&honest);
    let last_at = hits.iter().map(|hit| hit.at).max().unwrap();
    // On time means before the hanging receiver frees a delivery slot. If so many deliveries
    // take longer anyway, they may take little longer than alone.
    let before_a_place_was_free = hanging.came_at().get(4).is_none_or(|at| last_at < *at);
    let p99_ms = p99_ms(&hits);
    println!("{} deliveries: p99 {p99_ms} ms, {alone_ms} ms without hostile receivers", hits.len());
    assert!(
        before_a_place_was_free || p99_ms <= SLOWER_AT_MOST * alone_ms,
        "late: {p99_ms} ms, and {alone_ms} ms without hostile receivers"
    );

    for ((hostile_receiver, expected), owner) in hostile_receivers.iter().zip(&owners) {
        check_tries(&test_env, hostile_receiver, expected, owner);
    }
    assert_eq!(hanging.max_open_payments(), 4, "no more at a time, for all merchants together");
    let event = &events_of(&test_env, &of_untrusted)[0];
    assert!(event.objects("attempts")[0].text("outcome").contains("certificate"));
    assert_eq!(untrusted.requests(), 0, "nothing was said to a stranger");
    assert!(elsewhere.hits().is_empty(), "followed a redirect");
    assert!(
        !test_env.gateway.log().contains(['\u{1b}', '\u{202e}']),
        "control characters in the log"
    );
}

/// Waits for the first attempts at a hostile receiver and checks their record.
fn check_tries(
    test_env: &TestEnv,
    hostile_receiver: &HostileReceiver,
    expected: &Expected,
    owner: &Shop,
) {
    let what = expected.outcome;
    let events = wait_until(&format!("tries of a hostile receiver: {what}"), TRIED, || {
        let events = events_of(test_env, owner);
        let tried = |event: &Fields| !event.objects("attempts").is_empty();
        events.iter().all(tried).then_some(events)
    });
    assert_eq!(events.len(), OF_A_HOSTILE_RECEIVER);
    for event in &events {
        assert_eq!(event.text("state"), expected.state, "{}", event.whole());
        for attempt in event.objects("attempts") {
            assert_eq!(attempt.text("outcome"), what, "{}", event.whole());
            let answer = attempt.text("answer");
            assert!(answer.starts_with(expected.answer), "{}", event.whole());
            assert!(answer.chars().count() <= 256);
        }
    }
    assert!(hostile_receiver.came_at().len() >= OF_A_HOSTILE_RECEIVER);
    assert!(
        hostile_receiver.sent_max() < SENT_MAX,
        "{what}: took {} bytes",
        hostile_receiver.sent_max()
    );
}

/// 1. Send a test webhook to a receiver with a valid certificate: delivered.
/// 2. Expired, future, foreign, unknown and self-signed certificates are refused before any
///    request.
/// 3. A receiver without TLS is refused.
#[test]
fn a_certificate_must_match_host_date_and_known_authority() {
    let known = Identity::authority("Known");
    let folder = files::folder();
    let file = folder.path().join("authorities.pem");
    known.write(&file);
    let Some(test_env) = TestEnv::shared_with(|gateway| {
        gateway.set_environment("SSL_CERT_FILE", &file.display().to_string());
    }) else {
        return;
    };
    let try_at = |url: &str| {
        let merchant = &test_env.shop.merchant_id;
        test_env.gateway.cli(&["webhook", "test", "--merchant", merchant, "--url", url])
    };
    let good = TlsReceiver::start(&known.signed_by("localhost", GOOD));
    let tried = try_at(&good.url());
    assert_eq!((tried.code, good.requests()), (0, 1), "{tried:?}");
    for (what, identity) in [
        ("over", known.signed_by("localhost", (-30, -1))),
        ("to come", known.signed_by("localhost", (1, 30))),
        ("of another host", known.signed_by("shop.example", GOOD)),
        ("by nobody known", Identity::authority("Unknown").signed_by("localhost", GOOD)),
        ("by itself", Identity::authority("localhost")),
    ] {
        let receiver = TlsReceiver::start(&identity);
        let tried = try_at(&receiver.url());
        assert_eq!(tried.code, 1, "{what}: {tried:?}");
        assert!(tried.stderr.contains("certificate"), "{what}: {tried:?}");
        assert!(receiver.connections() > 0 && receiver.requests() == 0, "{what}");
    }
    let plain = Receiver::start();
    let tried = try_at(&plain.url("/hook").replace("http://", "https://"));
    assert!(tried.stderr.contains("no secure connection"), "{tried:?}");
}

/// 1. Set all proxy variables and send a test webhook.
/// 2. It reaches the receiver directly: a proxy would bypass the checks of addresses.
#[test]
fn proxy_environment_variables_are_ignored() {
    let proxy = Receiver::start();
    let Some(test_env) = TestEnv::shared_with(|gateway| {
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
            gateway.set_environment(name, &proxy.url(""));
        }
        gateway.set_environment("NO_PROXY", "");
    }) else {
        return;
    };
    let receiver = Receiver::start();
    let arguments = ["webhook", "test", "--merchant", &test_env.shop.merchant_id, "--url"];
    test_env.gateway.cli_ok(&[&arguments[..], &[&receiver.url("/hook")]].concat());
    assert_eq!((receiver.hits().len(), proxy.hits().len()), (1, 0));
}

/// 1. Let four attempts fail and advance the clock past each pause.
/// 2. The fifth succeeds: same id and body, each with a new signature.
#[test]
fn an_event_is_delivered_after_hours_of_failures() {
    let Some(test_env) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    receiver.fail_next(4);
    let payment = test_env.shop.create_with_webhook(AMOUNT, &receiver.url("/hook"));
    complete(&test_env, std::slice::from_ref(&payment));
    // After the pauses of 5 s, 5 min, 30 min and 2 h.
    let mut passed = Duration::ZERO;
    for (tries, pause) in [(1, 6), (2, 331), (3, 1_981), (4, 7_921)] {
        let due = || {
            let events = events_of(&test_env, &test_env.shop);
            events.iter().any(|event| event.objects("attempts").len() == tries)
        };
        wait_for(&format!("the record of try {tries}"), SOON, due);
        passed += Duration::from_secs(pause);
        test_env.gateway.let_pass(passed);
    }
    let hits = receiver.await_hits(5, SOON);
    let distinct = |of: fn(&Hit) -> String| hits.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(|hit| hit.header("webhook-id").to_owned()), 1);
    assert_eq!(distinct(|hit| hit.body.clone()), 1);
    assert_eq!(distinct(|hit| hit.header("webhook-timestamp").to_owned()), 5, "signed anew");
    wait_for("the end", SOON, || {
        events_of(&test_env, &test_env.shop)[0].text("state") == "delivered"
    });
}

/// 1. Let the receiver query the payment's status before it answers.
/// 2. Each query returns `completed`.
#[test]
fn a_status_query_during_delivery_returns_completed() {
    let Some(test_env) = TestEnv::alone() else { return };
    let heard: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let (port, of_work) = (test_env.gateway.port(), Arc::clone(&heard));
    let receiver = Receiver::start_with(move |hit| {
        let id = hit.fields().text("paymentId");
        let answer = http::request(port, "GET", &format!("/api/payments/{id}"), &[], b"").unwrap();
        of_work.lock().unwrap().insert(id, Fields::of(&answer.body).text("status"));
    });
    let url = receiver.url("/hook");
    let asks = usize::try_from(setting("ASKS", 40)).unwrap();
    let payments: Vec<Created> =
        (0..asks).map(|_| test_env.shop.create_with_webhook(AMOUNT, &url)).collect();
    complete(&test_env, &payments);
    receiver.await_hits(asks, TRIED);
    let heard = heard.lock().unwrap();
    assert_eq!(heard.len(), asks);
    for (id, status) in heard.iter() {
        assert_eq!(status, "completed", "{id}");
    }
}

/// 1. Kill the gateway during deliveries, of which few succeed.
/// 2. Advance the clock until everything is delivered.
/// 3. Each payment has one event id and one body.
#[test]
fn a_kill_during_delivery_loses_no_event_and_repeats_the_id() {
    let Some(test_env) = TestEnv::alone() else { return };
    let receiver = Receiver::start_with(|_| std::thread::park_timeout(Duration::from_millis(150)));
    let kills = setting("WEBHOOK_KILLS", 3);
    let mut payments = Vec::new();
    for round in 0..kills {
        let mixed = [Reply::HangUp, Reply::Status(500), Reply::Status(200)];
        receiver.reply_next(mixed.into_iter().cycle().take(6));
        let url = receiver.url("/hook");
        let theirs: Vec<Created> =
            (0..8).map(|_| test_env.shop.create_with_webhook(AMOUNT, &url)).collect();
        let before = receiver.hits().len();
        complete(&test_env, &theirs);
        payments.extend(theirs);
        receiver.await_hits(before + 2 + usize::try_from(round % 3).unwrap(), SOON);
        test_env.gateway.kill();
        test_env.gateway.start();
    }
    let mut passed = Duration::ZERO;
    wait_for("every delivery", TRIED, || {
        passed += Duration::from_secs(3_600);
        test_env.gateway.let_pass(passed);
        let events = events_of(&test_env, &test_env.shop);
        events.len() == payments.len()
            && events.iter().all(|event| event.text("state") == "delivered")
    });
    let mut notified: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for hit in receiver.hits() {
        let id = hit.fields().text("paymentId");
        notified.entry(id).or_default().insert((hit.header("webhook-id").to_owned(), hit.body));
    }
    assert_eq!(notified.len(), payments.len());
    for payment in &payments {
        assert_eq!(
            notified[&payment.id].len(),
            1,
            "one id and one body: {:?}",
            notified[&payment.id]
        );
    }
    let ids: BTreeSet<&String> = notified.values().flatten().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), payments.len(), "no two payments share an id");
}

/// 1. Copy the database before a payment completes, and deliver its webhook.
/// 2. Restore the copy: the webhook is sent again with the same id.
#[test]
fn a_restored_database_repeats_the_event_id() {
    let Some(test_env) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = test_env.shop.create_with_webhook(AMOUNT, &receiver.url("/hook"));
    test_env.gateway.term();
    let database = test_env.gateway.folder().join("litegate.db");
    let before = std::fs::read(&database).unwrap();
    test_env.gateway.start();
    complete(&test_env, std::slice::from_ref(&payment));
    let first = receiver.await_hit_for(&payment.id, SOON);
    test_env.gateway.term();
    std::fs::write(&database, before).unwrap();
    test_env.gateway.start();
    let hits = receiver.await_hits(2, SOON);
    assert_eq!(hits[1].fields().text("paymentId"), payment.id);
    assert_eq!(hits[1].header("webhook-id"), first.header("webhook-id"));
}
