//! Faults of the node: slow, silent, overloaded, wrong, or another node. The gateway waits,
//! reports it once, creates payments meanwhile, and trusts nothing invalid.

use std::sync::Arc;
use std::time::Duration;

use crate::doctor::{GENESIS_MAIN, GENESIS_REGTEST};
use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::passes::Passes;
use crate::harness::ports;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// A gateway that reaches its node through a proxy, without ZMQ.
fn test_env_with(configure: impl FnOnce(&Gateway)) -> Option<(TestEnv, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(node, |gateway| {
        gateway.set("node.rpc_url", proxy.url());
        gateway.unset("node.zmq_rawtx");
        gateway.unset("node.zmq_hashblock");
        configure(gateway);
    });
    Some((test_env, proxy))
}

/// 1. While the fault lasts, payments are created, the reason is logged once and shown by
///    `/readyz`, and no payment changes.
/// 2. Afterwards, payments made meanwhile complete, and the audit is clean.
#[track_caller]
fn check(fault: Fault, words: &[&str]) {
    let Some((TestEnv { gateway, shop, node }, proxy)) = test_env_with(|_| ()) else { return };
    let before = shop.create("0.05");
    proxy.set(fault);
    proxy.await_calls(1);
    let meanwhile = shop.create("0.07");
    node.send(&before.address, "0.05");
    node.send(&meanwhile.address, "0.07");
    node.mine(2);
    gateway.await_log(&[&["warn", "watcher pass failed"], words].concat());
    wait_for("the operator is told why", SOON, || {
        let notified = gateway.readiness().to_lowercase();
        words.iter().all(|word| notified.contains(word))
    });
    gateway.holds_for_passes(Passes::Watcher, "nothing is believed", || {
        shop.status(&before.id).text("status") == "pending"
            && shop.status(&meanwhile.id).text("status") == "pending"
    });
    assert_eq!(gateway.log_lines(&["watcher pass failed"]).len(), 1, "{}", gateway.log());
    proxy.set(Fault::None);
    shop.await_status(&before.id, "completed", SOON);
    shop.await_status(&meanwhile.id, "completed", SOON);
    gateway.await_log(&["info", "watcher recovered"]);
    gateway.cli_ok(&["audit"]);
}

#[test]
fn a_full_work_queue_is_retried() {
    check(Fault::Status(503), &["503"]);
}

#[test]
fn an_answer_that_is_not_json_is_rejected() {
    check(Fault::Garbage, &["not json"]);
}

#[test]
#[ignore = "long"]
fn an_endless_answer_is_not_read_to_its_end() {
    check(Fault::Huge(100_000_000), &["longer than"]);
}

#[test]
fn a_node_of_another_network_is_not_followed() {
    check(Fault::Rewrite("\"chain\":\"regtest\"", "\"chain\":\"main\""), &["on network", "main"]);
}

/// 1. Start on main with an old node: exit code 4.
/// 2. Start with `--force` while the node does not answer; it then reports an old version.
/// 3. `doctor` and `/readyz` refuse it, and the chain is not followed.
#[test]
fn an_old_mainnet_node_is_refused_at_start_and_later() {
    let Some(node) = Node::shared() else { return };
    let as_main = RpcProxy::before(&node.rpc_url());
    as_main.set(Fault::Rewrite(GENESIS_REGTEST, GENESIS_MAIN));
    let proxy = RpcProxy::before(&as_main.url());
    let old = Fault::Rewrite("\"version\":21", "\"version\":18");
    proxy.set(old.clone());
    let gateway = Gateway::bare();
    let folder = gateway.folder().display().to_string();
    assert_eq!(gateway.run(&["init", "--network", "main", "--dir", &folder]).code, 0);
    gateway.set("http.listen", format!("127.0.0.1:{}", gateway.port()));
    gateway.set("metrics.listen", format!("127.0.0.1:{}", ports::free()));
    gateway.set("node.rpc_url", proxy.url());
    gateway.set("node.cookie_file", node.cookie_file().display().to_string());
    gateway.unset("node.zmq_rawtx");
    gateway.unset("node.zmq_hashblock");
    gateway.cli_fails(&["serve"], 4, &["older than 0.21.5.4"]);
    proxy.set(Fault::Status(503));
    gateway.start_with(&["--force"]);
    gateway.await_log(&["watcher pass failed", "503"]);
    proxy.set(old);
    wait_for("it is refused again", SOON, || {
        let doctor = gateway.doctor();
        doctor.code == 1 && doctor.stdout.contains("FAILURE  version")
    });
    wait_for("the operator is told why", SOON, || {
        gateway.readiness().contains("older than 0.21.5.4")
    });
    assert!(gateway.log_lines(&["following the chain"]).is_empty(), "{}", gateway.log());
}

#[test]
fn a_node_that_pruned_needed_blocks_is_reported_with_a_fix() {
    check(
        Fault::Rewrite("\"pruned\":false", "\"pruned\":true,\"pruneheight\":999999"),
        &["has pruned block", "-reindex"],
    );
}

#[test]
fn a_sweep_request_reports_that_the_node_is_unreachable() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1h"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    node.stop();
    gateway.cli_fails(&["sweep"], 3, &["the sweeper waits"]);
}

/// 1. Complete sixty payments.
/// 2. The sweep checks all their coins in one RPC request.
#[test]
fn the_coins_of_a_sweep_are_checked_in_one_rpc_request() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = test_env_with(|_| ()) else { return };
    let payments: Vec<_> = (0..60).map(|_| shop.create("0.05")).collect();
    let addresses: Vec<&str> = payments.iter().map(|payment| payment.address.as_str()).collect();
    node.send_to_all(&addresses, "0.05");
    node.mine(6);
    for payment in &payments {
        shop.await_status(&payment.id, "completed", SOON);
    }
    let before = proxy.count("gettxout");
    let sweeps = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sweeps[0].raw("coins"), "60");
    assert_eq!(proxy.count("gettxout") - before, 1);
}

/// 1. Let the check of each coin take a second, for 40 coins.
/// 2. Stop the gateway during the check: it stops without an error.
/// 3. Start it: the coins are swept.
#[test]
fn a_sweeper_that_checks_many_coins_stops_on_request() {
    let test_env = test_env_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some((TestEnv { gateway, shop, node }, proxy)) = test_env else { return };
    let payments: Vec<_> = (0..40).map(|_| shop.create("0.05")).collect();
    let addresses: Vec<&str> = payments.iter().map(|payment| payment.address.as_str()).collect();
    let before = proxy.count("gettxout");
    // All checks take longer than a service manager waits.
    proxy.set(Fault::SlowCall("gettxout", Duration::from_secs(1)));
    node.send_to_all(&addresses, "0.05");
    node.mine(6);
    wait_for("a coin that is asked for", SOON, || proxy.count("gettxout") > before);
    gateway.term();
    assert!(gateway.log_lines(&["sweeper pass failed"]).is_empty(), "an end is no trouble");
    proxy.set(Fault::None);
    gateway.start();
    let payout = || node.balance_of(&shop.payout_address) > 0;
    wait_for("the payout after the next start", SOON, || {
        node.mine(1);
        payout()
    });
}

/// 1. While a call to the node hangs, a payment can be created and read.
/// 2. Let the node answer slowly: the payment completes.
#[test]
fn a_slow_node_does_not_delay_shops() {
    let Some((TestEnv { gateway: _gateway, shop, node }, proxy)) = test_env_with(|_| ()) else {
        return;
    };
    proxy.set(Fault::Hole);
    wait_for("a call that hangs", SOON, || proxy.hanging_calls() > 0);
    let payment = shop.create("0.05");
    shop.status(&payment.id);
    assert!(proxy.hanging_calls() > 0, "the node was to answer nothing meanwhile");
    proxy.set(Fault::Slow(Duration::from_millis(700)));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", Duration::from_secs(40));
}

/// 1. Let the node stop answering: the watcher reports it, while the API answers.
/// 2. Let it answer: the payment completes.
#[test]
#[ignore = "long"]
fn a_node_that_never_answers_is_retried_without_a_restart() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = test_env_with(|_| ()) else { return };
    let payment = shop.create("0.05");
    proxy.set(Fault::Hole);
    node.send(&payment.address, "0.05");
    node.mine(2);
    wait_for("it is noticed", Duration::from_secs(35), || {
        shop.status(&payment.id); // Shops are answered all the time.
        !gateway.log_lines(&["watcher pass failed"]).is_empty()
    });
    proxy.set(Fault::None);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Let the node report headers whose blocks it lacks: logged once, and nothing expires.
/// 2. Let it catch up: the unpaid payment expires without a new block.
#[test]
fn a_lagging_node_expires_and_completes_no_payment() {
    let Some((TestEnv { gateway, shop, node }, proxy)) =
        test_env_with(|gateway| gateway.set("payments.expiry", "1m"))
    else {
        return;
    };
    let (unpaid, height) = (shop.create("0.05"), node.height());
    proxy.set(Fault::Rewrite("\"headers\":", "\"headers\":9"));
    gateway.await_log(&["warn", "is still syncing"]);
    proxy.await_calls(5);
    assert_eq!(gateway.log_lines(&["is still syncing"]).len(), 1, "{}", gateway.log());
    gateway.let_pass(Duration::from_secs(120));
    gateway.holds_for_passes(Passes::Watcher, "nothing expires", || {
        shop.status(&unpaid.id).text("status") == "pending"
    });
    proxy.set(Fault::None);
    shop.await_status(&unpaid.id, "expired", SOON);
    assert_eq!(node.height(), height, "no block came: the node's word alone decided");
}

/// 1. See a payment, then restart the node without its mempool while it reports loading.
/// 2. The payment still counts, and does not expire.
/// 3. Let loading end: the payment expires.
#[test]
#[ignore = "long"]
fn a_loading_mempool_evicts_and_expires_no_payment() {
    let made = test_env_with(|gateway| {
        gateway.set("payments.expiry", "1m");
        gateway.set("failover.timeout", "1s"); // A restarted node has twenty times as long.
    });
    let Some((TestEnv { gateway, shop, node }, proxy)) = made else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    shop.await_field(&payment.id, "amountReceivedLtc", "0.05", SOON);
    proxy.set(Fault::Rewrite("\"loaded\":true", "\"loaded\":false"));
    node.stop();
    node.up_with(&["-persistmempool=0", "-walletbroadcast=0"]);
    gateway.await_tip(&node.height().to_string());
    assert!(node.mempool().is_empty());
    gateway.let_pass(Duration::from_secs(120));
    gateway.holds_for_passes(Passes::Watcher, "it counts as seen", || {
        let shown = shop.status(&payment.id);
        shown.text("status") == "pending" && shown.raw("amountReceivedLtc") == "0.05"
    });
    proxy.set(Fault::None);
    let shown = shop.await_status(&payment.id, "expired", 2 * SOON);
    assert_eq!(shown.raw("amountReceivedLtc"), "0");
}

/// 1. Let the response to the sweep's broadcast be lost.
/// 2. The sweep is mined and listed once; nothing is sent again, and the audit is clean.
#[test]
fn a_sweep_whose_answer_was_lost_is_paid_once() {
    let Some((TestEnv { gateway, shop, node }, proxy)) =
        test_env_with(|gateway| gateway.set("sweeper.interval", "1s"))
    else {
        return;
    };
    let payment = shop.create("0.05");
    proxy.set(Fault::Loses("sendrawtransaction"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    wait_for("the sweep", SOON, || node.mempool().len() == 1);
    assert_eq!(proxy.count("sendrawtransaction"), 1);
    let txid = node.mempool()[0].clone();
    node.mine(1);
    proxy.set(Fault::None);
    gateway.await_tip(&node.height().to_string());
    let payouts = gateway.cli_json(&["payment", "show", &payment.id]).objects("payouts");
    assert_eq!(payouts.len(), 1);
    assert_eq!(payouts[0].text("txid"), txid);
    gateway.holds_for_passes(Passes::Sweeper, "paid once", || node.mempool().is_empty());
    gateway.cli_ok(&["audit"]);
}

/// 1. Complete a payment, then configure a node with another, longer chain.
/// 2. The watcher waits and doctor fails; the payment keeps its status and confirmations.
/// 3. Configure the first node again: confirmations continue.
#[test]
fn another_chain_with_our_heights_is_refused() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    gateway.await_log(&["following the chain from here"]);
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(3);
    shop.await_status(&payment.id, "completed", SOON);
    let Some(other) = Node::stopped() else { return };
    other.up_with(&[]);
    other.mine(21); // It is even longer, and knows none of the blocks that we followed.
    gateway.term();
    gateway.set("node.rpc_url", other.rpc_url());
    gateway.set("node.cookie_file", other.cookie_file().display().to_string());
    gateway.start();
    gateway.await_log(&["warn", "watcher pass failed", "follows another chain"]);
    let fields = shop.status(&payment.id);
    assert_eq!((fields.text("status").as_str(), fields.raw("confirmations")), ("completed", "3"));
    assert!(gateway.log_lines(&["reorganisation"]).is_empty(), "nothing was taken back");
    let doctor = gateway.doctor();
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("FAILURE  chain: the node does not know"), "{}", doctor.stdout);
    gateway.term();
    gateway.set("node.rpc_url", node.rpc_url());
    gateway.set("node.cookie_file", node.cookie_file().display().to_string());
    gateway.start();
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "4", SOON);
}

/// 1. Run `check_reindex` with and without the block index; with `-reindex-chainstate` the
///    node knows our tip.
#[test]
#[ignore = "long"]
fn a_reindexing_node_is_awaited() {
    check_reindex("-reindex");
    check_reindex("-reindex-chainstate");
}

/// 1. Confirm a payment and restart the node with a reindex: confirmations stay.
/// 2. Mine: the payment completes without a reorganisation, and the audit is clean.
#[track_caller]
fn check_reindex(argument: &str) {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let payment = shop.create("0.05");
    node.send(&payment.address, "0.05");
    node.mine(1);
    shop.await_field(&payment.id, "confirmations", "1", SOON);
    let height = node.height();
    node.stop();
    node.up_with(&[argument]); // It answers before it has read all of its blocks.
    wait_for("the node's blocks", SOON, || node.height() >= height);
    assert_eq!(shop.status(&payment.id).raw("confirmations"), "1");
    node.mine(1);
    shop.await_status(&payment.id, "completed", SOON);
    assert!(gateway.log_lines(&["reorganisation"]).is_empty(), "nothing was taken back");
    gateway.cli_ok(&["audit"]);
}

#[test]
fn orders_continue_while_the_node_port_is_closed() {
    let Some((TestEnv { gateway, shop, node: _node }, proxy)) = test_env_with(|_| ()) else {
        return;
    };
    proxy.close();
    gateway.await_log(&["warn", "watcher pass failed"]);
    shop.create("0.05");
    let doctor = gateway.doctor();
    assert_eq!(doctor.code, 1);
    assert!(doctor.stdout.contains("start litecoind"), "{}", doctor.stdout);
}
