//! Sweeps signed by an external signer, as a PSBT (BIP174). The signed PSBT is checked against
//! the present plan; nothing that it states is trusted.

use anyhow::{Context, bail, ensure};
use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use bitcoin::psbt::Psbt;
use bitcoin::{Transaction, Txid, Witness};

use crate::domain::amount::Amount;
use crate::domain::sweep::transaction::verify_signatures;
use crate::domain::sweep::{Payee, RATE_MAX, RATE_MIN, SweepCoin, SweepPlan, plan_with_fee};
use crate::node::transactions::Acceptance;
use crate::store::sweeps::{SignedPlan, Unconfirmed};
use crate::store::{self, blocks, sweeps};

use super::build;
use super::memory::Memory;
use super::role::Sweeper;

/// The largest PSBT that is read, in bytes: a transaction of standard weight with a signer's
/// fields for each input, in base64.
pub(crate) const PSBT_BYTES_MAX: u64 = 4 << 20;

#[derive(Debug)]
pub(crate) struct Unsigned {
    pub(crate) plan: SweepPlan,
    /// In base64, as wallets accept it.
    pub(crate) psbt: String,
    /// Plans that wait, because one PSBT is signed after the other.
    pub(crate) more: usize,
}

impl Sweeper {
    /// The PSBT of the next sweep. `None` if nothing is due.
    pub(crate) fn unsigned(&mut self) -> anyhow::Result<Option<Unsigned>> {
        let mut plans = self.plan_now()?.plans.into_iter();
        let Some(plan) = plans.next() else { return Ok(None) };
        let psbt = build::psbt(&plan, &self.xpub, self.settings.key_origin.as_ref())?;
        Ok(Some(Unsigned { psbt: STANDARD.encode(psbt.serialize()), more: plans.len(), plan }))
    }

    /// Imports a signed PSBT: checks that it spends due coins, or those of a damaged sweep,
    /// that it pays exactly what the rules require, and every signature. Then it is stored,
    /// and only then sent.
    ///
    /// # Errors
    /// If a check fails. Nothing is stored or sent then.
    pub(crate) fn import(&mut self, bytes: &[u8]) -> anyhow::Result<(Txid, SweepPlan)> {
        let psbt = parse(bytes)?;
        let damaged = self.damaged_sweep(psbt.unsigned_tx.compute_txid())?;
        let (coins, payees) = match &damaged {
            Some((_, coins)) => (coins.clone(), self.payees_of(coins)?),
            None => self.due_coins(&psbt)?,
        };
        let inputs = Amount::total(coins.iter().map(|coin| coin.amount));
        let outputs = psbt.unsigned_tx.output.iter().map(|output| output.value.to_sat());
        let outputs = Amount::from_litoshis(outputs.fold(0u64, u64::saturating_add));
        let fee = outputs.and_then(|outputs| inputs.checked_sub(outputs)).with_context(|| {
            format!("the PSBT pays out more than the {inputs} LTC that its coins hold")
        })?;
        let plan = plan_with_fee(&coins, &payees, fee, &self.settings.rules)
            .map_err(|(merchant, why)| anyhow::anyhow!("the PSBT cannot pay {merchant}: {why}"))?;
        ensure!(
            (RATE_MIN..=RATE_MAX).contains(&plan.rate_litoshis_per_kvb()),
            "the PSBT leaves a fee of {fee} LTC, which is not within what is allowed for its size"
        );
        check_outputs(&psbt.unsigned_tx, &plan)?;
        let tx = finish(psbt, &plan)?;
        build::check(&tx, &plan)?;
        verify_signatures(&tx, &plan.coins, &self.xpub)?;
        let vsize = u64::try_from(tx.vsize()).context("size of the transaction")?;
        let raw = bitcoin::consensus::encode::serialize(&tx);
        let signed = SignedPlan { txid: tx.compute_txid(), raw, vsize, plan: plan.clone() };
        if let Acceptance::Refused(reason) = self.node.test_accept(&signed.raw)? {
            bail!("the node refuses the transaction: {reason}");
        }
        let memory = &mut Memory::default();
        let txid = match damaged {
            Some((sweep, _)) => self.store_again_and_send(sweep, signed, memory)?,
            None => self.store_and_send(signed, memory)?,
        };
        Ok((txid, plan))
    }

    /// The coins that a PSBT spends, which must be due, and the payees of the due coins.
    fn due_coins(&mut self, psbt: &Psbt) -> anyhow::Result<(Vec<SweepCoin>, Vec<Payee>)> {
        let due = self.due()?;
        let mut coins: Vec<SweepCoin> = Vec::with_capacity(psbt.unsigned_tx.input.len());
        for input in &psbt.unsigned_tx.input {
            let at = input.previous_output;
            if coins.iter().any(|coin| coin.outpoint == at) {
                bail!("the PSBT spends {at} twice");
            }
            match due.coins.iter().find(|coin| coin.outpoint == at) {
                Some(coin) => coins.push(coin.clone()),
                None => match due.waiting.iter().find(|(waits, _)| *waits == at) {
                    Some((_, why)) => bail!("the PSBT spends {at}, which has to wait: {why}"),
                    None => bail!("the PSBT spends {at}, which is not a due coin"),
                },
            }
        }
        Ok((coins, due.payees))
    }

    /// The in-flight sweep that holds this transaction with damaged bytes, and its coins: its
    /// PSBT may be imported again.
    fn damaged_sweep(&self, txid: Txid) -> anyhow::Result<Option<(i64, Vec<SweepCoin>)>> {
        let found = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else { return Ok(None) };
            let unconfirmed = sweeps::unconfirmed(tx)?;
            let holds = |sweep: &&Unconfirmed| sweep.versions.iter().any(|v| v.txid() == txid);
            let Some(sweep) = unconfirmed.iter().find(holds) else { return Ok(None) };
            let coins = sweeps::coins_of(tx, sweep.id, tip.height)?;
            Ok::<_, store::Error>(Some((sweep.clone(), coins)))
        })?;
        let Some((sweep, coins)) = found else { return Ok(None) };
        let sound = self.sound_versions(&sweep, &mut Memory::default())?;
        let is_sound = sound.iter().any(|version| version.txid() == txid);
        Ok((!is_sound).then_some((sweep.id, coins)))
    }
}

/// Reports the first output that differs from the plan.
fn check_outputs(unsigned: &Transaction, plan: &SweepPlan) -> anyhow::Result<()> {
    for (output, (script, amount)) in unsigned.output.iter().zip(plan.outputs()) {
        let pays = output.value.to_sat();
        ensure!(
            output.script_pubkey == *script && pays == amount.litoshis(),
            "the PSBT has another output than planned: {} litoshis to script {}, not {} to {}; \
             make a new one with --psbt",
            pays,
            output.script_pubkey.to_hex_string(),
            amount.litoshis(),
            script.to_hex_string()
        );
    }
    ensure!(
        unsigned.output.len() == plan.outputs().count(),
        "the PSBT has {} outputs, and {} are planned; make a new one with --psbt",
        unsigned.output.len(),
        plan.outputs().count()
    );
    Ok(())
}

fn parse(bytes: &[u8]) -> anyhow::Result<Psbt> {
    if bytes.starts_with(b"psbt") {
        return Psbt::deserialize(bytes).context("the file is not a PSBT");
    }
    let text = std::str::from_utf8(bytes).context("the file is not a PSBT")?;
    let text: String = text.split_whitespace().collect();
    let decoded = STANDARD.decode(text).context("the file is not a PSBT")?;
    Psbt::deserialize(&decoded).context("the file is not a PSBT")
}

/// The transaction with the signer's witnesses: final ones, or made of partial signatures.
fn finish(psbt: Psbt, plan: &SweepPlan) -> anyhow::Result<Transaction> {
    let mut tx = psbt.unsigned_tx;
    for ((input, signed), coin) in tx.input.iter_mut().zip(psbt.inputs).zip(&plan.coins) {
        input.witness = match (signed.final_script_witness, signed.partial_sigs.iter().next()) {
            (Some(witness), _) => witness,
            (None, Some((key, signature))) => Witness::p2wpkh(signature, &key.inner),
            (None, None) => bail!("input {} is not signed", coin.outpoint),
        };
    }
    Ok(tx)
}
