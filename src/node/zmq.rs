//! ZMQ subscriber: signals that a transaction or a block may exist, or that messages were
//! lost.
//!
//! One thread owns the sockets, parses messages and checks the sequence numbers. A [`Signal`]
//! is not a fact: ZMQ has no authentication, another program may have bound the node's port,
//! and messages are lost silently.

pub(crate) mod probe;

use std::collections::HashMap;
use std::net::ToSocketAddrs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// The node's ZMQ endpoints. Both may be the same.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) rawtx: String,
    pub(crate) hashblock: String,
}

/// A reason to ask the node now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The node may know the transaction with these bytes.
    Tx(Vec<u8>),
    /// The node may have a new tip.
    Block,
    /// Messages were lost: make a whole pass.
    Resync,
    /// A publisher is connected: make a whole pass for the messages before that.
    Up,
    /// The connection to the publisher broke.
    Down,
}

/// One message: topic, body, and the sequence number of the topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame<'m> {
    pub(crate) topic: Topic,
    pub(crate) body: &'m [u8],
    pub(crate) sequence: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    RawTx,
    HashBlock,
}

/// The largest accepted message, in bytes. A transaction cannot be larger than a block.
const MESSAGE_BYTES_MAX: i64 = 8 * 1024 * 1024;

/// Messages that libzmq queues while the subscriber is busy.
const HIGH_WATER_MARK: i32 = 10_000;

/// The longest transaction in a [`Signal::Tx`], in bytes. A longer one becomes a
/// [`Signal::Resync`], so that waiting signals take little memory.
const TX_SIGNAL_BYTES_MAX: usize = 100_000;

const STOP_CHECK_MS: i64 = 250;

/// Monitor events of libzmq (zmq.h): the handshake with a publisher is done; the connection
/// broke.
const EVENT_HANDSHAKE_SUCCEEDED: u16 = 0x1000;
const EVENT_DISCONNECTED: u16 = 0x0200;

/// ZMQ counters since the start of the process, for the metrics.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    messages: AtomicU64,
    gaps: AtomicU64,
    malformed: AtomicU64,
    connections: AtomicU64,
    losses: AtomicU64,
    overflows: AtomicU64,
    resyncs: AtomicU64,
}

impl Counters {
    /// Each count with its name and meaning, as the metrics show them.
    pub(crate) fn all(&self) -> [(&'static str, &'static str, u64); 7] {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("litegate_zmq_messages_total", "ZMQ messages received", read(&self.messages)),
            (
                "litegate_zmq_gaps_total",
                "Sequence numbers that do not follow: messages lost or repeated, or the node restarted",
                read(&self.gaps),
            ),
            ("litegate_zmq_malformed_total", "Malformed ZMQ messages", read(&self.malformed)),
            (
                "litegate_zmq_connections_total",
                "Connections to the node's ZMQ publisher",
                read(&self.connections),
            ),
            (
                "litegate_zmq_connection_losses_total",
                "Lost connections to the node's ZMQ publisher",
                read(&self.losses),
            ),
            (
                "litegate_zmq_overflows_total",
                "Signals dropped because the watcher's queue was full",
                read(&self.overflows),
            ),
            (
                "litegate_zmq_resyncs_total",
                "Passes caused by lost or malformed messages",
                read(&self.resyncs),
            ),
        ]
    }

    /// Counts a pass that lost messages caused.
    pub(crate) fn resynchronised(&self) {
        count(&self.resyncs);
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The endpoint of libzmq's socket monitor.
const MONITOR: &str = "inproc://litegate-zmq-monitor";

/// How long a broken connection may take to return before the socket is replaced. Longer than
/// libzmq's longest reconnect interval.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// Parses one message. `None` unless it has exactly the documented form.
pub(crate) fn parse_frame<'m>(parts: &'m [Vec<u8>]) -> Option<Frame<'m>> {
    let [topic, body, sequence] = parts else { return None };
    let topic = match topic.as_slice() {
        b"rawtx" => Topic::RawTx,
        b"hashblock" if body.len() == 32 => Topic::HashBlock,
        _ => return None,
    };
    let sequence = u32::from_le_bytes(sequence.as_slice().try_into().ok()?);
    Some(Frame { topic, body, sequence })
}

#[derive(Debug, Default)]
pub(crate) struct Sequences {
    last: HashMap<Topic, u32>,
}

impl Sequences {
    /// Whether this number follows the last one. If not, messages were lost or repeated, or
    /// the node restarted.
    pub(crate) fn follows(&mut self, topic: Topic, sequence: u32) -> bool {
        match self.last.insert(topic, sequence) {
            Some(last) => last.wrapping_add(1) == sequence,
            None => true,
        }
    }
}

/// Subscribes and sends signals until the shutdown. Blocks its thread.
///
/// # Errors
/// If the addresses are no ZMQ endpoints, or the system gives no sockets.
pub(crate) fn run(
    settings: &Settings,
    signals: &SyncSender<Signal>,
    counters: &Counters,
    shutdown: &CancellationToken,
) -> Result<(), zmq::Error> {
    while listen(settings, signals, counters, shutdown)? == Ended::Deaf {}
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Stopped,
    /// The connection broke and did not return. libzmq reconnects automatically, but not after
    /// a message that is too long.
    Deaf,
}

/// Runs one socket.
fn listen(
    settings: &Settings,
    signals: &SyncSender<Signal>,
    counters: &Counters,
    shutdown: &CancellationToken,
) -> Result<Ended, zmq::Error> {
    let context = zmq::Context::new();
    let (socket, monitor) = subscribed(&context, settings)?;
    let mut sequences = Sequences::default();
    let mut broken_since: Option<Instant> = None;
    // A signal did not fit into the queue: a resynchronisation replaces it.
    let mut missed = false;
    while !shutdown.is_cancelled() {
        let mut items = [socket.as_poll_item(zmq::POLLIN), monitor.as_poll_item(zmq::POLLIN)];
        zmq::poll(&mut items, STOP_CHECK_MS)?;
        let (message, event) = (items[0].is_readable(), items[1].is_readable());
        let mut found = Vec::new();
        if missed {
            found.push(Signal::Resync);
        }
        if event {
            let signal = signal_of_event(&monitor.recv_multipart(0)?, counters);
            match signal {
                Some(Signal::Down) => broken_since = Some(Instant::now()),
                Some(_) => broken_since = None,
                None => {}
            }
            found.extend(signal);
        }
        if message {
            let parts = socket.recv_multipart(0)?;
            found.extend(signals_of_message(&parts, &mut sequences, counters));
        }
        missed = false;
        for signal in found {
            match signals.try_send(signal) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    count(&counters.overflows);
                    missed = true;
                }
                Err(TrySendError::Disconnected(_)) => return Ok(Ended::Stopped),
            }
        }
        if broken_since.is_some_and(|since| since.elapsed() > RECONNECT_PATIENCE) {
            return Ok(Ended::Deaf);
        }
    }
    Ok(Ended::Stopped)
}

/// A socket that is subscribed to the endpoints, and the one that receives its monitor's events.
fn subscribed(
    context: &zmq::Context,
    settings: &Settings,
) -> Result<(zmq::Socket, zmq::Socket), zmq::Error> {
    let socket = subscriber(context)?;
    let monitor = context.socket(zmq::PAIR)?;
    monitor.set_linger(0)?;
    monitor.connect(MONITOR)?;
    connect(&socket, settings)?;
    Ok((socket, monitor))
}

fn subscriber(context: &zmq::Context) -> Result<zmq::Socket, zmq::Error> {
    let socket = context.socket(zmq::SUB)?;
    socket.set_rcvhwm(HIGH_WATER_MARK)?;
    socket.set_maxmsgsize(MESSAGE_BYTES_MAX)?;
    socket.set_linger(0)?;
    socket.set_reconnect_ivl(250)?;
    socket.set_reconnect_ivl_max(5_000)?;
    socket.set_connect_timeout(5_000)?;
    socket.set_handshake_ivl(10_000)?;
    // A connection that died without a FIN is detected after two heartbeats.
    socket.set_heartbeat_ivl(5_000)?;
    socket.set_heartbeat_timeout(10_000)?;
    socket.set_heartbeat_ttl(15_000)?;
    socket.set_tcp_keepalive(1)?;
    socket.set_tcp_keepalive_idle(60)?;
    socket.set_tcp_keepalive_intvl(10)?;
    socket.set_tcp_keepalive_cnt(3)?;
    let events = i32::from(EVENT_HANDSHAKE_SUCCEEDED) | i32::from(EVENT_DISCONNECTED);
    socket.monitor(MONITOR, events)?;
    Ok(socket)
}

fn connect(socket: &zmq::Socket, settings: &Settings) -> Result<(), zmq::Error> {
    socket.set_subscribe(b"rawtx")?;
    socket.set_subscribe(b"hashblock")?;
    socket.set_ipv6([&settings.rawtx, &settings.hashblock].into_iter().any(|at| wants_ipv6(at)))?;
    socket.connect(&settings.rawtx)?;
    if settings.hashblock != settings.rawtx {
        socket.connect(&settings.hashblock)?;
    }
    Ok(())
}

/// Whether a publisher has only IPv6 addresses. With IPv6 enabled, libzmq prefers it even
/// where the node listens on IPv4 only.
fn wants_ipv6(endpoint: &str) -> bool {
    let Some(address) = endpoint.strip_prefix("tcp://") else { return false };
    let Ok(mut found) = address.to_socket_addrs() else { return false };
    found.all(|address| address.is_ipv6())
}

/// The event number of a message of libzmq's monitor.
fn event_number(parts: &[Vec<u8>]) -> Option<u16> {
    let number = parts.first()?.get(..2)?;
    Some(u16::from_le_bytes(number.try_into().ok()?))
}

fn signal_of_event(parts: &[Vec<u8>], counters: &Counters) -> Option<Signal> {
    match event_number(parts)? {
        EVENT_HANDSHAKE_SUCCEEDED => {
            count(&counters.connections);
            Some(Signal::Up)
        }
        EVENT_DISCONNECTED => {
            count(&counters.losses);
            Some(Signal::Down)
        }
        _ => None,
    }
}

fn signals_of_message(
    parts: &[Vec<u8>],
    sequences: &mut Sequences,
    counters: &Counters,
) -> Vec<Signal> {
    count(&counters.messages);
    let Some(frame) = parse_frame(parts) else {
        count(&counters.malformed);
        tracing::debug!(parts = parts.len(), "ZMQ message malformed");
        return vec![Signal::Resync];
    };
    let mut signals = Vec::with_capacity(2);
    if !sequences.follows(frame.topic, frame.sequence) {
        count(&counters.gaps);
        tracing::debug!(topic = ?frame.topic, sequence = frame.sequence, "gap in ZMQ sequence");
        signals.push(Signal::Resync);
    }
    signals.push(match frame.topic {
        Topic::RawTx if frame.body.len() > TX_SIGNAL_BYTES_MAX => Signal::Resync,
        Topic::RawTx => Signal::Tx(frame.body.to_vec()),
        Topic::HashBlock => Signal::Block,
    });
    signals
}

/// The interval of passes while ZMQ works.
pub(crate) const POLL_WITH_ZMQ: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_enabled_only_for_endpoints_that_need_it() {
        #[track_caller]
        fn check(endpoint: &str, expected: bool) {
            assert_eq!(wants_ipv6(endpoint), expected, "{endpoint}");
        }
        check("tcp://[::1]:28332", true);
        check("tcp://127.0.0.1:28332", false);
        check("ipc:///run/litecoin/zmq", false);
    }

    fn message(topic: &str, body: &[u8], sequence: &[u8]) -> Vec<Vec<u8>> {
        vec![topic.as_bytes().to_vec(), body.to_vec(), sequence.to_vec()]
    }

    #[test]
    fn malformed_zmq_frames_are_rejected() {
        let good = message("rawtx", b"bytes", &[1, 0, 0, 0]);
        let frame = parse_frame(&good).expect("the documented form");
        assert_eq!((frame.topic, frame.body, frame.sequence), (Topic::RawTx, &b"bytes"[..], 1));
        for bad in [
            vec![],
            message("rawtx", b"", &[1, 0, 0]),
            message("rawtx", b"", &[1, 0, 0, 0, 0]),
            message("rawblock", b"", &[1, 0, 0, 0]),
            message("hashblock", &[0; 31], &[1, 0, 0, 0]),
            good[..2].to_vec(),
            [good.clone(), vec![vec![]]].concat(),
        ] {
            assert_eq!(parse_frame(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_gap_a_repeat_and_a_restart_each_require_a_resync() {
        let mut sequences = Sequences::default();
        let mut follows = |n| sequences.follows(Topic::RawTx, n);
        assert!(follows(7), "the first number is as good as any");
        assert!(follows(8));
        assert!(!follows(10), "a gap");
        assert!(follows(11));
        assert!(!follows(11), "a repeat");
        assert!(!follows(0), "the node was restarted");
        assert!(sequences.follows(Topic::HashBlock, 5), "each topic counts for itself");
    }

    #[test]
    fn sequences_wrap_around() {
        let mut sequences = Sequences::default();
        assert!(sequences.follows(Topic::RawTx, u32::MAX));
        assert!(sequences.follows(Topic::RawTx, 0));
    }
}
