//! The bot's languages: everything a merchant reads up to the first direct message, and every
//! command's response in every language.

use std::time::Duration;

use serde_json::{Value, json};

use crate::discord::{ADA, ADDRESS, BOB, EVE, ROOT, beside, grant, offline, secret_in, text, user};
use crate::discord_matrix::{options_of, with_parts};
use crate::harness::database::Database;
use crate::harness::discord::{Discord, MERCHANTS_CHANNEL, Person, Reply, readable};
use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// Discord locales with a translation, and English.
const LOCALES: [&str; 5] = ["en-US", "de", "es-ES", "fr", "pt-BR"];

/// Words that are in most English sentences and in none of the other languages.
const ENGLISH: [&str; 12] = [
    " the ",
    " is ",
    " and ",
    " your ",
    " you ",
    " must ",
    " of ",
    " it ",
    " payments ",
    " to ",
    " not ",
    "please",
];

/// No sentence is English; text in backticks is the same in all languages.
#[track_caller]
fn check_no_english(said: &str, what: &str) {
    let prose: String = said.split("```").step_by(2).collect();
    let prose: String = prose.split('`').step_by(2).collect();
    let prose = format!(" {} ", prose.to_lowercase().replace('\n', " "));
    let found: Vec<&&str> = ENGLISH.iter().filter(|word| prose.contains(**word)).collect();
    assert!(found.is_empty(), "{what}: {found:?} in {said}");
}

/// 1. Set up a merchant whose Discord is German, up to a completed payment: every response and
///    message is German.
/// 2. Change the language to French: responses, and older notifications, are French.
/// 3. The CLI shows them in English.
#[test]
fn a_german_merchant_reads_only_german_to_the_first_payment() {
    let Some(node) = Node::start() else { return };
    let (discord, gateway) = beside(&node, |gateway| gateway.set("sweeper.interval", "1s"));
    let ada = Person::member(ADA, "ada").speaking("de");
    let root = Person::admin(ROOT, "root");
    let said = |name: &str, options: Value, words: &str| -> Reply {
        let reply = discord.command(&ada, name, options);
        let text = reply.text();
        assert!(text.contains(words), "/{name}: {text}");
        check_no_english(&text, name);
        reply
    };

    said("view_key", json!([]), "Du hast noch kein Händlerkonto; beginne mit `/set_address`.");
    let address = node.fresh_address();
    said("set_address", text("ltc_address", &address), "Auszahlungen gehen ab jetzt an");
    said("invoice", text("amount", "0.05"), "Das Abonnement ist nicht aktiv");
    said("help", json!([]), "✘ **Abonnement**: Ein Administrator");
    discord.command(&root, "grant_sub", grant(ADA, 1));
    said("subscription", json!([]), "Dein Abonnement läuft bis <t:");
    let key = secret_in(&said("view_key", json!([]), "Dein API-Schlüssel: ||`lg_regtest_"));
    let help = said("help", json!([]), "✔ **API-Schlüssel**: `/view_key`");
    assert!(!help.text().contains('✘'), "all three steps are done: {}", help.text());

    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    said("set_webhook_url", text("url", &url), "Ab jetzt gehen Webhooks an");
    said("test_webhook", text("url", &url), "✔ HTTP 200");
    let payment = Shop::with_key_of(&gateway, &key)
        .create_with("{\"amountLtc\": 0.05, \"reference\": \"Nr. *17* {id}\"}");
    node.send(&payment.address, "0.05");
    node.mine(2);
    let message = discord.await_message(ADA, &["Deine erste Zahlung ist abgeschlossen: 0.05 LTC"]);
    let notified = readable(&message.body);
    assert!(notified.contains("Neues von deinem Shop"), "{notified}");
    assert!(
        notified.contains("(Bestellung Nr. \\*17\\* {id})"),
        "as it is, without markup: {notified}"
    );
    assert!(notified.contains(&format!("`/payment {}`", payment.id)), "{notified}");
    check_no_english(&notified, "the direct message");
    said("payments", json!([]), "0.05 LTC · abgeschlossen · <t:");
    wait_for("the payout", SOON, || {
        let shown = said("payment", text("payment", &payment.id), "abgeschlossen (bezahlt)");
        shown.text().contains("Ausgezahlt mit")
    });
    said("payouts", json!([]), "Gebühr");
    said("account", json!([]), "Nächste Auszahlung");
    said("notifications", json!([]), "Deine erste Zahlung ist abgeschlossen");
    assert!(discord.broken_limits().is_empty(), "{:?}", discord.broken_limits());
    let confirmation = discord.command(&ada.speaking("fr"), "rotate_key", json!([]));
    assert_eq!(confirmation.buttons(), ["Remplacer la clé", "Laisser ainsi"]);
    let done = discord.press(&ada.speaking("fr"), &confirmation.body, "Remplacer la clé");
    assert!(done.text().contains("Votre clé d'API : ||`lg_"), "{}", done.text());
    let notifications = discord.command(&ada.speaking("fr"), "notifications", json!([])).text();
    assert!(notifications.contains("Votre premier paiement est terminé"), "{notifications}");
    let id = gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    let shell = gateway.cli_ok(&["merchant", "notifications", &id]).stdout;
    assert!(shell.contains("Your first payment is complete: 0.05 LTC"), "{shell}");
}

/// 1. Notify merchants with different languages by CLI: messages and channel mentions use the
///    last language of each, or English.
/// 2. An administrator's notification uses their language.
/// 3. An invalid locale is not stored.
#[test]
#[ignore = "long"]
fn direct_messages_use_the_last_language_of_their_reader() {
    let (discord, gateway) = offline(|gateway| {
        let id = toml::Value::Integer(i64::try_from(MERCHANTS_CHANNEL).unwrap());
        gateway.set("discord.notifications_channel_id", id);
    });
    let people = [
        (
            ADA,
            "de",
            "API-Schlüssel wurde ersetzt",
            "Auf dich wartet 1 Mitteilung: `/notifications`",
        ),
        (BOB, "pt-BR", "chave de API foi trocada", "1 aviso espera por você: `/notifications`"),
        (EVE, "ja", "API key was replaced", "1 notification waits for you: `/notifications`"),
    ];
    for (minutes, (id, locale, words, waits)) in (2..).step_by(2).zip(people) {
        let person = Person::member(id, "someone").speaking(locale);
        discord.command(&person, "set_address", text("ltc_address", ADDRESS));
        let stored = Database::of(&gateway)
            .rows(&format!("SELECT locale FROM discord_locales WHERE discord_id = '{id}'"));
        assert_eq!(stored, [[rusqlite::types::Value::Text(locale.to_owned())]]);
        let merchants = gateway.cli_list(&["merchant", "list"]);
        let owner = merchants.iter().find(|m| m.raw("discordId").contains(&id.to_string()));
        let merchant = owner.unwrap().text("merchantId");
        // The CLI does it, so that no interaction sets the language.
        gateway.cli_ok(&["merchant", "rotate-key", &merchant]);
        discord.await_message(id, &[words]);
        // A user without direct messages is mentioned in the channel, in their language.
        discord.close_messages(id, true);
        // Messages to a user are at least a minute apart.
        gateway.let_pass(Duration::from_secs(60 * minutes));
        gateway.cli_ok(&["merchant", "rotate-webhook-secret", &merchant]);
        discord.await_message(MERCHANTS_CHANNEL, &[&format!("<@{id}>"), waits]);
    }
    let root = Person::admin(ROOT, "root").speaking("es-419");
    discord.join(&root);
    discord.command(&root, "stats", json!([]));
    gateway.await_log(&["commands registered"]);
    let report = r#"{"kind":"at_tip","height":5,"mode":{"polling":"silent"}}"#;
    Database::of(&gateway).write(&format!(
        "INSERT INTO role_status (role, at, report) VALUES ('watcher', 1, '{report}')
         ON CONFLICT (role) DO UPDATE SET report = excluded.report"
    ));
    discord.await_message(ROOT, &["El ZMQ del nodo no dice nada", "`/node`"]);
    // An impossible locale is not stored.
    let odd = Person::member(BOB, "bob").speaking(&"x".repeat(200));
    assert!(discord.command(&odd, "docs", json!([])).text().contains("integration guide"));
    let kept =
        Database::of(&gateway).rows("SELECT count(*) FROM discord_locales WHERE locale LIKE 'x%'");
    assert_eq!(kept, [[rusqlite::types::Value::Integer(0)]]);
}

/// A gateway with an account, a payment and a receiver, whose owner uses this language.
struct Scene {
    discord: Discord,
    gateway: Gateway,
    ada: Person,
    root: Person,
    payment: String,
    merchant: String,
    /// Responses, by command.
    said: Vec<(String, String)>,
}

impl Scene {
    fn open(locale: &str) -> Scene {
        let (discord, gateway) = offline(|gateway| {
            let id = toml::Value::Integer(i64::try_from(MERCHANTS_CHANNEL).unwrap());
            gateway.set("discord.notifications_channel_id", id);
        });
        let ada = Person::member(ADA, "ada").speaking(locale);
        let root = Person::admin(ROOT, "root").speaking(locale);
        let mut scene = Scene {
            discord,
            gateway,
            ada,
            root,
            payment: String::new(),
            merchant: String::new(),
            said: Vec::new(),
        };
        scene.before_anything();
        scene
    }

    fn note(&mut self, what: &str, reply: &Reply) {
        let mut said = reply.text();
        let labels = reply.body["components"].as_array().cloned().unwrap_or_default();
        for row in labels {
            for button in row["components"].as_array().into_iter().flatten() {
                said.push_str(&format!("\n[{}]", button["label"].as_str().unwrap_or_default()));
            }
        }
        for (name, _) in reply.choices() {
            said.push_str(&format!("\n- {name}"));
        }
        self.said.push((what.to_owned(), said));
    }

    fn say(&mut self, person: &Person, name: &str, options: Value) -> Reply {
        let reply = self.discord.command(person, name, options.clone());
        let who = if person.id == ROOT { "an administrator" } else { "a merchant" };
        let given: Vec<String> = options
            .as_array()
            .into_iter()
            .flatten()
            .map(|option| format!(" {}", option["value"].to_string().trim_matches('"')))
            .collect();
        self.note(&format!("{who}: /{name}{}", given.concat()), &reply);
        reply
    }

    fn press(&mut self, person: &Person, confirmation: &Reply, place: usize) -> Reply {
        let label = confirmation.buttons()[place].clone();
        let reply = self.discord.press(person, &confirmation.body, &label);
        self.note(&format!("[{label}]"), &reply);
        reply
    }

    /// Responses for a user without an account, and empty lists.
    fn before_anything(&mut self) {
        let (ada, root) = (self.ada.clone(), self.root.clone());
        self.say(&ada, "account", json!([]));
        self.say(&ada, "help", json!([]));
        self.say(&ada, "stats", json!([]));
        self.say(&root, "merchants", json!([]));
        self.say(&root, "revoke_sub", user(BOB));
        self.say(&ada, "set_address", text("ltc_address", ADDRESS));
        for list in ["payments", "payouts", "notifications", "subscription"] {
            self.say(&ada, list, json!([]));
        }
        self.say(&ada, "invoice", text("amount", "0.25"));
        self.say(&root, "grant_sub", grant(ADA, 1));
        self.say(&root, "grant_sub", grant(ADA, 30));
        let made = self.say(&ada, "invoice", text("amount", "0.25"));
        self.payment = made.text().split("/pay/").nth(1).unwrap()[..36].to_owned();
        self.merchant = self.gateway.cli_list(&["merchant", "list"])[0].text("merchantId");
    }

    /// Every command that there is, with good options.
    fn every_command(&mut self) {
        let commands = with_parts(&self.discord.commands("guild").unwrap());
        for (name, command) in &commands {
            let is_admins =
                crate::discord::ADMIN_COMMANDS.contains(&name.split(' ').next().unwrap());
            let person = if is_admins { self.root.clone() } else { self.ada.clone() };
            let options = options_of(command, &self.payment, &self.merchant);
            self.say(&person, name, options);
        }
    }

    /// Confirmations, and the responses to yes and no.
    fn confirmations(&mut self) {
        let (ada, root) = (self.ada.clone(), self.root.clone());
        let second = "rltc1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpjt8zj4";
        let confirmation = self.say(&ada, "set_address", text("ltc_address", second));
        self.press(&ada, &confirmation, 0);
        self.press(&ada, &confirmation, 0);
        self.say(&ada, "account", json!([]));
        self.say(&ada, "cancel_address_change", json!([]));
        for command in ["rotate_key", "rotate_webhook_secret"] {
            let confirmation = self.say(&ada, command, json!([]));
            self.press(&ada, &confirmation, 1);
            let confirmation = self.say(&ada, command, json!([]));
            self.press(&ada, &confirmation, 0);
        }
        self.say(&ada, "rotate_key", json!([{ "name": "old_key", "type": 4, "value": 1 }]));
        for (command, options) in [
            ("suspend", user(ADA)),
            ("webhooks resend", text("merchant", &self.merchant)),
            ("announce", text("text", "Hallo")),
        ] {
            let confirmation = self.say(&root, command, options);
            self.press(&root, &confirmation, 0);
        }
        self.say(&ada, "subscription", json!([]));
        self.say(&ada, "invoice", text("amount", "0.25"));
        self.say(&root, "merchants", json!([]));
        self.say(&root, "merchant", text("merchant", &self.merchant.clone()));
        self.say(&root, "suspend", user(ADA));
        self.say(&root, "unsuspend", user(ADA));
        self.say(&root, "unsuspend", user(ADA));
        let confirmation = self.say(&root, "revoke_sub", user(ADA));
        self.press(&root, &confirmation, 0);
        self.say(&ada, "subscription", json!([]));
        self.say(&root, "grant_sub", grant(ADA, 3));
    }

    /// Refusals.
    fn refusals(&mut self) {
        let (ada, root) = (self.ada.clone(), self.root.clone());
        let number = |name: &str, value: i64| json!([{ "name": name, "type": 4, "value": value }]);
        let cases = [
            ("set_address", text("ltc_address", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")),
            ("set_address", text("ltc_address", "LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9")),
            ("set_address", text("ltc_address", "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7k693xs4")),
            ("set_address", text("ltc_address", "")),
            ("set_address", json!([])),
            ("set_business_name", text("name", " ")),
            ("set_confirmations", text("confirmations", "251")),
            ("set_confirmations", text("confirmations", "1 below 0.2, 3 below 2")),
            ("set_confirmations", text("confirmations", "many")),
            ("set_tolerance", text("percent", "1.5")),
            ("set_tolerance", text("percent", "0")),
            ("set_tolerance", text("percent", "11")),
            ("set_events", text("events", "late, seen")),
            ("set_events", text("events", "none")),
            ("set_events", text("events", "paid")),
            ("accept", text("payment", &self.payment)),
            ("cancel_payment", text("payment", &self.payment)),
            ("set_confirmations", text("confirmations", "1")),
            ("set_webhook_url", text("url", "ftp://shop.example")),
            ("set_webhook_url", text("url", "none")),
            ("set_webhook_url", json!([])),
            ("invoice", text("amount", "NaN")),
            ("invoice", text("amount", "0.00000001")),
            ("payment", text("payment", "00000000-0000-4000-8000-000000000000")),
            ("resend_webhook", text("payment", &self.payment)),
            ("payouts", text("month", "2026-13")),
            ("payouts", text("month", "2001-01")),
            ("payments", number("status", 0)),
            ("payments", number("status", 2)),
            ("notification_settings", text("kind", "paid")),
            ("cancel_address_change", json!([])),
            ("rotate_key", number("old_key", 9)),
            ("drop_tables", json!([])),
        ];
        for (command, options) in cases {
            self.say(&ada, command, options);
        }
        self.say(&root, "merchant", text("merchant", "nobody"));
        self.say(&root, "merchant", text("merchant", "mer_000000000000"));
        self.say(&root, "grant_sub", grant(BOB, 0));
        self.say(&root, "webhooks", json!([]));
        self.say(&root, "announce", text("text", " "));
        let reply = self.discord.press_id(&ada, &json!({}), "yes:forged");
        self.note("a forged button", &reply);
        let elsewhere = self.say(&ada.at(None), "docs", json!([]));
        assert!(elsewhere.is_ephemeral());
        let offered = self.discord.complete(&ada, "notification_settings", "kind", "");
        self.note("typing into /notification_settings kind", &offered);
        let offered = self.discord.complete(&ada, "payment", "payment", "");
        self.note("typing into /payment payment", &offered);
        // The hourly limit of shown secrets, and waiting notifications.
        for _ in 0..6 {
            let reply = self.discord.command(&ada, "view_key", json!([]));
            if reply.text().contains("req_") {
                self.note("a key that is shown too often", &reply);
            }
        }
    }
}

/// Replaces values that differ between runs.
fn masked(said: &str, scene: &Scene) -> String {
    let mut text = said
        .replace(&scene.merchant, "MERCHANT")
        .replace(&format!(":{}", scene.gateway.port()), ":PORT")
        .replace(&scene.gateway.folder().display().to_string(), "FOLDER");
    // The text behind these words is replaced, as far as its characters go.
    let hex = |c: char| c.is_ascii_hexdigit();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text = behind(&text, "||`", &|c| c != '`', "SECRET");
    text = behind(&text, "<t:", &hex, "TIME");
    text = behind(&text, "req_", &hex, "NUMBER");
    text = behind(&text, "`evt_", &word, "EVENT");
    text = behind(&text, "`rltc1", &word, "…");
    text = words(&text, &|part: &str| match part.len() {
        // The id of a payment.
        36 if part.matches('-').count() == 4 => Some("PAYMENT"),
        _ => None,
    });
    let lines = text.lines().map(|line| match (line.ends_with(" ms"), line.contains("Z")) {
        (true, _) => words(line, &|part| part.parse::<u32>().is_ok().then_some("N")),
        (false, true) => times(line),
        (false, false) => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn behind(text: &str, before: &str, fits: &dyn Fn(char) -> bool, instead: &str) -> String {
    let mut parts = text.split(before);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c| !fits(c)).unwrap_or(part.len());
        out.push_str(&format!("{before}{instead}{}", &part[end..]));
    }
    out
}

/// Puts something instead of words that are made of letters, digits and hyphens.
fn words(text: &str, instead: &dyn Fn(&str) -> Option<&'static str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_word = |c: char| c.is_alphanumeric() || c == '-';
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(instead(word).unwrap_or(word));
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

/// Times as shown in the audit log.
fn times(line: &str) -> String {
    let time = |word: &str| word.len() > 20 && word.starts_with("20") && word.ends_with('Z');
    line.split(' ').map(|word| if time(word) { "TIME" } else { word }).collect::<Vec<_>>().join(" ")
}

/// Runs all commands in one language and compares the responses with the recorded ones.
fn check_language(locale: &str) {
    let mut scene = Scene::open(locale);
    scene.every_command();
    scene.confirmations();
    scene.refusals();
    assert!(scene.discord.broken_limits().is_empty(), "{:?}", scene.discord.broken_limits());
    let mut found = String::new();
    for (what, said) in &scene.said {
        assert!(!said.contains(['{', '}']), "{locale}: {what}: {said}");
        assert!(!said.contains("|Best") && !said.is_empty(), "{locale}: {what}: {said}");
        if locale != "en-US" {
            check_no_english(said, &format!("{locale}: {what}"));
        }
        let (what, said) = (masked(what, &scene), masked(said, &scene));
        let indented: Vec<String> = said.lines().map(|line| format!("    {line}")).collect();
        found.push_str(&format!("{what}\n{}\n\n", indented.join("\n")));
    }
    let file = files::project().join(format!("tests/it/discord_answers/{locale}.txt"));
    if std::env::var_os("ACCEPT").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).find(|(now, before)| now != before);
    assert!(
        found == expected,
        "{locale}: what the bot says has changed ({differs:?}); if that is meant, run this test \
         with ACCEPT=1"
    );
}

/// Names of commands are English for every user, and the reference lists each command.
#[test]
fn the_reference_lists_each_command_by_its_one_name() {
    let printed = Gateway::bare().run(&["bot", "commands", "--json"]).stdout;
    let commands: Value = serde_json::from_str(&printed).unwrap();
    let page = files::project().join("static/docs/reference/discord-commands.md");
    let reference = std::fs::read_to_string(page).unwrap();
    for command in commands.as_array().unwrap() {
        let name = command["name"].as_str().unwrap();
        let named = [format!("`/{name}`"), format!("`/{name} ")];
        assert!(
            named.iter().any(|name| reference.contains(name)),
            "discord-commands.md lacks /{name}"
        );
        let translated = command["name_localizations"].as_object();
        assert!(translated.is_none_or(serde_json::Map::is_empty), "/{name}: {translated:?}");
    }
}

#[test]
fn every_bot_reply_is_in_english() {
    check_language(LOCALES[0]);
}

#[test]
fn every_bot_reply_is_in_german() {
    check_language(LOCALES[1]);
}

#[test]
#[ignore = "long: as the German, in Spanish"]
fn every_bot_reply_is_in_spanish() {
    check_language(LOCALES[2]);
}

#[test]
#[ignore = "long: as the German, in French"]
fn every_bot_reply_is_in_french() {
    check_language(LOCALES[3]);
}

#[test]
#[ignore = "long: as the German, in Portuguese"]
fn every_bot_reply_is_in_portuguese() {
    check_language(LOCALES[4]);
}

#[test]
fn hostile_names_are_escaped_in_every_language() {
    let (discord, _gateway) = offline(|_| ());
    let ada = Person::member(ADA, "ada");
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    let evil = "**b** {/help} {name} <@1> @everyone";
    for locale in LOCALES {
        let ada = ada.speaking(locale);
        let said = discord.command(&ada, "set_business_name", text("name", evil)).text();
        let shown = "\\*\\*b\\*\\* {/help} {name} \\<\\@1\\> \\@everyone";
        assert!(said.contains(shown), "{locale}: {said}");
        let account = discord.command(&ada, "account", json!([])).text();
        assert!(account.contains(shown), "{locale}: {account}");
    }
}

/// 1. Let a command or a button panic: the response is one translated sentence with the
///    request's id, which the log has.
/// 2. The bot continues.
#[test]
fn a_panic_in_a_command_or_button_is_reported_in_one_sentence() {
    for (point, words) in [("command", "/docs"), ("button", "Nothing was changed")] {
        let mut arm = None;
        let (discord, gateway) = offline(|gateway| {
            let file = gateway.folder().join("armed");
            gateway.set_environment("LITEGATE_CRASH_AT", &format!("{point}@{}", file.display()));
            arm = Some(file);
        });
        let arm = arm.unwrap();
        let ada = Person::member(ADA, "ada").speaking("de");
        discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
        let confirmation = discord.command(&ada, "rotate_key", json!([]));
        let ask = |person: &Person| match point {
            "command" => discord.command(person, "docs", json!([])),
            _ => discord.press(person, &confirmation.body, &confirmation.buttons()[1]),
        };
        std::fs::write(&arm, "").unwrap();
        let said = ask(&ada);
        assert!(said.is_ephemeral(), "{said:?}");
        let text = said.text();
        let number = text.strip_prefix(
            "Bei uns ist etwas schiefgegangen; versuche es später noch einmal (im Log als req_",
        );
        let number =
            number.and_then(|rest| rest.strip_suffix(").")).unwrap_or_else(|| panic!("{text}"));
        assert!(number.chars().all(|c| c.is_ascii_hexdigit()), "{text}");
        gateway.await_log(&[&format!("req_{number}"), "panic"]);
        // The bot continues.
        std::fs::remove_file(&arm).unwrap();
        let again = ask(&ada.speaking("en-US")).text();
        assert!(again.contains(words), "{again}");
    }
}

#[test]
fn a_database_failure_is_reported_in_one_sentence() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.command(&ada, "invoice", text("amount", "0.25"));
    assert_eq!(discord.complete(&ada, "payment", "payment", "").choices().len(), 1);
    Database::of(&gateway).write("ALTER TABLE payments RENAME TO payments_gone");
    let offered = discord.complete(&ada, "payment", "payment", "");
    assert_eq!(offered.kind, 8, "an answer, and no error: {offered:?}");
    assert!(offered.choices().is_empty(), "{offered:?}");
    let said = discord.command(&ada.speaking("fr"), "payments", json!([])).text();
    assert!(said.starts_with("Quelque chose s'est mal passé de notre côté"), "{said}");
    assert!(said.contains("req_") && !said.contains("payments"), "{said}");
    gateway.await_log(&["a command failed", "payments"]);
}

/// 1. Slow down reading payments to seconds.
/// 2. Autocompletion answers empty within 1.5 seconds.
#[test]
fn autocompletion_does_not_wait_for_a_slow_database() {
    let (discord, gateway) = offline(|_| ());
    let (ada, root) = (Person::member(ADA, "ada"), Person::admin(ROOT, "root"));
    discord.command(&root, "grant_sub", grant(ADA, 30));
    discord.command(&ada, "set_address", text("ltc_address", ADDRESS));
    discord.command(&ada, "invoice", text("amount", "0.25"));
    let offered = || discord.complete(&ada, "payment", "payment", "");
    assert_eq!(offered().choices().len(), 1, "{:?}", offered());
    Database::at(gateway.setting("database").as_ref()).write(
        "ALTER TABLE payments RENAME TO payments_quick;
         CREATE VIEW payments AS SELECT * FROM payments_quick WHERE
           (WITH RECURSIVE slow (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM slow LIMIT 40000000)
            SELECT count(*) FROM slow) > 0",
    );
    assert!(offered().choices().is_empty(), "it waited for the database: {:?}", offered());
}
