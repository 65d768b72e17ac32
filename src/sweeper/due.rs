//! What could go out now: the coins, where their merchants are paid, and the fee rate. Whatever is
//! wrong with a row is that row's trouble alone.

use anyhow::Context;
use bitcoin::OutPoint;

use crate::domain::sweep::{self, Payee, Planned, RATE_MAX, RATE_MIN, SweepCoin, Waits};
use crate::store::sweeps::recognised::{add_operator, is_operator};
use crate::store::{self, blocks, sweeps};

use super::Sweeper;
use super::payees::Rows;

/// The fee rate without an estimate, in litoshis for 1,000 vbytes: ten times the minimum that nodes
/// relay, since most nodes do not replace a transaction once they have it.
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
    /// What could go out now.
    pub(super) fn due(&mut self) -> anyhow::Result<Due> {
        self.seal_new()?;
        self.note_operator()?;
        let (coins, mut waiting, rows) = self.store.read_blocking(|tx| {
            let Some(tip) = blocks::tip(tx)? else {
                return Ok::<_, anyhow::Error>((Vec::new(), Vec::new(), Vec::new()));
            };
            let found = sweeps::sweepable(tx, tip.height).context("read the coins")?;
            let (mut coins, mut waiting) = (Vec::with_capacity(found.len()), Vec::new());
            for coin in found {
                self.go_on()?;
                let sealed = self.seals.as_ref().map_or(Ok(true), |seals| seals.fits(tx, &coin));
                match sealed.context("read a seal")? {
                    true => coins.push(coin),
                    false => waiting.push((coin.outpoint, Waits::BrokenSeal)),
                }
            }
            let mut rows: Vec<Rows> = Vec::new();
            for merchant in sweep::merchants_of(&coins) {
                rows.push((merchant, self.rows_of(tx, merchant).context("read an address")?));
            }
            Ok((coins, waiting, rows))
        })?;
        let (payees, refused) = self.payees(rows)?;
        let mut sound = Vec::with_capacity(coins.len());
        for coin in coins {
            self.go_on()?;
            if refused.contains(&coin.merchant) {
                waiting.push((coin.outpoint, Waits::AddressRefused));
                continue;
            }
            match self.flaw(&coin)? {
                Some(why) => waiting.push((coin.outpoint, why)),
                None => sound.push(coin),
            }
        }
        let rate_litoshis_per_kvb = if sound.is_empty() { RATE_DEFAULT } else { self.fee_rate()? };
        Ok(Due { coins: sound, payees, rate_litoshis_per_kvb, waiting })
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

    /// What is wrong with a coin, if anything: its script must be the one that our key derives,
    /// and the node, too, must say that it is there: unspent, in a block, with the same amount and
    /// script. What the database says alone moves no money.
    pub(super) fn flaw(&self, coin: &SweepCoin) -> anyhow::Result<Option<Waits>> {
        if coin.script != self.xpub.script_at(coin.index) {
            return Ok(Some(Waits::NotOurs));
        }
        let found = self.node.unspent_output(coin.outpoint).context("ask for a coin")?;
        let fits = found.is_some_and(|found| {
            found.amount == coin.amount && found.script == coin.script && found.confirmations > 0
        });
        Ok((!fits).then_some(Waits::UnknownToNode))
    }

    /// The node's estimate, or what its mempool takes at least if that is more (an estimate of
    /// 0.21 knows nothing of it), within what is believed, in litoshis for 1,000 vbytes.
    pub(super) fn fee_rate(&self) -> anyhow::Result<u64> {
        let estimate = self.node.fee_estimate(TARGET_BLOCKS).context("ask for the fee rate")?;
        let least =
            self.node.mempool_state().context("ask for the mempool's minimum")?.taken_per_kvb;
        Ok(estimate.unwrap_or(RATE_DEFAULT).max(least).clamp(RATE_MIN, RATE_MAX))
    }
}
