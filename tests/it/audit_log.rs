//! The audit log's hash chain: a row that somebody changed or removed is named by every check.

use std::fs;

use crate::harness::database::Database;
use crate::harness::gate::Gate;
use crate::harness::json::Fields;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for};

/// A gateway with five rows in its log.
fn gateway() -> Gate {
    let gate = Gate::offline();
    let id = gate.cli_json(&["merchant", "add", "--name", "one"]).text("merchantId");
    for name in ["two", "three", "four", "five"] {
        gate.cli_ok(&["merchant", "set-name", &id, name]);
    }
    gate
}

fn verified(gate: &Gate) -> Fields {
    gate.cli_json(&["audit-log", "--verify"])
}

// 1. A merchant is added and renamed four times: the log is intact, and its head is printed.
// 2. One more row makes another head.
#[test]
fn an_untouched_log_is_intact() {
    let gate = gateway();
    let before = verified(&gate);
    assert_eq!((before.raw("intact"), before.raw("rows")), ("true", "5"));
    assert_eq!((before.raw("headId"), before.text("headHash").len()), ("5", 64));
    gate.cli_ok(&["merchant", "add", "--name", "another"]);
    let after = verified(&gate);
    assert_eq!((after.raw("rows"), after.raw("headId")), ("6", "6"));
    assert_ne!(after.text("headHash"), before.text("headHash"));
    let text = gate.cli_ok(&["audit-log", "--verify"]).stdout;
    assert!(text.contains("intact: 6 rows") && text.contains(&after.text("headHash")), "{text}");
}

// 1. Somebody changes a row of the log, or removes one in its middle.
// 2. `audit-log --verify` names the row and exits with 1.
// 3. `doctor` names it as a failure, with what to do.
#[test]
#[ignore = "long"]
fn a_changed_or_removed_row_is_named() {
    for (sql, named) in [
        ("UPDATE audit_log SET after = 'forged' WHERE id = 3", "row 3 of the audit log"),
        ("UPDATE audit_log SET actor = 'discord:1' WHERE id = 1", "row 1 of the audit log"),
        ("UPDATE audit_log SET hash = zeroblob(32) WHERE id = 5", "row 5 of the audit log"),
        ("DELETE FROM audit_log WHERE id = 2", "row 2 of the audit log is missing"),
        ("DELETE FROM audit_log WHERE id IN (2, 3)", "rows 2 to 3 of the audit log are missing"),
    ] {
        let gate = gateway();
        Database::of(&gate).damage(sql);
        gate.cli_fails(&["audit-log", "--verify"], 1, &[named]);
        gate.cli_fails(&["audit-log", "--verify", "--json"], 1, &["\"intact\":false", named]);
        gate.cli_fails(&["doctor"], 1, &["failure  audit log", named, "fix: "]);
    }
}

// 1. The audit is clean.
// 2. Somebody changes a row of the log: the audit names it and exits with 1.
#[test]
fn the_audit_names_a_changed_row() {
    let Some(Stage { gate, node: _node, .. }) = Stage::alone() else { return };
    gate.cli_ok(&["audit"]);
    Database::of(&gate).damage("UPDATE audit_log SET at = at + 1 WHERE id = 1");
    gate.cli_fails(&["audit"], 1, &["difference: row 1 of the audit log"]);
    let said = gate.cli(&["audit", "--json"]).stdout;
    assert!(said.contains("\"audit_log\""), "{said}");
}

// 1. Somebody removes the newest rows of the log: what is left fits the chain.
// 2. The file of heads knows of a later row: `audit-log --verify` and `doctor` say so.
// 3. A backup from before is restored: the log is intact, and says where the one before ended.
#[test]
fn a_log_that_was_cut_off_is_noticed() {
    let gate = gateway();
    let copy = gate.folder().join("copy.db").display().to_string();
    gate.cli_ok(&["backup", &copy]);
    gate.cli_ok(&["merchant", "add", "--name", "another"]);
    let head = verified(&gate).text("headHash");
    Database::of(&gate).damage("DELETE FROM audit_log WHERE id > 4");
    gate.cli_fails(&["audit-log", "--verify"], 1, &["row 6", "the file of heads"]);
    gate.cli_fails(&["doctor"], 1, &["failure  audit log", "the file of heads"]);
    gate.cli(&["restore", &copy]); // There is no node to audit it with.
    assert_eq!(verified(&gate).raw("rows"), "6");
    let newest = &gate.cli_list(&["audit-log", "--limit", "1"])[0];
    assert_eq!(newest.text("act"), "restore");
    assert!(newest.text("before").contains(&head), "{}", newest.whole());
}

// 1. The sweeper runs. Two rows are added to the log, and the sweeper notes the newest one.
// 2. Somebody puts database and file of heads back as they were before: the log fits its file of
//    heads. `audit-log --verify`, `doctor` and `audit` say that the sweeper's record knows a later
//    row.
// 3. The gateway runs on. Rows are added until the log is longer than before: the sweeper names the
//    row that is another one, and so does `audit-log --verify`.
// 4. The operator takes the log as it is, and it is intact; the sweeper follows it again.
#[test]
#[ignore = "long"]
fn the_sweepers_record_finds_a_log_that_was_put_back() {
    let Some(Stage { gate, shop, node: _node }) = Stage::alone() else { return };
    let (database, heads) =
        (gate.setting("database"), format!("{}.heads", gate.setting("database")));
    let rename = |names: &[&str]| {
        for name in names {
            gate.cli_ok(&["merchant", "set-name", &shop.merchant_id, name]);
        }
    };
    let await_noted = || {
        let line = format!("audit-log {} ", verified(&gate).raw("headId"));
        let file = format!("{}.record", gate.setting("sweeper.seal_key_file"));
        wait_for(&line, SOON, || fs::read_to_string(&file).unwrap().contains(&line));
    };
    gate.term();
    let before = [&database, &heads].map(|file| (file, fs::read(file).unwrap()));
    gate.start();
    rename(&["two", "three"]);
    await_noted();
    gate.term();
    before.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let later = ["the sweeper's record knows row", "are missing"];
    gate.cli_fails(&["audit-log", "--verify"], 1, &later);
    gate.cli_fails(&["doctor"], 1, &["failure  audit log", later[0]]);
    gate.start();
    gate.cli_fails(&["audit"], 1, &["difference: the audit log ends", later[0]]);
    gate.await_log(&["the audit log was changed", later[0]]);
    rename(&["four", "five", "six"]);
    let other = ["was rewritten up to row", "the sweeper's record"];
    gate.await_log(&["the audit log was changed", other[0], other[1]]);
    gate.cli_fails(&["audit-log", "--verify"], 1, &other);
    gate.term();
    gate.cli_ok(&["sweep", "--trust-audit-log"]);
    verified(&gate);
    gate.start();
    rename(&["seven"]);
    await_noted();
}
