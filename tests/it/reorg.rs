//! The best chain changes; confirmations follow it.

use std::time::Duration;

use crate::harness::receiver::Receiver;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true};

#[test]
fn confirmations_follow_the_best_chain() {
    let stage = Stage::alone_with(|gate| gate.set("payments.confirmations", 3));
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_field(&payment.id, "confirmations", "2", SOON);
    node.reorg_to_empty(2);
    let fields = shop.await_field(&payment.id, "confirmations", "0", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "back in the mempool");
    assert_eq!(fields.raw("amountConfirmedLtc"), "0");
    node.mine(2);
    let fields = shop.await_field(&payment.id, "confirmations", "2", SOON);
    assert_eq!(fields.text("status"), "pending", "the old confirmations do not count");
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
}

#[test]
fn a_payment_that_is_mined_again_in_another_block_counts_once() {
    let stage = Stage::alone_with(|gate| gate.set("payments.confirmations", 3));
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    node.reorg(1);
    let fields = shop.await_field(&payment.id, "confirmations", "2", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    assert_eq!(fields.texts("txids").len(), 1);
}

#[test]
fn completed_stays_completed_and_is_told_once() {
    let Some(Stage { gate, shop, node }) = Stage::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_told("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    receiver.await_hit_for(&payment.id, SOON);
    node.reorg_to_empty(2);
    let fields = shop.await_field(&payment.id, "confirmations", "0", SOON);
    assert_eq!(fields.text("status"), "completed");
    gate.await_log(&["warn", &payment.id]);
    node.mine(3);
    shop.await_field(&payment.id, "confirmations", "3", SOON);
    stays_true("told once", Duration::from_secs(1), || receiver.hits().len() == 1);
}

#[test]
fn a_deep_reorganisation_is_nothing_special() {
    let Some(Stage { gate: _gate, shop, node }) = Stage::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    // The coins that it spends are older than what is taken back, so it stays valid throughout.
    for _ in 0..20 {
        node.mine_empty();
    }
    node.reorg_to_empty(20);
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("confirmations"), "0");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}
