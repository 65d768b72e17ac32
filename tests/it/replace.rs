//! A transaction that was seen is replaced or double-spent: its coins no longer count.

use serde_json::json;

use crate::harness::node::Node;
use crate::harness::stage::Stage;
use crate::harness::wait::SOON;

#[test]
fn a_mined_double_spend_takes_the_coin_away() {
    let Some(Stage { gate: _gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine_exactly(&[&double_spend]);
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.text("detail"), "replaced");
    assert_eq!(fields.raw("amountDueLtc"), "0.05");
    // The shopper pays again.
    node.send(&payment.address, "0.05");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "the first one does not count");
}

#[test]
fn a_replacement_in_the_mempool_takes_the_coin_away() {
    let node = Node::start_with(&["-mempoolreplacement=1", "-walletrbf=1"]);
    let Some(node) = node.map(std::sync::Arc::new) else { return };
    let Stage { gate: _gate, shop, node } = Stage::beside(node, |_| ());
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    // Its fee is far above what the node takes for a mistake, unless told that it is none.
    let _: String = node.call("sendrawtransaction", json!([double_spend, 0]));
    let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.texts("txids"), Vec::<String>::new());
    node.mine(3);
    let fields = shop.status(&payment.id);
    assert_eq!((fields.text("status").as_str(), fields.raw("confirmations")), ("pending", "0"));
}

#[test]
fn a_double_spend_of_a_confirmed_payment_takes_it_off_the_chain() {
    let stage = Stage::alone_with(|gate| gate.set("payments.confirmations", 3));
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
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
