//! Coins after the expiry: they count within the grace period and are kept for the merchant
//! after it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::random::setting;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// Payments expire after two seconds.
fn short_expiry(gateway: &Gateway) {
    gateway.set("payments.expiry", "2s");
}

/// 1. Let a payment expire, then pay it.
/// 2. It stays `expired` until it is confirmed, with `late` and detail `late`.
/// 3. Confirm it: it completes, and the webhook says `late`.
#[test]
fn late_money_within_the_grace_completes_and_is_marked_late() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone_with(short_expiry) else {
        return;
    };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    shop.await_status(&payment.id, "expired", SOON);
    node.send(&payment.address, "0.05");
    let seen = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    assert_eq!(seen.text("status"), "expired", "until it is confirmed");
    assert_eq!(seen.raw("late"), "true");
    assert_eq!(seen.text("detail"), "late");
    node.mine(1);
    let seen = shop.await_field(&payment.id, "confirmations", "1", SOON);
    assert_eq!(seen.text("status"), "expired");
    node.mine(1);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "true");
    let hit = receiver.await_hit_for(&payment.id, SOON);
    assert_eq!(hit.fields().text("status"), "completed");
    assert_eq!(hit.fields().raw("late"), "true");
}

/// 1. Pay a part in time and the rest after the expiry.
/// 2. Confirm both: the payment completes and is late.
#[test]
fn a_late_part_can_make_up_the_amount() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone_with(short_expiry) else {
        return;
    };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.02");
    shop.await_status(&payment.id, "expired", SOON);
    node.send(&payment.address, "0.03");
    // Wait for the mempool: block times are whole seconds and would be a second early.
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "true");
}

/// 1. Let the expiry and the grace period pass.
/// 2. Pay and confirm: the coin is recorded as late, and the payment stays `expired`.
/// 3. No webhook is sent.
#[test]
#[ignore = "long"]
fn money_after_the_grace_is_recorded_but_completes_nothing() {
    let test_env = TestEnv::alone_with(|gateway| {
        short_expiry(gateway);
        gateway.set("payments.late_grace", "1s");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    shop.await_status(&payment.id, "expired", SOON);
    gateway.let_pass(Duration::from_secs(5));
    node.send(&payment.address, "0.05");
    // A coin that is first seen in a block counts from the block's time, by the node's clock.
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(3);
    let fields = shop.await_field(&payment.id, "confirmations", "3", SOON);
    assert_eq!(fields.text("status"), "expired");
    assert_eq!(fields.raw("amountConfirmedLtc"), "0.05");
    assert_eq!(fields.raw("late"), "true");
    assert!(receiver.hits().is_empty(), "an expired payment is not told as completed");
}

/// 1. Show the gateway a transaction before the expiry and mine it after: the payment
///    completes.
/// 2. Broadcast another one after the expiry: the payment stays `expired`, although the
///    block's time is earlier.
#[test]
fn the_time_seen_decides_for_a_block_at_the_deadline() {
    #[track_caller]
    fn check(seen_before: bool, expected: &str) {
        let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(|gateway| {
            gateway.set("payments.expiry", "60s");
            gateway.set("payments.late_grace", "0s");
        }) else {
            return;
        };
        let payment = shop.create("0.05");
        gateway.let_pass(Duration::from_secs(55));
        if seen_before {
            node.send(&payment.address, "0.05");
            shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        }
        gateway.let_pass(Duration::from_secs(65));
        if !seen_before {
            shop.await_status(&payment.id, "expired", SOON);
            node.send(&payment.address, "0.05");
            // The block's time is earlier; the time first seen decides.
            shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        }
        node.mine(2);
        let fields = shop.await_field(&payment.id, "confirmations", "2", SOON);
        assert_eq!(fields.text("status"), expected);
    }
    check(true, "completed");
    check(false, "expired");
}

/// Creates confirmed coins of this size, locked against use by the node's wallet.
fn coins_of_a_payer(node: &Node, count: u64, amount: &str) -> Vec<Value> {
    let sized = json!({ "minimumAmount": amount, "maximumAmount": amount });
    let mut coins = Vec::new();
    for from in (0..count).step_by(1_000) {
        let to = count.min(from + 1_000);
        let each: serde_json::Map<String, Value> =
            (from..to).map(|_| (node.fresh_address(), json!(amount))).collect();
        node.call::<Value>("sendmany", json!(["", each]));
        node.mine(1);
        let made: Vec<Value> = node.call("listunspent", json!([1, 9_999_999, [], true, &sized]));
        let outpoints: Vec<Value> = made.iter().map(outpoint).collect();
        node.call::<bool>("lockunspent", json!([false, outpoints]));
        coins.extend(made);
    }
    coins
}

/// The outpoint of a coin that `listunspent` returned.
fn outpoint(coin: &Value) -> Value {
    json!({ "txid": coin["txid"], "vout": coin["vout"] })
}

/// Spends one coin explicitly: the wallet's coin selection slows down with many coins.
fn send_coin(node: &Node, coin: &Value, address: &str, amount: &str) {
    #[derive(serde::Deserialize)]
    struct Signed {
        hex: String,
    }
    let inputs = [outpoint(coin)];
    let raw: String = node.call("createrawtransaction", json!([inputs, [{ (address): amount }]]));
    let signed: Signed = node.call("signrawtransactionwithwallet", json!([raw]));
    node.call::<String>("sendrawtransaction", json!([signed.hex]));
}

/// 1. Pay one payment with `TRANSACTIONS` transactions of 0.0001 LTC.
/// 2. It completes with their sum, and the status lists at most 50 txids.
/// 3. The audit is clean.
#[test]
#[ignore = "long"]
fn many_small_transactions_to_one_address_add_up() {
    let count = setting("TRANSACTIONS", 100);
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let amount = crate::harness::node::decimal(count * 10_000);
    let payment = shop.create(&amount);
    let coins = coins_of_a_payer(&node, count, "0.0002");
    for some in coins.chunks(500) {
        for coin in some {
            send_coin(&node, coin, &payment.address, "0.0001");
        }
        node.mine(1);
    }
    node.mine(1);
    let fields = shop.await_status(&payment.id, "completed", SOON * 5);
    let received = amount.trim_end_matches('0').trim_end_matches('.');
    assert_eq!(fields.raw("amountReceivedLtc"), received);
    assert_eq!(fields.texts("txids").len(), 50.min(usize::try_from(count).unwrap()));
    let began = std::time::Instant::now();
    shop.status(&payment.id);
    println!("{count} transactions; one look takes {:?}", began.elapsed());
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}
