//! Coins: outputs that pay a payment.

use bitcoin::OutPoint;

use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::chain_guard::Trust;
use crate::domain::keys::DerivationIndex;
use crate::domain::rate::Rate;
use crate::domain::time::Timestamp;

/// An output that pays a payment. Its facts never change, except its place, and a late
/// coin's rate, which is stored after the coin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coin {
    pub(crate) outpoint: OutPoint,
    pub(crate) index: DerivationIndex,
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    /// When it was first seen; if first seen in a block, the earlier of that time and the
    /// block time.
    pub(crate) seen_at: Timestamp,
    pub(crate) place: Place,
    /// The exchange rate at its first sight, if the payment has a price and the coin is late.
    pub(crate) rate: Option<Rate>,
}

impl Coin {
    /// Confirmations on the best chain: 1 in the tip, 0 outside of blocks.
    pub(crate) fn confirmations(&self, tip: Option<BlockId>) -> u32 {
        match (self.place, tip) {
            (Place::Block(block), Some(tip)) => {
                tip.height.saturating_add(1).saturating_sub(block.height)
            }
            (Place::Block(_), None) | (Place::Mempool | Place::Removed, _) => 0,
        }
    }

    /// Whether it is in the mempool or on the best chain.
    pub(crate) fn counts(&self) -> bool {
        match self.place {
            Place::Mempool | Place::Block(_) => true,
            Place::Removed => false,
        }
    }
}

/// When a mempool transaction was first seen: now, or when the followed node accepted it by
/// the node's clock, whichever is earlier. `not_before` limits the error of a wrong clock: the
/// transaction cannot pay an address before its issue, and was not in the mempool at the last
/// full comparison.
pub(crate) fn first_sight(
    now: Timestamp,
    entered_at: Option<Timestamp>,
    not_before: Timestamp,
) -> Timestamp {
    entered_at.map_or(now, |at| at.max(not_before).min(now))
}

/// The kind of transaction that created a coin; it decides the coin's maturity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An ordinary transaction.
    Plain,
    /// A block's reward: spendable 100 blocks later.
    Coinbase,
    /// From MWEB: an output of a HogEx, or its announcement while unmined.
    Pegout,
}

impl Origin {
    /// Whether a coin of this origin may complete a payment. An inflated extension block would
    /// pay through peg-outs, so they wait while the chain is suspect.
    pub(super) fn is_trusted(self, trust: Trust) -> bool {
        match (trust, self) {
            (Trust::Full, _) | (Trust::Withheld, Origin::Plain | Origin::Coinbase) => true,
            (Trust::Withheld, Origin::Pegout) => false,
        }
    }
}

/// Where a coin is, on the chain that we follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Mempool,
    Block(BlockId),
    /// Neither on the best chain nor in the mempool: replaced, double-spent or evicted.
    Removed,
}
