//! An RPC proxy between gateway and node that injects faults, and a relay that can drop
//! everything silently.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest life of a connection.
const LIFE: Duration = Duration::from_secs(150);

/// More bytes than the gateway reads of a response.
const TOO_LONG: usize = 52_000_000;

/// Poll interval of waiting threads.
const PAUSE: Duration = Duration::from_millis(20);

/// Faults of calls.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    None,
    /// Responds with this status and no JSON, as with a full work queue (503).
    Status(u16),
    /// Responds with 200 and no JSON.
    Garbage,
    /// Responds with this many bytes.
    Huge(usize),
    /// Responds after this time.
    Slow(Duration),
    /// As `Slow`, for this method only.
    SlowCall(&'static str, Duration),
    /// `scantxoutset` takes this time and reports 42 percent meanwhile.
    SlowScan(Duration),
    /// Another `scantxoutset` is running.
    BusyScan,
    /// Forbids this method (`rpcwhitelist`).
    Forbids(&'static str),
    /// A `scantxoutset` of more addresses than this gets a response that is too long; others
    /// respond after this time.
    LongScan(u64, Duration),
    /// Accepts calls and never responds. The connection stays open.
    Hole,
    /// As `Hole`, for this method only.
    HoleOf(&'static str),
    /// A pruned node: its lowest block, and the hashes of missing ones.
    Pruned(u32, Vec<String>),
    /// The node acts, but the response to this method is lost.
    Loses(&'static str),
    /// Changes the text of responses.
    Rewrite(&'static str, &'static str),
}

/// A proxy before a node's RPC port.
pub(crate) struct RpcProxy {
    port: u16,
    fault: Arc<Mutex<Fault>>,
    calls: Arc<Mutex<Vec<String>>>,
    hanging: Arc<Mutex<Hanging>>,
    listener: Listening,
}

/// Calls that hang.
#[derive(Default)]
struct Hanging {
    /// Calls whose caller still waits.
    open: Vec<String>,
    /// Number of callers that closed the connection.
    left: usize,
}

impl RpcProxy {
    pub(crate) fn before(rpc_url: &str) -> RpcProxy {
        let node: u16 = rpc_url.rsplit_once(':').unwrap().1.trim_end_matches('/').parse().unwrap();
        let fault = Arc::new(Mutex::new(Fault::None));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let hanging = Arc::new(Mutex::new(Hanging::default()));
        let (of_thread, noted) = (Arc::clone(&fault), Arc::clone(&calls));
        let held = Arc::clone(&hanging);
        let listener = Listening::start(move |stream, over| {
            answer(stream, node, &of_thread, &noted, &held, over);
        });
        RpcProxy { port: listener.port, fault, calls, hanging, listener }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Number of calls of a method.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|called| *called == method).count()
    }

    /// Number of hanging calls of a method whose caller still waits.
    pub(crate) fn hanging(&self, method: &str) -> usize {
        self.hanging.lock().unwrap().open.iter().filter(|held| *held == method).count()
    }

    /// Number of hanging calls of all methods whose caller still waits.
    pub(crate) fn hanging_calls(&self) -> usize {
        self.hanging.lock().unwrap().open.len()
    }

    /// Number of hanging calls whose caller closed the connection.
    pub(crate) fn left(&self) -> usize {
        self.hanging.lock().unwrap().left
    }

    /// Waits for this many further calls.
    #[track_caller]
    pub(crate) fn await_calls(&self, more: usize) {
        let enough = self.calls.lock().unwrap().len() + more;
        super::wait::wait_for("calls of the node", super::wait::SOON, || {
            self.calls.lock().unwrap().len() >= enough
        });
    }

    /// Accepts no further connection.
    pub(crate) fn close(self) {
        drop(self.listener);
    }
}

/// Serves one call.
fn answer(
    mut stream: TcpStream,
    node: u16,
    fault: &Mutex<Fault>,
    calls: &Mutex<Vec<String>>,
    hanging: &Mutex<Hanging>,
    over: &AtomicBool,
) -> Option<()> {
    let request = read_message(&mut stream)?;
    let text = String::from_utf8_lossy(&request).into_owned();
    let method = text.split("\"method\":\"").nth(1)?.split('"').next()?.to_owned();
    let is_look = text.contains("[\"status\"]"); // How far a scan is, and no scan.
    calls.lock().unwrap().push(if is_look { "status".to_owned() } else { method.clone() });
    let current = fault.lock().unwrap().clone();
    let answer = match current {
        Fault::None => forward(node, &request)?,
        Fault::Status(status) => http(&format!("{status} Said"), b"Work queue depth exceeded"),
        Fault::Garbage => http("200 OK", b"\x00\xff<html>not what you asked for"),
        Fault::Huge(bytes) => http("200 OK", &vec![b' '; bytes]),
        Fault::Slow(pause) => {
            std::thread::park_timeout(pause);
            forward(node, &request)?
        }
        Fault::SlowCall(slow, pause) => {
            if slow == method {
                std::thread::park_timeout(pause);
            }
            forward(node, &request)?
        }
        Fault::SlowScan(_) if is_look => said(&text, "{\"progress\":42}", "null"),
        Fault::SlowScan(pause) => {
            if method == "scantxoutset" {
                std::thread::park_timeout(pause);
            }
            forward(node, &request)?
        }
        Fault::LongScan(most, pause) if method == "scantxoutset" && !is_look => {
            if addresses(&text)? > most {
                http("200 OK", &vec![b' '; TOO_LONG])
            } else {
                std::thread::park_timeout(pause);
                forward(node, &request)?
            }
        }
        Fault::LongScan(..) => forward(node, &request)?,
        Fault::BusyScan if method == "scantxoutset" => {
            let error = r#"{"code":-8,"message":"Scan already in progress, use action \"abort\" or \"status\""}"#;
            said(&text, "null", error)
        }
        Fault::BusyScan => forward(node, &request)?,
        Fault::Forbids(forbidden) if forbidden == method => http("403 Forbidden", b""),
        Fault::Forbids(_) => forward(node, &request)?,
        Fault::HoleOf(held) if held != method => forward(node, &request)?,
        Fault::Hole | Fault::HoleOf(_) => {
            hang(&stream, &method, fault, hanging, over);
            return None;
        }
        Fault::Pruned(_, blocks) if method == "getblock" => {
            if blocks.iter().any(|hash| text.contains(hash)) {
                let error = r#"{"code":-1,"message":"Block not available (pruned data)"}"#;
                said(&text, "null", error)
            } else {
                forward(node, &request)?
            }
        }
        Fault::Pruned(lowest, _) => {
            let pruned = format!("\"pruned\":true,\"pruneheight\":{lowest}");
            rewritten(&forward(node, &request)?, "\"pruned\":false", &pruned)?
        }
        Fault::Loses(lost) if lost == method => {
            forward(node, &request)?;
            return None;
        }
        Fault::Loses(_) => forward(node, &request)?,
        Fault::Rewrite(from, to) => rewritten(&forward(node, &request)?, from, to)?,
    };
    stream.write_all(&answer).ok()
}

/// Holds a call until the fault ends or its caller closes the connection.
fn hang(
    stream: &TcpStream,
    method: &str,
    fault: &Mutex<Fault>,
    hanging: &Mutex<Hanging>,
    over: &AtomicBool,
) {
    let begun = Instant::now();
    hanging.lock().unwrap().open.push(method.to_owned());
    let _ = stream.set_read_timeout(Some(PAUSE));
    let mut left = false;
    while !left
        && begun.elapsed() < LIFE
        && !over.load(Ordering::Relaxed)
        && matches!(*fault.lock().unwrap(), Fault::Hole | Fault::HoleOf(_))
    {
        left = matches!(stream.peek(&mut [0]), Ok(0));
    }
    let mut hanging = hanging.lock().unwrap();
    let at = hanging.open.iter().position(|held| held == method);
    at.map(|at| hanging.open.swap_remove(at));
    hanging.left += usize::from(left);
}

/// Number of addresses of a `scantxoutset`; none for a status query.
fn addresses(request: &str) -> Option<u64> {
    let ranges = request.split("\"range\":[").skip(1);
    let counts = ranges.map(|range| {
        let (from, to) = range.split(']').next()?.split_once(',')?;
        Some(to.parse::<u64>().ok()? - from.parse::<u64>().ok()? + 1)
    });
    counts.sum()
}

/// A response with changed text.
fn rewritten(answer: &[u8], from: &str, to: &str) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_once(' ')?.1.lines().next()?.to_owned();
    Some(http(&status, body.replace(from, to).as_bytes()))
}

/// A node's response to this request.
fn said(request: &str, result: &str, error: &str) -> Vec<u8> {
    let id = request.rsplit("\"id\":").next().unwrap_or_default();
    let id: String = id.chars().take_while(|c| !",}".contains(*c)).collect();
    let body = format!("{{\"result\":{result},\"error\":{error},\"id\":{id}}}");
    http("200 OK", body.as_bytes())
}

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A request or response with its length.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    stream.set_read_timeout(Some(LIFE)).ok()?;
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    let mut body = vec![0; length.trim().parse().ok()?];
    stream.read_exact(&mut body).ok()?;
    request.extend(body);
    Some(request)
}

fn forward(node: u16, request: &[u8]) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", node)).ok()?;
    stream.write_all(request).ok()?;
    read_message(&mut stream) // The node keeps the connection open.
}

/// A relay between two ports, which can silently stop forwarding.
pub(crate) struct Relay {
    hole: Arc<AtomicBool>,
    listener: Listening,
}

impl Relay {
    pub(crate) fn before(port: u16) -> Relay {
        Relay::between("127.0.0.1:0", port)
    }

    /// As [`Relay::before`], on the IPv6 address of this machine.
    pub(crate) fn on_ipv6_before(port: u16) -> Relay {
        Relay::between("[::1]:0", port)
    }

    fn between(listen: &str, port: u16) -> Relay {
        let hole = Arc::new(AtomicBool::new(false));
        let of_thread = Arc::clone(&hole);
        let listener = Listening::start_on(listen, move |stream, over| {
            let Ok(other) = TcpStream::connect(("127.0.0.1", port)) else { return };
            std::thread::scope(|scope| {
                scope.spawn(|| pass(&stream, &other, &of_thread, over));
                pass(&other, &stream, &of_thread, over);
            });
        });
        Relay { hole, listener }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.port
    }

    /// Stops or resumes forwarding.
    pub(crate) fn set_hole(&self, hole: bool) {
        self.hole.store(hole, Ordering::Relaxed);
    }
}

/// Forwards bytes until one side ends.
fn pass(mut from: &TcpStream, mut to: &TcpStream, hole: &AtomicBool, over: &AtomicBool) {
    let _ = from.set_read_timeout(Some(PAUSE));
    let mut buffer = [0; 16 * 1024];
    while !over.load(Ordering::Relaxed) {
        if hole.load(Ordering::Relaxed) {
            std::thread::park_timeout(PAUSE);
            continue;
        }
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// A listener with a thread for each connection, until it is dropped.
struct Listening {
    address: SocketAddr,
    port: u16,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    fn start<T>(serve: impl Fn(TcpStream, &AtomicBool) -> T + Send + Sync + 'static) -> Listening {
        Listening::start_on("127.0.0.1:0", serve)
    }

    fn start_on<T>(
        listen: &str,
        serve: impl Fn(TcpStream, &AtomicBool) -> T + Send + Sync + 'static,
    ) -> Listening {
        let listener = TcpListener::bind(listen).unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.port();
        let over = Arc::new(AtomicBool::new(false));
        let (of_thread, serve) = (Arc::clone(&over), Arc::new(serve));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_thread.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), over) = (stream, Arc::clone(&of_thread)) else { continue };
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || {
                    serve(stream, &over);
                });
            }
        });
        Listening { address, port, over, thread: Some(thread) }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let woken = TcpStream::connect(self.address);
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}
