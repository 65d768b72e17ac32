//! The money goes to the merchants' payout addresses, as the node's own UTXO set says.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::gate::Gate;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, stays_true, wait_until};

fn sweeping(gate: &Gate) {
    gate.set("sweeper.interval", "1s");
}

/// The one transaction in the mempool.
fn await_only_transaction(node: &Node) -> String {
    wait_until("the sweep in the mempool", SOON, || {
        let mempool = node.mempool();
        assert!(mempool.len() <= 1, "one transaction for all: {mempool:?}");
        mempool.into_iter().next()
    })
}

fn pay(node: &Node, shop: &Shop, amount: &str) -> String {
    let payment = shop.create(amount);
    node.send(&payment.address, amount);
    payment.id
}

#[test]
fn two_merchants_are_paid_by_one_transaction_that_shares_the_fee_by_inputs() {
    let stage = Stage::alone_with(sweeping);
    let Some(Stage { gate, shop, node }) = stage else { return };
    let neighbour = Shop::open(&gate, &node, "Neighbour");
    let ids = [pay(&node, &shop, "0.05"), pay(&node, &shop, "0.07"), pay(&node, &shop, "0.03")];
    let theirs = pay(&node, &neighbour, "1.5");
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    neighbour.await_status(&theirs, "completed", SOON);
    let txid = await_only_transaction(&node);
    let fee = node.fee_of(&txid);
    assert!(fee > 0);
    let mut outputs = node.outputs_of(&txid);
    outputs.sort_by_key(|(_, amount)| *amount);
    let [(first, ours), (second, others)] = outputs.as_slice() else {
        panic!("one output a merchant, no change: {outputs:?}")
    };
    assert_eq!((first, second), (&shop.payout_address, &neighbour.payout_address));
    assert_eq!(ours + others + fee, litoshis("1.65"), "nothing is lost");
    let (our_share, their_share) = (litoshis("0.15") - ours, litoshis("1.5") - others);
    let expected = fee * 3 / 4;
    assert!(our_share.abs_diff(expected) <= 3, "three of four inputs: {our_share} of {fee}");
    assert_eq!(our_share + their_share, fee);
    let (ours, others) = (*ours, *others);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), ours);
    assert_eq!(node.balance_of(&neighbour.payout_address), others);
    stays_true("no coin is paid twice", Duration::from_secs(3), || node.mempool().is_empty());
}

#[test]
fn it_sweeps_by_itself_and_not_before_completion() {
    let stage = Stage::alone_with(|gate| {
        sweeping(gate);
        gate.set("payments.confirmations", 3);
    });
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_field(&id, "confirmations", "2", SOON);
    stays_true("nothing goes out at 2 of 3", Duration::from_secs(2), || node.mempool().is_empty());
    node.mine(1);
    shop.await_status(&id, "completed", SOON);
    let txid = await_only_transaction(&node);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
}

#[test]
fn a_small_sum_waits() {
    let stage = Stage::alone_with(|gate| {
        sweeping(gate);
        gate.set("sweeper.min_payout", "0.05");
    });
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
    let small = pay(&node, &shop, "0.03");
    node.mine(2);
    shop.await_status(&small, "completed", SOON);
    stays_true("below min_payout", Duration::from_secs(3), || node.mempool().is_empty());
    let more = pay(&node, &shop, "0.03");
    node.mine(2);
    shop.await_status(&more, "completed", SOON);
    let txid = await_only_transaction(&node);
    assert_eq!(node.outputs_of(&txid)[0].1 + node.fee_of(&txid), litoshis("0.06"));
}

#[test]
fn a_sweep_survives_a_crash_of_gateway_and_node() {
    let Some(node) = Node::start().map(Arc::new) else { return };
    let Stage { gate, shop, node } = Stage::beside(node, sweeping);
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_status(&id, "completed", SOON);
    let txid = await_only_transaction(&node);
    gate.kill();
    gate.start();
    stays_true("the same transaction", Duration::from_secs(2), || node.mempool() == [txid.clone()]);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
}

#[test]
fn late_money_is_swept_as_well() {
    let stage = Stage::alone_with(|gate| {
        sweeping(gate);
        gate.set("payments.expiry", "2s");
        gate.set("payments.late_grace", "1s");
    });
    let Some(Stage { gate: _gate, shop, node }) = stage else { return };
    let payment = shop.create("0.05");
    shop.await_status(&payment.id, "expired", SOON);
    stays_true("past the grace", Duration::from_millis(1_500), || true);
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_field(&payment.id, "confirmations", "2", SOON);
    let txid = await_only_transaction(&node);
    assert_eq!(node.outputs_of(&txid)[0].0, shop.payout_address);
}

#[test]
fn without_the_signing_key_nothing_is_sent() {
    let Some(node) = Node::start().map(Arc::new) else { return };
    let Stage { gate, shop, node } = Stage::beside(node, |gate: &Gate| {
        gate.unset("wallet.signing_key_file");
        sweeping(gate);
    });
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_status(&id, "completed", SOON);
    stays_true("watch-only", Duration::from_secs(2), || {
        gate.ended().is_none() && node.mempool().is_empty()
    });
}
