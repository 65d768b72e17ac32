//! Every notice, made to happen; told once, to the right person, also over restarts and failures.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::discord::{ADA, ADDRESS, BOB, ROOT, beside, grant, offline, secret_in, text};
use crate::harness::database::Database;
use crate::harness::discord::{
    ADMINS_CHANNEL, Discord, MERCHANTS_CHANNEL, Mood, Person, Posted, readable,
};
use crate::harness::gate::Gate;
use crate::harness::node::Node;
use crate::harness::proxy::Relay;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, stays_true, wait_for};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A gateway at a node, with the bot, and ada's shop.
fn shop_at(node: &Node, configure: impl FnOnce(&Gate)) -> (Discord, Gate, Shop) {
    let (discord, gate) = beside(node, configure);
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.join(&root);
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", &node.fresh_address()));
    let key = secret_in(&discord.command(&ada, "view_key", json!([])));
    let shop = Shop::with_key_of(&gate, &key);
    (discord, gate, shop)
}

fn said_to(discord: &Discord, person: u64) -> String {
    let all: Vec<String> =
        discord.messages_to(person).iter().map(|posted| readable(&posted.body)).collect();
    all.join("\n")
}

/// Lets so much more time pass than the notices' minute of rest.
fn rest(gate: &Gate, passed: &mut Duration, time: Duration) {
    *passed += time;
    gate.let_pass(*passed);
}

/// Waits for a message with these words, and lets the minutes pass that lie between two messages.
#[track_caller]
fn await_told(discord: &Discord, gate: &Gate, passed: &mut Duration, words: &[&str]) {
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
            rest(gate, passed, MINUTE + Duration::from_secs(1));
        }
    }
}

/// Options of `/notifications`: 0 by message, 1 in the channel, 2 not at all.
fn of_kind(kind: &str, how: u32) -> Value {
    json!([
        { "name": "kind", "type": 3, "value": kind },
        { "name": "how", "type": 4, "value": how },
    ])
}

#[test]
#[ignore = "long"]
fn payments_late_part_paid_and_payouts_are_told_to_their_merchant() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |gate| {
        gate.set("payments.expiry", "2m");
        gate.set("sweeper.interval", "1s");
    });
    let ada = Person::member(ADA, "ada");
    let mut passed = Duration::ZERO;
    let first = shop.create("0.05");
    node.send(&first.address, "0.05");
    node.mine(2);
    let told = |passed: &mut Duration, words: &[&str]| await_told(&discord, &gate, passed, words);
    told(&mut passed, &["first payment is complete", &first.id, "/payouts"]);
    told(&mut passed, &["payout of", "is on its way", "/payouts"]);
    // Each further one is told to those who ask for it.
    let second = shop.create("0.05");
    node.send(&second.address, "0.05");
    node.mine(2);
    shop.await_status(&second.id, "completed", SOON);
    stays_true("a busy shop hears of its first payment alone", Duration::from_secs(3), || {
        !said_to(&discord, ADA).contains(&second.id)
    });
    discord.command(&ada, "notifications", of_kind("paid", 0));
    let third = shop.create("0.06");
    node.send(&third.address, "0.06");
    node.mine(2);
    shop.await_status(&third.id, "completed", SOON);
    told(&mut passed, &[&third.id, "is complete"]);

    let part = shop.create("0.05");
    let late = shop.create("0.05");
    node.send(&part.address, "0.02");
    shop.await_field(&part.id, "amountReceivedLtc", "0.02", SOON);
    rest(&gate, &mut passed, 3 * MINUTE);
    shop.await_status(&part.id, "expired", SOON);
    shop.await_status(&late.id, "expired", SOON);
    told(&mut passed, &[&part.id, "0.02 of 0.05 LTC", "/payment"]);
    node.send(&late.address, "0.05");
    shop.await_field(&late.id, "amountReceivedLtc", "0.05", SOON);
    told(&mut passed, &[&late.id, "after its time was up", "completed as late"]);
    node.mine(2);
    shop.await_status(&late.id, "completed", SOON);
    told(&mut passed, &[&late.id, "paid late and is complete now"]);

    // A restart tells nothing again, and nobody else was told anything.
    rest(&gate, &mut passed, 2 * MINUTE);
    stays_true("time for what is left", Duration::from_secs(4), || true);
    let before = discord.posted().len();
    gate.restart();
    discord.await_bot();
    rest(&gate, &mut passed, 10 * MINUTE);
    stays_true("no repetition", Duration::from_secs(5), || {
        discord.messages_to(ADA).len() == before
    });
    each_names_what_to_do_next(&discord);
    for posted in discord.posted() {
        assert_eq!(posted.to, Some(ADA), "{posted:?}");
        assert_eq!(posted.body["allowed_mentions"]["users"], Value::Null, "{posted:?}");
    }
}

#[test]
#[ignore = "long"]
fn webhooks_that_fail_and_are_given_up_are_told_with_what_to_do() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |_| ());
    let receiver = Receiver::start();
    receiver.fail_next(1_000);
    let payment = shop.create_told("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let mut passed = Duration::ZERO;
    let mut told = |words: &[&str]| {
        for _ in 0..60 {
            rest(&gate, &mut passed, 13 * HOUR);
            // The next attempt may be due only after some more hours.
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
    told(&["has failed 5 times", "/resend_webhook"]);
    told(&["was given up after", "/resend_webhook"]);
    let root = Person::admin(ROOT, "root");
    let listed = discord.command(&root, "webhooks failed", json!([])).text();
    assert!(listed.contains(&payment.id), "{listed}");
    // Mended, sent again by the merchant, delivered.
    let before = receiver.hits().len();
    receiver.reply_next([]);
    let ada = Person::member(ADA, "ada");
    let again = discord.command(&ada, "resend_webhook", text("payment", &payment.id));
    assert!(again.text().contains("sent again"), "{}", again.text());
    wait_for("the webhook", SOON, || receiver.hits().len() > before);
    // And by an administrator, all of a merchant.
    let id = gate.cli_list(&["merchant", "list"])[0].text("merchantId");
    let question = discord.command(&root, "webhooks resend", text("merchant", &id));
    let done = discord.press(&root, &question.body, "Send again");
    assert!(done.text().contains("due again"), "{}", done.text());
}

#[test]
#[ignore = "long"]
fn the_end_of_a_subscription_is_told_seven_three_and_one_days_before() {
    let (discord, gate) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.command(&root, "grant_sub", grant(ADA, 10));
    discord.command(&root, "grant_sub", grant(BOB, 2));
    let ends = |person: u64| said_to(&discord, person).matches("subscription ends").count();
    for (days, expected) in [(1, 0), (2, 0), (4, 1), (6, 1), (8, 2), (9, 2)] {
        gate.let_pass(DAY * days + HOUR);
        let in_time = if days == 9 { 3 } else { expected };
        wait_for(&format!("reminders after {days} days"), SOON, || ends(ADA) >= in_time);
        let more = if days == 9 { 3 } else { expected };
        stays_true("no more", Duration::from_secs(3), || ends(ADA) == more);
    }
    gate.let_pass(DAY * 10 + HOUR);
    discord.await_message(ADA, &["subscription has ended", "Ask an administrator"]);
    // Who got two days is told of the last one alone.
    assert_eq!(ends(BOB), 1, "{}", said_to(&discord, BOB));
    // A turned-off kind is told to nobody.
    discord.command(&root, "grant_sub", grant(ADA, 9));
    discord.command(&ada, "notifications", of_kind("subscription", 2));
    let before = discord.messages_to(ADA).len();
    gate.let_pass(DAY * 18);
    stays_true("silence", Duration::from_secs(5), || discord.messages_to(ADA).len() == before);
}

#[test]
fn what_cannot_be_sent_is_kept_and_a_channel_says_so() {
    let (discord, gate) = offline(|gate| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gate.set("discord.notices_channel_id", id(MERCHANTS_CHANNEL));
    });
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.close_messages(ADA, true);
    let question = discord.command(&ada, "rotate_key", json!([]));
    discord.press(&ada, &question.body, "Replace the key");
    let in_channel = discord.await_message(MERCHANTS_CHANNEL, &["1 notice waits", "/notices"]);
    assert_eq!(in_channel.body["allowed_mentions"]["users"], json!([ADA.to_string()]));
    assert!(!readable(&in_channel.body).contains("API key"), "not what it says");
    wait_for("the reminder under an answer", SOON, || {
        discord.command(&ada, "docs", json!([])).text().contains("You have 1 notice")
    });
    let kept = discord.command(&ada, "notices", json!([])).text();
    assert!(kept.contains("API key was replaced"), "{kept}");
    let after = discord.command(&ada, "docs", json!([])).text();
    assert!(!after.contains("You have"), "it was read: {after}");
    assert!(discord.messages_to(ADA).is_empty());
    // An announcement goes there too, without its markup.
    let root = Person::admin(ROOT, "root");
    let question = discord.command(&root, "announce", text("text", "**Down** at 5 @everyone"));
    discord.press(&root, &question.body, "Post it");
    let posted = discord.await_message(MERCHANTS_CHANNEL, &["Down", "at 5"]);
    assert_eq!(posted.body["allowed_mentions"]["parse"], json!([]), "{}", posted.body);
    assert!(readable(&posted.body).contains("\\@everyone"));
    drop(gate);
}

#[test]
#[ignore = "long"]
fn notices_are_grouped_and_come_once_a_minute_at_most() {
    let (discord, gate) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let rotate = || {
        let question = discord.command(&ada, "rotate_key", json!([]));
        discord.press(&ada, &question.body, "Replace the key");
    };
    rotate();
    discord.await_message(ADA, &["API key was replaced"]);
    for _ in 0..12 {
        rotate();
    }
    stays_true("rest", Duration::from_secs(5), || discord.messages_to(ADA).len() == 1);
    let lines = |posted: &Posted| readable(&posted.body).matches("was replaced").count();
    gate.let_pass(MINUTE + Duration::from_secs(1));
    wait_for("the second message", SOON, || discord.messages_to(ADA).len() == 2);
    assert_eq!(lines(&discord.messages_to(ADA)[1]), 10);
    gate.let_pass(2 * MINUTE + Duration::from_secs(10));
    wait_for("the third message", SOON, || discord.messages_to(ADA).len() == 3);
    assert_eq!(lines(&discord.messages_to(ADA)[2]), 2);
}

#[test]
#[ignore = "long"]
fn a_process_that_dies_while_telling_tells_all_and_nothing_twice() {
    let (discord, gate) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    for point in ["notices: before sending", "notices: after sending"] {
        let before = discord.messages_to(ADA).len();
        gate.term();
        let armed = gate.folder().join(point.replace([':', ' '], "-"));
        gate.set_environment("LITEGATE_CRASH_AT", &format!("{point}@{}", armed.display()));
        gate.start();
        discord.await_bot();
        let question = discord.command(&ada, "rotate_key", json!([]));
        std::fs::write(&armed, "").unwrap();
        discord.send(&ada, "docs", &json!([]));
        discord.press(&ada, &question.body, "Replace the key");
        wait_for("the death of the process", SOON, || gate.ended().is_some());
        gate.kill();
        gate.clear_environment();
        gate.start();
        wait_for(&format!("the notice, after dying at {point}"), SOON, || {
            discord.messages_to(ADA).len() > before
        });
        stays_true("no repetition", Duration::from_secs(4), || {
            discord.messages_to(ADA).len() == before + 1
        });
        gate.let_pass(MINUTE * if before == 0 { 2 } else { 4 });
    }
}

#[test]
#[ignore = "long"]
fn administrators_are_told_of_the_node_and_of_the_disk() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |_| ());
    let first = shop.create("0.05");
    node.send(&first.address, "0.05");
    node.mine(2);
    shop.await_status(&first.id, "completed", SOON);
    // The node goes away.
    gate.term();
    let url = gate.setting("node.rpc_url");
    gate.set("node.rpc_url", "http://127.0.0.1:1");
    gate.start();
    gate.let_pass(5 * MINUTE);
    let down = discord.await_message(ROOT, &["have not stood at the node's tip", "/node"]);
    assert!(readable(&down.body).contains("node"), "{down:?}");
    stays_true("told once", Duration::from_secs(4), || discord.messages_to(ROOT).len() == 1);
    gate.term();
    gate.set("node.rpc_url", url);
    gate.set("discord.low_disk_mb", 1_000_000_000_000i64);
    gate.start();
    node.mine(1);
    let mut passed = 10 * MINUTE;
    wait_for("word of the node and the disk", SOON, || {
        // They come in one message or in two, and there is a minute's rest between two.
        rest(&gate, &mut passed, Duration::from_secs(1));
        let said = said_to(&discord, ROOT);
        said.contains("at the node's tip again") && said.contains("MB left")
    });
    stays_true("told once", Duration::from_secs(4), || {
        said_to(&discord, ROOT).matches("MB left").count() == 1
    });
    assert!(!said_to(&discord, ADA).contains("node's tip"), "not the merchants' affair");
}

#[test]
#[ignore = "long"]
fn a_completed_payment_that_is_reorganised_away_and_a_stuck_sweep_are_told_to_administrators() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |gate| gate.set("sweeper.interval", "1s"));
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || !gate.log_lines(&["sweep"]).is_empty());
    gate.let_pass(3 * HOUR);
    discord.await_message(ROOT, &["Sweep", "more than two hours"]);
    discord.await_message(ADA, &["payout of", "more than two hours"]);
    node.reorg_to_empty(2);
    gate.let_pass(3 * HOUR + 2 * MINUTE);
    discord.await_message(ROOT, &[&payment.id, "does not hold its coins", "litegate audit"]);
    // An audit that finds it leaves word for the administrators, once.
    for _ in 0..2 {
        assert_eq!(gate.cli(&["audit"]).code, 1);
    }
    gate.let_pass(3 * HOUR + 4 * MINUTE);
    discord.await_message(ROOT, &["The audit found", "litegate audit"]);
    stays_true("told once", Duration::from_secs(3), || {
        said_to(&discord, ROOT).matches("The audit found").count() == 1
    });
    each_names_what_to_do_next(&discord);
}

/// Nobody asks for the audit here: the gateway makes it by itself.
#[test]
#[ignore = "long"]
fn what_an_audit_finds_is_told_to_administrators_without_being_asked_for() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |gate| gate.set("audit.interval", "1s"));
    gate.await_log(&["info", "the audit is clean"]);
    shop.create("0.05");
    Database::of(&gate).damage("UPDATE merchant_payments SET pending = pending + 1");
    discord.await_message(ROOT, &["The audit found 1 difference", "litegate audit"]);
    let said = gate.await_log(&["error", "the audit found a difference"]);
    assert!(said.contains("the sums kept of merchant"), "{said}");
    let clean = gate.log_lines(&["the audit is clean"]).len();
    gate.cli_ok(&["rescan", "--from-height", &node.height().to_string()]);
    gate.let_pass(2 * MINUTE); // Between two messages.
    discord.await_message(ROOT, &["The audit is clean again"]);
    assert!(gate.log_lines(&["the audit is clean"]).len() > clean);
    assert_eq!(said_to(&discord, ROOT).matches("The audit found").count(), 1);
    assert!(discord.messages_to(ADA).is_empty(), "not the merchants' affair");
    // The node is away: that is no difference, and no audit.
    node.stop();
    let looks = |gate: &Gate| gate.log_lines(&["the audit is clean"]).len();
    gate.await_log(&["warn", "the watcher waits"]);
    let before = looks(&gate);
    stays_true("no audit, and no word of one", Duration::from_secs(4), || {
        looks(&gate) == before && gate.log_lines(&["the audit found"]).len() == 1
    });
}

#[test]
#[ignore = "long"]
fn a_fee_over_the_limit_a_doubt_and_a_silent_publisher_are_told_to_administrators() {
    let Some(node) = Node::start() else { return };
    let relay = Relay::before(node.zmq_url().rsplit_once(':').unwrap().1.parse().unwrap());
    let (discord, gate, shop) = shop_at(&node, |gate| {
        gate.set("sweeper.interval", "1s");
        gate.set("sweeper.min_payout", "0.001");
        gate.set("sweeper.max_fee_percent", 1);
        gate.set("doubt.watch", "on");
        for topic in ["node.zmq_rawtx", "node.zmq_hashblock"] {
            gate.set(topic, format!("tcp://127.0.0.1:{}", relay.port()));
        }
    });
    let mut passed = Duration::ZERO;
    let mut told = |words: &[&str]| {
        wait_for(&format!("{words:?}"), 3 * SOON, || {
            // There is a minute's rest between two messages.
            rest(&gate, &mut passed, Duration::from_millis(200));
            let said = said_to(&discord, ROOT);
            words.iter().all(|word| said.contains(word))
        });
    };
    let payment = shop.create("0.001");
    node.send(&payment.address, "0.001");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    told(&["Coins are not paid out", "`sweeper.max_fee_percent`", "`/sweep_now`"]);

    node.mine(3);
    node.reorg_to_empty(3);
    told(&["The chain is doubted", "invalid", "`litegate doubt`"]);

    relay.set_hole(true);
    told(&["ZMQ says nothing", "`litegate doctor`"]);
    relay.set_hole(false);
    told(&["Payments are noticed as configured again"]);
    for once in ["Coins are not paid out", "The chain is doubted", "ZMQ says nothing"] {
        assert_eq!(said_to(&discord, ROOT).matches(once).count(), 1, "{once}");
    }
    each_names_what_to_do_next(&discord);
}

#[test]
#[ignore = "long"]
fn too_much_that_waits_under_a_key_here_is_told_to_administrators() {
    let Some(node) = Node::start() else { return };
    let (discord, gate, shop) = shop_at(&node, |gate| gate.set("sweeper.max_hot", "0.04"));
    let small = shop.create("0.04");
    node.send(&small.address, "0.04");
    node.mine(2);
    shop.await_status(&small.id, "completed", SOON);
    stays_true("so much may wait", Duration::from_secs(4), || discord.messages_to(ROOT).is_empty());
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let told = ["0.09 LTC wait", "0.04 LTC", "`sweeper.max_hot`", "`/sweep_now`"];
    discord.await_message(ROOT, &told);
    let times = || said_to(&discord, ROOT).matches("`sweeper.max_hot`").count();
    stays_true("told once", Duration::from_secs(4), || times() == 1);
    gate.let_pass(7 * HOUR);
    wait_for("the second word of it", SOON, || times() == 2);
    // The key lies elsewhere: the same money is no longer hot.
    gate.term();
    gate.unset("wallet.signing_key_file");
    gate.start();
    discord.await_bot();
    gate.let_pass(14 * HOUR);
    stays_true("a gateway that only watches", Duration::from_secs(4), || times() == 2);
    assert!(!said_to(&discord, ADA).contains("max_hot"), "not the merchants' affair");
    each_names_what_to_do_next(&discord);
}

#[test]
#[ignore = "long"]
fn who_wants_it_so_is_told_in_the_channel_that_something_waits() {
    let (discord, gate) = offline(|gate| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gate.set("discord.notices_channel_id", id(MERCHANTS_CHANNEL));
    });
    let (ada, bob) = (Person::member(ADA, "ada"), Person::member(BOB, "bob"));
    for person in [&ada, &bob] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let listed = discord.command(&ada, "notifications", of_kind("key_rotated", 1)).text();
    assert!(listed.contains("✔ (in the channel) `key_rotated`"), "{listed}");
    discord.command(&bob, "notifications", of_kind("key_rotated", 2));
    let rotate = |person: &Person| {
        let question = discord.command(person, "rotate_key", json!([]));
        discord.press(person, &question.body, "Replace the key");
    };
    let calls = || {
        let all = discord.posted().into_iter().filter(|posted| posted.channel == MERCHANTS_CHANNEL);
        all.map(|posted| readable(&posted.body)).collect::<Vec<_>>()
    };
    rotate(&bob);
    rotate(&ada);
    wait_for("the call in the channel", SOON, || calls().len() == 1);
    assert!(calls()[0].contains(&format!("<@{ADA}> 1 notice waits")), "{:?}", calls());
    // The channel is called into once a minute at most, too.
    rotate(&ada);
    stays_true("rest", Duration::from_secs(4), || calls().len() == 1);
    let kept = discord.command(&ada, "notices", json!([])).text();
    assert!(kept.contains("API key was replaced"), "{kept}");
    gate.let_pass(MINUTE + Duration::from_secs(1));
    wait_for("the second call", SOON, || calls().len() == 2);
    assert!(discord.messages_to(ADA).is_empty() && discord.messages_to(BOB).is_empty());
    // Where there is no channel it cannot be chosen.
    gate.term();
    gate.unset("discord.notices_channel_id");
    gate.start();
    discord.await_bot();
    let refused = discord.command(&ada, "notifications", of_kind("key_rotated", 1)).text();
    assert!(refused.contains("no channel for notices"), "{refused}");
}

/// A notice says what can be done about it, or where more is to be seen.
#[track_caller]
fn each_names_what_to_do_next(discord: &Discord) {
    for posted in discord.posted().iter().filter(|posted| posted.to.is_some()) {
        let said = readable(&posted.body);
        for notice in said.split("• ").skip(1) {
            assert!(notice.contains("`/") || notice.contains("`litegate "), "{notice}");
        }
    }
}

#[test]
fn closed_messages_are_known_by_each_of_their_codes_and_too_fast_is_waited_for() {
    let (discord, gate) = offline(|_| ());
    let (ada, bob) = (Person::member(ADA, "ada"), Person::member(BOB, "bob"));
    for person in [&ada, &bob] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let rotate = |person: &Person| {
        let question = discord.command(person, "rotate_key", json!([]));
        discord.press(person, &question.body, "Replace the key");
    };
    discord.close_messages_by(ADA, 50_278);
    rotate(&ada);
    wait_for("the reminder under an answer", SOON, || {
        discord.command(&ada, "docs", json!([])).text().contains("You have 1 notice")
    });
    // Who opens messages too fast is no person who takes none.
    discord.fail_next_with("/users/@me/channels", 400, 40_003, 1);
    let tries = || discord.count("POST", "/users/@me/channels");
    let before = tries();
    rotate(&bob);
    wait_for("the first try", SOON, || tries() > before);
    gate.let_pass(MINUTE);
    discord.await_message(BOB, &["API key was replaced"]);
    let answer = discord.command(&bob, "docs", json!([])).text();
    assert!(!answer.contains("You have"), "nothing is kept: {answer}");
    each_names_what_to_do_next(&discord);
}

#[test]
fn when_no_administrator_takes_messages_their_channel_gets_them() {
    let (discord, gate) = offline(|gate| {
        let id = |id: u64| toml::Value::Integer(i64::try_from(id).unwrap());
        gate.set("discord.admin_channel_id", id(ADMINS_CHANNEL));
        gate.set("discord.low_disk_mb", 1_000_000_000_000i64);
    });
    discord.await_message(ADMINS_CHANNEL, &["MB left"]);
    // Somebody who has lost the role is not written to.
    let root = Person::admin(ROOT, "root");
    discord.command(&root, "stats", json!([]));
    discord.join(&Person::member(ROOT, "root"));
    gate.let_pass(7 * HOUR);
    wait_for("the second word of the disk", SOON, || {
        let in_channel = discord.posted().into_iter().filter(|p| p.channel == ADMINS_CHANNEL);
        in_channel.map(|p| readable(&p.body).matches("MB left").count()).sum::<usize>() == 2
    });
    assert!(discord.messages_to(ROOT).is_empty());
}

#[test]
fn notices_wait_while_discord_limits_or_fails() {
    let (discord, gate) = offline(|gate| {
        gate.set("discord.notices_off", toml::Value::Array(vec!["node".into()]));
    });
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let question = discord.command(&ada, "rotate_key", json!([]));
    discord.fail_next("/users/@me/channels", 429, 1);
    discord.fail_next("/messages", 500, 1);
    discord.press(&ada, &question.body, "Replace the key");
    wait_for("the first try", SOON, || discord.count("POST", "/users/@me/channels") == 1);
    gate.let_pass(MINUTE);
    wait_for("the second try", SOON, || discord.count("POST", "/users/@me/channels") == 2);
    gate.let_pass(2 * MINUTE);
    discord.await_message(ADA, &["API key was replaced"]);
    discord.set_mood(Mood::Well);
    gate.let_pass(5 * MINUTE);
    let node = |posted: &Posted| readable(&posted.body).contains("node's tip");
    assert!(!discord.posted().iter().any(node), "that kind is off");
}
