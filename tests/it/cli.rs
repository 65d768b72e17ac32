//! Commands: output, refusals and exit codes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// All files below a directory, with their content.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: &std::path::PathBuf| (path.display().to_string(), fs::read(path).unwrap());
    files::files_below(folder, "").iter().map(read).collect()
}

/// 1. Run `init`: it prints mnemonic and xpub and writes secrets with mode 0600.
/// 2. No file contains the mnemonic; `check-config` is content.
/// 3. Run it again: refused, and no file changes.
#[test]
fn init_creates_every_file_once_with_owner_only_secrets() {
    let gateway = Gateway::bare();
    let folder = gateway.folder().display().to_string();
    let init = ["init", "--network", "regtest", "--dir", &folder, "--json"];
    let made = gateway.run(&init);
    assert_eq!(made.code, 0, "{made:?}");
    let said = Fields::of(made.stdout.trim());
    let mnemonic = said.text("mnemonic");
    assert!([12, 24].contains(&mnemonic.split(' ').count()), "a BIP39 mnemonic");
    assert_eq!(said.text("xpub"), gateway.setting("wallet.xpub"));
    for key in
        ["secret_file", "sweeper.seal_key_file", "sweeper.row_key_file", "wallet.signing_key_file"]
    {
        let mode = fs::metadata(gateway.setting(key)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{key}");
    }
    let before = contents(gateway.folder());
    for (path, bytes) in &before {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(&mnemonic), "the mnemonic is shown once, not kept: {path}");
    }
    assert_eq!(gateway.cli(&["check-config"]).code, 0, "what init makes is a valid configuration");
    let again = gateway.run(&init);
    assert_ne!(again.code, 0);
    assert!(!again.stderr.trim().is_empty());
    assert_eq!(contents(gateway.folder()), before, "nothing is overwritten");
}

/// 1. Run `init --xpub`: the configuration is valid, without a signing key.
/// 2. With an xpub of another network it exits with 2 and writes nothing.
#[test]
fn init_with_an_xpub_makes_a_watch_only_gateway() {
    let other = Gateway::offline();
    let gateway = Gateway::bare();
    let folder = gateway.folder().display().to_string();
    let xpub = other.setting("wallet.xpub");
    let arguments = ["init", "--network", "regtest", "--dir", &folder, "--xpub", &xpub];
    let made = gateway.run(&arguments);
    assert_eq!(made.code, 0, "{made:?}");
    assert!(!gateway.config()["wallet"].as_table().unwrap().contains_key("signing_key_file"));
    assert_eq!(gateway.cli(&["check-config"]).code, 0);
    let refused = Gateway::bare();
    let folder = refused.folder().display().to_string();
    let output = refused.run(&["init", "--network", "main", "--dir", &folder, "--xpub", &xpub]);
    assert_eq!(output.code, 2, "a key of regtest on main: {output:?}");
    assert!(contents(refused.folder()).is_empty(), "nothing is left half made");
}

/// The subcommands that a command's help lists.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return Vec::new() };
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned));
    names.filter(|name| name != "help").collect()
}

/// 1. Walk through all commands: each has help with an example, a completion and a manual
///    page.
/// 2. Unknown commands and options exit with 2.
#[test]
fn every_command_has_help_text_and_a_manual_page() {
    let gateway = Gateway::bare();
    let pages = gateway.folder().join("man");
    let written = gateway.run(&["man", pages.to_str().unwrap()]);
    assert_eq!(written.code, 0, "{written:?}");
    let completions = gateway.run(&["completions", "bash"]).stdout;
    let mut open = vec![Vec::<String>::new()];
    let mut seen = 0;
    while let Some(words) = open.pop() {
        let name = words.join(" ");
        let asked: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
        let help = gateway.run(&asked);
        assert_eq!(help.code, 0, "{name}: {help:?}");
        let below = subcommands(&help.stdout);
        if below.is_empty() {
            assert!(help.stdout.to_lowercase().contains("example"), "{name}: no example");
            assert!(completions.contains(&words[words.len() - 1]), "{name}: not completed");
        }
        let page =
            pages.join(format!("{}.1", [&["litegate".to_owned()][..], &words].concat().join("-")));
        let page = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page:?}: {error}"));
        assert!(page.contains(".SH SYNOPSIS"), "{name}: {page}");
        seen += 1;
        open.extend(below.into_iter().map(|next| [&words[..], &[next]].concat()));
    }
    assert_eq!(fs::read_dir(&pages).unwrap().count(), seen, "a page for each command and no other");
    assert!(seen > 30, "{seen} commands only");
    for wrong in [&["no-such-command"][..], &["merchant", "add", "--no-such-option"], &[]] {
        assert_eq!(gateway.run(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(gateway.run(&["--version"]).code, 0);
}

/// 1. List and show a merchant: lists contain no key.
/// 2. Rename it; rotate its key, which revokes the old one.
/// 3. Revoke and grant its subscription; change its address, which waits for the delay.
#[test]
fn merchants_are_managed_from_the_command_line() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let id = shop.merchant_id.clone();
    let id = id.as_str();
    assert!(shop.api_key.starts_with("lg_regtest_"), "{}", shop.api_key);
    let listed = gateway.cli_list(&["merchant", "list"]);
    let ids: Vec<String> = listed.iter().map(|merchant| merchant.text("merchantId")).collect();
    assert_eq!(ids, [id]);
    assert!(!listed[0].whole().contains(&shop.api_key), "a list shows no keys");
    let shown = gateway.cli_json(&["merchant", "show", id]);
    assert_eq!(shown.text("name"), "Corner Shop");
    assert_eq!(shown.text("payoutAddress"), shop.payout_address);
    assert_eq!(shown.raw("subscriptionActive"), "true");

    gateway.cli_ok(&["merchant", "set-name", id, "Corner & Söhne"]);
    let payment = shop.create("0.05");
    assert_eq!(shop.status(&payment.id).text("businessName"), "Corner & Söhne");

    assert_eq!(gateway.cli_json(&["merchant", "view-key", id]).text("apiKey"), shop.api_key);
    let rotated = gateway.cli_json(&["merchant", "rotate-key", id]).text("apiKey");
    assert_ne!(rotated, shop.api_key);
    let old = shop.post(r#"{"amountLtc": 0.05}"#, &[]);
    assert_eq!(old.status, 401, "the old key is dead at once: {}", old.body);
    let shop = shop.with_key(&rotated);
    shop.create("0.05");

    gateway.cli_ok(&["merchant", "revoke", id]);
    assert_eq!(shop.post(r#"{"amountLtc": 0.05}"#, &[]).status, 402);
    gateway.cli_ok(&["merchant", "grant", id, "7"]);
    shop.create("0.05");

    let other = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", id, &other]);
    let shown = gateway.cli_json(&["merchant", "show", id]);
    assert_eq!(shown.text("payoutAddress"), shop.payout_address, "a change takes its time");
    assert_eq!(shown.text("nextPayoutAddress"), other);
}

/// 1. Run commands with invalid addresses, numbers, names and ids.
/// 2. Each fails with one error line and no output; nothing is added.
#[test]
fn invalid_merchant_commands_fail_with_one_clear_line() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::shared() else { return };
    let id = shop.merchant_id.as_str();
    let payment = shop.create("0.05");
    for arguments in [
        &["merchant", "set-address", id, "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9"][..],
        &["merchant", "set-address", id, "rltc1qnonsense"],
        &["merchant", "set-address", id, &payment.address],
        &["merchant", "set-confirmations", id, "0"],
        &["merchant", "grant", id, "0"],
        &["merchant", "set-name", id, ""],
        &["merchant", "set-name", id, &"x".repeat(65)],
        &["merchant", "show", "nobody"],
        &["merchant", "show", "550e8400-e29b-41d4-a716-446655440000"],
        &[
            "merchant",
            "add",
            "--name",
            "X",
            "--payout-address",
            "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
        ],
        &["payment", "show", "550e8400-e29b-41d4-a716-446655440000"],
    ] {
        let output = gateway.cli(arguments);
        assert_ne!(output.code, 0, "{arguments:?}: {output:?}");
        assert_eq!(output.stderr.trim().lines().count(), 1, "{arguments:?}: {}", output.stderr);
        assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    }
    assert_eq!(gateway.cli_list(&["merchant", "list"]).len(), 1, "nothing was added");
}

/// 1. Complete one of two payments.
/// 2. Filter lists by status and merchant; show one with its coins.
/// 3. A limited list says so on standard error.
#[test]
fn payments_can_be_listed_and_shown() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    let (paid, open) = (shop.create("0.05"), shop.create("0.06"));
    let txid = node.send(&paid.address, "0.05");
    node.mine(2);
    shop.await_status(&paid.id, "completed", SOON);
    let ids = |arguments: &[&str]| -> Vec<String> {
        gateway.cli_list(arguments).iter().map(|payment| payment.text("paymentId")).collect()
    };
    let all = ids(&["payment", "list"]);
    assert_eq!(all.len(), 2);
    assert!(all.contains(&paid.id) && all.contains(&open.id));
    assert_eq!(ids(&["payment", "list", "--status", "completed"]), std::slice::from_ref(&paid.id));
    assert_eq!(ids(&["payment", "list", "--status", "pending"]), [open.id]);
    assert_eq!(ids(&["payment", "list", "--merchant", &shop.merchant_id]).len(), 2);
    let shown = gateway.cli_json(&["payment", "show", &paid.id]);
    assert_eq!(shown.text("status"), "completed");
    assert_eq!(shown.raw("amountLtc"), "0.05");
    let coins = shown.objects("coins");
    assert_eq!(coins.len(), 1);
    assert_eq!(coins[0].text("txid"), txid);
    assert_eq!(coins[0].raw("amountLtc"), "0.05");
    let table = gateway.cli_ok(&["payment", "list"]);
    assert!(table.stdout.contains(&paid.id), "{table:?}");
    assert_eq!(table.stderr, "");
    let cut = gateway.cli_ok(&["payment", "list", "--limit", "1"]);
    assert!(cut.stderr.contains("only the newest 1 are shown; see --limit"), "{cut:?}");
}

#[test]
fn doctor_passes_a_sound_gateway_and_reports_a_missing_node() {
    let Some(TestEnv { gateway, node: _node, .. }) = TestEnv::shared() else { return };
    let sound = gateway.doctor();
    assert_eq!(sound.code, 0, "{sound:?}");
    assert!(sound.stdout.lines().count() >= 5, "a line each: {}", sound.stdout);
    let alone = Gateway::offline();
    let sick = alone.doctor();
    assert_eq!(sick.code, 1, "{sick:?}");
    assert!(sick.stdout.to_lowercase().contains("node"), "{sick:?}");
}

#[test]
fn a_signing_key_of_another_wallet_is_refused() {
    let Some(node) = Node::shared() else { return };
    let (gateway, other) = (Gateway::init(&node), Gateway::offline());
    gateway.set("wallet.signing_key_file", other.setting("wallet.signing_key_file"));
    let output = gateway.cli(&["serve"]);
    assert!([2, 4].contains(&output.code), "{output:?}");
    assert!(output.stderr.contains("signing_key_file"), "{output:?}");
}

/// 1. Run with the log level `trace` and complete a payment; use wrong keys and URLs with
///    tokens.
/// 2. No key, secret, cookie or token is in the log.
#[test]
fn no_secret_is_ever_logged() {
    let Some(node) = Node::shared() else { return };
    let TestEnv { gateway, shop, node } = TestEnv::beside(node, |gateway| {
        gateway.set_environment("LITEGATE_LOG", "trace");
        gateway.set_environment("LITEGATE_LOG_FORM", "json");
    });
    let receiver = Receiver::start();
    let payment =
        shop.create_with_webhook("0.05", &receiver.url("/hook?token=planted_in_the_query"));
    shop.post("{", &[]);
    gateway.request(
        "POST",
        "/api/payments",
        &[("x-api-key", "lg_regtest_wrong_key_of_mine")],
        "{}",
    );
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    receiver.await_hit_for(&payment.id, SOON);
    gateway.cli_ok(&["sweep"]);
    let merchant = shop.merchant_id.as_str();
    let secret = gateway.cli_json(&["merchant", "view-webhook-secret", merchant]);
    gateway.term();
    let log = gateway.log();
    let file = |key: &str| fs::read_to_string(gateway.setting(key)).unwrap().trim().to_owned();
    for hidden in [
        &shop.api_key,
        &secret.text("webhookSecret"),
        &file("secret_file"),
        &file("wallet.signing_key_file"),
        &file("sweeper.seal_key_file"),
        &fs::read_to_string(node.cookie_file()).unwrap(),
        "wrong_key_of_mine",
        "planted_in_the_query",
    ] {
        let line = log.lines().find(|line| line.contains(hidden));
        assert!(line.is_none(), "a secret stands in the log: {line:?}");
    }
}

/// 1. Log JSON: the creation of a payment is one line with its id and request.
/// 2. Send SIGHUP: debug lines appear; send it again: the level is restored.
#[test]
fn the_log_can_be_json_and_its_level_changes_at_runtime() {
    let Some(node) = Node::shared() else { return };
    let TestEnv { gateway, shop, node: _node } = TestEnv::beside(node, |gateway| {
        gateway.set_environment("LITEGATE_LOG_FORM", "json");
    });
    let payment = shop.create("0.05");
    let created = || gateway.log_lines(&["\"message\":\"payment created\""]);
    wait_for("the line of the payment", SOON, || !created().is_empty());
    let created = created();
    assert_eq!(created.len(), 1, "{}", gateway.log());
    let line = Fields::of(&created[0]);
    assert_eq!(line.text("payment_id"), payment.id);
    assert!(line.object("span").text("request_id").starts_with("req_"), "{created:?}");
    let debug = || gateway.log_lines(&["\"level\":\"debug\""]).len();
    assert_eq!(debug(), 0);
    gateway.hang_up();
    wait_for("lines of debug", SOON, || {
        shop.status(&payment.id); // Each answer is one of them.
        debug() > 0
    });
    gateway.hang_up();
    wait_for("the old level", SOON, || gateway.log_lines(&["log level changed"]).len() == 2);
}
