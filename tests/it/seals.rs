//! Write access to the database alone moves no money: the sweeper relies on what it sealed
//! first.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::rows::{RowKey, forge_heads};
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

const DAY: Duration = Duration::from_secs(86_400);

/// Writes to the database of a stopped gateway as an attacker who controls the web process:
/// rows and heads verify.
fn tamper(gateway: &Gateway, sql: &str) {
    Database::of(gateway).tamper(sql);
    let connection = rusqlite::Connection::open(gateway.setting("database")).unwrap();
    RowKey::of(gateway).seal(&connection);
    forge_heads(gateway, &connection);
}

/// The merchant's number in the database.
fn id_of(shop: &Shop) -> String {
    let digits = shop.merchant_id.strip_prefix("mer_").unwrap();
    u64::from_str_radix(digits, 16).unwrap().to_string()
}

/// Completes a payment of 0.1 LTC.
fn pay(node: &Node, shop: &Shop) {
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// The sweeper's record.
fn seal_state_file(gateway: &Gateway) -> PathBuf {
    PathBuf::from(format!("{}.record", gateway.setting("sweeper.seal_key_file")))
}

/// Waits until the sweeper has seen all payments and addresses.
fn let_it_see(gateway: &Gateway) {
    gateway.cli_ok(&["sweep"]);
}

/// Two shops with one paid-out payment each, which the sweeper has sealed.
fn test_env() -> Option<(TestEnv, Shop)> {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "0.05"))?;
    let honest = Shop::open(&test_env.gateway, &test_env.node, "Honest");
    for shop in [&test_env.shop, &honest] {
        pay(&test_env.node, shop);
    }
    let_it_see(&test_env.gateway);
    test_env.node.mine(1);
    Some((test_env, honest))
}

/// 1. Pay out two shops once, and complete another payment for each.
/// 2. Kill the gateway and write to the database.
/// 3. Start it and sweep: only the honest shop is paid, and the log names the refusal.
#[track_caller]
fn check(sql: impl FnOnce(&TestEnv, &Shop, &str) -> String, words: &[&str]) {
    let Some((test_env, honest)) = test_env() else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    pay(node, shop);
    pay(node, &honest);
    wait_for("the payments are sealed", SOON, || {
        fs::read_to_string(seal_state_file(gateway)).is_ok_and(|text| text.contains("payments 4\n"))
    });
    let thief = node.fresh_address();
    let script: serde_json::Value = node.call("getaddressinfo", serde_json::json!([thief.clone()]));
    let script = script["scriptPubKey"].as_str().unwrap().to_owned();
    let before = [node.balance_of(&shop.payout_address), node.balance_of(&honest.payout_address)];
    gateway.kill();
    tamper(gateway, &sql(&test_env, &honest, &script));
    gateway.start();
    let sent = gateway.cli_json(&["sweep"]);
    wait_for("the honest shop's money", SOON, || node.mempool().len() == 1);
    let paid: Vec<String> =
        node.outputs_of(&node.mempool()[0]).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&honest.payout_address), "{}", sent.whole());
    gateway.await_log(words);
    node.mine(1);
    assert_eq!(node.balance_of(&thief), 0);
    assert_eq!(node.balance_of(&shop.payout_address), before[0], "it waits");
    assert!(node.balance_of(&honest.payout_address) > before[1]);
}

#[test]
#[ignore = "long"]
fn a_changed_payout_address_is_refused_and_reported() {
    let changed = |test_env: &TestEnv, _: &Shop, thief: &str| {
        let id = id_of(&test_env.shop);
        format!("UPDATE payout_addresses SET script = x'{thief}' WHERE merchant_id = {id}")
    };
    check(changed, &["error", "payout address 1 was changed"]);
}

#[test]
#[ignore = "long"]
fn an_address_that_replaces_the_first_row_is_refused() {
    let replaced = |test_env: &TestEnv, _: &Shop, thief: &str| {
        let id = id_of(&test_env.shop);
        format!(
            "UPDATE payout_addresses SET version = 2, script = x'{thief}' WHERE merchant_id = {id}"
        )
    };
    check(replaced, &["error", "payout address 1 is missing"]);
}

#[test]
#[ignore = "long"]
fn a_payment_moved_to_another_merchant_is_refused() {
    // The honest shop would get the money of the shop's second payment.
    let stolen = |test_env: &TestEnv, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&test_env.shop), id_of(honest));
        format!(
            "UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(stolen, &["error", "was changed outside the gateway"]);
}

#[test]
#[ignore = "long"]
fn a_payment_with_a_removed_seal_is_not_sealed_again() {
    let unsealed = |test_env: &TestEnv, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&test_env.shop), id_of(honest));
        format!(
            "DELETE FROM payment_seals WHERE derivation_index = 2;
             UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(unsealed, &["error", "was changed outside the gateway"]);
}

#[test]
#[ignore = "long"]
fn a_seal_of_another_payment_does_not_verify() {
    let swapped = |test_env: &TestEnv, honest: &Shop, _: &str| {
        let (id, other) = (id_of(&test_env.shop), id_of(honest));
        format!(
            "UPDATE payment_seals SET seal =
                 (SELECT seal FROM payment_seals WHERE derivation_index = 3)
             WHERE derivation_index = 2;
             UPDATE payments SET merchant_id = {other}
             WHERE merchant_id = {id} AND derivation_index = 2"
        )
    };
    check(swapped, &["error", "was changed outside the gateway"]);
}

/// 1. Register an address, and backdate the change by SQL: neither address is paid.
/// 2. Cancel the change by SQL, as the merchant would: the old address is paid.
/// 3. Undo the cancellation by SQL, and let two days pass: nothing is paid, and an error is
///    logged.
#[test]
#[ignore = "long"]
fn a_backdated_change_is_not_paid_and_can_be_cancelled() {
    let Some((TestEnv { gateway, shop, node }, _)) = test_env() else { return };
    let thief = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &thief]);
    gateway.kill();
    tamper(&gateway, "UPDATE payout_addresses SET effective_at = 1, registered_at = 1");
    gateway.start();
    pay(&node, &shop);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gateway.await_log(&[&shop.merchant_id, "payout address 2"]);
    gateway.kill();
    tamper(&gateway, "UPDATE payout_addresses SET cancelled_at = 2 WHERE version = 2");
    gateway.start();
    pay(&node, &shop);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts")[0].text("payoutAddress"), shop.payout_address);
    node.mine(1);
    gateway.kill();
    tamper(&gateway, "UPDATE payout_addresses SET cancelled_at = NULL");
    gateway.let_pass(2 * DAY);
    gateway.start();
    pay(&node, &shop);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gateway
        .await_log(&["error", "payout address 2 was cancelled, and the cancellation was undone"]);
    assert_eq!(node.balance_of(&thief), 0);
}

/// 1. Register a change and sweep: the old address is paid.
/// 2. Let the delay pass and sweep: the new address is paid.
#[test]
#[ignore = "long"]
fn an_honest_change_takes_effect_after_the_delay() {
    let Some((TestEnv { gateway, shop, node }, _)) = test_env() else { return };
    let new = node.fresh_address();
    pay(&node, &shop);
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    let old_one = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(old_one[0].objects("payouts")[0].text("payoutAddress"), shop.payout_address);
    node.mine(1);
    gateway.let_pass(DAY + Duration::from_secs(10));
    pay(&node, &shop);
    let new_one = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(new_one[0].objects("payouts")[0].text("payoutAddress"), new);
}

/// 1. Make a backup, change the address of one shop, and let the delay pass.
/// 2. Restore: restore, doctor and `sweep --dry-run` name that shop and the fix.
/// 3. Register the address again and trust the merchant: it is paid after the delay.
/// 4. Doctor reports no wait.
#[test]
#[ignore = "long"]
fn an_older_backup_reports_which_payouts_wait_and_the_fix() {
    let Some((TestEnv { gateway, shop, node }, honest)) = test_env() else { return };
    let copy = gateway.folder().join("before.db").display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    let new = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gateway.let_pass(DAY + Duration::from_secs(10));
    let_it_see(&gateway);
    gateway.term();
    let restored = gateway.cli(&["restore", &copy]);
    let named = format!("payouts of {} wait", shop.merchant_id);
    assert!(restored.stdout.contains(&named), "{restored:?}");
    let way_out = format!("--trust-merchant {}", shop.merchant_id);
    assert!(restored.stdout.contains(&way_out), "{restored:?}");
    assert!(!restored.stdout.contains(&honest.merchant_id), "{restored:?}");
    let doctor = gateway.doctor();
    assert!(doctor.stdout.contains(&named), "{doctor:?}");
    gateway.start();
    pay(&node, &shop);
    let planned = gateway.cli_ok(&["sweep", "--dry-run"]);
    assert!(planned.stdout.contains("the database was restored"), "{planned:?}");
    gateway.term();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gateway.cli_ok(&["sweep", "--trust-merchant", &shop.merchant_id]);
    gateway.start();
    gateway.let_pass(2 * DAY + Duration::from_secs(20));
    wait_for("the payout to the address that is right", SOON, || {
        node.mine(1);
        let _ = gateway.cli(&["sweep"]);
        node.balance_of(&new) > 0
    });
    assert!(!gateway.doctor().stdout.contains(&named));
}

/// A backup with a payment that was not sealed yet, as most backups during traffic have.
/// `reference` replaces the payment's in the backup, by SQL. Answers the stopped gateway,
/// whose sweeper has sealed the payment since.
fn copied_unsealed(reference: &str) -> Option<(TestEnv, crate::harness::shop::Created, String)> {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.min_payout", "0.05"))?;
    let TestEnv { gateway, shop, .. } = &test_env;
    shop.create("0.1");
    let_it_see(gateway);
    gateway.term();
    gateway.start_with(&["--without", "sweeper"]);
    let payment = shop.create("0.1");
    let copy = gateway.folder().join("copy.db").display().to_string();
    let refer = |to: &str| {
        let sql = format!("UPDATE payments SET reference = {to} WHERE derivation_index = 1");
        // Without the row key, so that the row does not verify.
        Database::at(gateway.setting("database").as_ref()).damage(&sql);
    };
    refer(reference);
    gateway.cli_ok(&["backup", &copy]);
    refer("NULL");
    gateway.restart();
    wait_for("the payment is sealed", SOON, || {
        fs::read_to_string(seal_state_file(gateway)).is_ok_and(|text| text.contains("payments 2\n"))
    });
    gateway.term();
    Some((test_env, payment, copy))
}

/// Pays the payment. Answers whether it is swept.
fn pays_out(test_env: &TestEnv, payment: &crate::harness::shop::Created) -> bool {
    let TestEnv { gateway, shop, node } = test_env;
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    !sent.is_empty()
}

/// 1. Make a backup before the sweeper seals a payment.
/// 2. Restore it: the payment's MAC proves it, and it is sealed.
/// 3. Pay it: it is swept without the operator's help.
#[test]
#[ignore = "long"]
fn a_backup_during_traffic_restores_without_operator_trust() {
    let Some((test_env, payment, copy)) = copied_unsealed("NULL") else { return };
    let restored = test_env.gateway.cli_json(&["restore", &copy]);
    assert_eq!(restored.raw("resealedPayments"), "1", "{}", restored.whole());
    assert_eq!(restored.raw("unsealedPayments"), "0");
    test_env.gateway.start();
    assert!(pays_out(&test_env, &payment));
}

/// 1. Make a backup with an unsealed payment that was changed by SQL.
/// 2. Restore it: the payment is named and not sealed; the API does not show it.
/// 3. Run `sweep --trust-payment`, which requires a stopped sweeper.
/// 4. The payment is swept, and the audit log has the operator's act.
#[test]
#[ignore = "long"]
fn an_unproven_payment_waits_until_the_operator_trusts_it() {
    let Some((test_env, payment, copy)) = copied_unsealed("'forged'") else { return };
    let TestEnv { gateway, .. } = &test_env;
    let restored = gateway.cli(&["restore", &copy, "--json"]);
    assert_eq!(restored.code, 1, "{restored:?}");
    let restored = Fields::of(&restored.stdout);
    assert_eq!(restored.raw("resealedPayments"), "0", "{}", restored.whole());
    assert_eq!(restored.texts("unprovenPayments"), [payment.id.as_str()]);
    gateway.start();
    assert_eq!(
        gateway.get(&format!("/api/payments/{}", payment.id)).status,
        500,
        "it is not shown"
    );
    gateway.cli_fails(&["sweep", "--trust-payment", &payment.id], 4, &["stop the sweeper"]);
    gateway.term();
    gateway.cli_ok(&["sweep", "--trust-payment", &payment.id]);
    gateway.start();
    assert!(pays_out(&test_env, &payment));
    let operations = gateway.cli_list(&["audit-log"]);
    let trusted = operations.iter().find(|act| act.text("act") == "trust_payment").unwrap();
    assert_eq!(trusted.text("after"), payment.id);
}

/// 1. Damage the seals of two merchants' payments.
/// 2. Trust one merchant: only its payment is swept.
#[test]
#[ignore = "long"]
fn the_operator_can_trust_a_single_merchant() {
    let Some((test_env, honest)) = test_env() else { return };
    let TestEnv { gateway, shop, node } = &test_env;
    pay(node, shop);
    pay(node, &honest);
    wait_for("the payments are sealed", SOON, || {
        fs::read_to_string(seal_state_file(gateway)).is_ok_and(|text| text.contains("payments 4\n"))
    });
    gateway.kill();
    tamper(gateway, "UPDATE payment_seals SET seal = zeroblob(32)");
    gateway.cli_ok(&["sweep", "--trust-merchant", &honest.merchant_id]);
    gateway.start();
    wait_for("the sweep", SOON, || node.mempool().len() == 1);
    let paid: Vec<String> =
        node.outputs_of(&node.mempool()[0]).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&honest.payout_address));
}

#[test]
fn a_signing_key_without_a_seal_key_causes_a_warning() {
    let Some(TestEnv { gateway, .. }) = TestEnv::shared() else { return };
    gateway.unset("sweeper.seal_key_file");
    let doctor = gateway.doctor();
    assert!(
        doctor.stdout.contains("warning  seal key: not set, although a signing key"),
        "{doctor:?}"
    );
}

/// 1. Start with a changed record, with another seal key, and without the record: each start
///    is refused.
/// 2. Run `sweep --trust-database` and start: a new payment is swept.
/// 3. With the sweeper running, `sweep --trust-database` is refused.
#[test]
#[ignore = "long"]
fn a_lost_or_foreign_seal_state_is_refused_and_can_be_reset() {
    let Some((TestEnv { gateway, shop, node }, _)) = test_env() else { return };
    gateway.term();
    let record = fs::read_to_string(seal_state_file(&gateway)).unwrap();
    let seal_key = gateway.setting("sweeper.seal_key_file");
    let key = fs::read_to_string(&seal_key).unwrap();
    fs::write(seal_state_file(&gateway), record.replace("payments 2", "payments 0")).unwrap();
    gateway.cli_fails(&["serve"], 4, &["sweeper.seal_key_file", "was changed"]);
    fs::write(seal_state_file(&gateway), &record).unwrap();
    fs::write(&seal_key, "07".repeat(32)).unwrap();
    gateway.cli_fails(&["serve"], 4, &["another seal key"]);
    fs::write(&seal_key, &key).unwrap();
    fs::remove_file(seal_state_file(&gateway)).unwrap();
    gateway.cli_fails(&["serve"], 4, &["is missing", "--trust-database"]);
    gateway.cli_ok(&["sweep", "--trust-database"]);
    gateway.start();
    pay(&node, &shop);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 1);
    gateway.cli_fails(&["sweep", "--trust-database"], 4, &["stop the sweeper"]);
}

#[test]
#[ignore = "long"]
fn two_sweepers_on_one_database_do_not_run() {
    let Some((TestEnv { gateway, .. }, _)) = test_env() else { return };
    gateway.cli_fails(&["serve", "--only", "sweeper"], 4, &["another process", "sweeper"]);
}

/// 1. Register a change and cancel it: the sweeper records both.
/// 2. Undo the cancellation by SQL and let two days pass: nothing is paid, and an error is
///    logged.
#[test]
#[ignore = "long"]
fn a_cancellation_is_recorded_at_once_and_cannot_be_undone() {
    let Some((TestEnv { gateway, shop, node }, _)) = test_env() else { return };
    let thief = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &thief]);
    let noted = |words: &str| {
        wait_for("it is noted", SOON, || {
            fs::read_to_string(seal_state_file(&gateway)).is_ok_and(|text| text.contains(words))
        });
    };
    noted(&format!("address {} 2 ", shop.merchant_id));
    gateway.cli_ok(&["merchant", "cancel-address-change", &shop.merchant_id]);
    noted(" 0 1\n");
    gateway.kill();
    tamper(&gateway, "UPDATE payout_addresses SET cancelled_at = NULL");
    gateway.let_pass(2 * DAY);
    gateway.start();
    pay(&node, &shop);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 0);
    gateway
        .await_log(&["error", "payout address 2 was cancelled, and the cancellation was undone"]);
    assert_eq!(node.balance_of(&thief), 0);
}

/// 1. Let a change take effect, delete the record, and run `sweep --trust-database`.
/// 2. The new address is paid.
#[test]
#[ignore = "long"]
fn a_reset_seal_state_does_not_restore_an_old_address() {
    let Some((TestEnv { gateway, shop, node }, _)) = test_env() else { return };
    let new = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &new]);
    gateway.let_pass(DAY + Duration::from_secs(10));
    gateway.term();
    fs::remove_file(seal_state_file(&gateway)).unwrap();
    gateway.cli_ok(&["sweep", "--trust-database"]);
    gateway.start();
    pay(&node, &shop);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts")[0].text("payoutAddress"), new);
}
