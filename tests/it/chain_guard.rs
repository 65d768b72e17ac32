//! The chain guard: what it withholds, and how it ends. Also wrong clocks.

use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::http;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::ports;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Enables the chain guard.
fn watchful(gateway: &Gateway) {
    gateway.set("chain_guard.mode", "on");
}

/// Enables the chain guard with a second node.
fn watchful_with(second: &Node) -> impl FnOnce(&Gateway) {
    let (url, cookie) = (second.rpc_url(), second.cookie_file().display().to_string());
    move |gateway| {
        watchful(gateway);
        gateway.set("chain_guard.second_rpc_url", url);
        gateway.set("chain_guard.second_cookie_file", cookie);
    }
}

/// The line of `litegate_chain_suspect`.
fn metric(gateway: &Gateway) -> String {
    let port = gateway.setting("metrics.listen").rsplit(':').next().unwrap().parse().unwrap();
    let answer = http::request(port, "GET", "/metrics", &[], b"").unwrap();
    let line =
        answer.body.lines().find(|line| line.starts_with("litegate_chain_suspect ")).unwrap();
    line.to_owned()
}

/// Whether `chain-guard show` reports a suspect chain.
fn chain_suspect(gateway: &Gateway) -> bool {
    gateway.cli_json(&["chain-guard", "show"]).raw("chainSuspect") == "true"
}

/// Waits until the chain guard has this state.
#[track_caller]
fn await_chain_guard(gateway: &Gateway, expected: bool) {
    wait_for(&format!("chain suspect: {expected}"), SOON, || chain_suspect(gateway) == expected);
}

/// 1. Replace three blocks by empty ones: the chain guard becomes active; metric and doctor
///    show it.
/// 2. An ordinary payment completes, but nothing is swept and nothing expires, also after a
///    restart.
/// 3. Run `chain-guard end`: the sweep goes out and the unpaid payment expires.
/// 4. The same branch does not activate it again.
#[test]
#[ignore = "long"]
fn the_chain_guard_stops_sweeps_and_expiry_until_ended() {
    let test_env = TestEnv::alone_with(|gateway| {
        watchful(gateway);
        gateway.set("sweeper.interval", "1s");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    assert_eq!(metric(&gateway), "litegate_chain_suspect 0");
    node.mine(3);
    node.reorg_to_empty(3);
    gateway.await_log(&["warn", "chain guard", "invalid_branch"]);
    assert_eq!(metric(&gateway), "litegate_chain_suspect 1");
    let doctor = gateway.doctor();
    assert!(doctor.stdout.contains("warning  chain guard: since"), "{doctor:?}");

    // Ordinary coins still complete a payment.
    let (paid, unpaid) = (shop.create("0.05"), shop.create("0.05"));
    shop.await_field(&unpaid.id, "detail", "\"delayed\"", SOON);
    node.send(&paid.address, "0.05");
    node.mine(2);
    shop.await_status(&paid.id, "completed", SOON);
    gateway.let_pass(Duration::from_secs(3_600));
    gateway.holds_for_passes(Passes::Sweeper, "no sweep", || node.mempool().is_empty());
    gateway.holds_for_passes(Passes::Watcher, "no expiry", || {
        shop.status(&unpaid.id).text("status") == "pending"
    });
    // The state is stored in the database.
    gateway.kill();
    gateway.start();
    assert!(chain_suspect(&gateway));

    gateway.cli_ok(&["chain-guard", "end"]);
    gateway.await_log(&["the chain guard is no longer active"]);
    shop.await_status(&unpaid.id, "expired", SOON);
    wait_for("the sweep", SOON, || !node.mempool().is_empty());
    assert_eq!(metric(&gateway), "litegate_chain_suspect 0");
    gateway.cli_fails(&["chain-guard", "end"], 1, &["not active"]);
    node.mine(1);
    let later = shop.create("0.05");
    node.send(&later.address, "0.05");
    node.mine(2);
    shop.await_status(&later.id, "completed", SOON);
    assert!(!chain_suspect(&gateway));
}

/// 1. Activate the chain guard with a branch.
/// 2. Mine 23 quiet blocks: it is active, and a new payment shows `delayed`.
/// 3. Mine another block: it ends, and was logged once.
#[test]
#[ignore = "long"]
fn the_chain_guard_ends_automatically_after_24_quiet_blocks() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(watchful) else { return };
    node.mine(3);
    node.reorg_to_empty(3);
    await_chain_guard(&gateway, true);
    let began: u32 = gateway.cli_json(&["chain-guard", "show"]).raw("sinceHeight").parse().unwrap();
    let payment = shop.create("0.05");
    node.mine(began + 23 - node.height());
    let left = || gateway.cli_json(&["chain-guard", "show"]).raw("quietBlocksLeft").to_owned();
    wait_for("the 23rd block", SOON, || left() == "1");
    assert_eq!(shop.status(&payment.id).text("detail"), "delayed");
    node.mine(1);
    await_chain_guard(&gateway, false);
    assert_eq!(shop.status(&payment.id).text("detail"), "waiting");
    assert_eq!(gateway.log_lines(&["chain guard is active"]).len(), 1, "said once");
}

#[test]
fn the_chain_guard_is_off_by_default_on_regtest() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    node.mine(4);
    node.reorg_to_empty(4);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    assert!(!chain_suspect(&gateway));
}

/// 1. Configure three nodes: the followed one, one that is down, and one on another chain.
/// 2. Let the third node's branch compete: the chain guard becomes active with
///    `nodes_disagree`.
#[test]
#[ignore = "long"]
fn the_chain_guard_compares_with_a_node_that_answers() {
    let Some(third) = Node::start() else { return };
    let Some(node) = Node::start() else { return };
    let test_env = TestEnv::beside(std::sync::Arc::new(node), |gateway| {
        watchful(gateway);
        let first = gateway.config()["node"].clone();
        let elsewhere = |url: String, cookie: &std::path::Path| {
            let mut section = first.clone();
            let table = section.as_table_mut().unwrap();
            table.insert("rpc_url".to_owned(), url.into());
            table.insert("cookie_file".to_owned(), cookie.display().to_string().into());
            section
        };
        let dead = format!("http://127.0.0.1:{}", ports::free());
        let dead = elsewhere(dead, third.cookie_file());
        let third = elsewhere(third.rpc_url(), third.cookie_file());
        gateway.set("node", toml::Value::Array(vec![first.clone(), dead, third]));
        gateway.set("failover.timeout", "1s");
    });
    let TestEnv { gateway, shop: _shop, node } = test_env;
    gateway.await_log(&["a node is well", third.rpc_url().trim_start_matches("http://")]);
    node.mine(3);
    third.mine(3);
    gateway.await_tip(&node.height().to_string());
    node.mine(1);
    gateway.await_log(&["warn", "chain guard", "nodes_disagree"]);
}

/// 1. Complete a payment of an ordinary coin and a peg-out, each with its own confirmations.
/// 2. Let the second node follow another chain: the chain guard becomes active.
/// 3. An ordinary payment completes; one by peg-out stays `pending`, detail `delayed`.
/// 4. Run `chain-guard end`: it completes without a further block, and the guard stays off.
#[test]
#[ignore = "long"]
fn coins_out_of_mweb_wait_while_two_nodes_disagree() {
    let Some(second) = Node::start() else { return };
    let Some(node) = Node::start() else { return };
    node.activate_mweb();
    let test_env = TestEnv::beside(std::sync::Arc::new(node), |gateway| {
        watchful_with(&second)(gateway);
        gateway.set("payments.confirmations_pegout", 4);
    });
    let TestEnv { gateway, shop, node } = test_env;
    let mixed = shop.create("0.05");
    assert_eq!(mixed.fields.raw("confirmationsRequired"), "2");
    node.send(&mixed.address, "0.02");
    node.send_from_mweb(&mixed.address, "0.03");
    node.mine(3);
    let fields = shop.await_field(&mixed.id, "confirmations", "3", SOON);
    assert_eq!(fields.text("status"), "pending");
    assert_eq!(fields.raw("confirmationsRequired"), "4");
    assert_eq!(fields.raw("amountConfirmedLtc"), "0.02");
    node.mine(1);
    shop.await_status(&mixed.id, "completed", SOON);

    second.mine(3);
    node.mine(1);
    gateway.await_log(&["warn", "chain guard", "nodes_disagree"]);
    let (private, plain) = (shop.create("0.05"), shop.create("0.05"));
    node.send_from_mweb(&private.address, "0.05");
    node.send(&plain.address, "0.05");
    node.mine(5);
    shop.await_status(&plain.id, "completed", SOON);
    let fields = shop.await_field(&private.id, "confirmations", "5", SOON);
    assert_eq!(fields.text("status"), "pending", "confirmed, but the chain is suspect");
    assert_eq!(fields.text("detail"), "delayed");
    let page = gateway.get(&format!("/pay/{}", private.id)).body;
    assert!(page.contains("with a delay"), "{page}");
    // No further block is needed once the chain guard ends.
    gateway.cli_ok(&["chain-guard", "end"]);
    let fields = shop.await_status(&private.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    assert!(!chain_suspect(&gateway), "the nodes go on to disagree, which the hand has put aside");
}

#[test]
fn short_branches_and_silent_nodes_start_no_chain_guard() {
    let Some(second) = Node::stopped() else { return };
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(watchful_with(&second)) else {
        return;
    };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    gateway.await_log(&["warn", "second node does not answer"]);
    assert!(!chain_suspect(&gateway));
}

/// 1. Configure 1 confirmation, and 3 from 1 LTC on.
/// 2. The payments below and at the limit require 1 and 3.
/// 3. The merchant sets 5: new payments require 5, existing ones are unchanged.
#[test]
fn large_amounts_need_more_confirmations() {
    let test_env = TestEnv::shared_with(|gateway| {
        gateway.set("payments.confirmations", 1);
        gateway.set("payments.large_amount", "1");
        gateway.set("payments.confirmations_large", 3);
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let (small, large) = (shop.create("0.99999999"), shop.create("1"));
    assert_eq!(small.fields.raw("confirmationsRequired"), "1");
    assert_eq!(large.fields.raw("confirmationsRequired"), "3");
    node.send(&small.address, "0.99999999");
    node.mine(1);
    shop.await_status(&small.id, "completed", SOON);
    gateway.cli_ok(&["merchant", "set-confirmations", &shop.merchant_id, "5"]);
    assert_eq!(shop.create("0.5").fields.raw("confirmationsRequired"), "5");
    assert_eq!(shop.create("1").fields.raw("confirmationsRequired"), "5");
    assert_eq!(large.fields.raw("confirmationsRequired"), "3", "what was asked for stays");
}

/// Makes the machine's clock wrong by these milliseconds, for this gateway.
fn set_wall_clock(gateway: &Gateway, milliseconds: i64) {
    let next = gateway.folder().join("clock-offset-next");
    std::fs::write(&next, format!("wall {milliseconds}")).unwrap();
    std::fs::rename(next, gateway.folder().join("clock-offset")).unwrap();
}

/// 1. Set the clock two days ahead, then three hours back: an error is logged once, and the
///    payment keeps its remaining time.
/// 2. Pay while the clock is wrong: the payment completes, not late.
/// 3. Correct the clock and let the expiry pass: the unpaid payment expires.
#[test]
#[ignore = "long"]
fn a_clock_jump_expires_no_payment() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let (waiting, paid) = (shop.create("0.05"), shop.create("0.05"));
    for (milliseconds, direction) in [(2 * 86_400_000, "ahead"), (-3 * 3_600_000, "back")] {
        set_wall_clock(&gateway, milliseconds);
        gateway.await_log(&["error", "clock", "wrong"]);
        node.mine(1);
        gateway.holds_for_blocks(&node, direction, || {
            let fields = shop.status(&waiting.id);
            let left: u32 = fields.raw("expiresInSeconds").parse().unwrap();
            fields.text("status") == "pending" && (1_500..=1_800).contains(&left)
        });
    }
    node.send(&paid.address, "0.05");
    node.mine(2);
    let fields = shop.await_status(&paid.id, "completed", SOON);
    assert_eq!(fields.raw("late"), "false");
    gateway.let_pass(Duration::ZERO);
    gateway.await_log(&["clock", "right again"]);
    assert_eq!(gateway.log_lines(&["error", "clock", "wrong"]).len(), 1, "said once");
    gateway.let_pass(Duration::from_secs(1_900));
    shop.await_status(&waiting.id, "expired", SOON);
}
