//! Reorganisations: confirmations follow the best chain.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::harness::passes::Passes;
use crate::harness::random::setting;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// 1. Pay a payment that needs 3 confirmations and mine two blocks.
/// 2. Replace both by empty blocks: the coin is back in the mempool, with 0 confirmations.
/// 3. Mine two blocks: the earlier confirmations do not count.
/// 4. Mine a third: the payment completes.
#[test]
fn confirmations_follow_the_best_chain() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations", 3));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
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
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations", 3));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    node.reorg(1);
    let fields = shop.await_field(&payment.id, "confirmations", "2", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05");
    assert_eq!(fields.texts("txids").len(), 1);
}

/// 1. Complete a payment and receive its webhook.
/// 2. Replace its blocks by empty ones: it stays `completed` with 0 confirmations, with a
///    warning.
/// 3. Mine it again: no second webhook is sent.
#[test]
fn a_completed_payment_stays_completed_and_notifies_once() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    receiver.await_hit_for(&payment.id, SOON);
    node.reorg_to_empty(2);
    let fields = shop.await_field(&payment.id, "confirmations", "0", SOON);
    assert_eq!(fields.text("status"), "completed");
    gateway.await_log(&["warn", &payment.id]);
    node.mine(3);
    shop.await_field(&payment.id, "confirmations", "3", SOON);
    gateway.holds_for_passes(Passes::Webhooks, "sent once", || receiver.hits().len() == 1);
}

/// 1. Broadcast a payment and mine 20 empty blocks.
/// 2. Replace them by other empty blocks: the payment is still unconfirmed.
/// 3. Mine two blocks: it completes.
#[test]
fn a_deep_reorganisation_is_followed_as_any_other() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    // Its inputs are older than the reorganisation, so it stays valid.
    for _ in 0..20 {
        node.mine_empty();
    }
    node.reorg_to_empty(20);
    let fields = shop.status(&payment.id);
    assert_eq!(fields.raw("confirmations"), "0");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. For each depth up to `DEPTHS` run `follow_depths`.
/// 2. Start a new chain whenever MWEB would begin: without it, regtest stops at height 431.
#[test]
#[ignore = "long"]
fn a_reorganisation_of_any_depth_is_followed_both_ways() {
    let depths = u32::try_from(setting("DEPTHS", 8)).unwrap();
    let mut from = 1;
    while from <= depths {
        let mut to = from;
        while to < depths && blocks_for(from..=to + 1) < BLOCKS_MAX {
            to += 1;
        }
        follow_depths(from..=to);
        from = to + 1;
    }
}

/// Blocks that may be mined on the prepared chain before MWEB would begin.
const BLOCKS_MAX: u32 = 431 - 115;

/// Height that these depths need: three blocks each, and the coins' confirmations.
fn blocks_for(depths: RangeInclusive<u32>) -> u32 {
    let deepest = *depths.end();
    2 * deepest + 10 + depths.map(|depth| depth + 4).sum::<u32>()
}

/// 1. Prepare coins deeper than every reorganisation: a young coinbase would vanish.
/// 2. For each depth, confirm a payment and replace its blocks: mined again, it counts once.
/// 3. Replace the blocks by empty ones: it has 0 confirmations; mined again, it has one.
/// 4. The audit is clean.
fn follow_depths(depths: RangeInclusive<u32>) {
    let deepest = *depths.end();
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("payments.confirmations", 200);
        gateway.set("payments.expiry", "24h");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let coins: serde_json::Map<String, Value> =
        (0..deepest + 5).map(|_| (node.fresh_address(), json!("0.06"))).collect();
    node.call::<Value>("sendmany", json!(["", coins]));
    node.mine(deepest + 5);
    for depth in depths {
        let payment = shop.create("0.05");
        let txid = node.send(&payment.address, "0.05");
        node.mine(depth);
        let deep = depth.to_string();
        shop.await_field(&payment.id, "confirmations", &deep, SOON);
        // After a disconnect of more than ten blocks, the node drops their transactions; the
        // payer's wallet sends them again.
        node.disconnect(depth);
        node.send_again(&txid);
        node.mine(depth + 1);
        let deep = (depth + 1).to_string();
        let fields = shop.await_field(&payment.id, "confirmations", &deep, SOON);
        assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "counted once");
        assert_eq!(fields.texts("txids"), std::slice::from_ref(&txid));
        node.disconnect(depth + 1);
        for _ in 0..depth + 2 {
            node.mine_empty();
        }
        node.send_again(&txid);
        // Confirmations drop first. A deep coin is evicted until it is sent again.
        shop.await_field(&payment.id, "confirmations", "0", SOON);
        let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        assert_eq!(fields.raw("confirmations"), "0");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
    }
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Confirm a payment in three blocks.
/// 2. Replace them by empty ones: 0 confirmations.
/// 3. Let the node return to the first branch: 3 confirmations again.
/// 4. Mine two blocks: the payment completes and the audit is clean.
#[test]
fn a_branch_that_returns_is_the_best_chain_again() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations", 5));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(3);
    shop.await_field(&payment.id, "confirmations", "3", SOON);
    let first: String = node.call("getblockhash", json!([node.height() - 2]));
    node.reorg_to_empty(3);
    shop.await_field(&payment.id, "confirmations", "0", SOON);
    let second: String = node.call("getblockhash", json!([node.height() - 3]));
    node.call::<Value>("invalidateblock", json!([second]));
    node.call::<Value>("reconsiderblock", json!([first]));
    shop.await_field(&payment.id, "confirmations", "3", SOON);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. Complete a payment, then replace its blocks by a branch with a double spend.
/// 2. The loss is logged once as an error, and counted by the metric.
/// 3. The payment stays `completed`; doctor and audit name it.
#[test]
fn a_completed_payment_without_its_coins_raises_an_alarm() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let rival = node.double_spend_of(&txid);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    assert!(gateway.metrics().contains("litegate_completed_payments_reorged_out 0"));
    node.disconnect(2);
    node.mine_exactly(&[&rival]);
    node.mine(2);
    gateway.await_log(&["error", "has lost its coins", &payment.id]);
    assert!(gateway.metrics().contains("litegate_completed_payments_reorged_out 1"));
    assert_eq!(shop.status(&payment.id).text("status"), "completed");
    let doctor = gateway.doctor();
    assert!(doctor.stdout.contains(&payment.id), "{}", doctor.stdout);
    gateway.cli_fails(&["audit"], 1, &[&payment.id]);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.await_log(&["has lost its coins"]);
    assert_eq!(gateway.log_lines(&["has lost its coins"]).len(), 1, "sent once");
}
