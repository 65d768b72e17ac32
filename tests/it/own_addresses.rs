//! Addresses of the account are no payout addresses: such a payout would return forever, or
//! pay an unpaid payment.

use crate::harness::gateway::Gateway;
use crate::harness::node::{Node, core_spelling};
use crate::harness::rows::RowKey;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// The address at an index of a branch, in all its spellings.
fn spellings(gateway: &Gateway, node: &Node, branch: u8, index: u32) -> Vec<String> {
    let key = format!("{}/{branch}/*", core_spelling(&gateway.setting("wallet.xpub")));
    let forms = [format!("wpkh({key})"), format!("pkh({key})"), format!("sh(wpkh({key}))")];
    forms.iter().flat_map(|form| node.derive(form, index, index)).collect()
}

/// Writes into the database as an older program did, which took such addresses.
fn write(gateway: &Gateway, sql: &str) {
    let connection = rusqlite::Connection::open(gateway.setting("database")).unwrap();
    connection.busy_timeout(SOON).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "a row changes: {sql}");
    RowKey::of(gateway).seal(&connection);
}

/// 1. Create a payment at index 0.
/// 2. Register addresses of both branches, issued, next or 10,000 ahead, in any spelling:
///    refused for new merchants and changes.
/// 3. Register an address of another wallet: accepted.
#[test]
fn registration_refuses_own_addresses_of_every_script_type() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::shared() else { return };
    shop.create("0.05");
    // Which spelling: p2wpkh, p2pkh, p2sh.
    for (branch, index, spelling) in [(0, 0, 2), (0, 1, 1), (0, 10_000, 0), (1, 9_999, 2)] {
        let address = &spellings(&gateway, &node, branch, index)[spelling];
        let change = ["merchant", "set-address", &shop.merchant_id, address];
        gateway.cli_fails(&change, 2, &["payoutAddress is an address of this gateway"]);
    }
    let own = &spellings(&gateway, &node, 1, 5)[2];
    let add = ["merchant", "add", "--name", "New", "--payout-address", own];
    gateway.cli_fails(&add, 2, &["payoutAddress is an address of this gateway"]);
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &node.fresh_address()]);
}

/// 1. Set `sweeper.operator_address` to index 0, or to a change address as p2sh.
/// 2. `check-config`, `serve` and `sweep` refuse it as a configuration mistake.
#[test]
fn an_own_address_as_operator_address_is_refused() {
    let Some(node) = Node::shared() else { return };
    let gateway = Gateway::init(&node);
    gateway.set("sweeper.operator_fee_basis_points", 100);
    for own in [&spellings(&gateway, &node, 0, 0)[0], &spellings(&gateway, &node, 1, 7)[2]] {
        gateway.set("sweeper.operator_address", own.clone());
        for command in [&["check-config"][..], &["serve"], &["sweep", "--dry-run"]] {
            gateway.cli_fails(
                command,
                2,
                &["sweeper.operator_address is an address of this gateway"],
            );
        }
    }
    gateway.set("sweeper.operator_address", node.fresh_address());
    gateway.cli_ok(&["check-config"]);
}

/// 1. Register the unissued index 1 for the first shop by SQL, as an older program allowed.
/// 2. Another shop's payments get indexes 0 and 2.
/// 3. Pay both shops: the first shop's coins wait, the other is paid out, and `doctor` names
///    the address.
/// 4. Register an address of the first shop's wallet: it is paid after the delay, although the
///    old row remains.
#[test]
#[ignore = "long"]
fn a_registered_own_address_is_skipped_and_reported() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let other = Shop::open(&gateway, &node, "Other");
    let own = spellings(&gateway, &node, 0, 1);
    gateway.term();
    let script: serde_json::Value = node.call("getaddressinfo", serde_json::json!([own[1]]));
    let script = script["scriptPubKey"].as_str().unwrap().to_owned();
    let id = u64::from_str_radix(&shop.merchant_id["mer_".len()..], 16).unwrap();
    write(
        &gateway,
        &format!("UPDATE payout_addresses SET script = x'{script}' WHERE merchant_id = {id}"),
    );
    std::fs::remove_file(format!("{}.record", gateway.setting("sweeper.seal_key_file"))).unwrap();
    gateway.start();
    let payments = [other.create("0.1"), shop.create("0.1"), other.create("0.1")];
    let given_out: Vec<&String> = payments.iter().map(|payment| &payment.address).collect();
    let expected: Vec<String> =
        [0, 2, 3].iter().map(|index| spellings(&gateway, &node, 0, *index)[0].clone()).collect();
    assert_eq!(given_out, expected.iter().collect::<Vec<_>>(), "index 1 is skipped");
    for payment in &payments {
        node.send(&payment.address, "0.1");
    }
    node.mine(2);
    for payment in &payments {
        shop.await_status(&payment.id, "completed", SOON);
    }
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    let payouts = sent[0].objects("payouts");
    assert_eq!(payouts.len(), 1, "{}", sent[0].whole());
    assert_eq!(payouts[0].text("payoutAddress"), other.payout_address);
    gateway.await_log(&["error", "payout address refused", &shop.merchant_id]);
    let doctor = gateway.doctor().stdout;
    let named = format!("payouts of {} wait since ", shop.merchant_id);
    let own_address = "payout address 1 is an address of this gateway";
    assert!(doctor.contains(&named) && doctor.contains(own_address), "{doctor}");
    node.mine(1);
    let right = node.fresh_address();
    gateway.cli_ok(&["merchant", "set-address", &shop.merchant_id, &right]);
    gateway.await_addresses_seen(&shop.merchant_id, 2);
    gateway.let_pass(std::time::Duration::from_secs(86_400 + 60));
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent[0].objects("payouts")[0].text("payoutAddress"), right);
    assert!(!gateway.doctor().stdout.contains(&named));
}
