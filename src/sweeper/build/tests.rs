use super::*;
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::payment::Origin;
use crate::domain::sweep::{self, Payee, Rules, SweepCoin};
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid, WPubkeyHash};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A key file in a folder of its own, with its public key.
fn key_file(mode: u32) -> (tempfile::TempDir, PathBuf, AccountXpub) {
    let account = AccountXpriv::from_mnemonic_seed(&[7; 64], Network::Regtest);
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("signing.key");
    std::fs::write(&path, account.to_text().as_bytes()).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("changed");
    (dir, path, account.to_xpub())
}

fn plan(xpub: &AccountXpub, coins: u32) -> SweepPlan {
    let merchant = MerchantId::from_random(1);
    let coins: Vec<SweepCoin> = (0..coins)
        .map(|n| {
            let index = DerivationIndex::new(n).expect("small");
            SweepCoin {
                outpoint: OutPoint { txid: Txid::from_byte_array([9; 32]), vout: n },
                merchant,
                index,
                script: xpub.script_at(index),
                amount: Amount::from_litoshis(5_000_000).expect("in range"),
                origin: Origin::Plain,
                confirmations: 6,
            }
        })
        .collect();
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([3; 20]));
    let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100 };
    let planned = sweep::plan(&coins, &[Payee { merchant, script }], 10_000, &rules);
    planned.plans.into_iter().next().expect("one plan")
}

#[test]
fn a_signed_sweep_pays_what_was_planned_and_weighs_what_was_said() {
    let (_dir, path, xpub) = key_file(0o600);
    let key = SigningKey::load(&path, Network::Regtest, &xpub).expect("our key");
    for coins in [1, 2, 300] {
        let plan = plan(&xpub, coins);
        let planned_vsize = plan.weight.div_ceil(4);
        let signed = sign(plan, &xpub, &key).expect("signed");
        let tx: Transaction = bitcoin::consensus::deserialize(&signed.raw).expect("a transaction");
        assert_eq!(tx.compute_txid(), signed.txid);
        assert_eq!(tx.input.len(), coins as usize);
        assert!(tx.input.iter().all(|input| input.witness.len() == 2));
        // Signatures are ground to 71 bytes: a weight unit less for each input, or a few more.
        assert!(signed.vsize <= planned_vsize);
        assert!((planned_vsize - signed.vsize) * 100 <= planned_vsize, "{planned_vsize}");
    }
}

#[test]
fn a_coin_whose_script_is_not_ours_is_not_signed() {
    let (_dir, path, xpub) = key_file(0o600);
    let key = SigningKey::load(&path, Network::Regtest, &xpub).expect("our key");
    let mut plan = plan(&xpub, 2);
    plan.coins[1].script = plan.coins[0].script.clone();
    let error = sign(plan, &xpub, &key).expect_err("refused");
    assert!(error.to_string().contains("index 1"), "{error:#}");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o644, 0o660] {
        let (_dir, path, xpub) = key_file(mode);
        let error = SigningKey::load(&path, Network::Regtest, &xpub).expect_err("refused");
        assert!(error.to_string().contains("can be read by others"), "{error:#}");
    }
}

#[test]
fn the_key_of_another_account_is_refused_and_not_repeated() {
    let (_dir, path, _) = key_file(0o600);
    let other = AccountXpriv::from_mnemonic_seed(&[8; 64], Network::Regtest).to_xpub();
    let error = SigningKey::load(&path, Network::Regtest, &other).expect_err("refused");
    assert!(error.to_string().contains("another account"), "{error:#}");
    assert!(!format!("{error:#}").contains("tprv"));
}
