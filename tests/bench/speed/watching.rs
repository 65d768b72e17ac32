//! From a transaction's announcement to the shopper's page: real transactions of a real node, each
//! paying a payment whose event stream is open, among many addresses that were given out before.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::{deserialize, serialize_hex};
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, WitnessProgram,
    transaction,
};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::Size;
use super::calls;
use super::harness::gateway::Gateway;
use super::harness::json::Fields;
use super::harness::node::Node;
use super::harness::shop::Shop;
use super::history::{self, Kind};
use super::load;
use super::report::{Goal, Report, Row, Unit, median, micros};
use super::serving::Serving;

/// Transactions a second: more than Litecoin's chain carries.
const RATE: u32 = 50;

/// Transactions that spend each other's change, below what nodes relay.
const CHAIN: usize = 20;

/// More than a chain pays, in LTC.
const CHAIN_LTC: &str = "2";

/// Streams that come from one address; the gateway takes 64.
const STREAMS_EACH: usize = 50;

/// What a transaction pays, in litoshis.
const PAID: u64 = 5_000_000;

/// Payments that are paid while many streams are open.
const PAID_AMONG_MANY: usize = 40;

/// How long the last event may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each instant at which something was first seen, by the number of the payment.
type Instants = Arc<Mutex<HashMap<usize, Instant>>>;

struct Watched {
    id: String,
    script: ScriptBuf,
}

pub(crate) fn measure(report: &mut Report, size: &Size, node: &Node) {
    let gateway = Gateway::init(node);
    gateway.set("payments.max_open_payments", 10_000_000);
    gateway.set("payments.max_daily_payments", 0);
    gateway.set("http.max_event_streams", i64::try_from(size.streams).unwrap() + 1_000);
    gateway.unset("clock.offset_file"); // Only tests move the clock.
    let shop = Shop::open(&gateway, node, "Shop");
    drop(Serving::start(&gateway)); // It stands on the node's tip from now on.
    history::write(&gateway, Kind::Issued, size.issued);
    let serving = Serving::start(&gateway);
    let count = size.detected + PAID_AMONG_MANY;
    let watched: Vec<Watched> = (0..count as u64)
        .map(|n| {
            let made =
                load::ask(gateway.port(), &calls::creation(std::slice::from_ref(&shop.api_key), n));
            let made = Fields::of(&made);
            let script = script_of(&made.text("receivingAddress"));
            Watched { id: made.text("paymentId"), script }
        })
        .collect();
    let transactions = sign_all(node, &watched);
    let streams = Streams::open(gateway.port(), &watched, 0..count);
    let frames = Frames::listen(&node.zmq_url(), &transactions);

    let (many, among) = transactions.split_at(size.detected);
    send(node, many);
    let times = streams.times(&frames, 0..size.detected);
    let of = format!("{} addresses, {RATE} transactions/s", size.issued);
    for (name, percent, goal) in [("median", 50, Goal::None), ("p99", 99, Goal::AtMost(10_000))] {
        report.add(Row {
            name: format!("Announcement to event, {name}, {of}"),
            unit: Unit::Microseconds,
            figure: times[(times.len() * percent / 100).min(times.len() - 1)],
            floor: None,
            goal,
        });
    }

    let before = serving.resident_bytes();
    let more = Streams::open(gateway.port(), &watched, count..size.streams.max(count));
    let opened = more.opened + streams.opened;
    let is_all = opened >= size.streams;
    let asked = if is_all { String::new() } else { " (it takes no more)".to_owned() };
    std::thread::park_timeout(Duration::from_secs(1));
    report.add(Row {
        name: format!("Memory of {} more open streams{asked}", more.opened),
        unit: Unit::Bytes,
        figure: serving.resident_bytes().saturating_sub(before),
        floor: None,
        goal: if is_all { Goal::AtMost(300_000_000) } else { Goal::None },
    });
    send(node, among);
    let times = streams.times(&frames, size.detected..count);
    report.add(Row {
        name: format!("Announcement to event, median, {opened} streams open{asked}"),
        unit: Unit::Microseconds,
        figure: median(times),
        floor: None,
        goal: Goal::AtMost(50_000),
    });
}

/// The script of a p2wpkh address.
fn script_of(address: &str) -> ScriptBuf {
    let (_, version, program) = bitcoin::bech32::segwit::decode(address).unwrap();
    let version = bitcoin::WitnessVersion::try_from(version.to_u8()).unwrap();
    ScriptBuf::new_witness_program(&WitnessProgram::new(version, &program).unwrap())
}

/// A coin of the node's wallet.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coin {
    txid: Txid,
    vout: u32,
    script_pub_key: String,
    amount: Box<serde_json::value::RawValue>,
}

/// A signed transaction for each payment, in chains of change.
fn sign_all(node: &Node, watched: &[Watched]) -> Vec<(Txid, String)> {
    let chains = watched.len().div_ceil(CHAIN);
    let addresses: Vec<String> = (0..chains).map(|_| node.fresh_address()).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    node.send_to_all(&addresses, CHAIN_LTC);
    node.mine(1);
    let coins: Vec<Coin> = node.call("listunspent", json!([1]));
    assert!(coins.len() >= chains, "the wallet has a coin for each chain");
    let mut signed = Vec::new();
    for (coin, some) in coins.iter().zip(watched.chunks(CHAIN)) {
        let change = ScriptBuf::from_hex(&coin.script_pub_key).unwrap();
        let mut left = super::harness::json::litoshis(coin.amount.get());
        let mut at = OutPoint { txid: coin.txid, vout: coin.vout };
        for paid in some {
            let held = left;
            left -= PAID + 20_000;
            let output = |litoshis, script_pubkey: &ScriptBuf| TxOut {
                value: Amount::from_sat(litoshis),
                script_pubkey: script_pubkey.clone(),
            };
            let tx = Transaction {
                version: transaction::Version::TWO,
                lock_time: LockTime::ZERO,
                input: vec![TxIn {
                    previous_output: at,
                    sequence: Sequence::MAX,
                    ..TxIn::default()
                }],
                output: vec![output(PAID, &paid.script), output(left, &change)],
            };
            #[derive(Deserialize)]
            struct Signed {
                hex: String,
                complete: bool,
            }
            let before = json!([{
                "txid": at.txid.to_string(), "vout": at.vout,
                "scriptPubKey": coin.script_pub_key,
                "amount": super::harness::node::decimal(held),
            }]);
            let raw = serialize_hex(&tx);
            let done: Signed = node.call("signrawtransactionwithwallet", json!([raw, before]));
            assert!(done.complete, "the wallet signs for its own coins");
            at = OutPoint { txid: tx.compute_txid(), vout: 1 };
            signed.push((at.txid, done.hex));
        }
    }
    signed
}

/// Sends transactions at a steady rate.
fn send(node: &Node, transactions: &[(Txid, String)]) {
    let began = Instant::now();
    for (n, (_, hex)) in (0u32..).zip(transactions) {
        let due = Duration::from_secs(1) / RATE * n;
        std::thread::park_timeout(due.saturating_sub(began.elapsed()));
        node.call::<String>("sendrawtransaction", json!([hex]));
    }
}

/// Listens to what the node announces, and notes when.
struct Frames {
    seen: Instants,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Frames {
    fn listen(url: &str, transactions: &[(Txid, String)]) -> Frames {
        let context = zmq::Context::new();
        let socket = context.socket(zmq::SUB).unwrap();
        socket.set_subscribe(b"rawtx").unwrap();
        socket.set_rcvtimeo(200).unwrap();
        let notified = "inproc://frames";
        socket.monitor(notified, zmq::SocketEvent::HANDSHAKE_SUCCEEDED as i32).unwrap();
        let monitor = context.socket(zmq::PAIR).unwrap();
        monitor.connect(notified).unwrap();
        monitor.set_rcvtimeo(10_000).unwrap();
        socket.connect(url).unwrap();
        monitor.recv_multipart(0).unwrap(); // What is announced from now on is heard.
        let numbers: HashMap<Txid, usize> =
            transactions.iter().enumerate().map(|(n, (txid, _))| (*txid, n)).collect();
        let (seen, stop) = (Instants::default(), Arc::new(AtomicBool::new(false)));
        let (of_thread, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let Ok(parts) = socket.recv_multipart(0) else { continue };
                let now = Instant::now();
                let Ok(tx) = deserialize::<Transaction>(&parts[1]) else { continue };
                if let Some(n) = numbers.get(&tx.compute_txid()) {
                    of_thread.lock().unwrap().entry(*n).or_insert(now);
                }
            }
        });
        Frames { seen, stop, thread: Some(thread) }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Open event streams, read on a thread of their own.
struct Streams {
    opened: usize,
    paid: Instants,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Streams {
    /// Opens those of these numbers, on the payments in turn, until one is refused.
    fn open(port: u16, watched: &[Watched], numbers: std::ops::Range<usize>) -> Streams {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let paid = Instants::default();
        let asked: Vec<String> = watched.iter().map(|watched| watched.id.clone()).collect();
        let of_task = Arc::clone(&paid);
        let (sender, receiver) = std::sync::mpsc::channel();
        let all = async move {
            let mut tasks = JoinSet::new();
            for n in numbers {
                let payment = n % asked.len();
                let Ok(stream) = open_one(port, n, &asked[payment]).await else { break };
                tasks.spawn(read_on(stream, payment, Arc::clone(&of_task)));
            }
            sender.send(tasks.len()).unwrap();
            while tasks.join_next().await.is_some() {}
        };
        let mut kept = JoinSet::new();
        kept.spawn_on(all, runtime.handle());
        kept.detach_all();
        Streams { opened: receiver.recv().unwrap(), paid, runtime: Some(runtime) }
    }

    /// How long each of these took from its announcement to its event, sorted.
    fn times(&self, frames: &Frames, which: std::ops::Range<usize>) -> Vec<u64> {
        let began = Instant::now();
        loop {
            let (seen, paid) = (frames.seen.lock().unwrap(), self.paid.lock().unwrap());
            let mut times: Vec<u64> = which
                .clone()
                .filter_map(|n| {
                    Some(micros(paid.get(&n)?.saturating_duration_since(*seen.get(&n)?)))
                })
                .collect();
            if times.len() == which.len() {
                times.sort_unstable();
                return times;
            }
            drop((seen, paid));
            assert!(began.elapsed() < PATIENCE, "{} of {} events", times.len(), which.len());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Opens a stream from an address of this machine's own, and reads its first event.
async fn open_one(port: u16, n: usize, id: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let third = u8::try_from(n / STREAMS_EACH % 250).unwrap();
    let second = u8::try_from(n / STREAMS_EACH / 250 + 1).unwrap();
    socket.bind(SocketAddr::from(([127, second, third, 1], 0)))?;
    let mut stream = socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    let ask = load::request("GET", &format!("/api/payments/{id}/events"), &[], "");
    stream.write_all(&ask).await?;
    let mut first = Vec::new();
    while !first.windows(10).any(|part| part == b"\"paymentId") {
        if stream.read_buf(&mut first).await? == 0 || !first.starts_with(b"HTTP/1.1 200") {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
    }
    Ok(stream)
}

/// Reads until the stream ends, and notes when the payment was first seen to be paid.
async fn read_on(mut stream: TcpStream, payment: usize, paid: Instants) {
    let mut buffer = Vec::with_capacity(2048);
    while let Ok(1..) = stream.read_buf(&mut buffer).await {
        let now = Instant::now();
        if buffer.windows(10).any(|part| part == b"\"txids\":[\"") {
            paid.lock().unwrap().entry(payment).or_insert(now);
        }
        if buffer.ends_with(b"\n\n") || buffer.ends_with(b"\n\n\r\n") {
            buffer.clear();
        }
    }
}
