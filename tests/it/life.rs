//! A payment's life on a real chain: seen, confirmed, completed; paid in parts, overpaid or
//! unpaid.

use serde_json::{Value, json};

use crate::harness::passes::Passes;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// 1. Pay a first payment, so that the ZMQ subscription is established.
/// 2. Create a payment and broadcast a transaction that pays it, three times.
/// 3. Each is detected by its announcement, without a pass: `pending`, detail `seen`,
///    nothing confirmed and nothing due.
#[test]
fn a_payment_is_seen_by_its_announcement() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let first = shop.create("0.05");
    node.send(&first.address, "0.05");
    shop.await_field(&first.id, "amountReceivedLtc", "0.05", SOON);
    let seen_at_once = || {
        let metrics = gateway.metrics();
        let count = "litegate_detection_seconds_count ";
        let count = metrics.lines().find_map(|line| line.strip_prefix(count));
        count.expect("the count").parse::<u64>().unwrap()
    };
    for _ in 0..3 {
        let before = seen_at_once();
        let payment = shop.create("0.05");
        let txid = node.send(&payment.address, "0.05");
        let seen = shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
        wait_for("a transaction detected by its announcement", SOON, || seen_at_once() > before);
        assert_eq!(seen.text("status"), "pending");
        assert_eq!(seen.text("detail"), "seen");
        assert_eq!(seen.texts("txids"), [txid]);
        assert_eq!(seen.raw("amountConfirmedLtc"), "0");
        assert_eq!(seen.raw("amountDueLtc"), "0");
    }
}

/// 1. Configure 4 confirmations; the merchant sets 3.
/// 2. Pay a payment and mine two blocks: it stays `pending` and no webhook is sent.
/// 3. Mine a third block: the payment completes and the webhook arrives.
#[test]
fn a_payment_completes_at_exactly_the_required_depth() {
    let receiver = Receiver::start();
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations", 4));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let own = shop.clone();
    gateway.cli_ok(&["merchant", "set-confirmations", &own.merchant_id, "3"]);
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    assert_eq!(payment.fields.raw("confirmationsRequired"), "3", "the merchant's own number");
    node.send(&payment.address, "0.05");
    for confirmations in ["1", "2"] {
        node.mine(1);
        let fields = shop.await_field(&payment.id, "confirmations", confirmations, SOON);
        assert_eq!(fields.text("status"), "pending", "at {confirmations} confirmations");
        assert_eq!(fields.text("detail"), "confirming");
    }
    gateway.holds_for_passes(Passes::Webhooks, "pending at 2 of 3", || {
        shop.status(&payment.id).text("status") == "pending"
    });
    assert!(receiver.hits().is_empty(), "told too early");
    node.mine(1);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("confirmations"), "3");
    assert_eq!(fields.raw("amountConfirmedLtc"), "0.05");
    assert_eq!(fields.raw("late"), "false");
    assert!(fields.text("completedAt").ends_with('Z'));
    receiver.await_hit_for(&payment.id, SOON);
}

/// 1. Configure 4 confirmations from 0.5 LTC on.
/// 2. Pay a payment just below and one at the limit, and mine two blocks.
/// 3. Only the small payment completes.
/// 4. Mine two more blocks: the large one completes.
#[test]
fn large_amounts_take_more_confirmations() {
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("payments.large_amount", "0.5");
        gateway.set("payments.confirmations_large", 4);
    });
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    let (small, large) = (shop.create("0.49999999"), shop.create("0.5"));
    assert_eq!(small.fields.raw("confirmationsRequired"), "2");
    assert_eq!(large.fields.raw("confirmationsRequired"), "4");
    node.send(&small.address, "0.49999999");
    node.send(&large.address, "0.5");
    node.mine(2);
    shop.await_status(&small.id, "completed", SOON);
    let fields = shop.await_field(&large.id, "confirmations", "2", SOON);
    assert_eq!(fields.text("status"), "pending");
    node.mine(2);
    shop.await_status(&large.id, "completed", SOON);
}

/// 1. Pay 0.02 of 0.05 LTC: the status asks for the remaining 0.03 LTC.
/// 2. Pay all but one litoshi: the payment stays `pending` and asks for the dust limit.
/// 3. Pay the dust limit: the payment completes with the sum of all four coins.
#[test]
fn partial_payments_add_up() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.02");
    let partly = shop.await_field(&payment.id, "amountReceivedLtc", "0.02", SOON);
    assert_eq!(partly.raw("amountDueLtc"), "0.03");
    let uri = format!("litecoin:{}?amount=0.03", payment.address);
    assert_eq!(partly.text("paymentUri"), uri);
    node.mine(3);
    let partly = shop.await_field(&payment.id, "amountConfirmedLtc", "0.02", SOON);
    assert_eq!(partly.text("status"), "pending");
    node.send(&payment.address, "0.01999999");
    node.send(&payment.address, "0.01");
    node.mine(2);
    let short = shop.await_field(&payment.id, "amountConfirmedLtc", "0.04999999", SOON);
    assert_eq!(short.text("status"), "pending", "a litoshi short");
    // Nodes do not relay outputs below the dust limit.
    assert_eq!(short.raw("amountDueLtc"), "0.0000294");
    let uri = format!("litecoin:{}?amount=0.0000294", payment.address);
    assert_eq!(short.text("paymentUri"), uri);
    node.send(&payment.address, "0.0000294");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("amountReceivedLtc"), "0.05002939");
    assert_eq!(fields.texts("txids").len(), 4);
}

#[test]
fn a_surplus_belongs_to_the_merchant() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.07");
    node.mine(2);
    let fields = shop.await_status(&payment.id, "completed", SOON);
    assert_eq!(fields.raw("amountLtc"), "0.05");
    assert_eq!(fields.raw("amountReceivedLtc"), "0.07");
    assert_eq!(fields.raw("amountDueLtc"), "0");
}

/// 1. Pay five payments with one transaction and confirm it.
/// 2. All five complete and name the same transaction.
#[test]
fn one_transaction_can_pay_many_payments() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payments: Vec<_> = (0..5).map(|_| shop.create("0.05")).collect();
    let outputs: serde_json::Map<String, Value> =
        payments.iter().map(|payment| (payment.address.clone(), json!("0.05"))).collect();
    let txid: String = node.call("sendmany", json!(["", outputs]));
    node.mine(2);
    for payment in payments {
        let fields = shop.await_status(&payment.id, "completed", SOON);
        assert_eq!(fields.texts("txids"), std::slice::from_ref(&txid));
    }
}

#[test]
fn a_coinbase_pays_like_any_other_output() {
    let Some(TestEnv { gateway: _gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.mine_to(&payment.address, 1);
    let fields = shop.await_field(&payment.id, "confirmations", "1", SOON);
    assert_eq!(fields.text("status"), "pending");
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Create one payment and underpay another by a litoshi.
/// 2. Both expire.
#[test]
fn a_payment_without_enough_money_expires() {
    let test_env = TestEnv::shared_with(|gateway| gateway.set("payments.expiry", "2s"));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    assert_eq!(payment.fields.text("status"), "pending");
    let short = shop.create("0.05");
    node.send(&short.address, "0.04999999");
    shop.await_field(&short.id, "amountReceivedLtc", "0.04999999", SOON);
    shop.await_status(&payment.id, "expired", SOON);
    shop.await_status(&short.id, "expired", SOON);
}

/// 1. Pay one of two payments without mining a block.
/// 2. The unpaid one expires; the paid one stays `pending`.
/// 3. Mine: the paid one completes and is not late.
#[test]
fn a_fully_paid_unconfirmed_payment_does_not_expire() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.expiry", "3s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let (paid, unpaid) = (shop.create("0.05"), shop.create("0.05"));
    node.send(&paid.address, "0.05");
    shop.await_field(&paid.id, "amountReceivedLtc", "0.05", SOON);
    shop.await_status(&unpaid.id, "expired", SOON);
    gateway.holds_for_blocks(&node, "pending while it waits for its block", || {
        shop.status(&paid.id).text("status") == "pending"
    });
    node.mine(2);
    let fields = shop.await_status(&paid.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
}

/// 1. Activate MWEB and complete an ordinary payment.
/// 2. Pay another payment with a peg-out and mine a block: it has one confirmation, as an
///    output of the HogEx.
/// 3. Mine a second block: it completes.
#[test]
fn a_payment_out_of_mweb_arrives_with_the_block() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("payments.confirmations_pegout", 2));
    let Some(TestEnv { gateway: _gateway, shop, node }) = test_env else { return };
    node.activate_mweb();
    let payment = shop.create("0.05");
    let before = shop.create("0.05");
    node.send(&before.address, "0.05");
    node.mine(2);
    shop.await_status(&before.id, "completed", SOON);
    let in_mempool = node.send_from_mweb(&payment.address, "0.05");
    node.mine(1);
    let fields = shop.await_field(&payment.id, "confirmations", "1", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_ne!(fields.texts("txids"), [in_mempool], "it is an output of the HogEx");
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
}
