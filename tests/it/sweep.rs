//! The money goes to the merchants' payout addresses, as the node's own UTXO set says.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, stays_true, wait_until};

fn sweeping(gateway: &Gateway) {
    gateway.set("sweeper.interval", "1s");
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
fn one_sweep_pays_two_merchants_and_splits_the_fee_by_inputs() {
    let test_env = TestEnv::alone_with(sweeping);
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
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
fn the_sweeper_sweeps_automatically_only_after_completion() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("payments.confirmations", 3);
    });
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
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
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("sweeper.min_payout", "0.05");
    });
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
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
    let TestEnv { gateway, shop, node } = TestEnv::beside(node, sweeping);
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_status(&id, "completed", SOON);
    let txid = await_only_transaction(&node);
    gateway.kill();
    gateway.start();
    stays_true("the same transaction", Duration::from_secs(2), || node.mempool() == [txid.clone()]);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
}

#[test]
fn late_money_is_swept_too() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("payments.expiry", "2s");
        gateway.set("payments.late_grace", "1s");
    });
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
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
    let TestEnv { gateway, shop, node } = TestEnv::beside(node, |gateway: &Gateway| {
        gateway.unset("wallet.signing_key_file");
        sweeping(gateway);
    });
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_status(&id, "completed", SOON);
    stays_true("watch-only", Duration::from_secs(2), || {
        gateway.ended().is_none() && node.mempool().is_empty()
    });
}

/// Lets the gateway sweep, which by itself it does not in the time of a test.
fn restart_sweeping(gateway: &Gateway, tampered: &str) {
    gateway.kill();
    if !tampered.is_empty() {
        Database::of(gateway).tamper(tampered);
    }
    sweeping(gateway);
    gateway.start();
}

/// What the only transaction in the mempool pays, by address.
fn paid(node: &Node) -> Vec<String> {
    let txid = await_only_transaction(node);
    let mut addresses: Vec<String> =
        node.outputs_of(&txid).into_iter().map(|(address, _)| address).collect();
    addresses.sort();
    addresses
}

#[test]
fn a_coin_that_the_node_refuses_delays_no_other_coin() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    // Two coins that reach the least payout only together; a good one beside the bad one.
    let mut ids = vec![pay(&node, &shop, "0.006"), pay(&node, &shop, "0.006")];
    let theirs = pay(&node, &neighbour, "0.05");
    let mined = neighbour.create("1");
    node.mine_to(&mined.address, 1);
    node.mine(1);
    ids.push(theirs);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    neighbour.await_status(&mined.id, "completed", SOON);
    // The database says that a miner's coin is an ordinary one. The node knows better.
    restart_sweeping(&gateway, "UPDATE coins SET origin = 'plain' WHERE origin = 'coinbase'");
    let mut expected = vec![shop.payout_address.clone(), neighbour.payout_address.clone()];
    expected.sort();
    assert_eq!(paid(&node), expected);
    let txid = await_only_transaction(&node);
    let fee = node.fee_of(&txid);
    node.mine(1);
    let paid = node.balance_of(&shop.payout_address) + node.balance_of(&neighbour.payout_address);
    assert_eq!(paid + fee, litoshis("0.062"), "all but the refused coin");
}

#[test]
fn an_impossible_payout_script_delays_no_other_payout() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let ids = [pay(&node, &shop, "0.05"), pay(&node, &neighbour, "0.05")];
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    restart_sweeping(
        &gateway,
        "UPDATE payout_addresses SET script = zeroblob(100)
         WHERE merchant_id = (SELECT id FROM merchants WHERE name = 'Neighbour')",
    );
    assert_eq!(paid(&node), [shop.payout_address]);
    gateway.await_log(&["error", &neighbour.merchant_id]);
}

#[test]
fn a_payment_with_a_foreign_address_delays_no_other_payout() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let ids = [pay(&node, &shop, "0.05"), pay(&node, &neighbour, "0.05")];
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    // The coin is real, but index 7 of our key does not own it.
    restart_sweeping(
        &gateway,
        "UPDATE coins SET derivation_index = 7 WHERE derivation_index = 1;
         DELETE FROM payment_seals WHERE derivation_index = 1;
         DELETE FROM payment_changes WHERE derivation_index = 1;
         UPDATE payments SET derivation_index = 7 WHERE derivation_index = 1;",
    );
    assert_eq!(paid(&node), [shop.payout_address]);
}

#[test]
fn a_reorged_payment_releases_the_coins_swept_with_it() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let stays = pay(&node, &neighbour, "0.07");
    node.mine(1);
    let vanishes = shop.create("0.05");
    let txid = node.send(&vanishes.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    node.mine(2);
    shop.await_status(&vanishes.id, "completed", SOON);
    neighbour.await_status(&stays, "completed", SOON);
    restart_sweeping(&gateway, "");
    let first = await_only_transaction(&node);
    assert_eq!(node.outputs_of(&first).len(), 2);
    node.disconnect(2);
    node.mine_exactly(&[&double_spend]);
    assert_eq!(node.mempool(), [""; 0], "the sweep went with the coin that it spent");
    shop.await_field(&vanishes.id, "confirmations", "0", SOON);
    stays_true("not given up at once", Duration::from_secs(2), || node.mempool().is_empty());
    node.mine(2);
    assert_eq!(paid(&node), std::slice::from_ref(&neighbour.payout_address));
    let fee = node.fee_of(&await_only_transaction(&node));
    gateway.await_log(&["error", "sweep abandoned"]);
    node.mine(3);
    assert_eq!(node.balance_of(&neighbour.payout_address), litoshis("0.07") - fee);
    assert_eq!(node.balance_of(&shop.payout_address), 0);
    stays_true("paid once", Duration::from_secs(2), || node.mempool().is_empty());
}
