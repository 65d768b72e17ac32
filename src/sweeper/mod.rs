//! The sweeper: pays settled coins out to the merchants' addresses.
//!
//! A pass gives up what the chain has made impossible, sends again what is unconfirmed, and makes
//! a new sweep of what is due. Each step leaves the database in a state from which the next pass,
//! of this process or of the one after a crash, goes on: a sweep is claimed and stored in one
//! write, and only then broadcast. Plain blocking code on a thread of its own.
//!
//! Must not know: HTTP, why a payment is complete.

mod broadcast;
mod build;
pub(crate) mod signing_key;

use std::time::Duration;

use anyhow::Context;
use bitcoin::Txid;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::keys::AccountXpub;
use crate::domain::merchant::address_in_force;
use crate::domain::network::Network;
use crate::domain::sweep::{self, Payee, Planned, SweepCoin, SweepPlan};
use crate::domain::time::Timestamp;
use crate::node::rpc::{Acceptance, Node};
use crate::store::{Store, blocks, merchants, sweeps};
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
pub(crate) struct Report {
    /// Sweeps made and sent by this pass.
    pub(crate) sent: Vec<Txid>,
}

/// Fee rates in litoshis for 1,000 vbytes: what is taken without an estimate (ten times the
/// minimum that nodes relay, since most nodes do not replace a transaction once they have it), and
/// the least and the most that an estimate is believed.
const RATE_DEFAULT: u64 = 10_000;
const RATE_MIN: u64 = 2_000;
const RATE_MAX: u64 = 1_000_000;

/// Blocks within which a sweep should be mined.
const TARGET_BLOCKS: u16 = 6;

/// How deep another spend of our coin must be buried before its sweep is given up, in blocks.
const DISSOLVE_DEPTH: u32 = 2;

/// How often an unconfirmed sweep is looked after, at least.
const LOOK_AFTER: Duration = Duration::from_secs(60);

impl Sweeper {
    /// Sweeps until told to stop. Must be called on a thread outside of the runtime.
    pub(crate) fn run(self, runtime: &Handle) {
        let mut failing = false;
        let mut last_sweep: Option<std::time::Instant> = None;
        while !self.shutdown.is_cancelled() {
            let due = last_sweep.is_none_or(|at| at.elapsed() >= self.settings.interval);
            let result =
                if due { self.pass() } else { self.look_after().map(|()| Report::default()) };
            match result {
                Ok(_) => failing = false,
                Err(error) => {
                    if !failing {
                        tracing::warn!(error = format!("{error:#}"), "sweeper waits");
                    }
                    failing = true;
                }
            }
            if due && !failing {
                last_sweep = Some(std::time::Instant::now());
            }
            let pause = self.settings.interval.min(LOOK_AFTER);
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
    fn look_after(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let Some(tip) = self.store.read_blocking(blocks::tip)? else { return Ok(()) };
        let dissolved = self.store.write_blocking(move |tx| {
            sweeps::dissolve_impossible(tx, tip.height, DISSOLVE_DEPTH, now)
        })?;
        for sweep in dissolved {
            tracing::error!(
                sweep,
                "a coin was spent by another transaction: is the key in use elsewhere? The sweep is given up, its other coins will go into a new one"
            );
        }
        for sweep in self.store.read_blocking(sweeps::unconfirmed)? {
            self.send(&sweep)?;
        }
        Ok(())
    }

    /// One whole look: looks after what is under way, then sweeps what is due.
    pub(crate) fn pass(&self) -> anyhow::Result<Report> {
        self.look_after()?;
        let mut report = Report::default();
        let planned = self.plan()?;
        if let Some(key) = &self.key {
            for plan in planned.plans {
                report.sent.extend(self.sweep(plan, key)?);
            }
        } else if !planned.plans.is_empty() {
            tracing::info!(plans = planned.plans.len(), "coins are due; no signing key here");
        }
        Ok(report)
    }

    /// What could go out now, and what waits.
    pub(crate) fn plan(&self) -> anyhow::Result<Planned> {
        let now = self.clock.now();
        let (coins, payees) = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else {
                return Ok::<_, anyhow::Error>((Vec::new(), Vec::new()));
            };
            let coins = sweeps::sweepable(tx, tip.height).context("read the coins")?;
            let mut payees: Vec<Payee> = Vec::new();
            for coin in &coins {
                if payees.iter().any(|payee| payee.merchant == coin.merchant) {
                    continue;
                }
                let known = merchants::payout_addresses(tx, coin.merchant, self.network)?;
                if let Some(in_force) = address_in_force(&known, now) {
                    let script = in_force.address.script().to_owned();
                    payees.push(Payee { merchant: coin.merchant, script });
                }
            }
            Ok((coins, payees))
        })?;
        let coins = self.known_to_node(coins)?;
        if coins.is_empty() {
            return Ok(Planned::default());
        }
        let rate = self.fee_rate()?;
        let planned = sweep::plan(&coins, &payees, rate, &self.settings.rules);
        for (outpoint, why) in &planned.waiting {
            tracing::debug!(%outpoint, ?why, "a coin waits");
        }
        Ok(planned)
    }

    /// Keeps the coins that the node, too, says are there: unspent, in a block, with the same
    /// amount and script. What the database says alone moves no money.
    fn known_to_node(&self, coins: Vec<SweepCoin>) -> anyhow::Result<Vec<SweepCoin>> {
        let mut known = Vec::with_capacity(coins.len());
        for coin in coins {
            let found = self.node.unspent_output(coin.outpoint).context("ask for a coin")?;
            let fits = found.is_some_and(|found| {
                found.amount == coin.amount
                    && found.script == coin.script
                    && found.confirmations > 0
            });
            if fits {
                known.push(coin);
            } else {
                tracing::warn!(outpoint = %coin.outpoint, "the node does not have this coin; it waits");
            }
        }
        Ok(known)
    }

    fn fee_rate(&self) -> anyhow::Result<u64> {
        let estimate = self.node.fee_estimate(TARGET_BLOCKS).context("ask for the fee rate")?;
        Ok(estimate.unwrap_or(RATE_DEFAULT).clamp(RATE_MIN, RATE_MAX))
    }

    /// Signs a plan, has the node test it, stores it, and only then sends it. A plan that the node
    /// refuses is halved until the refused coin is alone, so that it holds up nobody else.
    fn sweep(&self, plan: SweepPlan, key: &SigningKey) -> anyhow::Result<Vec<Txid>> {
        let signed = build::sign(plan, &self.xpub, key)?;
        match self.node.test_accept(&signed.raw).context("test the sweep")? {
            Acceptance::Accepted => {}
            Acceptance::Refused(reason) => {
                tracing::error!(
                    txid = %signed.txid, reason, coins = signed.plan.coins.len(),
                    "the node refuses a sweep"
                );
                return self.sweep_halves(&signed.plan, key);
            }
        }
        let now = self.clock.now();
        let stored = self
            .store
            .write_blocking(move |tx| sweeps::store_signed(tx, &signed, now))
            .context("store the sweep")?;
        crate::crash::point("before-broadcast");
        tracing::info!(txid = %stored.txid(), "sweep stored");
        self.send(&stored)?;
        Ok(vec![stored.txid()])
    }

    fn sweep_halves(&self, plan: &SweepPlan, key: &SigningKey) -> anyhow::Result<Vec<Txid>> {
        if plan.coins.len() < 2 {
            return Ok(Vec::new()); // Alone it is refused: it waits.
        }
        let payees: Vec<Payee> = plan
            .payouts
            .iter()
            .map(|payout| Payee { merchant: payout.merchant, script: payout.script.clone() })
            .collect();
        let rate = self.fee_rate()?;
        let mut sent = Vec::new();
        for half in plan.coins.chunks(plan.coins.len().div_ceil(2)) {
            let planned = sweep::plan(half, &payees, rate, &self.settings.rules);
            for plan in planned.plans {
                sent.extend(self.sweep(plan, key)?);
            }
        }
        Ok(sent)
    }

    fn send(&self, sweep: &sweeps::StoredSweepTx) -> anyhow::Result<()> {
        match broadcast::send(&self.node, sweep)? {
            Sent::InMempool => {
                let (sweep, now): (_, Timestamp) = (sweep.clone(), self.clock.now());
                self.store.write_blocking(move |tx| sweeps::mark_sent(tx, &sweep, now))?;
            }
            Sent::NotTaken(reason) => {
                tracing::warn!(txid = %sweep.txid(), reason, "the node does not take a sweep yet");
            }
        }
        Ok(())
    }
}
