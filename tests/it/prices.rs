//! Payments priced in another currency.

use crate::harness::exchanges::{Exchanges, Reply};
use crate::harness::gateway::Gateway;
use crate::harness::json::{Fields, litoshis};
use crate::harness::receiver::Receiver;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// EUR at 80, without asking anyone.
fn fixed(gateway: &Gateway) {
    gateway.set("rates.currencies", vec!["EUR", "JPY", "KWD"]);
    let table = |entries: &[(&str, &str)]| {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).into()));
        toml::Value::Table(entries.collect())
    };
    gateway.set("rates.fixed", table(&[("EUR", "80.00"), ("JPY", "13000"), ("KWD", "25.1")]));
}

#[track_caller]
fn refused(shop: &Shop, body: &str, status: u16, code: &str, param: &str) -> Fields {
    let answer = shop.post(body, &[]);
    assert_eq!(answer.status, status, "{body}: {}", answer.body);
    let error = Fields::of(&answer.body).object("error");
    assert_eq!(error.text("code"), code, "{body}");
    if !param.is_empty() {
        assert_eq!(error.text("param"), param, "{body}: {}", answer.body);
    }
    error
}

/// 1. Create a payment of 4.99 EUR at 80 EUR for one LTC.
/// 2. The response, the status, the list and the webhook have price and rate; the amount in LTC
///    is rounded up.
/// 3. The checkout shows the price as the shopper's language writes it.
#[test]
fn a_price_in_euros_is_frozen_with_its_rate() {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(fixed) else { return };
    let receiver = Receiver::start();
    let url = receiver.url("/hook");
    let body = format!(r#"{{"amount": "4.99", "currency": "eur", "webhookUrl": "{url}"}}"#);
    let payment = shop.create_with(&body);
    let is_priced = |fields: &Fields| {
        assert_eq!(fields.raw("amountLtc"), "0.062375");
        assert_eq!(fields.text("amount"), "4.99");
        assert_eq!(fields.text("currency"), "EUR");
        assert_eq!(fields.text("rate"), "80");
        assert_eq!(fields.texts("rateSources"), ["fixed"]);
        assert!(fields.text("rateAt").ends_with('Z'));
    };
    is_priced(&payment.fields);
    is_priced(&shop.status(&payment.id));
    let list = gateway.request("GET", "/api/payments", &[("x-api-key", &shop.api_key)], "");
    is_priced(&Fields::of(&list.body).objects("data")[0]);
    let german = [("accept-language", "de")];
    let page = gateway.request("GET", &format!("/pay/{}", payment.id), &german, "").body;
    assert!(page.contains("4,99\u{a0}€</bdi> = <bdi>0.062375\u{a0}LTC"), "{page}");
    node.send(&payment.address, "0.062375");
    node.mine(2);
    let hit = receiver.await_hit_for(&payment.id, SOON).fields();
    is_priced(&hit);
    assert_eq!(hit.text("event"), "completed");
    // Paid: the rate no longer matters.
    let page = gateway.request("GET", &format!("/pay/{}", payment.id), &german, "").body;
    assert!(page.contains("4,99\u{a0}€") && !page.contains("Der Kurs gilt"), "{page}");
}

/// 1. The operator creates a payment in euros by the command.
/// 2. Currencies without and with three decimals are exact.
#[test]
fn each_currency_has_its_decimals() {
    let Some(TestEnv { gateway, shop, .. }) = TestEnv::shared_with(fixed) else { return };
    let arguments = ["payment", "create", "--merchant", &shop.merchant_id, "--amount"];
    let created = gateway.cli_json(&[&arguments[..], &["4.99", "--currency", "EUR"]].concat());
    assert_eq!((created.raw("amountLtc"), created.text("amount")), ("0.062375", "4.99".into()));
    let created = gateway.cli_json(&[&arguments[..], &["0.05", "--currency", "LTC"]].concat());
    assert_eq!((created.raw("amountLtc"), created.has("rate")), ("0.05", false));
    for (amount, currency, ltc, printed) in [
        ("650", "JPY", "0.05", "650"),
        ("1.255", "KWD", "0.05", "1.255"),
        ("\"1.255\"", "KWD", "0.05", "1.255"),
        ("4", "EUR", "0.05", "4.00"),
        ("4.994", "EUR", "0.062375", "4.99"),
        ("4.995", "EUR", "0.0625", "5.00"),
        ("499e-2", "EUR", "0.062375", "4.99"),
        // Rounded up to the litoshi.
        ("0.10", "EUR", "0.00125", "0.10"),
        ("700", "JPY", "0.05384616", "700"),
    ] {
        let created =
            shop.create_with(&format!(r#"{{"amount": {amount}, "currency": "{currency}"}}"#));
        assert_eq!(created.fields.raw("amountLtc"), ltc, "{amount} {currency}");
        assert_eq!(created.fields.text("amount"), printed, "{amount} {currency}");
    }
}

/// 1. Send each invalid price: 400 that names the field.
#[test]
fn invalid_prices_are_refused_by_name() {
    let Some(TestEnv { gateway, shop, .. }) = TestEnv::shared_with(fixed) else { return };
    for (body, param) in [
        (r#"{"amount": 4.99}"#, "currency"),
        (r#"{"currency": "EUR"}"#, "amount"),
        (r#"{"amountLtc": 0.05, "amount": 4.99, "currency": "EUR"}"#, "amountLtc"),
        (r#"{"amountLtc": 0.05, "currency": "EUR"}"#, "amountLtc"),
        (r#"{"amountLtc": 0.05, "amount": 4.99}"#, "amountLtc"),
        (r#"{"amount": "4.999", "currency": "EUR"}"#, "amount"),
        (r#"{"amount": "1.5", "currency": "JPY"}"#, "amount"),
        (r#"{"amount": 0, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": 0.004, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": -4.99, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": true, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": "4,99", "currency": "EUR"}"#, "amount"),
        (r#"{"amount": 1e300, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": 0.01, "currency": "EUR"}"#, "amount"),
        (r#"{"amount": 4.99, "currency": "USD"}"#, "currency"),
        (r#"{"amount": 4.99, "currency": "XAU"}"#, "currency"),
        (r#"{"amount": 4.99, "currency": "EURO"}"#, "currency"),
        (r#"{"amount": 4.99, "currency": 978}"#, "currency"),
        (r#"{}"#, "amountLtc"),
    ] {
        refused(&shop, body, 400, "invalid_request", param);
    }
    let create = ["payment", "create", "--merchant", &shop.merchant_id, "--amount", "4.99"];
    let command = [&create[..], &["--currency", "USD"]].concat();
    gateway.cli_fails(&command, 2, &["currency", "USD", "not offered"]);
}

/// 1. Without `[rates]` no currency is offered.
#[test]
fn without_rates_no_currency_is_offered() {
    let Some(TestEnv { gateway: _gateway, shop, .. }) = TestEnv::shared() else { return };
    let error = refused(
        &shop,
        r#"{"amount": 4.99, "currency": "EUR"}"#,
        400,
        "invalid_request",
        "currency",
    );
    assert!(error.text("message").contains("EUR is not offered"));
}

/// Exchanges that quote this, asked every second.
fn with_exchanges(price: &'static str) -> Option<(TestEnv, Exchanges)> {
    let exchanges = Exchanges::start(price);
    let test_env = TestEnv::alone_with(|gateway| {
        exchanges.configure(gateway);
        gateway.set("rates.refresh", "1s");
        gateway.set("payments.expiry", "3s");
    })?;
    Some((test_env, exchanges))
}

fn quote(exchanges: &Exchanges, price: &'static str) {
    for source in ["kraken", "coinbase", "bitstamp", "bitfinex"] {
        exchanges.set(source, Reply::Price(price));
    }
}

/// Waits until the gateway prices 4 EUR as this amount in LTC.
#[track_caller]
fn await_price(shop: &Shop, ltc: &str) {
    wait_for(&format!("4 EUR to be {ltc} LTC"), SOON, || {
        let answer = shop.post(r#"{"amount": "4.00", "currency": "EUR"}"#, &[]);
        answer.status == 200 && Fields::of(&answer.body).raw("amountLtc") == ltc
    });
}

/// 1. The exchanges quote 80: a price of 4 EUR is 0.05 LTC.
/// 2. They disagree: 503 with `retry-after`, and no payment.
/// 3. A repeated request with its idempotency key still gets its payment.
#[test]
fn a_price_without_a_usable_rate_is_refused() {
    let Some((TestEnv { gateway: _gateway, shop, .. }, exchanges)) = with_exchanges("80.00") else {
        return;
    };
    await_price(&shop, "0.05");
    let body = r#"{"amount": "4.00", "currency": "EUR"}"#;
    let key = [("idempotency-key", "once")];
    let first = Fields::of(&shop.post(body, &key).body);
    assert_eq!(first.texts("rateSources").len(), 4);
    exchanges.set("coinbase", Reply::Price("90.00"));
    exchanges.set("bitstamp", Reply::Price("90.00"));
    wait_for("the rate to be unusable", SOON, || shop.post(body, &[]).status == 503);
    let answer = shop.post(body, &[]);
    assert_eq!(answer.header("retry-after"), Some("30"));
    refused(&shop, body, 503, "rate_unavailable", "");
    let again = Fields::of(&shop.post(body, &key).body);
    assert_eq!(again.text("paymentId"), first.text("paymentId"));
    assert_eq!(again.text("rate"), "80");
}

/// 1. Two payments of 4 EUR at 80 expire unpaid.
/// 2. The rate falls to 40, and 0.05 LTC are paid to each: 2 EUR, so both stay expired.
/// 3. Another 0.05 LTC complete the first. The merchant accepts the second.
#[test]
#[ignore = "long"]
fn a_late_payment_counts_at_the_rate_of_its_coins() {
    let Some((TestEnv { gateway, shop, node }, exchanges)) = with_exchanges("80.00") else {
        return;
    };
    await_price(&shop, "0.05");
    let body = r#"{"amount": "4.00", "currency": "EUR"}"#;
    let (first, second) = (shop.create_with(body), shop.create_with(body));
    shop.await_status(&first.id, "expired", SOON);
    shop.await_status(&second.id, "expired", SOON);
    quote(&exchanges, "40.00");
    await_price(&shop, "0.1");
    node.send_to_all(&[&first.address, &second.address], "0.05");
    shop.await_field(&first.id, "amountReceivedLtc", "0.05", SOON);
    node.mine(2);
    for payment in [&first, &second] {
        let late = shop.await_field(&payment.id, "confirmations", "2", SOON);
        assert_eq!((late.text("status"), late.text("detail")), ("expired".into(), "late".into()));
    }
    node.send(&first.address, "0.05");
    shop.await_field(&first.id, "amountReceivedLtc", "0.1", SOON);
    node.mine(2);
    let done = shop.await_status(&first.id, "completed", SOON);
    assert_eq!(done.raw("late"), "true");
    let accepted = gateway.cli_json(&["payment", "accept", &second.id]);
    assert_eq!(accepted.text("detail"), "accepted");
    gateway.cli_ok(&["audit"]);
}

/// The fields of a CSV row by the header's names. No field of these tests has a comma.
fn rows(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let values = line.split(',').map(str::to_owned);
            names.iter().map(|name| (*name).to_owned()).zip(values).collect()
        })
        .collect()
}

/// 1. Two payments are paid, one of them in euros, a third is not, and all is swept.
/// 2. The export has a row for each paid payment and for the payout, and its sums are those of
///    the account.
/// 3. `from` is part of the period, `to` is not.
/// 4. Another merchant's export is empty, and a `create` key may not export.
#[test]
fn an_export_sums_to_the_account() {
    let test_env = TestEnv::alone_with(|gateway| {
        fixed(gateway);
        gateway.set("sweeper.min_payout", "0.001");
    });
    let Some(TestEnv { gateway, shop, node }) = test_env else { return };
    let priced =
        shop.create_with(r#"{"amount": "4.99", "currency": "EUR", "reference": "=order-7"}"#);
    let (plain, _unpaid) = (shop.create("0.05"), shop.create("0.07"));
    node.send(&priced.address, "0.062375");
    node.send(&plain.address, "0.05");
    node.mine(2);
    shop.await_status(&priced.id, "completed", SOON);
    shop.await_status(&plain.id, "completed", SOON);
    gateway.cli_ok(&["sweep"]);
    node.mine(1);
    let account = |name: &str| {
        let body = gateway.request("GET", "/api/account", &[("x-api-key", &shop.api_key)], "").body;
        litoshis(Fields::of(&body).raw(name))
    };
    wait_for("the payout to be mined", SOON, || account("paidLtc") > 0);
    let export = |key: &str, query: &str| {
        gateway.request("GET", &format!("/api/export?{query}"), &[("x-api-key", key)], "")
    };
    let always = "from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z";
    let answer = export(&shop.api_key, always);
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
    let found = rows(&answer.body);
    let kinds: Vec<&str> = found.iter().map(|row| row["type"].as_str()).collect();
    assert_eq!(kinds, ["payment", "payment", "payout"], "{}", answer.body);
    assert_eq!(found[0]["paymentId"], priced.id);
    assert_eq!((found[0]["amount"].as_str(), found[0]["currency"].as_str()), ("4.99", "EUR"));
    assert_eq!((found[0]["rate"].as_str(), found[0]["rateSources"].as_str()), ("80", "fixed"));
    assert_eq!(found[0]["reference"], "'=order-7");
    let sum = |name: &str| -> u64 {
        found
            .iter()
            .map(|row| row[name].as_str())
            .filter(|text| !text.is_empty())
            .map(litoshis)
            .sum()
    };
    assert_eq!(sum("amountReceivedLtc"), account("receivedLtc"));
    assert_eq!(sum("payoutLtc"), account("paidLtc"));
    assert_eq!(sum("feeShareLtc") + sum("operatorFeeLtc"), account("feesLtc"));
    assert_eq!(sum("grossLtc"), account("receivedLtc"));
    // The edges of the period.
    let at = &found[0]["createdAt"];
    let first = |query: &str| rows(&export(&shop.api_key, query).body).first().cloned();
    let from = first(&format!("from={at}&to=2100-01-01T00:00:00Z")).unwrap();
    assert_eq!(from["paymentId"], priced.id);
    assert_eq!(first(&format!("from=2020-01-01T00:00:00Z&to={at}")), None);
    let datev = export(&shop.api_key, &format!("{always}&format=datev")).body;
    assert!(datev.contains("4,99;H;EUR;"), "{datev}");
    let other = Shop::open(&gateway, &node, "Other");
    assert!(rows(&export(&other.api_key, always).body).is_empty());
    let scoped =
        ["merchant", "key", "add", &shop.merchant_id, "--name", "web", "--scope", "create"];
    assert_eq!(export(&gateway.cli_json(&scoped).text("apiKey"), always).status, 403);
    let missing = export(&shop.api_key, "from=2020-01-01T00:00:00Z");
    assert_eq!(
        (missing.status, Fields::of(&missing.body).object("error").text("param")),
        (400, "to".into())
    );
}
