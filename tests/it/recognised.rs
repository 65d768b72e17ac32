//! Sweeps that the database did not create: broadcast by an external signer, or newer than a
//! restored backup.

use bitcoin::ScriptBuf;

use crate::harness::gateway::Gateway;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::shop::{Created, Shop};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;
use crate::harness::watch_only::WatchOnly;

/// A completed payment of a tenth.
fn pay(node: &Node, shop: &Shop) -> Created {
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    payment
}

/// The payout of this transaction is listed, and the audit is clean and names it.
#[track_caller]
fn check_recognised(gateway: &Gateway, node: &Node, payment: &Created, txid: &str) {
    gateway.await_tip(&node.height().to_string());
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(audit.raw("clean"), "true", "{}", audit.whole());
    assert_eq!(audit.raw("elsewhereLtc"), "0", "{}", audit.whole());
    assert_eq!(audit.raw("recognisedSweeps"), format!("[\"{txid}\"]"));
    let payouts = gateway.cli_json(&["payment", "show", &payment.id]).objects("payouts");
    let txids: Vec<String> = payouts.iter().map(|payout| payout.text("txid")).collect();
    assert_eq!(txids, [txid]);
}

/// 1. Export a PSBT for two merchants, with an operator fee, from a watch-only gateway.
/// 2. Sign it and broadcast the transaction instead of importing the PSBT.
/// 3. Mine it: it is recognised as a sweep, payouts are listed, and the audit is clean, also
///    after a reorganisation.
#[test]
fn a_sweep_that_the_signer_broadcasts_is_recognised() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let TestEnv { gateway, shop, node } = &watch_only.test_env;
    gateway.set("sweeper.operator_fee_basis_points", 150);
    gateway.set("sweeper.operator_address", node.fresh_address());
    gateway.restart();
    let neighbour = Shop::open(gateway, node, "Neighbour");
    let (ours, theirs) = (pay(node, shop), pay(node, &neighbour));
    let psbt = watch_only.export("unsigned.psbt");
    let txid = watch_only.broadcast(&watch_only.sign(&psbt));
    let fee = node.fee_of(&txid);
    node.mine(1);
    check_recognised(gateway, node, &ours, &txid);
    check_recognised(gateway, node, &theirs, &txid);
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(audit.raw("operatorFeesLtc"), "0.003");
    assert_eq!(litoshis(audit.raw("feesLtc")), fee + litoshis("0.003"));
    let file = gateway.folder().join("again.psbt").display().to_string();
    gateway.cli_fails(&["sweep", "--psbt", &file], 1, &["nothing is due"]);
    node.reorg(1);
    check_recognised(gateway, node, &ours, &txid);
}

/// 1. Sign a transaction that pays another address than planned.
/// 2. The audit names coin and transaction: the key is in use elsewhere. No payout is listed.
#[test]
fn a_transaction_that_pays_others_is_still_reported() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let TestEnv { gateway, shop, node } = &watch_only.test_env;
    let payment = pay(node, shop);
    let mut psbt = watch_only.export("unsigned.psbt");
    psbt.unsigned_tx.output[0].script_pubkey =
        ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::hash(b"another owner"));
    let txid = watch_only.broadcast(&watch_only.sign(&psbt));
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_fails(&["audit"], 1, &[]);
    let audit = gateway.cli(&["audit"]).stdout;
    assert!(audit.contains(&txid) && audit.contains("is the key in use elsewhere?"), "{audit}");
    assert!(!audit.contains("recognised"), "{audit}");
    assert_eq!(gateway.cli_json(&["payment", "show", &payment.id]).objects("payouts").len(), 0);
}

/// 1. Complete two payments and make a backup.
/// 2. Sweep each in a separate transaction; the second is unmined when the gateway stops.
/// 3. Restore: the first sweep is recognised during catch-up, the second when it is mined.
/// 4. The audit is clean, both payouts are listed, and no merchant is paid twice.
#[test]
#[ignore = "long"]
fn sweeps_made_after_the_backup_are_recognised_after_a_restore() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let first = pay(&node, &shop);
    let second = shop.create("0.1");
    let copy = gateway.folder().join("before.db").display().to_string();
    gateway.cli_ok(&["backup", &copy]);
    let swept = gateway.cli_json(&["sweep"]).objects("sweeps")[0].text("txid");
    node.mine(1);
    node.send(&second.address, "0.1");
    node.mine(2);
    shop.await_status(&second.id, "completed", SOON);
    let in_mempool = gateway.cli_json(&["sweep"]).objects("sweeps")[0].text("txid");
    gateway.term();
    gateway.cli_ok(&["restore", &copy]);
    gateway.start();
    check_recognised(&gateway, &node, &first, &swept);
    gateway.cli_ok(&["sweep"]);
    assert_eq!(node.mempool(), std::slice::from_ref(&in_mempool));
    let fees = node.fee_of(&in_mempool);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!(audit.raw("clean"), "true", "{}", audit.whole());
    let payouts = gateway.cli_json(&["payment", "show", &second.id]).objects("payouts");
    assert_eq!(payouts.len(), 1);
    let paid = litoshis("0.2") - litoshis(audit.raw("feesLtc"));
    assert_eq!(node.balance_of(&shop.payout_address), paid);
    assert!(
        fees > 0 && gateway.cli_json(&["payment", "show", &first.id]).objects("payouts").len() == 1
    );
}
