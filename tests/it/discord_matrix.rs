//! Every command from every user and place, and hostile input in every field.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::discord::{ADA, ADDRESS, ADMIN_COMMANDS, BOB, EVE, ROOT, grant, offline, text, user};
use crate::harness::discord::{Discord, GUILD, OTHER_GUILD, Person, Reply};

/// Good options for a command, taken from its definition.
pub(crate) fn options_of(command: &Value, payment: &str, merchant: &str) -> Value {
    let all = command["options"].as_array().cloned().unwrap_or_default();
    let required = all.into_iter().filter(|option| option["required"] == json!(true));
    let options = required.map(|option| {
        let name = option["name"].as_str().unwrap().to_owned();
        let value = match name.as_str() {
            "user" => json!(ADA.to_string()),
            "days" => json!(3),
            "confirmations" | "percent" => json!("4"),
            "events" => json!("late"),
            "ltc_address" => json!(ADDRESS),
            "payment" => json!(payment),
            "merchant" => json!(merchant),
            "amount" => json!("0.5"),
            "name" => json!("A name"),
            "text" => json!("Hello"),
            "url" => json!("http://127.0.0.1:65535/hook"),
            other => panic!("no value for the option {other}: add one"),
        };
        json!({ "name": name, "type": option["type"], "value": value })
    });
    Value::Array(options.collect())
}

/// The commands that can be sent, a command with parts as each of its parts.
pub(crate) fn with_parts(commands: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for command in commands.as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        let options = command["options"].as_array().into_iter().flatten();
        let parts: Vec<&Value> = options.filter(|option| option["type"] == json!(1)).collect();
        if parts.is_empty() {
            all.push((name.to_owned(), command.clone()));
        }
        for part in parts {
            all.push((format!("{name} {}", part["name"].as_str().unwrap()), part.clone()));
        }
    }
    all
}

/// 1. Send every command as stranger, merchant and administrator, on the server, on another
///    one and by message.
/// 2. Each is ephemeral and refused exactly as its role and place require; refusals are
///    logged.
/// 3. A confirmation from another place is refused.
#[test]
#[ignore = "long"]
fn every_command_enforces_its_roles_and_servers() {
    let (discord, gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    let root = Person::admin(ROOT, "root");
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let made = discord.command(&ada, "invoice", text("amount", "0.25"));
    let payment = made.text().split("/pay/").nth(1).unwrap()[..36].to_owned();
    let merchant = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");

    let eve = Person::member(EVE, "eve");
    // Administrators of another server, or roles with the same id from there, do not count.
    let people = [
        ("stranger", eve.clone()),
        ("merchant", ada.clone()),
        ("admin", root.clone()),
        ("merchant elsewhere", ada.at(Some(OTHER_GUILD))),
        ("admin elsewhere", root.at(Some(OTHER_GUILD))),
        ("merchant by message", ada.at(None)),
        ("admin by message", root.at(None)),
    ];
    let commands = with_parts(&discord.commands("guild").unwrap());
    assert!(commands.iter().any(|(name, _)| name == "webhooks failed"));
    for (name, command) in &commands {
        let name = name.as_str();
        let options = options_of(command, &payment, &merchant);
        let is_admins = ADMIN_COMMANDS.contains(&name.split(' ').next().unwrap());
        for (who, person) in &people {
            let reply = discord.command(person, name, options.clone());
            let said = reply.text();
            assert!(reply.is_ephemeral(), "{who} /{name}: {reply:?}");
            assert!(!said.is_empty(), "{who} /{name} says nothing");
            check_harmless(&reply, &format!("{who} /{name}"));
            let refused_admin = said.contains("for administrators");
            let refused_place = said.contains("own server");
            let expected = match (is_admins, *who) {
                (true, "admin") => (false, false),
                (true, _) => (true, false),
                (false, "stranger" | "merchant" | "admin") => (false, false),
                (false, _) => (false, true),
            };
            assert_eq!((refused_admin, refused_place), expected, "{who} /{name}: {said}");
        }
    }
    let refusals = gateway.log_lines(&["refused: no admin"]);
    assert!(refusals.iter().any(|line| line.contains(&EVE.to_string())), "{refusals:?}");
    assert!(refusals.len() >= ADMIN_COMMANDS.len() * 6, "each try is logged");
    assert!(refusals.iter().any(|line| line.contains("webhooks failed")), "with what was wanted");
    let confirmation = discord.command(&root, "suspend", user(ADA));
    for place in [Some(OTHER_GUILD), None] {
        let refused = discord.press(&root.at(place), &confirmation.body, "Suspend");
        assert!(refused.text().contains("for administrators"), "{}", refused.text());
    }
    assert_eq!(root.guild, Some(GUILD));
}

#[test]
fn only_merchants_may_use_commands_in_direct_messages() {
    let (discord, _gateway) = offline(|gateway| gateway.set("discord.global_commands", true));
    let ada = Person::member(ADA, "ada").at(None);
    let reply = discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    assert!(reply.text().contains("from now on"), "{}", reply.text());
    let root = Person::admin(ROOT, "root");
    let refused = discord.command(&root.at(None), "merchants", json!([]));
    assert!(refused.text().contains("for administrators"), "{}", refused.text());
    let elsewhere = discord.command(&ada.at(Some(OTHER_GUILD)), "account", json!([]));
    assert!(elsewhere.text().contains("own server"), "{}", elsewhere.text());
    let refused = discord.complete(&root.at(None), "merchant", "merchant", "");
    assert!(refused.choices().is_empty(), "{refused:?}");
}

/// Expects a response without mentions, within Discord's limits, and without debug output.
#[track_caller]
fn check_harmless(reply: &Reply, what: &str) {
    let said = reply.text();
    let mentions = &reply.body["allowed_mentions"];
    assert_eq!(mentions["parse"], json!([]), "{what}: {}", reply.body);
    for kind in ["users", "roles"] {
        assert!(mentions[kind].as_array().is_none_or(Vec::is_empty), "{what}: {}", reply.body);
    }
    assert!(reply.body["content"].as_str().unwrap_or_default().chars().count() <= 2_000, "{what}");
    assert!(said.chars().count() <= 6_000, "{what}: too long");
    for trace in ["Err(", "Error {", "Some(", "panicked", "src/", "SQLITE", "\u{202e}", "\u{200b}"]
    {
        assert!(!said.contains(trace), "{what}: {trace:?} in {said}");
    }
}

/// Markup that could imitate the gateway or mention users.
fn has_live_markup(text: &str) -> bool {
    let mut before = ' ';
    for c in text.chars() {
        if matches!(c, '*' | '_' | '`' | '|' | '@' | '[' | '<') && before != '\\' {
            return true;
        }
        before = if before == '\\' { ' ' } else { c };
    }
    false
}

/// 1. Set names with control or bidirectional characters, or too long: refused with the
///    reason.
/// 2. Set names with markup: stored unchanged, shown escaped by every command.
/// 3. A hostile Discord name does not prevent an account.
#[test]
fn hostile_names_are_refused_or_escaped() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let refused = [
        ("", "must not be empty"),
        ("   ", "must not be empty"),
        ("a\u{202e}b", "direction of text"),
        ("a\u{2066}b", "direction of text"),
        ("zero\u{200b}width", "direction of text"),
        ("line\nbreak", "control characters"),
        (&"x".repeat(10_000), "at most 64 characters"),
        (&"é".repeat(65), "at most 64 characters"),
    ];
    for (name, reason) in refused {
        let reply = discord.command(&ada, "set_business_name", text("name", name));
        assert!(reply.text().contains(reason), "{name:.20}: {}", reply.text());
        check_harmless(&reply, "/set_business_name");
    }
    let taken = [
        "@everyone",
        "<@&900000000000000003>",
        "**bold** __under__ ||hidden||",
        "[free money](https://evil.example)",
        "`code` ```block```",
        "# heading",
        "<t:0:R> <#1> <:emoji:1>",
        "'; DROP TABLE merchants; --",
        "{0} %s \\",
    ];
    for name in taken {
        let reply = discord.command(&ada, "set_business_name", text("name", name));
        check_harmless(&reply, name);
        let said = reply.text();
        let shown = said.split("Pay **").nth(1).and_then(|rest| rest.strip_suffix("**."));
        let shown = shown.unwrap_or_else(|| panic!("{name}: {said}"));
        assert!(!has_live_markup(shown), "{name}: {shown}");
        let stored = &gateway.cli_list(&["merchant", "list"])[0];
        assert_eq!(stored.text("name"), name.trim(), "stored as it is, shown escaped");
        for (person, command, options) in [
            (&ada, "account", json!([])),
            (&root, "merchants", json!([])),
            (&root, "audit_log", json!([])),
            (&root, "merchant", text("merchant", &stored.text("merchantId"))),
        ] {
            let reply = discord.command(person, command, options);
            check_harmless(&reply, &format!("/{command} with {name}"));
            let said = reply.text();
            assert!(!said.contains(" @everyone") && !said.contains("](https://"), "{said}");
        }
    }
    let bob = Person::member(BOB, "\u{202e}@everyone");
    let reply = discord.command(&bob, "set_address", text("ltc_address", ADDRESS));
    assert!(reply.text().contains("from now on"), "{}", reply.text());
    let names = discord.command(&root, "merchants", json!([])).text();
    assert!(names.contains("My shop"), "{names}");
}

/// 1. Send invalid addresses, amounts, ids and numbers: each is refused in one sentence.
/// 2. Another merchant's payment is refused like an unknown one.
/// 3. Unknown commands, wrong types and forged buttons are refused; the gateway keeps running.
#[test]
fn hostile_addresses_amounts_and_ids_are_refused_in_a_sentence() {
    let (discord, gateway) = offline(|_| ());
    let (ada, eve) = (Person::member(ADA, "ada"), Person::member(EVE, "eve"));
    let root = Person::admin(ROOT, "root");
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let made = discord.command(&ada, "invoice", text("amount", "0.25")).text();
    let payment = made.split("/pay/").nth(1).unwrap()[..36].to_owned();
    let own = made.split('`').nth(1).unwrap().to_owned();
    discord.command(&eve, "set_address", text("ltc_address", ADDRESS));

    let long = "q".repeat(10_000);
    let cases: Vec<(&str, Value, &str)> = vec![
        (
            "set_address",
            text("ltc_address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
            "Bitcoin address",
        ),
        (
            "set_address",
            text("ltc_address", "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9"),
            "main network",
        ),
        ("set_address", text("ltc_address", "LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9"), "main network"),
        ("set_address", text("ltc_address", "tmweb1qq"), "MWEB address"),
        (
            "set_address",
            text("ltc_address", "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs4"),
            "mistyped",
        ),
        ("set_address", text("ltc_address", &own), "address of this gateway"),
        ("set_address", text("ltc_address", &long), "too long"),
        ("set_address", text("ltc_address", "@everyone"), "not a Litecoin address"),
        ("set_address", text("ltc_address", ""), "must not be empty"),
        ("invoice", text("amount", "-1"), "must not be negative"),
        ("invoice", text("amount", "NaN"), "must be a decimal number"),
        ("invoice", text("amount", "0.123456789"), "at most 8 decimals"),
        ("invoice", text("amount", "84000000.00000001"), "must not be above"),
        ("invoice", text("amount", "0.00000001"), "must be at least"),
        ("invoice", text("amount", &"9".repeat(10_000)), "must be a decimal number"),
        ("payment", text("payment", "not an id"), "no such payment"),
        ("payment", text("payment", &long), "no such payment"),
        ("payment", text("payment", "00000000-0000-4000-8000-000000000000"), "no such payment"),
        ("resend_webhook", text("payment", "' OR 1=1 --"), "no such payment"),
        ("notification_settings", text("kind", "node"), "Give both"),
    ];
    for (command, options, words) in cases {
        let reply = discord.command(&ada, command, options.clone());
        let shown: String = options.to_string().chars().take(90).collect();
        assert!(reply.text().contains(words), "/{command} {shown}: {}", reply.text());
        check_harmless(&reply, &shown);
        assert!(!reply.text().contains("@everyone"), "{}", reply.text());
    }
    let theirs = discord.command(&eve, "payment", text("payment", &payment)).text();
    let never = discord
        .command(&eve, "payment", text("payment", "00000000-0000-4000-8000-000000000000"))
        .text();
    let sentence = |text: &str| text.split("\n-# req_").next().unwrap().to_owned();
    assert_eq!(sentence(&theirs), sentence(&never));
    // The id in a refusal finds the log line, with user and command.
    let request = theirs.split("-# ").nth(1).unwrap_or_else(|| panic!("no name in {theirs}"));
    gateway.await_log(&[request, &EVE.to_string(), "payment", "no such payment"]);
    for (days, ok) in
        [(1, true), (3_660, true), (0, false), (3_661, false), (4_000_000_000u32, false)]
    {
        let reply = discord.command(&root, "grant_sub", grant(BOB, days));
        assert_eq!(reply.text().contains(" more.\n"), ok, "{days}: {}", reply.text());
        check_harmless(&reply, "/grant_sub");
    }
    for (confirmations, ok) in [(0, false), (1, true), (250, true), (251, false)] {
        let options = text("confirmations", &confirmations.to_string());
        let reply = discord.command(&ada, "set_confirmations", options);
        assert_eq!(reply.text().contains("New payments need"), ok, "{}", reply.text());
    }
    // Unknown things, and options of the wrong type.
    let odd: [(&str, Value); 5] = [
        ("webhooks", json!([])),
        ("drop_tables", json!([])),
        ("set_address", json!([])),
        ("set_address", json!([{ "name": "ltc_address", "type": 4, "value": 7 }])),
        ("grant_sub", json!([{ "name": "days", "type": 4, "value": 7 }])),
    ];
    for (command, options) in odd {
        let reply = discord.command(&root, command, options.clone());
        assert!(reply.is_ephemeral(), "/{command} {options}");
        check_harmless(&reply, command);
    }
    let forged: BTreeMap<&str, &str> = BTreeMap::from([
        ("yes:", "not yours"),
        ("no:x", "not yours"),
        ("list:payments:-:999999999999", "not yours"),
        ("anything", "not yours"),
    ]);
    for (id, words) in forged {
        let reply = discord.press_id(&ada, &json!({}), id);
        assert!(reply.text().contains(words), "{id}: {}", reply.text());
    }
    let _: &Discord = &discord;
    assert!(gateway.ended().is_none());
}
