//! The process dies at the worst instants: just before a commit, just after it, and between a
//! sweep's commit and its broadcast. Starting again is all the recovery there is.

use std::fs;

use crate::harness::gate::Gate;
use crate::harness::json::Fields;
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for, wait_until};

const BODY: &str = r#"{"amountLtc": 0.05, "reference": "order-1"}"#;

/// A stage whose gateway dies at this point once [`doom`] was called.
fn stage(point: &str, configure: impl FnOnce(&Gate)) -> Option<Stage> {
    Stage::alone_with(|gate| {
        let flag = gate.folder().join("die-now");
        gate.set_environment("LITEGATE_CRASH_AT", &format!("{point}@{}", flag.display()));
        configure(gate);
    })
}

/// From now on the next passing of the point is the end.
fn doom(gate: &Gate) {
    fs::write(gate.folder().join("die-now"), "").unwrap();
}

/// Waits for the end, and starts it again as nothing had been.
#[track_caller]
fn revive(gate: &Gate) {
    wait_for("the process dies", SOON, || gate.ended().is_some());
    assert!(!gate.ended().is_some_and(|status| status.success()), "it died, it did not end");
    fs::remove_file(gate.folder().join("die-now")).unwrap();
    gate.kill();
    gate.start();
}

/// A POST of which no answer came.
#[track_caller]
fn post_unanswered(shop: &Shop) {
    let answer = shop.try_post(BODY, &[("idempotency-key", "k1")]);
    assert!(answer.is_err(), "answered before it was durable: {answer:?}");
}

#[track_caller]
fn post_again(shop: &Shop) -> Fields {
    let answer = shop.post(BODY, &[("idempotency-key", "k1")]);
    assert_eq!(answer.status, 200, "{}", answer.body);
    Fields::of(&answer.body)
}

#[test]
fn a_payment_whose_commit_never_came_does_not_exist() {
    let Some(Stage { gate, shop, node }) = stage("before-commit", |_| ()) else { return };
    doom(&gate);
    post_unanswered(&shop);
    revive(&gate);
    assert!(gate.cli_list(&["payment", "list"]).is_empty());
    let payment = post_again(&shop);
    assert_eq!(gate.cli_list(&["payment", "list"]).len(), 1);
    // Its index may or may not be that of the lost one; it was never told to anybody.
    let addresses = node.derive_addresses(&gate.setting("wallet.xpub"), 0, 1);
    assert!(addresses.contains(&payment.text("receivingAddress")));
}

#[test]
fn a_payment_whose_answer_never_came_is_found_by_its_key() {
    let Some(Stage { gate, shop, node: _node }) = stage("after-commit", |_| ()) else { return };
    doom(&gate);
    post_unanswered(&shop);
    revive(&gate);
    let listed = gate.cli_list(&["payment", "list"]);
    assert_eq!(listed.len(), 1, "committed: it exists");
    let again = post_again(&shop);
    assert_eq!(again.text("paymentId"), listed[0].text("paymentId"));
    assert_eq!(again.text("receivingAddress"), listed[0].text("receivingAddress"));
    assert_eq!(gate.cli_list(&["payment", "list"]).len(), 1);
}

#[test]
fn a_completion_and_its_event_are_one_fact() {
    #[track_caller]
    fn check(point: &str) {
        let Some(Stage { gate, shop, node }) = stage(point, |_| ()) else { return };
        let receiver = Receiver::start();
        let payment = shop.create_told("0.05", &receiver.url("/hook"));
        node.send(&payment.address, "0.05");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
        doom(&gate);
        node.mine(1);
        revive(&gate);
        shop.await_status(&payment.id, "completed", SOON);
        let told = receiver.await_hit_for(&payment.id, SOON);
        let events = gate.cli_list(&["webhook", "list"]);
        assert_eq!(events.len(), 1, "{point}: one completion, one event");
        assert_eq!(events[0].text("eventId"), told.header("webhook-id"));
        gate.cli_ok(&["audit"]);
    }
    check("before-commit");
    check("after-commit");
}

#[test]
#[ignore = "long"]
fn a_sweep_goes_out_once_wherever_it_died() {
    #[track_caller]
    fn check(point: &str) {
        let made = stage(point, |gate| gate.set("sweeper.interval", "1s"));
        let Some(Stage { gate, shop, node }) = made else { return };
        let payment = shop.create("0.05");
        node.send(&payment.address, "0.05");
        node.mine(1);
        shop.await_field(&payment.id, "confirmations", "1", SOON);
        if point == "before-broadcast" {
            doom(&gate);
            node.mine(1);
            wait_for("the process dies", SOON, || gate.ended().is_some());
            assert!(node.mempool().is_empty(), "it was stored and not sent");
            let stored = stored_sweep(&gate, &payment.id).expect("stored before it is sent");
            revive(&gate);
            wait_for("the same bytes go out", SOON, || node.mempool() == [stored.clone()]);
        } else {
            node.mine(1);
            doom(&gate); // The commit of the block, of the sweep, or one between them.
            revive(&gate);
        }
        let txid = wait_until("the sweep", SOON, || node.mempool().into_iter().next());
        assert_eq!(stored_sweep(&gate, &payment.id), Some(txid.clone()));
        let fee = node.fee_of(&txid);
        node.mine(1);
        gate.await_tip(&node.height().to_string());
        assert_eq!(node.balance_of(&shop.payout_address), 5_000_000 - fee);
        gate.cli_ok(&["audit"]);
        assert!(node.mempool().is_empty(), "{point}: paid once");
    }
    check("before-commit");
    check("after-commit");
    check("before-broadcast");
}

/// The id of the sweep that is stored for a payment.
fn stored_sweep(gate: &Gate, payment: &str) -> Option<String> {
    let shown = gate.cli_json(&["payment", "show", payment]);
    shown.objects("payouts").first().map(|payout| payout.text("txid"))
}
