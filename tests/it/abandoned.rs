//! Sweeps that are abandoned because a branch took a coin away, and that branch loses.

use serde_json::{Value, json};

use crate::harness::json::litoshis;
use crate::harness::passes::Passes;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_until};

/// 1. Complete and sweep a payment; the sweep stays in the mempool.
/// 2. Let a longer branch double-spend the coin: it is removed, and after two blocks the sweep
///    is abandoned.
/// 3. Let the first branch win again: the coin is back.
/// 4. The same transaction is made and mined: the merchant is paid once, and the audit is
///    clean.
#[test]
#[ignore = "long"]
fn an_abandoned_sweep_is_made_again_when_its_branch_wins() {
    let test_env = TestEnv::alone_with(|gateway| gateway.set("sweeper.interval", "1s"));
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let payment = shop.create("0.05");
    let txid = node.send(&payment.address, "0.05");
    let double_spend = node.double_spend_of(&txid);
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let in_mempool = || node.mempool().into_iter().next();
    let first = wait_until("the sweep in the mempool", SOON, in_mempool);
    let fee = node.fee_of(&first);

    let hash_at = |height: u32| node.call::<String>("getblockhash", json!([height]));
    let fork = node.height() - 1;
    let ours = hash_at(fork);
    node.disconnect(2);
    node.mine_exactly(&[&double_spend]);
    let theirs = hash_at(fork);
    shop.await_field(&payment.id, "confirmations", "0", SOON);
    gateway.holds_for_passes(Passes::Sweeper, "not given up at once", || node.mempool().is_empty());
    node.mine(2);
    gateway.await_log(&["error", "sweep abandoned"]);

    node.call::<Value>("invalidateblock", json!([theirs]));
    node.call::<Value>("reconsiderblock", json!([ours]));
    node.mine(2);
    let again = wait_until("the sweep in the mempool", SOON, in_mempool);
    assert_eq!(again, first, "the same coin, payee and fee");
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.05") - fee);
    gateway.cli_ok(&["audit"]);
    let payouts = gateway.cli_json(&["payment", "show", &payment.id]).objects("payouts");
    assert_eq!(payouts.len(), 1, "{payouts:?}");
    assert_eq!(payouts[0].text("txid"), first);
}
