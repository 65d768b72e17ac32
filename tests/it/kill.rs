//! SIGKILL or out-of-memory at random instants, under payments, blocks and reorganisations:
//! nothing is lost, duplicated or wrongly completed.
//!
//! `KILLS=200 SEED=7 cargo test --test it kill -- --include-ignored` runs it longer, or
//! repeats a seed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::expected::paid_by_chain;
use crate::harness::gateway::Gateway;
use crate::harness::json::{Fields, litoshis};
use crate::harness::node::{Node, decimal};
use crate::harness::random::{Random, setting};
use crate::harness::receiver::Receiver;
use crate::harness::roles::Part;
use crate::harness::shop::Shop;
use crate::harness::test_env::TestEnv;
use crate::harness::wait::{SOON, wait_for};

/// Default number of kills.
const KILLS: u64 = 12;

/// Amount of each payment, in litoshis.
const AMOUNT: u64 = 1_000_000;

/// A payment whose creation was answered.
#[derive(Debug, Clone)]
struct Answered {
    key: String,
    id: String,
    address: String,
}

#[test]
#[ignore = "long"]
fn repeated_kills_lose_and_duplicate_nothing() {
    let (kills, seed) = (setting("KILLS", KILLS), setting("SEED", 1));
    println!("{kills} kills with seed {seed}");
    dies_again_and_again(kills, seed, &|gateway, _| gateway.kill());
}

/// 1. Serve as three processes, as with a systemd unit for each.
/// 2. Order, pay, mine and reorganise without pause.
/// 3. Kill one of the three at a random instant and restart it, while the others continue.
/// 4. At the end the ledger matches the chain.
#[test]
#[ignore = "long"]
fn three_processes_killed_in_turn_lose_and_duplicate_nothing() {
    let (kills, seed) = (setting("KILLS", KILLS), setting("SEED", 1));
    println!("{kills} kills of three processes with seed {seed}");
    let parts = RefCell::new(["api,webhooks", "watcher", "sweeper"].map(Part::of));
    let one_dies = |gateway: &Gateway, _: &Shop, random: &mut Random| {
        let mut parts = parts.borrow_mut();
        for part in parts.iter_mut().filter(|part| !part.runs()) {
            // Most are killed at work, some during the start.
            if random.below(4) > 0 {
                part.start(gateway);
            } else {
                part.spawn(gateway);
            }
        }
        std::thread::park_timeout(Duration::from_millis(20 + random.below(600)));
        let victim = usize::try_from(random.below(3)).unwrap();
        parts[victim].kill();
    };
    let all_start = |gateway: &Gateway| {
        for part in parts.borrow_mut().iter_mut().filter(|part| !part.runs()) {
            part.start(gateway);
        }
    };
    under_load(kills, seed, &one_dies, &all_start);
}

/// 1. Limit the process's memory to its current size, and send many half requests.
/// 2. The process runs out of memory, as with systemd's `MemoryMax`; kill it otherwise.
/// 3. Repeat under load: at the end the ledger matches the chain.
#[test]
#[ignore = "long"]
fn repeated_memory_exhaustion_loses_and_duplicates_nothing() {
    let by_itself = AtomicU64::new(0);
    dies_again_and_again(4, setting("SEED", 1), &|gateway, shop| {
        let crowd = starve(gateway, shop);
        let began = Instant::now();
        while gateway.ended().is_none() && began.elapsed() < Duration::from_secs(5) {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        by_itself.fetch_add(u64::from(gateway.ended().is_some()), Ordering::Relaxed);
        drop(crowd);
        gateway.kill();
    });
    let by_itself = by_itself.into_inner();
    println!("out of memory {by_itself} times");
    assert!(by_itself > 0, "it never ran out");
}

/// Limits the process's memory to its current size, and opens connections with half a request.
fn starve(gateway: &Gateway, shop: &Shop) -> Vec<TcpStream> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let bytes = size.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024;
    let limit = ["--pid".to_owned(), gateway.pid().to_string(), format!("--as={bytes}")];
    assert!(Command::new("prlimit").args(limit).status().unwrap().success());
    let head = format!(
        "POST /api/payments HTTP/1.1\r\nhost: shop\r\nx-api-key: {}\r\n\
         content-type: application/json\r\ncontent-length: 60000\r\n\r\n",
        shop.api_key
    );
    let come = |_| {
        let mut client = TcpStream::connect(("127.0.0.1", gateway.port())).ok()?;
        client.write_all(format!("{head}{{{}", " ".repeat(50_000)).as_bytes()).ok()?;
        Some(client)
    };
    (0..300).filter_map(come).collect()
}

/// Runs all roles in one process, which `die` ends in every round.
fn dies_again_and_again(deaths: u64, seed: u64, die: &dyn Fn(&Gateway, &Shop)) {
    let dies = |gateway: &Gateway, shop: &Shop, random: &mut Random| {
        let began = gateway.spawn();
        // Some are killed during the start, most at work.
        if random.below(4) > 0 {
            gateway.await_ready(began);
        }
        std::thread::park_timeout(Duration::from_millis(20 + random.below(600)));
        die(gateway, shop);
    };
    under_load(deaths, seed, &dies, &|gateway| gateway.start());
}

/// Runs rounds under payments, blocks and reorganisations, then starts everything and compares
/// the ledger with the chain.
fn under_load(
    rounds: u64,
    seed: u64,
    round: &dyn Fn(&Gateway, &Shop, &mut Random),
    start_all: &dyn Fn(&Gateway),
) {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(|gateway| {
        // More than the deepest reorganisation, so that completed payments stay in the chain.
        gateway.set("payments.confirmations", 4);
        gateway.set("sweeper.interval", "1s");
    }) else {
        return;
    };
    let receiver = Receiver::start();
    let (over, answered) = (AtomicBool::new(false), Mutex::new(Vec::<Answered>::new()));
    let mut random = Random::of(seed);
    gateway.kill();
    std::thread::scope(|scope| {
        for client in 0..3 {
            let (shop, over, answered) = (&shop, &over, &answered);
            let url = receiver.url("/hook");
            scope.spawn(move || order(shop, &url, client, over, answered));
        }
        let mut of_chain = Random::of(seed.wrapping_add(1));
        let (over_ref, answered_ref, node_ref) = (&over, &answered, &node);
        scope.spawn(move || move_chain(node_ref, &mut of_chain, over_ref, answered_ref));
        let deadline = Instant::now() + Duration::from_secs(rounds.saturating_mul(20));
        for _ in 0..rounds {
            round(&gateway, &shop, &mut random);
            assert!(Instant::now() < deadline, "{rounds} rounds take too long");
        }
        start_all(&gateway);
        over.store(true, Ordering::Relaxed);
    });
    wait_for("a block for all that was sent", SOON, || {
        let waiting = node.send_unmined_again();
        node.mine(1);
        !waiting
    });
    node.mine(8);
    gateway.await_tip(&node.height().to_string());
    let answered = answered.into_inner().unwrap();
    println!("{} payments, {} webhooks", answered.len(), receiver.hits().len());
    assert!(answered.len() as u64 > rounds, "the stream went on: {}", answered.len());
    check_orders(&answered, &gateway.cli_list(&["payment", "list", "--limit", "1000000"]));
    check_ledger(&TestEnv { gateway, shop, node }, &receiver, &answered, rounds);
}

/// Each payment that the chain paid is completed, notified once and paid out once.
fn check_ledger(test_env: &TestEnv, receiver: &Receiver, answered: &[Answered], rounds: u64) {
    let TestEnv { gateway, shop, node } = test_env;
    let paid = paid_by_chain(node);
    let mut completed = 0;
    for Answered { id, address, .. } in answered {
        let expected = paid.get(address).cloned().unwrap_or_default();
        let fields = shop.status(id);
        assert_eq!(litoshis(fields.raw("amountReceivedLtc")), expected.sum, "{fields:?}");
        assert_eq!(litoshis(fields.raw("amountConfirmedLtc")), expected.sum, "{fields:?}");
        assert_eq!(fields.texts("txids").into_iter().collect::<BTreeSet<_>>(), expected.txids);
        let status = if expected.sum >= AMOUNT { "completed" } else { "pending" };
        assert_eq!(fields.text("status"), status, "{fields:?}");
        if status == "completed" {
            completed += 1;
            receiver.await_hit_for(id, SOON);
        }
    }
    let of = answered.len();
    println!("{completed} of {of} payments are complete");
    // The wallet cannot pay every order if the API is mostly up.
    assert!(completed as u64 >= rounds, "one for each death at least: {completed} of {of}");
    let mut events: HashMap<String, BTreeSet<String>> = HashMap::new();
    for hit in receiver.hits() {
        let id = hit.header("webhook-id").to_owned();
        events.entry(hit.fields().text("paymentId")).or_default().insert(id);
    }
    assert_eq!(events.len(), completed, "told of those that are complete, and of no other");
    assert!(events.values().all(|ids| ids.len() == 1), "one event each: {events:?}");
    wait_for("the last sweep is mined", SOON, || {
        if !node.mempool().is_empty() {
            node.mine(1);
        }
        gateway.cli_json(&["audit"]).raw("inFlightLtc") == "0"
    });
    let sums = gateway.cli_json(&["audit"]);
    let received = paid_by_chain(node).remove(&shop.payout_address).unwrap_or_default().sum;
    assert_eq!(received, litoshis(sums.raw("paidLtc")), "no coin is paid out twice");
}

/// Creates one payment after the other, and repeats requests with the same key until they are
/// answered.
fn order(shop: &Shop, url: &str, client: u32, over: &AtomicBool, answered: &Mutex<Vec<Answered>>) {
    let body = format!(r#"{{"amountLtc": {}, "webhookUrl": "{url}"}}"#, decimal(AMOUNT));
    for number in 0.. {
        let key = format!("order-{client}-{number}");
        let first = ask(shop, &body, &key);
        let second = (number % 3 == 0).then(|| ask(shop, &body, &key));
        assert!(second.is_none_or(|(id, address)| (id, address) == first), "{key}: one payment");
        let (id, address) = first;
        answered.lock().unwrap().push(Answered { key, id, address });
        if over.load(Ordering::Relaxed) {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(60));
    }
}

/// Repeats a request until it is answered.
fn ask(shop: &Shop, body: &str, key: &str) -> (String, String) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match shop.try_post(body, &[("idempotency-key", key)]) {
            Ok(answer) if answer.status == 200 => {
                let fields = Fields::of(&answer.body);
                return (fields.text("paymentId"), fields.text("receivingAddress"));
            }
            Ok(answer) => assert!(answer.status >= 500, "{}", answer.body),
            Err(_) => {} // It is being killed.
        }
        assert!(Instant::now() < deadline, "{key} was never answered");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Pays the orders fully, in two parts, too much, by half or not at all; mines blocks and
/// replaces the newest ones.
fn move_chain(
    node: &Node,
    random: &mut Random,
    over: &AtomicBool,
    answered: &Mutex<Vec<Answered>>,
) {
    let mut next = 0;
    while !over.load(Ordering::Relaxed) {
        let ordered: Vec<Answered> = answered.lock().unwrap()[next..].to_vec();
        next += ordered.len();
        for payment in ordered {
            let parts: &[u64] = match random.below(5) {
                0 => &[AMOUNT / 2, AMOUNT / 2],
                1 => &[AMOUNT * 2],
                2 => &[AMOUNT / 2],
                3 => &[],
                _ => &[AMOUNT],
            };
            for part in parts {
                // The wallet may lack coins for a while; only actual payments count.
                let _: Result<String, _> =
                    node.try_call("sendtoaddress", json!([payment.address, decimal(*part)]));
            }
        }
        match random.below(6) {
            0 => node.reorg(1 + u32::try_from(random.below(3)).unwrap()),
            1 => node.reorg_to_empty(1),
            _ => node.mine(1),
        }
        if random.below(2) == 0 {
            node.send_unmined_again();
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Each answered order exists, each address is issued once, and no other payment exists.
#[track_caller]
fn check_orders(answered: &[Answered], listed: &[Fields]) {
    let listed: BTreeMap<String, String> = listed
        .iter()
        .map(|fields| (fields.text("paymentId"), fields.text("receivingAddress")))
        .collect();
    for Answered { key, id, address } in answered {
        assert_eq!(listed.get(id), Some(address), "{key} was answered");
    }
    let addresses: BTreeSet<&String> = listed.values().collect();
    assert_eq!(addresses.len(), listed.len(), "each address once");
    assert_eq!(listed.len(), answered.len(), "each order once");
}
