//! A change of the payout address that the sweeper's record did not see for the whole delay: no way
//! of paying out pays to it.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::node::Node;
use crate::harness::stage::Stage;
use crate::harness::wait::{SOON, wait_for, wait_until};
use crate::harness::watch_only::WatchOnly;

/// A little more than the delay.
const DELAY: Duration = Duration::from_secs(24 * 3_600 + 60);

/// A payment of a tenth that is completed.
fn pay(stage: &Stage) {
    let payment = stage.shop.create("0.1");
    stage.node.send(&payment.address, "0.1");
    stage.node.mine(2);
    stage.shop.await_status(&payment.id, "completed", SOON);
}

/// Registers a fresh address while nothing runs, and lets its delay pass: by the database it is in
/// force.
fn change_unseen(stage: &Stage) -> String {
    let address = stage.node.fresh_address();
    stage.gate.cli_ok(&["merchant", "set-address", &stage.shop.merchant_id, &address]);
    stage.gate.let_pass(DELAY);
    let shown = stage.gate.cli_json(&["merchant", "show", &stage.shop.merchant_id]);
    assert_eq!(shown.text("payoutAddress"), address);
    address
}

/// 1. The account's key is elsewhere. A payment is paid; its sweep is exported and signed.
/// 2. The gateway is stopped. A change is registered, and its delay passes.
/// 3. The signed sweep is refused. There is none to export, nor to be planned.
/// 4. The sweeper runs, and again nothing is exported; the import is refused likewise.
/// 5. After the delay since its first sight the change is paid.
#[test]
fn an_unsigned_sweep_does_not_pay_to_an_unseen_change() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let stage = &watch_only.stage;
    let gate = &stage.gate;
    pay(stage);
    let signed = watch_only.sign(&watch_only.export("before.psbt"));
    gate.term();
    let address = change_unseen(stage);
    let refuses_all = |name: &str| {
        watch_only.check_refused(&signed, &["which has to wait"]);
        let file = gate.folder().join(name).display().to_string();
        gate.cli_fails(&["sweep", "--psbt", &file], 1, &["nothing is due"]);
        let planned = gate.cli_json(&["sweep", "--dry-run"]);
        assert!(planned.objects("sweeps").is_empty(), "{}", planned.whole());
        assert_eq!(planned.objects("waiting").len(), 1, "{}", planned.whole());
    };
    refuses_all("stopped.psbt");
    gate.start();
    refuses_all("running.psbt");
    gate.let_pass(2 * DELAY);
    let psbt = wait_until("a sweep to export", SOON, || {
        let file = gate.folder().join("after.psbt");
        let exported = gate.cli(&["sweep", "--psbt", &file.display().to_string()]);
        (exported.code == 0).then(|| std::fs::read_to_string(file).unwrap())
    });
    let imported = watch_only.import(&watch_only.sign(&psbt.parse().unwrap()));
    assert_eq!(imported.code, 0, "{imported:?}");
    let outputs = stage.node.outputs_of(&stage.node.mempool()[0]);
    assert_eq!(outputs[0].0, address);
}

/// 1. A sweep is sent and stays unconfirmed. Another payment is paid, and waits for the next sweep.
/// 2. The gateway is stopped. A change is registered, and its delay passes.
/// 3. The command sweeps, and then the gateway runs: the sweep in flight gets a higher fee, and
///    pays to the address before. The other payment's coin waits.
#[test]
fn a_fee_bump_does_not_pay_to_an_unseen_change() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let stage = Stage::beside(Arc::new(node), |_| {});
    let Stage { gate, shop, node } = &stage;
    pay(&stage);
    let first = gate.cli_json(&["sweep"]).objects("sweeps")[0].text("txid");
    wait_for("the sweep", SOON, || node.mempool() == [first.clone()]);
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    for _ in 0..2 {
        node.mine_without(&first);
    }
    shop.await_status(&payment.id, "completed", SOON);
    gate.term();
    change_unseen(&stage);
    gate.cli_ok(&["sweep"]);
    gate.start();
    let second = wait_until("another version", SOON, || {
        node.mempool().into_iter().find(|txid| *txid != first)
    });
    let paid: Vec<String> =
        node.outputs_of(&second).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&shop.payout_address));
    gate.cli_ok(&["sweep"]);
    assert_eq!(node.mempool(), [second]);
    assert_eq!(gate.cli_json(&["sweep", "--dry-run"]).objects("waiting").len(), 1);
}
