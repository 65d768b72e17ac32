//! The transaction of a plan, and verification of its signatures (BIP141, BIP143).

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::deserialize;
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount as BitcoinAmount, OutPoint, Sequence, Transaction, TxIn, TxOut, Txid, ecdsa, secp256k1,
};

use crate::domain::keys::{AccountXpub, PUBLIC};

use super::plan::{SweepCoin, SweepPlan};

/// The unsigned transaction of a plan. Its txid is that of the signed one.
pub(crate) fn unsigned(plan: &SweepPlan) -> Transaction {
    let input = |coin: &SweepCoin| TxIn {
        previous_output: coin.outpoint,
        // Signals replaceability by a version with a higher fee (BIP125).
        sequence: Sequence::ENABLE_RBF_NO_LOCKTIME,
        ..TxIn::default()
    };
    let output = |(script, amount): (&bitcoin::ScriptBuf, crate::domain::amount::Amount)| TxOut {
        value: BitcoinAmount::from_sat(amount.litoshis()),
        script_pubkey: script.clone(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: plan.coins.iter().map(input).collect(),
        output: plan.outputs().map(output).collect(),
    }
}

/// Why a transaction is not one that our key signed for these coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsound {
    #[error("its bytes are not a transaction")]
    Unreadable,
    #[error("its bytes are another transaction than its id")]
    OtherTxid,
    #[error("it does not spend exactly the coins of its sweep")]
    OtherInputs,
    #[error("input {0} is not signed")]
    Unsigned(OutPoint),
    #[error("input {0} is signed by another key")]
    OtherKey(OutPoint),
    #[error("input {0} is not signed with SIGHASH_ALL")]
    OtherSighash(OutPoint),
    #[error("the signature of input {0} is not valid")]
    BadSignature(OutPoint),
}

/// Decodes stored bytes and verifies that they are the transaction `txid`, signed by our key,
/// which spends exactly these coins in this order. The signatures cover its outputs.
///
/// # Errors
/// The first defect found.
pub(crate) fn verify_stored(
    raw: &[u8],
    txid: Txid,
    coins: &[SweepCoin],
    xpub: &AccountXpub,
) -> Result<Transaction, Unsound> {
    let tx: Transaction = deserialize(raw).map_err(|_| Unsound::Unreadable)?;
    if tx.compute_txid() != txid {
        return Err(Unsound::OtherTxid);
    }
    let inputs = tx.input.iter().map(|input| input.previous_output);
    if !inputs.eq(coins.iter().map(|coin| coin.outpoint)) {
        return Err(Unsound::OtherInputs);
    }
    verify_signatures(&tx, coins, xpub)?;
    Ok(tx)
}

/// Verifies that every input is signed by the key of its index, with SIGHASH_ALL. The coins
/// are in the order of the inputs.
///
/// # Errors
/// The first input that fails.
pub(crate) fn verify_signatures(
    tx: &Transaction,
    coins: &[SweepCoin],
    xpub: &AccountXpub,
) -> Result<(), Unsound> {
    let mut cache = SighashCache::new(tx);
    for (position, (input, coin)) in tx.input.iter().zip(coins).enumerate() {
        let at = coin.outpoint;
        let (Some(signature), Some(key), 2) =
            (input.witness.nth(0), input.witness.nth(1), input.witness.len())
        else {
            return Err(Unsound::Unsigned(at));
        };
        let public = xpub.public_key_at(coin.index).0;
        if key != public.serialize() || coin.script != xpub.script_at(coin.index) {
            return Err(Unsound::OtherKey(at));
        }
        let bad = Unsound::BadSignature(at);
        let signature = ecdsa::Signature::from_slice(signature).map_err(|_| bad)?;
        if signature.sighash_type != EcdsaSighashType::All {
            return Err(Unsound::OtherSighash(at));
        }
        let value = BitcoinAmount::from_sat(coin.amount.litoshis());
        let sighash = cache
            .p2wpkh_signature_hash(position, &coin.script, value, EcdsaSighashType::All)
            .map_err(|_| bad)?;
        let message = secp256k1::Message::from(sighash);
        PUBLIC.verify_ecdsa(&message, &signature.signature, &public).map_err(|_| bad)?;
    }
    Ok(())
}
