//! Damaged sweeps: stored versions whose bytes the gateway's key did not sign, after disk
//! damage or a change of the database. They are never sent. The sweep is signed again by the
//! present rules and addresses, because nothing proves the stored payouts without a signature.

use anyhow::{Context, bail, ensure};
use bitcoin::Txid;

use crate::domain::amount::Amount;
use crate::domain::sweep::transaction::verify_stored;
use crate::domain::sweep::{Payee, RATE_MAX, RATE_MIN, SweepCoin, SweepPlan, plan_with_fee};
use crate::store::sweeps::damaged::{fee_of, mark_damaged, store_again};
use crate::store::sweeps::{SignedPlan, StoredSweepTx, Unconfirmed, coins_of};

use super::build;
use super::memory::Memory;
use super::role::{Sweeper, trusts_the_chain};

impl Sweeper {
    /// The versions of a sweep that may be sent, newest first: those that the account's key
    /// signed for its coins. The others are recorded and logged, once.
    pub(super) fn sound_versions(
        &self,
        sweep: &Unconfirmed,
        memory: &mut Memory,
    ) -> anyhow::Result<Vec<StoredSweepTx>> {
        let coins = self.store.read_blocking(|tx| coins_of(tx, sweep.id, 0))?;
        let mut sound = Vec::with_capacity(sweep.versions.len());
        for version in &sweep.versions {
            self.keep_going()?;
            let Err(what) = verify_stored(version.raw(), version.txid(), &coins, &self.xpub) else {
                sound.push(version.clone());
                continue;
            };
            if memory.damaged.insert(version.txid()) {
                let key = self.key.as_ref();
                let then = key.map_or("it waits for the signer", |_| "it is signed again");
                tracing::error!(
                    sweep = sweep.id, txid = %version.txid(), %what,
                    "the stored bytes of a sweep are damaged; it is not sent, {then}"
                );
                let (version, now) = (version.clone(), self.clock.now());
                self.store.write_blocking(move |tx| mark_damaged(tx, &version, now))?;
            }
        }
        Ok(sound)
    }

    /// Signs a sweep again if none of its versions may be sent: the same coins, by the present
    /// rules and addresses. Both transactions spend the same coins, so at most one is mined.
    pub(super) fn sign_again(
        &mut self,
        sweep: &Unconfirmed,
        tip_height: u32,
        memory: &mut Memory,
    ) -> anyhow::Result<()> {
        let newest = sweep.versions.first().context("a sweep without a version")?;
        let (coins, fee) = self.store.read_blocking(|tx| {
            let coins = coins_of(tx, sweep.id, tip_height).context("read the coins")?;
            Ok::<_, anyhow::Error>((coins, fee_of(tx, newest).context("read the fee")?))
        })?;
        let payees = self.payees_of(&coins)?;
        let plan = self.plan_again(&coins, &payees, fee)?;
        let key = self.key.as_ref().context("no signing key configured")?;
        let signed = build::sign(plan, &self.xpub, key)?;
        if let Some(reason) = self.refusal(&signed)? {
            bail!("the node refuses it: {reason}");
        }
        self.store_again_and_send(sweep.id, signed, memory).map(drop)
    }

    /// The payees of a damaged sweep's coins, which are checked like due coins.
    pub(super) fn payees_of(&mut self, coins: &[SweepCoin]) -> anyhow::Result<Vec<Payee>> {
        if let Some((at, why)) = self.flaws(coins)?.first() {
            bail!("coin {at} has to wait: {why}");
        }
        let rows = self.store.read_blocking(|tx| self.rows_of_all(tx, coins))?;
        let (payees, refused) = self.payees(rows)?;
        ensure!(refused.is_empty(), "a payout address of one of its merchants is refused");
        Ok(payees)
    }

    /// Stores a new version of a damaged sweep, and only then sends it.
    pub(super) fn store_again_and_send(
        &self,
        sweep: i64,
        signed: SignedPlan,
        memory: &mut Memory,
    ) -> anyhow::Result<Txid> {
        let now = self.clock.now();
        let stored = self.store.write_blocking(move |tx| {
            ensure!(trusts_the_chain(tx)?, "the chain guard is active: nothing is sent");
            store_again(tx, sweep, &signed, now).context("store the sweep")
        })?;
        crate::crash::point("before-broadcast");
        tracing::warn!(sweep, txid = %stored.txid(), "damaged sweep signed again");
        self.send(&stored, memory)?;
        Ok(stored.txid())
    }

    /// The plan of these coins at the stored fee if the rules allow it, else at the present
    /// rate.
    fn plan_again(
        &self,
        coins: &[SweepCoin],
        payees: &[Payee],
        fee: Option<Amount>,
    ) -> anyhow::Result<SweepPlan> {
        let rules = &self.settings.rules;
        let plan = |fee| plan_with_fee(coins, payees, fee, rules);
        let recorded = fee
            .and_then(|fee| plan(fee).ok())
            .filter(|plan| (RATE_MIN..=RATE_MAX).contains(&plan.rate_litoshis_per_kvb()));
        if let Some(plan) = recorded {
            return Ok(plan);
        }
        let rate = self.fee_rate()?;
        let anew = plan(Amount::ZERO).and_then(|free| plan(free.fee_at(rate)));
        anew.map_err(|(merchant, why)| anyhow::anyhow!("{merchant} cannot be paid: {why}"))
    }
}
