//! Tests of the sources' parsers: known forms, and responses that must not become a quote.

use super::exchange::{Ticker, Unreadable};
use super::{read_reference, read_ticker};
use crate::domain::fiat::Currency;
use crate::domain::rate::{Rate, Source};
use crate::domain::time::Timestamp;

const EUR: Currency = Currency::EUR;

fn rate(text: &str) -> Rate {
    Rate::parse(text).expect("a test uses rates in range")
}

/// Bid, ask and time of a ticker.
type Expected<'e> = Result<(&'e str, &'e str, Option<i64>), Unreadable>;

#[track_caller]
fn check(source: Source, body: &str, expected: Expected) {
    let expected = expected.map(|(bid, ask, ms)| Ticker {
        bid: rate(bid),
        ask: rate(ask),
        at: ms.map(Timestamp::from_ms),
    });
    assert_eq!(read_ticker(source, EUR, body), expected, "{body}");
}

fn other_pair() -> Unreadable {
    Unreadable::OtherPair("LTCEUR".to_owned())
}

/// What every source may send instead of its ticker.
const NO_TICKERS: [&str; 9] = [
    "",
    "null",
    "{}",
    "[]",
    "[[]]",
    "<!doctype html><title>Just a moment</title>",
    "{\"message\":\"NotFound\"}",
    "{\"error\":[],\"result\":{}}",
    "{\"bid\":\"80\"",
];

#[test]
fn no_source_reads_another_document_as_a_ticker() {
    for source in Source::EXCHANGES {
        for body in NO_TICKERS {
            check(source, body, Err(Unreadable::Form));
        }
    }
    assert!(read_ticker(Source::Ecb, EUR, "{}").is_err());
}

#[test]
fn krakens_ticker_is_read() {
    let kraken = |body: &str, expected: Expected| check(Source::Kraken, body, expected);
    let of = |pair: &str| {
        format!(
            r#"{{"error":[],"result":{{"{pair}":{{"a":["80.10000","1","1.000"],
            "b":["80.00000","12","12.000"],"c":["80.05000","0.5"],"o":"79.0"}}}}}}"#
        )
    };
    kraken(&of("XLTCZEUR"), Ok(("80", "80.1", None)));
    kraken(&of("LTCEUR"), Ok(("80", "80.1", None)));
    for other in ["XLTCZUSD", "LTCUSD", "EURLTC", "XXBTZEUR", "ltceur", ""] {
        kraken(&of(other), Err(other_pair()));
    }
    kraken(
        r#"{"error":["EQuery:Unknown asset pair"]}"#,
        Err(Unreadable::Reported("EQuery:Unknown asset pair".to_owned())),
    );
    let two = r#"{"error":[],"result":{"XLTCZEUR":{"a":["81"],"b":["80"]},
        "LTCEUR":{"a":["81"],"b":["80"]}}}"#;
    kraken(two, Err(Unreadable::Form));
    kraken(r#"{"error":[],"result":{"LTCEUR":{"a":[],"b":["80"]}}}"#, Err(Unreadable::Form));
    kraken(
        r#"{"error":[],"result":{"LTCEUR":{"a":["80"],"b":["80.1"]}}}"#,
        Err(Unreadable::Crossed),
    );
}

#[test]
fn coinbases_ticker_is_read() {
    let coinbase = |body: &str, expected: Expected| check(Source::Coinbase, body, expected);
    let of = |bid: &str, time: &str, more: &str| {
        format!(
            r#"{{"trade_id":1,"price":"80.05","size":"0.1","time":"{time}","bid":{bid},
            "ask":"80.10","volume":"9"{more}}}"#
        )
    };
    let time = "2023-11-14T22:13:20.123456Z";
    let ms = Some(1_700_000_000_123);
    coinbase(&of("\"80.00\"", time, ""), Ok(("80", "80.1", ms)));
    coinbase(&of("80.00", time, ""), Ok(("80", "80.1", ms)));
    coinbase(&of("\"80\"", time, r#","product_id":"LTC-EUR""#), Ok(("80", "80.1", ms)));
    coinbase(&of("\"80\"", time, r#","product_id":"LTC-USD""#), Err(other_pair()));
    coinbase(
        &of("\"80\"", "2023-11-14T23:13:20+01:00", ""),
        Ok(("80", "80.1", ms.map(|m| m - 123))),
    );
    for time in ["", "yesterday", "1700000000", "2023-13-14T22:13:20Z"] {
        coinbase(&of("\"80\"", time, ""), Err(Unreadable::Time));
    }
    for bid in ["\"\"", "\"NaN\"", "\"-80\"", "0", "null", "\"1e400\"", "\"80,00\"", "[80]"] {
        coinbase(&of(bid, time, ""), Err(Unreadable::Price));
    }
}

#[test]
fn bitstamps_ticker_is_read() {
    let bitstamp = |body: &str, expected: Expected| check(Source::Bitstamp, body, expected);
    let of = |timestamp: &str, more: &str| {
        format!(
            r#"{{"timestamp":{timestamp},"open":"79","bid":"80.00","ask":"80.10","side":"0"{more}}}"#
        )
    };
    let ms = Some(1_700_000_000_000);
    bitstamp(&of("\"1700000000\"", ""), Ok(("80", "80.1", ms)));
    bitstamp(&of("\"1700000000\"", r#","pair":"LTC/EUR""#), Ok(("80", "80.1", ms)));
    bitstamp(&of("\"1700000000\"", r#","pair":"EUR/LTC""#), Err(other_pair()));
    bitstamp(&of("\"today\"", ""), Err(Unreadable::Time));
    bitstamp(&of("null", ""), Err(Unreadable::Form));
}

#[test]
fn bitfinexs_ticker_is_read() {
    let bitfinex = |body: &str, expected: Expected| check(Source::Bitfinex, body, expected);
    bitfinex("[80.0,12.5,80.1,3,-0.2,-0.001,80.05,900,82,79]", Ok(("80", "80.1", None)));
    bitfinex("[8e1,12.5,80.10000000000001,3,0,0,80,9,82,79]", Ok(("80", "80.1", None)));
    bitfinex("[80.0,12.5,80.1,3]", Err(Unreadable::Form));
    bitfinex("[80.0,12.5,80.1,3,-0.2,-0.001,80.05,900,82,79,1]", Err(Unreadable::Form));
    bitfinex("[null,12.5,80.1,3,0,0,80,9,82,79]", Err(Unreadable::Price));
    bitfinex(
        "[\"error\",10020,\"symbol: invalid\"]",
        Err(Unreadable::Reported(r#"\"symbol: invalid\""#.to_owned())),
    );
}

fn document(cubes: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"
  xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><Cube>{cubes}</Cube></gesmes:Envelope>"#
    )
}

#[test]
fn the_ecbs_reference_rates_are_read() {
    let cubes = "<Cube time='2023-11-14'><Cube currency='USD' rate='1.0724'/>
        <Cube currency='JPY' rate='162.5'/><Cube currency='XAU' rate='1'/></Cube>";
    let received_at = Timestamp::from_ms(5);
    let reference = read_reference(&document(cubes), received_at).expect("of the known form");
    assert_eq!(reference.date, Timestamp::from_ms(1_699_920_000_000));
    assert_eq!(reference.received_at, received_at);
    let jpy = Currency::parse("JPY").expect("known");
    assert_eq!(reference.per_euro, [(Currency::USD, rate("1.0724")), (jpy, rate("162.5"))]);
}

#[test]
fn another_document_is_not_read_as_reference_rates() {
    #[track_caller]
    fn check(cubes: &str, expected: Unreadable) {
        let read = read_reference(&document(cubes), Timestamp::from_ms(5));
        assert_eq!(read, Err(expected), "{cubes}");
    }
    check("", Unreadable::Form);
    check("<Cube time='2023-11-14'/>", Unreadable::Form);
    check("<Cube currency='USD' rate='1'/>", Unreadable::Form);
    check("<Cube time='today'><Cube currency='USD' rate='1'/></Cube>", Unreadable::Time);
    check("<Cube time='2023-11-14'><Cube currency='USD' rate='-1'/></Cube>", Unreadable::Price);
    check("<Cube time='2023-11-14'><Cube currency='USD'/></Cube>", Unreadable::Form);
    let twice = "<Cube currency='USD' rate='1'/><Cube currency='USD' rate='2'/>";
    check(&format!("<Cube time='2023-11-14'>{twice}</Cube>"), Unreadable::Form);
    let days = "<Cube time='2023-11-14'><Cube currency='USD' rate='1'/></Cube>
        <Cube time='2023-11-13'><Cube currency='JPY' rate='1'/></Cube>";
    check(days, Unreadable::Form);
    // An entity stays text, which is no price.
    check("<Cube time='2023-11-14'><Cube currency='USD' rate='&x;'/></Cube>", Unreadable::Price);
    let with_entity = "<!DOCTYPE x [<!ENTITY x '1'>]><Cube time='2023-11-14'/>";
    assert_eq!(read_reference(with_entity, Timestamp::from_ms(5)), Err(Unreadable::Form));
    for body in ["", "<html><body>Bad gateway", "{}", "<Cube"] {
        assert_eq!(read_reference(body, Timestamp::from_ms(5)), Err(Unreadable::Form), "{body}");
    }
}
