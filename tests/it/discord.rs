//! The bot from outside: the real gateway at a stand-in for Discord, and users who send
//! commands, press buttons and read responses.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::clock;
use crate::harness::database::Database;
use crate::harness::discord::{
    ADMINS_CHANNEL, AUDIT_LOG_CHANNEL, Discord, MERCHANTS_CHANNEL, Person, Reply, readable,
};
use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::ports;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};
use crate::harness::zmq::Publisher;

/// Regtest addresses that belong to no wallet of the tests.
pub(crate) const ADDRESS: &str = "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs3";

pub(crate) const ADA: u64 = 100_000_000_000_000_001;
pub(crate) const BOB: u64 = 100_000_000_000_000_002;
pub(crate) const EVE: u64 = 100_000_000_000_000_003;
pub(crate) const ROOT: u64 = 100_000_000_000_000_009;

pub(crate) fn text(name: &str, value: &str) -> Value {
    json!([{ "name": name, "type": 3, "value": value }])
}

pub(crate) fn user(id: u64) -> Value {
    json!([{ "name": "user", "type": 6, "value": id.to_string() }])
}

pub(crate) fn grant(id: u64, days: u32) -> Value {
    json!([
        { "name": "user", "type": 6, "value": id.to_string() },
        { "name": "days", "type": 4, "value": days },
    ])
}

/// The text between spoiler bars.
#[track_caller]
pub(crate) fn secret_in(reply: &Reply) -> String {
    let text = reply.text();
    let secret = text.split("||`").nth(1).and_then(|rest| rest.split("`||").next());
    secret.unwrap_or_else(|| panic!("no secret in {text}")).to_owned()
}

/// A gateway without a node, with the bot at a stand-in for Discord.
pub(crate) fn offline(configure: impl FnOnce(&Gateway)) -> (Discord, Gateway) {
    let gateway = Gateway::offline();
    gateway.store_scan_answer();
    with_bot(gateway, configure)
}

/// The same with a node.
pub(crate) fn beside(node: &Node, configure: impl FnOnce(&Gateway)) -> (Discord, Gateway) {
    with_bot(Gateway::init(node), configure)
}

fn with_bot(gateway: Gateway, configure: impl FnOnce(&Gateway)) -> (Discord, Gateway) {
    let discord = Discord::start();
    discord.configure(&gateway);
    configure(&gateway);
    gateway.start();
    discord.await_bot();
    (discord, gateway)
}

/// Gives a gateway that runs without bot one.
fn add_bot(gateway: &Gateway) -> Discord {
    let discord = Discord::start();
    gateway.term();
    discord.configure(gateway);
    gateway.start();
    discord.await_bot();
    discord
}

/// 1. The registered commands equal the recorded ones (`ACCEPT=1` rewrites them);
///    administrators' commands are restricted.
/// 2. Restart: nothing is registered again.
/// 3. Switch to global commands: they are registered globally.
#[test]
fn commands_are_registered_once_for_each_change() {
    let (discord, gateway) = offline(|_| ());
    let commands = discord.commands("guild").unwrap();
    let found = format!("{:#}\n", commands);
    let file = files::project().join("tests/it/discord_commands.json");
    if std::env::var_os("ACCEPT").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == expected,
        "the commands have changed; if that is meant, run this test with ACCEPT=1:\n{found}"
    );
    for command in commands.as_array().unwrap() {
        let admin = command["default_member_permissions"] == json!("0");
        let listed = ADMIN_COMMANDS.contains(&command["name"].as_str().unwrap());
        assert_eq!(admin, listed, "{command}");
    }
    let registrations = || discord.count("PUT", "/commands");
    assert_eq!(registrations(), 1);
    gateway.await_log(&["commands registered"]); // Stopped before that, it would register again.
    gateway.restart();
    discord.await_bot();
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "help", json!([]));
    assert_eq!(registrations(), 1, "nothing has changed");
    gateway.term();
    gateway.set("discord.global_commands", true);
    gateway.start();
    wait_for("the commands everywhere", SOON, || discord.commands("global").is_some());
    assert_eq!(discord.commands("global"), Some(commands));
}

/// Commands that only administrators may use.
pub(crate) const ADMIN_COMMANDS: [&str; 14] = [
    "grant_sub",
    "revoke_sub",
    "suspend",
    "unsuspend",
    "merchants",
    "merchant",
    "stats",
    "node",
    "sweep_now",
    "webhooks",
    "audit_log",
    "announce",
    "setup",
    "config",
];

/// 1. Register an address, get a subscription and an API key by the bot.
/// 2. Set a webhook URL; create and complete a payment: webhook and notification arrive.
/// 3. List payments and payouts, also as a CSV file per month, with autocompletion and
///    refusals.
/// 4. No message and no log contains the key.
#[test]
fn a_new_merchant_gets_a_payment_using_only_bot_and_rest() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway) = beside(&node, |gateway| gateway.set("sweeper.interval", "1s"));
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));

    let reply = discord.command(&ada, "view_key", json!([]));
    assert!(reply.text().contains("no merchant account"), "{}", reply.text());
    let address = node.fresh_address();
    let reply = discord.command(&ada, "set_address", text("ltc_address", &address));
    assert!(reply.text().contains("from now on"), "{}", reply.text());
    assert_eq!(reply.text().replace(' ', "").matches(&address).count(), 1, "{}", reply.text());
    let help = discord.command(&ada, "help", json!([])).text();
    assert!(help.contains("✔ **Payout address**"), "{help}");
    assert!(help.contains("✘ **Subscription**"), "{help}");

    let granted = discord.command(&root, "grant_sub", grant(ADA, 30));
    assert!(granted.text().contains("30 days"), "{}", granted.text());
    let reply = discord.command(&ada, "view_key", json!([]));
    assert!(reply.is_ephemeral());
    let shop = Shop::with_key_of(&gateway, &secret_in(&reply));
    let help = discord.command(&ada, "help", json!([])).text();
    assert!(!help.contains('✘'), "all three steps are done: {help}");

    let receiver = Receiver::start();
    let url = receiver.url("/hook?shop=ada");
    discord.command(&ada, "set_webhook_url", text("url", &url));
    let payment = shop.create_with("{\"amountLtc\": 0.05, \"reference\": \"order *17*\"}");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the webhook at the URL that was set", SOON, || !receiver.hits().is_empty());
    let message = discord.await_message(ADA, &["first payment is complete", &payment.id]);
    let notified = crate::harness::discord::readable(&message.body);
    assert!(notified.contains("order \\*17\\*"), "without markup: {notified}");
    let listed = discord.command(&ada, "payments", json!([])).text();
    assert!(listed.contains(&payment.id) && listed.contains("completed"), "{listed}");

    let mut payouts = String::new();
    wait_for("the payout in /payment", SOON, || {
        payouts = discord.command(&ada, "payment", text("payment", &payment.id)).text();
        payouts.contains("Paid out with")
    });
    let txid = gateway.cli_json(&["payment", "show", &payment.id]);
    let txid = txid.objects("payouts")[0].text("txid");
    assert!(payouts.contains(&txid), "{payouts}");
    let listed = discord.command(&ada, "payouts", json!([])).text();
    assert!(listed.contains(&txid) && listed.contains("LTC"), "{listed}");
    let month = &gateway.cli_json(&["payment", "show", &payment.id]).text("createdAt")[..7];
    let reply = discord.command(&ada, "payouts", text("month", month));
    assert!(reply.is_ephemeral() && reply.text().contains(month), "{}", reply.text());
    let file = &reply.body["sentFiles"][0];
    assert_eq!(file["name"], format!("payouts-{month}.csv"), "{}", reply.body);
    let lines: Vec<Vec<&str>> =
        file["text"].as_str().unwrap().lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert_eq!((lines[0][1], lines[1][1]), ("txid", txid.as_str()), "{file}");
    assert_eq!((lines[0][2], lines[1][2]), ("grossLtc", "0.05"), "{file}");
    assert!(lines[1].len() == lines[0].len() && lines[1][5].starts_with("0.049"), "{file}");
    let offered = discord.complete(&ada, "payouts", "month", &month[..4]).choices();
    assert_eq!(offered, [(month.to_owned(), month.to_owned())]);
    assert!(discord.complete(&ada, "payouts", "month", "2001").choices().is_empty());
    let none = discord.command(&ada, "payouts", text("month", "2001-01")).text();
    assert!(none.contains("Nothing was paid out in 2001-01"), "{none}");
    for wrong in ["2026-13", "2026-00", "11-2026", "2026-1", "20261"] {
        let refused = discord.command(&ada, "payouts", text("month", wrong)).text();
        assert!(refused.contains("such as 2026-11"), "{wrong}: {refused}");
    }
    node.mine(1);
    wait_for("what was paid out, less the fee, in /account", SOON, || {
        discord.command(&ada, "account", json!([])).text().contains("paid out: 0.04")
    });
    let account = discord.command(&ada, "account", json!([])).text();
    assert!(account.contains("Next sweep\n<t:") && account.contains(&url), "{account}");
    for posted in discord.posted() {
        assert!(!posted.body.to_string().contains(&shop.api_key));
    }
    assert!(!gateway.log().contains(&shop.api_key));
}

/// 1. Rotate a key: a confirmation by another user and a forged one are refused.
/// 2. Confirm: the old key is revoked, and the button works only once.
/// 3. Decline: nothing changes.
/// 4. A confirmation survives a restart, but expires after five minutes.
/// 5. Audit log and log contain no key.
#[test]
fn a_key_rotation_requires_a_timely_owner_confirmation() {
    let (discord, gateway) = offline(|_| ());
    let (ada, eve) = (Person::member(ADA, "ada"), Person::member(EVE, "eve"));
    for person in [&ada, &eve] {
        discord.command(person, "set_address", text("ltc_address", ADDRESS));
    }
    let before = secret_in(&discord.command(&ada, "view_key", json!([])));

    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    assert_eq!(confirmation.buttons(), ["Replace the key", "Leave it"]);
    assert!(confirmation.text().contains("key 1") && confirmation.text().contains("key 2"));
    // A confirmation by another user, and one that was not requested.
    for (person, id) in [(&eve, None), (&ada, Some(format!("yes:{}", "0".repeat(32))))] {
        let refused = match id {
            None => discord.press(person, &confirmation.body, "Replace the key"),
            Some(id) => discord.press_id(person, &confirmation.body, &id),
        };
        assert!(refused.text().contains("not yours"), "{}", refused.text());
        assert!(refused.is_ephemeral());
    }
    let done = discord.press(&ada, &confirmation.body, "Replace the key");
    let after = secret_in(&done);
    assert_ne!(after, before);
    assert!(done.buttons().is_empty(), "the buttons are gone");
    let again = discord.press(&ada, &confirmation.body, "Replace the key");
    assert!(again.text().contains("used already"), "{}", again.text());
    let answer = |key: &str| {
        let shop = Shop::with_key_of(&gateway, key);
        shop.post("{\"amountLtc\": 1}", &[]).status
    };
    assert_eq!(answer(&before), 401);
    assert_eq!(answer(&after), 402, "a good key, but no subscription");

    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    let left = discord.press(&ada, &confirmation.body, "Leave it");
    assert!(left.text().contains("Nothing was changed"), "{}", left.text());
    let void = discord.press(&ada, &confirmation.body, "Replace the key");
    assert!(void.text().contains("used already"), "{}", void.text());
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    gateway.restart();
    discord.await_bot();
    gateway.let_pass(Duration::from_secs(301));
    let late = discord.press(&ada, &confirmation.body, "Replace the key");
    assert!(late.text().contains("too old"), "{}", late.text());
    let confirmation = discord.command(&ada, "rotate_key", json!([]));
    gateway.restart();
    discord.await_bot();
    gateway.let_pass(Duration::from_secs(301 + 290));
    secret_in(&discord.press(&ada, &confirmation.body, "Replace the key"));

    let audit_log = discord.command(&Person::admin(ROOT, "root"), "audit_log", json!([])).text();
    assert!(audit_log.contains("key 1 → key 2"), "{audit_log}");
    assert!(!audit_log.contains(&after) && !audit_log.contains(&before));
    for secret in [&before, &after] {
        assert!(!gateway.log().contains(secret.as_str()));
    }
}

/// 1. Rotate and keep the old key: both work for a day.
/// 2. Rotate twice within a day: only the two newest work.
/// 3. Rotate by CLI without and with `--keep-old`.
#[test]
fn an_old_key_stays_valid_for_a_day_on_request() {
    let (discord, gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let first = secret_in(&discord.command(&ada, "view_key", json!([])));
    let rotate = |choice: Value| {
        let confirmation = discord.command(&ada, "rotate_key", choice);
        assert!(confirmation.text().contains("24 hours"), "{}", confirmation.text());
        secret_in(&discord.press(&ada, &confirmation.body, "Replace the key"))
    };
    let lives_on = json!([{ "name": "old_key", "type": 4, "value": 1 }]);
    let opens =
        |key: &str| match Shop::with_key_of(&gateway, key).post("{\"amountLtc\": 1}", &[]).status {
            401 => false,
            402 => true, // A good key, but no subscription.
            other => panic!("{other}"),
        };
    let second = rotate(lives_on.clone());
    assert!(opens(&first) && opens(&second));
    gateway.let_pass(Duration::from_secs(86_400 + 1));
    assert!(!opens(&first) && opens(&second));
    // A second rotation within a day revokes the first key.
    let third = rotate(lives_on.clone());
    assert!(opens(&second) && opens(&third));
    let fourth = rotate(lives_on);
    assert!(!opens(&second) && opens(&third) && opens(&fourth));
    // Without keeping the old key, both are revoked: by bot and by CLI.
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    let fifth = gateway.cli_json(&["merchant", "rotate-key", &id]).text("apiKey");
    assert!(!opens(&third) && !opens(&fourth) && opens(&fifth));
    let sixth = gateway.cli_json(&["merchant", "rotate-key", "--keep-old", &id]);
    sixth.text("previousApiKeyEndsAt");
    assert!(opens(&fifth) && opens(&sixth.text("apiKey")));
}

/// 1. Without a default, a payment has no webhook URL; an invalid URL is refused.
/// 2. Set a default: payments without a URL use it, others keep theirs.
/// 3. Remove it by CLI: the audit log names the host only.
#[test]
fn a_payment_without_a_webhook_url_uses_the_merchants_default() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let shop =
        Shop::with_key_of(&gateway, &secret_in(&discord.command(&ada, "view_key", json!([]))));
    let goes_to = |body: &str| {
        let payment = shop.create_with(body);
        gateway.cli_json(&["payment", "show", &payment.id]).raw("webhookUrl").to_owned()
    };
    let shown = || discord.command(&ada, "set_webhook_url", json!([])).text();
    assert!(shown().contains("where each payment says"), "{}", shown());
    assert_eq!(goes_to("{\"amountLtc\": 1}"), "null");
    let refused = discord.command(&ada, "set_webhook_url", text("url", "ftp://shop.example"));
    assert!(refused.text().contains("must begin with https"), "{}", refused.text());
    let url = "https://shop.example/hook?token=hush";
    let set = discord.command(&ada, "set_webhook_url", text("url", url));
    assert!(set.text().contains(url) && shown().contains(url), "{}", set.text());
    assert_eq!(goes_to("{\"amountLtc\": 1}"), format!("\"{url}\""));
    let own = "{\"amountLtc\": 1, \"webhookUrl\": \"https://other.example/\"}";
    assert_eq!(goes_to(own), "\"https://other.example/\"");
    let account = gateway.request("GET", "/api/account", &[("x-api-key", &shop.api_key)], "");
    assert!(account.body.contains("\"webhookUrl\":\"https://shop.example/hook?token=hush\""));
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    gateway.cli_ok(&["merchant", "set-webhook-url", &id, "none"]);
    assert_eq!(goes_to("{\"amountLtc\": 1}"), "null");
    let audit_log = gateway.cli_ok(&["audit-log"]).stdout;
    assert!(audit_log.contains("shop.example") && !audit_log.contains("hush"), "{audit_log}");
}

/// 1. Perform operations: each entry is posted with escaped names and without mentions.
/// 2. Restart: nothing is repeated, and new entries follow.
#[test]
#[ignore = "long"]
fn each_audit_log_entry_is_posted_once_to_its_channel() {
    let (discord, gateway) = offline(|gateway| {
        let id = toml::Value::Integer(i64::try_from(AUDIT_LOG_CHANNEL).unwrap());
        gateway.set("discord.audit_log_channel_id", id);
    });
    let ada = Person::member(ADA, "ada");
    // The first pass records where the audit log begins.
    gateway.await_log(&["commands registered"]);
    wait_for("the first look", SOON, || {
        let sql = "SELECT at FROM role_status WHERE role = 'audit_log_of_operator'";
        !Database::of(&gateway).rows(sql).is_empty()
    });
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.command(&ada, "set_business_name", text("name", "@everyone **Shop**"));
    let posted = discord.await_message(AUDIT_LOG_CHANNEL, &["set\\_name"]);
    assert_eq!(posted.body["allowed_mentions"]["parse"], json!([]), "{}", posted.body);
    let in_channel = || {
        let all = discord.posted().into_iter().filter(|posted| posted.channel == AUDIT_LOG_CHANNEL);
        all.map(|posted| readable(&posted.body)).collect::<Vec<_>>().join("\n")
    };
    let said = in_channel();
    assert!(said.contains("**set\\_address**") && said.contains("**add**"), "{said}");
    assert!(said.contains("ada → \\@everyone \\*\\*Shop"), "before and after: {said}");
    // A restart repeats nothing, and failed messages are sent later.
    gateway.restart();
    discord.await_bot();
    discord.command(&ada, "set_business_name", text("name", "Third"));
    discord.await_message(AUDIT_LOG_CHANNEL, &["Third"]);
    assert_eq!(in_channel().matches("**add**").count(), 1, "{}", in_channel());
}

/// 1. Perform 600 acts of a merchant and one of the operator among them.
/// 2. The channel's first message contains the operator's act alone.
/// 3. The merchant's acts follow in one line with their number; none is posted twice.
#[test]
fn a_merchant_cannot_hide_operations_by_flooding_the_channel() {
    let (discord, gateway) = offline(|gateway| {
        let id = toml::Value::Integer(i64::try_from(AUDIT_LOG_CHANNEL).unwrap());
        gateway.set("discord.audit_log_channel_id", id);
    });
    gateway.await_log(&["commands registered"]);
    wait_for("the first look", SOON, || {
        let sql = "SELECT at FROM role_status WHERE role = 'audit_log_of_merchants'";
        !Database::of(&gateway).rows(sql).is_empty()
    });
    gateway.term();
    let added = gateway.cli_json(&["merchant", "add", "--name", "Shop", "--days", "30"]);
    let resend = |count: u32| {
        format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
             INSERT INTO audit_log (at, actor, act, merchant_id, after, hash)
             SELECT 1, 'api key', 'resend_webhook', id, 'evt_1 due', zeroblob(32) FROM n CROSS JOIN merchants;"
        )
    };
    Database::of(&gateway).write(&resend(500));
    gateway.cli_ok(&["merchant", "suspend", &added.text("merchantId")]);
    Database::of(&gateway).write(&resend(100));
    gateway.start();
    let last = discord.await_message(AUDIT_LOG_CHANNEL, &["600 × ", "resend\\_webhook"]);
    let all = discord.posted().into_iter().filter(|posted| posted.channel == AUDIT_LOG_CHANNEL);
    let all: Vec<String> = all.map(|posted| readable(&posted.body)).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all[0].contains("**suspend**") && !all[0].contains("resend"), "{all:?}");
    assert_eq!(all[1], readable(&last.body));
}

/// 1. Log at level `trace`; show and rotate all secrets, and set URLs with tokens.
/// 2. No secret is in the log, in the database's texts or in any message except the response.
#[test]
fn secrets_appear_in_no_log_audit_log_or_channel() {
    let (discord, gateway) = offline(|gateway| {
        for (key, channel) in [
            ("discord.audit_log_channel_id", AUDIT_LOG_CHANNEL),
            ("discord.notifications_channel_id", MERCHANTS_CHANNEL),
        ] {
            gateway.set(key, toml::Value::Integer(i64::try_from(channel).unwrap()));
        }
        gateway.set_environment("LITEGATE_LOG", "trace");
    });
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let mut secrets = vec!["a.bot.token".to_owned(), "hush".to_owned()];
    let url = "https://ada:hush@shop.example/?key=hush";
    discord.command(&ada, "set_webhook_url", text("url", url));
    discord.command(&ada, "set_webhook_url", text("url", "https://shop.example/?key=hush"));
    for (show, rotate, yes) in [
        ("view_key", "rotate_key", "Replace the key"),
        ("view_webhook_secret", "rotate_webhook_secret", "Replace the secret"),
    ] {
        secrets.push(secret_in(&discord.command(&ada, show, json!([]))));
        let confirmation = discord.command(&ada, rotate, json!([]));
        let shown = discord.press(&ada, &confirmation.body, yes);
        assert!(shown.is_ephemeral());
        secrets.push(secret_in(&shown));
    }
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    gateway.cli_ok(&["merchant", "view-key", &id]);
    gateway.cli_ok(&["merchant", "view-webhook-secret", &id]);
    discord.await_message(ADA, &["API key was replaced"]);
    discord.await_message(AUDIT_LOG_CHANNEL, &["rotate"]);
    let audit_log = Database::of(&gateway).dump(&[
        "audit_log",
        "notifications",
        "confirmations",
        "role_status",
    ]);
    // Messages to Discord other than the response to the user.
    let public = discord.calls().into_iter().filter(|call| {
        !call.path.starts_with("/webhooks/") && !call.path.starts_with("/interactions/")
    });
    let public: Vec<String> = public.map(|call| format!("{} {}", call.path, call.body)).collect();
    assert_eq!(secrets.len(), 6);
    for (place, said) in [
        ("log", gateway.log()),
        ("audit_log", format!("{audit_log:?}")),
        ("channels", public.join("\n")),
    ] {
        assert!(!said.is_empty());
        for secret in &secrets {
            assert!(!said.contains(secret.as_str()), "{secret} in the {place}");
        }
    }
    let audit_log = gateway.cli_ok(&["audit-log"]).stdout;
    assert_eq!(
        audit_log.matches("view_key").count(),
        2,
        "by Discord and by the shell: {audit_log}"
    );
}

#[test]
fn the_bot_commands_can_be_printed_without_discord() {
    let gateway = Gateway::bare();
    let printed = gateway.run(&["bot", "commands", "--json"]);
    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    let file = files::project().join("tests/it/discord_commands.json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(printed, expected, "as they are registered");
    let listed = gateway.run(&["bot", "commands"]).stdout;
    assert!(listed.lines().any(|line| line.starts_with("/set_address ")), "{listed}");
}

/// 1. `/setup` reports the configured channels as usable.
/// 2. Deny a permission: it is named.
/// 3. Change the administrators' role: the user is refused.
#[test]
fn setup_reports_missing_bot_permissions_in_its_channels() {
    let (discord, gateway) = offline(|gateway| {
        for (key, channel) in [
            ("discord.notifications_channel_id", MERCHANTS_CHANNEL),
            ("discord.admin_channel_id", ADMINS_CHANNEL),
        ] {
            gateway.set(key, toml::Value::Integer(i64::try_from(channel).unwrap()));
        }
    });
    let root = Person::admin(ROOT, "root");
    let setup = || discord.command(&root, "setup", json!([])).text();
    let fine =
        format!("✔ discord.notifications_channel_id: <#{MERCHANTS_CHANNEL}> can be seen and");
    assert!(setup().contains(&fine) && !setup().contains('✘'), "{}", setup());
    discord.deny(ADMINS_CHANNEL, 2_048);
    assert!(setup().contains("the bot lacks Send Messages"), "{}", setup());
    assert!(setup().contains(&fine), "the other one is fine: {}", setup());
    gateway.term();
    gateway.set("discord.admin_role_id", 5);
    gateway.start();
    discord.await_bot();
    let stranger = discord.command(&root, "setup", json!([])).text();
    assert!(stranger.contains("for administrators"), "{stranger}");
}

/// 1. Request a change: the confirmation shows both addresses, and the account the pending
///    one.
/// 2. Cancel it by the message's button, by command, and by CLI.
/// 3. Let the delay pass: the new address is in force, with a notification.
#[test]
fn an_address_change_is_delayed_and_can_be_cancelled() {
    let Some(TestEnv { gateway, node, shop: _ }) = TestEnv::shared_with(|_| ()) else { return };
    let discord = add_bot(&gateway);
    let ada = Person::member(ADA, "ada");
    let [first, second, third] = [0; 3].map(|_| node.fresh_address());
    let compact = |reply: &Reply| reply.text().replace(' ', "");
    discord.command(&ada, "set_address", text("ltc_address", &first));
    let ask = |to: &str| {
        let confirmation = discord.command(&ada, "set_address", text("ltc_address", to));
        assert!(compact(&confirmation).contains(&first), "before: {}", confirmation.text());
        assert!(compact(&confirmation).contains(to), "after: {}", confirmation.text());
        discord.press(&ada, &confirmation.body, "Change the address")
    };
    let account = || compact(&discord.command(&ada, "account", json!([])));

    let done = ask(&second);
    assert!(done.text().contains("Until then"), "{}", done.text());
    assert!(account().contains(&second) && account().contains("changesto"));
    let message = discord.await_message(ADA, &["address changes", &first, &second]);
    // The button works in direct messages.
    let pressed = discord.press(&ada.at(None), &message.body, "Cancel the change");
    assert!(pressed.text().contains("cancelled"), "{}", pressed.text());
    assert!(!account().contains(&second));
    ask(&third);
    let cancelled = discord.command(&ada, "cancel_address_change", json!([]));
    assert!(cancelled.text().contains("cancelled"), "{}", cancelled.text());
    let none = discord.command(&ada, "cancel_address_change", json!([]));
    assert!(none.text().contains("No change"), "{}", none.text());
    ask(&second);
    let merchants = gateway.cli_list(&["merchant", "list"]);
    let ada_id = merchants.iter().find(|m| m.raw("discordId").contains(&ADA.to_string())).unwrap();
    gateway.cli_ok(&["merchant", "cancel-address-change", &ada_id.text("merchantId")]);
    assert!(!account().contains(&second));
    // Without a cancellation it takes effect after a day, which is notified, too.
    ask(&second);
    gateway.let_pass(Duration::from_secs(24 * 3600 + 60));
    discord.await_message(ADA, &["go to", &second, "from now on"]);
    assert!(account().contains(&second) && !account().contains(&first));
}

#[test]
fn the_first_address_of_a_long_idle_account_is_delayed() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&root, "grant_sub", grant(ADA, 3_000));
    gateway.let_pass(Duration::from_secs(91 * 86_400));
    let confirmation = discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    assert_eq!(
        confirmation.buttons(),
        ["Change the address", "Leave it"],
        "{}",
        confirmation.text()
    );
    discord.press(&ada, &confirmation.body, "Change the address");
    let account = discord.command(&ada, "account", json!([])).text();
    assert!(account.contains("none") && account.contains("changes to"), "{account}");
}

/// 1. Show a secret five times: each message is deleted after `secret_display_ttl`.
/// 2. A sixth time is refused for an hour; other kinds are not affected.
#[test]
fn secrets_disappear_and_are_shown_at_most_five_times_an_hour() {
    let (discord, gateway) = offline(|gateway| gateway.set("discord.secret_display_ttl", "1s"));
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    for _ in 0..5 {
        let reply = discord.command(&ada, "view_webhook_secret", json!([]));
        assert!(secret_in(&reply).starts_with("whsec_"), "{}", reply.text());
        assert!(reply.text().contains('⚠'), "{}", reply.text());
    }
    wait_for("the secrets to go away", SOON, || discord.count("DELETE", "/webhooks/") == 5);
    let refused = discord.command(&ada, "view_webhook_secret", json!([]));
    assert!(refused.text().contains("five times an hour"), "{}", refused.text());
    // The limits of both kinds are separate, and renew after an hour.
    secret_in(&discord.command(&ada, "view_key", json!([])));
    gateway.let_pass(Duration::from_secs(3_601));
    secret_in(&discord.command(&ada, "view_webhook_secret", json!([])));
    let audit_log = discord.command(&Person::admin(ROOT, "root"), "audit_log", json!([])).text();
    assert_eq!(audit_log.matches("view\\_webhook\\_secret").count(), 6, "{audit_log}");
}

#[test]
fn a_user_who_sends_too_many_commands_is_rate_limited() {
    let (discord, _gateway) = offline(|gateway| gateway.set("discord.rate_per_user", 6));
    let (ada, bob) = (Person::member(ADA, "ada"), Person::member(BOB, "bob"));
    for _ in 0..3 {
        assert!(discord.command(&ada, "docs", json!([])).text().contains("/docs"));
    }
    let refused = discord.command(&ada, "docs", json!([]));
    assert!(refused.text().contains("too many commands") || refused.text().contains("Too many"));
    assert!(refused.is_ephemeral());
    assert!(discord.command(&bob, "docs", json!([])).text().contains("/docs"));
}

/// 1. Grant subscriptions: the first creates the account.
/// 2. Suspend and restore the merchant, each after a confirmation: the API follows.
/// 3. The audit log has each operation.
#[test]
fn administrator_operations_appear_in_the_audit_log() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    // A first grant creates the account.
    let first = discord.command(&root, "grant_sub", grant(ADA, 10));
    assert!(first.text().contains("**Before** none"), "{}", first.text());
    let second = discord.command(&root, "grant_sub", grant(ADA, 5));
    assert!(!second.text().contains("**Before** none"), "it adds: {}", second.text());
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    assert_eq!(gateway.cli_list(&["merchant", "list"]).len(), 1, "one account each");
    let key = secret_in(&discord.command(&ada, "view_key", json!([])));
    let shop = Shop::with_key_of(&gateway, &key);
    let post = || shop.post("{\"amountLtc\": 1}", &[]);
    assert_eq!(post().status, 200);

    let confirmation = discord.command(&root, "suspend", user(ADA));
    assert_eq!(post().status, 200, "nothing happens before the yes");
    discord.press(&root, &confirmation.body, "Suspend");
    let refused = post();
    assert_eq!(refused.status, 402, "{}", refused.body);
    assert!(refused.body.contains("suspended"), "{}", refused.body);
    let listed = discord.command(&root, "merchants", json!([])).text();
    assert!(listed.contains("suspended"), "{listed}");
    let state = discord.command(&ada, "subscription", json!([])).text();
    assert!(state.contains("suspended"), "{state}");
    discord.command(&root, "unsuspend", user(ADA));
    assert_eq!(post().status, 200);
    let twice = discord.command(&root, "unsuspend", user(ADA));
    assert!(twice.text().contains("not suspended"), "{}", twice.text());

    let confirmation = discord.command(&root, "revoke_sub", user(ADA));
    // A user who lost the role before confirming is refused.
    let fired = Person::member(ROOT, "root");
    let refused = discord.press(&fired, &confirmation.body, "End it");
    assert!(refused.text().contains("for administrators"), "{}", refused.text());
    assert_eq!(post().status, 200);
    discord.press(&root, &confirmation.body, "End it");
    assert_eq!(post().status, 402);
    let nobody = discord.command(&root, "revoke_sub", user(BOB));
    assert!(nobody.text().contains("no merchant account"), "{}", nobody.text());

    let audit_log = discord.command(&root, "audit_log", json!([])).text();
    for act in ["grant", "suspend", "unsuspend", "revoke", "set\\_address"] {
        assert!(audit_log.contains(&format!("**{act}**")), "{act} in {audit_log}");
    }
    assert!(audit_log.contains(&format!("<@{ROOT}>")) && audit_log.contains(&format!("<@{ADA}>")));
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    let shown = discord.command(&root, "merchant", text("merchant", &id)).text();
    assert!(shown.contains(&id) && shown.contains(&format!("<@{ADA}>")), "{shown}");
    let of_one = discord.command(&root, "audit_log", text("merchant", &id)).text();
    assert!(of_one.contains(&id), "{of_one}");
}

/// 1. List 23 payments in pages of ten with buttons, also filtered by status.
/// 2. Another user's button shows their own list, and an administrator's list is refused.
/// 3. Autocompletion offers own payments only; another merchant's payment is not found.
#[test]
fn buttons_page_through_lists() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.join(&ada);
    discord.command(&root, "grant_sub", grant(ADA, 10));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let empty = discord.command(&ada, "payments", json!([]));
    assert!(empty.text().contains("None yet"), "{}", empty.text());
    assert!(empty.buttons().is_empty());
    for number in 1..=23 {
        let options = json!([
            { "name": "amount", "type": 3, "value": format!("0.{number:02}") },
            { "name": "reference", "type": 3, "value": format!("order-{number}") },
        ]);
        let made = discord.command(&ada, "invoice", options);
        assert!(made.text().contains("/pay/"), "{}", made.text());
    }
    let orders = |reply: &Reply| -> Vec<u32> {
        let text = reply.text();
        let after = text.split("order-").skip(1);
        after.map(|rest| rest.split('\n').next().unwrap().trim().parse().unwrap()).collect()
    };
    let first = discord.command(&ada, "payments", json!([]));
    assert_eq!(orders(&first), (14..=23).rev().collect::<Vec<_>>());
    assert_eq!(first.buttons(), ["Next"]);
    let second = discord.press(&ada, &first.body, "Next");
    assert_eq!(orders(&second), (4..=13).rev().collect::<Vec<_>>());
    assert_eq!(second.buttons(), ["Previous", "Next"]);
    let third = discord.press(&ada, &second.body, "Next");
    assert_eq!(orders(&third), [3, 2, 1]);
    assert_eq!(third.buttons(), ["Previous"]);
    let pending =
        discord.command(&ada, "payments", json!([{ "name": "status", "type": 4, "value": 0 }]));
    assert_eq!(orders(&pending).len(), 10, "{}", pending.text());
    assert!(pending.text().contains("Payments: pending"));
    // A page's button shows each user their own list.
    let bob = Person::member(BOB, "bob");
    let nothing = discord.press(&bob, &first.body, "Next");
    assert!(nothing.text().contains("no merchant account"), "{}", nothing.text());
    let audit_log = discord.press_id(&bob, &first.body, "list:audit_log:-:0");
    assert!(audit_log.text().contains("for administrators"), "{}", audit_log.text());

    // Autocompletion offers own payments, by order and by id.
    let by_order = discord.complete(&ada, "payment", "payment", "order-17").choices();
    assert_eq!(by_order.len(), 1, "{by_order:?}");
    let by_id = discord.complete(&ada, "payment", "payment", &by_order[0].1[..8]).choices();
    assert_eq!(by_id, by_order);
    assert_eq!(discord.complete(&ada, "payment", "payment", "").choices().len(), 23);
    discord.command(&bob, "set_address", text("ltc_address", ADDRESS));
    assert!(discord.complete(&bob, "payment", "payment", "order").choices().is_empty());
    assert!(discord.complete(&bob, "merchant", "merchant", "a").choices().is_empty());
    assert_eq!(discord.complete(&root, "merchant", "merchant", "ad").choices().len(), 1);
    // Another merchant's payment is not found.
    let hidden = discord.command(&bob, "payment", text("payment", &by_order[0].1));
    assert!(hidden.text().contains("no such payment"), "{}", hidden.text());
    let hidden = discord.command(&bob, "resend_webhook", text("payment", &by_order[0].1));
    assert!(hidden.text().contains("no such payment"), "{}", hidden.text());
    drop(gateway);
}

/// 1. Rotate the webhook secret after a confirmation.
/// 2. Test a receiver: refused without a subscription; then success, failure and an invalid
///    URL are reported.
#[test]
fn a_webhook_secret_is_rotated_and_a_test_reports_its_result() {
    let (discord, _gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let before = secret_in(&discord.command(&ada, "view_webhook_secret", json!([])));
    let confirmation = discord.command(&ada, "rotate_webhook_secret", json!([]));
    let done = discord.press(&ada, &confirmation.body, "Replace the secret");
    let after = secret_in(&done);
    assert_ne!(before, after);
    assert_eq!(after, secret_in(&discord.command(&ada, "view_webhook_secret", json!([]))));

    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let test = || discord.command(&ada, "test_webhook", text("url", &url)).text();
    let refused = test();
    assert!(refused.contains("subscription is not active"), "{refused}");
    assert!(receiver.hits().is_empty(), "nothing is sent for those without a subscription");
    discord.command(&Person::admin(ROOT, "root"), "grant_sub", grant(ADA, 1));
    let tried = test();
    assert!(tried.contains("✔ HTTP 200"), "{tried}");
    assert_eq!(receiver.hits()[0].header("webhook-signature").split(' ').count(), 2);
    receiver.fail_next(1);
    let tried = test();
    assert!(tried.contains("✘ HTTP 500"), "{tried}");
    let refused = discord.command(&ada, "test_webhook", text("url", "file:///etc/passwd")).text();
    assert!(refused.contains("must"), "{refused}");
}

/// 1. Run each administrators' command without a node: each answers.
#[test]
fn administrator_commands_work_without_a_node() {
    let (discord, _gateway) = offline(|_| ());
    let root = Person::admin(ROOT, "root");
    let node = discord.command(&root, "node", json!([])).text();
    assert!(node.contains("Watcher"), "{node}");
    let stats = discord.command(&root, "stats", json!([])).text();
    assert!(stats.contains("0 payments made"), "{stats}");
    let nothing = discord.command(&root, "sweep_now", json!([])).text();
    assert!(nothing.contains("Nothing is ready"), "{nothing}");
    let setup = discord.command(&root, "setup", json!([])).text();
    assert!(setup.contains("✔ server: Shops"), "{setup}");
    assert!(setup.contains("– discord.audit_log_channel_id is not set"), "{setup}");
    let config = discord.command(&root, "config", json!([])).text();
    assert!(config.contains("payments.confirmations = 2"), "{config}");
    let webhooks = discord.command(&root, "webhooks failed", json!([])).text();
    assert!(webhooks.contains("None. All is well."), "{webhooks}");
}

/// 1. Without a message, `/node` and doctor show none.
/// 2. Publish a message: both show its time.
#[test]
fn bot_and_doctor_show_the_time_of_the_last_zmq_event() {
    let port = ports::free();
    let mut publisher = Publisher::bind(port);
    let test_env = TestEnv::alone_with(|gateway| {
        for key in ["node.zmq_rawtx", "node.zmq_hashblock"] {
            gateway.set(key, format!("tcp://127.0.0.1:{port}"));
        }
    });
    let Some(TestEnv { gateway, node, .. }) = test_env else { return };
    let discord = add_bot(&gateway);
    let root = Person::admin(ROOT, "root");
    let shown = || discord.command(&root, "node", json!([])).text();
    assert!(shown().contains("ZMQ\nnothing heard yet"), "{}", shown());
    assert!(!gateway.doctor().stdout.contains("last heard"), "nothing was heard");
    let begun = clock::now().as_secs();
    publisher.publish("hashblock", &[7; 32]);
    node.mine(1);
    // A late subscriber gets the next message, which is recorded after ten seconds.
    wait_for("the age of what was heard", SOON, || {
        publisher.publish("hashblock", &[7; 32]);
        shown().contains("ZMQ\nlast heard <t:")
    });
    let said = shown();
    let at = said.split("last heard <t:").nth(1).unwrap().split(':').next().unwrap();
    let at: u64 = at.parse().unwrap();
    assert!((begun..begun + 60).contains(&at), "it is the time of the frame: {said}");
    let doctor = gateway.doctor().stdout;
    assert!(doctor.contains("the watcher received its last ZMQ message "), "{doctor}");
}

/// 1. `/sweep_now` shows the due coins and sends nothing.
/// 2. Confirm: the sweep is sent, and the audit log has it.
#[test]
fn an_administrator_previews_and_confirms_a_sweep() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let discord = add_bot(&gateway);
    // The first pass of a starting sweeper has nothing to sweep.
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let root = Person::admin(ROOT, "root");
    let confirmation = discord.command(&root, "sweep_now", json!([]));
    assert!(
        confirmation.text().contains("1 coin of 1 merchant, 0.05 LTC"),
        "{}",
        confirmation.text()
    );
    assert!(node.mempool().is_empty(), "nothing before the yes");
    let done = discord.press(&root, &confirmation.body, "Sweep now");
    let mempool = node.mempool();
    assert_eq!(mempool.len(), 1, "{}", done.text());
    assert!(done.text().contains(&mempool[0]), "{}", done.text());
    let audit_log = discord.command(&root, "audit_log", json!([])).text();
    assert!(audit_log.contains("sweep\\_now"), "{audit_log}");
}

/// 1. Doctor shows server and invite link.
/// 2. Configure another server: a warning. Refuse the token: a failure.
#[test]
fn doctor_shows_the_bot_invite_link_and_checks_the_token() {
    let discord = Discord::start();
    let gateway = Gateway::offline();
    discord.configure(&gateway);
    let look = |words: &[&str]| {
        let said = gateway.doctor().stdout;
        let line = said.lines().find(|line| line.contains("discord:"));
        let line = line.unwrap_or_else(|| panic!("no line about Discord in {said}")).to_owned();
        for word in words {
            assert!(line.contains(word), "{word} in {line}");
        }
    };
    look(&["ok", "on the server Shops", "https://discord.com/oauth2/authorize?client_id=700"]);
    gateway.set("discord.guild_id", 5);
    look(&["warning", "not on the server", "permissions=19456"]);
    discord.take_token(false);
    look(&["FAILURE", "refuses the token"]);
}

#[test]
fn replies_are_visible_only_to_the_user_who_asked() {
    let (discord, _gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    for command in ["help", "docs", "account", "payments", "notifications", "subscription"] {
        let reply = discord.command(&ada, command, json!([]));
        assert!(reply.is_ephemeral(), "/{command}: {reply:?}");
        assert_eq!(reply.kind, 5, "/{command} is acknowledged before any work");
    }
    assert!(discord.posted().is_empty(), "nothing in a channel");
}
