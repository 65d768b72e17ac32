//! A pass: looks after the sweeps in flight, then plans, signs, stores and sends what is due.
//!
//! Plans with few coins come first, and each is sent as it is made. After a large one the coins are
//! read again, so that a coin that became due meanwhile waits for one large transaction at most.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use bitcoin::{OutPoint, Txid};

use crate::domain::sweep::{SweepCoin, SweepPlan, Waits};
use crate::metrics;
use crate::node;
use crate::store::sweeps::SignedPlan;
use crate::store::{role_status, sweeps};
use crate::view::role_status::{Role, RoleReport};

use super::due::Due;
use super::memory::Memory;
use super::trial::COIN_TRIALS_MAX;
use super::{Report, Sweeper, build, trusts_the_chain};

/// From so many coins on a plan is large: checking and signing them takes a good part of a second.
const LARGE_PLAN: usize = 500;

impl Sweeper {
    /// One whole look: looks after what is in flight, then sweeps what is due. `None` if that has
    /// to wait because of a doubt about the chain.
    pub(super) fn pass(&mut self, memory: &mut Memory) -> anyhow::Result<Option<Report>> {
        let began = self.clock.now();
        self.look_after(memory)?;
        if !self.store.read_blocking(trusts_the_chain)? {
            // Not recorded as a sweep: the next look tries again.
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
                tracing::info!(plans = planned.plans.len(), "coins are due; no signing key here");
            }
            memory.tell(&report.waiting);
        }
        let too_expensive =
            report.waiting.iter().filter(|(_, why)| *why == Waits::TooExpensive).count();
        let (sent, waiting) = (report.sent.len(), report.waiting.len());
        let swept = RoleReport::Swept { sent, waiting, too_expensive };
        self.store
            .write_blocking(move |tx| role_status::record(tx, Role::Sweeper, began, &swept))?;
        Ok(Some(report))
    }

    /// Sweeps all that is due, round by round. A round ends after a large plan; no coin is in two
    /// plans of a pass.
    ///
    /// # Errors
    /// The first of a plan, once the others were tried; at once if the node is out of reach.
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
                    Err(error) if is_out_of_reach(&error) => return Err(error),
                    Err(error) => failed = failed.or(Some(error)),
                }
                if large {
                    break;
                }
            }
            if plans.len() == 0 {
                report.waiting.extend(due.waiting);
                report.waiting.extend(planned.waiting);
                memory.tell(&report.waiting);
                return failed.map_or(Ok(()), Err);
            }
        }
    }

    /// Checks a plan's coins, and sweeps those that are sound.
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

    /// Leaves out coins that have to wait, and plans the others again.
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

    /// Signs a plan, has the node test it, stores it, and only then sends it. Of a plan that the
    /// node refuses, the parts that it refuses are left out, so that they hold up nobody else.
    fn sign_and_send(
        &self,
        planned: SweepPlan,
        due: &Due,
        memory: &mut Memory,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        self.go_on()?;
        let key = self.key.as_ref().context("no signing key here")?;
        let signed = build::sign(planned, &self.xpub, key)?;
        let Some(reason) = self.refusal(&signed)? else {
            report.sent.push(self.store_and_send(signed, memory)?);
            return Ok(());
        };
        let coins = signed.plan.coins;
        tracing::warn!(coins = coins.len(), reason, "the node refuses a sweep; looking for why");
        let mut trials = COIN_TRIALS_MAX;
        let refused = self.refused_among(&coins, key, due, &mut trials)?;
        let refused = refused.into_iter().map(|outpoint| (outpoint, Waits::Refused));
        for planned in self.plan_without(refused.collect(), coins, due, report) {
            self.go_on()?;
            let signed = build::sign(planned, &self.xpub, key)?;
            match self.refusal(&signed)? {
                None => report.sent.push(self.store_and_send(signed, memory)?),
                Some(reason) => {
                    // Every part was fine by itself: the node's mind has changed. Next time.
                    tracing::warn!(reason, "the node refuses a sweep of coins that it takes apart");
                    let coins = signed.plan.coins.iter();
                    report.waiting.extend(coins.map(|coin| (coin.outpoint, Waits::Refused)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn store_and_send(
        &self,
        signed: SignedPlan,
        memory: &mut Memory,
    ) -> anyhow::Result<Txid> {
        let (now, fee) = (self.clock.now(), signed.plan.fee);
        let stored = self.store.write_blocking(move |tx| {
            // A doubt may have begun while we planned and signed.
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

/// Whether the node does not answer: then no other plan gets an answer either.
fn is_out_of_reach(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<node::Error>(),
        Some(node::Error::Unreachable(_) | node::Error::Unauthorized | node::Error::WarmingUp(_))
    )
}
