//! A merchant's second factor: what it guards, which codes are accepted, and that neither the
//! database nor a restored copy of it turns the factor off.

use std::time::Duration;

use rusqlite::types::Value;

use crate::discord::ADDRESS;
use crate::harness::authenticator::Authenticator;
use crate::harness::database::Database;
use crate::harness::gateway::{Gateway, Output};
use crate::harness::json::Fields;
use crate::harness::test_env::TestEnv;

/// Further addresses that belong to no wallet.
const OTHERS: [&str; 2] = [
    "rltc1qqyqszqgpqyqszqgpqyqszqgpqyqszqgpjt8zj4",
    "rltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
];

const MINUTE: Duration = Duration::from_secs(60);

/// The words of a guarded command without a code.
const NEEDED: [&str; 2] = ["a code", "--code"];

struct Factor {
    app: Authenticator,
    recovery: Vec<String>,
}

/// Begins a second factor.
fn begin(gateway: &Gateway, merchant: &str) -> Authenticator {
    let begun = gateway.cli_json(&["merchant", "second-factor", "enable", merchant]);
    assert_eq!(begun.raw("enabled"), "false");
    assert!(begun.text("url").contains(&begun.text("secret")), "{}", begun.whole());
    Authenticator::of(&begun.text("secret"))
}

/// Enables a second factor.
fn enable(gateway: &Gateway, merchant: &str) -> Factor {
    let app = begin(gateway, merchant);
    let code = app.next_code(gateway);
    let arguments = ["merchant", "second-factor", "confirm", merchant, "--code", &code];
    let enabled = gateway.cli_json(&arguments);
    assert_eq!(enabled.raw("enabled"), "true");
    let recovery: Vec<String> = serde_json::from_str(enabled.raw("recoveryCodes")).unwrap();
    assert_eq!(recovery.len(), 8);
    Factor { app, recovery }
}

fn merchant_of(gateway: &Gateway) -> String {
    gateway.cli_json(&["merchant", "add", "--name", "Corner Shop"]).text("merchantId")
}

fn rotate<'a>(merchant: &'a str, code: &'a str) -> [&'a str; 5] {
    ["merchant", "rotate-key", merchant, "--code", code]
}

fn set_address<'a>(merchant: &'a str, address: &'a str) -> [&'a str; 4] {
    ["merchant", "set-address", merchant, address]
}

/// 1. Begin a factor: it guards nothing yet, and a wrong first code does not enable it.
/// 2. Enable it: first payout address and API key need a code, accepted once and in any
///    spelling.
/// 3. A recovery code is accepted once.
/// 4. Disable it with a code: the audit log has everything except codes and secrets.
#[test]
fn a_code_is_needed_and_accepted_once() {
    let gateway = Gateway::offline();
    let id = merchant_of(&gateway);
    let id = id.as_str();
    let app = begin(&gateway, id);
    gateway.cli_ok(&["merchant", "rotate-key", id]);
    let wrong = app.wrong_code();
    let confirm = ["merchant", "second-factor", "confirm", id, "--code"];
    gateway.cli_fails(&[&confirm[..], &[&wrong]].concat(), 4, &["the code is wrong"]);
    gateway.cli_ok(&["merchant", "rotate-key", id]);

    let Factor { app, recovery } = enable(&gateway, id);
    gateway.cli_fails(&["merchant", "second-factor", "enable", id], 1, &["enabled already"]);
    gateway.cli_fails(&["merchant", "rotate-key", id], 4, &NEEDED);
    gateway.cli_fails(&set_address(id, ADDRESS), 4, &NEEDED);
    assert_eq!(gateway.cli_json(&["merchant", "show", id]).raw("payoutAddress"), "null");
    let used = app.last_code();
    gateway.cli_fails(&rotate(id, &used), 4, &["used already"]);
    let code = app.next_code(&gateway);
    gateway.cli_ok(&[&set_address(id, ADDRESS)[..], &["--code", &code]].concat());
    gateway.cli_fails(&rotate(id, &code), 4, &["used already"]);
    gateway.cli_fails(&rotate(id, &app.wrong_code()), 4, &["after 4 more"]);
    let code = app.next_code(&gateway);
    let piped = gateway
        .cli_after(&format!("printf '{} {}\\n' |", &code[..3], &code[3..]), &rotate(id, "-"));
    assert_eq!(piped.code, 0, "{piped:?}");
    gateway.cli_fails(&set_address(id, OTHERS[0]), 4, &NEEDED);
    gateway.cli_ok(&set_address(id, ADDRESS)); // Is in force already.

    let typed = recovery[0].to_uppercase().replace('-', " ");
    gateway.cli_ok(&rotate(id, &typed));
    gateway.cli_fails(&rotate(id, &recovery[0]), 4, &["the code is wrong"]);
    gateway.cli_ok(&rotate(id, &recovery[7]));

    let code = app.next_code(&gateway);
    gateway.cli_ok(&["merchant", "second-factor", "disable", id, "--code", &code]);
    gateway.cli_ok(&["merchant", "rotate-key", id]);
    gateway.cli_fails(&["merchant", "second-factor", "disable", id], 1, &["not enabled"]);
    let operations = gateway.cli_ok(&["audit-log"]).stdout;
    for words in ["begin", "enable", "pass", "fail", "disable"] {
        assert!(operations.contains(&format!("{words}_second_factor")), "{words}: {operations}");
    }
    assert!(operations.contains("recovery code; 6 left"), "{operations}");
    assert!(!recovery.iter().any(|code| operations.contains(code)), "{operations}");
}

/// 1. Send five wrong codes: the right one is refused, too.
/// 2. After 15 minutes a right code is accepted, and the count restarts.
#[test]
fn five_wrong_codes_lock_for_15_minutes() {
    let gateway = Gateway::offline();
    let id = merchant_of(&gateway);
    let Factor { app, recovery } = enable(&gateway, &id);
    for left in ["4", "3", "2", "1"] {
        let words = format!("after {left} more");
        gateway.cli_fails(&rotate(&id, &app.wrong_code()), 4, &[&words]);
    }
    gateway.cli_fails(&rotate(&id, "nonsense"), 4, &["try again in 15 minutes"]);
    app.let_pass(&gateway, 13 * MINUTE);
    gateway.cli_fails(&rotate(&id, &app.next_code(&gateway)), 4, &["try again in"]);
    gateway.cli_fails(&rotate(&id, &recovery[0]), 4, &["try again in"]);
    app.let_pass(&gateway, MINUTE);
    gateway.cli_ok(&rotate(&id, &app.next_code(&gateway)));
    gateway.cli_fails(&rotate(&id, &app.wrong_code()), 4, &["after 4 more"]);
}

/// The rows of a merchant's factor, and of the merchant.
fn rows(database: &Database) -> [Vec<Value>; 2] {
    ["second_factors", "merchants"].map(|table| {
        let mut rows = database.rows(&format!("SELECT * FROM {table}"));
        assert_eq!(rows.len(), 1, "{table}");
        rows.remove(0)
    })
}

fn put(database: &Database, table: &str, row: &[Value]) {
    if !database.rows(&format!("SELECT 1 FROM {table}")).is_empty() {
        database.tamper(&format!("DELETE FROM {table};"));
    }
    database.put(table, row.to_vec());
}

/// 1. Delete the row of an enabled factor, or roll it back to before a used code, with the
///    merchant's row.
/// 2. Guarded commands are refused and `doctor` names the row; with the right rows they work.
/// 3. Reset a factor whose row is gone, as the operator.
#[test]
#[ignore = "long"]
fn database_changes_do_not_disable_the_second_factor() {
    let gateway = Gateway::offline();
    let id = merchant_of(&gateway);
    let id = id.as_str();
    let database = Database::of(&gateway);
    let without = database.rows("SELECT * FROM merchants").remove(0);
    let Factor { app, recovery } = enable(&gateway, id);
    let [factor, merchant] = rows(&database);
    gateway.cli_ok(&rotate(id, &recovery[0]));
    let newest = rows(&database);
    let refused = |what: &str, words: &str| {
        for command in [&["merchant", "rotate-key", id][..], &rotate(id, &recovery[0])] {
            let said = gateway.cli(command);
            assert_ne!(said.code, 0, "{what}: {said:?}");
            assert!(said.stderr.contains(words), "{what}: {said:?}");
        }
        let said = gateway.cli(&set_address(id, ADDRESS));
        assert_ne!(said.code, 0, "{what}: {said:?}");
    };

    database.tamper("DELETE FROM second_factors;");
    refused("deleted", "cannot be verified");
    gateway.doctor_fails(&["of the table second_factors "]);
    put(&database, "second_factors", &factor);
    refused("an earlier row", "cannot be verified");
    gateway.doctor_fails(&["of the table second_factors "]);
    for (what, older) in [("the merchant's earlier row", &merchant), ("none then", &without)] {
        put(&database, "merchants", older);
        refused(what, "does not verify");
        gateway.doctor_fails(&["of the table merchants "]);
    }
    let [factor, merchant] = &newest;
    put(&database, "merchants", merchant);
    put(&database, "second_factors", factor);
    database.tamper("UPDATE merchants SET second_factor_revision = NULL;");
    refused("no revision", "does not verify");
    put(&database, "merchants", merchant);
    database.tamper("UPDATE second_factors SET wrong = 0, last_step = 0, begun_at = begun_at + 1;");
    refused("a changed row", "cannot be verified");
    put(&database, "second_factors", factor);
    gateway.cli_ok(&rotate(id, &app.next_code(&gateway)));

    database.tamper("DELETE FROM second_factors;");
    gateway.cli_ok(&["merchant", "second-factor", "disable", id]);
    gateway.cli_ok(&["merchant", "rotate-key", id]);
    assert!(gateway.cli_ok(&["audit-log"]).stdout.contains("reset_second_factor"));
    enable(&gateway, id);
}

fn backup(gateway: &Gateway, name: &str) -> String {
    let copy = gateway.folder().join(name).display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    copy
}

fn restore(gateway: &Gateway, copy: &str) -> Output {
    gateway.term();
    let restored = gateway.cli(&["restore", copy]);
    gateway.start();
    restored
}

/// 1. Make backups before and after a factor is enabled; use a recovery code.
/// 2. Restore the second: app codes are accepted, recovery codes are not.
/// 3. Restore the first: guarded commands are refused until the operator resets the factor.
/// 4. A factor reset since the second backup stays off when that is restored.
#[test]
#[ignore = "long"]
fn a_restored_backup_does_not_disable_the_second_factor() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    let id = shop.merchant_id.as_str();
    let before = backup(&gateway, "before.db");
    let Factor { app, recovery } = enable(&gateway, id);
    let after = backup(&gateway, "after.db");
    gateway.cli_ok(&rotate(id, &recovery[0]));

    assert_eq!(restore(&gateway, &after).code, 0);
    gateway.cli_fails(&["merchant", "rotate-key", id], 4, &NEEDED);
    for code in &recovery[..2] {
        gateway.cli_fails(&rotate(id, code), 4, &["the code is wrong"]);
    }
    gateway.cli_ok(&rotate(id, &app.next_code(&gateway)));

    let restored = restore(&gateway, &before);
    assert_eq!(restored.code, 1, "{restored:?}");
    assert!(restored.stdout.contains("of the table second_factors"), "{restored:?}");
    for command in [&["merchant", "rotate-key", id][..], &rotate(id, &app.next_code(&gateway))] {
        gateway.cli_fails(command, 4, &["cannot be verified", "second-factor disable"]);
    }
    gateway.cli_ok(&["merchant", "second-factor", "disable", id]);
    gateway.cli_ok(&["merchant", "rotate-key", id]);

    assert_eq!(restore(&gateway, &after).code, 0);
    gateway.cli_ok(&["merchant", "rotate-key", id]);
    gateway.doctor_ok();
}

/// 1. Rotate the master secret while the gateway serves: the app's secret is encrypted again.
/// 2. After the grace period, without the old secret, a code is accepted.
#[test]
fn the_second_factor_survives_a_master_secret_rotation() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    let id = shop.merchant_id.as_str();
    let Factor { app, .. } = enable(&gateway, id);
    let secret = || Database::of(&gateway).rows("SELECT secret FROM second_factors");
    let before = secret();
    gateway.cli_ok(&["secret", "rotate"]);
    gateway.await_log(&["rows sealed under the new secret"]);
    assert_ne!(secret(), before);
    gateway.cli_ok(&rotate(id, &app.next_code(&gateway)));
    app.let_pass(&gateway, 8 * 24 * 60 * MINUTE);
    gateway.await_log(&["old master secret removed"]);
    gateway.restart();
    gateway.cli_fails(&["merchant", "rotate-key", id], 4, &NEEDED);
    let rotated: Fields = gateway.cli_json(&rotate(id, &app.next_code(&gateway)));
    assert!(rotated.text("apiKey").starts_with("lg_regtest_"));
}
