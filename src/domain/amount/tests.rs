//! Tests of parsing, printing and splitting amounts.

use super::{Amount, AmountError};
use proptest::prelude::*;

fn litoshis(n: u64) -> Amount {
    Amount::from_litoshis(n).expect("a test uses amounts in range")
}

#[test]
fn json_numbers_are_read_digit_by_digit() {
    #[track_caller]
    fn check(text: &str, expected: Result<u64, AmountError>) {
        assert_eq!(Amount::parse_json_number(text).map(Amount::litoshis), expected, "{text}");
    }
    check("0.05", Ok(5_000_000));
    check("0.1", Ok(10_000_000));
    check("1e-8", Ok(1));
    check("5e-05", Ok(5_000));
    check("5E-5", Ok(5_000));
    check("1.5e+2", Ok(15_000_000_000));
    check("0.29", Ok(29_000_000));
    check("0.07", Ok(7_000_000));
    check("20999999.99999999", Ok(2_099_999_999_999_999));
    check("83999999.99999998", Ok(8_399_999_999_999_998));
    check("84000000", Ok(8_400_000_000_000_000));
    check("0.050000000", Ok(5_000_000));
    check("0.30000000000000004", Ok(30_000_000));
    check("0.000000005", Ok(1));
    check("0.0000000049999", Ok(0));
    check("0.00000000499", Ok(0));
    check("1e-9", Ok(0));
    check("5e-9", Ok(1));
    check("9e-10", Ok(0));
    check("0", Ok(0));
    check("0e999999999999", Ok(0));
    check("1e-400", Ok(0));
    check("84000000.000000004", Ok(8_400_000_000_000_000));
    check("84000000.000000005", Err(AmountError::TooLarge));
    check("84000000.00000001", Err(AmountError::TooLarge));
    check("1e400", Err(AmountError::TooLarge));
    check("1e99999999999999999999", Err(AmountError::TooLarge));
    check("-1", Err(AmountError::Negative));
    check("-0", Err(AmountError::Negative));
    for text in
        ["", "-", ".5", "5.", "01", "0x10", " 0.05", "0.05 ", "1e", "1e+", "NaN", "1_0", "+1", "١"]
    {
        check(text, Err(AmountError::NotANumber));
    }
    check(&format!("0.{}", "1".repeat(900)), Ok(11_111_111));
    check(&format!("0.05{}", "0".repeat(900)), Ok(5_000_000));
    check(&"1".repeat(900), Err(AmountError::TooLarge));
    check(&"1".repeat(1_025), Err(AmountError::NotANumber));
}

#[test]
fn amount_strings_are_parsed_strictly() {
    assert_eq!(Amount::parse("0.05"), Ok(litoshis(5_000_000)));
    assert_eq!(Amount::parse("5e-05"), Ok(litoshis(5_000)));
    assert_eq!(Amount::parse("0.123456789"), Err(AmountError::TooPrecise));
    assert_eq!(Amount::parse("0.050000000"), Ok(litoshis(5_000_000)));
    assert_eq!(Amount::parse("1e-9"), Err(AmountError::TooPrecise));
}

#[test]
fn amounts_print_as_plain_decimals() {
    #[track_caller]
    fn check(n: u64, expected: &str) {
        assert_eq!(litoshis(n).to_string(), expected);
    }
    check(0, "0");
    check(1, "0.00000001");
    check(5_000_000, "0.05");
    check(100_000_000, "1");
    check(1_000_000_000, "10");
    check(2_099_999_999_999_999, "20999999.99999999");
}

proptest! {
    #[test]
    fn amounts_round_trip_as_text(n in 0..=Amount::MAX.litoshis()) {
        let amount = litoshis(n);
        prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        prop_assert_eq!(Amount::parse_json_number(&amount.to_string()), Ok(amount));
    }

    #[test]
    fn no_input_makes_the_amount_parser_panic(text in ".{0,80}") {
        let _ = Amount::parse(&text);
        let _ = Amount::parse_json_number(&text);
    }

    #[test]
    fn split_amounts_sum_to_the_whole(
        n in 0..=Amount::MAX.litoshis(),
        weights in prop::collection::vec(0u64..1_000_000, 1..50),
    ) {
        prop_assume!(weights.iter().any(|w| *w > 0));
        let parts = litoshis(n).split(&weights);
        prop_assert_eq!(parts.iter().map(|p| p.litoshis()).sum::<u64>(), n);
        for (part, weight) in parts.iter().zip(&weights) {
            prop_assert!(*weight > 0 || part.is_zero());
        }
    }
}
