//! Calls of shops and shoppers: creating payments and asking how they stand, beside bare warp and
//! the node's own wallet.

use std::fs;
use std::time::Duration;

use bitcoin::base64::Engine;
use bitcoin::base64::engine::general_purpose::STANDARD;
use litegate::bench::Ledger;

use super::Size;
use super::bare::Bare;
use super::harness::gateway::Gateway;
use super::harness::json::Fields;
use super::harness::node::Node;
use super::harness::shop::Shop;
use super::load::{self, Answers};
use super::report::{Goal, Report, Row, Unit, median};
use super::serving::Serving;

/// Connections that ask at a time.
const CONNECTIONS: u64 = 64;

/// Merchants whose shops ask in turn.
const SHOPS: usize = 8;

/// Payments that are asked for by their ids.
const ASKED: usize = 500;

/// Addresses that are derived in a row.
const DERIVED: u32 = 5_000;

/// The `n`-th request for a new payment, by one of these keys.
pub(crate) fn creation(keys: &[String], n: u64) -> Vec<u8> {
    let key = &keys[usize::try_from(n).unwrap() % keys.len()];
    let headers = [("content-type", "application/json"), ("x-api-key", key.as_str())];
    let body = format!(
        "{{\"amountLtc\": 0.05, \"reference\": \"order-{n}\", \
         \"webhookUrl\": \"https://shop.example/litecoin/hook\"}}"
    );
    load::request("POST", "/api/payments", &headers, &body)
}

/// A request for a payment's status.
pub(crate) fn status(id: &str) -> Vec<u8> {
    load::request("GET", &format!("/api/payments/{id}"), &[], "")
}

/// The middle one of several answers by their rate.
fn middle(mut answers: Vec<Answers>) -> Answers {
    answers.sort_by_key(|answers| answers.per_second);
    let at = answers.len() / 2;
    let refused: u64 = answers.iter().map(|answers| answers.refused).sum();
    assert_eq!(refused, 0, "every request is answered with 200");
    answers.swap_remove(at)
}

pub(crate) fn measure(report: &mut Report, size: &Size, node: &Node) {
    let gateway = Gateway::init(node);
    gateway.set("payments.max_open_payments", 10_000_000);
    gateway.set("payments.max_daily_payments", 0);
    gateway.unset("clock.offset_file"); // Only tests move the clock.
    let keys: Vec<String> =
        (0..SHOPS).map(|n| Shop::open(&gateway, node, &format!("Shop {n}")).api_key).collect();
    let serving = Serving::start(&gateway);
    let sample = load::ask(gateway.port(), &creation(&keys, 0));
    let file = gateway.folder().join("answer.json");
    fs::write(&file, &sample).unwrap();
    let floor = Bare::warp(&file);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        let of_bare = keys.clone();
        bare.push(load::run(floor.port, CONNECTIONS, size.lasting, move |n| creation(&of_bare, n)));
        let keys = keys.clone();
        ours.push(load::run(gateway.port(), CONNECTIONS, size.lasting, move |n| {
            creation(&keys, n)
        }));
    }
    drop(floor);
    let (ours, bare) = (middle(ours), middle(bare));
    report.add(Row {
        name: "Payments created, 64 callers".to_owned(),
        unit: Unit::PerSecond,
        figure: ours.per_second,
        floor: Some(("bare warp, same JSON".to_owned(), bare.per_second)),
        goal: Goal::RatioAtLeast(50),
    });
    report.add(Row {
        name: "Payments created, against the node's wallet".to_owned(),
        unit: Unit::PerSecond,
        figure: ours.per_second,
        floor: Some(("getnewaddress".to_owned(), new_addresses(node, size.lasting))),
        goal: Goal::RatioAtLeast(4_000),
    });
    report.add(Row {
        name: "Creation: the slowest of a hundred (p99)".to_owned(),
        unit: Unit::Microseconds,
        figure: ours.percentile_us(99),
        floor: Some(("median".to_owned(), ours.percentile_us(50))),
        goal: Goal::RatioAtMost(1_000),
    });
    show(report, size, &gateway, &keys);
    drop(serving);
    report.add(Row {
        name: "Payments created, against deriving their addresses".to_owned(),
        unit: Unit::PerSecond,
        figure: ours.per_second,
        floor: Some(("one core that only derives".to_owned(), derived_per_second(&gateway))),
        goal: Goal::None,
    });
}

/// How many addresses one core derives, if it does nothing else.
fn derived_per_second(gateway: &Gateway) -> u64 {
    let ledger = Ledger::open(&gateway.config_file()).unwrap();
    let rounds = (0..5).map(|_| {
        let took = ledger.derive(DERIVED).as_micros();
        u64::try_from(u128::from(DERIVED) * 1_000_000 / took).unwrap()
    });
    median(rounds.collect())
}

fn show(report: &mut Report, size: &Size, gateway: &Gateway, keys: &[String]) {
    let asked: Vec<String> = (0..ASKED as u64)
        .map(|n| Fields::of(&load::ask(gateway.port(), &creation(keys, n))).text("paymentId"))
        .collect();
    let file = gateway.folder().join("status.json");
    fs::write(&file, load::ask(gateway.port(), &status(&asked[0]))).unwrap();
    let floor = Bare::warp(&file);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        for (port, answers) in [(floor.port, &mut bare), (gateway.port(), &mut ours)] {
            let asked = asked.clone();
            answers.push(load::run(port, CONNECTIONS, size.lasting, move |n| {
                status(&asked[usize::try_from(n).unwrap() % asked.len()])
            }));
        }
    }
    let (ours, bare) = (middle(ours), middle(bare));
    report.add(Row {
        name: "Status calls, 64 callers".to_owned(),
        unit: Unit::PerSecond,
        figure: ours.per_second,
        floor: Some(("bare warp, same bytes".to_owned(), bare.per_second)),
        goal: Goal::RatioAtLeast(70),
    });
}

/// How many addresses a second the node's own wallet gives out, four callers at a time.
fn new_addresses(node: &Node, lasting: Duration) -> u64 {
    let cookie = fs::read_to_string(node.cookie_file()).unwrap();
    let login = format!("Basic {}", STANDARD.encode(cookie.trim()));
    let port = node.rpc_url().rsplit_once(':').unwrap().1.parse().unwrap();
    let rounds = (0..3).map(|_| {
        let login = login.clone();
        let ask = move |_| {
            let body = "{\"id\":1,\"method\":\"getnewaddress\",\"params\":[]}";
            load::request("POST", "/", &[("authorization", &login)], body)
        };
        load::run(port, 4, lasting, ask).per_second
    });
    median(rounds.collect())
}
