//! Tests of currencies and amounts in them.

use super::{Currency, CurrencyError, FiatAmount, FiatError};
use proptest::prelude::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a test uses currencies of the list")
}

#[test]
fn only_currencies_with_minor_units_are_accepted() {
    #[track_caller]
    fn check(code: &str, expected: Option<(&str, u32)>) {
        let found = Currency::parse(code).ok();
        assert_eq!(found.map(|c| (c.code(), c.decimals())), expected, "{code}");
    }
    check("EUR", Some(("EUR", 2)));
    check("eur", Some(("EUR", 2)));
    check("uSd", Some(("USD", 2)));
    check("JPY", Some(("JPY", 0)));
    check("KWD", Some(("KWD", 3)));
    for code in [
        "XAU", "XTS", "XXX", "XDR", "CLF", "UYW", "CHE", "LTC", "BTC", "", "EU", "EURO", "€", "ÄÖÜ",
    ] {
        check(code, None);
    }
    assert_eq!(Currency::parse("LTC"), Err(CurrencyError));
}

#[test]
fn fiat_strings_must_be_exact_to_the_currency() {
    #[track_caller]
    fn check(code: &str, text: &str, expected: Result<u64, FiatError>) {
        let found = FiatAmount::parse(text, currency(code));
        assert_eq!(found.map(FiatAmount::minor), expected, "{text} {code}");
    }
    let eur = Currency::EUR;
    check("EUR", "4.99", Ok(499));
    check("EUR", "4.990", Ok(499));
    check("EUR", "5", Ok(500));
    check("EUR", "0.01", Ok(1));
    check("EUR", "499e-2", Ok(499));
    check("EUR", "4.999", Err(FiatError::TooPrecise(eur)));
    check("EUR", "0.001", Err(FiatError::TooPrecise(eur)));
    check("EUR", "0", Err(FiatError::Zero(eur)));
    check("EUR", "0.00", Err(FiatError::Zero(eur)));
    check("EUR", "-1", Err(FiatError::Negative));
    check("EUR", "4,99", Err(FiatError::NotANumber));
    check("EUR", "€5", Err(FiatError::NotANumber));
    check("EUR", "10000000000.00", Ok(FiatAmount::MINOR_MAX));
    check("EUR", "10000000000.01", Err(FiatError::TooLarge(eur)));
    check("EUR", "1e400", Err(FiatError::TooLarge(eur)));
    check("EUR", "99999999999999999999999", Err(FiatError::TooLarge(eur)));
    check("JPY", "500", Ok(500));
    check("JPY", "500.5", Err(FiatError::TooPrecise(currency("JPY"))));
    check("KWD", "1.234", Ok(1_234));
}

#[test]
fn fiat_numbers_are_rounded_half_up() {
    #[track_caller]
    fn check(code: &str, text: &str, expected: Result<u64, FiatError>) {
        let found = FiatAmount::parse_json_number(text, currency(code));
        assert_eq!(found.map(FiatAmount::minor), expected, "{text} {code}");
    }
    let eur = Currency::EUR;
    check("EUR", "4.99", Ok(499));
    check("EUR", "4.994999", Ok(499));
    check("EUR", "4.995", Ok(500));
    check("EUR", "1.005", Ok(101));
    check("EUR", "4.989999999999999", Ok(499));
    check("EUR", "5e-3", Ok(1));
    check("EUR", "4e-3", Err(FiatError::Zero(eur)));
    check("EUR", "1e3", Ok(100_000));
    check("EUR", "10000000000.004", Ok(FiatAmount::MINOR_MAX));
    check("EUR", "10000000000.005", Err(FiatError::TooLarge(eur)));
    check("JPY", "499.5", Ok(500));
    check("KWD", "1.2345", Ok(1_235));
}

#[test]
fn fiat_amounts_print_all_decimals_of_the_currency() {
    #[track_caller]
    fn check(code: &str, minor: u64, expected: &str) {
        let amount = FiatAmount::from_minor(minor, currency(code)).expect("in range");
        assert_eq!(amount.to_string(), expected);
    }
    check("EUR", 499, "4.99");
    check("EUR", 500, "5.00");
    check("EUR", 5, "0.05");
    check("JPY", 500, "500");
    check("KWD", 1_234, "1.234");
    let too_large = FiatError::TooLarge(Currency::EUR).to_string();
    assert_eq!(too_large, "must not be above 10000000000.00 EUR");
}

proptest! {
    #[test]
    fn fiat_amounts_round_trip_as_text(
        minor in 1..=FiatAmount::MINOR_MAX,
        code in prop::sample::select(vec!["EUR", "JPY", "KWD"]),
    ) {
        let amount = FiatAmount::from_minor(minor, currency(code)).expect("in range");
        prop_assert_eq!(FiatAmount::parse(&amount.to_string(), currency(code)), Ok(amount));
        prop_assert_eq!(FiatAmount::parse_json_number(&amount.to_string(), currency(code)), Ok(amount));
    }

    #[test]
    fn no_input_makes_the_fiat_parsers_panic(text in ".{0,80}") {
        let _ = FiatAmount::parse(&text, Currency::EUR);
        let _ = FiatAmount::parse_json_number(&text, Currency::EUR);
        let _ = Currency::parse(&text);
    }
}
