//! Pruned blocks that the gateway has not read: bridged by the node's UTXO set.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::harness::json::Fields;
use crate::harness::node::{Node, decimal};
use crate::harness::proxy::{Fault, RpcProxy};
use crate::harness::shop::Created;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};

/// A gateway behind a proxy of its node, with a payment whose sweep is in the mempool.
struct Scene {
    test_env: TestEnv,
    proxy: RpcProxy,
    swept: Created,
    sweep: String,
}

impl Scene {
    fn set() -> Option<Scene> {
        let node = Arc::new(Node::start()?);
        let proxy = RpcProxy::before(&node.rpc_url());
        let test_env = TestEnv::beside(node, |gateway| {
            gateway.set("sweeper.interval", "1s");
            gateway.set("node.rpc_url", proxy.url());
            gateway.unset("node.zmq_rawtx");
            gateway.unset("node.zmq_hashblock");
        });
        let swept = test_env.shop.create("0.05");
        test_env.node.send(&swept.address, "0.05");
        test_env.node.mine(2);
        test_env.shop.await_status(&swept.id, "completed", SOON);
        let sweep = wait_until("the sweep", SOON, || test_env.node.mempool().pop());
        Some(Scene { test_env, proxy, swept, sweep })
    }

    /// From now on the node has none of the blocks above this height but the newest.
    fn prune_above(&self, height: u32) {
        let node = &self.test_env.node;
        let lowest = node.height();
        let hash = |height: u32| node.call::<String>("getblockhash", json!([height]));
        let blocks = (height + 1..lowest).map(hash).collect();
        self.proxy.set(Fault::Pruned(lowest, blocks));
    }

    /// The output of the command, which must succeed.
    fn cross(&self, more: &[&str]) -> Fields {
        self.test_env.gateway.cli_json(&[&["rescan", "--from-utxo-set"], more].concat())
    }
}

/// 1. Stop the gateway with a sweep and a payment in the mempool and another payment open.
/// 2. Mine both, pay the other payment, mine further blocks, and prune them.
/// 3. Start: the gateway and `doctor` report the missing blocks and the fix.
/// 4. Run `rescan --from-utxo-set`: both payments complete, not late, and the sweep is mined.
/// 5. The gateway follows the chain and pays out; the audit is clean.
/// 6. A second run has nothing to do.
#[test]
#[ignore = "long"]
fn a_utxo_set_rescan_bridges_pruned_blocks() {
    let Some(scene) = Scene::set() else { return };
    let TestEnv { gateway, shop, node } = &scene.test_env;
    let (seen, unpaid) = (shop.create("0.05"), shop.create("0.07"));
    node.send(&seen.address, "0.05");
    shop.await_field(&seen.id, "amountReceivedLtc", "0.05", SOON);
    let from = node.height();
    gateway.await_tip(&from.to_string());
    gateway.term();
    node.send(&unpaid.address, "0.07");
    // A coin never seen in the mempool may be a peg-out, and needs as many confirmations.
    node.mine(25);
    scene.prune_above(from);
    gateway.start();
    gateway.await_log(&["watcher pass failed", "has pruned block", "rescan --from-utxo-set"]);
    wait_for("doctor says so", SOON, || {
        let doctor = gateway.doctor();
        doctor.code == 1 && doctor.stdout.contains("run litegate rescan --from-utxo-set")
    });
    assert_eq!(shop.status(&seen.id).text("status"), "pending");

    let said = scene.cross(&[]);
    let height = |name: &str| said.raw(name).parse::<u32>().unwrap();
    assert_eq!((height("fromHeight"), height("toHeight")), (from + 1, node.height()));
    assert_eq!((said.raw("found"), said.raw("completed")), ("2", "2"));
    assert_eq!(said.texts("sweeps"), [scene.sweep.as_str()]);
    assert!(said.texts("assumed").is_empty() && said.texts("unexplained").is_empty());
    for payment in [&seen, &unpaid] {
        let fields = shop.await_status(&payment.id, "completed", SOON);
        assert_eq!(fields.raw("late"), "false", "{}", fields.whole());
    }
    gateway.await_log(&["watcher recovered"]);
    wait_for("the sweep of both", SOON, || !node.mempool().is_empty());
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
    assert!(scene.cross(&[]).raw("fromHeight") == "null");
    let audit_log = gateway.cli_ok(&["audit-log"]).stdout;
    assert!(audit_log.contains("rescan_from_utxo_set"), "{audit_log}");
}

/// Spends the only output of a sweep, as a payee would.
fn move_on(node: &Node, sweep: &str, amount: u64) {
    let outputs = json!([{ node.fresh_address(): decimal(amount - 100_000) }]);
    let raw: String =
        node.call("createrawtransaction", json!([[{ "txid": sweep, "vout": 0 }], outputs]));
    let signed: Value = node.call("signrawtransactionwithwallet", json!([raw]));
    node.call::<String>("sendrawtransaction", json!([signed["hex"]]));
}

/// 1. Mine a sweep in a pruned block and spend its outputs.
/// 2. The command refuses to guess and bridges nothing.
/// 3. With `--unproven-sweeps mined` it bridges, and the audit is clean.
#[test]
fn an_unproven_sweep_is_not_assumed_to_be_mined() {
    let Some(scene) = Scene::set() else { return };
    let TestEnv { gateway, shop, node } = &scene.test_env;
    let from = node.height();
    gateway.await_tip(&from.to_string());
    gateway.term();
    let (_, amount) = node.outputs_of(&scene.sweep).swap_remove(0);
    node.mine(1);
    move_on(node, &scene.sweep, amount);
    node.mine(4);
    scene.prune_above(from);
    let words = [scene.sweep.as_str(), "--unproven-sweeps", "block explorer"];
    gateway.cli_fails(&["rescan", "--from-utxo-set"], 1, &words);
    gateway.cli_fails(&["rescan", "--from-utxo-set"], 1, &words);
    let said = scene.cross(&["--unproven-sweeps", "mined"]);
    assert_eq!(said.texts("assumed"), [scene.sweep.as_str()]);
    gateway.start();
    gateway.await_tip(&node.height().to_string());
    assert_eq!(shop.status(&scene.swept.id).text("status"), "completed");
    gateway.cli_ok(&["audit"]);
}

/// 1. Add a coin by SQL that was spent in a pruned block by another wallet with the same key.
/// 2. The command bridges, names the coin and exits with 1; the audit names it, too.
#[test]
fn a_coin_spent_without_a_trace_is_reported() {
    let Some(scene) = Scene::set() else { return };
    let TestEnv { gateway, shop: _shop, node } = &scene.test_env;
    let from = node.height();
    gateway.await_tip(&from.to_string());
    gateway.term();
    crate::harness::database::Database::of(gateway).write(
        "INSERT INTO coins (txid, vout, derivation_index, amount, origin, seen_at, place,
             block_height, block_hash)
         SELECT zeroblob(32), 0, derivation_index, amount, origin, seen_at, place, block_height,
             block_hash FROM coins LIMIT 1",
    );
    node.mine(4);
    scene.prune_above(from);
    let lost = format!("{}:0", "0".repeat(64));
    gateway.cli_fails(&["rescan", "--from-utxo-set"], 1, &[&lost, "spent by unknown transactions"]);
    gateway.cli_fails(&["audit"], 1, &[&lost]);
}
