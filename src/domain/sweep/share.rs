//! A merchant's share of a transaction: its part of the costs, and whether it can bear them.
//!
//! Must not know: how shares are combined into transactions.

use bitcoin::OutPoint;

use crate::domain::amount::Amount;
use crate::domain::dust::dust_limit;

use super::plan::{Payee, Rules, SweepCoin};
use super::waits::Waits;
use super::weights::{INPUT_WEIGHT, fee_for, output_weight, overhead_weight};

/// Whether the coin's own input would cost too large a part of it. Such a coin waits for lower
/// fees, so that it does not reduce or delay the merchant's other coins.
pub(super) fn is_uneconomic(coin: &SweepCoin, rate: u64, rules: &Rules) -> bool {
    is_too_expensive(fee_for(INPUT_WEIGHT, rate), coin.amount, rules)
}

/// Whether a fee is a larger part of an amount than the operator allows.
fn is_too_expensive(fee: Amount, gross: Amount, rules: &Rules) -> bool {
    let hundredfold = u128::from(fee.litoshis()).saturating_mul(100);
    let allowed = u128::from(gross.litoshis()).saturating_mul(u128::from(rules.max_fee_percent));
    hundredfold > allowed
}

/// A merchant's coins that could be paid out together.
pub(super) struct Share {
    pub(super) payee: Payee,
    pub(super) coins: Vec<SweepCoin>,
}

impl Share {
    pub(super) fn gross(&self) -> Amount {
        Amount::total(self.coins.iter().map(|coin| coin.amount))
    }

    pub(super) fn weight(&self) -> u64 {
        let inputs = u64::try_from(self.coins.len()).unwrap_or(u64::MAX);
        inputs.saturating_mul(INPUT_WEIGHT).saturating_add(output_weight(&self.payee.script))
    }

    pub(super) fn waits(&self, why: Waits) -> impl Iterator<Item = (OutPoint, Waits)> + '_ {
        self.coins.iter().map(move |coin| (coin.outpoint, why))
    }
}

/// Why a share cannot be paid out even in a transaction of its own.
pub(super) fn evaluate_alone(share: &Share, rate: u64, rules: &Rules) -> Option<Waits> {
    first_unaffordable(std::slice::from_ref(share), rate, rules).map(|(_, why)| why)
}

/// The first share of a transaction that cannot bear its part of the fee.
pub(super) fn first_unaffordable(
    batch: &[Share],
    rate: u64,
    rules: &Rules,
) -> Option<(usize, Waits)> {
    first_unaffordable_at(batch, &costs(batch, rate, rules), rules)
}

pub(super) fn first_unaffordable_at(
    batch: &[Share],
    costs: &Costs,
    rules: &Rules,
) -> Option<(usize, Waits)> {
    let lines = batch.iter().zip(costs.fee_shares.iter().zip(&costs.operator_fees));
    let evaluated =
        lines.map(|(share, (fee, operator_fee))| evaluate(share, *fee, *operator_fee, rules));
    evaluated.enumerate().find_map(|(place, why)| why.map(|why| (place, why)))
}

/// Why a share cannot bear these fees.
fn evaluate(share: &Share, fee: Amount, operator_fee: Amount, rules: &Rules) -> Option<Waits> {
    let gross = share.gross();
    if is_too_expensive(fee, gross, rules) {
        return Some(Waits::TooExpensive);
    }
    match gross.checked_sub(fee).and_then(|left| left.checked_sub(operator_fee)) {
        Some(amount) if amount >= dust_limit(&share.payee.script) => None,
        Some(_) | None => Some(Waits::Dust),
    }
}

/// The costs of a transaction, and each share's part.
pub(super) struct Costs {
    pub(super) weight: u64,
    pub(super) fee: Amount,
    pub(super) fee_shares: Vec<Amount>,
    pub(super) operator_fees: Vec<Amount>,
}

impl Costs {
    pub(super) fn operator_sum(&self) -> Amount {
        Amount::total(self.operator_fees.iter().copied())
    }
}

pub(super) fn costs(batch: &[Share], rate: u64, rules: &Rules) -> Costs {
    let operator_fees = operator_fees(batch, rules);
    let weight = weight(batch, &operator_fees, rules);
    costs_with(batch, weight, fee_for(weight, rate), operator_fees)
}

pub(super) fn costs_with(
    batch: &[Share],
    weight: u64,
    fee: Amount,
    operator_fees: Vec<Amount>,
) -> Costs {
    // All inputs have the same weight, so their number is used.
    let by_inputs: Vec<u64> =
        batch.iter().map(|share| u64::try_from(share.coins.len()).unwrap_or(u64::MAX)).collect();
    Costs { weight, fee, fee_shares: fee.split(&by_inputs), operator_fees }
}

/// Maximum weight of the signed transaction.
pub(super) fn weight(batch: &[Share], operator_fees: &[Amount], rules: &Rules) -> u64 {
    let inputs = batch.iter().map(|share| share.coins.len()).sum();
    let takes = operator_fees.iter().any(|fee| *fee > Amount::ZERO);
    let own = rules.operator.as_ref().filter(|_| takes);
    let overhead = overhead_weight(inputs, batch.len().saturating_add(usize::from(takes)))
        .saturating_add(own.map_or(0, |operator| output_weight(&operator.script)));
    batch.iter().fold(overhead, |sum, share| sum.saturating_add(share.weight()))
}

/// The operator's fee on each share; nothing if their sum would be dust.
pub(super) fn operator_fees(batch: &[Share], rules: &Rules) -> Vec<Amount> {
    let none = vec![Amount::ZERO; batch.len()];
    let Some(operator) = &rules.operator else { return none };
    let part = |share: &Share| {
        let gross = u128::from(share.gross().litoshis());
        let litoshis = gross.saturating_mul(u128::from(operator.basis_points)) / 10_000;
        u64::try_from(litoshis).ok().and_then(Amount::from_litoshis).unwrap_or(Amount::ZERO)
    };
    let fees: Vec<Amount> = batch.iter().map(part).collect();
    let sum = Amount::total(fees.iter().copied());
    if sum < dust_limit(&operator.script) { none } else { fees }
}
