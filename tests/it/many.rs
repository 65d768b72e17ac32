//! Sweeps of a thousand coins and more: as few transactions as the standard weight allows, of
//! minimal size.

use crate::harness::json::litoshis;
use crate::harness::many::Many;
use crate::harness::random::setting;

/// The heaviest transaction that nodes relay.
const WEIGHT_STANDARD: u64 = 400_000;

#[track_caller]
fn check(coins: usize, merchants: usize, transactions: usize) {
    let Some(mut many) = Many::of(merchants) else { return };
    let swept = many.sweep(coins, merchants);
    println!(
        "{coins} coins of {merchants} merchants: planned, signed and taken by the node in {} ms, \
         {} vbytes of at least {}, {:?}",
        swept.took.as_millis(),
        swept.vbytes(),
        swept.vbytes_min(),
        swept.sent,
    );
    assert_eq!(swept.sent.len(), transactions);
    assert!(swept.sent.iter().all(|sent| sent.weight <= WEIGHT_STANDARD), "{swept:?}");
    assert!(swept.is_within(10), "more than 1 % too large: {swept:?}");
    let audit = many.gateway.cli_json(&["audit"]);
    let held: u64 = many.shops.iter().map(|s| many.node.balance_of(&s.payout_address)).sum();
    assert_eq!(held, litoshis(audit.raw("paidLtc")));
    assert_eq!(audit.raw("unsweptLtc"), "0");
    assert!(many.is_up());
}

#[test]
#[ignore = "long"]
fn a_thousand_coins_are_swept_in_one_transaction() {
    let coins = usize::try_from(setting("SWEEP_COINS", 1_000)).unwrap();
    check(coins, 4, coins.div_ceil(1_450));
}

/// 1. Give one merchant thousands of coins and another a single coin.
/// 2. The first sweep pays the single coin and none of the other merchant's.
#[test]
#[ignore = "long"]
fn a_single_coin_does_not_wait_for_a_large_sweep() {
    let coins = usize::try_from(setting("SWEEP_COINS", 1_500)).unwrap();
    let Some(mut many) = Many::of(2) else { return };
    let one = many.shops[1].create("0.05");
    many.node.send(&one.address, "0.05");
    let swept = many.sweep(coins, 1);
    let [ref few, ref other @ ..] = swept.sent[..] else { panic!("no sweep") };
    println!(
        "one coin is taken after {} ms, all {coins} others after {} ms",
        few.after.as_millis(),
        swept.took.as_millis()
    );
    assert_eq!(few.inputs, 1, "{swept:?}");
    assert!(other.iter().all(|sent| sent.after >= few.after), "{swept:?}");
    assert!(many.is_up());
}

#[test]
#[ignore = "long"]
fn a_sweep_over_the_standard_weight_is_sent_in_two() {
    check(1_500, 1, 2);
}
