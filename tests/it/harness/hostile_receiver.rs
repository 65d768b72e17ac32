//! Hostile or broken receivers of webhooks.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The behaviour for each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misbehaviour {
    /// Never answers.
    Hang,
    /// Resets the connection before reading.
    Reset,
    /// Sends these bytes.
    Text(Vec<u8>),
    /// Sends these bytes, and then the others endlessly.
    Flood(Vec<u8>, Vec<u8>),
    /// Sends these bytes one by one with pauses.
    Drip(Vec<u8>),
}

impl Misbehaviour {
    /// Sends this status line and body.
    pub(crate) fn answer(status: &str, body: &str) -> Misbehaviour {
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
        Misbehaviour::Text((head + body).into_bytes())
    }

    /// 200 with an endless body.
    pub(crate) fn endless_body() -> Misbehaviour {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        Misbehaviour::Flood(head.to_vec(), vec![b'x'; 4096])
    }

    /// 200 with endless headers.
    pub(crate) fn endless_header() -> Misbehaviour {
        let field = format!("x-{}: {}\r\n", "y".repeat(30), "z".repeat(4_000));
        Misbehaviour::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), field.into_bytes())
    }

    /// 200 with an endless header line.
    pub(crate) fn endless_field() -> Misbehaviour {
        Misbehaviour::Flood(b"HTTP/1.1 200 OK\r\nx-y: ".to_vec(), vec![b'z'; 4096])
    }

    /// 200 with a gzip stream of some kilobytes that expands to a gigabyte or more.
    pub(crate) fn gzip_bomb() -> Misbehaviour {
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99999999999\r\n\r\n";
        // RFC 1952: magic, deflate, no flags, no time, unknown system. RFC 1951: a final block
        // with fixed codes, the byte 0, then "258 bytes from distance one" repeatedly: 13 bits
        // each.
        let mut start = head.to_vec();
        start.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
        let mut bits: Vec<bool> = vec![true, true, false];
        bits.extend([false, false, true, true, false, false, false, false]);
        // Whole bytes: three bits of the next code go into the second byte.
        let repeat: Vec<bool> =
            "1100010100000".bytes().map(|bit| bit == b'1').cycle().take(13 * 8 * 40 + 5).collect();
        bits.extend(&repeat[..5]);
        start.extend(pack(&bits));
        Misbehaviour::Flood(start, pack(&repeat[5..]))
    }

    /// Endless interim responses (RFC 9110, 15.2), one at a time.
    pub(crate) fn endless_continues() -> Misbehaviour {
        Misbehaviour::Drip(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(10_000))
    }

    /// A status line that takes days.
    pub(crate) fn drip() -> Misbehaviour {
        let reason = "k".repeat(100_000);
        Misbehaviour::Drip(format!("HTTP/1.1 200 o{reason}").into_bytes())
    }
}

/// Packs bits as deflate does, lowest first.
fn pack(bits: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    bits.chunks(8).map(byte).collect()
}

/// A hostile receiver on a free port.
pub(crate) struct HostileReceiver {
    port: u16,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    /// Time of each connection.
    came_at: Mutex<Vec<Instant>>,
    /// Only counted for a receiver that hangs.
    max_open_payments: AtomicUsize,
    sent_max: AtomicU64,
    stop: AtomicBool,
}

impl HostileReceiver {
    pub(crate) fn start(misbehaviour: Misbehaviour) -> HostileReceiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let mut held = Held::default();
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&shared)) else { continue };
                state.came_at.lock().unwrap().push(Instant::now());
                if misbehaviour == Misbehaviour::Hang {
                    let open = held.hold(stream);
                    state.max_open_payments.fetch_max(open, Ordering::SeqCst);
                    continue;
                }
                let misbehaviour = misbehaviour.clone();
                std::thread::spawn(move || {
                    let sent = serve(stream, &misbehaviour, &state.stop);
                    state.sent_max.fetch_max(sent, Ordering::SeqCst);
                });
            }
        });
        HostileReceiver { port, state, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// Time of each connection.
    pub(crate) fn came_at(&self) -> Vec<Instant> {
        self.state.came_at.lock().unwrap().clone()
    }

    /// Largest number of concurrent connections to a receiver that hangs.
    pub(crate) fn max_open_payments(&self) -> usize {
        self.state.max_open_payments.load(Ordering::SeqCst)
    }

    /// Largest number of bytes that one connection accepted, including buffers.
    pub(crate) fn sent_max(&self) -> u64 {
        self.state.sent_max.load(Ordering::SeqCst)
    }
}

impl Drop for HostileReceiver {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Relaxed);
        let woken = TcpStream::connect(("127.0.0.1", self.port));
        if let (Ok(_), Some(thread)) = (woken, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

/// Connections that are never answered.
#[derive(Default)]
struct Held {
    streams: Vec<TcpStream>,
}

impl Held {
    /// Holds one more connection, drops those that the peer has closed, and answers the number
    /// of open ones. Earlier closes are visible in the sockets already, so the count does not
    /// depend on thread scheduling.
    fn hold(&mut self, stream: TcpStream) -> usize {
        stream.set_nonblocking(true).unwrap();
        self.streams.retain_mut(|stream| {
            let mut heard = [0; 16 * 1024];
            loop {
                match stream.read(&mut heard) {
                    Ok(1..) => {}
                    Ok(0) => return false,
                    Err(error) => return error.kind() == ErrorKind::WouldBlock,
                }
            }
        });
        self.streams.push(stream);
        self.streams.len()
    }
}

/// Serves a connection. Answers the number of bytes sent.
fn serve(stream: TcpStream, misbehaviour: &Misbehaviour, stop: &AtomicBool) -> u64 {
    // Errors here are intended.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(60)));
    let _ = stream.set_write_timeout(Some(Duration::from_secs(60)));
    let mut stream = stream;
    if *misbehaviour == Misbehaviour::Reset {
        // Unread bytes make the system send a reset.
        let _ = stream.peek(&mut [0]);
        return 0;
    }
    let mut request = [0; 16 * 1024];
    let _ = stream.read(&mut request);
    let mut sent = 0;
    let mut send = |bytes: &[u8]| {
        let written = stream.write_all(bytes).is_ok() && !stop.load(Ordering::Relaxed);
        sent += if written { bytes.len() as u64 } else { 0 };
        written
    };
    match misbehaviour {
        Misbehaviour::Hang | Misbehaviour::Reset => {}
        Misbehaviour::Text(bytes) => {
            send(bytes);
        }
        Misbehaviour::Flood(start, rest) => {
            let mut goes_on = send(start);
            while goes_on {
                goes_on = send(rest);
            }
        }
        Misbehaviour::Drip(bytes) => {
            for byte in bytes {
                if !send(&[*byte]) {
                    break;
                }
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
    }
    sent
}
