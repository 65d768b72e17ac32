//! Seen transactions that are replaced or double-spent no longer count.

use serde_json::json;

use crate::harness::node::Node;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// 1. Broadcast a payment, then mine a double spend of it.
/// 2. The payment is `pending` with detail `replaced`, and the full amount is due.
/// 3. Pay again: it completes, and only the second coin counts.
#[test]
fn a_mined_double_spend_removes_the_coin() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine_exactly(&[&double_spend]);
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.text("detail"), "replaced");
    assert_eq!(fields.raw("amountDueLtc"), "0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "the first one does not count");
}

/// 1. Start a node that accepts replacements and broadcast a payment.
/// 2. Replace it in the mempool: the coin no longer counts.
/// 3. Mine: the payment stays `pending` without confirmations.
#[test]
fn a_replacement_in_the_mempool_removes_the_coin() {
    let node = Node::start_with(&["-mempoolreplacement=1", "-walletrbf=1"]);
    let Some(node) = node.map(std::sync::Arc::new) else { return };
    let TestEnv { gateway: _gateway, shop, node } = TestEnv::beside(node, |_| ());
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    // The fee exceeds the node's limit for mistakes, so the limit is 0 (off).
    let _: String = node.call("sendrawtransaction", json!([double_spend, 0]));
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.texts("txids"), Vec::<String>::new());
    node.mine(3);
    let fields = shop.status(&payment.id);
    assert_eq!((fields.text("status").as_str(), fields.raw("confirmations")), ("pending", "0"));
}

/// 1. Confirm a payment once.
/// 2. Disconnect its block, mine a double spend and four more blocks.
/// 3. The coin no longer counts.
#[test]
fn a_reorganised_double_spend_removes_a_confirmed_payment() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations", 3));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    node.disconnect(1);
    node.mine_exactly(&[&double_spend]);
    node.mine(4);
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
}

/// 1. Start a node whose mempool expires after an hour, and broadcast a payment.
/// 2. Advance the node's clock by two hours and send another transaction: the payment is
///    evicted.
/// 3. Broadcast it again: it counts again, and completes once mined.
#[test]
fn an_evicted_transaction_does_not_count_until_it_returns() {
    let node = Node::start_with(&["-mempoolexpiry=1"]).map(std::sync::Arc::new);
    let Some(node) = node else { return };
    let TestEnv { gateway: _gateway, shop, node } = TestEnv::beside(node, |_| ());
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    let raw = node.raw_of_wallet(&txid);
    let entry: serde_json::Value = node.call("getmempoolentry", json!([txid]));
    let later = entry["time"].as_u64().unwrap() + 7_200;
    node.call::<serde_json::Value>("setmocktime", json!([later]));
    node.send(&node.fresh_address(), "1");
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("detail"), "replaced");
    node.call::<serde_json::Value>("sendrawtransaction", json!([raw]));
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.text("detail"), "seen");
    assert_eq!(fields.texts("txids"), [txid]);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Pay from a legacy coin, whose signature encoding a third party can change.
/// 2. Mine the transaction with a different txid. Nodes do not relay it, but a miner may
///    include it.
/// 3. It counts once, under the mined txid; the payment completes and the audit is clean.
#[test]
fn a_malleated_transaction_counts_once() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let legacy: String = node.call("getnewaddress", json!(["", "legacy"]));
    let funding = node.send(&legacy, "1");
    let vout = node.outputs_of(&funding).iter().position(|(to, _)| *to == legacy).unwrap();
    node.mine(1);
    let payment = shop.create("0.05");
    let inputs = json!([{"txid": funding, "vout": vout}]);
    let outputs = json!([{ payment.address.clone(): "0.05" }, { node.fresh_address(): "0.94" }]);
    let raw: String = node.call("createrawtransaction", json!([inputs, outputs]));
    #[derive(serde::Deserialize)]
    struct Signed {
        hex: String,
    }
    let signed: Signed = node.call("signrawtransactionwithwallet", json!([raw]));
    let txid: String = node.call("sendrawtransaction", json!([signed.hex]));
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(fields.texts("txids"), std::slice::from_ref(&txid));
    let changed = with_another_push(&signed.hex);
    node.mine_exactly(&[&changed]);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    // The next comparison of the mempool evicts the first txid.
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_ne!(fields.texts("txids"), [txid], "under the id that was mined");
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.cli_ok(&["audit"]);
}

/// The same transaction with another push opcode before the signature, equally valid.
fn with_another_push(hex: &str) -> String {
    use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
    let mut tx: bitcoin::Transaction = deserialize_hex(hex).unwrap();
    let mut script = tx.input[0].script_sig.to_bytes();
    script.insert(0, 0x4c); // OP_PUSHDATA1: the length that follows is what was there.
    tx.input[0].script_sig = script.into();
    serialize_hex(&tx)
}

/// 1. Lock all coins of the wallet but one.
/// 2. Pay 24 payments, each from the change of the previous one: all are seen.
/// 3. Mine: all complete and the audit is clean.
#[test]
fn a_chain_of_unconfirmed_transactions_is_fully_followed() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let coins: Vec<serde_json::Value> = node.call("listunspent", json!([1]));
    let locked: Vec<serde_json::Value> =
        coins[1..].iter().map(|coin| json!({"txid": coin["txid"], "vout": coin["vout"]})).collect();
    node.call::<bool>("lockunspent", json!([false, locked]));
    let payments: Vec<_> = (0..24).map(|_| shop.create("0.05")).collect();
    for payment in &payments {
        node.send(&payment.address, "0.05");
    }
    for payment in &payments {
        shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    }
    node.mine(2);
    for payment in &payments {
        shop.await_status(&payment.id, "completed", SOON);
    }
    gateway.cli_ok(&["audit"]);
}
