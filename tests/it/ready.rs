//! Cached status responses: read again only after a commit, which the next response shows.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::SOON;

/// 1. Run the API alone, so that nothing is committed.
/// 2. Read a status 50 times: at most 5 database reads.
#[test]
fn an_unchanged_status_is_not_read_again() {
    let Some(node) = Node::shared() else { return };
    let gateway = Gateway::init(&node);
    gateway.store_scan_answer();
    let mut api = Part::of("api"); // Nobody else commits anything.
    api.start(&gateway);
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    let payment = shop.create("0.05");
    let first = shop.status(&payment.id);
    let before = api.reads();
    for _ in 0..50 {
        assert_eq!(shop.status(&payment.id).raw("receivingAddress"), first.raw("receivingAddress"));
    }
    let reads = api.reads() - before;
    assert!(reads <= 5, "{reads} reads for 50 answers");
}

/// 1. Rename the merchant by command: the next response has the name.
/// 2. Let time pass, pay in parts, mine and reorganise: each response is current, and cached
///    and fresh responses agree.
/// 3. Activate the chain guard: the open payment shows `delayed`.
#[test]
fn every_commit_appears_in_the_next_answer() {
    let test_env = TestEnv::alone_with(|gateway| {
        gateway.set("payments.confirmations", 3);
        gateway.set("chain_guard.mode", "on");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let (payment, other) = (shop.create("0.05"), shop.create("0.05"));
    let detail = |expected: &str| {
        let fields = shop.await_field(&payment.id, "detail", &format!("\"{expected}\""), SOON);
        shop.await_same_answers();
        fields
    };
    assert_eq!(shop.status(&payment.id).text("businessName"), "Corner Shop");
    gateway.cli_ok(&["merchant", "set-name", &shop.merchant_id, "Café \"expiresInSeconds\":0,"]);
    let renamed = shop.status(&payment.id);
    assert_eq!(renamed.text("businessName"), "Café \"expiresInSeconds\":0,");

    let left = |id: &str| shop.status(id).raw("expiresInSeconds").parse::<u64>().unwrap();
    let before = left(&other.id);
    gateway.let_pass(Duration::from_secs(20));
    let after = left(&other.id);
    assert!((1..=before - 20).contains(&after), "{before} seconds, then {after}");

    node.send(&payment.address, "0.02");
    detail("partly_paid");
    node.send(&payment.address, "0.03");
    detail("seen");
    node.mine(1);
    detail("confirming");
    node.reorg_to_empty(1);
    detail("seen");
    node.mine(2);
    shop.await_field(&payment.id, "confirmations", "2", SOON);
    shop.await_same_answers();
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    shop.await_same_answers();

    shop.await_field(&other.id, "detail", "\"waiting\"", SOON);
    node.reorg_to_empty(3);
    gateway.await_log(&["warn", "chain guard"]);
    shop.await_field(&other.id, "detail", "\"delayed\"", SOON);
    shop.await_same_answers();
}

/// 1. Stop the watcher and let 90 seconds pass: the status shows `delayed` without a commit.
#[test]
fn a_cached_answer_shows_a_delay_without_a_commit() {
    let Some(node) = Node::start() else { return };
    let gateway = Gateway::init(&node);
    let (mut watcher, mut api) = (Part::of("watcher"), Part::of("api"));
    watcher.start(&gateway);
    api.start(&gateway);
    let node = Arc::new(node);
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    let payment = shop.create("0.05");
    shop.await_field(&payment.id, "detail", "\"waiting\"", SOON);
    watcher.kill();
    gateway.let_pass(Duration::from_secs(90));
    assert_eq!(shop.status(&payment.id).text("detail"), "delayed", "without a commit");
}
