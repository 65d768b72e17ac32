//! Recognises a mined sweep that this database did not create: an external signer broadcast
//! it, or it was made after the restored backup.
//!
//! The planner's rules decide: each merchant is paid at an address that was in force, after a
//! share of an allowed fee, and the operator at one rate for all. The plan is made again and
//! must give the same txid. Every other transaction is foreign.
//!
//! The result affects the accounts, never where money goes.

use std::collections::BTreeMap;

use bitcoin::{ScriptBuf, Transaction, TxOut, Txid};

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;

use super::plan::{
    BASIS_POINTS_MAX, OperatorFee, Payee, RATE_MAX, RATE_MIN, Rules, SweepCoin, SweepPlan,
    merchants_of,
};
use super::planner::{batch_of, plan_of};
use super::share::{Share, costs_with, operator_fees};
use super::transaction::unsigned;

/// Scripts that were in force at some time until the block of a transaction.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct KnownScripts {
    pub(crate) merchants: BTreeMap<MerchantId, Vec<ScriptBuf>>,
    /// Current and former values of `sweeper.operator_address`.
    pub(crate) operator: Vec<ScriptBuf>,
}

/// The plan of a transaction that spends exactly these coins, and the unsigned transaction.
/// `None` if our rules do not produce it.
pub(crate) fn recognise(
    txid: Txid,
    coins: &[SweepCoin],
    outputs: &[TxOut],
    known: &KnownScripts,
) -> Option<(SweepPlan, Transaction)> {
    let merchants = merchants_of(coins);
    let inputs = Amount::total(coins.iter().map(|coin| coin.amount));
    let paid = outputs.iter().map(|output| output.value.to_sat());
    let paid = Amount::from_litoshis(paid.fold(0u64, u64::saturating_add))?;
    let fee = inputs.checked_sub(paid)?;
    let (lines, operator) = match outputs.len().checked_sub(merchants.len())? {
        0 => (outputs, None),
        1 => outputs.split_last().map(|(last, lines)| (lines, Some(last)))?,
        _ => return None,
    };
    rates(coins, operator, known)?.into_iter().find_map(|own| {
        let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: own };
        let payees = payees(coins, lines, fee, known, &rules)?;
        let batch = batch_of(coins, &payees).ok()?;
        let plan = plan_of(&batch, operator_fees(&batch, &rules), fee, &rules).ok()?;
        let allowed = (RATE_MIN..=RATE_MAX).contains(&plan.rate_litoshis_per_kvb());
        let tx = unsigned(&plan);
        (allowed && tx.compute_txid() == txid).then_some((plan, tx))
    })
}

/// The operator's fees that could produce this output: a known script and one rate. `None` if
/// there is none.
fn rates(
    coins: &[SweepCoin],
    output: Option<&TxOut>,
    known: &KnownScripts,
) -> Option<Vec<Option<OperatorFee>>> {
    let Some(output) = output else { return Some(vec![None]) };
    let script = known.operator.iter().find(|script| **script == output.script_pubkey)?;
    let batch = shares(coins);
    let matches = |own: &OperatorFee| {
        let rules =
            Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: Some(own.clone()) };
        let taken = Amount::total(operator_fees(&batch, &rules));
        taken.litoshis() == output.value.to_sat()
    };
    let all = (1..=BASIS_POINTS_MAX)
        .map(|basis_points| OperatorFee { basis_points, script: script.clone() });
    Some(all.filter(matches).map(Some).collect())
}

/// The coins by merchant, with empty payout scripts.
fn shares(coins: &[SweepCoin]) -> Vec<Share> {
    let anywhere = |merchant| Payee { merchant, script: ScriptBuf::new() };
    let payees: Vec<Payee> = merchants_of(coins).into_iter().map(anywhere).collect();
    batch_of(coins, &payees).unwrap_or_default()
}

/// Assigns payouts: each merchant to the output with its amount and one of its scripts.
fn payees(
    coins: &[SweepCoin],
    lines: &[TxOut],
    fee: Amount,
    known: &KnownScripts,
    rules: &Rules,
) -> Option<Vec<Payee>> {
    let batch = shares(coins);
    // The fee is given, so the weight of a script does not affect its share.
    let costs = costs_with(&batch, 0, fee, operator_fees(&batch, rules));
    let mut left: Vec<&TxOut> = lines.iter().collect();
    let mut payees = Vec::with_capacity(batch.len());
    for (share, (fee, own)) in batch.iter().zip(costs.fee_shares.iter().zip(&costs.operator_fees)) {
        let merchant = share.payee.merchant;
        let amount = share.gross().checked_sub(*fee)?.checked_sub(*own)?;
        let scripts = known.merchants.get(&merchant)?;
        let at = left.iter().position(|output| {
            output.value.to_sat() == amount.litoshis() && scripts.contains(&output.script_pubkey)
        })?;
        let script = left.swap_remove(at).script_pubkey.clone();
        payees.push(Payee { merchant, script });
    }
    Some(payees)
}

#[cfg(test)]
mod tests {
    use bitcoin::hashes::Hash;
    use bitcoin::{OutPoint, Sequence, TxIn, WPubkeyHash};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::keys::DerivationIndex;
    use crate::domain::payment::Origin;
    use crate::domain::sweep::{plan, plan_again};

    fn merchant(n: u8) -> MerchantId {
        MerchantId::from_random(u64::from(n))
    }

    fn script(n: u8) -> ScriptBuf {
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]))
    }

    fn amount(litoshis: u64) -> Amount {
        Amount::from_litoshis(litoshis).expect("in range")
    }

    fn coin(n: u32, of: u8, litoshis: u64) -> SweepCoin {
        SweepCoin {
            outpoint: OutPoint { txid: Txid::all_zeros(), vout: n },
            merchant: merchant(of),
            index: DerivationIndex::new(n).expect("small"),
            script: script(200),
            amount: amount(litoshis),
            origin: Origin::Plain,
            confirmations: 6,
        }
    }

    /// Merchant n was paid at script n, and before that at script n + 100.
    fn known() -> KnownScripts {
        let merchants = (1..=4u8).map(|n| (merchant(n), vec![script(n + 100), script(n)]));
        KnownScripts { merchants: merchants.collect(), operator: vec![script(50), script(9)] }
    }

    fn payees(old: bool) -> Vec<Payee> {
        let at = |n: u8| if old { n + 100 } else { n };
        (1..=4).map(|n| Payee { merchant: merchant(n), script: script(at(n)) }).collect()
    }

    fn found(tx: &Transaction, coins: &[SweepCoin]) -> Option<SweepPlan> {
        recognise(tx.compute_txid(), coins, &tx.output, &known()).map(|(plan, _)| plan)
    }

    /// Every way to change one part of a transaction.
    fn changed(tx: &Transaction) -> Vec<(&'static str, Transaction)> {
        let mut all = Vec::new();
        let mut add = |what, change: &dyn Fn(&mut Transaction)| {
            let mut tx = tx.clone();
            change(&mut tx);
            all.push((what, tx));
        };
        for n in 0..tx.output.len() {
            if n > 0 {
                // The fee stays the same, but the shares do not.
                add("a litoshi from one to another", &|tx| {
                    tx.output[0].value -= bitcoin::Amount::from_sat(1);
                    tx.output[n].value += bitcoin::Amount::from_sat(1);
                });
            }
            add("more than comes in", &|tx| {
                tx.output[n].value += bitcoin::Amount::from_sat(1 << 40)
            });
            add("elsewhere", &|tx| tx.output[n].script_pubkey = script(77));
            add("another's address", &|tx| {
                let paid = &tx.output[n].script_pubkey;
                let first = *paid == script(1) || *paid == script(101);
                tx.output[n].script_pubkey = if first { script(2) } else { script(1) };
            });
            // Without the operator's output it is a sweep without operator's fee.
            if tx.output[n].script_pubkey != script(9) {
                add("a payout less", &|tx| {
                    tx.output.remove(n);
                });
            }
        }
        add("an output more", &|tx| {
            let value = bitcoin::Amount::from_sat(5_000);
            tx.output.push(TxOut { value, script_pubkey: script(77) });
        });
        add("an input more", &|tx| {
            let previous_output = OutPoint { txid: Txid::all_zeros(), vout: 9_999 };
            tx.input.push(TxIn { previous_output, ..TxIn::default() });
        });
        add("an input less", &|tx| {
            tx.input.remove(0);
        });
        add("a final sequence", &|tx| tx.input[0].sequence = Sequence::MAX);
        add("a lock time", &|tx| tx.lock_time = bitcoin::absolute::LockTime::from_consensus(7));
        all
    }

    proptest! {
        #[test]
        fn only_transactions_of_the_planner_are_recognised(
            sums in prop::collection::vec((1_000_000u64..100_000_000, 1u8..=4), 1..20),
            rate in RATE_MIN..50_000,
            basis_points in 0..=BASIS_POINTS_MAX,
            old in any::<bool>(),
            bumped in any::<bool>(),
        ) {
            let coins: Vec<SweepCoin> =
                (0..).zip(&sums).map(|(n, (sum, of))| coin(n, *of, *sum)).collect();
            let operator =
                (basis_points > 0).then(|| OperatorFee { basis_points, script: script(9) });
            let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 50, operator };
            let planned = plan(&coins, &payees(old), rate, &rules);
            for mut plan in planned.plans {
                if bumped {
                    let fee = plan.fee_at(plan.rate_litoshis_per_kvb() * 2);
                    let operator = plan.operator.as_ref().map(|own| own.script.clone());
                    let again =
                        plan_again(&plan.coins, &plan.payouts, operator.as_ref(), fee, &rules);
                    plan = again.expect("a higher fee");
                }
                let tx = unsigned(&plan);
                let own = found(&tx, &plan.coins);
                prop_assert_eq!(own.as_ref(), Some(&plan));
                for (what, other) in changed(&tx) {
                    prop_assert_eq!(found(&other, &plan.coins), None, "{}", what);
                }
            }
        }
    }

    #[test]
    fn a_sweep_with_a_fee_out_of_range_is_not_recognised() {
        let coins = [coin(0, 1, 100_000_000)];
        #[track_caller]
        fn check(coins: &[SweepCoin], rate: u64, expected: bool) {
            let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };
            let plan = plan(coins, &payees(false), rate, &rules).plans.remove(0);
            assert_eq!(found(&unsigned(&plan), coins).is_some(), expected, "{rate}");
        }
        check(&coins, RATE_MIN, true);
        check(&coins, RATE_MAX, true);
        check(&coins, RATE_MAX + 10_000, false);
        check(&coins, RATE_MIN - 100, false);
    }

    #[test]
    fn a_sweep_to_an_unknown_operator_address_is_not_recognised() {
        let coins = [coin(0, 1, 100_000_000), coin(1, 2, 50_000_000)];
        for (n, expected) in [(9, true), (50, true), (60, false)] {
            let operator = Some(OperatorFee { basis_points: 150, script: script(n) });
            let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator };
            let plan = plan(&coins, &payees(false), 10_000, &rules).plans.remove(0);
            assert_eq!(found(&unsigned(&plan), &plan.coins).is_some(), expected, "{n}");
        }
    }
}
