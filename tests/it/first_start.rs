//! The first start: no address is issued before the node has answered whether the account was
//! used.

use crate::harness::gateway::Gateway;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// A valid regtest address for a merchant that is added while no node runs.
const SOME_ADDRESS: &str = "rltc1qvpkm77e0gplqn8lcxvwx2vtcyzq3nye54hf6mu";

const ASSUMED: &str = "--assume-unused-account";

fn order(shop: &Shop) -> Answer {
    shop.try_post(r#"{"amountLtc": 0.05}"#, &[]).unwrap()
}

/// Every door refuses, with the reason and the time of the next try.
#[track_caller]
fn issues_nothing(gateway: &Gateway, shop: &Shop) {
    let refused = order(shop);
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "starting");
    let pause: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(pause > 0, "{refused:?}");
    assert!(gateway.readiness().starts_with("starting: "), "{}", gateway.readiness());
    let by_hand = ["payment", "create", "--merchant", &shop.merchant_id, "--amount", "0.05"];
    gateway.cli_fails(&by_hand, 3, &["whether this account was used before", ASSUMED]);
}

/// 1. Start for the first time while the node is down: `ready` is printed, and every interface
///    refuses payments.
/// 2. Start the node: addresses are issued.
/// 3. Stop the node: this start and the next one issue addresses without it.
#[test]
fn no_address_is_issued_until_the_node_has_answered_once() {
    let Some(node) = Node::stopped() else { return };
    let gateway = Gateway::init(&node);
    gateway.start();
    let shop = Shop::open_paid_to(&gateway, "Early Shop", SOME_ADDRESS);
    issues_nothing(&gateway, &shop);
    node.up();
    shop.create("0.05");
    node.stop();
    assert_eq!(order(&shop).status, 200);
    gateway.restart();
    assert_eq!(order(&shop).status, 200);
}

/// 1. Let the node's scan take longer than the start waits: `ready` is printed, and every
///    interface refuses.
/// 2. Let the scan end: the used index and all below it are skipped.
#[test]
fn no_address_is_issued_until_a_long_scan_ends() {
    let Some(node) = Node::start() else { return };
    let gateway = Gateway::init(&node);
    let proxy = RpcProxy::before(&node.rpc_url());
    gateway.set("node.rpc_url", proxy.url());
    let xpub = gateway.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::BusyScan);
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    issues_nothing(&gateway, &shop);
    proxy.set(Fault::None);
    assert_eq!(shop.create("0.05").address, node.derive_addresses(&xpub, 8, 8)[0]);
    let ready = || gateway.readiness().starts_with("ready: ");
    wait_for("a gateway that is ready", SOON, ready);
}

/// 1. Let the node forbid the scan: nothing is issued, and `/readyz` names the fixes.
/// 2. Start with `--assume-unused-account`: addresses are issued, and the audit log records
///    it.
/// 3. The next start needs no flag.
#[test]
fn a_node_without_scan_permission_needs_the_operators_flag() {
    let Some(node) = Node::start() else { return };
    let gateway = Gateway::init(&node);
    let proxy = RpcProxy::before(&node.rpc_url());
    gateway.set("node.rpc_url", proxy.url());
    proxy.set(Fault::Forbids("scantxoutset"));
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    issues_nothing(&gateway, &shop);
    wait_for("the reason and the ways out", SOON, || {
        let notified = gateway.readiness();
        ["rpcwhitelist", ASSUMED].iter().all(|word| notified.contains(word))
    });
    gateway.term();
    gateway.start_with(&[ASSUMED]);
    assert_eq!(order(&shop).status, 200);
    let operations = gateway.cli_list(&["audit-log"]);
    let named = |act: &&Fields| act.text("act") == "assume_unused_account";
    assert_eq!(operations.iter().filter(named).count(), 1);
    gateway.restart();
    assert_eq!(order(&shop).status, 200);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
}
