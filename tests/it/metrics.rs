//! Metrics: a payment's life in numbers, documentation of each series, and alert rules and
//! dashboard that use existing ones.

use std::collections::BTreeSet;
use std::fs;

use crate::harness::exchanges::Exchanges;
use crate::harness::files;
use crate::harness::gateway::Gateway;
use crate::harness::receiver::Receiver;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// The value of a series, written with its labels.
fn value(metrics: &str, series: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

/// Names of the metric families, without histogram suffixes.
fn families(metrics: &str) -> BTreeSet<String> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// The names of series that a text mentions.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| {
        let ours = word.starts_with("litegate_") || word.starts_with("process_");
        ours && word.contains('_') && !word.ends_with('_')
    });
    names
        .map(|name| {
            let part = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            part.unwrap_or(name).to_owned()
        })
        .collect()
}

/// 1. Create, complete and sweep a payment whose first webhook attempt fails.
/// 2. The metrics follow each stage, and doctor warns of the hot balance.
/// 3. No metric contains a value of a merchant or shopper.
#[test]
fn metrics_count_each_stage_of_a_payment() {
    let max_hot_balance = |gateway: &Gateway| gateway.set("sweeper.max_hot_balance", "0.04");
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(max_hot_balance) else {
        return;
    };
    let receiver = Receiver::start();
    receiver.fail_next(1);
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    shop.create("0.05");
    assert_eq!(value(&gateway.metrics(), "litegate_payments{status=\"pending\"}"), Some(2));
    node.send(&payment.address, "0.05");
    node.mine(2);
    shop.await_status(&payment.id, "completed", SOON);
    let becomes = |series: &str, expected| {
        wait_for(&format!("{series} {expected}"), SOON, || {
            value(&gateway.metrics(), series) == Some(expected)
        });
    };
    becomes("litegate_webhook_events_pending", 1); // Until the next attempt, some seconds later.
    becomes("litegate_webhook_attempts_total{state=\"due\"}", 1);
    let metrics = gateway.metrics();
    assert_eq!(value(&metrics, "litegate_unswept_litoshis"), Some(5_000_000));
    assert_eq!(value(&metrics, "litegate_hot_limit_litoshis"), Some(4_000_000));
    let doctor = gateway.doctor_ok().stdout;
    assert!(doctor.contains("warning  hot money: 0.05 LTC wait"), "{doctor}");
    gateway.cli_ok(&["sweep"]);
    for (series, expected) in [
        ("litegate_payments{status=\"pending\"}", 1),
        ("litegate_payments{status=\"completed\"}", 1),
        ("litegate_payments{status=\"expired\"}", 0),
        ("litegate_completion_seconds_count", 1),
        ("litegate_sweeps_total", 1),
        ("litegate_sweeps_unconfirmed", 1),
        ("litegate_unswept_coins", 0),
        ("litegate_http_request_duration_seconds_count{route=\"/api/payments\",status=\"200\"}", 2),
    ] {
        becomes(series, expected);
    }
    let metrics = gateway.metrics();
    for series in [
        "litegate_watcher_passes_total{outcome=\"completed\"}",
        "litegate_sweeper_passes_total{outcome=\"completed\"}",
        "litegate_webhook_rounds_total{outcome=\"completed\"}",
        "litegate_database_commit_seconds_count",
        "litegate_rpc_seconds_count{call=\"getblockchaininfo\"}",
        "litegate_sweep_fees_litoshis_total",
        "litegate_disk_free_bytes",
        "litegate_database_bytes",
        "process_resident_memory_bytes",
    ] {
        assert!(value(&metrics, series).is_some_and(|count| count > 0), "{series}: {metrics}");
    }
    let (ours, theirs) = (value(&metrics, "litegate_chain_height"), node.height());
    assert_eq!(ours, Some(u64::from(theirs)));
    assert_eq!(value(&metrics, "litegate_node_height"), ours);
    for secret in [payment.id.as_str(), &payment.address, &shop.merchant_id, &receiver.url("")] {
        assert!(!metrics.contains(secret), "{secret}");
    }
}

/// 1. Complete a payment, let an RPC fail and get a rate, so that all series exist.
/// 2. The reference documents exactly these series; alerts and dashboard use only them.
#[test]
fn metrics_are_documented_and_alert_rules_use_existing_ones() {
    let exchanges = Exchanges::start("80.00");
    let configure = |gateway: &Gateway| exchanges.configure(gateway);
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(configure) else { return };
    let receiver = Receiver::start();
    let payment = shop.create_with_webhook("0.05", &receiver.url("/hook"));
    node.send(&payment.address, "0.05");
    node.mine(2);
    receiver.await_hit_for(&payment.id, SOON);
    node.stop();
    wait_for("a call that failed", SOON, || {
        gateway.metrics().contains("litegate_rpc_errors_total")
    });
    let has_rate = || gateway.metrics().contains("litegate_rate_age_seconds");
    wait_for("an exchange rate", SOON, has_rate);
    wait_for("a pass that failed", SOON, || {
        let failed = "litegate_watcher_passes_total{outcome=\"failed\"}";
        value(&gateway.metrics(), failed).is_some_and(|count| count > 0)
    });
    let there = families(&gateway.metrics());
    assert!(there.len() >= 25, "{there:?}");
    let read =
        |path: &str| fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let explained = named(&read("static/docs/reference/metrics.md"));
    assert_eq!(there, explained);
    for file in ["config/prometheus-alerts.yml", "config/grafana-dashboard.json"] {
        let used = named(&read(file));
        assert!(used.len() > 5 && used.is_subset(&there), "{file}: {used:?}");
    }
}

/// 1. Each rule is named in the quiet day of `tests/alerts.yml`, where none may fire.
/// 2. Its largest count of firing alerts is the number of rules, so that each has fired.
#[test]
fn every_alert_rule_fires_in_the_promtool_test() {
    let read = |path: &str| fs::read_to_string(files::project().join(path)).unwrap();
    let rules = read("config/prometheus-alerts.yml");
    let rules: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let cases = read("tests/alerts.yml");
    for rule in &rules {
        let quiet = format!("alertname: {rule}, exp_alerts: []");
        assert!(cases.contains(&quiet), "tests/alerts.yml lacks {quiet}");
    }
    let counts = cases.lines().filter_map(|line| line.split("labels: \"{}\", value: ").nth(1));
    let counts = counts.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap());
    assert_eq!(counts.max(), Some(rules.len()));
}
