//! Writing the database alone moves no money: what the sweeper saw first is what it pays by.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gate::Gate;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::rows::{RowKey, forge_heads};
use crate::harness::shop::Shop;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for};

const DAY: Duration = Duration::from_secs(86_400);

/// Writes into the database behind the gateway's back, while it is stopped, as somebody would who
/// has taken over the process that serves the web: rows and heads verify.
fn tamper(gate: &Gate, sql: &str) {
    Database::of(gate).tamper(sql);
    let connection = rusqlite::Connection::open(gate.setting("database")).unwrap();
    RowKey::of(gate).seal(&connection);
    forge_heads(gate, &connection);
}

fn id_of(shop: &Shop) -> String {
    let digits = shop.merchant_id.strip_prefix("mer_").unwrap();
    u64::from_str_radix(digits, 16).unwrap().to_string()
}

/// A completed payment of a tenth.
fn pay(node: &Node, shop: &Shop) {
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

fn record_file(gate: &Gate) -> PathBuf {
    PathBuf::from(format!("{}.record", gate.setting("sweeper.seal_key_file")))
}

/// Waits until the sweeper has seen every payment and every address that is due.
fn let_it_see(gate: &Gate) {
    gate.cli_ok(&["sweep"]);
}

/// Two shops with a payment each that the sweeper has seen. While nothing is due, their coins stay.
fn stage() -> Option<(Stage, Shop)> {
    let stage = Stage::alone_with(|gate| gate.set("sweeper.min_payout", "0.05"))?;
    let honest = Shop::open(&stage.gate, &stage.node, "Honest");
    for shop in [&stage.shop, &honest] {
        pay(&stage.node, shop);
    }
    let_it_see(&stage.gate);
    stage.node.mine(1);
    Some((stage, honest))
}

/// Two shops are paid out once. Then both are paid again, somebody writes into the database, and
/// the sweeper goes on: the honest shop gets its money, nobody else gets anything, and the log
/// names what was refused.
#[track_caller]
fn check(sql: impl FnOnce(&Stage, &Shop, &str) -> String, words: &[&str]) {
    let Some((stage, honest)) = stage() else { return };
    let Stage { gate, shop, node } = &stage;
    pay(node, shop);
    pay(node, &honest);
    wait_for("the payments are sealed", SOON, || {
        fs::read_to_string(record_file(gate)).is_ok_and(|text| text.contains("payments 4\n"))
    });
    let thief = node.fresh_address();
    let script: serde_json::Value = node.call("getaddressinfo", serde_json::json!([thief.clone()]));
    let script = script["scriptPubKey"].as_str().unwrap().to_owned();
    let before = [node.balance_of(&shop.payout_address), node.balance_of(&honest.payout_address)];
    gate.kill();
    tamper(gate, &sql(&stage, &honest, &script));
    gate.start();
    let sent = gate.cli_json(&["sweep"]);
    wait_for("the honest shop's money", SOON, || node.mempool().len() == 1);
    let paid: Vec<String> =
        node.outputs_of(&node.mempool()[0]).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&honest.payout_address), "{}", sent.whole());
    gate.await_log(words);
    node.mine(1);
    assert_eq!(node.balance_of(&thief), 0);
    assert_eq!(node.balance_of(&shop.payout_address), before[0], "it waits");
    assert!(node.balance_of(&honest.payout_address) > before[1]);
}

#[test]
fn a_changed_payout_address_is_refused_by_name() {
    let changed = |stage: &Stage, _: &Shop, thief: &str| {
        let id = id_of(&stage.shop);
        format!("UPDATE payout_addresses SET script = x'{thief}' WHERE merchant_id = {id}")
    };
    check(changed, &["error", "payout address 1 was changed"]);
}

#[test]
fn an_address_put_in_the_place_of_the_first_is_refused() {
    let replaced = |stage: &Stage, _: &Shop, thief: &str| {
        let id = id_of(&stage.shop);
        format!(
            "UPDATE payout_addresses SET version = 2, script = x'{thief}' WHERE merchant_id = {id}"
        )
    };
    check(replaced, &["error", "payout address 1 is missing"]);
}

#[test]
fn a_payment_of_another_merchant_is_refused_by_name() {
    // The second payment of the shop becomes the honest shop's: it would get the money.
    let stolen = |stage: &Stage, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&stage.shop), id_of(honest));
        format!(
            "UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(stolen, &["error", "was changed behind the gateway's back"]);
}

#[test]
fn a_payment_whose_seal_was_taken_away_is_not_sealed_again() {
    let unsealed = |stage: &Stage, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&stage.shop), id_of(honest));
        format!(
            "DELETE FROM payment_seals WHERE derivation_index = 2;
             UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(unsealed, &["error", "was changed behind the gateway's back"]);
}

#[test]
fn a_seal_of_another_payment_does_not_fit() {
    let swapped = |stage: &Stage, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&stage.shop), id_of(honest));
        format!(
            "UPDATE payment_seals SET seal =
                 (SELECT seal FROM payment_seals WHERE derivation_index = 3)
             WHERE derivation_index = 2;
             UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(swapped, &["error", "was changed behind the gateway's back"]);
}

#[test]
fn a_backdated_change_is_not_paid_and_can_be_cancelled() {
    let Some((Stage { gate, shop, node }, _)) = stage() else { return };
    let thief = node.fresh_address();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &thief]);
    gate.kill();
    tamper(&gate, "UPDATE payout_addresses SET effective_at = 1, registered_at = 1");
    gate.start();
    pay(&node, &shop);
    // Neither to the one that the database says, nor to the one before.
    assert_eq!(gate.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gate.await_log(&[&shop.merchant_id, "payout address 2"]);
    // The merchant hears of it and cancels; whoever undoes that is refused.
    gate.kill();
    tamper(&gate, "UPDATE payout_addresses SET cancelled_at = 2 WHERE version = 2");
    gate.start();
    pay(&node, &shop);
    let sent = gate.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts")[0].text("payoutAddress"), shop.payout_address);
    node.mine(1);
    gate.kill();
    tamper(&gate, "UPDATE payout_addresses SET cancelled_at = NULL");
    gate.let_pass(2 * DAY);
    gate.start();
    pay(&node, &shop);
    assert_eq!(gate.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gate.await_log(&["error", "payout address 2 was cancelled, and now is not"]);
    assert_eq!(node.balance_of(&thief), 0);
}

#[test]
fn an_honest_change_takes_effect_after_the_delay() {
    let Some((Stage { gate, shop, node }, _)) = stage() else { return };
    let new = node.fresh_address();
    pay(&node, &shop);
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    let old_one = gate.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(old_one[0].objects("payouts")[0].text("payoutAddress"), shop.payout_address);
    node.mine(1);
    gate.let_pass(DAY + Duration::from_secs(10));
    pay(&node, &shop);
    let new_one = gate.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(new_one[0].objects("payouts")[0].text("payoutAddress"), new);
}

#[test]
fn a_copy_from_before_a_change_names_whose_payouts_wait_and_the_way_out() {
    let Some((Stage { gate, shop, node }, honest)) = stage() else { return };
    let copy = gate.folder().join("before.db").display().to_string();
    gate.cli_ok(&["backup", &copy]);
    let new = node.fresh_address();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gate.let_pass(DAY + Duration::from_secs(10));
    let_it_see(&gate);
    gate.term();
    let restored = gate.cli(&["restore", &copy]);
    let named = format!("payouts of {} wait", shop.merchant_id);
    assert!(restored.stdout.contains(&named), "{restored:?}");
    let way_out = format!("--trust-merchant {}", shop.merchant_id);
    assert!(restored.stdout.contains(&way_out), "{restored:?}");
    assert!(!restored.stdout.contains(&honest.merchant_id), "{restored:?}");
    let doctor = gate.doctor();
    assert!(doctor.stdout.contains(&named), "{doctor:?}");
    gate.start();
    pay(&node, &shop);
    let planned = gate.cli_ok(&["sweep", "--dry-run"]);
    assert!(planned.stdout.contains("an older copy of the database was put back"), "{planned:?}");
    gate.term();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gate.cli_ok(&["sweep", "--trust-merchant", &shop.merchant_id]);
    gate.start();
    gate.let_pass(2 * DAY + Duration::from_secs(20));
    wait_for("the payout to the address that is right", SOON, || {
        node.mine(1);
        let _ = gate.cli(&["sweep"]);
        node.balance_of(&new) > 0
    });
    assert!(!gate.doctor().stdout.contains(&named));
}

/// A copy that holds a payment which was not sealed yet, as nearly every copy amid traffic does.
/// The payment, the copy, and the gateway, stopped: its sweeper has sealed the payment since. While
/// the copy was made, `reference` was the payment's: a changed copy itself is refused.
fn copied_unsealed(reference: &str) -> Option<(Stage, crate::harness::shop::Created, String)> {
    let stage = Stage::alone_with(|gate| gate.set("sweeper.min_payout", "0.05"))?;
    let Stage { gate, shop, .. } = &stage;
    shop.create("0.1");
    let_it_see(gate);
    gate.term();
    gate.start_with(&["--without", "sweeper"]);
    let payment = shop.create("0.1");
    let copy = gate.folder().join("copy.db").display().to_string();
    let refer = |to: &str| {
        let sql = format!("UPDATE payments SET reference = {to} WHERE derivation_index = 1");
        // Without the keys, as an attacker would.
        Database::at(gate.setting("database").as_ref()).damage(&sql);
    };
    refer(reference);
    gate.cli_ok(&["backup", &copy]);
    refer("NULL");
    gate.restart();
    wait_for("the payment is sealed", SOON, || {
        fs::read_to_string(record_file(gate)).is_ok_and(|text| text.contains("payments 2\n"))
    });
    gate.term();
    Some((stage, payment, copy))
}

/// Has the payment paid and swept, if it can be.
fn pays_out(stage: &Stage, payment: &crate::harness::shop::Created) -> bool {
    let Stage { gate, shop, node } = stage;
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let sent = gate.cli_json(&["sweep"]).objects("sweeps");
    !sent.is_empty()
}

// 1. A copy is made before the sweeper sealed a payment; the sweeper seals it afterwards.
// 2. The copy is restored: the payment proves itself by its MAC, and is sealed.
// 3. It is paid, and its money goes out, without a word of the operator.
#[test]
fn a_copy_amid_traffic_restores_without_an_operators_trust() {
    let Some((stage, payment, copy)) = copied_unsealed("NULL") else { return };
    let restored = stage.gate.cli_json(&["restore", &copy]);
    assert_eq!(restored.raw("resealedPayments"), "1", "{}", restored.whole());
    assert_eq!(restored.raw("unsealedPayments"), "0");
    stage.gate.start();
    assert!(pays_out(&stage, &payment));
}

// 1. As above, but the payment was changed in the database when the copy was made.
// 2. `restore` names it and seals nothing; its money stays.
// 3. The operator vouches for that payment alone: it is paid, and the audit log has it.
#[test]
fn a_payment_that_proves_nothing_waits_for_trust_in_it_alone() {
    let Some((stage, payment, copy)) = copied_unsealed("'forged'") else { return };
    let Stage { gate, .. } = &stage;
    let restored = gate.cli(&["restore", &copy, "--json"]);
    assert_eq!(restored.code, 1, "{restored:?}");
    let restored = Fields::of(&restored.stdout);
    assert_eq!(restored.raw("resealedPayments"), "0", "{}", restored.whole());
    assert_eq!(restored.texts("unprovenPayments"), [payment.id.as_str()]);
    gate.start();
    assert_eq!(gate.get(&format!("/api/payments/{}", payment.id)).status, 500, "it is not shown");
    gate.cli_fails(&["sweep", "--trust-payment", &payment.id], 4, &["stop the sweeper"]);
    gate.term();
    gate.cli_ok(&["sweep", "--trust-payment", &payment.id]);
    gate.start();
    assert!(pays_out(&stage, &payment));
    let acts = gate.cli_list(&["audit-log"]);
    let trusted = acts.iter().find(|act| act.text("act") == "trust_payment").unwrap();
    assert_eq!(trusted.text("after"), payment.id);
}

// 1. A payment of each of two merchants is changed behind the gateway's back.
// 2. The operator vouches for one merchant: its money goes out, the other's waits.
#[test]
fn trust_can_be_given_to_one_merchant() {
    let Some((stage, honest)) = stage() else { return };
    let Stage { gate, shop, node } = &stage;
    pay(node, shop);
    pay(node, &honest);
    wait_for("the payments are sealed", SOON, || {
        fs::read_to_string(record_file(gate)).is_ok_and(|text| text.contains("payments 4\n"))
    });
    gate.kill();
    tamper(gate, "UPDATE payment_seals SET seal = zeroblob(32)");
    gate.cli_ok(&["sweep", "--trust-merchant", &honest.merchant_id]);
    gate.start();
    wait_for("the sweep", SOON, || node.mempool().len() == 1);
    let paid: Vec<String> =
        node.outputs_of(&node.mempool()[0]).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&honest.payout_address));
}

#[test]
fn a_signing_key_without_a_seal_key_is_warned_of() {
    let Some(Stage { gate, .. }) = Stage::shared() else { return };
    gate.unset("sweeper.seal_key_file");
    let doctor = gate.doctor();
    assert!(doctor.stdout.contains("warning  seal key: none, but a signing key"), "{doctor:?}");
}

#[test]
fn a_lost_or_foreign_record_is_refused_and_can_be_begun_anew() {
    let Some((Stage { gate, shop, node }, _)) = stage() else { return };
    gate.term();
    let record = fs::read_to_string(record_file(&gate)).unwrap();
    let seal_key = gate.setting("sweeper.seal_key_file");
    let key = fs::read_to_string(&seal_key).unwrap();
    fs::write(record_file(&gate), record.replace("payments 2", "payments 0")).unwrap();
    gate.cli_fails(&["serve"], 4, &["sweeper.seal_key_file", "was changed"]);
    fs::write(record_file(&gate), &record).unwrap();
    fs::write(&seal_key, "07".repeat(32)).unwrap();
    gate.cli_fails(&["serve"], 4, &["another seal key"]);
    fs::write(&seal_key, &key).unwrap();
    fs::remove_file(record_file(&gate)).unwrap();
    gate.cli_fails(&["serve"], 4, &["is gone", "--trust-database"]);
    gate.cli_ok(&["sweep", "--trust-database"]);
    gate.start();
    pay(&node, &shop);
    assert_eq!(gate.cli_json(&["sweep"]).objects("sweeps").len(), 1);
    gate.cli_fails(&["sweep", "--trust-database"], 4, &["stop the sweeper"]);
}

#[test]
fn two_sweepers_on_one_database_do_not_run() {
    let Some((Stage { gate, .. }, _)) = stage() else { return };
    gate.cli_fails(&["serve", "--only", "sweeper"], 4, &["another process", "sweeper"]);
}

#[test]
fn a_cancellation_is_noted_although_nothing_is_due_and_cannot_be_undone() {
    let Some((Stage { gate, shop, node }, _)) = stage() else { return };
    let thief = node.fresh_address();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &thief]);
    let noted = |words: &str| {
        wait_for("it is noted", SOON, || {
            fs::read_to_string(record_file(&gate)).is_ok_and(|text| text.contains(words))
        });
    };
    noted(&format!("address {} 2 ", shop.merchant_id));
    gate.cli_ok(&["merchant", "cancel-address-change", &shop.merchant_id]);
    noted(" 0 1\n");
    gate.kill();
    tamper(&gate, "UPDATE payout_addresses SET cancelled_at = NULL");
    gate.let_pass(2 * DAY);
    gate.start();
    pay(&node, &shop);
    assert_eq!(gate.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gate.await_log(&["error", "payout address 2 was cancelled, and now is not"]);
    assert_eq!(node.balance_of(&thief), 0);
}

#[test]
fn a_record_begun_anew_does_not_bring_back_an_address_that_was_left() {
    let Some((Stage { gate, shop, node }, _)) = stage() else { return };
    let new = node.fresh_address();
    gate.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gate.let_pass(DAY + Duration::from_secs(10));
    gate.term();
    fs::remove_file(record_file(&gate)).unwrap();
    gate.cli_ok(&["sweep", "--trust-database"]);
    gate.start();
    pay(&node, &shop);
    let sent = gate.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts")[0].text("payoutAddress"), new);
}
