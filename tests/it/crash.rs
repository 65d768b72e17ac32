//! Crashes at chosen points: before and after a commit, and between a sweep's commit and its
//! broadcast. A restart is the whole recovery.

use std::fs;

use crate::harness::gateway::Gateway;
use crate::harness::json::Fields;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

const BODY: &str = r#"{"amountLtc": 0.05, "reference": "order-1"}"#;

/// A gateway that crashes at this point after [`doom`].
fn test_env(point: &str, configure: impl FnOnce(&Gateway)) -> Option<TestEnv> {
    TestEnv::alone_with(|gateway| {
        let flag = gateway.folder().join("die-now");
        gateway.set_environment("LITEGATE_CRASH_AT", &format!("{point}@{}", flag.display()));
        configure(gateway);
    })
}

/// Arms the crash point.
fn doom(gateway: &Gateway) {
    fs::write(gateway.folder().join("die-now"), "").unwrap();
}

/// Waits for the crash and starts the gateway again.
#[track_caller]
fn revive(gateway: &Gateway) {
    wait_for("the process dies", SOON, || gateway.ended().is_some());
    assert!(!gateway.ended().is_some_and(|status| status.success()), "it died, it did not end");
    fs::remove_file(gateway.folder().join("die-now")).unwrap();
    gateway.kill();
    gateway.start();
}

/// Sends a POST and expects no response.
#[track_caller]
fn post_unanswered(shop: &Shop) {
    let answer = shop.try_post(BODY, &[("idempotency-key", "k1")]);
    assert!(answer.is_err(), "answered before it was durable: {answer:?}");
}

/// Repeats the POST with the same idempotency key.
#[track_caller]
fn post_again(shop: &Shop) -> Fields {
    let answer = shop.post(BODY, &[("idempotency-key", "k1")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    Fields::of(&answer.body)
}

/// 1. Crash before the commit of a new payment: the client gets no response.
/// 2. Restart: there is no payment.
/// 3. Repeat the request: one payment exists.
#[test]
fn an_uncommitted_payment_does_not_exist() {
    let Some(TestEnv { gateway, shop, node }) = test_env("before-commit", |_| ()) else { return };
    doom(&gateway);
    post_unanswered(&shop);
    revive(&gateway);
    assert!(gateway.cli_list(&["payment", "list"]).is_empty());
    let payment = post_again(&shop);
    assert_eq!(gateway.cli_list(&["payment", "list"]).len(), 1);
    // The lost index may be issued again, because no client ever saw it.
    let addresses = node.derive_addresses(&gateway.setting("wallet.xpub"), 0, 1);
    assert!(addresses.contains(&payment.text("receivingAddress")));
}

/// 1. Crash after the commit of a new payment: the client gets no response.
/// 2. Restart: the payment exists.
/// 3. Repeat the request: it answers the same payment.
#[test]
fn an_unanswered_payment_is_found_by_its_idempotency_key() {
    let Some(TestEnv { gateway, shop, node: _node }) = test_env("after-commit", |_| ()) else {
        return;
    };
    doom(&gateway);
    post_unanswered(&shop);
    revive(&gateway);
    let listed = gateway.cli_list(&["payment", "list"]);
    assert_eq!(listed.len(), 1, "committed: it exists");
    let again = post_again(&shop);
    assert_eq!(again.text("paymentId"), listed[0].text("paymentId"));
    assert_eq!(again.text("receivingAddress"), listed[0].text("receivingAddress"));
    assert_eq!(gateway.cli_list(&["payment", "list"]).len(), 1);
}

/// 1. Crash before, or after, the commit of the block that completes a payment.
/// 2. Restart: the payment completes with exactly one event, which is delivered.
#[test]
fn a_completion_and_its_event_are_committed_together() {
    #[track_caller]
    fn check(point: &str) {
        let Some(TestEnv { gateway, shop, node }) = test_env(point, |_| ()) else { return };
        let receiver = Receiver::start();
        let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
        node.send(&payment.address, "0.05");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
        doom(&gateway);
        node.mine(1);
        revive(&gateway);
        shop.await_status(&payment.id, "completed", SOON);
        let notified = receiver.await_hit_for(&payment.id, SOON);
        let events = gateway.cli_list(&["webhook", "list"]);
        assert_eq!(events.len(), 1, "{point}: one completion, one event");
        assert_eq!(events[0].text("eventId"), notified.header("webhook-id"));
        gateway.cli_ok(&["audit"]);
    }
    check("before-commit");
    check("after-commit");
}

/// 1. Crash before or after a commit, or between a sweep's commit and its broadcast.
/// 2. Restart: the stored sweep is sent.
/// 3. Mine it: the merchant is paid once and the audit is clean.
#[test]
#[ignore = "long"]
fn a_sweep_is_sent_once_wherever_the_process_crashes() {
    #[track_caller]
    fn check(point: &str) {
        let made = test_env(point, |gateway| gateway.set("sweeper.interval", "1s"));
        let Some(TestEnv { gateway, shop, node }) = made else { return };
        let payment = shop.create("0.05");
        node.send(&payment.address, "0.05");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
        if point == "before-broadcast" {
            doom(&gateway);
            node.mine(1);
            wait_for("the process dies", SOON, || gateway.ended().is_some());
            assert!(node.mempool().is_empty(), "it was stored and not sent");
            let stored = stored_sweep(&gateway, &payment.id).expect("stored before it is sent");
            revive(&gateway);
            wait_for("the same bytes go out", SOON, || node.mempool() == [stored.clone()]);
        } else {
            node.mine(1);
            doom(&gateway); // The commit of the block, of the sweep, or one between them.
            revive(&gateway);
        }
        let txid = wait_until("the sweep", SOON, || node.mempool().into_iter().next());
        assert_eq!(stored_sweep(&gateway, &payment.id), Some(txid.clone()));
        let fee = node.fee_of(&txid);
        node.mine(1);
        gateway.await_tip(&node.height().to_string());
        assert_eq!(node.balance_of(&shop.payout_address), 5_000_000 - fee);
        gateway.cli_ok(&["audit"]);
        assert!(node.mempool().is_empty(), "{point}: paid once");
    }
    check("before-commit");
    check("after-commit");
    check("before-broadcast");
}

/// The txid of the sweep stored for a payment.
fn stored_sweep(gateway: &Gateway, payment: &str) -> Option<String> {
    let shown = gateway.cli_json(&["payment", "show", payment]);
    shown.objects("payouts").first().map(|payout| payout.text("txid"))
}
