//! Making plans: which coins go out in which transaction.

use bitcoin::ScriptBuf;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::network::{COINBASE_MATURITY, PEGOUT_MATURITY};
use crate::domain::payment::Origin;

use super::plan::{
    OperatorFee, OperatorOutput, Payee, Payout, Planned, Rules, SweepCoin, SweepPlan, merchants_of,
};
use super::share::{
    Costs, Share, costs, costs_with, evaluate_alone, first_unaffordable, first_unaffordable_at,
    is_uneconomic, operator_fees, weight,
};
use super::waits::Waits;
use super::weights::{INPUT_WEIGHT, OVERHEAD_WEIGHT_MAX, WEIGHT_MAX, output_weight};

/// Whether the coin can be spent in the next block (consensus).
pub(crate) fn is_mature(origin: Origin, confirmations: u32) -> bool {
    match origin {
        Origin::Plain => confirmations >= 1,
        Origin::Pegout => confirmations >= PEGOUT_MATURITY,
        Origin::Coinbase => confirmations >= COINBASE_MATURITY,
    }
}

/// Plans the payouts that can be made at a fee rate in litoshis per 1,000 vbytes. Merchants
/// with few coins come first; a merchant whose coins need several transactions shares none of
/// them.
pub(crate) fn plan(
    coins: &[SweepCoin],
    payees: &[Payee],
    rate_litoshis_per_kvb: u64,
    rules: &Rules,
) -> Planned {
    let mut planned = Planned::default();
    let mut shares: Vec<Share> =
        payees.iter().map(|payee| Share { payee: payee.clone(), coins: Vec::new() }).collect();
    shares.sort_by_key(|share| share.payee.merchant);
    shares.dedup_by_key(|share| share.payee.merchant);
    let mut sorted = coins.to_vec();
    sorted.sort_by_key(|coin| coin.outpoint);
    sorted.dedup_by_key(|coin| coin.outpoint);
    for coin in sorted {
        let share = shares.iter_mut().find(|share| share.payee.merchant == coin.merchant);
        match share {
            _ if !is_mature(coin.origin, coin.confirmations) => {
                planned.waiting.push((coin.outpoint, Waits::Immature));
            }
            None => planned.waiting.push((coin.outpoint, Waits::NoAddress)),
            Some(_) if is_uneconomic(&coin, rate_litoshis_per_kvb, rules) => {
                planned.waiting.push((coin.outpoint, Waits::TooExpensive));
            }
            Some(share) => share.coins.push(coin),
        }
    }
    shares.retain(|share| !share.coins.is_empty());
    // Merchants with few coins do not wait for the signatures of many.
    shares.sort_by_key(|share| (share.coins.len(), share.payee.merchant));
    let mut batches: Vec<Vec<Share>> = Vec::new();
    for share in shares {
        // The minimum applies to all coins of a merchant, not to each part.
        if share.gross() < rules.min_payout {
            planned.waiting.extend(share.waits(Waits::BelowMinimum));
            continue;
        }
        let parts = split_by_weight(share, rules);
        let is_split = parts.len() > 1;
        for part in parts {
            match evaluate_alone(&part, rate_litoshis_per_kvb, rules) {
                Some(why) => planned.waiting.extend(part.waits(why)),
                None if is_split => batches.push(vec![part]),
                None => put_into_batch(&mut batches, part, rules),
            }
        }
    }
    for mut batch in batches {
        // This order decides how the shares of the fee are rounded.
        batch.sort_by_key(|share| share.payee.merchant);
        // A share that is economic alone may not be in this batch; after its removal the
        // others are evaluated again.
        while let Some((place, why)) = first_unaffordable(&batch, rate_litoshis_per_kvb, rules) {
            planned.waiting.extend(batch.remove(place).waits(why));
        }
        if !batch.is_empty() {
            let costs = costs(&batch, rate_litoshis_per_kvb, rules);
            planned.plans.push(finish(&batch, costs, rules));
        }
    }
    planned
}

/// Weight that every transaction may need beside inputs and payouts.
fn reserved_weight(rules: &Rules) -> u64 {
    let operator = rules.operator.as_ref().map_or(0, |operator| output_weight(&operator.script));
    OVERHEAD_WEIGHT_MAX.saturating_add(operator)
}

/// Splits a share that is too heavy for one transaction.
fn split_by_weight(share: Share, rules: &Rules) -> Vec<Share> {
    let available = WEIGHT_MAX
        .saturating_sub(reserved_weight(rules))
        .saturating_sub(output_weight(&share.payee.script));
    let coins_max = usize::try_from(available / INPUT_WEIGHT).unwrap_or(1).max(1);
    let parts = share.coins.chunks(coins_max);
    parts.map(|coins| Share { payee: share.payee.clone(), coins: coins.to_vec() }).collect()
}

/// Puts a share into the first transaction that it fits.
fn put_into_batch(batches: &mut Vec<Vec<Share>>, share: Share, rules: &Rules) {
    let weight_of = |batch: &Vec<Share>| {
        batch.iter().fold(reserved_weight(rules), |sum, s| sum.saturating_add(s.weight()))
    };
    let fits = |batch: &&mut Vec<Share>| {
        // A merchant has one payout per sweep.
        let alone = batch.iter().all(|s| s.payee.merchant != share.payee.merchant);
        alone && weight_of(batch).saturating_add(share.weight()) <= WEIGHT_MAX
    };
    match batches.iter_mut().find(fits) {
        Some(batch) => batch.push(share),
        None => batches.push(vec![share]),
    }
}

fn finish(batch: &[Share], costs: Costs, rules: &Rules) -> SweepPlan {
    let operator_sum = costs.operator_sum();
    let mut payouts: Vec<Payout> = Vec::with_capacity(batch.len());
    let lines = batch.iter().zip(costs.fee_shares.iter().zip(&costs.operator_fees));
    for (share, (fee_share, operator_fee)) in lines {
        let gross = share.gross();
        let left = gross.checked_sub(*fee_share).and_then(|left| left.checked_sub(*operator_fee));
        payouts.push(Payout {
            merchant: share.payee.merchant,
            script: share.payee.script.clone(),
            gross,
            fee_share: *fee_share,
            operator_fee: *operator_fee,
            amount: left.expect("a share that cannot pay its fees waits"),
        });
    }
    payouts.sort_by(|a, b| (a.amount, &a.script).cmp(&(b.amount, &b.script)));
    let mut coins: Vec<SweepCoin> =
        batch.iter().flat_map(|share| share.coins.iter().cloned()).collect();
    coins.sort_by_key(|coin| coin.outpoint);
    let own = rules.operator.as_ref().filter(|_| operator_sum > Amount::ZERO);
    let operator =
        own.map(|own| OperatorOutput { script: own.script.clone(), amount: operator_sum });
    let plan = SweepPlan { coins, payouts, operator, fee: costs.fee, weight: costs.weight };
    plan.assert_balanced();
    plan
}

/// The plan that pays out exactly these coins at exactly this fee, for a transaction that an
/// external signer made.
///
/// # Errors
/// The merchant that cannot be paid this way, and why. A merchant without payee has no address
/// in force.
pub(crate) fn plan_with_fee(
    coins: &[SweepCoin],
    payees: &[Payee],
    fee: Amount,
    rules: &Rules,
) -> Result<SweepPlan, (MerchantId, Waits)> {
    let batch = batch_of(coins, payees)?;
    let operator_fees = operator_fees(&batch, rules);
    plan_of(&batch, operator_fees, fee, rules)
}

/// Another version of a sweep: the same coins, payout scripts and operator's fee, at another
/// network fee.
///
/// # Errors
/// As for [`plan_with_fee`].
pub(crate) fn plan_again(
    coins: &[SweepCoin],
    payouts: &[Payout],
    operator: Option<&ScriptBuf>,
    fee: Amount,
    rules: &Rules,
) -> Result<SweepPlan, (MerchantId, Waits)> {
    let payee =
        |payout: &Payout| Payee { merchant: payout.merchant, script: payout.script.clone() };
    let batch = batch_of(coins, &payouts.iter().map(payee).collect::<Vec<_>>())?;
    let taken = |share: &Share| {
        let own = payouts.iter().find(|payout| payout.merchant == share.payee.merchant);
        own.map_or(Amount::ZERO, |payout| payout.operator_fee)
    };
    let operator_fees = batch.iter().map(taken).collect();
    let operator = operator.map(|script| OperatorFee { basis_points: 0, script: script.clone() });
    plan_of(&batch, operator_fees, fee, &Rules { operator, ..rules.clone() })
}

pub(super) fn batch_of(
    coins: &[SweepCoin],
    payees: &[Payee],
) -> Result<Vec<Share>, (MerchantId, Waits)> {
    let mut batch: Vec<Share> = Vec::new();
    for merchant in merchants_of(coins) {
        let payee = payees.iter().find(|payee| payee.merchant == merchant);
        let payee = payee.ok_or((merchant, Waits::NoAddress))?.clone();
        let own = coins.iter().filter(|coin| coin.merchant == merchant);
        batch.push(Share { payee, coins: own.cloned().collect() });
    }
    Ok(batch)
}

pub(super) fn plan_of(
    batch: &[Share],
    operator_fees: Vec<Amount>,
    fee: Amount,
    rules: &Rules,
) -> Result<SweepPlan, (MerchantId, Waits)> {
    let weight = weight(batch, &operator_fees, rules);
    let costs = costs_with(batch, weight, fee, operator_fees);
    match first_unaffordable_at(batch, &costs, rules) {
        Some((place, why)) => {
            let share = batch.get(place).expect("the place of one of them");
            Err((share.payee.merchant, why))
        }
        None => Ok(finish(batch, costs, rules)),
    }
}

/// Halves the coins that a node rejected, to find the cause by bisection: whole merchants
/// while there are several, then coins of one. `None` for a single coin.
pub(crate) fn halves(coins: &[SweepCoin]) -> Option<[Vec<SweepCoin>; 2]> {
    let mut sorted = coins.to_vec();
    sorted.sort_by_key(|coin| (coin.merchant, coin.outpoint));
    let merchants = merchants_of(coins);
    let second = if merchants.len() > 1 {
        let first_of_second_half = *merchants.get(merchants.len() / 2)?;
        sorted.partition_point(|coin| coin.merchant < first_of_second_half)
    } else {
        sorted.len() / 2
    };
    let rest = sorted.split_off(second);
    (!sorted.is_empty() && !rest.is_empty()).then_some([sorted, rest])
}
