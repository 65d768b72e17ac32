//! In-flight sweeps: abandoned if the chain has made them impossible, otherwise sent again,
//! with a fee bump if they stay unconfirmed.

use anyhow::{Context, ensure};
use bitcoin::{Transaction, Txid};

use crate::domain::amount::Amount;
use crate::domain::sweep::transaction::verify_signatures;
use crate::domain::sweep::{RATE_MAX, Rules, SweepPlan, plan_again};
use crate::node::transactions::Acceptance;
use crate::store::sweeps::{StoredSweepTx, Unconfirmed};
use crate::store::{self, blocks, sweeps};

use super::broadcast::is_in_mempool;
use super::build;
use super::memory::Memory;
use super::role::{Sweeper, trusts_the_chain};

/// For how many blocks a foreign spend of a coin, or the loss of its transaction, must last
/// before the sweep is abandoned.
const ABANDON_DEPTH: u32 = 2;

/// The least fee bump in percent. Nodes also require their minimum on top (BIP125).
const FEE_BUMP_PERCENT: u64 = 50;

impl Sweeper {
    /// Abandons impossible sweeps, and sends unconfirmed ones again. Each pass begins here, so
    /// the database schema is checked here.
    pub(super) fn maintain_in_flight(&mut self, memory: &mut Memory) -> anyhow::Result<()> {
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
                tracing::warn!(sweep, "sweep abandoned: another sweep paid out one of its coins");
                continue;
            }
            tracing::error!(
                sweep,
                "sweep abandoned: another transaction spent one of its coins; is the key in use elsewhere? Its other coins go into a new sweep"
            );
        }
        for sweep in vanished {
            tracing::error!(
                sweep,
                "sweep abandoned: a payment that it pays out left the chain. Its other coins go into a new sweep"
            );
        }
        let unconfirmed = self.store.read_blocking(sweeps::unconfirmed)?;
        let current = |txid: &Txid| {
            unconfirmed.iter().any(|sweep| sweep.versions.iter().any(|v| v.txid() == *txid))
        };
        memory.not_accepted.retain(current);
        memory.damaged.retain(current);
        memory.fee_bump_tried.retain(|txid, _| current(txid));
        for sweep in &unconfirmed {
            self.keep_going()?;
            self.keep_in_mempool(sweep, tip.height, memory)?;
            if let Err(error) = self.bump_fee(sweep, tip.height, memory) {
                tracing::warn!(sweep = sweep.id, error = format!("{error:#}"), "fee bump failed");
            }
        }
        Ok(())
    }

    /// Sends a sweep again unless one of its versions is in the node's mempool: the newest
    /// version that the node accepts. Damaged versions are not sent; if there is no other, the
    /// sweep is signed again.
    fn keep_in_mempool(
        &mut self,
        sweep: &Unconfirmed,
        tip_height: u32,
        memory: &mut Memory,
    ) -> anyhow::Result<()> {
        for version in &sweep.versions {
            if is_in_mempool(&self.node, version)? {
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
            tracing::error!(sweep = sweep.id, error, "damaged sweep not signed again yet");
        }
        Ok(())
    }

    /// Makes a version with a higher fee of an old unconfirmed sweep, once the node accepts
    /// one. It spends the same coins, so at most one version is mined.
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
        let is_logged = tried.is_some();
        let (current, plan) = self.bumped_plan(newest, sweep.id, tip_height)?;
        let Some(plan) = plan else {
            tracing::error!(
                sweep = sweep.id, txid = %newest.txid(), fee = %current.fee,
                "sweep stays unconfirmed, and no fee bump is possible: a merchant's coins do not cover its share"
            );
            return Ok(());
        };
        let signed = build::sign(plan, &self.xpub, key)?;
        if let Acceptance::Refused(reason) = self.node.test_accept(&signed.raw)? {
            if !is_logged {
                tracing::error!(
                    sweep = sweep.id, txid = %newest.txid(), reason,
                    "sweep stays unconfirmed, and the node does not accept a higher fee yet"
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
            "sweep stayed unconfirmed; fee bump sent"
        );
        self.send(&stored, memory)?;
        Ok(())
    }

    /// The plan of the newest version, and the plan with the higher fee if the rules allow
    /// one. The database rows are trusted only because the gateway's own signatures cover the
    /// outputs.
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
            ensure!(
                coin.script == self.xpub.script_at(coin.index),
                "a coin does not belong to the account"
            );
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
        build::check(&signed, &current).context("the stored version is not the signed one")?;
        verify_signatures(&signed, &current.coins, &self.xpub)
            .context("the stored version is not the signed one")?;
        let before = current.rate_litoshis_per_kvb();
        let bumped = before.saturating_mul(100 + FEE_BUMP_PERCENT).div_ceil(100);
        let (estimated, minimum) = self.fee_rates()?;
        let least = bumped.max(minimum);
        // If a merchant's limit forbids the estimated fee, the least fee that nodes accept. If
        // the limit forbids that too, the merchant pays it from its coins all the same,
        // because one merchant must not stop the others.
        let allowed = [(estimated.max(least), rules), (least, rules), (least, &any_fee)];
        let plan = |(rate, rules): (u64, &Rules)| {
            plan_again(&coins, &payouts, operator, current.fee_at(rate), rules).ok()
        };
        let plan = allowed.into_iter().filter(|(rate, _)| *rate <= RATE_MAX).find_map(plan);
        Ok((current, plan))
    }
}
