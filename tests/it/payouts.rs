//! `litegate sweep`: immediately, as a dry run, and with an external signer, whose result is
//! accepted only if it pays what litegate would pay.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::str::FromStr;

use bitcoin::bip32::DerivationPath;
use bitcoin::psbt::Psbt;
use bitcoin::{OutPoint, ScriptBuf};

use crate::harness::gateway::Gateway;
use crate::harness::json::litoshis;
use crate::harness::node::Node;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};
use crate::harness::watch_only::WatchOnly;

/// Completes this number of payments of 0.1 LTC.
fn pay(node: &Node, shop: &Shop, payments: usize) -> Vec<String> {
    let ids: Vec<String> = (0..payments)
        .map(|_| {
            let payment = shop.create("0.1");
            node.send(&payment.address, "0.1");
            payment.id
        })
        .collect();
    node.mine(2);
    for id in &ids {
        shop.await_status(id, "completed", SOON);
    }
    ids
}

/// 1. Complete payments of one merchant, and a payment below `min_payout` of another.
/// 2. `sweep --dry-run` lists one unsigned sweep and the waiting coin with its reason.
/// 3. Nothing is sent.
#[test]
fn a_sweep_dry_run_lists_payouts_and_sends_nothing() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    let small = Shop::open(&gateway, &node, "Small");
    pay(&node, &shop, 2);
    let least = small.create("0.001");
    node.send(&least.address, "0.001");
    node.mine(2);
    small.await_status(&least.id, "completed", SOON);
    let rehearsed = gateway.cli_json(&["sweep", "--dry-run"]);
    let [sweep] = &rehearsed.objects("sweeps")[..] else { panic!("{}", rehearsed.whole()) };
    let [payout] = &sweep.objects("payouts")[..] else { panic!("{}", sweep.whole()) };
    assert_eq!(payout.text("merchantId"), shop.merchant_id);
    assert_eq!(payout.text("payoutAddress"), shop.payout_address);
    assert_eq!(payout.raw("grossLtc"), "0.2");
    assert_eq!(payout.raw("feeShareLtc"), sweep.raw("feeLtc"));
    assert!(!sweep.has("txid"), "nothing is signed");
    let waiting = rehearsed.objects("waiting");
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].text("reason").contains("sweeper.min_payout"), "{}", waiting[0].whole());
    assert_eq!(node.mempool(), [""; 0]);
    let notified = gateway.cli_ok(&["sweep", "--dry-run"]).stdout;
    assert!(notified.contains("would be sent") && notified.contains("waits: "), "{notified}");
}

/// 1. Sweep through the running gateway; a second sweep has nothing to do.
/// 2. Stop the gateway and sweep again: the command sends it.
/// 3. The audit is clean.
#[test]
fn the_sweep_command_works_with_or_without_a_gateway() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone() else { return };
    pay(&node, &shop, 1);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(sent.len(), 1);
    assert_eq!(node.mempool(), [sent[0].text("txid")]);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 0, "nothing is left");
    node.mine(1);
    pay(&node, &shop, 1);
    gateway.term();
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    assert_eq!(node.mempool(), [sent[0].text("txid")]);
    gateway.start();
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    gateway.cli_ok(&["audit"]);
}

/// 1. `sweep` on a watch-only gateway is refused and names `--psbt`.
/// 2. Export a PSBT with key origins, sign it elsewhere, and import it: it is sent.
/// 3. Import it again, and export without due coins: both are refused.
#[test]
fn a_sweep_signed_by_another_wallet_is_checked_and_sent() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let TestEnv { gateway, shop, node } = &watch_only.test_env;
    pay(node, shop, 3);
    gateway.cli_fails(&["sweep"], 2, &["no signing key on this machine", "--psbt"]);
    let psbt = watch_only.export("unsigned.psbt");
    let path = DerivationPath::from_str("84'/1'/0'/0/0").unwrap();
    let origins: Vec<_> =
        psbt.inputs.iter().flat_map(|input| input.bip32_derivation.values()).collect();
    assert_eq!(origins.len(), 3);
    assert!(origins.iter().any(|(fingerprint, of)| {
        fingerprint.to_string() == "d34db33f" && of.to_u32_vec() == path.to_u32_vec()
    }));
    let sent = watch_only.import(&watch_only.sign(&psbt));
    assert_eq!(sent.code, 0, "{sent:?}");
    let txid = node.mempool()[0].clone();
    assert!(sent.stdout.contains(&txid), "{}", sent.stdout);
    let fee = node.fee_of(&txid);
    node.mine(1);
    gateway.await_tip(&node.height().to_string());
    assert_eq!(node.balance_of(&shop.payout_address), litoshis("0.3") - fee);
    watch_only.check_refused(&watch_only.sign(&psbt), &["which is not a due coin"]);
    let file = gateway.folder().join("again.psbt").display().to_string();
    gateway.cli_fails(&["sweep", "--psbt", &file], 1, &["nothing is due"]);
    gateway.cli_ok(&["audit"]);
}

/// 1. Change outputs, amounts or inputs of a PSBT before signing: each import is refused with
///    the reason.
/// 2. Import an unsigned, a malformed and an empty file, and one with swapped signatures:
///    refused.
/// 3. Import the unchanged one: it is sent.
#[test]
fn a_psbt_changed_before_signing_is_refused() {
    let Some(watch_only) = WatchOnly::start() else { return };
    let TestEnv { gateway, shop, node } = &watch_only.test_env;
    let neighbour = Shop::open(gateway, node, "Neighbour");
    pay(node, shop, 2);
    pay(node, &neighbour, 1);
    let psbt = watch_only.export("unsigned.psbt");
    let mut other = psbt.clone();
    other.unsigned_tx.output[0].script_pubkey =
        ScriptBuf::new_p2wpkh(&bitcoin::hashes::Hash::hash(b"another owner"));
    watch_only.check_refused(&watch_only.sign(&other), &["another output than planned"]);
    let mut less = psbt.clone();
    less.unsigned_tx.output[1].value = bitcoin::Amount::from_sat(4_000_000);
    watch_only.check_refused(&watch_only.sign(&less), &["cannot pay", "max_fee_percent"]);
    let mut shifted = psbt.clone();
    let some = bitcoin::Amount::from_sat(1_000);
    shifted.unsigned_tx.output[0].value += some;
    shifted.unsigned_tx.output[1].value -= some;
    watch_only.check_refused(&watch_only.sign(&shifted), &["another output than planned"]);
    let mut missing = psbt.clone();
    missing.unsigned_tx.input.remove(0);
    missing.inputs.remove(0);
    watch_only.check_refused(&watch_only.sign(&missing), &["pays out more than the 0.2 LTC"]);
    let mut foreign = psbt.clone();
    foreign.unsigned_tx.input[0].previous_output = OutPoint { vout: 7, ..OutPoint::null() };
    watch_only.check_refused(&foreign.to_string(), &["which is not a due coin"]);
    watch_only.check_refused(&psbt.to_string(), &["is not signed"]);
    watch_only.check_refused("cHNidP8BAHEC", &["not a PSBT"]);
    watch_only.check_refused("", &["not a PSBT"]);
    let signed = Psbt::from_str(&watch_only.sign(&psbt)).unwrap();
    let mut swapped = signed.clone();
    swapped.inputs.swap(0, 1);
    watch_only.check_refused(&swapped.to_string(), &["signed by another key"]);
    let sent = watch_only.import(&signed.to_string());
    assert_eq!(sent.code, 0, "the honest one is taken: {sent:?}");
    wait_for("it is there", SOON, || node.mempool().len() == 1);
}

/// 1. Run `init` with a passphrase: the key's file is encrypted.
/// 2. With the passphrase a payment is swept.
/// 3. With a wrong or without a passphrase the start exits with 4.
#[test]
fn an_encrypted_key_signs_only_with_its_passphrase() {
    let Some(node) = Node::start() else { return };
    let gateway = Gateway::bare();
    let folder = gateway.folder().display().to_string();
    let passphrase = gateway.folder().join("passphrase");
    fs::write(&passphrase, "correct horse battery staple\n").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o600)).unwrap();
    let file = passphrase.display().to_string();
    let init = ["init", "--network", "regtest", "--dir", &folder, "--passphrase-file", &file];
    assert_eq!(gateway.run(&init).code, 0);
    let key = fs::read_to_string(gateway.folder().join("signing.key")).unwrap();
    assert!(!key.contains("prv"), "{key}");
    gateway.set("public_url", format!("http://127.0.0.1:{}", gateway.port()));
    gateway.set("http.listen", format!("127.0.0.1:{}", gateway.port()));
    gateway.set("node.rpc_url", node.rpc_url());
    gateway.set("node.cookie_file", node.cookie_file().display().to_string());
    gateway.unset("node.zmq_rawtx");
    gateway.unset("node.zmq_hashblock");
    gateway.set("payments.confirmations", 2);
    gateway.start();
    let shop = Shop::open(&gateway, &node, "Corner Shop");
    pay(&node, &shop, 1);
    assert_eq!(gateway.cli_json(&["sweep"]).objects("sweeps").len(), 1);
    gateway.term();
    fs::write(&passphrase, "another").unwrap();
    gateway.cli_fails(&["serve"], 4, &["wallet.signing_key_file", "does not open"]);
    gateway.unset("wallet.passphrase_file");
    gateway.cli_fails(&["serve"], 4, &["is encrypted: set wallet.passphrase_file"]);
}

/// 1. Configure an operator fee of 1.5 % and sweep two payments.
/// 2. The operator gets its part, the merchant the rest less the fee, and the audit lists it.
#[test]
fn the_operator_gets_its_fee_from_each_payout() {
    let Some(node) = Node::start() else { return };
    let operator = node.fresh_address();
    let test_env = TestEnv::beside(std::sync::Arc::new(node), |gateway| {
        gateway.set("sweeper.operator_fee_basis_points", 150);
        gateway.set("sweeper.operator_address", operator.clone());
    });
    let TestEnv { gateway, shop, node } = test_env;
    pay(&node, &shop, 2);
    let sent = gateway.cli_json(&["sweep"]).objects("sweeps");
    let payout = &sent[0].objects("payouts")[0];
    assert_eq!(payout.raw("operatorFeeLtc"), "0.003");
    node.mine(1);
    assert_eq!(node.balance_of(&operator), litoshis("0.003"));
    let paid = node.balance_of(&shop.payout_address);
    assert_eq!(paid + litoshis(sent[0].raw("feeLtc")), litoshis("0.197"));
    gateway.await_tip(&node.height().to_string());
    let audit = gateway.cli_json(&["audit"]);
    assert_eq!((audit.raw("clean"), audit.raw("operatorFeesLtc")), ("true", "0.003"));
}
