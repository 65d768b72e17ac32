//! Tests of planning sweeps.

use super::planner::is_mature;
use super::*;
use crate::domain::amount::Amount;
use crate::domain::dust::dust_limit;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::Origin;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid, WPubkeyHash};
use proptest::prelude::*;

fn amount(text: &str) -> Amount {
    Amount::parse(text).expect("a test writes amounts well")
}

fn merchant(n: u8) -> MerchantId {
    MerchantId::from_random(u64::from(n))
}

fn payee(n: u8) -> Payee {
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([n; 20]));
    Payee { merchant: merchant(n), script }
}

fn coin(n: u32, of: u8, sum: Amount) -> SweepCoin {
    SweepCoin {
        outpoint: OutPoint { txid: Txid::all_zeros(), vout: n },
        merchant: merchant(of),
        index: DerivationIndex::new(n).expect("small"),
        script: ScriptBuf::new(),
        amount: sum,
        origin: Origin::Plain,
        confirmations: 6,
    }
}

fn rules() -> Rules {
    Rules { min_payout: amount("0.01"), max_fee_percent: 10, operator: None }
}

const RATE: u64 = 10_000;

#[test]
fn merchants_share_a_transaction_and_pay_for_their_own_inputs() {
    let coins = [
        coin(0, 1, amount("0.05")),
        coin(1, 2, amount("0.03")),
        coin(2, 2, amount("0.04")),
        coin(3, 2, amount("0.05")),
    ];
    let planned = plan(&coins, &[payee(1), payee(2)], RATE, &rules());
    assert_eq!(planned.waiting, []);
    let [plan] = &planned.plans[..] else { panic!("{planned:?}") };
    let [one, two] = &plan.payouts[..] else { panic!("{plan:?}") };
    assert_eq!((one.merchant, one.gross), (merchant(1), amount("0.05")));
    assert_eq!((two.merchant, two.gross), (merchant(2), amount("0.12")));
    // 4 inputs of 68 vbytes, 2 outputs of 31, 10.5 for the rest: 345 at 10 litoshis each.
    assert_eq!(plan.fee.litoshis(), 3_450);
    // One of four inputs, and three of four; the remainder goes to the first.
    assert_eq!((one.fee_share.litoshis(), two.fee_share.litoshis()), (863, 2_587));
}

#[test]
fn an_unsweepable_coin_waits_without_delaying_others() {
    #[track_caller]
    fn check(bad: SweepCoin, rate: u64, expected: Waits) {
        let outpoint = bad.outpoint;
        let good = coin(9, 1, amount("1"));
        let planned = plan(&[bad, good.clone()], &[payee(1), payee(2)], rate, &rules());
        assert_eq!(planned.waiting, [(outpoint, expected)]);
        assert_eq!(planned.plans.len(), 1);
        assert_eq!(planned.plans[0].coins, [good]);
    }
    let two = |sum: &str| coin(0, 2, amount(sum));
    let pegout = |n| SweepCoin { origin: Origin::Pegout, confirmations: n, ..two("1") };
    let coinbase = |n| SweepCoin { origin: Origin::Coinbase, confirmations: n, ..two("1") };
    check(two("0.00999999"), RATE, Waits::BelowMinimum);
    check(two("0.01"), 1_000_000, Waits::TooExpensive);
    // Owned by the merchant with the good coin: its input would cost 680 litoshis.
    check(coin(0, 1, amount("0.00006799")), RATE, Waits::TooExpensive);
    check(pegout(5), RATE, Waits::Immature);
    check(coinbase(99), RATE, Waits::Immature);
    check(SweepCoin { confirmations: 0, ..two("1") }, RATE, Waits::Immature);
    check(coin(0, 3, amount("1")), RATE, Waits::NoAddress);
    for mature in [pegout(6), coinbase(100)] {
        assert_eq!(plan(&[mature], &[payee(2)], RATE, &rules()).plans.len(), 1);
    }
}

#[test]
fn a_payout_that_would_be_dust_waits() {
    let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 100, operator: None };
    // 112 vbytes at 10 litoshis, plus 2,940, the dust limit of p2wpkh.
    let planned = |litoshis| {
        let sum = Amount::from_litoshis(litoshis).expect("small");
        plan(&[coin(0, 1, sum)], &[payee(1)], RATE, &rules)
    };
    let fee = planned(1_000_000).plans[0].fee.litoshis();
    assert_eq!(
        planned(2_940 + fee - 1).waiting,
        [(coin(0, 1, Amount::ZERO).outpoint, Waits::Dust)]
    );
    assert_eq!(planned(2_940 + fee).plans[0].payouts[0].amount.litoshis(), 2_940);
}

#[test]
fn the_operator_fee_gets_an_output_unless_it_is_dust() {
    let operator = OperatorFee { basis_points: 50, script: payee(9).script };
    let rules = Rules { operator: Some(operator), ..rules() };
    let coins = [coin(0, 1, amount("0.05000001")), coin(1, 2, amount("1"))];
    let planned = plan(&coins, &[payee(1), payee(2)], RATE, &rules);
    let [plan_of_two] = &planned.plans[..] else { panic!("{planned:?}") };
    let taken: Vec<u64> =
        plan_of_two.payouts.iter().map(|payout| payout.operator_fee.litoshis()).collect();
    assert_eq!(taken, [25_000, 500_000], "half a percent, rounded down");
    let own = plan_of_two.operator.as_ref().expect("an output");
    assert_eq!((own.amount.litoshis(), &own.script), (525_000, &payee(9).script));
    assert_eq!(plan_of_two.outputs().count(), 3);
    // 0.005 % of 0.05 LTC are 250 litoshis, which nodes would not relay, so no fee is taken.
    let low = OperatorFee { basis_points: 1, script: payee(9).script };
    let rules = Rules { operator: Some(low), ..rules };
    let planned = plan(&coins[..1], &[payee(1)], RATE, &rules);
    assert_eq!(planned.plans[0].payouts[0].operator_fee, Amount::ZERO);
    assert_eq!(planned.plans[0].operator, None);
}

#[test]
fn a_given_fee_is_validated_like_any_other() {
    let coins = [coin(0, 1, amount("0.05")), coin(1, 2, amount("0.05"))];
    let with = |fee: &str, payees: &[Payee]| plan_with_fee(&coins, payees, amount(fee), &rules());
    let both = [payee(1), payee(2)];
    let plan = with("0.0001", &both).expect("a good plan");
    assert_eq!(plan.payouts[0].amount, amount("0.04995"));
    assert_eq!(with("0.0101", &both), Err((merchant(1), Waits::TooExpensive)));
    assert_eq!(with("0.0001", &both[..1]), Err((merchant(2), Waits::NoAddress)));
}

#[test]
fn an_overweight_sweep_is_split() {
    let coins: Vec<SweepCoin> = (0..4_000).map(|n| coin(n, 1, amount("0.01"))).collect();
    let planned = plan(&coins, &[payee(1)], RATE, &rules());
    assert_eq!(planned.plans.len(), 3);
    assert!(planned.plans.iter().all(|plan| plan.weight <= 400_000));
    assert_eq!(planned.plans.iter().map(|plan| plan.coins.len()).sum::<usize>(), 4_000);
}

#[test]
fn merchants_with_few_coins_are_swept_first_and_separately() {
    // The first merchant by id has the most coins; its last transaction would fit the others.
    let many = (0..2_000).map(|n| coin(n, 1, amount("0.01")));
    let few = [coin(5_000, 3, amount("0.01")), coin(5_001, 2, amount("0.01"))];
    let coins: Vec<SweepCoin> = many.chain(few).collect();
    let planned = plan(&coins, &[payee(1), payee(2), payee(3)], RATE, &rules());
    let merchants = |plan: &SweepPlan| -> Vec<MerchantId> { merchants_of(&plan.coins) };
    let found: Vec<_> = planned.plans.iter().map(merchants).collect();
    assert_eq!(found, [vec![merchant(2), merchant(3)], vec![merchant(1)], vec![merchant(1)]]);
}

#[test]
fn a_fee_bump_over_a_merchants_limit_spends_only_its_coins() {
    let mut coins: Vec<SweepCoin> = (0..20).map(|n| coin(n, 1, amount("0.00008"))).collect();
    coins.push(coin(20, 2, amount("0.5")));
    let rules = Rules { min_payout: Amount::ZERO, max_fee_percent: 10, operator: None };
    let planned = plan(&coins, &[payee(1), payee(2)], RATE, &rules);
    let [first] = &planned.plans[..] else { panic!("{planned:?}") };
    let fee = first.fee_at(2 * RATE);
    let again = |rules: &Rules| plan_again(&coins, &first.payouts, None, fee, rules);
    assert_eq!(again(&rules), Err((merchant(1), Waits::TooExpensive)));
    let bumped = again(&Rules { max_fee_percent: 100, ..rules }).expect("it has as much");
    let share_of = |plan: &SweepPlan, n| {
        let own = plan.payouts.iter().find(|payout| payout.merchant == merchant(n));
        own.expect("a line").fee_share.litoshis()
    };
    for n in [1, 2] {
        assert!(share_of(&bumped, n) <= 2 * share_of(first, n) + 1, "its own inputs' part");
    }
}

proptest! {
    #[test]
    fn no_coin_is_lost_duplicated_or_paid_to_another(
        sums in prop::collection::vec((1u64..100_000_000, 0u8..6, 0u32..120, 0..3usize), 0..60),
        rate in 1_000u64..1_000_000,
        min in 0u64..10_000_000,
        percent in 0u8..=100,
        basis_points in 0u16..=BASIS_POINTS_MAX,
    ) {
        let origins = [Origin::Plain, Origin::Pegout, Origin::Coinbase];
        let coins: Vec<SweepCoin> = (0u32..).zip(&sums).map(|(n, (sum, of, confirmations, kind))| SweepCoin {
            origin: origins[*kind],
            confirmations: *confirmations,
            ..coin(n, *of, Amount::from_litoshis(*sum).expect("in range"))
        }).collect();
        let payees: Vec<Payee> = (1..5).map(payee).collect();
        let min_payout = Amount::from_litoshis(min).expect("in range");
        let script = payee(9).script;
        let operator = (basis_points > 0).then_some(OperatorFee { basis_points, script });
        let rules = Rules { min_payout, max_fee_percent: percent, operator: operator.clone() };
        let planned = plan(&coins, &payees, rate, &rules);
        let mut all: Vec<OutPoint> = planned.waiting.iter().map(|(at, _)| *at).collect();
        for plan in &planned.plans {
            plan.assert_balanced();
            prop_assert!(plan.fee.litoshis() >= plan.weight / 4 * rate / 1000);
            prop_assert!(plan.operator.as_ref().is_none_or(|own| own.amount >= dust_limit(&own.script)));
            // Coins and fee determine the plan, in any order.
            let reversed: Vec<SweepCoin> = plan.coins.iter().rev().cloned().collect();
            let again = plan_with_fee(&reversed, &payees, plan.fee, &rules);
            prop_assert_eq!(again.as_ref(), Ok(plan));
            let operator = plan.operator.as_ref().map(|own| &own.script);
            let other = Rules { operator: None, ..rules.clone() };
            let again = plan_again(&reversed, &plan.payouts, operator, plan.fee, &other);
            prop_assert_eq!(again.as_ref(), Ok(plan), "whatever the operator takes by now");
            all.extend(plan.coins.iter().map(|c| c.outpoint));
            for coin in &plan.coins {
                prop_assert!(is_mature(coin.origin, coin.confirmations));
            }
            for payout in &plan.payouts {
                prop_assert!(payout.gross >= min_payout);
                prop_assert!(payout.amount >= dust_limit(&payout.script));
                prop_assert_eq!(&payout.script, &payees.iter().find(|p| p.merchant == payout.merchant).expect("a payee").script);
                prop_assert!(payout.fee_share.litoshis() * 100 <= payout.gross.litoshis() * u64::from(percent));
                let most = payout.gross.litoshis() * u64::from(basis_points) / 10_000;
                let taken = payout.operator_fee.litoshis();
                prop_assert!(taken == most || taken == 0 && plan.operator.is_none());
            }
        }
        all.sort_unstable();
        let mut expected: Vec<OutPoint> = coins.iter().map(|c| c.outpoint).collect();
        expected.sort_unstable();
        prop_assert_eq!(all, expected, "every coin is in one plan or waits, once");
    }
}

#[test]
fn the_payout_minimum_counts_coins_across_transactions() {
    // The coins that do not fit the first transaction are below the minimum.
    let coins: Vec<SweepCoin> = (0..1_500).map(|n| coin(n, 1, amount("0.0002"))).collect();
    let rules = Rules { min_payout: amount("0.1"), max_fee_percent: 10, operator: None };
    let planned = plan(&coins, &[payee(1)], RATE, &rules);
    assert_eq!(planned.waiting, []);
    assert_eq!(planned.plans.iter().map(|plan| plan.coins.len()).sum::<usize>(), 1_500);
    assert!(planned.plans.iter().any(|plan| plan.payouts[0].gross < rules.min_payout));
}

#[test]
fn splitting_keeps_each_merchant_whole_if_there_are_several() {
    #[track_caller]
    fn check(of: &[u8], expected: Option<[&[u8]; 2]>) {
        let coins: Vec<SweepCoin> =
            (0..).zip(of).map(|(n, of)| coin(n, *of, amount("1"))).collect();
        let merchants = |half: &Vec<SweepCoin>| -> Vec<MerchantId> {
            half.iter().map(|coin| coin.merchant).collect()
        };
        let found = halves(&coins).map(|halves| halves.map(|half| merchants(&half)));
        let named = |half: &[u8]| half.iter().map(|n| merchant(*n)).collect::<Vec<_>>();
        assert_eq!(found, expected.map(|halves| halves.map(named)));
    }
    check(&[], None);
    check(&[1], None);
    check(&[1, 1, 1], Some([&[1], &[1, 1]]));
    check(&[2, 1, 2, 2], Some([&[1], &[2, 2, 2]]));
    check(&[3, 1, 2, 1], Some([&[1, 1], &[2, 3]]));
}
