//! ZMQ messages for a node built without ZMQ, produced from its RPC, and a raw publisher for
//! invalid frames.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::rpc::{Rpc, RpcError};

/// Poll interval of the announcer.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A PUB socket that sends frames like litecoind: topic, body, and a little-endian sequence
/// number of four bytes per topic.
pub(crate) struct Publisher {
    socket: zmq::Socket,
    next: BTreeMap<String, u32>,
}

impl Publisher {
    /// Binds to this port on the loopback address.
    pub(crate) fn bind(port: u16) -> Publisher {
        let socket = zmq::Context::new().socket(zmq::PUB).unwrap();
        socket.set_linger(0).unwrap();
        socket.set_sndhwm(100_000).unwrap();
        socket.bind(&format!("tcp://127.0.0.1:{port}")).unwrap();
        Publisher { socket, next: BTreeMap::new() }
    }

    /// Sends a message with the topic's next number.
    pub(crate) fn publish(&mut self, topic: &str, body: &[u8]) {
        let next = self.next.entry(topic.to_owned()).or_default();
        let sequence = *next;
        *next = next.wrapping_add(1);
        self.publish_as(topic, body, sequence);
    }

    /// Sends a message with this number.
    pub(crate) fn publish_as(&self, topic: &str, body: &[u8], sequence: u32) {
        self.publish_parts(&[topic.as_bytes(), body, &sequence.to_le_bytes()]);
    }

    /// Sends a message with arbitrary parts.
    pub(crate) fn publish_parts(&self, parts: &[&[u8]]) {
        self.socket.send_multipart(parts, 0).unwrap();
    }
}

/// Publishes by RPC polling what the node's ZMQ would: `rawtx` for each transaction that
/// enters the mempool and for each one of connected and disconnected blocks, then `hashblock`
/// for a new tip.
pub(crate) struct Announcer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Starts with the next events.
    pub(crate) fn start(rpc: Rpc, port: u16) -> Announcer {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut publisher = Publisher::bind(port);
        let mut view = View::of(&rpc).unwrap_or_default();
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // A stopping node cannot answer; the next poll may.
                if let Ok(next) = View::of(&rpc)
                    && view.tell(&next, &rpc, &mut publisher).is_ok()
                {
                    view = next;
                }
                std::thread::park_timeout(LOOK_EVERY);
            }
        });
        Announcer { stop, thread: Some(thread) }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread was reported; the test misses its frames.
            let _ = thread.join();
        }
    }
}

/// The node's state at one poll.
#[derive(Default, Clone)]
struct View {
    tip: String,
    mempool: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Header {
    height: u64,
    previousblockhash: Option<String>,
}

#[derive(Deserialize)]
struct Block {
    tx: Vec<BlockTx>,
}

#[derive(Deserialize)]
struct BlockTx {
    hex: String,
}

impl View {
    fn of(rpc: &Rpc) -> Result<View, RpcError> {
        let tip = rpc.try_call("getbestblockhash", json!([]))?;
        let mempool = rpc.try_call("getrawmempool", json!([]))?;
        Ok(View { tip, mempool })
    }

    /// Publishes the changes between two states.
    fn tell(&self, next: &View, rpc: &Rpc, publisher: &mut Publisher) -> Result<(), RpcError> {
        let mut blocks = Vec::new();
        if next.tip != self.tip && !self.tip.is_empty() {
            let (gone, new) = path(rpc, &self.tip, &next.tip)?;
            blocks.extend(gone);
            blocks.extend(new);
        }
        let mut transactions = Vec::new();
        for hash in &blocks {
            let block: Block = rpc.try_call("getblock", json!([hash, 2]))?;
            transactions.extend(block.tx.into_iter().map(|tx| tx.hex));
        }
        for txid in next.mempool.difference(&self.mempool) {
            // It may have left the mempool; then its block reports it.
            if let Ok(hex) = rpc.try_call::<String>("getrawtransaction", json!([txid])) {
                transactions.push(hex);
            }
        }
        for hex in transactions {
            publisher.publish("rawtx", &unhex(&hex));
        }
        if next.tip != self.tip {
            publisher.publish("hashblock", &unhex(&next.tip));
        }
        Ok(())
    }
}

/// The blocks between two tips: those to disconnect, top first, and those to connect, lowest
/// first.
fn path(rpc: &Rpc, from: &str, to: &str) -> Result<(Vec<String>, Vec<String>), RpcError> {
    let header = |hash: &str| rpc.try_call::<Header>("getblockheader", json!([hash]));
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    let (mut ours, mut theirs) = (from.to_owned(), to.to_owned());
    while ours != theirs {
        let (our_header, their_header) = (header(&ours)?, header(&theirs)?);
        if our_header.height >= their_header.height {
            gone.push(std::mem::replace(&mut ours, our_header.previousblockhash.unwrap()));
        } else {
            new.push(std::mem::replace(&mut theirs, their_header.previousblockhash.unwrap()));
        }
    }
    new.reverse();
    Ok((gone, new))
}

/// Decodes hexadecimal text.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    bitcoin::hex::FromHex::from_hex(text).unwrap()
}
