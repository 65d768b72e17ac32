//! What the length of the history costs: the same calls, blocks and plans beside a short past and
//! a long one; memory, start, catching up, and sweeps.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bitcoin::hex::DisplayHex;
use litegate::bench::{self, Ledger};

use super::Size;
use super::bare::Bare;
use super::blocks::{self, Maker};
use super::calls;
use super::harness::gateway::Gateway;
use super::harness::random::Random;
use super::history::{self, Kind};
use super::load;
use super::report::{Goal, Report, Row, Unit, median, micros, shown};
use super::serving::Serving;

/// An address without an owner, to which merchants are paid.
const PAYOUT_ADDRESS: &str = "rltc1qqqqsyqcyq5rqwzqfpg9scrgwpugpzysnrwhxws";

/// A gateway with a past, beside a node that answers at once.
struct Past {
    gateway: Gateway,
    count: u64,
    keys: Vec<String>,
    node: Bare,
}

impl Past {
    fn make(count: u64) -> Past {
        let gateway = Gateway::offline();
        gateway.unset("node.zmq_rawtx");
        gateway.unset("node.zmq_hashblock");
        gateway.unset("sweeper.seal_key_file");
        gateway.set("payments.max_open_payments", 10_000_000);
        gateway.set("payments.max_daily_payments", 0);
        gateway.unset("clock.offset_file"); // Only tests move the clock.
        let key = |n| {
            let name = format!("Shop {n}");
            let add = ["merchant", "add", "--name", &name, "--days", "30", "--payout-address"];
            gateway.cli_json(&[&add[..], &[PAYOUT_ADDRESS]].concat()).text("apiKey")
        };
        let keys = (0..8).map(key).collect();
        let began = Instant::now();
        let written = history::write(&gateway, Kind::Whole, count);
        println!(
            "  a history of {count} payments: {}, {} bytes a payment, written in {}",
            shown(written.bytes, Unit::Bytes),
            written.bytes / written.payments,
            shown(micros(began.elapsed()), Unit::Microseconds),
        );
        let still = gateway.folder().join("still");
        Maker::new().write_chain(&still, 0, count);
        let node = Bare::node(&still);
        fs::write(gateway.folder().join(".cookie"), "user:password").unwrap();
        gateway.set("node.rpc_url", format!("http://127.0.0.1:{}", node.port));
        Past { gateway, count, keys, node }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.gateway.config_file()).unwrap()
    }

    fn some_payment(&self, random: &mut Random) -> String {
        let id = history::payment_id(random.below(self.count), self.count).to_lower_hex_string();
        [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-")
    }
}

/// A count of payments in few letters.
fn short(count: u64) -> String {
    match count {
        1_000_000.. => format!("{} M", count / 1_000_000),
        1_000.. => format!("{} k", count / 1_000),
        _ => count.to_string(),
    }
}

/// Which of the parts are measured that need histories.
pub(crate) struct Parts {
    pub(crate) growth: bool,
    pub(crate) blocks: bool,
    pub(crate) sweeps: bool,
}

pub(crate) fn measure(report: &mut Report, size: &Size, parts: Parts) {
    let last = size.pasts.len() - 1;
    let middle = last.min(1);
    let mut pasts: Vec<Past> = Vec::new();
    for count in &size.pasts {
        pasts.push(Past::make(*count));
    }
    if parts.growth {
        starts(report, &pasts[middle], &pasts[last]);
        served(report, size, &pasts);
        plans(report, &pasts);
    }
    if parts.blocks {
        let mut makers = full_blocks(report, size, &pasts);
        pasts.truncate(middle + 1); // The longest one has the most of the disk.
        catch_up(report, &mut pasts[middle], &mut makers[middle], size);
    }
    if parts.sweeps {
        sweeps(report, &pasts[0], size);
    }
}

/// Memory at rest beside the middle history, and the start beside the longest.
fn starts(report: &mut Report, middle: &Past, last: &Past) {
    let times = (0..3).map(|_| micros(Serving::start(&last.gateway).ready_after));
    report.add(Row {
        name: format!("From start to ready, {} payments", short(last.count)),
        unit: Unit::Microseconds,
        figure: median(times.collect()),
        floor: None,
        goal: Goal::AtMost(1_000_000),
    });
    let serving = Serving::start(&middle.gateway);
    std::thread::park_timeout(Duration::from_secs(3));
    report.add(Row {
        name: format!("Memory at rest, {} payments", short(middle.count)),
        unit: Unit::Bytes,
        figure: serving.resident_bytes(),
        floor: None,
        goal: Goal::AtMost(100_000_000),
    });
}

/// A line for each longer history: the figure there beside the one with the shortest.
fn compare(report: &mut Report, pasts: &[Past], what: &str, figures: &[Vec<u64>]) {
    let shortest = median(figures[0].clone());
    for (past, figures) in pasts.iter().zip(figures).skip(1) {
        report.add(Row {
            name: format!("{what}, {} payments", short(past.count)),
            unit: Unit::Microseconds,
            figure: median(figures.clone()),
            floor: Some((format!("{} payments", short(pasts[0].count)), shortest)),
            goal: Goal::RatioAtMost(150),
        });
    }
}

/// Calls to servers that run side by side, in turn.
fn served(report: &mut Report, size: &Size, pasts: &[Past]) {
    let serving: Vec<Serving> = pasts.iter().map(|past| Serving::start(&past.gateway)).collect();
    let mut figures = vec![[const { Vec::new() }; 3]; pasts.len()];
    for round in 0..size.rounds + 1 {
        for (past, figures) in pasts.iter().zip(&mut figures) {
            let port = past.gateway.port();
            let per_call = |rate: u64| 1_000_000 * 100 / rate.max(1);
            let keys = past.keys.clone();
            let made = load::run(port, 16, size.lasting, move |n| calls::creation(&keys, n));
            let mut random = Random::of(round as u64);
            let asked: Vec<String> = (0..2_000).map(|_| past.some_payment(&mut random)).collect();
            let shown = load::run(port, 16, size.lasting, move |n| {
                calls::status(&asked[usize::try_from(n).unwrap() % asked.len()])
            });
            let keys = past.keys.clone();
            let account = load::run(port, 1, size.lasting, move |n| {
                let key = &keys[usize::try_from(n).unwrap() % keys.len()];
                load::request("GET", "/api/account", &[("x-api-key", key)], "")
            });
            assert_eq!(made.refused + shown.refused + account.refused, 0, "all are answered");
            if round > 0 {
                figures[0].push(per_call(made.per_second));
                figures[1].push(per_call(shown.per_second));
                figures[2].push(account.percentile_us(50));
            }
        }
    }
    drop(serving);
    let whats = ["100 payments created", "100 status calls", "An account call"];
    for (at, what) in whats.into_iter().enumerate() {
        let figures: Vec<Vec<u64>> = figures.iter().map(|figures| figures[at].clone()).collect();
        compare(report, pasts, what, &figures);
    }
}

/// What the sweeper asks and plans at each look, with the same few coins due.
fn plans(report: &mut Report, pasts: &[Past]) {
    let figures: Vec<Vec<u64>> = pasts
        .iter()
        .map(|past| {
            let ledger = past.ledger();
            let times = (0..20).map(|_| {
                let began = Instant::now();
                black_box(ledger.plan().unwrap());
                micros(began.elapsed())
            });
            times.collect()
        })
        .collect();
    compare(report, pasts, "Planning by the sweeper", &figures);
}

/// Many blocks at once, beside only fetching them.
fn catch_up(report: &mut Report, past: &mut Past, maker: &mut Maker, size: &Size) {
    let folder = past.gateway.folder().join("chain");
    let last = maker.write_chain(&folder, size.chain_blocks, past.count);
    past.node = Bare::node(&folder);
    past.gateway.set("node.rpc_url", format!("http://127.0.0.1:{}", past.node.port));
    let ledger = past.ledger();
    let began = Instant::now();
    assert!(ledger.fetch().unwrap() > 0, "there are blocks");
    let fetched = began.elapsed();
    let began = Instant::now();
    let height = u64::from(ledger.catch_up().unwrap());
    let caught_up = began.elapsed();
    assert_eq!(height, last);
    report.add(Row {
        name: format!(
            "Catching up {} full blocks, {} addresses",
            size.chain_blocks,
            short(past.count)
        ),
        unit: Unit::Microseconds,
        figure: micros(caught_up),
        floor: Some(("only fetching them".to_owned(), micros(fetched))),
        goal: Goal::RatioAtMost(130),
    });
}

/// Full blocks one by one, beside decoding them, as a gateway meets them that has run for a while.
/// Answers who made them for each history, to make more.
fn full_blocks(report: &mut Report, size: &Size, pasts: &[Past]) -> Vec<Maker> {
    let mut ledgers: Vec<Ledger> = pasts.iter().map(Past::ledger).collect();
    ledgers.iter_mut().for_each(Ledger::warm_up);
    let mut figures = vec![Vec::new(); pasts.len()];
    let mut decoded = Vec::new();
    let mut makers: Vec<Maker> = pasts.iter().map(|_| Maker::new()).collect();
    for _ in 0..size.blocks {
        for (at, past) in pasts.iter().enumerate() {
            let raw = makers[at].next(|random| blocks::any_script(random, past.count));
            let began = Instant::now();
            black_box(bench::decode_block(&raw).unwrap());
            decoded.push(micros(began.elapsed()));
            let began = Instant::now();
            assert!(ledgers[at].connect(&raw).unwrap() >= 40, "payments are met");
            figures[at].push(micros(began.elapsed()));
        }
    }
    let floor = median(decoded);
    for (past, figures) in pasts.iter().zip(&figures).skip(1) {
        report.add(Row {
            name: format!("A full block, {} addresses", short(past.count)),
            unit: Unit::Microseconds,
            figure: median(figures.clone()),
            floor: Some(("bare decoding".to_owned(), floor)),
            goal: Goal::RatioAtMost(500),
        });
    }
    let [.., middle, last] = &figures[..] else { return makers };
    report.add(Row {
        name: format!("A full block, {} addresses", short(pasts[pasts.len() - 1].count)),
        unit: Unit::Microseconds,
        figure: median(last.clone()),
        floor: Some((
            format!("{} addresses", short(pasts[pasts.len() - 2].count)),
            median(middle.clone()),
        )),
        goal: Goal::RatioAtMost(150),
    });
    makers
}

/// Planning many coins, and signing as many as few nodes ever see at once.
fn sweeps(report: &mut Report, past: &Past, size: &Size) {
    let database: PathBuf = past.gateway.setting("database").into();
    history::write(&past.gateway, Kind::Unswept, size.unswept);
    let ledger = past.ledger();
    let read = || {
        let connection = rusqlite::Connection::open(&database).unwrap();
        let sql = "SELECT txid, vout, coins.amount, script, merchant_id FROM coins
                   JOIN payments USING (derivation_index) WHERE sweep_id IS NULL";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(2)?))).unwrap();
        let coins: Vec<([u8; 32], i64)> = rows.map(Result::unwrap).collect();
        coins.len() as u64
    };
    let (mut planned, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let began = Instant::now();
        assert!(read() >= size.unswept);
        floor.push(micros(began.elapsed()));
        let began = Instant::now();
        assert!(ledger.plan().unwrap().0 as u64 >= size.unswept);
        planned.push(micros(began.elapsed()));
    }
    report.add(Row {
        name: format!("Planning sweeps of {} coins", short(size.unswept)),
        unit: Unit::Microseconds,
        figure: median(planned),
        floor: Some(("only reading the rows".to_owned(), median(floor))),
        goal: Goal::None,
    });
    let count = u32::try_from(size.signed).unwrap();
    let (signed, _) = ledger.sign(count).unwrap();
    report.add(Row {
        name: format!("Signing sweeps of {} coins", short(size.signed)),
        unit: Unit::Microseconds,
        figure: micros(signed),
        floor: Some(("bare ECDSA signatures".to_owned(), bare_signatures(size.signed))),
        goal: Goal::None,
    });
}

/// The time of so many ECDSA signatures with short R, as sweeps have them, and of nothing else.
fn bare_signatures(count: u64) -> u64 {
    use bitcoin::secp256k1::{Message, Secp256k1, SecretKey};
    let (secp, key) = (Secp256k1::new(), SecretKey::from_slice(&[7; 32]).unwrap());
    let began = Instant::now();
    for n in 0..count {
        let mut digest = [9; 32];
        digest[..8].copy_from_slice(&n.to_be_bytes());
        black_box(secp.sign_ecdsa_low_r(&Message::from_digest(digest), &key));
    }
    micros(began.elapsed())
}
