//! Bot and CLI: the same operations, the same audit-log entries, the same refusals.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::discord::{ADA, ADDRESS, ROOT, grant, offline, text, user};
use crate::discord_matrix::with_parts;
use crate::harness::discord::{Discord, MERCHANTS_CHANNEL, Person};
use crate::harness::files;
use crate::harness::gateway::Gateway;

/// Every act of the audit log, its bot command and its CLI command.
const OPERATIONS: [(&str, &str, &str); 30] = [
    ("accept", "accept", "payment accept"),
    ("add", "set_address", "merchant add"),
    ("announce", "announce", "bot announce"),
    ("begin_second_factor", "second_factor enable", "merchant second-factor enable"),
    ("cancel", "cancel_payment", "payment cancel"),
    ("cancel_address_change", "cancel_address_change", "merchant cancel-address-change"),
    ("choose_notifications", "notification_settings", "merchant notification-settings"),
    ("disable_second_factor", "second_factor disable", "merchant second-factor disable"),
    ("enable_second_factor", "second_factor enable", "merchant second-factor confirm"),
    ("fail_second_factor", "rotate_key", "merchant rotate-key"),
    ("grant", "grant_sub", "merchant grant"),
    ("pass_second_factor", "rotate_key", "merchant rotate-key"),
    ("resend_all", "webhooks resend", "webhook resend"),
    ("resend_webhook", "resend_webhook", "webhook resend"),
    ("revoke", "revoke_sub", "merchant revoke"),
    ("rotate_key", "rotate_key", "merchant rotate-key"),
    ("rotate_webhook_secret", "rotate_webhook_secret", "merchant rotate-webhook-secret"),
    ("set_address", "set_address", "merchant set-address"),
    ("set_confirmations", "set_confirmations", "merchant set-confirmations"),
    ("set_events", "set_events", "merchant set-events"),
    ("set_name", "set_business_name", "merchant set-name"),
    ("set_tolerance", "set_tolerance", "merchant set-tolerance"),
    ("set_webhook_url", "set_webhook_url", "merchant set-webhook-url"),
    ("suspend", "suspend", "merchant suspend"),
    ("sweep_now", "sweep_now", "sweep"),
    ("unsuspend", "unsuspend", "merchant unsuspend"),
    ("view_key", "view_key", "merchant view-key"),
    ("view_webhook_secret", "view_webhook_secret", "merchant view-webhook-secret"),
    // They change nothing of an account, but something is made or sent.
    ("", "invoice", "payment create"),
    ("", "test_webhook", "webhook test"),
];

/// Acts that operators do from the shell only.
const SHELL_ONLY: [&str; 4] =
    ["add_api_key", "reset_second_factor", "revoke_api_key", "view_api_key"];

/// Read-only commands of bot and CLI.
const LOOKS: [(&str, &str); 16] = [
    ("account", "merchant show"),
    ("audit_log", "audit-log"),
    ("config", "config show"),
    ("docs", "openapi"),
    ("help", "man"),
    ("merchant", "merchant show"),
    ("merchants", "merchant list"),
    ("node", "doctor"),
    ("notifications", "merchant notifications"),
    ("payment", "payment show"),
    ("payments", "payment list"),
    ("payouts", "payment show"),
    ("setup", "doctor"),
    ("stats", "payment list"),
    ("subscription", "merchant show"),
    ("webhooks failed", "webhook list"),
];

/// 1. Every bot command is in a table, and every CLI command of the tables exists.
/// 2. The acts in the source are exactly those of the table.
#[test]
fn every_operation_is_mapped_to_a_bot_and_a_cli_command() {
    let gateway = Gateway::bare();
    let printed: Value =
        serde_json::from_str(&gateway.run(&["bot", "commands", "--json"]).stdout).unwrap();
    let commands: BTreeSet<String> =
        with_parts(&printed).into_iter().map(|(name, _)| name).collect();
    let known: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|(_, command, _)| (*command).to_owned())
        .chain(LOOKS.iter().map(|(command, _)| (*command).to_owned()))
        .collect();
    assert_eq!(commands, known, "a command without its twin, or one that is gone");
    let shell: BTreeSet<&str> =
        OPERATIONS.iter().map(|act| act.2).chain(LOOKS.iter().map(|look| look.1)).collect();
    for command in shell {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        let said = gateway.run(&words);
        assert_eq!(said.code, 0, "litegate {command}: {}", said.stderr);
    }
    // Exactly the acts in the source are in the table.
    let operations =
        OPERATIONS.iter().map(|act| act.0).filter(|act| !act.is_empty()).chain(SHELL_ONLY);
    let operations: BTreeSet<String> = operations.map(str::to_owned).collect();
    assert_eq!(acts_of_the_source(), operations);
}

/// The names of acts, as the source of `operations/` and of the two doors spells them.
fn acts_of_the_source() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files::files_below(&files::project().join("src"), ".rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "(");
        for before in ["entry(actor, now, \"", "_ACT: &str = \"", "_OPERATION: &str = \""] {
            for rest in flat.split(before).skip(1) {
                found.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
        for rest in flat.split("show_secret(").skip(1) {
            found.extend(
                rest.split('"').nth(1).filter(|_| !rest.starts_with("bot:")).map(str::to_owned),
            );
        }
    }
    found.retain(|act| act.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    found
}

/// The merchants of both interfaces.
struct Doors {
    discord: Discord,
    gateway: Gateway,
    ada: Person,
    root: Person,
    /// The merchant of the shell.
    cli: String,
}

impl Doors {
    fn open() -> Doors {
        let (discord, gateway) = offline(|gateway| {
            let id = toml::Value::Integer(i64::try_from(MERCHANTS_CHANNEL).unwrap());
            gateway.set("discord.notifications_channel_id", id);
        });
        let cli = gateway.cli_json(&["merchant", "add", "--name", "ada"]).text("merchantId");
        let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
        Doors { discord, gateway, ada, root, cli }
    }

    /// A merchant's acts in order, without values that depend on time.
    fn audit_log(&self, merchant: &str) -> Vec<(String, String, String)> {
        let timeless = ["set_name", "set_confirmations", "set_webhook_url", "choose_notifications"];
        let mut all: Vec<_> = self
            .gateway
            .cli_list(&["audit-log", "--merchant", merchant])
            .iter()
            .map(|entry| {
                let act = entry.text("act");
                let change = match timeless.contains(&act.as_str()) {
                    true => (entry.raw("before").to_owned(), entry.raw("after").to_owned()),
                    false => Default::default(),
                };
                (act, change.0, change.1)
            })
            .collect();
        all.reverse();
        all
    }
}

/// 1. Perform every operation by bot for one merchant, and by CLI for another.
/// 2. Both audit logs are equal.
/// 3. Announce by both: both are posted, and the actor is recorded.
#[test]
fn bot_and_cli_do_the_same_and_write_the_same_audit_log() {
    let doors = Doors::open();
    let Doors { discord, gateway, ada, root, cli } = &doors;
    let second = "rltc1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpjt8zj4";
    let url = "https://shop.example/hook";
    let shell = |words: &[&str]| {
        gateway.cli_ok(words);
    };
    let say = |name: &str, options: Value| discord.command(ada, name, options);
    let yes = |confirmation: crate::harness::discord::Reply, label: &str| {
        discord.press(ada, &confirmation.body, label);
    };

    say("set_address", text("ltc_address", ADDRESS));
    shell(&["merchant", "set-address", cli, ADDRESS]);
    discord.command(root, "grant_sub", grant(ADA, 3));
    shell(&["merchant", "grant", cli, "3"]);
    say("set_business_name", text("name", "New"));
    shell(&["merchant", "set-name", cli, "New"]);
    say("set_confirmations", text("confirmations", "4"));
    shell(&["merchant", "set-confirmations", cli, "4"]);
    say("set_webhook_url", text("url", url));
    shell(&["merchant", "set-webhook-url", cli, url]);
    yes(say("set_address", text("ltc_address", second)), "Change the address");
    shell(&["merchant", "set-address", cli, second]);
    say("cancel_address_change", json!([]));
    shell(&["merchant", "cancel-address-change", cli]);
    say("view_key", json!([]));
    shell(&["merchant", "view-key", cli]);
    yes(say("rotate_key", json!([])), "Replace the key");
    shell(&["merchant", "rotate-key", cli]);
    say("view_webhook_secret", json!([]));
    shell(&["merchant", "view-webhook-secret", cli]);
    yes(say("rotate_webhook_secret", json!([])), "Replace the secret");
    shell(&["merchant", "rotate-webhook-secret", cli]);
    let paid = json!([
        { "name": "kind", "type": 3, "value": "paid" }, { "name": "how", "type": 4, "value": 0 },
    ]);
    say("notification_settings", paid);
    shell(&["merchant", "notification-settings", cli, "paid", "message"]);
    let confirmation = discord.command(root, "suspend", user(ADA));
    discord.press(root, &confirmation.body, "Suspend");
    shell(&["merchant", "suspend", cli]);
    discord.command(root, "unsuspend", user(ADA));
    shell(&["merchant", "unsuspend", cli]);
    let merchants = gateway.cli_list(&["merchant", "list"]);
    let of_discord = merchants.iter().find(|merchant| merchant.text("merchantId") != *cli).unwrap();
    let of_discord = of_discord.text("merchantId");
    let confirmation = discord.command(root, "webhooks resend", text("merchant", &of_discord));
    discord.press(root, &confirmation.body, "Send again");
    shell(&["webhook", "resend", "--failed-of", cli]);
    let confirmation = discord.command(root, "revoke_sub", user(ADA));
    discord.press(root, &confirmation.body, "End it");
    shell(&["merchant", "revoke", cli]);

    let (by_discord, by_shell) = (doors.audit_log(&of_discord), doors.audit_log(cli));
    assert_eq!(by_discord, by_shell);
    assert_eq!(by_discord.len(), 17, "{by_discord:?}");
    // Announcements: both interfaces post them and record the actor.
    let confirmation = discord.command(root, "announce", text("text", "Hello from Discord"));
    discord.press(root, &confirmation.body, "Post it");
    gateway.cli_ok(&["bot", "announce", "Hello from the shell"]);
    for words in ["Hello from Discord", "Hello from the shell"] {
        discord.await_message(MERCHANTS_CHANNEL, &[words]);
    }
    let audit_log = gateway.cli_list(&["audit-log", "--limit", "2"]);
    let (shell, chat) = (&audit_log[0], &audit_log[1]);
    assert_eq!((shell.text("act"), shell.text("actor")), ("announce".into(), "cli".into()));
    assert_eq!(chat.text("actor"), format!("discord:{ROOT}"));
    assert!(chat.text("place").starts_with("server "), "and from where");
}

/// 1. Run invalid operations by bot and CLI: both refuse for the same reason, in the same words.
#[test]
fn bot_and_cli_refuse_with_the_same_message() {
    let doors = Doors::open();
    let Doors { discord, gateway, ada, root, cli } = &doors;
    discord.command(ada, "set_address", text("ltc_address", ADDRESS));
    gateway.cli_ok(&["merchant", "set-address", cli, ADDRESS]);
    let long = "x".repeat(65);
    let bitcoin = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4";
    let cases: Vec<(&Person, &str, Value, Vec<&str>)> = vec![
        (ada, "set_address", text("ltc_address", bitcoin), vec!["set-address", cli, bitcoin]),
        (ada, "set_address", text("ltc_address", ""), vec!["set-address", cli, ""]),
        (ada, "set_business_name", text("name", &long), vec!["set-name", cli, &long]),
        (ada, "set_business_name", text("name", " "), vec!["set-name", cli, " "]),
        (ada, "set_confirmations", text("confirmations", "0"), vec!["set-confirmations", cli, "0"]),
        (
            ada,
            "set_confirmations",
            text("confirmations", "251"),
            vec!["set-confirmations", cli, "251"],
        ),
        (ada, "set_webhook_url", text("url", "ftp://x"), vec!["set-webhook-url", cli, "ftp://x"]),
        (ada, "cancel_address_change", json!([]), vec!["cancel-address-change", cli]),
        (root, "grant_sub", grant(ADA, 0), vec!["grant", cli, "0"]),
        (root, "grant_sub", grant(ADA, 3_661), vec!["grant", cli, "3661"]),
        (root, "unsuspend", user(ADA), vec!["unsuspend", cli]),
    ];
    let mut all: Vec<(&Person, &str, Value, Vec<&str>)> = cases
        .into_iter()
        .map(|(who, command, options, words)| {
            (who, command, options, [vec!["merchant"], words].concat())
        })
        .collect();
    let create = |amount: &'static str| vec!["payment", "create", "--merchant", cli, amount];
    all.push((ada, "invoice", text("amount", "NaN"), create("--amount=NaN")));
    all.push((ada, "invoice", text("amount", "-1"), create("--amount=-1")));
    // A subscription is missing.
    all.push((ada, "invoice", text("amount", "1"), create("--amount=1")));
    let unknown = "00000000-0000-4000-8000-000000000000";
    all.push((ada, "payment", text("payment", unknown), vec!["payment", "show", unknown]));
    let test = vec!["webhook", "test", "--merchant", cli, "--url", "ftp://x"];
    all.push((ada, "test_webhook", text("url", "ftp://x"), test));
    for (who, command, options, words) in all {
        let said = discord.command(who, command, options).text();
        let sentence = said.split(".\n-# req_").next().unwrap().to_lowercase();
        let refused = gateway.cli(&words);
        assert_ne!(refused.code, 0, "{words:?}");
        let shell = refused.stderr.trim().strip_prefix("litegate: ").unwrap().to_lowercase();
        // The command line names the API's field, the bot says it in words: the rest is the same.
        let verb = shell.find(" must ").or_else(|| shell.find(" is ")).expect("a verb");
        let (sentence, rest) = (sentence.replace('`', ""), &shell[verb..]);
        assert!(sentence.ends_with(rest), "/{command}, litegate {words:?}: {sentence}; {shell}");
    }
}
