//! The seal of a backup: a changed copy, or one of another gateway, is refused with the
//! reason.

use std::fs;

use crate::harness::database::Database;
use crate::harness::files::write_private;
use crate::harness::gateway::Gateway;
use crate::harness::test_env::TestEnv;

fn copy_of(gateway: &Gateway, name: &str) -> String {
    let copy = gateway.folder().join(name).display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    copy
}

/// Both commands refuse the copy with these words, and leave the database as it is.
#[track_caller]
fn refused(gateway: &Gateway, copy: &str, words: &[&str]) {
    gateway.cli_fails(&["backup", "--verify", copy], 4, words);
    gateway.cli_fails(&["restore", copy], 4, words);
}

/// 1. Make a backup of a gateway with a swept payment and stop it.
/// 2. Change, add or remove a row in each kind of table: `backup --verify` and `restore` exit
///    with 4 and name the table.
/// 3. A changed or removed seal is refused, also with `--replica`.
/// 4. The unchanged copy is restored and shows when it was made.
#[test]
#[ignore = "long"]
fn a_changed_backup_is_refused_with_the_name_of_the_table() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create_with_webhook("0.05", "http://127.0.0.1:9999/");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", crate::harness::wait::SOON);
    gateway.cli_ok(&["sweep"]);
    let good = copy_of(&gateway, "good.db");
    gateway.term();
    let changes = [
        ("UPDATE payments SET script = zeroblob(22)", "payments"),
        ("UPDATE payments SET created_at = created_at + 1", "payments"),
        ("UPDATE payout_addresses SET effective_at = 1, registered_at = 1", "payout_addresses"),
        ("UPDATE merchants SET key_version = 2", "merchants"),
        ("UPDATE merchants SET discord_id = '7'", "merchants"),
        ("INSERT INTO merchants (id, name, created_at) VALUES (9, 'x', 1)", "merchants"),
        ("UPDATE coins SET amount = amount + 1", "coins"),
        ("UPDATE events SET body = 'x'", "events"),
        (
            "UPDATE blocks SET hash = zeroblob(32) WHERE height = (SELECT max(height) FROM blocks)",
            "blocks",
        ),
        ("DELETE FROM payment_seals", "payment_seals"),
        ("UPDATE identity SET value = 'x'", "identity"),
        ("DELETE FROM audit_log WHERE id = (SELECT max(id) FROM audit_log)", "audit_log"),
        ("UPDATE role_status SET report = '{}'", "role_status"),
    ];
    let copy = gateway.folder().join("copy.db").display().to_string();
    for (sql, table) in changes {
        fs::copy(&good, &copy).unwrap();
        Database::at(copy.as_ref()).damage(&format!("PRAGMA defer_foreign_keys = ON; {sql}"));
        refused(
            &gateway,
            &copy,
            &[&format!("was changed: the table {table} does not match the seal")],
        );
    }
    for (sql, words) in [
        ("UPDATE backup_seal SET value = zeroblob(8) WHERE name = 'made at'", "its seal is wrong"),
        ("DELETE FROM backup_seal WHERE name = 'seal'", "its seal is wrong"),
        ("DROP TABLE backup_seal", "is not sealed"),
    ] {
        fs::copy(&good, &copy).unwrap();
        Database::at(copy.as_ref()).damage(sql);
        refused(&gateway, &copy, &[words]);
    }
    fs::copy(&good, &copy).unwrap();
    Database::at(copy.as_ref()).damage("UPDATE merchants SET name = 'x'");
    gateway.cli_fails(&["restore", "--replica", &copy], 4, &["the table merchants"]);
    let restored = gateway.cli_json(&["restore", &good]);
    assert_eq!(restored.text("madeAt").len(), "2026-01-01T00:00:00.000Z".len());
    gateway.start();
    assert_eq!(shop.status(&payment.id).text("status"), "completed");
    let left =
        Database::of(&gateway).rows("SELECT name FROM sqlite_schema WHERE name = 'backup_seal'");
    assert!(left.is_empty(), "only a copy has a seal");
}

/// 1. Make a backup, then give the gateway another secret.
/// 2. The backup is refused with possible reasons and the fix.
/// 3. With `--old-secret` it is verified and restored, and the gateway starts.
#[test]
fn an_older_backup_is_checked_with_the_old_secret() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    shop.create("0.05");
    let copy = copy_of(&gateway, "copy.db");
    gateway.term();
    let (secret, old) = (gateway.setting("secret_file"), gateway.folder().join("old-secret"));
    write_private(&old, &fs::read(&secret).unwrap());
    write_private(secret.as_ref(), format!("{}\n", "5a".repeat(32)).as_bytes());
    refused(&gateway, &copy, &["made under another secret", "--old-secret"]);
    let wrong = gateway.folder().join("wrong-secret");
    write_private(&wrong, format!("{}\n", "6b".repeat(32)).as_bytes());
    let wrong = wrong.display().to_string();
    let verify = ["backup", "--verify", &copy, "--old-secret"];
    gateway.cli_fails(&[&verify[..], &[&wrong]].concat(), 4, &["made under another secret"]);
    let shown = old.display().to_string();
    gateway.cli_ok(&[&verify[..], &[&shown]].concat());
    gateway.cli_fails(&["restore", &copy, "--old-secret", &wrong], 4, &["under another secret"]);
    gateway.cli_ok(&["restore", &copy, "--old-secret", &shown]);
    gateway.start();
}
