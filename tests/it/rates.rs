//! Exchange rates: sources that misbehave, restarts without a network, and what operators see.

use std::time::Duration;

use serde_json::Value;

use crate::harness::exchanges::{Exchanges, Reply, today};
use crate::harness::gateway::Gateway;
use crate::harness::wait::{SOON, wait_for};

/// A stopped gateway and the exchanges that it asks.
fn start(price: &'static str) -> (Gateway, Exchanges) {
    let (gateway, exchanges) = (Gateway::offline(), Exchanges::start(price));
    exchanges.configure(&gateway);
    (gateway, exchanges)
}

/// The output of `litegate rates --json`, and its exit code.
fn rates(gateway: &Gateway) -> (Vec<Value>, i32) {
    let output = gateway.cli(&["rates", "--json"]);
    let printed = serde_json::from_str(&output.stdout);
    (printed.unwrap_or_else(|error| panic!("{error}: {output:?}")), output.code)
}

/// The entry of a source.
#[track_caller]
fn source<'r>(rate: &'r Value, name: &str) -> &'r Value {
    let sources = rate["sources"].as_array().unwrap();
    let found = sources.iter().find(|source| source["source"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {rate}"))
}

/// 1. Three exchanges quote 80, 80.4 and 80.8, and the fourth 80.2, while no gateway runs.
/// 2. `rates` asks them: their median is the rate, and each quote has age and deviation.
/// 3. `doctor` reports the same, and nothing is stored.
#[test]
fn rates_are_shown_while_no_gateway_runs() {
    let (gateway, exchanges) = start("80.00");
    exchanges.set("coinbase", Reply::Price("80.40"));
    exchanges.set("bitstamp", Reply::Price("80.80"));
    exchanges.set("bitfinex", Reply::Price("80.20"));
    let (rates, code) = rates(&gateway);
    assert_eq!((rates.len(), code), (1, 0), "{rates:?}");
    let rate = &rates[0];
    assert_eq!(rate["currency"], "EUR");
    assert_eq!(rate["rate"], "80.3");
    assert_eq!(rate["usable"], true);
    assert!(rate["at"].as_str().unwrap().ends_with('Z'), "{rate}");
    let kraken = source(rate, "kraken");
    assert_eq!(kraken["quote"], "80");
    assert_eq!(kraken["used"], true);
    assert_eq!(kraken["deviationPercent"].to_string(), "0.38");
    assert!(kraken["ageSeconds"].as_i64().unwrap() < 60, "{kraken}");
    assert_eq!(kraken.get("error"), None);
    let doctor = gateway.doctor();
    assert!(doctor.stdout.contains("rates: 1 LTC is 80.3 EUR, by 4 quotes"), "{doctor:?}");
    let text = gateway.cli_ok(&["rates"]).stdout;
    assert!(text.starts_with("EUR: 80.3\n"), "{text}");
}

/// 1. One exchange misbehaves in each way; the three others quote 80.
/// 2. The rate stays 80, the quote is not used, and the reason is shown.
#[test]
fn a_source_that_misbehaves_is_not_used() {
    let (gateway, exchanges) = start("80.00");
    let body = |text: &str| Reply::Body(text.to_owned());
    let page = body("<!doctype html><title>Just a moment</title>");
    for (name, reply, reason) in [
        ("kraken", Reply::Status(429), "HTTP 429"),
        ("kraken", Reply::Status(302), "HTTP 302"),
        ("coinbase", Reply::Status(503), "HTTP 503"),
        ("bitstamp", page.clone(), "unknown form"),
        ("bitfinex", page, "unknown form"),
        ("kraken", Reply::CutOff, "broke off"),
        ("bitfinex", Reply::SlowDrip, "in time"),
        ("coinbase", Reply::PriceAt("80.00", -121), "older than rates.max_age"),
        ("bitstamp", Reply::PriceAt("80.00", -3_600), "older than rates.max_age"),
        ("bitstamp", Reply::PriceAt("80.00", 3_600), "ahead of this machine's clock"),
        ("kraken", body(r#"{"error":[],"result":{"LTCEUR":{"price":"80"}}}"#), "unknown form"),
        ("kraken", body(r#"{"error":["EGeneral:Internal error"]}"#), "EGeneral:Internal error"),
        ("kraken", Reply::OtherPair("80.00"), "another pair"),
        ("bitstamp", Reply::OtherPair("80.00"), "another pair"),
        // In cents, and the price of one EUR in LTC.
        ("coinbase", Reply::Price("8000"), "too far from the median"),
        ("bitfinex", Reply::Price("0.0125"), "too far from the median"),
        ("bitfinex", Reply::Price("0"), "invalid price"),
        ("bitfinex", Reply::Price("-80"), "invalid price"),
        ("kraken", Reply::Price("81.61"), "too far from the median"),
        ("coinbase", Reply::Body("x".repeat(70_000)), "too large"),
    ] {
        exchanges.set(name, reply.clone());
        let (rates, code) = rates(&gateway);
        let rate = &rates[0];
        assert_eq!((&rate["rate"], code), (&Value::from("80"), 0), "{name} {reply:?}: {rate}");
        let entry = source(rate, name);
        assert_eq!(entry["used"], false, "{reply:?}: {entry}");
        let error = entry["error"].as_str().unwrap_or_default();
        assert!(error.contains(reason), "{name} {reply:?}: {entry}");
        exchanges.set(name, Reply::Price("80.00"));
    }
}

/// 1. Two of four exchanges quote 80, the others 90: no rate, and exit code 1.
/// 2. Too few quotes, and a certificate of another name: no rate either.
#[test]
fn no_rate_is_guessed() {
    let (gateway, exchanges) = start("80.00");
    exchanges.set("coinbase", Reply::Price("90.00"));
    exchanges.set("bitstamp", Reply::Price("90.00"));
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::Null, 1), "{found:?}");
    assert_eq!(found[0]["usable"], false);
    assert!(found[0]["reason"].as_str().unwrap().contains("disagree"), "{found:?}");
    gateway.cli_fails(&["rates"], 1, &["no usable rate for EUR"]);
    gateway.doctor_fails(&["rates", "no usable rate for EUR"]);
    for name in ["coinbase", "bitstamp", "bitfinex"] {
        exchanges.set(name, Reply::Status(500));
    }
    let (found, code) = rates(&gateway);
    assert!(found[0]["reason"].as_str().unwrap().contains("1 of 2"), "{found:?}");
    assert_eq!(code, 1);
    // The certificate names localhost.
    let (gateway, exchanges) = start("80.00");
    let by_number = exchanges.url().replace("localhost", "127.0.0.1");
    gateway.set("rates.base_urls.kraken", by_number);
    assert!(source(&rates(&gateway).0[0], "kraken")["error"].as_str().unwrap().contains("TLS"));
    gateway.unset("rates.ca_file");
    let (found, code) = rates(&gateway);
    assert_eq!(code, 1, "{found:?}");
    assert!(source(&found[0], "coinbase")["error"].as_str().unwrap().contains("TLS"));
}

/// 1. A running gateway stores the rates, and its metrics show them.
/// 2. The network is gone, and the gateway restarts: the stored quotes are used.
/// 3. After `max_age` there is no rate.
#[test]
fn stored_quotes_are_used_after_a_restart_until_max_age() {
    let (gateway, exchanges) = start("80.00");
    gateway.start();
    let usable = || gateway.metrics().contains("litegate_rate_usable_sources{currency=\"EUR\"} 4");
    wait_for("a stored rate", SOON, usable);
    let metrics = gateway.metrics();
    assert!(metrics.contains("litegate_rate_age_seconds{currency=\"EUR\"}"), "{metrics}");
    let deviation = "litegate_rate_deviation_basis_points{currency=\"EUR\",source=\"kraken\"} 0";
    assert!(metrics.contains(deviation), "{metrics}");
    assert!(rates(&gateway).1 == 0 && exchanges.requests().len() > 3);
    drop(exchanges);
    gateway.restart();
    gateway.await_log(&["warn", "exchange rate not received", "no connection"]);
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::from("80"), 0), "{found:?}");
    gateway.let_pass(Duration::from_secs(121));
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::Null, 1), "{found:?}");
    wait_for("no usable rate in the metrics", SOON, || {
        gateway.metrics().contains("litegate_rate_usable_sources{currency=\"EUR\"} 0")
    });
}

/// 1. No exchange quotes SEK, and the ECB gives 11 SEK for one EUR.
/// 2. Its rate is 11 times the rate in EUR, which need not be configured.
/// 3. Reference rates of last month are not used.
#[test]
fn a_currency_without_quotes_uses_the_reference() {
    let (gateway, exchanges) = start("80.00");
    let document = |date: &str| {
        format!(
            "<Envelope><Cube><Cube time='{date}'><Cube currency='SEK' rate='11.0'/></Cube></Cube>\
             </Envelope>"
        )
    };
    gateway.set("rates.currencies", vec!["SEK".to_owned()]);
    gateway.set("rates.reference", "ecb");
    exchanges.set("ecb", Reply::Body(document(&today())));
    exchanges.refuse_currency("SEK");
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::from("880"), 0), "{found:?}");
    assert_eq!(source(&found[0], "ecb")["used"], true);
    let doctor = gateway.doctor();
    assert!(doctor.stdout.contains("ok       rates: 1 LTC is 880 SEK"), "{doctor:?}");
    exchanges.set("ecb", Reply::Body(document("2020-01-02")));
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::Null, 1), "{found:?}");
}

/// On regtest, rates can be fixed; then no source is asked.
#[test]
fn fixed_rates_ask_no_source() {
    let (gateway, exchanges) = start("80.00");
    gateway.set_environment("LITEGATE_RATES__FIXED", "EUR=79.50");
    let (found, code) = rates(&gateway);
    assert_eq!((&found[0]["rate"], code), (&Value::from("79.5"), 0), "{found:?}");
    assert_eq!(source(&found[0], "fixed")["used"], true);
    assert_eq!(exchanges.requests(), Vec::<String>::new());
}

/// Without currencies there is nothing to show, and nothing is asked.
#[test]
fn no_source_is_asked_without_currencies() {
    let (gateway, exchanges) = start("80.00");
    gateway.set("rates.currencies", toml::Value::Array(Vec::new()));
    assert_eq!(rates(&gateway), (Vec::new(), 0));
    assert_eq!(exchanges.requests(), Vec::<String>::new());
}

/// All mistakes of `[rates]` are reported at once, each by its key.
#[test]
fn mistakes_of_the_rates_are_reported_at_once() {
    let gateway = Gateway::offline();
    let list = |names: &[&str]| -> toml::Value {
        names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>().into()
    };
    gateway.set("rates.currencies", list(&["EUR", "XAU", "eur"]));
    gateway.set("rates.sources", list(&["kraken", "binance", "kraken"]));
    gateway.set("rates.refresh", "500ms");
    gateway.set("rates.max_age", "soon");
    gateway.set("rates.max_deviation_percent", 51);
    gateway.set("rates.spread_percent", "0.005");
    gateway.set("rates.min_sources", 0);
    gateway.set("rates.reference", "fed");
    gateway.set("rates.reference_max_age", "x");
    gateway.set("rates.fixed.USD", "-1");
    gateway.set("rates.ca_file", "/no/such/file");
    gateway.set("rates.base_urls.kraken", "http://192.0.2.1");
    gateway.set("rates.base_urls.binance", "https://127.0.0.1");
    let words = [
        "rates.currencies has \"XAU\"",
        "rates.currencies has EUR twice",
        "rates.sources has \"binance\"",
        "rates.sources has kraken twice",
        "rates.refresh must be at least 1s",
        "rates.max_age",
        "rates.max_deviation_percent",
        "rates.spread_percent",
        "rates.min_sources",
        "rates.reference must be",
        "rates.reference_max_age",
        "rates.fixed.USD",
        "rates.ca_file",
        "rates.base_urls.kraken must begin with https://",
        "rates.base_urls.binance is an unknown source",
    ];
    gateway.cli_fails(&["check-config"], 2, &words);
    let gateway = Gateway::offline();
    gateway.set("rates.min_sources", 5);
    gateway.cli_fails(&["check-config"], 2, &["rates.min_sources is above the number"]);
    gateway.unset("rates.min_sources");
    gateway.set("rates.spread_percent", toml::Value::try_from(0.5).unwrap());
    gateway.set("rates.base_urls.kraken", "http://127.0.0.1:8443");
    gateway.cli_ok(&["check-config"]);
    gateway.set("rates.refresh", "3m");
    gateway.cli_fails(&["check-config"], 2, &["rates.max_age must be at least rates.refresh"]);
}

/// Off regtest, no rate is fixed and no source is asked without TLS.
#[test]
fn fixed_rates_and_plain_http_are_for_regtest() {
    let gateway = Gateway::offline();
    gateway.set("network", "main");
    gateway.set("rates.currencies", vec!["EUR".to_owned()]);
    gateway.set("rates.fixed.EUR", "80.00");
    gateway.set("rates.base_urls.kraken", "http://127.0.0.1:8443");
    let words = ["rates.fixed is for regtest only", "rates.base_urls.kraken must begin with https"];
    gateway.cli_fails(&["check-config"], 2, &words);
}
