//! The hash chain of the audit log: every check names a changed or removed row.

use std::fs;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// A gateway with five rows in its log.
fn roles() -> Gateway {
    let gateway = Gateway::offline();
    let id = gateway.cli_json(&["merchant", "add", "--name", "one"]).text("merchantId");
    for name in ["two", "three", "four", "five"] {
        gateway.cli_ok(&["merchant", "set-name", &id, name]);
    }
    gateway
}

fn verified(gateway: &Gateway) -> Fields {
    gateway.cli_json(&["audit-log", "--verify"])
}

/// 1. Add a merchant and rename it four times: the log is intact, and its head is printed.
/// 2. Add another row: the head changes.
#[test]
fn an_unmodified_log_is_reported_as_intact() {
    let gateway = roles();
    let before = verified(&gateway);
    assert_eq!((before.raw("intact"), before.raw("rows")), ("true", "5"));
    assert_eq!((before.raw("headId"), before.text("headHash").len()), ("5", 64));
    gateway.cli_ok(&["merchant", "add", "--name", "another"]);
    let after = verified(&gateway);
    assert_eq!((after.raw("rows"), after.raw("headId")), ("6", "6"));
    assert_ne!(after.text("headHash"), before.text("headHash"));
    let text = gateway.cli_ok(&["audit-log", "--verify"]).stdout;
    assert!(text.contains("intact: 6 rows") && text.contains(&after.text("headHash")), "{text}");
}

/// 1. Change a row of the log by SQL, or remove one from its middle.
/// 2. `audit-log --verify` names the row and exits with 1.
/// 3. `doctor` reports it as a failure with a fix.
#[test]
#[ignore = "long"]
fn a_changed_or_removed_row_is_reported() {
    for (sql, named) in [
        ("UPDATE audit_log SET after = 'forged' WHERE id = 3", "row 3 of the audit log"),
        ("UPDATE audit_log SET actor = 'discord:1' WHERE id = 1", "row 1 of the audit log"),
        ("UPDATE audit_log SET hash = zeroblob(32) WHERE id = 5", "row 5 of the audit log"),
        ("DELETE FROM audit_log WHERE id = 2", "row 2 of the audit log is missing"),
        ("DELETE FROM audit_log WHERE id IN (2, 3)", "rows 2 to 3 of the audit log are missing"),
    ] {
        let gateway = roles();
        Database::of(&gateway).damage(sql);
        gateway.cli_fails(&["audit-log", "--verify"], 1, &[named]);
        gateway.cli_fails(&["audit-log", "--verify", "--json"], 1, &["\"intact\":false", named]);
        gateway.cli_fails(&["doctor"], 1, &["failure  audit log", named, "fix: "]);
    }
}

/// 1. The audit is clean.
/// 2. Change a row of the log by SQL: the audit names it and exits with 1.
#[test]
fn the_audit_reports_a_changed_row() {
    let Some(TestEnv { gateway, node: _node, .. }) = TestEnv::alone() else { return };
    gateway.cli_ok(&["audit"]);
    Database::of(&gateway).damage("UPDATE audit_log SET at = at + 1 WHERE id = 1");
    gateway.cli_fails(&["audit"], 1, &["difference: row 1 of the audit log"]);
    let said = gateway.cli(&["audit", "--json"]).stdout;
    assert!(said.contains("\"audit_log\""), "{said}");
}

/// 1. Remove the newest rows by SQL: the rest matches the chain.
/// 2. The file of heads knows a later row: `audit-log --verify` and `doctor` report it.
/// 3. Restore an earlier backup: the log is intact and records where the previous one ended.
#[test]
fn a_truncated_log_is_detected() {
    let gateway = roles();
    let copy = gateway.folder().join("copy.db").display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    gateway.cli_ok(&["merchant", "add", "--name", "another"]);
    let head = verified(&gateway).text("headHash");
    Database::of(&gateway).damage("DELETE FROM audit_log WHERE id > 4");
    gateway.cli_fails(&["audit-log", "--verify"], 1, &["row 6", "the file of heads"]);
    gateway.cli_fails(&["doctor"], 1, &["failure  audit log", "the file of heads"]);
    gateway.cli(&["restore", &copy]); // There is no node to audit it with.
    assert_eq!(verified(&gateway).raw("rows"), "6");
    let newest = &gateway.cli_list(&["audit-log", "--limit", "1"])[0];
    assert_eq!(newest.text("act"), "restore");
    assert!(newest.text("before").contains(&head), "{}", newest.whole());
}

/// 1. Add two rows that the sweeper records.
/// 2. Roll back database and file of heads: they match, but `audit-log --verify`, `doctor` and
///    `audit` report a later row in the sweeper's record.
/// 3. Add rows until the log is longer than before: sweeper and `audit-log --verify` name the
///    row that differs.
/// 4. Run `sweep --trust-audit-log`: the log is intact, and the sweeper follows it again.
#[test]
#[ignore = "long"]
fn the_seal_state_reveals_a_rolled_back_log() {
    let Some(TestEnv { gateway, shop, node: _node }) = TestEnv::alone() else { return };
    let (database, heads) =
        (gateway.setting("database"), format!("{}.heads", gateway.setting("database")));
    let rename = |names: &[&str]| {
        for name in names {
            gateway.cli_ok(&["merchant", "set-name", &shop.merchant_id, name]);
        }
    };
    let await_noted = || {
        let line = format!("audit-log {} ", verified(&gateway).raw("headId"));
        let file = format!("{}.record", gateway.setting("sweeper.seal_key_file"));
        wait_for(&line, SOON, || fs::read_to_string(&file).unwrap().contains(&line));
    };
    gateway.term();
    let before = [&database, &heads].map(|file| (file, fs::read(file).unwrap()));
    gateway.start();
    rename(&["two", "three"]);
    await_noted();
    gateway.term();
    before.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let later = ["the sweeper's record knows row", "are missing"];
    gateway.cli_fails(&["audit-log", "--verify"], 1, &later);
    gateway.cli_fails(&["doctor"], 1, &["failure  audit log", later[0]]);
    gateway.start();
    gateway.cli_fails(&["audit"], 1, &["difference: the audit log ends", later[0]]);
    gateway.await_log(&["the audit log was changed", later[0]]);
    rename(&["four", "five", "six"]);
    let other = ["was rewritten up to row", "the sweeper's record"];
    gateway.await_log(&["the audit log was changed", other[0], other[1]]);
    gateway.cli_fails(&["audit-log", "--verify"], 1, &other);
    gateway.term();
    gateway.cli_ok(&["sweep", "--trust-audit-log"]);
    verified(&gateway);
    gateway.start();
    rename(&["seven"]);
    await_noted();
}
