//! Nodes that hang: open sockets without answers. Everything that does not need the node
//! continues.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::gateway::Gateway;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// A gateway whose only node is behind a proxy, without ZMQ.
fn proxied() -> Option<(TestEnv, RpcProxy)> {
    let node = Arc::new(Node::start()?);
    let proxy = RpcProxy::before(&node.rpc_url());
    let test_env = TestEnv::beside(node, |gateway| {
        gateway.set("node.rpc_url", proxy.url());
        gateway.unset("node.zmq_rawtx");
        gateway.unset("node.zmq_hashblock");
    });
    Some((test_env, proxy))
}

/// A gateway before two ways to one node. The first is the one that is followed.
fn two_ways() -> Option<(Gateway, Arc<Node>, [RpcProxy; 2])> {
    let node = Arc::new(Node::start()?);
    let proxies = [RpcProxy::before(&node.rpc_url()), RpcProxy::before(&node.rpc_url())];
    let gateway = Gateway::init(&node);
    let section = |proxy: &RpcProxy| {
        let cookie = node.cookie_file().display().to_string();
        toml::Value::Table(toml::Table::from_iter([
            ("rpc_url".to_owned(), proxy.url().into()),
            ("cookie_file".to_owned(), cookie.into()),
        ]))
    };
    gateway.set("node", toml::Value::Array(proxies.iter().map(section).collect()));
    gateway.set("failover.timeout", "2s");
    Some((gateway, node, proxies))
}

/// 1. Follow the first of two nodes; let `getblock` hang there, and mine a block.
/// 2. Let every other call hang as well.
/// 3. The gateway follows the second node before the first call's deadline.
/// 4. A payment completes by the second node.
#[test]
#[ignore = "long"]
fn a_call_that_hangs_does_not_delay_the_failover() {
    let Some((gateway, node, [first, second])) = two_ways() else { return };
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    let payment = shop.create("0.05");
    gateway.await_tip(&node.height().to_string());
    first.set(Fault::HoleOf("getblock"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    wait_for("a call that hangs", SOON, || first.hanging("getblock") > 0);
    let held = first.hanging("getblock");
    first.set(Fault::Hole);
    gateway.await_log(&["following another node", "out of reach"]);
    assert_eq!(first.hanging("getblock"), held, "none has come to the end of its time");
    shop.await_status(&payment.id, "completed", SOON);
    assert!(second.count("getblock") > 0);
}

/// 1. Let the only node hang: for half a minute nothing is shown.
/// 2. After that, `/readyz`, the status and the checkout show a delay.
/// 3. Let the node answer: they show none.
#[test]
fn pages_show_a_delay_half_a_minute_after_the_node_hangs() {
    let Some((TestEnv { gateway, shop, node: _node }, proxy)) = proxied() else { return };
    let payment = shop.create("0.05");
    let detail = || shop.status(&payment.id).text("detail");
    wait_for("the first pass", SOON, || detail() == "waiting");
    proxy.set(Fault::Hole);
    wait_for("a call that hangs", SOON, || proxy.hanging_calls() > 0);
    // The last progress was recorded up to ten seconds before.
    gateway.let_pass(Duration::from_secs(15));
    wait_for("a status by the new clock", SOON, || {
        let fields = shop.status(&payment.id);
        assert_eq!(fields.text("detail"), "waiting", "not delayed yet");
        fields.raw("expiresInSeconds").parse::<u32>().unwrap() < 1_790
    });
    gateway.let_pass(Duration::from_secs(31));
    wait_for("delayed", SOON, || detail() == "delayed");
    assert!(gateway.readiness().contains("delayed"), "{}", gateway.readiness());
    proxy.set(Fault::None);
    wait_for("up to date", SOON, || detail() == "waiting");
}

/// 1. Let the only node hang.
/// 2. `/readyz` names it, and the watcher retries before the deadline of long calls.
#[test]
#[ignore = "long"]
fn a_status_call_has_a_short_deadline() {
    let Some((TestEnv { gateway, shop: _shop, node: _node }, proxy)) = proxied() else { return };
    proxy.set(Fault::Hole);
    gateway.await_log(&["warn", "watcher pass failed", "getblockchaininfo"]);
    wait_for("the operator is told", SOON, || gateway.readiness().contains("out of reach"));
    proxy.set(Fault::None);
    gateway.await_log(&["watcher recovered"]);
}

/// 1. Stop the gateway and let both its nodes hang.
/// 2. Start it: it prints `ready` and creates a payment while the first calls hang.
#[test]
fn the_api_does_not_wait_for_a_node_that_hangs() {
    let Some((gateway, node, proxies)) = two_ways() else { return };
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    gateway.await_tip(&node.height().to_string());
    gateway.term();
    proxies.iter().for_each(|proxy| proxy.set(Fault::Hole));
    let before: usize = proxies.iter().map(RpcProxy::left).sum();
    gateway.start();
    shop.create("0.05");
    let left: usize = proxies.iter().map(RpcProxy::left).sum();
    assert_eq!(left, before, "no call has come to the end of its time");
}

/// 1. Let `getblock` hang while the watcher waits for it.
/// 2. SIGTERM stops the gateway.
#[test]
fn a_stop_does_not_wait_for_a_node_that_hangs() {
    let Some((TestEnv { gateway, shop, node }, proxy)) = proxied() else { return };
    let payment = shop.create("0.05");
    gateway.await_tip(&node.height().to_string());
    proxy.set(Fault::HoleOf("getblock"));
    node.mine(1);
    wait_for("a call that hangs", SOON, || proxy.hanging("getblock") > 0);
    gateway.term();
    proxy.set(Fault::None);
    gateway.start();
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
}

/// 1. Let `scantxoutset` hang.
/// 2. `litegate audit` shows that it waits for the node, and exits with 3.
#[test]
#[ignore = "long"]
fn an_audit_of_a_node_that_hangs_ends_with_exit_3() {
    let Some((TestEnv { gateway, shop: _shop, node: _node }, proxy)) = proxied() else { return };
    proxy.set(Fault::HoleOf("scantxoutset"));
    let failed = gateway.cli_fails(&["audit"], 3, &["out of reach", "scantxoutset"]);
    let shown = "reading the node's unspent outputs: 0 of 100";
    assert!(failed.stderr.contains(shown), "{}", failed.stderr);
    assert_eq!(failed.stdout, "");
}
