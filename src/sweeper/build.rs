//! Builds a signed transaction from a plan, through a PSBT (BIP174).

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use bitcoin::bip32::{DerivationPath, KeySource};
use bitcoin::psbt::Psbt;
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::{Amount as BitcoinAmount, Transaction, TxOut, Witness, ecdsa, secp256k1};

use crate::domain::keys::{AccountXpub, RECEIVING_CHAIN};
use crate::domain::sweep::SweepPlan;
use crate::domain::sweep::transaction::unsigned;
use crate::secret::wipe_stack;
use crate::store::sweeps::SignedPlan;

use super::signing_key::SigningKey;

/// The PSBT of a plan, with amounts, scripts and key paths for the signer.
pub(crate) fn psbt(
    plan: &SweepPlan,
    xpub: &AccountXpub,
    key_origin: Option<&KeySource>,
) -> anyhow::Result<Psbt> {
    plan.assert_balanced();
    let mut psbt = Psbt::from_unsigned_tx(unsigned(plan)).context("make a PSBT")?;
    for (input, coin) in psbt.inputs.iter_mut().zip(&plan.coins) {
        ensure!(
            coin.script == xpub.script_at(coin.index),
            "the account key does not derive the script of index {}",
            coin.index.get()
        );
        input.witness_utxo = Some(TxOut {
            value: BitcoinAmount::from_sat(coin.amount.litoshis()),
            script_pubkey: coin.script.clone(),
        });
        input.sighash_type = Some(EcdsaSighashType::All.into());
        let (fingerprint, account) = match key_origin {
            Some((fingerprint, path)) => (*fingerprint, path.clone()),
            None => (xpub.fingerprint(), DerivationPath::master()),
        };
        let origin = (fingerprint, account.extend([RECEIVING_CHAIN, coin.index.child()]));
        let key = xpub.public_key_at(coin.index).0;
        input.bip32_derivation = BTreeMap::from([(key, origin)]);
    }
    Ok(psbt)
}

/// Signs every input and checks the finished transaction against the plan.
pub(crate) fn sign(
    plan: SweepPlan,
    xpub: &AccountXpub,
    key: &SigningKey,
) -> anyhow::Result<SignedPlan> {
    let mut psbt = psbt(&plan, xpub, None)?;
    let secp = secp256k1::Secp256k1::new();
    let mut cache = SighashCache::new(&psbt.unsigned_tx);
    let mut witnesses = Vec::with_capacity(plan.coins.len());
    for (position, coin) in plan.coins.iter().enumerate() {
        let value = BitcoinAmount::from_sat(coin.amount.litoshis());
        let sighash = cache
            .p2wpkh_signature_hash(position, &coin.script, value, EcdsaSighashType::All)
            .context("hash an input for its signature")?;
        let message = secp256k1::Message::from(sighash);
        let mut secret = key.secret_key_at(coin.index);
        let signature = secp.sign_ecdsa_low_r(&message, &secret);
        secret.non_secure_erase();
        let public = xpub.public_key_at(coin.index).0;
        secp.verify_ecdsa(&message, &signature, &public)
            .with_context(|| format!("the key does not fit index {}", coin.index.get()))?;
        let signature = ecdsa::Signature { signature, sighash_type: EcdsaSighashType::All };
        witnesses.push(Witness::p2wpkh(&signature, &public));
    }
    wipe_stack(); // Derivation and signing left copies of keys there.
    for (input, witness) in psbt.inputs.iter_mut().zip(witnesses) {
        input.final_script_witness = Some(witness);
    }
    let tx = psbt.extract_tx().context("finish the transaction")?;
    check(&tx, &plan)?;
    let vsize = u64::try_from(tx.vsize()).context("size of the transaction")?;
    let raw = bitcoin::consensus::encode::serialize(&tx);
    Ok(SignedPlan { txid: tx.compute_txid(), raw, vsize, plan })
}

/// Checks that the transaction spends exactly the plan's coins and pays exactly its payouts.
pub(super) fn check(tx: &Transaction, plan: &SweepPlan) -> anyhow::Result<()> {
    let inputs = tx.input.iter().map(|input| input.previous_output);
    ensure!(inputs.eq(plan.coins.iter().map(|coin| coin.outpoint)), "other inputs than planned");
    let outputs = tx.output.iter().map(|out| (out.value.to_sat(), &out.script_pubkey));
    let planned = plan.outputs().map(|(script, amount)| (amount.litoshis(), script));
    ensure!(outputs.eq(planned), "other outputs than planned");
    ensure!(tx.weight().to_wu() <= plan.weight, "heavier than planned");
    Ok(())
}

#[cfg(test)]
mod tests;
