//! SIGKILL, or the end of all memory, at random instants, again and again, under a stream of
//! payments, blocks and reorganisations: at the end nothing is missing, doubled or wrongly
//! completed.
//!
//! `KILLS=200 SEED=7 cargo test --test it kill -- --include-ignored` runs it longer, or again.

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

/// Kills in the usual run.
const KILLS: u64 = 12;

/// What each payment asks for.
const AMOUNT: u64 = 1_000_000;

/// A payment that was answered.
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
/// 3. Kill one of the three at a random instant and start it again, while the others continue.
/// 4. At the end the books agree with the chain.
#[test]
#[ignore = "long"]
fn three_processes_killed_in_turn_lose_and_duplicate_nothing() {
    let (kills, seed) = (setting("KILLS", KILLS), setting("SEED", 1));
    println!("{kills} kills of three processes with seed {seed}");
    let parts = RefCell::new(["api,webhooks", "watcher", "sweeper"].map(Part::of));
    let one_dies = |gateway: &Gateway, _: &Shop, random: &mut Random| {
        let mut parts = parts.borrow_mut();
        for part in parts.iter_mut().filter(|part| !part.runs()) {
            // Most die in the middle of their work, some while they start.
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

/// What systemd's `MemoryMax` or a full machine does, wherever memory is asked for next.
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

/// Lets the process have no more memory than it has, and a crowd come that sends half of what it
/// has to say.
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

/// One process that serves all roles, whatever it is that it dies of.
fn dies_again_and_again(deaths: u64, seed: u64, die: &dyn Fn(&Gateway, &Shop)) {
    let dies = |gateway: &Gateway, shop: &Shop, random: &mut Random| {
        let began = gateway.spawn();
        // Some die while they start, most in the middle of the work.
        if random.below(4) > 0 {
            gateway.await_ready(began);
        }
        std::thread::park_timeout(Duration::from_millis(20 + random.below(600)));
        die(gateway, shop);
    };
    under_load(deaths, seed, &dies, &|gateway| gateway.start());
}

/// The same payments, blocks and reorganisations, whatever it is that dies in each round. In the
/// end everything is started for good, and the books are compared with the chain.
fn under_load(
    rounds: u64,
    seed: u64,
    round: &dyn Fn(&Gateway, &Shop, &mut Random),
    start_all: &dyn Fn(&Gateway),
) {
    let Some(TestEnv { gateway, shop, node }) = TestEnv::alone_with(|gateway| {
        // One more than the deepest reorganisation below: what is complete stays in the chain.
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

/// Everything is complete that the chain has paid, told once, and paid out once.
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
    // The wallet cannot pay all that is ordered while the API is up most of the time.
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

/// Orders one payment after the other, and asks again with the same key until it is answered.
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

/// Pays what was ordered: whole, in two parts, too much, or half and no more. Mines, and every
/// now and then replaces the newest blocks.
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
                // The wallet may be out of coins for a while: what counts is what it paid.
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

/// Every answered order exists, no address was given out twice, and there is no payment that
/// nobody asked for.
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
