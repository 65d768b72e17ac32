//! The sums and confirmations of a payment's coins at one tip.

use std::cmp::Reverse;

use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::dust::dust_limit;

use super::coin::Coin;
use super::request::Payment;

/// The sums of a payment's coins at one tip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assessment {
    /// The sum of coins in the mempool or a block.
    pub(crate) seen: Amount,
    /// The sum of coins with the confirmations that they need.
    pub(crate) confirmed: Amount,
    /// What the shopper still has to send: zero if the required amount was sent, else the
    /// part of the whole amount missing from `seen`, and at least the dust limit, because
    /// nodes relay no less.
    pub(crate) due: Amount,
    /// Confirmations of the deciding coin: of all coins the one with the longest wait, or,
    /// once the amount is reached, of those that reach it the soonest.
    pub(crate) confirmations: u32,
    /// Confirmations that this coin needs.
    pub(crate) confirmations_required: u32,
    /// Coins were seen and removed, and no other coin replaced them.
    pub(crate) replaced: bool,
    /// A counting coin was first seen after the payment expired.
    pub(crate) late: bool,
}

/// Computes the sums of a payment's coins at a tip. `tip` is `None` before the first block was
/// read.
pub(crate) fn assess(payment: &Payment, coins: &[Coin], tip: Option<BlockId>) -> Assessment {
    let sum = |keep: &dyn Fn(&Coin) -> bool| {
        Amount::total(coins.iter().filter(|c| keep(c)).map(|c| c.amount))
    };
    let seen = sum(&|c| c.counts());
    let (confirmations, confirmations_required) = confirmations(payment, coins, tip);
    Assessment {
        seen,
        confirmed: sum(&|c| payment.is_confirmed(c, tip)),
        due: due(payment, seen),
        confirmations,
        confirmations_required,
        replaced: seen.is_zero() && !coins.is_empty(),
        late: coins.iter().any(|c| c.counts() && c.seen_at > payment.expires_at),
    }
}

fn due(payment: &Payment, seen: Amount) -> Amount {
    if seen >= payment.required() {
        return Amount::ZERO;
    }
    payment.amount.saturating_sub(seen).max(dust_limit(&payment.script))
}

/// Confirmations of the deciding coin, and how many it needs. Coins are sorted by their
/// remaining wait; the one that reaches the amount decides, or the last one if the amount is
/// not reached. So the first number reaches the second exactly when the payment completes,
/// whatever the coins' origins.
fn confirmations(payment: &Payment, coins: &[Coin], tip: Option<BlockId>) -> (u32, u32) {
    let mut waits: Vec<(u32, Reverse<u32>, u32, Amount)> = coins
        .iter()
        .filter(|c| c.counts())
        .map(|c| {
            let (depth, needed) = (c.confirmations(tip), payment.confirmations_for(c.origin));
            (needed.saturating_sub(depth), Reverse(depth), needed, c.amount)
        })
        .collect();
    waits.sort_unstable();
    let mut sum = Amount::ZERO;
    let mut deciding = (0, payment.confirmations);
    for (_, Reverse(depth), needed, amount) in waits {
        sum = Amount::total([sum, amount]);
        deciding = (depth, needed);
        if sum >= payment.required() {
            break;
        }
    }
    deciding
}
