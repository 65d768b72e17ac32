//! What could go out now: the coins, where their merchants are paid, and the fee rate. Whatever
//! is wrong with a row is that row's trouble alone.

use std::collections::BTreeSet;

use anyhow::Context;
use bitcoin::OutPoint;

use crate::domain::sweep::{self, Payee, Planned, RATE_MAX, RATE_MIN, SweepCoin, Waits};
use crate::node::BATCH_MAX;
use crate::store::sweeps::recognised::{add_operator, is_operator};
use crate::store::{self, blocks, sweeps};

use super::Sweeper;

/// The fee rate without an estimate, in litoshis for 1,000 vbytes: ten times the minimum that
/// nodes relay, since most nodes do not replace a transaction once they have it.
const RATE_DEFAULT: u64 = 10_000;

/// Blocks within which a sweep should be mined.
const TARGET_BLOCKS: u16 = 6;

/// What could go out if the rules let it.
pub(super) struct Due {
    pub(super) coins: Vec<SweepCoin>,
    pub(super) payees: Vec<Payee>,
    pub(super) rate_litoshis_per_kvb: u64,
    /// What is left out because something is wrong with it.
    pub(super) waiting: Vec<(OutPoint, Waits)>,
}

impl Due {
    pub(super) fn plan(&self, coins: &[SweepCoin], rules: &sweep::Rules) -> Planned {
        sweep::plan(coins, &self.payees, self.rate_litoshis_per_kvb, rules)
    }
}

impl Sweeper {
    /// What could go out now, every coin checked.
    pub(super) fn due(&mut self) -> anyhow::Result<Due> {
        let mut due = self.candidates(&BTreeSet::new())?;
        let flaws = self.flaws(&due.coins)?;
        let flawed: BTreeSet<OutPoint> = flaws.iter().map(|(at, _)| *at).collect();
        due.coins.retain(|coin| !flawed.contains(&coin.outpoint));
        due.waiting.extend(flaws);
        Ok(due)
    }

    /// What could go out now by the database, without the coins that this pass is done with. Each
    /// coin has to be checked before it is signed for.
    pub(super) fn candidates(&mut self, done: &BTreeSet<OutPoint>) -> anyhow::Result<Due> {
        self.go_on()?;
        self.seal_new()?;
        self.note_operator()?;
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

    /// Records the operator's address, by which sweeps are recognised that this database did not
    /// make.
    fn note_operator(&self) -> Result<(), store::Error> {
        let Some(own) = &self.settings.rules.operator else { return Ok(()) };
        let script = own.script.clone();
        if self.store.read_blocking(|tx| is_operator(tx, &script))? {
            return Ok(());
        }
        let now = self.clock.now();
        self.store.write_blocking(move |tx| add_operator(tx, &script, now))
    }

    /// The coins with which something is wrong: the seal of the payment must fit, the script
    /// must be the one that our key derives, and the node, too, must say that the coin is
    /// there: unspent, in a block, with the same amount and script. What the database says
    /// alone moves no money.
    pub(super) fn flaws(&self, coins: &[SweepCoin]) -> anyhow::Result<Vec<(OutPoint, Waits)>> {
        let mut flaws = Vec::new();
        for some in coins.chunks(BATCH_MAX) {
            self.go_on()?;
            let mut good = Vec::with_capacity(some.len());
            self.store.read_blocking(|tx| {
                for coin in some {
                    let sealed = self.seals.as_ref().map_or(Ok(true), |seals| seals.fits(tx, coin));
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
            let found = self.node.unspent_outputs(&at).context("ask for the coins")?;
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

    /// The node's estimate, or what its mempool takes at least if that is more (an estimate of
    /// 0.21 knows nothing of it), within what is believed, in litoshis for 1,000 vbytes.
    pub(super) fn fee_rate(&self) -> anyhow::Result<u64> {
        Ok(self.fee_rates()?.0)
    }

    /// As [`Self::fee_rate`], with the mempool's minimum beside it.
    pub(super) fn fee_rates(&self) -> anyhow::Result<(u64, u64)> {
        let estimate = self.node.fee_estimate(TARGET_BLOCKS).context("ask for the fee rate")?;
        let least =
            self.node.mempool_state().context("ask for the mempool's minimum")?.taken_per_kvb;
        let rate = estimate.unwrap_or(RATE_DEFAULT).max(least).clamp(RATE_MIN, RATE_MAX);
        Ok((rate, least))
    }
}
