//! The sweeper: pays settled coins out to the merchants' addresses.
//!
//! A pass gives up what the chain has made impossible, sends again what is unconfirmed, and makes
//! a new sweep of what is due. Each step leaves the database in a state from which the next pass,
//! of this process or of the one after a crash, goes on: a sweep is claimed and stored in one
//! write, and only then broadcast. Plain blocking code on a thread of its own.
//!
//! One bad coin, key path or payout address holds up nobody else: what is wrong is left out and
//! named, the rest goes out. What the node refuses is found by trying parts; its error texts are
//! for people alone.
//!
//! Must not know: HTTP, why a payment is complete.

mod broadcast;
mod build;
pub(crate) mod signing_key;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::Context;
use bitcoin::{OutPoint, Txid};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::doubt::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::{MerchantId, address_in_force};
use crate::domain::network::Network;
use crate::domain::sweep::{self, Payee, Planned, SweepCoin, SweepPlan, Vanishing, Waits};
use crate::domain::time::Timestamp;
use crate::node::rpc::{Acceptance, Node};
use crate::store::sweeps::{SignedPlan, StoredSweepTx};
use crate::store::{self, ReadTx, Store, blocks, doubts, merchants, sweeps};
use crate::wake::Wake;

use broadcast::Sent;
use signing_key::SigningKey;

/// How sweeps are made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) interval: Duration,
    pub(crate) rules: sweep::Rules,
}

/// The role and all that it works with.
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// Absent: watch-only, nothing is signed here.
    pub(crate) key: Option<SigningKey>,
    pub(crate) settings: Settings,
    pub(crate) wake: Wake,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// What a pass did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Report {
    /// Sweeps made and sent by this pass.
    sent: Vec<Txid>,
    /// What did not go out, and why.
    waiting: Vec<(OutPoint, Waits)>,
}

/// Fee rates in litoshis for 1,000 vbytes: what is taken without an estimate (ten times the
/// minimum that nodes relay, since most nodes do not replace a transaction once they have it), and
/// the least and the most that an estimate is believed.
const RATE_DEFAULT: u64 = 10_000;
const RATE_MIN: u64 = 2_000;
const RATE_MAX: u64 = 1_000_000;

/// Blocks within which a sweep should be mined.
const TARGET_BLOCKS: u16 = 6;

/// For how many blocks another spend of our coin, or the loss of the transaction that made it,
/// must last before its sweep is given up.
const DISSOLVE_DEPTH: u32 = 2;

/// Parts of one merchant's coins that are tried at most in a pass, to find those that the node
/// refuses. After that the rest of them waits; other merchants' coins do not.
const COIN_TRIALS_MAX: u32 = 64;

/// The rules for such a part: it is only tried, never sent.
const TRIAL: sweep::Rules = sweep::Rules { min_payout: Amount::ZERO, max_fee_percent: 100 };

/// The pause after a first failure. It doubles with each that follows.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// How often an unconfirmed sweep is looked after, at least.
const LOOK_AFTER: Duration = Duration::from_secs(60);

/// What a running sweeper remembers from one look to the next. Losing it costs time and repeats
/// words in the log, no more.
#[derive(Debug, Default)]
struct Memory {
    vanishing: Vanishing,
    /// What the log says already, so that it is said once.
    told: BTreeMap<OutPoint, Waits>,
    not_taken: BTreeSet<Txid>,
}

/// What could go out if the rules let it.
struct Due {
    coins: Vec<SweepCoin>,
    payees: Vec<Payee>,
    rate_litoshis_per_kvb: u64,
}

/// The pause before the next look, after so many failures in a row.
fn pause_after(failures: u32, longest: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => longest,
        Some(repeated) => FAILURE_PAUSE.saturating_mul(2u32.saturating_pow(repeated)).min(longest),
    }
}

/// Whether our tip was looked at and there is no doubt about its chain.
fn trusts_the_chain(tx: &ReadTx) -> Result<bool, store::Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(true) }; // There are no coins yet.
    Ok(doubts::trust_at(tx, tip)? == Trust::Full)
}

impl Sweeper {
    /// Sweeps until told to stop. Must be called on a thread outside of the runtime.
    pub(crate) fn run(self, runtime: &Handle) {
        let mut memory = Memory::default();
        let mut failures: u32 = 0;
        let mut last_sweep: Option<Instant> = None;
        while !self.shutdown.is_cancelled() {
            let due = last_sweep.is_none_or(|at| at.elapsed() >= self.settings.interval);
            let result = if due {
                self.pass(&mut memory).map(|report| report.is_some())
            } else {
                self.look_after(&mut memory).map(|()| false)
            };
            match result {
                Ok(swept) => {
                    failures = 0;
                    if swept {
                        last_sweep = Some(Instant::now());
                    }
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(error = format!("{error:#}"), "sweeper waits");
                    }
                    failures = failures.saturating_add(1);
                }
            }
            let pause = pause_after(failures, self.settings.interval.min(LOOK_AFTER));
            runtime.block_on(async {
                tokio::select! {
                    () = self.shutdown.cancelled() => {}
                    () = self.wake.sweeper_stirred() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            });
        }
    }

    /// Gives up what the chain has made impossible and sends again what is unconfirmed.
    fn look_after(&self, memory: &mut Memory) -> anyhow::Result<()> {
        let now = self.clock.now();
        let looked = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else { return Ok::<_, store::Error>(None) };
            Ok(Some((tip, sweeps::with_vanished_coin(tx)?)))
        })?;
        let Some((tip, vanished)) = looked else { return Ok(()) };
        let lasting = memory.vanishing.observe(&vanished, tip.height, DISSOLVE_DEPTH);
        let (spent, vanished) = self.store.write_blocking(move |tx| {
            let spent = sweeps::dissolve_impossible(tx, tip.height, DISSOLVE_DEPTH, now)?;
            Ok::<_, store::Error>((spent, sweeps::dissolve_vanished(tx, &lasting, now)?))
        })?;
        for sweep in spent {
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
        memory.not_taken.retain(|txid| unconfirmed.iter().any(|sweep| sweep.txid() == *txid));
        for sweep in unconfirmed {
            self.send(&sweep, memory)?;
        }
        Ok(())
    }

    /// One whole look: looks after what is under way, then sweeps what is due. `None` if that has
    /// to wait because of a doubt about the chain.
    fn pass(&self, memory: &mut Memory) -> anyhow::Result<Option<Report>> {
        self.look_after(memory)?;
        if !self.store.read_blocking(trusts_the_chain)? {
            // Not recorded as a sweep: the next look tries again.
            return Ok(None);
        }
        let (due, waiting) = self.due()?;
        let mut report = Report { waiting, ..Report::default() };
        let planned = plan(&due.coins, &due, &self.settings.rules);
        report.waiting.extend(planned.waiting);
        let mut failed = None;
        if let Some(key) = &self.key {
            for plan in planned.plans {
                if let Err(error) = self.sweep(plan, key, &due, memory, &mut report) {
                    failed = failed.or(Some(error));
                }
            }
        } else if !planned.plans.is_empty() {
            tracing::info!(plans = planned.plans.len(), "coins are due; no signing key here");
        }
        memory.tell(&report.waiting);
        failed.map_or(Ok(Some(report)), Err)
    }

    /// What could go out now, and what is left out because something is wrong with it.
    fn due(&self) -> anyhow::Result<(Due, Vec<(OutPoint, Waits)>)> {
        let now = self.clock.now();
        let (coins, payees) = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else {
                return Ok::<_, anyhow::Error>((Vec::new(), Vec::new()));
            };
            let coins = sweeps::sweepable(tx, tip.height).context("read the coins")?;
            let mut payees = Vec::new();
            for merchant in sweep::merchants_of(&coins) {
                payees.extend(self.payee(tx, merchant, now).context("read a payout address")?);
            }
            Ok((coins, payees))
        })?;
        let mut waiting = Vec::new();
        let mut sound = Vec::with_capacity(coins.len());
        for coin in coins {
            match self.flaw(&coin)? {
                Some(why) => waiting.push((coin.outpoint, why)),
                None => sound.push(coin),
            }
        }
        let rate_litoshis_per_kvb = if sound.is_empty() { RATE_DEFAULT } else { self.fee_rate()? };
        Ok((Due { coins: sound, payees, rate_litoshis_per_kvb }, waiting))
    }

    /// Where the merchant is paid. A damaged row is this merchant's trouble alone.
    fn payee(
        &self,
        tx: &ReadTx,
        merchant: MerchantId,
        now: Timestamp,
    ) -> Result<Option<Payee>, store::Error> {
        let known = match merchants::payout_addresses(tx, merchant, self.network) {
            Ok(known) => known,
            Err(store::Error::Impossible(what)) => {
                tracing::error!(merchant.id = %merchant, what, "payout address refused");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let in_force = address_in_force(&known, now);
        Ok(in_force.map(|found| Payee { merchant, script: found.address.script().to_owned() }))
    }

    /// What is wrong with a coin, if anything: its script must be the one that our key derives,
    /// and the node, too, must say that it is there: unspent, in a block, with the same amount and
    /// script. What the database says alone moves no money.
    fn flaw(&self, coin: &SweepCoin) -> anyhow::Result<Option<Waits>> {
        if coin.script != self.xpub.script_at(coin.index) {
            return Ok(Some(Waits::NotOurs));
        }
        let found = self.node.unspent_output(coin.outpoint).context("ask for a coin")?;
        let fits = found.is_some_and(|found| {
            found.amount == coin.amount && found.script == coin.script && found.confirmations > 0
        });
        Ok((!fits).then_some(Waits::UnknownToNode))
    }

    fn fee_rate(&self) -> anyhow::Result<u64> {
        let estimate = self.node.fee_estimate(TARGET_BLOCKS).context("ask for the fee rate")?;
        Ok(estimate.unwrap_or(RATE_DEFAULT).clamp(RATE_MIN, RATE_MAX))
    }

    /// Signs a plan, has the node test it, stores it, and only then sends it. Of a plan that the
    /// node refuses, the parts that it refuses are left out, so that they hold up nobody else.
    fn sweep(
        &self,
        planned: SweepPlan,
        key: &SigningKey,
        due: &Due,
        memory: &mut Memory,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let signed = build::sign(planned, &self.xpub, key)?;
        let Some(reason) = self.refusal(&signed)? else {
            report.sent.push(self.store_and_send(signed, memory)?);
            return Ok(());
        };
        let coins = signed.plan.coins;
        tracing::warn!(coins = coins.len(), reason, "the node refuses a sweep; looking for why");
        let mut trials = COIN_TRIALS_MAX;
        let refused = self.refused_among(&coins, key, due, &mut trials)?;
        report.waiting.extend(refused.iter().map(|outpoint| (*outpoint, Waits::Refused)));
        let good = coins.into_iter().filter(|coin| !refused.contains(&coin.outpoint));
        let again = plan(&good.collect::<Vec<_>>(), due, &self.settings.rules);
        report.waiting.extend(again.waiting);
        for planned in again.plans {
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

    /// Of coins that the node refuses together, those that it refuses by themselves. Whole
    /// merchants are tried first, then a merchant's coins. What is too small to be tried alone, or
    /// was not tried for want of trials, counts as refused for this time.
    fn refused_among(
        &self,
        coins: &[SweepCoin],
        key: &SigningKey,
        due: &Due,
        trials_left: &mut u32,
    ) -> anyhow::Result<BTreeSet<OutPoint>> {
        let Some(halves) = sweep::halves(coins) else {
            return Ok(coins.iter().map(|coin| coin.outpoint).collect());
        };
        let of_one_merchant = sweep::merchants_of(coins).len() == 1;
        let mut refused = BTreeSet::new();
        for half in halves {
            let mut own_trials = COIN_TRIALS_MAX;
            let trials = if of_one_merchant { &mut *trials_left } else { &mut own_trials };
            if of_one_merchant {
                let Some(left) = trials.checked_sub(1) else {
                    refused.extend(half.iter().map(|coin| coin.outpoint));
                    continue;
                };
                *trials = left;
            }
            let trial = plan(&half, due, &TRIAL);
            refused.extend(trial.waiting.iter().map(|(outpoint, _)| *outpoint));
            for planned in trial.plans {
                let signed = build::sign(planned, &self.xpub, key)?;
                if let Some(reason) = self.refusal(&signed)? {
                    let coins = &signed.plan.coins;
                    tracing::debug!(coins = coins.len(), reason, "the node refuses a part");
                    refused.extend(self.refused_among(coins, key, due, trials)?);
                }
            }
        }
        Ok(refused)
    }

    /// The node's reason for not taking the transaction, if it would not.
    fn refusal(&self, signed: &SignedPlan) -> anyhow::Result<Option<String>> {
        match self.node.test_accept(&signed.raw).context("test the sweep")? {
            Acceptance::Accepted => Ok(None),
            Acceptance::Refused(reason) => Ok(Some(reason)),
        }
    }

    fn store_and_send(&self, signed: SignedPlan, memory: &mut Memory) -> anyhow::Result<Txid> {
        let now = self.clock.now();
        let stored = self
            .store
            .write_blocking(move |tx| sweeps::store_signed(tx, &signed, now))
            .context("store the sweep")?;
        crate::crash::point("before-broadcast");
        tracing::info!(txid = %stored.txid(), "sweep stored");
        self.send(&stored, memory)?;
        Ok(stored.txid())
    }

    fn send(&self, sweep: &StoredSweepTx, memory: &mut Memory) -> anyhow::Result<()> {
        match broadcast::send(&self.node, sweep)? {
            Sent::InMempool => {
                memory.not_taken.remove(&sweep.txid());
                let (sweep, now): (_, Timestamp) = (sweep.clone(), self.clock.now());
                self.store.write_blocking(move |tx| sweeps::mark_sent(tx, &sweep, now))?;
            }
            Sent::NotTaken(reason) => {
                if memory.not_taken.insert(sweep.txid()) {
                    tracing::warn!(
                        txid = %sweep.txid(), reason,
                        "the node does not take a sweep yet; it is sent again until a block decides"
                    );
                }
            }
        }
        Ok(())
    }
}

fn plan(coins: &[SweepCoin], due: &Due, rules: &sweep::Rules) -> Planned {
    sweep::plan(coins, &due.payees, due.rate_litoshis_per_kvb, rules)
}

impl Memory {
    /// Says in the log what waits and why, each coin once for each reason.
    fn tell(&mut self, waiting: &[(OutPoint, Waits)]) {
        let now: BTreeMap<OutPoint, Waits> = waiting.iter().copied().collect();
        for (outpoint, why) in &now {
            if self.told.get(outpoint) == Some(why) {
                continue;
            }
            match why {
                Waits::NotOurs => {
                    tracing::error!(%outpoint, "a coin's script is not one of our key; it waits");
                }
                Waits::Refused => tracing::error!(%outpoint, "the node refuses a coin; it waits"),
                Waits::UnknownToNode => {
                    tracing::warn!(%outpoint, "the node does not have this coin; it waits");
                }
                Waits::Immature
                | Waits::NoAddress
                | Waits::BelowMinimum
                | Waits::TooExpensive
                | Waits::Dust => tracing::debug!(%outpoint, ?why, "a coin waits"),
            }
        }
        self.told = now;
    }
}

#[cfg(test)]
mod tests;
