//! Tests of signing: key files, sizes and signatures.

use super::*;
use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::amount::Amount;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::payment::Origin;
use crate::domain::sweep::{self, Payee, Rules, SweepCoin};
use crate::sweeper::encrypted;
use crate::sweeper::private_file::Held;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid, WPubkeyHash};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// A key file in a folder of its own, with its public key.
fn key_file(mode: u32) -> (tempfile::TempDir, PathBuf, AccountXpub) {
    let account = AccountXpriv::from_mnemonic_seed(&[7; 64], Network::Regtest).0;
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
    let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };
    let planned = sweep::plan(&coins, &[Payee { merchant, script }], 10_000, &rules);
    planned.plans.into_iter().next().expect("one plan")
}

#[test]
fn a_signed_sweep_matches_its_planned_outputs_and_weight() {
    let (_dir, path, xpub) = key_file(0o600);
    let key = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &xpub)
        .expect("the account key");
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
    let key = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &xpub)
        .expect("the account key");
    let mut plan = plan(&xpub, 2);
    plan.coins[1].script = plan.coins[0].script.clone();
    let error = sign(plan, &xpub, &key).expect_err("refused");
    assert!(error.to_string().contains("index 1"), "{error:#}");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    for mode in [0o640, 0o604, 0o644, 0o660] {
        let (_dir, path, xpub) = key_file(mode);
        let error = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &xpub)
            .expect_err("refused");
        assert!(format!("{error:#}").contains("other users may read it"), "{error:#}");
    }
}

#[test]
fn a_key_of_another_account_is_refused_and_not_printed() {
    let (_dir, path, _) = key_file(0o600);
    let other = AccountXpriv::from_mnemonic_seed(&[8; 64], Network::Regtest).0.to_xpub();
    let error = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &other)
        .expect_err("refused");
    assert!(error.to_string().contains("another account"), "{error:#}");
    assert!(!format!("{error:#}").contains("tprv"));
}

#[test]
fn a_key_file_of_another_user_is_refused() {
    let (_dir, path, xpub) = key_file(0o600);
    // Only root can change a file's owner, so other users skip this test.
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        let error = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &xpub)
            .expect_err("refused");
        assert!(error.to_string().contains("belongs to user 12345"), "{error:#}");
    }
}

#[test]
fn an_invalid_key_file_is_refused() {
    let (dir, path, xpub) = key_file(0o600);
    let load = |path: &std::path::Path| {
        SigningKey::load(&Held::default(), path, None, Network::Regtest, &xpub)
    };
    let error = load(dir.path()).expect_err("refused");
    assert!(format!("{error:#}").contains("is a directory, not a regular file"), "{error:#}");
    std::fs::write(&path, vec![b' '; 4_097]).expect("written");
    let error = load(&path).expect_err("refused");
    assert!(error.to_string().contains("too large"), "{error:#}");
}

#[test]
fn signatures_verify_under_the_consensus_signature_hash() {
    let (_dir, path, xpub) = key_file(0o600);
    let key = SigningKey::load(&Held::default(), &path, None, Network::Regtest, &xpub)
        .expect("the account key");
    let plan = plan(&xpub, 5);
    let coins = plan.coins.clone();
    let signed = sign(plan, &xpub, &key).expect("signed");
    // From the bytes alone, as a node reads them.
    let tx: Transaction = bitcoin::consensus::deserialize(&signed.raw).expect("a transaction");
    let secp = secp256k1::Secp256k1::verification_only();
    for (position, (input, coin)) in tx.input.iter().zip(&coins).enumerate() {
        let signature = ecdsa::Signature::from_slice(&input.witness[0]).expect("a signature");
        assert_eq!(signature.sighash_type, EcdsaSighashType::All);
        let public = bitcoin::CompressedPublicKey::from_slice(&input.witness[1]).expect("a key");
        assert_eq!(coin.script, ScriptBuf::new_p2wpkh(&public.wpubkey_hash()));
        let value = BitcoinAmount::from_sat(coin.amount.litoshis());
        let hash = SighashCache::new(&tx)
            .p2wpkh_signature_hash(position, &coin.script, value, EcdsaSighashType::All)
            .expect("hashed");
        secp.verify_ecdsa(&hash.into(), &signature.signature, &public.0).expect("valid");
    }
}

#[test]
fn an_encrypted_key_file_opens_only_with_its_passphrase() {
    let (dir, path, xpub) = key_file(0o600);
    let text = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, encrypted::encrypt(&text, "open sesame", 4).expect("encrypted"))
        .expect("written");
    let passphrase = dir.path().join("passphrase");
    let load = |file| SigningKey::load(&Held::default(), &path, file, Network::Regtest, &xpub);
    let error = load(None).expect_err("no passphrase");
    assert!(error.to_string().contains("wallet.passphrase_file"), "{error:#}");
    std::fs::write(&passphrase, "open sesame\n").expect("written");
    std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o644)).expect("set");
    let error = load(Some(passphrase.as_path())).expect_err("others can read it");
    assert!(format!("{error:#}").contains("other users may read it"), "{error:#}");
    std::fs::set_permissions(&passphrase, std::fs::Permissions::from_mode(0o600)).expect("set");
    load(Some(passphrase.as_path())).expect("opened");
    std::fs::write(&passphrase, "close sesame\n").expect("written");
    let error = load(Some(passphrase.as_path())).expect_err("another one");
    assert!(error.to_string().contains("does not open with this passphrase"), "{error:#}");
}
