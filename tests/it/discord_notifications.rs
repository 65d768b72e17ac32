//! Every notification: caused, sent once to the right user, also over restarts and failures.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::discord::{ADA, ADDRESS, BOB, ROOT, beside, grant, offline, secret_in, text};
use crate::harness::database::Database;
use crate::harness::discord::{
    ADMINS_CHANNEL, Discord, MERCHANTS_CHANNEL, Mood, Person, Posted, readable,
};
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::proxy::Relay;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A gateway with the bot and a shop, at a node.
fn shop_at(node: &Node, configure: impl FnOnce(&Gateway)) -> (Discord, Gateway, Shop) {
    let (discord, gateway) = beside(node, configure);
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.join(&root);
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", &node.fresh_address()));
    let key = secret_in(&discord.command(&ada, "view_key", json!([])));
    let shop = Shop::with_key_of(&gateway, &key);
    (discord, gateway, shop)
}

fn said_to(discord: &Discord, person: u64) -> String {
    let all: Vec<String> =
        discord.messages_to(person).iter().map(|posted| readable(&posted.body)).collect();
    all.join("\n")
}

/// Lets more time pass than the minute between two messages.
fn rest(gateway: &Gateway, passed: &mut Duration, time: Duration) {
    *passed += time;
    gateway.let_pass(*passed);
}

/// Waits for a message with these words, letting the minutes between messages pass.
#[track_caller]
fn await_webhook(discord: &Discord, gateway: &Gateway, passed: &mut Duration, words: &[&str]) {
    let has = || {
        discord.messages_to(ADA).iter().any(|posted| {
            let said = readable(&posted.body);
            words.iter().all(|word| said.contains(word))
        })
    };
    let begun = Instant::now();
    while !has() {
        assert!(begun.elapsed() < 2 * SOON, "never told {words:?}: {}", said_to(discord, ADA));
        let looked = Instant::now();
        while looked.elapsed() < Duration::from_secs(4) && !has() {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        if !has() {
            rest(gateway, passed, MINUTE + Duration::from_secs(1));
        }
    }
}

/// Options of `/notification_settings`: 0 message, 1 channel, 2 off.
fn of_kind(kind: &str, how: u32) -> Value {
    json!([
        { "name": "kind", "type": 3, "value": kind },
        { "name": "how", "type": 4, "value": how },
    ])
}

/// 1. Complete a first payment: the merchant is notified of it and of its payout.
/// 2. Further payments are notified only on request.
/// 3. Let one payment expire partly paid, and pay another one late: each is notified.
/// 4. Restart: nothing is repeated, and no other user was notified.
#[test]
#[ignore = "long"]
fn merchants_are_notified_of_payment_problems_and_payouts() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) = shop_at(&node, |gateway| {
        gateway.set("payments.expiry", "2m");
        gateway.set("sweeper.interval", "1s");
    });
    let ada = Person::member(ADA, "ada");
    let mut passed = Duration::ZERO;
    let first = shop.create("0.05");
    node.send(&first.address, "0.05");
    node.mine(2);
    let notified =
        |passed: &mut Duration, words: &[&str]| await_webhook(&discord, &gateway, passed, words);
    notified(&mut passed, &["first payment is complete", &first.id, "/payouts"]);
    notified(&mut passed, &["payout of", "LTC was sent", "/payouts"]);
    let second = shop.create("0.05");
    node.send(&second.address, "0.05");
    node.mine(2);
    shop.await_status(&second.id, "completed", SOON);
    gateway.holds_for_passes(
        Passes::Notifications,
        "a busy shop hears of its first payment alone",
        || !said_to(&discord, ADA).contains(&second.id),
    );
    discord.command(&ada, "notification_settings", of_kind("paid", 0));
    let third = shop.create("0.06");
    node.send(&third.address, "0.06");
    node.mine(2);
    shop.await_status(&third.id, "completed", SOON);
    notified(&mut passed, &[&third.id, "is complete"]);

    let part = shop.create("0.05");
    let late = shop.create("0.05");
    node.send(&part.address, "0.02");
    shop.await_field(&part.id, "amountReceivedLtc", "0.02", SOON);
    rest(&gateway, &mut passed, 3 * MINUTE);
    shop.await_status(&part.id, "expired", SOON);
    shop.await_status(&late.id, "expired", SOON);
    notified(&mut passed, &[&part.id, "0.02 of 0.05 LTC", "/payment"]);
    node.send(&late.address, "0.05");
    shop.await_field(&late.id, "amountReceivedLtc", "0.05", SOON);
    notified(&mut passed, &[&late.id, "after it expired", "completed as late"]);
    node.mine(2);
    shop.await_status(&late.id, "completed", SOON);
    notified(&mut passed, &[&late.id, "paid late and is complete now"]);

    rest(&gateway, &mut passed, 2 * MINUTE);
    // The bot sends what is left.
    gateway
        .holds_for_passes(Passes::Notifications, "the gateway runs", || gateway.ended().is_none());
    let before = discord.posted().len();
    gateway.restart();
    discord.await_bot();
    rest(&gateway, &mut passed, 10 * MINUTE);
    gateway.holds_for_passes(Passes::Notifications, "no repetition", || {
        discord.messages_to(ADA).len() == before
    });
    each_names_what_to_do_next(&discord);
    for posted in discord.posted() {
        assert_eq!(posted.to, Some(ADA), "{posted:?}");
        assert_eq!(posted.body["allowed_mentions"]["users"], Value::Null, "{posted:?}");
    }
}

/// 1. Let a webhook fail 5 times, then finally: the merchant is notified of both with
///    instructions.
/// 2. Repair the receiver: the merchant resends the event.
/// 3. An administrator resends all failed events of the merchant.
#[test]
#[ignore = "long"]
fn failed_webhooks_are_reported_with_instructions() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) = shop_at(&node, |_| ());
    let receiver = Receiver::start();
    receiver.fail_next(1_000);
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let mut passed = Duration::ZERO;
    let mut notified = |words: &[&str]| {
        for _ in 0..60 {
            rest(&gateway, &mut passed, 13 * HOUR);
            let (begun, hits) = (Instant::now(), receiver.hits().len());
            while begun.elapsed() < Duration::from_secs(3) && receiver.hits().len() == hits {
                let said = said_to(&discord, ADA);
                if words.iter().all(|word| said.contains(word)) {
                    return;
                }
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
        panic!("never told {words:?}: {}", said_to(&discord, ADA));
    };
    notified(&["has failed 5 times", "/resend_webhook"]);
    notified(&["failed for good after", "/resend_webhook"]);
    let root = Person::admin(ROOT, "root");
    let listed = discord.command(&root, "webhooks failed", json!([])).text();
    assert!(listed.contains(&payment.id), "{listed}");
    let before = receiver.hits().len();
    receiver.reply_next([]);
    let ada = Person::member(ADA, "ada");
    let again = discord.command(&ada, "resend_webhook", text("payment", &payment.id));
    assert!(again.text().contains("sent again"), "{}", again.text());
    wait_for("the webhook", SOON, || receiver.hits().len() > before);
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    let confirmation = discord.command(&root, "webhooks resend", text("merchant", &id));
    let done = discord.press(&root, &confirmation.body, "Send again");
    assert!(done.text().contains("due again"), "{}", done.text());
}

/// 1. Grant 10 days to one merchant and 2 to another, and let the days pass.
/// 2. Reminders arrive 7, 3 and 1 days before the end, then the end; the second merchant gets
///    one.
/// 3. Switch the kind off: no reminder follows.
#[test]
#[ignore = "long"]
fn subscription_reminders_come_seven_three_and_one_days_before() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.command(&root, "grant_sub", grant(ADA, 10));
    discord.command(&root, "grant_sub", grant(BOB, 2));
    let ends = |person: u64| said_to(&discord, person).matches("subscription ends").count();
    for (days, expected) in [(1, 0), (2, 0), (4, 1), (6, 1), (8, 2), (9, 2)] {
        gateway.let_pass(DAY * days + HOUR);
        let in_time = if days == 9 { 3 } else { expected };
        wait_for(&format!("reminders after {days} days"), SOON, || ends(ADA) >= in_time);
        let more = if days == 9 { 3 } else { expected };
        gateway.holds_for_passes(Passes::Notifications, "no more", || ends(ADA) == more);
    }
    gateway.let_pass(DAY * 10 + HOUR);
    discord.await_message(ADA, &["subscription has ended", "Ask an administrator"]);
    assert_eq!(ends(BOB), 1, "{}", said_to(&discord, BOB));
    discord.command(&root, "grant_sub", grant(ADA, 9));
    discord.command(&ada, "notification_settings", of_kind("subscription", 2));
    let before = discord.messages_to(ADA).len();
    gateway.let_pass(DAY * 18);
    gateway.holds_for_passes(Passes::Notifications, "silence", || {
        discord.messages_to(ADA).len() == before
    });
}

/// 1. Close a merchant's direct messages and cause a notification.
/// 2. The channel announces it without its text, and the next response mentions it.
/// 3. `/notifications` shows it once.
/// 4. An announcement is posted in the channel with escaped markup.
#[test]
fn an_undeliverable_notification_is_kept_and_announced() {
    let (discord, gateway) = offline(|gateway| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gateway.set("discord.notifications_channel_id", id(MERCHANTS_CHANNEL));
    });
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.close_messages(ADA, true);
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    discord.press(&ada, &confirmation.body, "Replace the key");
    let in_channel =
        discord.await_message(MERCHANTS_CHANNEL, &["1 notification waits", "/notifications"]);
    assert_eq!(in_channel.body["allowed_mentions"]["users"], json!([ADA.to_string()]));
    assert!(!readable(&in_channel.body).contains("API key"), "not what it says");
    wait_for("the reminder under an answer", SOON, || {
        discord.command(&ada, "docs", json!([])).text().contains("You have 1 notification")
    });
    let kept = discord.command(&ada, "notifications", json!([])).text();
    assert!(kept.contains("API key was replaced"), "{kept}");
    let after = discord.command(&ada, "docs", json!([])).text();
    assert!(!after.contains("You have"), "it was read: {after}");
    assert!(discord.messages_to(ADA).is_empty());
    let root = Person::admin(ROOT, "root");
    let confirmation = discord.command(&root, "announce", text("text", "**Down** at 5 @everyone"));
    discord.press(&root, &confirmation.body, "Post it");
    let posted = discord.await_message(MERCHANTS_CHANNEL, &["Down", "at 5"]);
    assert_eq!(posted.body["allowed_mentions"]["parse"], json!([]), "{}", posted.body);
    assert!(readable(&posted.body).contains("\\@everyone"));
    drop(gateway);
}

/// 1. Cause 13 notifications at once: one message arrives.
/// 2. After a minute ten more follow in one message, after another minute the rest.
#[test]
#[ignore = "long"]
fn notifications_are_grouped_and_sent_at_most_once_a_minute() {
    let (discord, gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let rotate = || {
        let confirmation = discord.command(&ada, "rotate_key", json!([]));
        discord.press(&ada, &confirmation.body, "Replace the key");
    };
    rotate();
    discord.await_message(ADA, &["API key was replaced"]);
    for _ in 0..12 {
        rotate();
    }
    gateway.holds_for_passes(Passes::Notifications, "rest", || discord.messages_to(ADA).len() == 1);
    let lines = |posted: &Posted| readable(&posted.body).matches("was replaced").count();
    gateway.let_pass(MINUTE + Duration::from_secs(1));
    wait_for("the second message", SOON, || discord.messages_to(ADA).len() == 2);
    assert_eq!(lines(&discord.messages_to(ADA)[1]), 10);
    gateway.let_pass(2 * MINUTE + Duration::from_secs(10));
    wait_for("the third message", SOON, || discord.messages_to(ADA).len() == 3);
    assert_eq!(lines(&discord.messages_to(ADA)[2]), 2);
}

/// 1. Crash before, or after, a notification is sent.
/// 2. Restart: it arrives exactly once.
#[test]
#[ignore = "long"]
fn a_crash_loses_and_repeats_no_notification() {
    let (discord, gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    for point in ["notifications: before sending", "notifications: after sending"] {
        let before = discord.messages_to(ADA).len();
        gateway.term();
        let armed = gateway.folder().join(point.replace([':', ' '], "-"));
        gateway.set_environment("LITEGATE_CRASH_AT", &format!("{point}@{}", armed.display()));
        gateway.start();
        discord.await_bot();
        let confirmation = discord.command(&ada, "rotate_key", json!([]));
        std::fs::write(&armed, "").unwrap();
        discord.send(&ada, "docs", &json!([]));
        discord.press(&ada, &confirmation.body, "Replace the key");
        wait_for("the death of the process", SOON, || gateway.ended().is_some());
        gateway.kill();
        gateway.clear_environment();
        gateway.start();
        wait_for(&format!("the notification, after dying at {point}"), SOON, || {
            discord.messages_to(ADA).len() > before
        });
        gateway.holds_for_passes(Passes::Notifications, "no repetition", || {
            discord.messages_to(ADA).len() == before + 1
        });
        gateway.let_pass(MINUTE * if before == 0 { 2 } else { 4 });
    }
}

/// 1. Stop the node: administrators are notified once.
/// 2. Start it with little disk space: recovery and disk are notified once, and merchants get
///    nothing.
#[test]
#[ignore = "long"]
fn administrators_are_notified_of_node_and_disk_problems() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) = shop_at(&node, |_| ());
    let first = shop.create("0.05");
    node.send(&first.address, "0.05");
    node.mine(2);
    shop.await_status(&first.id, "completed", SOON);
    gateway.term();
    let url = gateway.setting("node.rpc_url");
    gateway.set("node.rpc_url", "http://127.0.0.1:1");
    gateway.start();
    gateway.let_pass(5 * MINUTE);
    let down = discord.await_message(ROOT, &["has not reached the node's tip", "/node"]);
    assert!(readable(&down.body).contains("node"), "{down:?}");
    gateway.holds_for_passes(Passes::Notifications, "sent once", || {
        discord.messages_to(ROOT).len() == 1
    });
    gateway.term();
    gateway.set("node.rpc_url", url);
    gateway.set("discord.low_disk_mb", 1_000_000_000_000i64);
    gateway.start();
    node.mine(1);
    let mut passed = 10 * MINUTE;
    wait_for("word of the node and the disk", SOON, || {
        rest(&gateway, &mut passed, Duration::from_secs(1));
        let said = said_to(&discord, ROOT);
        said.contains("the node's tip again") && said.contains("MB left")
    });
    gateway.holds_for_passes(Passes::Notifications, "sent once", || {
        said_to(&discord, ROOT).matches("MB left").count() == 1
    });
    assert!(!said_to(&discord, ADA).contains("node's tip"), "not the merchants' affair");
}

/// 1. Let a sweep stay unconfirmed for hours: administrators and merchant are notified.
/// 2. Replace the payment's blocks: administrators are notified.
/// 3. Let an audit find it twice: they are notified once.
#[test]
#[ignore = "long"]
fn reorged_payments_and_stuck_sweeps_notify_administrators() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) = shop_at(&node, |gateway| gateway.set("sweeper.interval", "1s"));
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !gateway.log_lines(&["sweep"]).is_empty());
    gateway.let_pass(3 * HOUR);
    discord.await_message(ROOT, &["Sweep", "more than two hours"]);
    discord.await_message(ADA, &["payout of", "more than two hours"]);
    node.reorg_to_empty(2);
    gateway.let_pass(3 * HOUR + 2 * MINUTE);
    discord.await_message(ROOT, &[&payment.id, "removed its coins", "litegate audit"]);
    for _ in 0..2 {
        assert_eq!(gateway.cli(&["audit"]).code, 1);
    }
    gateway.let_pass(3 * HOUR + 4 * MINUTE);
    discord.await_message(ROOT, &["The audit found", "litegate audit"]);
    gateway.holds_for_passes(Passes::Notifications, "sent once", || {
        said_to(&discord, ROOT).matches("The audit found").count() == 1
    });
    each_names_what_to_do_next(&discord);
}

/// 1. Audit every second and damage a sum: administrators are notified once, and the log names
///    it.
/// 2. Rescan: administrators are notified that the audit is clean; merchants get nothing.
/// 3. Stop the node: no audit runs and none is reported.
#[test]
#[ignore = "long"]
fn a_scheduled_audit_reports_differences_to_administrators() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) = shop_at(&node, |gateway| gateway.set("audit.interval", "1s"));
    gateway.await_log(&["info", "the audit is clean"]);
    shop.create("0.05");
    Database::of(&gateway).damage("UPDATE merchant_payments SET pending = pending + 1");
    discord.await_message(ROOT, &["The audit found 1 difference", "litegate audit"]);
    let said = gateway.await_log(&["error", "the audit found a difference"]);
    assert!(said.contains("the stored sums of merchant"), "{said}");
    let clean = gateway.log_lines(&["the audit is clean"]).len();
    gateway.cli_ok(&["rescan", "--from-height", &node.height().to_string()]);
    gateway.let_pass(2 * MINUTE); // Between two messages.
    discord.await_message(ROOT, &["The audit is clean again"]);
    assert!(gateway.log_lines(&["the audit is clean"]).len() > clean);
    assert_eq!(said_to(&discord, ROOT).matches("The audit found").count(), 1);
    assert!(discord.messages_to(ADA).is_empty(), "not the merchants' affair");
    node.stop();
    let audits =
        || ["the audit is clean", "the audit found"].map(|line| gateway.log_lines(&[line]).len());
    gateway.await_log(&["warn", "watcher pass failed"]);
    // However many audits ran before: none runs now.
    let before = audits();
    gateway
        .holds_for_passes(Passes::Notifications, "no audit without a node", || audits() == before);
}

/// 1. Let a payout exceed `max_fee_percent`, replace blocks by empty ones, and silence ZMQ.
/// 2. Administrators are notified of each once, with the next step.
#[test]
#[ignore = "long"]
fn fee_limits_chain_guard_and_zmq_silence_are_reported() {
    let Some(node) = Node::start() else { return };
    let relay = Relay::before(node.zmq_url().rsplit_once(':').unwrap().1.parse().unwrap());
    let (discord, gateway, shop) = shop_at(&node, |gateway| {
        gateway.set("sweeper.interval", "1s");
        gateway.set("sweeper.min_payout", "0.001");
        gateway.set("sweeper.max_fee_percent", 1);
        gateway.set("chain_guard.mode", "on");
        for topic in ["node.zmq_rawtx", "node.zmq_hashblock"] {
            gateway.set(topic, format!("tcp://127.0.0.1:{}", relay.port()));
        }
    });
    let mut passed = Duration::ZERO;
    let mut notified = |words: &[&str]| {
        wait_for(&format!("{words:?}"), 3 * SOON, || {
            rest(&gateway, &mut passed, Duration::from_millis(200));
            let said = said_to(&discord, ROOT);
            words.iter().all(|word| said.contains(word))
        });
    };
    let payment = shop.create("0.001");
    node.send(&payment.address, "0.001");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    notified(&["Coins are not paid out", "`sweeper.max_fee_percent`", "`/sweep_now`"]);

    node.mine(3);
    node.reorg_to_empty(3);
    notified(&["The chain guard is active", "invalid", "`litegate chain-guard`"]);

    relay.set_hole(true);
    notified(&["ZMQ is silent", "`litegate doctor`"]);
    relay.set_hole(false);
    notified(&["ZMQ messages arrive again"]);
    for once in ["Coins are not paid out", "The chain guard is active", "ZMQ is silent"] {
        assert_eq!(said_to(&discord, ROOT).matches(once).count(), 1, "{once}");
    }
    each_names_what_to_do_next(&discord);
}

/// 1. Wait at the limit of `max_hot_balance`: no notification.
/// 2. Exceed it: administrators are notified, and again after seven hours.
/// 3. Remove the signing key: no further notification.
#[test]
#[ignore = "long"]
fn excess_hot_balance_is_reported_to_administrators() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway, shop) =
        shop_at(&node, |gateway| gateway.set("sweeper.max_hot_balance", "0.04"));
    let small = shop.create("0.04");
    node.send(&small.address, "0.04");
    node.mine(2);
    shop.await_status(&small.id, "completed", SOON);
    gateway.holds_for_passes(Passes::Notifications, "so much may wait", || {
        discord.messages_to(ROOT).is_empty()
    });
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let notified = ["0.09 LTC wait", "0.04 LTC", "`sweeper.max_hot_balance`", "`/sweep_now`"];
    discord.await_message(ROOT, &notified);
    let times = || said_to(&discord, ROOT).matches("`sweeper.max_hot_balance`").count();
    gateway.holds_for_passes(Passes::Notifications, "sent once", || times() == 1);
    gateway.let_pass(7 * HOUR);
    wait_for("the second word of it", SOON, || times() == 2);
    // With the key elsewhere the same money is not hot.
    gateway.term();
    gateway.unset("wallet.signing_key_file");
    gateway.start();
    discord.await_bot();
    gateway.let_pass(14 * HOUR);
    gateway.holds_for_passes(Passes::Notifications, "a gateway that only watches", || times() == 2);
    assert!(!said_to(&discord, ADA).contains("max_hot_balance"), "not the merchants' affair");
    each_names_what_to_do_next(&discord);
}

/// 1. One merchant chooses the channel for a kind, another switches it off.
/// 2. The channel announces the first one's notification, at most once a minute.
/// 3. Without a channel the choice is refused.
#[test]
#[ignore = "long"]
fn merchants_can_opt_in_to_channel_notifications() {
    let (discord, gateway) = offline(|gateway| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gateway.set("discord.notifications_channel_id", id(MERCHANTS_CHANNEL));
    });
    let (ada, bob) = (Person::member(ADA, "ada"), Person::member(BOB, "bob"));
    for person in [&ada, &bob] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let listed = discord.command(&ada, "notification_settings", of_kind("key_rotated", 1)).text();
    assert!(listed.contains("✔ (in the channel) `key_rotated`"), "{listed}");
    discord.command(&bob, "notification_settings", of_kind("key_rotated", 2));
    let rotate = |person: &Person| {
        let confirmation = discord.command(person, "rotate_key", json!([]));
        discord.press(person, &confirmation.body, "Replace the key");
    };
    let calls = || {
        let all = discord.posted().into_iter().filter(|posted| posted.channel == MERCHANTS_CHANNEL);
        all.map(|posted| readable(&posted.body)).collect::<Vec<_>>()
    };
    rotate(&bob);
    rotate(&ada);
    wait_for("the call in the channel", SOON, || calls().len() == 1);
    assert!(calls()[0].contains(&format!("<@{ADA}> 1 notification waits")), "{:?}", calls());
    rotate(&ada);
    gateway.holds_for_passes(Passes::Notifications, "rest", || calls().len() == 1);
    let kept = discord.command(&ada, "notifications", json!([])).text();
    assert!(kept.contains("API key was replaced"), "{kept}");
    gateway.let_pass(MINUTE + Duration::from_secs(1));
    wait_for("the second call", SOON, || calls().len() == 2);
    assert!(discord.messages_to(ADA).is_empty() && discord.messages_to(BOB).is_empty());
    gateway.term();
    gateway.unset("discord.notifications_channel_id");
    gateway.start();
    discord.await_bot();
    let refused = discord.command(&ada, "notification_settings", of_kind("key_rotated", 1)).text();
    assert!(refused.contains("notifications_channel_id is not configured"), "{refused}");
}

/// A notification says what to do, or where to find more.
#[track_caller]
fn each_names_what_to_do_next(discord: &Discord) {
    for posted in discord.posted().iter().filter(|posted| posted.to.is_some()) {
        let said = readable(&posted.body);
        for notification in said.split("• ").skip(1) {
            assert!(
                notification.contains("`/") || notification.contains("`litegate "),
                "{notification}"
            );
        }
    }
}

/// 1. Close direct messages, reported by another error code: the notification is kept and
///    mentioned.
/// 2. Let a message fail by a rate limit: it is sent later and not kept.
#[test]
fn closed_direct_messages_and_rate_limits_are_recognised() {
    let (discord, gateway) = offline(|_| ());
    let (ada, bob) = (Person::member(ADA, "ada"), Person::member(BOB, "bob"));
    for person in [&ada, &bob] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let rotate = |person: &Person| {
        let confirmation = discord.command(person, "rotate_key", json!([]));
        discord.press(person, &confirmation.body, "Replace the key");
    };
    discord.close_messages_by(ADA, 50_278);
    rotate(&ada);
    wait_for("the reminder under an answer", SOON, || {
        discord.command(&ada, "docs", json!([])).text().contains("You have 1 notification")
    });
    // A rate limit is not mistaken for closed direct messages.
    discord.fail_next_with("/users/@me/channels", 400, 40_003, 1);
    let tries = || discord.count("POST", "/users/@me/channels");
    let before = tries();
    rotate(&bob);
    wait_for("the first try", SOON, || tries() > before);
    gateway.let_pass(MINUTE);
    discord.await_message(BOB, &["API key was replaced"]);
    let answer = discord.command(&bob, "docs", json!([])).text();
    assert!(!answer.contains("You have"), "nothing is kept: {answer}");
    each_names_what_to_do_next(&discord);
}

/// 1. Without a known administrator, a disk notification goes to the administrators' channel.
/// 2. An administrator who lost the role gets no message.
#[test]
fn admin_messages_go_to_a_channel_if_no_admin_accepts_them() {
    let (discord, gateway) = offline(|gateway| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gateway.set("discord.admin_channel_id", id(ADMINS_CHANNEL));
        gateway.set("discord.low_disk_mb", 1_000_000_000_000i64);
    });
    discord.await_message(ADMINS_CHANNEL, &["MB left"]);
    // A user who lost the role gets no message.
    let root = Person::admin(ROOT, "root");
    discord.command(&root, "stats", json!([]));
    discord.join(&Person::member(ROOT, "root"));
    gateway.let_pass(7 * HOUR);
    wait_for("the second word of the disk", SOON, || {
        let in_channel = discord.posted().into_iter().filter(|p| p.channel == ADMINS_CHANNEL);
        in_channel.map(|p| readable(&p.body).matches("MB left").count()).sum::<usize>() == 2
    });
    assert!(discord.messages_to(ROOT).is_empty());
}

/// 1. Let sending fail by a limit and by an error: the notification is sent at the third
///    attempt.
/// 2. A kind in `notifications_off` is never sent.
#[test]
fn notifications_wait_while_discord_limits_or_fails() {
    let (discord, gateway) = offline(|gateway| {
        gateway.set("discord.notifications_off", toml::Value::Array(vec!["node".into()]));
    });
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    discord.fail_next("/users/@me/channels", 429, 1);
    discord.fail_next("/messages", 500, 1);
    discord.press(&ada, &confirmation.body, "Replace the key");
    wait_for("the first try", SOON, || discord.count("POST", "/users/@me/channels") == 1);
    gateway.let_pass(MINUTE);
    wait_for("the second try", SOON, || discord.count("POST", "/users/@me/channels") == 2);
    gateway.let_pass(2 * MINUTE);
    discord.await_message(ADA, &["API key was replaced"]);
    discord.set_mood(Mood::Well);
    gateway.let_pass(5 * MINUTE);
    let node = |posted: &Posted| readable(&posted.body).contains("node's tip");
    assert!(!discord.posted().iter().any(node), "that kind is off");
}
