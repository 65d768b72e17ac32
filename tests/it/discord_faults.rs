//! Discord down, slow, limiting or refusing: payments continue, and the bot recovers
//! automatically.

use std::time::Duration;

use serde_json::json;

use crate::discord::{ADA, ADDRESS, ROOT, grant, offline, secret_in, text};
use crate::harness::discord::{Discord, Mood, Person};
use crate::harness::gateway::Gateway;
use crate::harness::passes::Passes;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// A gateway with a merchant that can create payments.
fn with_merchant() -> (Discord, Gateway, Shop) {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let key = secret_in(&discord.command(&ada, "view_key", json!([])));
    let shop = Shop::with_key_of(&gateway, &key);
    (discord, gateway, shop)
}

#[track_caller]
fn payments_go_on(shop: &Shop, when: &str) {
    let answer = shop.post("{\"amountLtc\": 0.05}", &[]);
    assert_eq!(answer.status, 200, "{when}: {}", answer.body);
}

/// 1. Drop the connection and send a command: it is resumed, and the command answered.
/// 2. Lose the session: a new one begins.
/// 3. Refuse the token: the metric shows the bot as disconnected.
#[test]
#[ignore = "long"]
fn a_dropped_connection_is_resumed_and_nothing_is_lost() {
    let (discord, gateway, shop) = with_merchant();
    let ada = Person::member(ADA, "ada");
    assert_eq!(discord.sessions(), (1, 0));
    let connected = |expected: &str| {
        let series = format!("litegate_discord_connected {expected}");
        wait_for(&series, SOON, || gateway.metrics().contains(&series));
    };
    connected("1");
    assert!(gateway.metrics().contains("litegate_discord_acknowledgement_seconds_count 3"));
    discord.drop_socket();
    // Sent while disconnected: the resumed session receives it.
    let token = discord.send(&ada, "docs", &json!([]));
    payments_go_on(&shop, "without a connection");
    let reply = discord.await_reply(&token, "/docs over the gap");
    assert!(reply.text().contains("/docs"));
    assert_eq!(discord.sessions(), (1, 1), "resumed, not begun anew");
    // A session that Discord has lost is replaced by a new one.
    discord.lose_session();
    wait_for("a new session", Duration::from_secs(40), || discord.sessions().0 == 2);
    let reply = discord.command(&ada, "docs", json!([]));
    assert!(reply.text().contains("/docs"));
    wait_for("a heartbeat", SOON, || discord.heartbeats() > 0);
    discord.take_token(false);
    discord.drop_socket();
    connected("0");
}

/// 1. Let responses fail with several statuses: each is repeated, and the operation is done
///    once.
/// 2. Let an acknowledgement fail: the operation is not done.
/// 3. Let Discord fail and limit: payments continue, and the bot reconnects.
#[test]
#[ignore = "long"]
fn the_bot_survives_a_burst_of_errors_and_rate_limits() {
    let (discord, gateway, shop) = with_merchant();
    let ada = Person::member(ADA, "ada");
    for status in [500, 502, 503, 429] {
        discord.fail_next("/webhooks/", status, 2);
        let reply = discord.command(&ada, "set_business_name", text("name", "Once"));
        assert!(reply.text().contains("Once"), "{status}: {}", reply.text());
    }
    let audit_log = discord.command(&Person::admin(ROOT, "root"), "audit_log", json!([])).text();
    assert_eq!(audit_log.matches("set\\_name").count(), 4, "{audit_log}");
    // A command that cannot be acknowledged is not performed.
    discord.fail_next("/callback", 500, 1);
    let refused = discord.command(&ada, "set_business_name", text("name", "Never"));
    assert!(refused.text().contains("Something went wrong"), "{}", refused.text());
    assert!(refused.text().contains("req_"), "{}", refused.text());
    payments_go_on(&shop, "in the storm");
    discord.set_mood(Mood::Status(500));
    gateway.restart();
    payments_go_on(&shop, "while Discord answers 500");
    gateway.await_log(&["no connection to Discord", "500"]);
    discord.set_mood(Mood::Status(429));
    payments_go_on(&shop, "while Discord limits us");
    discord.set_mood(Mood::Well);
    wait_for("the bot's return", Duration::from_secs(60), || discord.sessions().0 == 2);
    let name = discord.command(&ada, "account", json!([])).text();
    assert!(name.contains("Once"), "{name}");
}

#[test]
fn a_slow_discord_slows_nothing_else() {
    let (discord, gateway, shop) = with_merchant();
    discord.set_mood(Mood::Slow(Duration::from_secs(3)));
    discord.send(&Person::member(ADA, "ada"), "docs", &json!([]));
    for _ in 0..5 {
        payments_go_on(&shop, "while Discord is slow");
    }
    gateway.term();
}

/// 1. Start with a refused token: one log line names the key, without the token.
/// 2. Payments continue, and the bot does not retry.
#[test]
fn an_invalid_token_is_logged_once_and_stops_nothing() {
    let discord = Discord::start();
    discord.take_token(false);
    let gateway = Gateway::offline();
    discord.configure(&gateway);
    gateway.start_with(&["--assume-unused-account"]);
    let line = gateway.await_log(&["no connection to Discord"]);
    assert!(line.contains("discord.token_file"), "{line}");
    assert!(!gateway.log().contains("a.bot.token"), "the token is in no log");
    let added = gateway.cli_json(&[
        "merchant",
        "add",
        "--name",
        "Shop",
        "--days",
        "3",
        "--payout-address",
        ADDRESS,
    ]);
    let shop = Shop::with_key_of(&gateway, &added.text("apiKey"));
    payments_go_on(&shop, "without a bot");
    // Discord bars clients that try too often.
    gateway.holds_for_passes(Passes::Notifications, "one try", || {
        discord.count("GET", "/gateway/bot") == 1
    });
    assert_eq!(gateway.log_lines(&["no connection to Discord"]).len(), 1);
}

/// 1. Start without Discord: the log says so, and payments continue.
#[test]
fn an_unreachable_discord_stops_nothing() {
    let gateway = Gateway::offline();
    {
        // Its ports are free again after this block.
        let discord = Discord::start();
        discord.configure(&gateway);
    }
    gateway.start_with(&["--assume-unused-account"]);
    gateway.await_log(&["no connection to Discord"]);
    let added = gateway.cli_json(&[
        "merchant",
        "add",
        "--name",
        "Shop",
        "--days",
        "3",
        "--payout-address",
        ADDRESS,
    ]);
    payments_go_on(&Shop::with_key_of(&gateway, &added.text("apiKey")), "without Discord");
}

#[test]
fn commands_are_acknowledged_in_time_while_the_node_is_down() {
    let (discord, _gateway, _shop) = with_merchant();
    let root = Person::admin(ROOT, "root");
    let token = discord.send(&root, "node", &json!([]));
    wait_for("the acknowledgement", Duration::from_secs(3), || {
        discord.count("POST", &format!("{token}/callback")) == 1
    });
    let reply = discord.await_reply(&token, "/node");
    assert!(reply.text().contains("Watcher's block"), "{}", reply.text());
}

#[test]
#[ignore = "long"]
fn the_bot_reconnects_after_discord_stops_answering() {
    let (discord, gateway, shop) = with_merchant();
    gateway.term();
    discord.set_mood(Mood::Slow(Duration::from_secs(600)));
    gateway.start();
    payments_go_on(&shop, "while Discord is silent");
    // Longer than a request may take.
    wait_for("the end of the wait", Duration::from_secs(40), || {
        !gateway.log_lines(&["no connection to Discord", "no answer in time"]).is_empty()
    });
    discord.set_mood(Mood::Well);
    wait_for("the bot's return", Duration::from_secs(60), || discord.sessions().0 == 2);
    let reply = discord.command(&Person::member(ADA, "ada"), "docs", json!([]));
    assert!(reply.text().contains("/docs"));
}
