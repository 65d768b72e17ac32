//! Sweeps that were made and are not confirmed: given up when the chain has made them impossible,
//! sent again while it has not, and raised in fee when they stay.

use anyhow::{Context, ensure};
use bitcoin::{Transaction, Txid};

use crate::domain::amount::Amount;
use crate::domain::sweep::transaction::verify_signatures;
use crate::domain::sweep::{RATE_MAX, Rules, SweepPlan, plan_again};
use crate::node::transactions::Acceptance;
use crate::store::sweeps::{StoredSweepTx, Unconfirmed};
use crate::store::{self, blocks, sweeps};

use super::broadcast::{self, Sent};
use super::memory::Memory;
use super::{Sweeper, build, trusts_the_chain};

/// For how many blocks another spend of our coin, or the loss of the transaction that made it,
/// must last before its sweep is given up.
const ABANDON_DEPTH: u32 = 2;

/// By how much a fee is raised at least, in percent of the one before; nodes ask for that, and
/// for their minimum on top (BIP125).
const FEE_BUMP_PERCENT: u64 = 50;

impl Sweeper {
    /// Gives up what the chain has made impossible and sends again what is unconfirmed. Whatever
    /// the sweeper does begins here, so the database's schema is checked here.
    pub(super) fn look_after(&mut self, memory: &mut Memory) -> anyhow::Result<()> {
        self.store.check_schema().context("check the database before a sweep")?;
        let now = self.clock.now();
        let looked = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else { return Ok::<_, store::Error>(None) };
            Ok(Some((tip, sweeps::abandoned::with_vanished_coin(tx)?)))
        })?;
        let Some((tip, vanished)) = looked else { return Ok(()) };
        let lasting = memory.vanishing.observe(&vanished, tip.height, ABANDON_DEPTH);
        let (spent, vanished) = self.store.write_blocking(move |tx| {
            let spent = sweeps::abandoned::abandon_impossible(tx, tip.height, ABANDON_DEPTH, now)?;
            Ok::<_, store::Error>((spent, sweeps::abandoned::abandon_vanished(tx, &lasting, now)?))
        })?;
        for (sweep, foreign) in spent {
            if !foreign {
                tracing::warn!(
                    sweep,
                    "another sweep of ours paid out a coin; this one is given up"
                );
                continue;
            }
            tracing::error!(
                sweep,
                "a coin was spent by another transaction: is the key in use elsewhere? The sweep is given up, its other coins will go into a new one"
            );
        }
        for sweep in vanished {
            tracing::error!(
                sweep,
                "a payment that was being paid out has vanished from the chain. The sweep is given up, its other coins will go into a new one"
            );
        }
        let unconfirmed = self.store.read_blocking(sweeps::unconfirmed)?;
        let current = |txid: &Txid| {
            unconfirmed.iter().any(|sweep| sweep.versions.iter().any(|v| v.txid() == *txid))
        };
        memory.not_taken.retain(current);
        memory.damaged.retain(current);
        memory.fee_bump_tried.retain(|txid, _| current(txid));
        for sweep in &unconfirmed {
            self.go_on()?;
            self.keep_in_mempool(sweep, tip.height, memory)?;
            if let Err(error) = self.bump_fee(sweep, tip.height, memory) {
                tracing::warn!(sweep = sweep.id, error = format!("{error:#}"), "fee not raised");
            }
        }
        Ok(())
    }

    /// Sends a sweep again unless one of its versions is in the node's mempool: the newest, or,
    /// where the node does not take that, the one before. Damaged versions are not sent; if there
    /// is no other, the sweep is signed again.
    fn keep_in_mempool(
        &mut self,
        sweep: &Unconfirmed,
        tip_height: u32,
        memory: &mut Memory,
    ) -> anyhow::Result<()> {
        for version in &sweep.versions {
            if broadcast::is_in_mempool(&self.node, version)? {
                return Ok(());
            }
        }
        let sound = self.sound_versions(sweep, memory)?;
        for version in &sound {
            if self.send(version, memory)? {
                return Ok(());
            }
        }
        if sound.is_empty()
            && self.key.is_some()
            && let Err(error) = self.sign_again(sweep, tip_height, memory)
        {
            let error = format!("{error:#}");
            tracing::error!(sweep = sweep.id, error, "a damaged sweep cannot be signed again yet");
        }
        Ok(())
    }

    /// Sends a stored version. Says whether the node has it now.
    pub(super) fn send(&self, sweep: &StoredSweepTx, memory: &mut Memory) -> anyhow::Result<bool> {
        match broadcast::send(&self.node, sweep)? {
            Sent::InMempool => {
                memory.not_taken.remove(&sweep.txid());
                let (sweep, now) = (sweep.clone(), self.clock.now());
                self.store.write_blocking(move |tx| sweeps::mark_sent(tx, &sweep, now))?;
                Ok(true)
            }
            Sent::NotTaken(reason) => {
                if memory.not_taken.insert(sweep.txid()) {
                    tracing::warn!(
                        txid = %sweep.txid(), reason,
                        "the node does not take a sweep yet; it is sent again until a block decides"
                    );
                }
                Ok(false)
            }
        }
    }

    /// Makes a version with a higher fee of a sweep that has been unconfirmed for long, once
    /// the node takes one: it pays the same scripts from the same coins, so at most one is ever
    /// mined.
    fn bump_fee(
        &self,
        sweep: &Unconfirmed,
        tip_height: u32,
        memory: &mut Memory,
    ) -> anyhow::Result<()> {
        let (Some(key), Some(newest)) = (&self.key, sweep.versions.first()) else { return Ok(()) };
        let now = self.clock.now();
        let after_ms = i64::try_from(self.settings.fee_bump_after.as_millis()).unwrap_or(i64::MAX);
        let tried = memory.fee_bump_tried.get(&newest.txid()).copied();
        let since = tried.unwrap_or(sweep.made_at);
        if now.ms_since(since) < after_ms {
            return Ok(());
        }
        memory.fee_bump_tried.insert(newest.txid(), now);
        let notified = tried.is_some();
        let (current, plan) = self.bumped_plan(newest, sweep.id, tip_height)?;
        let Some(plan) = plan else {
            tracing::error!(
                sweep = sweep.id, txid = %newest.txid(), fee = %current.fee,
                "a sweep stays unconfirmed, and its fee cannot be raised: a merchant's coins do not hold its share"
            );
            return Ok(());
        };
        let signed = build::sign(plan, &self.xpub, key)?;
        if let Acceptance::Refused(reason) = self.node.test_accept(&signed.raw)? {
            if !notified {
                tracing::error!(
                    sweep = sweep.id, txid = %newest.txid(), reason,
                    "a sweep stays unconfirmed, and the node does not take a higher fee yet"
                );
            }
            return Ok(());
        }
        let (id, before, fee) = (sweep.id, newest.clone(), signed.plan.fee);
        let stored = self.store.write_blocking(move |tx| {
            ensure!(trusts_the_chain(tx)?, "the chain guard is active: nothing is sent");
            sweeps::store_fee_bump(tx, id, &before, &signed, now).context("store the sweep")
        })?;
        crate::crash::point("before-broadcast");
        tracing::warn!(
            sweep = id, txid = %stored.txid(), instead_of = %newest.txid(), %fee,
            "a sweep stayed unconfirmed; a version with a higher fee is sent"
        );
        self.send(&stored, memory)?;
        Ok(())
    }

    /// The plan of the newest version as it was signed, and the one with the higher fee if there
    /// may be one. The rows of the database are taken only as far as our own signatures vouch for
    /// them: they cover the outputs.
    fn bumped_plan(
        &self,
        newest: &StoredSweepTx,
        sweep: i64,
        tip_height: u32,
    ) -> anyhow::Result<(SweepPlan, Option<SweepPlan>)> {
        let (coins, payouts) = self.store.read_blocking(|tx| {
            let coins = sweeps::coins_of(tx, sweep, tip_height)?;
            Ok::<_, store::Error>((coins, sweeps::payouts_of(tx, newest)?))
        })?;
        for coin in &coins {
            ensure!(coin.script == self.xpub.script_at(coin.index), "a coin is not ours");
        }
        let signed: Transaction = bitcoin::consensus::encode::deserialize(newest.raw())
            .context("decode the version that was sent")?;
        let takes = payouts.iter().any(|payout| !payout.operator_fee.is_zero());
        let operator = signed.output.last().map(|output| &output.script_pubkey);
        let operator = operator.filter(|_| takes);
        let inputs = Amount::total(coins.iter().map(|coin| coin.amount));
        let outputs = signed.output.iter().map(|output| output.value.to_sat());
        let outputs = outputs.fold(0u64, u64::saturating_add);
        let fee = Amount::from_litoshis(outputs).and_then(|outputs| inputs.checked_sub(outputs));
        let fee = fee.context("the version that was sent pays out more than its coins hold")?;
        let rules = &self.settings.rules;
        let any_fee = Rules { max_fee_percent: 100, ..rules.clone() };
        let current = plan_again(&coins, &payouts, operator, fee, &any_fee)
            .map_err(|(merchant, why)| anyhow::anyhow!("{merchant}: {why}"))?;
        build::check(&signed, &current).context("the stored version is not the one we signed")?;
        verify_signatures(&signed, &current.coins, &self.xpub)
            .context("the stored version is not the one we signed")?;
        let before = current.rate_litoshis_per_kvb();
        let bumped = before.saturating_mul(100 + FEE_BUMP_PERCENT).div_ceil(100);
        let (estimated, minimum) = self.fee_rates()?;
        let least = bumped.max(minimum);
        // If a merchant cannot bear what would be best, the least that nodes ask for; and if
        // that is above its limit, it pays it from its own coins all the same, as far as they
        // reach: what it may not bear would stop all the others.
        let allowed = [(estimated.max(least), rules), (least, rules), (least, &any_fee)];
        let plan = |(rate, rules): (u64, &Rules)| {
            plan_again(&coins, &payouts, operator, current.fee_at(rate), rules).ok()
        };
        let plan = allowed.into_iter().filter(|(rate, _)| *rate <= RATE_MAX).find_map(plan);
        Ok((current, plan))
    }
}
