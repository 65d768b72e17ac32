//! The node monitor: probes all nodes, if there are several, and chooses the one to follow. It
//! has its own thread, so that a node that hangs delays nothing else.
//!
//! Must not know: how the chosen node is followed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::domain::failover::{Health, LAG_BLOCKS, NodePool, ProbeResult, RACE_BLOCKS};
use crate::domain::network::Network;
use crate::metrics;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::transport::Cancelled;
use crate::operations::nodes::{self, Compared, Ours};
use crate::store::Store;

/// The longest pause between two rounds of probes.
const PROBE_INTERVAL_MAX: Duration = Duration::from_secs(5);

/// Rounds of probes within `failover.timeout`, at least.
const PROBES: u32 = 5;

pub(super) struct NodeMonitor {
    began: Instant,
    pool: Arc<Mutex<NodePool>>,
    thread: Option<JoinHandle<()>>,
}

pub(super) struct Prober {
    pub(super) nodes: Nodes,
    pub(super) store: Store,
    pub(super) network: Network,
    /// How long the followed node may be unhealthy (`failover.timeout`).
    pub(super) failover_timeout: Duration,
    pub(super) shutdown: CancellationToken,
}

impl NodeMonitor {
    /// Starts to probe, with this node in use. A single node is not probed.
    pub(super) fn start(prober: Prober, in_use: usize) -> NodeMonitor {
        let count = prober.nodes.all().len();
        let timeout_ms = i64::try_from(prober.failover_timeout.as_millis()).unwrap_or(i64::MAX);
        let pool = Arc::new(Mutex::new(NodePool::new(count, in_use, timeout_ms, 0)));
        let began = Instant::now();
        let shared = Arc::clone(&pool);
        let thread = (count > 1).then(|| {
            std::thread::Builder::new()
                .name("node-monitor".to_owned())
                .spawn(move || prober.run(&shared, began))
                .expect("the system can start one more thread at start-up")
        });
        NodeMonitor { began, pool, thread }
    }

    /// The node to follow instead of the one in use, if a failover is due.
    pub(super) fn next(&self) -> Option<usize> {
        locked(&self.pool).next(ms_since(self.began))
    }

    /// The followed node with calls that are cancelled once a failover is due, so that a
    /// hanging call does not delay it.
    pub(super) fn cancelled_by_failover(&self, followed: &Candidate) -> Candidate {
        let (pool, began) = (Arc::clone(&self.pool), self.began);
        let failover_due: Cancelled =
            Arc::new(move || locked(&pool).next(ms_since(began)).is_some());
        Candidate { node: followed.node.cancelled_by(failover_due), ..followed.clone() }
    }

    pub(super) fn health_of(&self, index: usize) -> &'static str {
        locked(&self.pool).health().nth(index).map_or("unknown", Health::as_str)
    }

    /// A node to compare the one in use with. `present` is the current choice.
    pub(super) fn other(&self, present: Option<usize>) -> Option<usize> {
        locked(&self.pool).other(present)
    }

    pub(super) fn follow(&self, index: usize) {
        locked(&self.pool).follow(index);
    }

    /// Waits for the thread, which ends after the shutdown signal.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic was reported when it happened.
        }
    }
}

fn locked(pool: &Mutex<NodePool>) -> MutexGuard<'_, NodePool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ms_since(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}

impl Prober {
    fn run(&self, pool: &Mutex<NodePool>, began: Instant) {
        let pause = (self.failover_timeout / PROBES).min(PROBE_INTERVAL_MAX);
        let mut logged: Vec<Health> = locked(pool).health().collect();
        while !self.shutdown.is_cancelled() {
            let in_use = locked(pool).in_use();
            // A probe's result dates from its start: a node that hangs takes the whole
            // timeout.
            let probed_at = ms_since(began);
            match self.probes(in_use) {
                Ok(probes) => locked(pool).see(&probes, probed_at),
                // Without the stored tip nothing is known of the nodes.
                Err(error) => tracing::debug!(%error, "nodes not probed"),
            }
            let health: Vec<Health> = locked(pool).health().collect();
            self.log_changes(&mut logged, &health, locked(pool).in_use());
            let next = Instant::now() + pause;
            while !self.shutdown.is_cancelled() && Instant::now() < next {
                std::thread::sleep(pause.min(Duration::from_millis(100)));
            }
        }
    }

    fn probes(&self, in_use: usize) -> Result<Vec<ProbeResult>, crate::store::Error> {
        let ours = self.store.read_blocking(Ours::read)?;
        let all = self.nodes.all();
        let compared = match all.get(in_use) {
            Some(one) => nodes::block_to_compare(&one.probe),
            None => Compared::Unknown,
        };
        let probe = |place, one: &Candidate| match compared {
            Compared::Silent if place == in_use => ProbeResult::Silent,
            Compared::Block(block) => nodes::probe(one, self.network, &ours, Some(block)),
            Compared::Silent | Compared::Unknown => nodes::probe(one, self.network, &ours, None),
        };
        let mut probes = in_parallel(all, probe);
        let best = probes.iter().filter_map(height_of).max().unwrap_or(0);
        for (probe, one) in probes.iter_mut().zip(all) {
            if let ProbeResult::Stands(chain_view) = probe
                && chain_view.height.saturating_add(LAG_BLOCKS) <= best
            {
                // The height of an invalid branch is that of its first block, because the node
                // does not check its children. Deeper than a race, it is another chain.
                let fork = chain_view.height.saturating_sub(RACE_BLOCKS);
                match one.probe.refuses_blocks_above(fork) {
                    Ok(refuses) => chain_view.refuses = refuses,
                    Err(_) => *probe = ProbeResult::Silent,
                }
            }
        }
        Ok(probes)
    }

    fn log_changes(&self, logged: &mut Vec<Health>, health: &[Health], in_use: usize) {
        for (index, (one, now)) in self.nodes.all().iter().zip(health).enumerate() {
            metrics::node_is(&one.name, *now == Health::Well, index == in_use);
            if logged.get(index) == Some(now) {
                continue;
            }
            match now {
                Health::Well => tracing::info!(node = one.name, "a node is well"),
                _ => tracing::warn!(node = one.name, "a node is {}", now.as_str()),
            }
        }
        *logged = health.to_vec();
    }
}

/// Probes all nodes in parallel, so that one that hangs does not delay the others.
fn in_parallel(
    all: &[Candidate],
    probe: impl Fn(usize, &Candidate) -> ProbeResult + Sync,
) -> Vec<ProbeResult> {
    let probe = &probe;
    std::thread::scope(|scope| {
        let probes: Vec<_> =
            all.iter().enumerate().map(|(at, one)| scope.spawn(move || probe(at, one))).collect();
        probes.into_iter().map(|probe| probe.join().unwrap_or(ProbeResult::Silent)).collect()
    })
}

fn height_of(probe: &ProbeResult) -> Option<u32> {
    match probe {
        ProbeResult::Stands(chain_view) => Some(chain_view.height),
        ProbeResult::Silent | ProbeResult::Unfit | ProbeResult::Syncing | ProbeResult::BehindUs => {
            None
        }
    }
}
