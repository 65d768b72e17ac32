//! Sweeps pay the merchants' payout addresses, verified with the node's UTXO set.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::database::Database;
use crate::harness::gateway::Gateway;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// Sweeps every second.
fn sweeping(gateway: &Gateway) {
    gateway.set("sweeper.interval", "1s");
}

/// The only transaction in the mempool.
fn await_only_transaction(node: &Node) -> String {
    wait_until("the sweep in the mempool", SOON, || {
        let mempool = node.mempool();
        assert!(mempool.len() <= 1, "one transaction for all: {mempool:?}");
        mempool.into_iter().next()
    })
}

/// Creates and pays a payment. Answers its id.
fn pay(node: &Node, shop: &Shop, amount: &str) -> String {
    let payment = shop.create(amount);
    node.send(&payment.address, amount);
    payment.id
}

/// 1. Complete three payments of one merchant and one of another.
/// 2. One transaction pays both, with one output each and no change.
/// 3. The merchants share the fee by their inputs; nothing is lost.
/// 4. Confirm it: both have their money, and nothing is sent again.
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
    gateway
        .holds_for_passes(Passes::Sweeper, "no coin is paid twice", || node.mempool().is_empty());
}

/// 1. Confirm a payment with 2 of 3 confirmations: nothing is sent.
/// 2. Confirm it a third time: it completes and is swept.
#[test]
fn the_sweeper_sweeps_automatically_only_after_completion() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("payments.confirmations", 3);
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let id = pay(&node, &shop, "0.05");
    node.mine(2);
    shop.await_field(&id, "confirmations", "2", SOON);
    gateway.holds_for_passes(Passes::Sweeper, "nothing goes out at 2 of 3", || {
        node.mempool().is_empty()
    });
    node.mine(1);
    shop.await_status(&id, "completed", SOON);
    let txid = await_only_transaction(&node);
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
}

/// 1. Complete a payment below `min_payout`: nothing is sent.
/// 2. Complete another: both are swept together.
#[test]
fn a_small_sum_waits() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("sweeper.min_payout", "0.05");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let small = pay(&node, &shop, "0.03");
    node.mine(2);
    shop.await_status(&small, "completed", SOON);
    gateway.holds_for_passes(Passes::Sweeper, "below min_payout", || node.mempool().is_empty());
    let more = pay(&node, &shop, "0.03");
    node.mine(2);
    shop.await_status(&more, "completed", SOON);
    let txid = await_only_transaction(&node);
    assert_eq!(node.outputs_of(&txid)[0].1 + node.fee_of(&txid), litoshis("0.06"));
}

/// 1. Wait for a sweep in the mempool, then kill and start the gateway.
/// 2. The mempool still contains only this sweep; mined, it pays the merchant.
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
    gateway.holds_for_passes(Passes::Sweeper, "the same transaction", || {
        node.mempool() == [txid.clone()]
    });
    let fee = node.fee_of(&txid);
    node.mine(1);
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
}

/// 1. Let a payment and its grace period expire, then pay it.
/// 2. The coin is swept to the merchant.
#[test]
#[ignore = "long"]
fn late_money_is_swept_too() {
    let test_env = TestEnv::alone_with(|gateway| {
        sweeping(gateway);
        gateway.set("payments.expiry", "2s");
        gateway.set("payments.late_grace", "1s");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    shop.await_status(&payment.id, "expired", SOON);
    gateway.let_pass(Duration::from_secs(5));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_field(&payment.id, "confirmations", "2", SOON);
    let txid = await_only_transaction(&node);
    assert_eq!(node.outputs_of(&txid)[0].0, shop.payout_address);
}

/// 1. Run a gateway without a signing key and complete a payment.
/// 2. It keeps running and sends nothing.
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
    gateway.holds_for_passes(Passes::Sweeper, "watch-only", || {
        gateway.ended().is_none() && node.mempool().is_empty()
    });
}

/// Kills the gateway, changes the database, and starts it with sweeps every second.
fn restart_sweeping(gateway: &Gateway, tampered: &str) {
    gateway.kill();
    if !tampered.is_empty() {
        Database::of(gateway).tamper(tampered);
    }
    sweeping(gateway);
    gateway.start();
}

/// The addresses that the only transaction in the mempool pays.
fn paid(node: &Node) -> Vec<String> {
    let txid = await_only_transaction(node);
    let mut addresses: Vec<String> =
        node.outputs_of(&txid).into_iter().map(|(address, _)| address).collect();
    addresses.sort();
    addresses
}

/// 1. Complete two small payments of one merchant, and an ordinary and a coinbase one of
///    another.
/// 2. Mark the coinbase as an ordinary coin in the database, so that the node refuses it.
/// 3. The sweep pays everything else.
#[test]
fn a_coin_that_the_node_refuses_delays_no_other_coin() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
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

/// 1. Complete a payment for each of two merchants.
/// 2. Write an unspendable script as one merchant's payout address.
/// 3. The other merchant is paid; the error names the first.
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

/// 1. Complete a payment for each of two merchants.
/// 2. Move one coin to index 7, whose key does not own it.
/// 3. The other merchant is paid.
#[test]
fn a_payment_with_a_foreign_address_delays_no_other_payout() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let neighbour = Shop::open(&gateway, &node, "Neighbour");
    let ids = [pay(&node, &shop, "0.05"), pay(&node, &neighbour, "0.05")];
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    restart_sweeping(
        &gateway,
        "UPDATE coins SET derivation_index = 7 WHERE derivation_index = 1;
         UPDATE events SET derivation_index = 7 WHERE derivation_index = 1;
         DELETE FROM payment_seals WHERE derivation_index = 1;
         DELETE FROM payment_changes WHERE derivation_index = 1;
         UPDATE payments SET derivation_index = 7 WHERE derivation_index = 1;",
    );
    assert_eq!(paid(&node), [shop.payout_address]);
}

/// 1. Sweep the payments of two merchants in one transaction.
/// 2. Replace one payment by a double spend: the sweep leaves the mempool.
/// 3. It is not abandoned at once; after further blocks, it is.
/// 4. A new sweep pays the other merchant once.
#[test]
#[ignore = "long"]
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
    gateway.holds_for_passes(Passes::Sweeper, "not given up at once", || node.mempool().is_empty());
    node.mine(2);
    assert_eq!(paid(&node), std::slice::from_ref(&neighbour.payout_address));
    let fee = node.fee_of(&await_only_transaction(&node));
    gateway.await_log(&["error", "sweep abandoned"]);
    node.mine(3);
    assert_eq!(node.balance_of(&neighbour.payout_address), litoshis("0.07") - fee);
    assert_eq!(node.balance_of(&shop.payout_address), 0);
    gateway.holds_for_passes(Passes::Sweeper, "paid once", || node.mempool().is_empty());
}
