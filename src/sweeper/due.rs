//! Due coins, with the payout addresses and the fee rate. A bad row affects only itself.

use std::collections::BTreeSet;

use anyhow::Context;
use bitcoin::OutPoint;

use crate::domain::sweep::{self, Payee, Planned, RATE_MAX, RATE_MIN, SweepCoin, Waits};
use crate::node::BATCH_MAX;
use crate::store::sweeps::recognised::{add_operator, is_operator};
use crate::store::{self, blocks, sweeps};

use super::role::Sweeper;

/// The fee rate without an estimate, in litoshis for 1,000 vbytes: ten times the relay
/// minimum, because most nodes do not replace transactions.
const RATE_DEFAULT: u64 = 10_000;

const TARGET_BLOCKS: u16 = 6;

pub(super) struct Due {
    pub(super) coins: Vec<SweepCoin>,
    pub(super) payees: Vec<Payee>,
    pub(super) rate_litoshis_per_kvb: u64,
    /// Coins that are left out, and why.
    pub(super) waiting: Vec<(OutPoint, Waits)>,
}

impl Due {
    pub(super) fn plan(&self, coins: &[SweepCoin], rules: &sweep::Rules) -> Planned {
        sweep::plan(coins, &self.payees, self.rate_litoshis_per_kvb, rules)
    }
}

impl Sweeper {
    /// The due coins, each checked.
    pub(super) fn due(&mut self) -> anyhow::Result<Due> {
        let mut due = self.candidates(&BTreeSet::new())?;
        let flaws = self.flaws(&due.coins)?;
        let flawed: BTreeSet<OutPoint> = flaws.iter().map(|(at, _)| *at).collect();
        due.coins.retain(|coin| !flawed.contains(&coin.outpoint));
        due.waiting.extend(flaws);
        Ok(due)
    }

    /// The due coins by the database, without those that this pass has handled. Each has to be
    /// checked before it is signed for.
    pub(super) fn candidates(&mut self, done: &BTreeSet<OutPoint>) -> anyhow::Result<Due> {
        self.keep_going()?;
        self.record_first_seen()?;
        self.record_operator()?;
        let (mut coins, rows) = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else {
                return Ok::<_, anyhow::Error>((Vec::new(), Vec::new()));
            };
            let mut coins = sweeps::sweepable(tx, tip.height).context("read the coins")?;
            coins.retain(|coin| !done.contains(&coin.outpoint));
            let rows = self.rows_of_all(tx, &coins)?;
            Ok((coins, rows))
        })?;
        let (payees, unpaid) = self.payees(rows)?;
        let waits = coins.extract_if(.., |coin| unpaid.contains_key(&coin.merchant));
        let waits = waits.filter_map(|coin| Some((coin.outpoint, *unpaid.get(&coin.merchant)?)));
        let waiting = waits.collect();
        let rate_litoshis_per_kvb = if coins.is_empty() { RATE_DEFAULT } else { self.fee_rate()? };
        Ok(Due { coins, payees, rate_litoshis_per_kvb, waiting })
    }

    /// Stores the operator's address, which is needed to recognise sweeps that this database
    /// did not create.
    fn record_operator(&self) -> Result<(), store::Error> {
        let Some(own) = &self.settings.rules.operator else { return Ok(()) };
        let script = own.script.clone();
        if self.store.read_blocking(|tx| is_operator(tx, &script))? {
            return Ok(());
        }
        let now = self.clock.now();
        self.store.write_blocking(move |tx| add_operator(tx, &script, now))
    }

    /// The coins that fail a check. The payment's seal must fit, the account key must derive
    /// the script, and the node must report the coin unspent in a block with the same amount
    /// and script. The database alone moves no money.
    pub(super) fn flaws(&self, coins: &[SweepCoin]) -> anyhow::Result<Vec<(OutPoint, Waits)>> {
        let mut flaws = Vec::new();
        for some in coins.chunks(BATCH_MAX) {
            self.keep_going()?;
            let mut good = Vec::with_capacity(some.len());
            self.store.read_blocking(|tx| {
                for coin in some {
                    let sealed =
                        self.seals.as_ref().map_or(Ok(true), |seals| seals.verifies(tx, coin));
                    if !sealed.context("read a seal")? {
                        flaws.push((coin.outpoint, Waits::BrokenSeal));
                    } else if coin.script != self.xpub.script_at(coin.index) {
                        flaws.push((coin.outpoint, Waits::NotOurs));
                    } else {
                        good.push(coin);
                    }
                }
                Ok::<_, anyhow::Error>(())
            })?;
            let at: Vec<OutPoint> = good.iter().map(|coin| coin.outpoint).collect();
            let found = self.node.unspent_outputs(&at).context("read the coins from the node")?;
            for (coin, found) in good.into_iter().zip(found) {
                let fits = found.is_some_and(|found| {
                    found.amount == coin.amount
                        && found.script == coin.script
                        && found.confirmations > 0
                });
                if !fits {
                    flaws.push((coin.outpoint, Waits::UnknownToNode));
                }
            }
        }
        Ok(flaws)
    }

    /// The node's estimate, at least its mempool minimum (which the estimate of 0.21 ignores),
    /// within `RATE_MIN` and `RATE_MAX`, in litoshis for 1,000 vbytes.
    pub(super) fn fee_rate(&self) -> anyhow::Result<u64> {
        Ok(self.fee_rates()?.0)
    }

    /// As [`Self::fee_rate`], with the mempool minimum.
    pub(super) fn fee_rates(&self) -> anyhow::Result<(u64, u64)> {
        let estimate = self.node.fee_estimate(TARGET_BLOCKS).context("read the fee estimate")?;
        let least = self.node.mempool_state().context("read the mempool minimum")?.taken_per_kvb;
        let rate = estimate.unwrap_or(RATE_DEFAULT).max(least).clamp(RATE_MIN, RATE_MAX);
        Ok((rate, least))
    }
}
