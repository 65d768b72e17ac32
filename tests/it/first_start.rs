//! The first start: no address is issued before the node has said whether the account was used.

use crate::harness::gate::Gate;
use crate::harness::http::Answer;
use crate::harness::json::Fields;
use crate::harness::node::Node;
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Shop;
use crate::harness::wait::{SOON, wait_for};

/// A valid address of regtest for a merchant who is added while no node runs.
const SOME_ADDRESS: &str = "rltc1qvpkm77e0gplqn8lcxvwx2vtcyzq3nye54hf6mu";

const ASSUMED: &str = "--assume-unused-account";

fn order(shop: &Shop) -> Answer {
    shop.try_post(r#"{"amountLtc": 0.05}"#, &[]).unwrap()
}

/// Every door refuses, with the reason and the time of the next try.
#[track_caller]
fn issues_nothing(gate: &Gate, shop: &Shop) {
    let refused = order(shop);
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(Fields::of(&refused.body).object("error").text("code"), "starting");
    let pause: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(pause > 0, "{refused:?}");
    assert!(gate.readiness().starts_with("starting: "), "{}", gate.readiness());
    let by_hand = ["payment", "create", "--merchant", &shop.merchant_id, "--amount", "0.05"];
    gate.cli_fails(&by_hand, 3, &["whether this account was used before", ASSUMED]);
}

// 1. The node is down at the first start: `ready` is printed, every door refuses.
// 2. The node comes up: addresses are issued.
// 3. The node goes away again: this and the next start issue without it.
#[test]
fn nothing_is_issued_until_the_node_has_answered_once() {
    let Some(node) = Node::stopped() else { return };
    let gate = Gate::init(&node);
    gate.start();
    let shop = Shop::open_paid_to(&gate, "Early Shop", SOME_ADDRESS);
    issues_nothing(&gate, &shop);
    node.up();
    shop.create("0.05");
    node.stop();
    assert_eq!(order(&shop).status, 200);
    gate.restart();
    assert_eq!(order(&shop).status, 200);
}

// 1. The node takes longer for its scan than the start waits for it.
// 2. `ready` is printed, every door refuses.
// 3. The scan ends: the used index and those below it are skipped.
#[test]
fn a_long_scan_is_awaited_before_anything_is_issued() {
    let Some(node) = Node::start() else { return };
    let gate = Gate::init(&node);
    let proxy = RpcProxy::before(&node.rpc_url());
    gate.set("node.rpc_url", proxy.url());
    let xpub = gate.setting("wallet.xpub");
    node.send(&node.derive_addresses(&xpub, 7, 7)[0], "1");
    node.mine(1);
    proxy.set(Fault::BusyScan);
    gate.start();
    let shop = Shop::open(&gate, &node, "Corner Shop");
    issues_nothing(&gate, &shop);
    proxy.set(Fault::None);
    assert_eq!(shop.create("0.05").address, node.derive_addresses(&xpub, 8, 8)[0]);
    let ready = || gate.readiness().starts_with("ready: ");
    wait_for("a gateway that is ready", SOON, ready);
}

// 1. The node does not allow the scan: nothing is issued, and `/readyz` names the ways out.
// 2. The operator starts it with the flag: addresses are issued, and the audit log has it.
// 3. The next start needs no flag.
#[test]
fn a_node_that_cannot_tell_needs_the_operators_word() {
    let Some(node) = Node::start() else { return };
    let gate = Gate::init(&node);
    let proxy = RpcProxy::before(&node.rpc_url());
    gate.set("node.rpc_url", proxy.url());
    proxy.set(Fault::Forbids("scantxoutset"));
    gate.start();
    let shop = Shop::open(&gate, &node, "Corner Shop");
    issues_nothing(&gate, &shop);
    wait_for("the reason and the ways out", SOON, || {
        let told = gate.readiness();
        ["rpcwhitelist", ASSUMED].iter().all(|word| told.contains(word))
    });
    gate.term();
    gate.start_with(&[ASSUMED]);
    assert_eq!(order(&shop).status, 200);
    let acts = gate.cli_list(&["audit-log"]);
    let named = |act: &&Fields| act.text("act") == "assume_unused_account";
    assert_eq!(acts.iter().filter(named).count(), 1);
    gate.restart();
    assert_eq!(order(&shop).status, 200);
    node.mine(1);
    gate.await_tip(&node.height().to_string());
}
