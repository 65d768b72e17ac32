//! Tests of rates, of the rate rule and of reference rates.

use super::rule::CLOCK_SKEW_MS;
use super::{
    Decided, NoRateReason, Percent, Quote, Rate, RateError, Reference, Rules, Source, Verdict,
    by_reference, decide,
};
use crate::domain::amount::Amount;
use crate::domain::fiat::{Currency, FiatAmount};
use crate::domain::time::{DAY_MS, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);
const SOURCES: [Source; 6] = [
    Source::Kraken,
    Source::Coinbase,
    Source::Bitstamp,
    Source::Bitfinex,
    Source::Ecb,
    Source::Fixed,
];

fn rate(text: &str) -> Rate {
    Rate::parse(text).expect("a test uses rates in range")
}

fn rules() -> Rules {
    Rules {
        max_age_ms: 120_000,
        max_deviation: Percent::from_hundredths(200),
        min_sources: 2,
        spread: Percent::default(),
    }
}

fn quote(source: Source, text: &str) -> Quote {
    Quote { source, currency: Currency::EUR, rate: rate(text), received_at: NOW, exchange_at: None }
}

/// Quotes of different sources, received now.
fn quotes(texts: &[&str]) -> Vec<Quote> {
    SOURCES.into_iter().zip(texts).map(|(source, text)| quote(source, text)).collect()
}

#[test]
fn rates_are_parsed_exactly_and_print_canonically() {
    #[track_caller]
    fn check(text: &str, expected: Result<&str, RateError>) {
        let found = Rate::parse(text).map(|rate| rate.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }
    check("80.25", Ok("80.25"));
    check("80.00", Ok("80"));
    check("8e1", Ok("80"));
    check("1e9", Ok("1000000000"));
    check("1000000000", Ok("1000000000"));
    check("0.000001", Ok("0.000001"));
    check("0.00000123456789012", Ok("0.00000123456789012"));
    check("123456.789012", Ok("123456.789012"));
    check("123456.7890123", Err(RateError::TooPrecise));
    check("1000000000.01", Err(RateError::OutOfRange));
    check("1000000000.000000000000001", Err(RateError::OutOfRange));
    check("0.0000009", Err(RateError::OutOfRange));
    check("0", Err(RateError::OutOfRange));
    check("0e5", Err(RateError::OutOfRange));
    check("-80", Err(RateError::OutOfRange));
    check("1e400", Err(RateError::OutOfRange));
    check("1e-400", Err(RateError::OutOfRange));
    check("NaN", Err(RateError::NotANumber));
    check("80,25", Err(RateError::NotANumber));
    check("", Err(RateError::NotANumber));
    assert_eq!(Rate::parse_rounded("80.1234567890999"), Ok(rate("80.123456789")));
    assert_eq!(rate("80").mean(rate("81")), rate("80.5"));
    assert_eq!(rate("80.1234567891").mean(rate("80.1234567892")), rate("80.1234567891"));
}

#[test]
fn a_price_in_litecoin_is_rounded_up() {
    #[track_caller]
    fn check(price: &str, currency: &str, at: &str, litoshis: Option<u64>) {
        let currency = Currency::parse(currency).expect("known");
        let price = FiatAmount::parse(price, currency).expect("in range");
        assert_eq!(rate(at).ltc_for(price).map(Amount::litoshis), litoshis, "{price} at {at}");
    }
    check("80", "EUR", "80.00", Some(100_000_000));
    check("4.99", "EUR", "80", Some(6_237_500));
    check("0.01", "EUR", "80", Some(12_500));
    check("1", "EUR", "3", Some(33_333_334));
    check("1", "EUR", "79.99999999", Some(1_250_001));
    check("500", "JPY", "12000", Some(4_166_667));
    check("1.001", "KWD", "25", Some(4_004_000));
    check("10000000000", "EUR", "1000000000", Some(1_000_000_000));
    check("10000000000", "EUR", "80", None);
    check("0.01", "EUR", "1000000000", Some(1));
    check("1000000000000", "JPY", "1000000000", Some(100_000_000_000));
}

#[test]
fn the_rate_is_the_median_of_the_quotes_that_agree() {
    #[track_caller]
    fn check(texts: &[&str], expected: Result<&str, NoRateReason>) {
        let found = decide(&rules(), &quotes(texts), NOW);
        let found = found.map(|d| d.rate.to_string()).map_err(|none| none.reason);
        assert_eq!(found, expected.map(str::to_owned), "{texts:?}");
    }
    check(&["80", "81"], Ok("80.5"));
    check(&["80", "81", "80.2"], Ok("80.2"));
    check(&["80", "81", "80.2", "100"], Ok("80.2"));
    check(&["80", "81", "80.2", "80.4"], Ok("80.3"));
    check(&["100", "98", "102"], Ok("100"));
    check(&["100", "98", "102.0000001"], Ok("99"));
    check(
        &["100", "97.9999999", "102.0000001"],
        Err(NoRateReason::Disagree { agree: 1, fresh: 3 }),
    );
    check(&["80"], Err(NoRateReason::TooFew { fresh: 1, needed: 2 }));
    check(&[], Err(NoRateReason::TooFew { fresh: 0, needed: 2 }));
    // Two pairs: the median is near none of them.
    check(&["80", "80", "100", "100"], Err(NoRateReason::Disagree { agree: 0, fresh: 4 }));
    // Half of the fresh quotes are not more than half.
    let disagree = NoRateReason::Disagree { agree: 2, fresh: 4 };
    check(&["100", "100", "90", "110"], Err(disagree));
    check(&["80", "1000000000"], Err(NoRateReason::Disagree { agree: 0, fresh: 2 }));
}

#[test]
fn a_spread_lowers_the_rate() {
    let rules = Rules { spread: Percent::from_hundredths(125), ..rules() };
    let decided = decide(&rules, &quotes(&["80", "80"]), NOW).expect("usable");
    assert_eq!(decided.rate, rate("79"));
    let none = Rules { spread: Percent::from_hundredths(10_000), ..rules };
    let none = decide(&none, &quotes(&["80", "80"]), NOW).expect_err("zero is no rate");
    assert_eq!(none.reason, NoRateReason::OutOfRange);
}

#[test]
fn a_stale_or_future_quote_is_not_used() {
    #[track_caller]
    fn check(received_ms: i64, exchange_ms: Option<i64>, expected: Verdict) {
        let mut all = quotes(&["80", "80.2", "80.4"]);
        all[2].received_at = NOW.plus_ms(received_ms);
        all[2].exchange_at = exchange_ms.map(|ms| NOW.plus_ms(ms));
        let decided = decide(&rules(), &all, NOW).expect("two are fresh");
        assert_eq!(decided.verdicts[2].verdict, expected);
        assert_eq!(decided.sources.len(), if expected == Verdict::Used { 3 } else { 2 });
    }
    check(0, None, Verdict::Used);
    check(-120_000, None, Verdict::Used);
    check(-120_001, None, Verdict::Stale);
    check(0, Some(-120_000), Verdict::Used);
    check(0, Some(-120_001), Verdict::Stale);
    check(-120_001, Some(0), Verdict::Stale);
    check(0, Some(CLOCK_SKEW_MS), Verdict::Used);
    check(0, Some(CLOCK_SKEW_MS + 1), Verdict::Future);
    check(CLOCK_SKEW_MS + 1, None, Verdict::Future);
    check(0, Some(i64::MAX), Verdict::Future);
    check(i64::MIN, Some(i64::MIN), Verdict::Stale);
}

#[test]
fn each_verdict_has_age_and_deviation() {
    let mut all = quotes(&["100", "101", "99", "150"]);
    all[0].received_at = NOW.plus_ms(-30_000);
    let decided = decide(&rules(), &all, NOW).expect("three agree");
    assert_eq!((decided.rate, decided.at), (rate("100"), NOW.plus_ms(-30_000)));
    let found: Vec<_> = decided
        .verdicts
        .iter()
        .map(|v| (v.age_ms, v.deviation.map(Percent::hundredths), v.verdict))
        .collect();
    assert_eq!(
        found,
        [
            (30_000, Some(50), Verdict::Used),
            (0, Some(50), Verdict::Used),
            (0, Some(149 + 1), Verdict::Used),
            (0, Some(4_926), Verdict::Deviates),
        ]
    );
}

#[test]
fn a_source_has_one_vote() {
    let mut all = quotes(&["80", "90"]);
    all.push(Quote { received_at: NOW.plus_ms(-1), ..quote(Source::Kraken, "90") });
    all.push(quote(Source::Coinbase, "90"));
    let none = decide(&rules(), &all, NOW).expect_err("one against one");
    assert_eq!(none.reason, NoRateReason::Disagree { agree: 0, fresh: 2 });
    assert_eq!(none.verdicts.len(), 2);
}

fn reference(days_old: i64) -> Reference {
    let per_euro = [("USD", "1.0832"), ("SEK", "11.5"), ("CHF", "0.9")];
    Reference {
        date: NOW.plus_ms(-days_old * DAY_MS),
        received_at: NOW,
        per_euro: per_euro.map(|(c, r)| (Currency::parse(c).expect("known"), rate(r))).to_vec(),
    }
}

#[test]
fn a_reference_multiplies_the_rate_of_its_base() {
    let base = decide(&rules(), &quotes(&["80", "80"]), NOW).expect("usable");
    let through = |base_currency, code, days_old| -> Option<Decided> {
        let currency = Currency::parse(code).expect("known");
        by_reference((base_currency, &base), &reference(days_old), currency, 5 * DAY_MS, NOW)
    };
    let sek = through(Currency::EUR, "SEK", 1).expect("listed");
    assert_eq!(sek.rate, rate("920"));
    assert_eq!(sek.sources, [Source::Kraken, Source::Coinbase, Source::Ecb]);
    let sek = through(Currency::USD, "SEK", 5).expect("listed");
    assert_eq!(sek.rate, rate("849.335302806"));
    assert_eq!(through(Currency::USD, "EUR", 1).map(|d| d.rate), Some(rate("73.8552437223")));
    assert_eq!(through(Currency::EUR, "JPY", 1), None);
    assert_eq!(through(Currency::EUR, "SEK", 6), None);
    assert_eq!(through(Currency::EUR, "SEK", -1), None);
}

#[test]
fn percentages_have_two_decimals() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let found = Percent::parse(text).map(|percent| percent.to_string());
        assert_eq!(found.as_deref(), expected, "{text}");
    }
    check("2", Some("2"));
    check("0.25", Some("0.25"));
    check("0", Some("0"));
    check("0.255", None);
    check("-1", None);
    check("2%", None);
}

/// A quote that nobody vouches for: any rate, any age.
fn any_quote() -> impl Strategy<Value = (String, i64, Option<i64>)> {
    let rates = prop_oneof![
        Just("0.0125".to_owned()),
        Just("1000000000".to_owned()),
        Just("0.000001".to_owned()),
        (1u64..100_000_000_000).prop_map(|n| format!("{}.{:06}", n / 1_000_000, n % 1_000_000)),
        (7_000u64..9_000).prop_map(|n| format!("{}.{:02}", n / 100, n % 100)),
    ];
    let times = -400_000i64..50_000;
    (rates, times.clone(), prop::option::of(times))
}

proptest! {
    #[test]
    fn a_majority_of_honest_quotes_bounds_the_rate(
        lowest in 5_000_000u64..500_000_000,
        shares in prop::collection::vec(0u64..=200, 1..=5),
        others in prop::collection::vec(any_quote(), 0..=4),
    ) {
        // Each honest quote is at most 2 % above the lowest, so they agree with each other.
        let honest: Vec<Rate> = shares
            .iter()
            .map(|share| lowest + lowest * share / 10_000)
            .map(|n| rate(&format!("{}.{:05}", n / 100_000, n % 100_000)))
            .collect();
        let others: Vec<_> = others.into_iter().take(honest.len() - 1).collect();
        let mut all: Vec<Quote> = Vec::new();
        let mut sources = SOURCES.into_iter().chain(SOURCES);
        for honest in &honest {
            let source = sources.next().expect("enough");
            all.push(Quote { rate: *honest, ..quote(source, "1") });
        }
        for (text, received_ms, exchange_ms) in others {
            let Ok(rate) = Rate::parse_rounded(&text) else { continue };
            let source = sources.next().expect("enough");
            if all.iter().any(|quote| quote.source == source) {
                continue;
            }
            all.push(Quote {
                rate,
                received_at: NOW.plus_ms(received_ms),
                exchange_at: exchange_ms.map(|ms| NOW.plus_ms(ms)),
                ..quote(source, "1")
            });
        }
        let (least, most) = (honest.iter().min().expect("some"), honest.iter().max().expect("some"));
        match decide(&rules(), &all, NOW) {
            Ok(decided) => prop_assert!((least..=most).contains(&&decided.rate), "{decided:?}"),
            Err(none) => prop_assert!(honest.len() < 2, "{none:?}"),
        }
    }

    #[test]
    fn no_quotes_make_the_rule_panic(
        others in prop::collection::vec(any_quote(), 0..=6),
        spread in 0u64..=10_000,
        deviation in 0u64..=10_000,
    ) {
        let rules = Rules {
            spread: Percent::from_hundredths(spread),
            max_deviation: Percent::from_hundredths(deviation),
            ..rules()
        };
        let quotes: Vec<Quote> = SOURCES
            .into_iter()
            .zip(others)
            .filter_map(|(source, (text, received_ms, exchange_ms))| {
                Some(Quote {
                    source,
                    currency: Currency::EUR,
                    rate: Rate::parse_rounded(&text).ok()?,
                    received_at: NOW.plus_ms(received_ms),
                    exchange_at: exchange_ms.map(|ms| NOW.plus_ms(ms)),
                })
            })
            .collect();
        if let Ok(decided) = decide(&rules, &quotes, NOW) {
            prop_assert!(decided.sources.len() >= rules.min_sources);
        }
    }

    #[test]
    fn the_shop_loses_at_most_one_litoshi(
        minor in 1..=FiatAmount::MINOR_MAX,
        code in prop::sample::select(vec!["EUR", "JPY", "KWD"]),
        digits in 1u64..1_000_000_000_000,
        zeros in 0u32..9,
    ) {
        let currency = Currency::parse(code).expect("known");
        let price = FiatAmount::from_minor(minor, currency).expect("in range");
        let Ok(rate) = Rate::parse_rounded(&format!("{digits}e-{zeros}")) else { return Ok(()) };
        let Some(ltc) = rate.ltc_for(price) else { return Ok(()) };
        let decimal = price.to_string().parse::<rust_decimal::Decimal>().expect("a decimal");
        // Never less than the price, and less than it with one litoshi less.
        prop_assert!(rate.value_of(ltc) >= decimal);
        let one = Amount::from_litoshis(1).expect("in range");
        prop_assert!(rate.value_of(ltc.saturating_sub(one)) < decimal);
    }

    #[test]
    fn values_are_exact_for_every_amount_and_rate(
        litoshis in 0..=Amount::MAX.litoshis(),
        digits in 1u64..1_000_000_000_000,
        zeros in 0u32..18,
    ) {
        let Ok(rate) = Rate::parse(&format!("{digits}e-{zeros}")) else { return Ok(()) };
        let value = rate.value_of(Amount::from_litoshis(litoshis).expect("in range"));
        // The same product in integers, in units of 10^-26.
        let expected = u128::from(litoshis) * u128::from(digits);
        let scale = zeros + 8;
        let shift = scale - value.scale().min(scale);
        prop_assert!(value.scale() <= scale);
        prop_assert_eq!(value.mantissa().unsigned_abs() * 10u128.pow(shift), expected);
        prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
    }
}
