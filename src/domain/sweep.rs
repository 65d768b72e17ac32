//! Planning sweeps: which coins are paid out together, to whom, and how the fee is shared.
//!
//! All due merchants share a transaction: one input per coin, one output per payout, no
//! change, and last the operator's fee, if any. The network fee is shared by inputs, so a
//! merchant with many coins pays for them. Pure: coins, payees and a fee rate in, plans out.
//!
//! Invariants, asserted for each plan: outputs + fee = inputs, the shares sum to the fee
//! exactly, and no coin is in two plans.

pub(crate) mod recognise;
mod share;
pub(crate) mod transaction;
pub(crate) mod vanishing;
mod weights;

use std::fmt;

use bitcoin::{OutPoint, ScriptBuf, Txid};

use super::amount::Amount;
use super::keys::DerivationIndex;
use super::merchant::MerchantId;
use super::network::{COINBASE_MATURITY, PEGOUT_MATURITY};
use super::payment::Origin;
use super::time::Timestamp;

use self::share::{
    Costs, Share, costs, costs_with, evaluate_alone, is_uneconomic, misfit, operator_fees, unfit,
    weight,
};
use self::weights::{INPUT_WEIGHT, OVERHEAD_WEIGHT_MAX, WEIGHT_MAX, fee_for, output_weight};

/// A coin that may be swept: confirmed as its payment requires, unspent, and in no other
/// sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepCoin {
    pub(crate) outpoint: OutPoint,
    pub(crate) merchant: MerchantId,
    pub(crate) index: DerivationIndex,
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
    pub(crate) origin: Origin,
    pub(crate) confirmations: u32,
}

/// Where a merchant is paid. A merchant without an address in force is not a payee; its coins
/// wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payee {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
}

/// The operator's settings for sweeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rules {
    /// A merchant's coins wait until they sum to this.
    pub(crate) min_payout: Amount,
    /// A payout waits if network fees would take a larger part of it.
    pub(crate) max_fee_percent: u8,
    /// The operator's fee, if any.
    pub(crate) operator: Option<OperatorFee>,
}

/// The operator's fee on each payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperatorFee {
    /// Basis points of the gross amount, rounded down to the litoshi.
    pub(crate) basis_points: u16,
    pub(crate) script: ScriptBuf,
}

/// Limits of a sweep's fee rate, in litoshis per 1,000 vbytes: twice the minimum relay fee,
/// and more than any honest estimate.
pub(crate) const RATE_MIN: u64 = 2_000;
pub(crate) const RATE_MAX: u64 = 1_000_000;

/// Maximum fee of the operator: a tenth.
pub(crate) const BASIS_POINTS_MAX: u16 = 1_000;

/// The plan of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SweepPlan {
    /// In the order of the transaction's inputs.
    pub(crate) coins: Vec<SweepCoin>,
    /// In the order of the transaction's outputs.
    pub(crate) payouts: Vec<Payout>,
    /// The last output: the operator's fees of all payouts.
    pub(crate) operator: Option<OperatorOutput>,
    pub(crate) fee: Amount,
    /// Maximum weight of the signed transaction (BIP141).
    pub(crate) weight: u64,
}

/// A merchant's payout in a sweep: gross = fee share + operator's fee + amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payout {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
    pub(crate) gross: Amount,
    pub(crate) fee_share: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
}

/// The operator's output of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OperatorOutput {
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
}

/// A merchant's payout in a signed sweep, from the version that counts: the confirmed one,
/// else the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentPayout {
    pub(crate) txid: Txid,
    pub(crate) merchant: MerchantId,
    pub(crate) gross: Amount,
    pub(crate) fee_share: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
    pub(crate) created_at: Timestamp,
    pub(crate) block_height: Option<u32>,
}

/// A sent version of a sweep, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentSweep {
    pub(crate) txid: Txid,
    pub(crate) fee: Amount,
    /// Virtual size (BIP141).
    pub(crate) vsize: u64,
    pub(crate) coins: usize,
    pub(crate) payouts: Vec<Payout>,
}

/// Why a coin is in no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// The issued script is not the one that the account key derives.
    NotOurs,
    /// The node does not have the coin, or has it with another amount or script.
    UnknownToNode,
    /// The node rejects a transaction with this coin, or to this payout address.
    Refused,
    /// The coin is not mature yet (coinbase or peg-out).
    Immature,
    /// The merchant has no payout address in force.
    NoAddress,
    /// The merchant's payout address differs from the one that the sweeper first saw.
    AddressRefused,
    /// The database and the sweeper do not agree yet on the merchant's payout address.
    AddressUnconfirmed,
    /// The merchant's coins do not reach `min_payout`.
    BelowMinimum,
    /// The fee would be more than `max_fee_percent` of the payout.
    TooExpensive,
    /// The payout after fees is dust, which nodes do not relay.
    Dust,
    /// The sweeper's seal does not match the payment: its row was changed outside the gateway.
    BrokenSeal,
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Waits::NotOurs => "its script is not the one that the account key derives",
            Waits::UnknownToNode => "the node does not have it",
            Waits::Refused => "the node refuses it",
            Waits::Immature => "it is not mature yet",
            Waits::NoAddress => "the merchant has no payout address in force",
            Waits::AddressRefused => {
                "its merchant's payout address was changed outside the gateway, or an older copy of \
                 the database was restored: see litegate doctor"
            }
            Waits::AddressUnconfirmed => {
                "its merchant's payout address is in force by the database, but not yet by the \
                 sweeper's record: see litegate doctor"
            }
            Waits::BelowMinimum => "the merchant's coins do not reach sweeper.min_payout",
            Waits::TooExpensive => "the fee would be more than sweeper.max_fee_percent",
            Waits::Dust => "the amount after fees is dust",
            Waits::BrokenSeal => "its payment was changed outside the gateway",
        })
    }
}

/// Plans, and the coins that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Planned {
    pub(crate) plans: Vec<SweepPlan>,
    pub(crate) waiting: Vec<(OutPoint, Waits)>,
}

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
        while let Some((place, why)) = unfit(&batch, rate_litoshis_per_kvb, rules) {
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

/// Groups the coins by merchant.
fn batch_of(coins: &[SweepCoin], payees: &[Payee]) -> Result<Vec<Share>, (MerchantId, Waits)> {
    let mut batch: Vec<Share> = Vec::new();
    for merchant in merchants_of(coins) {
        let payee = payees.iter().find(|payee| payee.merchant == merchant);
        let payee = payee.ok_or((merchant, Waits::NoAddress))?.clone();
        let own = coins.iter().filter(|coin| coin.merchant == merchant);
        batch.push(Share { payee, coins: own.cloned().collect() });
    }
    Ok(batch)
}

fn plan_of(
    batch: &[Share],
    operator_fees: Vec<Amount>,
    fee: Amount,
    rules: &Rules,
) -> Result<SweepPlan, (MerchantId, Waits)> {
    let weight = weight(batch, &operator_fees, rules);
    let costs = costs_with(batch, weight, fee, operator_fees);
    match misfit(batch, &costs, rules) {
        Some((place, why)) => {
            let share = batch.get(place).expect("the place of one of them");
            Err((share.payee.merchant, why))
        }
        None => Ok(finish(batch, costs, rules)),
    }
}

impl SweepPlan {
    /// The outputs of the transaction, in order.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&ScriptBuf, Amount)> {
        let payouts = self.payouts.iter().map(|payout| (&payout.script, payout.amount));
        payouts.chain(self.operator.iter().map(|operator| (&operator.script, operator.amount)))
    }

    /// The fee rate in litoshis per 1,000 vbytes, rounded down.
    pub(crate) fn rate_litoshis_per_kvb(&self) -> u64 {
        let vbytes = self.weight.div_ceil(4).max(1);
        self.fee.litoshis().saturating_mul(1000) / vbytes
    }

    /// The fee at another rate.
    pub(crate) fn fee_at(&self, rate_litoshis_per_kvb: u64) -> Amount {
        fee_for(self.weight, rate_litoshis_per_kvb)
    }

    /// Checks the invariants of a plan, when it is made and when it is signed.
    ///
    /// # Panics
    /// If an invariant is violated, which only a bug can cause.
    pub(crate) fn assert_balanced(&self) {
        let inputs = Amount::total(self.coins.iter().map(|coin| coin.amount));
        let outputs = Amount::total(self.outputs().map(|(_, amount)| amount));
        let shares = Amount::total(self.payouts.iter().map(|payout| payout.fee_share));
        assert_eq!(outputs.checked_add(self.fee), Some(inputs), "outputs and fee are the inputs");
        assert_eq!(shares, self.fee, "the shares are the fee");
        for payout in &self.payouts {
            let own = self.coins.iter().filter(|coin| coin.merchant == payout.merchant);
            let own = Amount::total(own.map(|coin| coin.amount));
            assert_eq!(own, payout.gross, "a merchant gets its own coins");
            let costs = payout.fee_share.checked_add(payout.operator_fee);
            let gross = costs.and_then(|costs| costs.checked_add(payout.amount));
            assert_eq!(gross, Some(payout.gross), "what is not paid out are the fees");
        }
        let operator_fees = Amount::total(self.payouts.iter().map(|payout| payout.operator_fee));
        let operator = self.operator.as_ref().map_or(Amount::ZERO, |operator| operator.amount);
        assert_eq!(operator_fees, operator, "the operator gets what was taken for it");
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

/// The merchants of these coins, each once, in order.
pub(crate) fn merchants_of(coins: &[SweepCoin]) -> Vec<MerchantId> {
    let mut merchants: Vec<MerchantId> = coins.iter().map(|coin| coin.merchant).collect();
    merchants.sort_unstable();
    merchants.dedup();
    merchants
}

#[cfg(test)]
mod tests;
