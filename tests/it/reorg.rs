//! The best chain changes; confirmations follow it.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::random::setting;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, stays_true};

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
    stays_true("told once", Duration::from_secs(1), || receiver.hits().len() == 1);
}

#[test]
fn a_deep_reorganisation_is_followed_as_any_other() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
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

#[test]
#[ignore = "long"]
fn a_reorganisation_of_any_depth_is_followed_both_ways() {
    // `DEPTHS=100` climbs the whole ladder, on a new chain for each few rungs: without MWEB,
    // regtest goes no further than 431 blocks.
    let depths = u32::try_from(setting("DEPTHS", 8)).unwrap();
    let mut from = 1;
    while from <= depths {
        let mut to = from;
        while to < depths && blocks_for(from..=to + 1) < BLOCKS_MAX {
            to += 1;
        }
        climb(from..=to);
        from = to + 1;
    }
}

/// Blocks that may be mined on the prepared chain before MWEB would begin.
const BLOCKS_MAX: u32 = 431 - 115;

/// How high the chain grows on these rungs: three blocks each, and the coins' own confirmations.
fn blocks_for(depths: RangeInclusive<u32>) -> u32 {
    let deepest = *depths.end();
    2 * deepest + 10 + depths.map(|depth| depth + 4).sum::<u32>()
}

fn climb(depths: RangeInclusive<u32>) {
    let deepest = *depths.end();
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("payments.confirmations", 200);
        gateway.set("payments.expiry", "24h");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    // Coins that lie deeper than all that is taken back; a young coinbase would vanish with it.
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
        // Moved: it is mined again, in the first of the new blocks. A node that is told to leave
        // more than ten blocks drops what was in them; the payer's wallet sends it again.
        node.disconnect(depth);
        node.send_again(&txid);
        node.mine(depth + 1);
        let deep = (depth + 1).to_string();
        let fields = shop.await_field(&payment.id, "confirmations", &deep, SOON);
        assert_eq!(fields.raw("amountReceivedLtc"), "0.05", "counted once");
        assert_eq!(fields.texts("txids"), std::slice::from_ref(&txid));
        // Back to the mempool, then mined.
        node.disconnect(depth + 1);
        for _ in 0..depth + 2 {
            node.mine_empty();
        }
        node.send_again(&txid);
        // Its confirmations are gone first; a deep one's coin too, until it is sent again.
        shop.await_field(&payment.id, "confirmations", "0", SOON);
        let fields = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        assert_eq!(fields.raw("confirmations"), "0");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
    }
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

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
    // The node takes the first branch again, as soon as it is the longer one.
    let second: String = node.call("getblockhash", json!([node.height() - 3]));
    node.call::<Value>("invalidateblock", json!([second]));
    node.call::<Value>("reconsiderblock", json!([first]));
    shop.await_field(&payment.id, "confirmations", "3", SOON);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

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
    assert_eq!(gateway.log_lines(&["has lost its coins"]).len(), 1, "told once");
}
