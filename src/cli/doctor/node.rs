//! Checks of the node: chain, sync, version, ZMQ, allowed RPCs and time.

use std::time::Duration;

use super::finding::{Finding, Report, Verdict, failure, finding, ok, warning};
use super::subject::Subject;
use crate::domain::chain::OurTip;
use crate::domain::network::Network;
use crate::node::chain::ChainState;
use crate::node::rpc::{self, Node};
use crate::node::status::{Notifications, Relay, Version};
use crate::node::{nodes, zmq};
use crate::operations::nodes::zmq_heard_at;
use crate::store::{blocks, payments};

/// Deadline of one RPC.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long each ZMQ publisher is listened to.
const ZMQ_PATIENCE: Duration = Duration::from_secs(2);

/// The least ZMQ high-water mark that keeps the messages of a burst.
const HIGH_WATER_MIN: u64 = 10_000;

/// Bytes of a mempool below which it is full on a busy day.
const MEMPOOL_MIN: u64 = 100_000_000;

/// Milliseconds by which a block's time may be ahead (consensus).
const AHEAD_MS_MAX: i64 = 2 * 3_600_000;

/// Milliseconds after which the newest block is improbably old: probability e^-48.
const AGE_MS_MAX: i64 = 2 * 3_600_000;

/// When the watcher last received a ZMQ message. The expected interval depends on the network,
/// so this is not evaluated.
pub(super) fn check_zmq_heard(subject: &Subject, report: Report) {
    if subject.nodes.iter().all(|node| node.zmq.is_none()) {
        return;
    }
    let heard_at = subject.store().map(|store| store.read_blocking(zmq_heard_at));
    // Other checks report an unreadable database.
    if let Ok(Ok(Some(heard_at))) = heard_at {
        let seconds = subject.clock.now().ms_since(heard_at).max(0) / 1_000;
        report(ok(
            "zmq heard",
            format!("the watcher received its last ZMQ message {seconds} s ago"),
        ));
    }
}

pub(super) fn check(subject: &Subject, settings: &nodes::Settings, report: Report) {
    let node = Node::with_timeout(settings.rpc.clone(), PATIENCE);
    let state = match node.chain_state() {
        Ok(state) => state,
        Err(error) => {
            let fix = "start litecoind, or correct [node] in the configuration";
            return report(failure("node", error.to_string()).fix(fix));
        }
    };
    if state.chain == subject.network.node_chain() {
        report(ok("node", format!("on {}, height {}", state.chain, state.tip.height)));
    } else {
        let what = format!("on {}, but network is {}", state.chain, subject.network);
        report(failure("node", what).fix("correct network or node.rpc_url"));
    }
    report(check_sync(subject, &state));
    report(check_chain(subject, &node, &state));
    match node.version() {
        Ok(version) => {
            report(check_version(settings, &version));
            report(check_relay(&version));
        }
        Err(error) => report(failure("version", error.to_string())),
    }
    report(check_zmq(settings, &node));
    report(check_calls(&node));
    report(check_mempool(&node));
    report(check_clock(subject, &node, &state));
    check_pruned(subject, &state).into_iter().for_each(report);
}

fn check_sync(subject: &Subject, state: &ChainState) -> Finding {
    let behind = state.headers.saturating_sub(state.tip.height);
    let downloading = state.initial_block_download && subject.network != Network::Regtest;
    if behind > 0 {
        warning("sync", format!("the node is {behind} blocks behind")).fix("wait")
    } else if downloading {
        warning("sync", "the node is still in its initial download").fix("wait")
    } else {
        ok("sync", "the node has all blocks of its best chain")
    }
}

/// Whether payments stay in the node's mempool until they are mined. No RPC reports
/// `mempoolexpiry`.
fn check_mempool(node: &Node) -> Finding {
    let found = match node.mempool_state() {
        Ok(found) => found,
        Err(error) => return failure("mempool", error.to_string()),
    };
    let disk_space_mb = found.bytes_max / 1_000_000;
    if found.taken_per_kvb > found.relayed_per_kvb {
        let what = format!(
            "the node's mempool is full: it drops payments with a fee below {} litoshis per \
             1,000 vbytes",
            found.taken_per_kvb
        );
        warning("mempool", what).fix("raise maxmempool= in litecoin.conf")
    } else if found.bytes_max < MEMPOOL_MIN {
        let what = format!("the mempool holds only {disk_space_mb} MB; a full one drops payments");
        warning("mempool", what).fix("set maxmempool=300 in litecoin.conf (the default)")
    } else {
        ok("mempool", format!("holds {disk_space_mb} MB and is not full"))
    }
}

/// Whether the node allows every RPC that the gateway uses (`rpcwhitelist`).
fn check_calls(node: &Node) -> Finding {
    match node.forbidden_calls() {
        Ok(forbidden) if forbidden.is_empty() => {
            ok("calls", "the node allows all RPCs of the gateway")
        }
        Ok(forbidden) => {
            let what = format!("the node does not allow {}", forbidden.join(", "));
            let fix = format!("in litecoin.conf: rpcwhitelist=NAME:{}", rpc::CALLS.join(","));
            failure("calls", what).fix(fix)
        }
        Err(error) => failure("calls", error.to_string()),
    }
}

/// Compares the clock with the newest block's time. On regtest, blocks come on demand.
fn check_clock(subject: &Subject, node: &Node, state: &ChainState) -> Finding {
    let block = match node.header(state.tip.hash) {
        Ok(header) => header.time,
        Err(error) => return failure("clock", error.to_string()),
    };
    let age_ms = subject.clock.now().ms_since(block);
    let minutes = age_ms.saturating_abs() / 60_000;
    if age_ms < -AHEAD_MS_MAX {
        let what =
            format!("this machine's clock is {minutes} minutes behind the newest block's time");
        failure("clock", what).fix("set the clock (chrony, timedatectl)")
    } else if age_ms > AGE_MS_MAX && subject.network != Network::Regtest {
        let what = format!("the newest block is {minutes} minutes old, or the clock is fast");
        warning("clock", what).fix("compare the clock and the node's height with another machine")
    } else {
        ok("clock", format!("{minutes} minutes from the newest block's time"))
    }
}

/// Whether `rescan` can read all blocks since the oldest open payment.
fn check_pruned(subject: &Subject, state: &ChainState) -> Option<Finding> {
    let lowest = state.prune_height?;
    let needed = subject.store().and_then(|store| {
        store.read_blocking(|tx| {
            let Some(since) = payments::oldest_pending(tx)? else { return Ok(None) };
            Ok::<_, anyhow::Error>(blocks::height_before(tx, since)?)
        })
    });
    Some(match needed {
        Ok(Some(needed)) if needed < lowest => {
            let what = format!(
                "the oldest open payment needs block {needed}; the node has blocks from {lowest} on"
            );
            warning("pruned", what)
                .fix("raise prune= in litecoin.conf, so that rescan can read them")
        }
        Ok(_) => ok("pruned", "the node has the blocks since the oldest open payment"),
        Err(error) => failure("pruned", format!("{error:#}")),
    })
}

/// Whether the node's chain is the database's, and goes back far enough.
fn check_chain(subject: &Subject, node: &Node, state: &ChainState) -> Finding {
    let evaluated = || -> anyhow::Result<(Verdict, String)> {
        let genesis = node.genesis_hash()?.to_string();
        if genesis != subject.network.genesis_hash() {
            let what = format!("the node's chain begins with {genesis}: another network's");
            return Ok((Verdict::Failure, what));
        }
        let store = subject.store()?;
        let (first, tip) = store
            .read_blocking(|tx| Ok::<_, anyhow::Error>((blocks::first(tx)?, blocks::tip(tx)?)))?;
        let (Some(first), Some(tip)) = (first, tip) else {
            return Ok((Verdict::Ok, "no block read yet".to_owned()));
        };
        if node.place_of(first)? == OurTip::Unknown {
            let what = format!(
                "the node does not know block {} {}of our chain: point \
                 node.rpc_url at the node that was used before",
                first.height, first.hash
            );
            return Ok((Verdict::Failure, what));
        }
        let next = tip.height.saturating_add(1);
        if state.prune_height.is_some_and(|lowest| next < lowest) {
            let what = format!(
                "the node has pruned block {next}, which the gateway has not read: start it with \
                 -reindex, or run litegate rescan --from-utxo-set"
            );
            return Ok((Verdict::Failure, what));
        }
        Ok((Verdict::Ok, format!("matches the database, up to height {}", tip.height)))
    };
    match evaluated() {
        Ok((verdict, what)) => finding("chain", verdict, what),
        Err(error) => finding("chain", Verdict::Failure, format!("{error:#}")),
    }
}

fn check_version(settings: &nodes::Settings, version: &Version) -> Finding {
    if Network::Main.oldest_node().is_none_or(|oldest| version.number >= oldest) {
        return ok("version", &version.name);
    }
    let verdict = if settings.oldest.is_some() { Verdict::Failure } else { Verdict::Warning };
    let what = format!("{}: mainnet needs 0.21.5.4 or later", version.name);
    finding("version", verdict, what).fix("see litecoind.md for a suitable build")
}

/// Whether the node sees transactions before they are in a block.
fn check_relay(version: &Version) -> Finding {
    match version.relay {
        Relay::Transactions => ok("relay", "the node relays unconfirmed transactions"),
        Relay::BlocksOnly => {
            let what = "the node runs with -blocksonly: it sees a payment only when a block \
                        has it, minutes after the shopper paid";
            warning("relay", what).fix("remove blocksonly=1 from litecoin.conf")
        }
    }
}

/// Whether the configured publishers answer, and whether a message arrives. Each is listened
/// to on a separate thread.
pub(super) fn check_zmq_endpoints(settings: &zmq::Settings, report: Report) {
    let mut endpoints = vec![&settings.rawtx, &settings.hashblock];
    endpoints.dedup();
    let heard: Vec<Finding> = std::thread::scope(|scope| {
        let listen = |endpoint: &'_ String| {
            let endpoint = endpoint.clone();
            scope.spawn(move || evaluate_endpoint(&endpoint))
        };
        let listening: Vec<_> = endpoints.into_iter().map(listen).collect();
        listening.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    heard.into_iter().for_each(report);
}

fn evaluate_endpoint(endpoint: &str) -> Finding {
    let check = "zmq endpoint";
    let seconds = ZMQ_PATIENCE.as_secs();
    match zmq::probe::probe(endpoint, ZMQ_PATIENCE) {
        Ok(zmq::probe::ProbeOutcome::Message) => {
            ok(check, format!("received a message from {endpoint}"))
        }
        Ok(zmq::probe::ProbeOutcome::Silent) => {
            let what = format!(
                "a publisher answers at {endpoint}; no message within {seconds} s, which is \
                 normal on a quiet chain"
            );
            ok(check, what)
        }
        Ok(zmq::probe::ProbeOutcome::NoPublisher) => {
            let what = format!(
                "no ZMQ publisher answers at {endpoint}: payments are detected by polling, every \
                 second"
            );
            warning(check, what).fix(
                "set the address at which the node publishes (litecoin-cli getzmqnotifications), \
                 and open it in firewalls",
            )
        }
        Err(error) => failure(check, format!("{endpoint}: {error}")),
    }
}

fn check_zmq(settings: &nodes::Settings, node: &Node) -> Finding {
    let polling = "payments are detected by polling, every second";
    if settings.zmq.is_none() {
        return finding("zmq", Verdict::Warning, format!("not configured: {polling}"));
    }
    match node.notifications() {
        Ok(Notifications::NotBuiltIn) => {
            let what = format!("this litecoind was built without ZMQ: {polling}");
            warning("zmq", what).fix("use Litecoin Core's own build")
        }
        Ok(Notifications::Topics(topics)) => {
            let missing: Vec<&str> = ["pubrawtx", "pubhashblock"]
                .into_iter()
                .filter(|kind| topics.iter().all(|topic| topic.kind != *kind))
                .collect();
            let small = topics.iter().filter_map(|t| t.high_water).min().unwrap_or(HIGH_WATER_MIN);
            if !missing.is_empty() {
                let what =
                    format!("the node does not publish {}: {polling}", missing.join(" and "));
                let lines = missing.join("=… and zmq");
                return warning("zmq", what).fix(format!("add zmq{lines}=… to litecoin.conf"));
            }
            let at = topics.first().map(|topic| topic.address.clone()).unwrap_or_default();
            if small < HIGH_WATER_MIN {
                let what = format!("the node publishes at {at} and drops messages beyond {small}");
                let fix = "zmqpubrawtxhwm=10000 and zmqpubhashblockhwm=10000 in litecoin.conf";
                return warning("zmq", what).fix(fix);
            }
            ok("zmq", format!("the node publishes at {at}"))
        }
        Err(error) => finding("zmq", Verdict::Failure, error.to_string()),
    }
}
