//! A changed payout address that the sweeper did not see for the whole delay: no command and
//! no sweep pays it.

use std::sync::Arc;
use std::time::Duration;

use crate::harness::node::Node;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for, wait_until};
use crate::harness::watch_only::WatchOnly;

/// A little more than the delay.
const DELAY: Duration = Duration::from_secs(24 * 3_600 + 60);

/// A payment of a tenth that is completed.
fn pay(test_env: &TestEnv) {
    let payment = test_env.shop.create("0.1");
    test_env.node.send(&payment.address, "0.1");
    test_env.node.mine(2);
    test_env.shop.await_status(&payment.id, "completed", SOON);
}

/// Registers a new address while nothing runs, and lets its delay pass: in force by the
/// database.
fn change_unseen(test_env: &TestEnv) -> String {
    let address = test_env.node.fresh_address();
    test_env.gateway.cli_ok(&["merchant", "set-address", &test_env.shop.merchant_id, &address]);
    test_env.gateway.let_pass(DELAY);
    let shown = test_env.gateway.cli_json(&["merchant", "show", &test_env.shop.merchant_id]);
    assert_eq!(shown.text("payoutAddress"), address);
    address
}

/// 1. Pay a payment of a watch-only gateway; export and sign its sweep.
/// 2. Stop the gateway, register a change, and let its delay pass.
/// 3. The signed sweep is refused, and no sweep is exported or planned.
/// 4. The same with the sweeper running.
/// 5. After the delay since its first sight the changed address is paid.
#[test]
#[ignore = "long"]
fn an_unsigned_sweep_does_not_pay_to_an_unseen_change() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let test_env = &watch_only.test_env;
    let gateway = &test_env.gateway;
    pay(test_env);
    let signed = watch_only.sign(&watch_only.export("before.psbt"));
    gateway.term();
    let address = change_unseen(test_env);
    let refuses_all = |name: &str| {
        watch_only.check_refused(&signed, &["which has to wait"]);
        let file = gateway.folder().join(name).display().to_string();
        gateway.cli_fails(&["sweep", "--psbt", &file], 1, &["nothing is due"]);
        let planned = gateway.cli_json(&["sweep", "--dry-run"]);
        assert!(planned.objects("sweeps").is_empty(), "{}", planned.whole());
        assert_eq!(planned.objects("waiting").len(), 1, "{}", planned.whole());
    };
    refuses_all("stopped.psbt");
    gateway.start();
    refuses_all("running.psbt");
    gateway.let_pass(2 * DELAY);
    let psbt = wait_until("a sweep to export", SOON, || {
        let file = gateway.folder().join("after.psbt");
        let exported = gateway.cli(&["sweep", "--psbt", &file.display().to_string()]);
        (exported.code == 0).then(|| std::fs::read_to_string(file).unwrap())
    });
    let imported = watch_only.import(&watch_only.sign(&psbt.parse().unwrap()));
    assert_eq!(imported.code, 0, "{imported:?}");
    let outputs = test_env.node.outputs_of(&test_env.node.mempool()[0]);
    assert_eq!(outputs[0].0, address);
}

/// 1. Send a sweep that stays unconfirmed, and pay another payment.
/// 2. Stop the gateway, register a change, and let its delay pass.
/// 3. Sweep by command and by the gateway: the sweep in flight gets a fee bump to the earlier
///    address, and the other coin waits.
#[test]
fn a_fee_bump_does_not_pay_to_an_unseen_change() {
    let Some(node) = Node::start_with(&["-mempoolreplacement=1"]) else { return };
    let test_env = TestEnv::beside(Arc::new(node), |_| {});
    let TestEnv { gateway, shop, node } = &test_env;
    pay(&test_env);
    let first = gateway.cli_json(&["sweep"]).objects("sweeps")[0].text("txid");
    wait_for("the sweep", SOON, || node.mempool() == [first.clone()]);
    let payment = shop.create("0.1");
    node.send(&payment.address, "0.1");
    for _ in 0..2 {
        node.mine_without(&first);
    }
    shop.await_status(&payment.id, "completed", SOON);
    gateway.term();
    change_unseen(&test_env);
    gateway.cli_ok(&["sweep"]);
    gateway.start();
    let second = wait_until("another version", SOON, || {
        node.mempool().into_iter().find(|txid| *txid != first)
    });
    let paid: Vec<String> =
        node.outputs_of(&second).into_iter().map(|(address, _)| address).collect();
    assert_eq!(paid, std::slice::from_ref(&shop.payout_address));
    gateway.cli_ok(&["sweep"]);
    assert_eq!(node.mempool(), [second]);
    assert_eq!(gateway.cli_json(&["sweep", "--dry-run"]).objects("waiting").len(), 1);
}
