//! One pass of the sweeper: maintains in-flight sweeps, then plans, signs, stores and sends.
//!
//! Plans with few coins come first, and each is sent at once. After a large plan the coins are
//! read again, so that a coin which becomes due waits for one large transaction at most.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use bitcoin::{OutPoint, Txid};

use crate::domain::sweep::{SweepCoin, SweepPlan, Waits};
use crate::metrics;
use crate::node;
use crate::store::sweeps::SignedPlan;
use crate::store::{role_status, sweeps};
use crate::view::role_status::{Role, RoleReport};

use super::build;
use super::due::Due;
use super::memory::Memory;
use super::role::{Report, Sweeper, trusts_the_chain};
use super::trial::COIN_TRIALS_MAX;

/// A plan with so many coins is large: checking and signing takes a good part of a second.
const LARGE_PLAN: usize = 500;

impl Sweeper {
    /// Makes one pass. `None` while the chain guard is active.
    pub(super) fn pass(&mut self, memory: &mut Memory) -> anyhow::Result<Option<Report>> {
        let began = self.clock.now();
        self.maintain_in_flight(memory)?;
        if !self.store.read_blocking(trusts_the_chain)? {
            // Not recorded as a pass: the next check tries again.
            return Ok(None);
        }
        let mut report = Report::default();
        if self.key.is_some() {
            self.sweep_due(memory, &mut report)?;
        } else {
            let due = self.due()?;
            let planned = due.plan(&due.coins, &self.settings.rules);
            report.waiting.extend(due.waiting);
            report.waiting.extend(planned.waiting);
            if !planned.plans.is_empty() {
                tracing::info!(
                    plans = planned.plans.len(),
                    "coins are due; no signing key configured"
                );
            }
            memory.log_waiting(&report.waiting);
        }
        let too_expensive =
            report.waiting.iter().filter(|(_, why)| *why == Waits::TooExpensive).count();
        let (sent, waiting) = (report.sent.len(), report.waiting.len());
        let swept = RoleReport::Swept { sent, waiting, too_expensive };
        self.store
            .write_blocking(move |tx| role_status::record(tx, Role::Sweeper, began, &swept))?;
        Ok(Some(report))
    }

    /// Sweeps all due coins, round by round. A round ends after a large plan. No coin is in
    /// two plans of a pass.
    ///
    /// # Errors
    /// The first error of a plan, after all others were tried; at once if the node is
    /// unreachable.
    fn sweep_due(&mut self, memory: &mut Memory, report: &mut Report) -> anyhow::Result<()> {
        let mut done: BTreeSet<OutPoint> = BTreeSet::new();
        let mut failed = None;
        loop {
            let due = self.candidates(&done)?;
            let planned = due.plan(&due.coins, &self.settings.rules);
            let mut plans = planned.plans.into_iter();
            for plan in plans.by_ref() {
                let large = plan.coins.len() >= LARGE_PLAN;
                done.extend(plan.coins.iter().map(|coin| coin.outpoint));
                match self.sweep(plan, &due, memory, report) {
                    Ok(()) => {}
                    Err(error) if is_unreachable(&error) => return Err(error),
                    Err(error) => failed = failed.or(Some(error)),
                }
                if large {
                    break;
                }
            }
            if plans.len() == 0 {
                report.waiting.extend(due.waiting);
                report.waiting.extend(planned.waiting);
                memory.log_waiting(&report.waiting);
                return failed.map_or(Ok(()), Err);
            }
        }
    }

    /// Checks a plan's coins, and sweeps the sound ones.
    fn sweep(
        &self,
        planned: SweepPlan,
        due: &Due,
        memory: &mut Memory,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let flaws = self.flaws(&planned.coins)?;
        if flaws.is_empty() {
            return self.sign_and_send(planned, due, memory, report);
        }
        for planned in self.plan_without(flaws, planned.coins, due, report) {
            self.sign_and_send(planned, due, memory, report)?;
        }
        Ok(())
    }

    /// Plans again without the coins that have to wait.
    fn plan_without(
        &self,
        waiting: Vec<(OutPoint, Waits)>,
        coins: Vec<SweepCoin>,
        due: &Due,
        report: &mut Report,
    ) -> Vec<SweepPlan> {
        let left_out: BTreeSet<OutPoint> = waiting.iter().map(|(at, _)| *at).collect();
        report.waiting.extend(waiting);
        let good = coins.into_iter().filter(|coin| !left_out.contains(&coin.outpoint));
        let again = due.plan(&good.collect::<Vec<_>>(), &self.settings.rules);
        report.waiting.extend(again.waiting);
        again.plans
    }

    /// Signs a plan, lets the node test it, stores it, and only then sends it. If the node
    /// refuses the plan, the refused parts are left out.
    fn sign_and_send(
        &self,
        planned: SweepPlan,
        due: &Due,
        memory: &mut Memory,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        self.keep_going()?;
        let key = self.key.as_ref().context("no signing key configured")?;
        let signed = build::sign(planned, &self.xpub, key)?;
        let Some(reason) = self.refusal(&signed)? else {
            report.sent.push(self.store_and_send(signed, memory)?);
            return Ok(());
        };
        let coins = signed.plan.coins;
        tracing::warn!(coins = coins.len(), reason, "node refuses a sweep; testing its parts");
        let mut trials = COIN_TRIALS_MAX;
        let refused = self.refused_among(&coins, key, due, &mut trials)?;
        let refused = refused.into_iter().map(|outpoint| (outpoint, Waits::Refused));
        for planned in self.plan_without(refused.collect(), coins, due, report) {
            self.keep_going()?;
            let signed = build::sign(planned, &self.xpub, key)?;
            match self.refusal(&signed)? {
                None => report.sent.push(self.store_and_send(signed, memory)?),
                Some(reason) => {
                    // Each part was accepted: the mempool has changed. The next pass retries.
                    tracing::warn!(reason, "node refuses a sweep whose parts it accepts; retrying");
                    let coins = signed.plan.coins.iter();
                    report.waiting.extend(coins.map(|coin| (coin.outpoint, Waits::Refused)));
                }
            }
        }
        Ok(())
    }

    /// Claims the coins and stores the signed bytes in one write, then sends them.
    pub(super) fn store_and_send(
        &self,
        signed: SignedPlan,
        memory: &mut Memory,
    ) -> anyhow::Result<Txid> {
        let (now, fee) = (self.clock.now(), signed.plan.fee);
        let stored = self.store.write_blocking(move |tx| {
            // Checked again: the guard may have become active since the plan.
            ensure!(trusts_the_chain(tx)?, "the chain guard is active: nothing is sent");
            sweeps::store_signed(tx, &signed, now).context("store the sweep")
        })?;
        metrics::swept(fee);
        crate::crash::point("before-broadcast");
        tracing::info!(txid = %stored.txid(), "sweep stored");
        self.send(&stored, memory)?;
        Ok(stored.txid())
    }
}

/// Whether the node does not answer, so that other plans fail as well.
fn is_unreachable(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<node::Error>(),
        Some(node::Error::Unreachable(_) | node::Error::Unauthorized | node::Error::WarmingUp(_))
    )
}
