//! Looks how all nodes are, where there are several, and says which one to follow. On a thread of
//! its own: a node that hangs must hold up nobody.
//!
//! Must not know: what is done with the node that is followed.

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

/// The longest pause between two looks.
const LOOK_PAUSE_MAX: Duration = Duration::from_secs(5);

/// So many looks fall into the patience, at least.
const LOOKS: u32 = 5;

/// The watcher's end of it.
pub(super) struct NodeMonitor {
    began: Instant,
    pool: Arc<Mutex<NodePool>>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread works with.
pub(super) struct Ground {
    pub(super) nodes: Nodes,
    pub(super) store: Store,
    pub(super) network: Network,
    /// How long the node in use may be unwell.
    pub(super) patience: Duration,
    pub(super) shutdown: CancellationToken,
}

impl NodeMonitor {
    /// Begins to look, with this node in use. A single node is never looked at.
    pub(super) fn start(ground: Ground, in_use: usize) -> NodeMonitor {
        let count = ground.nodes.all().len();
        let patience_ms = i64::try_from(ground.patience.as_millis()).unwrap_or(i64::MAX);
        let pool = Arc::new(Mutex::new(NodePool::new(count, in_use, patience_ms, 0)));
        let began = Instant::now();
        let shared = Arc::clone(&pool);
        let thread = (count > 1).then(|| {
            std::thread::Builder::new()
                .name("node-monitor".to_owned())
                .spawn(move || ground.look_around(&shared, began))
                .expect("the system can start one more thread at start-up")
        });
        NodeMonitor { began, pool, thread }
    }

    /// The node to follow instead of the one in use, if it is time to leave that.
    pub(super) fn next(&self) -> Option<usize> {
        locked(&self.pool).next(ms_since(self.began))
    }

    /// The node to follow as a node whose calls end when it is time to leave it: one that hangs
    /// does not keep us from leaving it.
    pub(super) fn leavable(&self, followed: &Candidate) -> Candidate {
        let (pool, began) = (Arc::clone(&self.pool), self.began);
        let time_to_leave: Cancelled =
            Arc::new(move || locked(&pool).next(ms_since(began)).is_some());
        Candidate { node: followed.node.cancelled_by(time_to_leave), ..followed.clone() }
    }

    /// How the node in use is, in words.
    pub(super) fn health_of(&self, index: usize) -> &'static str {
        locked(&self.pool).health().nth(index).map_or("unknown", Health::as_str)
    }

    /// A node to hold the one in use against; `present` is the one that was until now.
    pub(super) fn other(&self, present: Option<usize>) -> Option<usize> {
        locked(&self.pool).other(present)
    }

    /// Another node is followed from now on.
    pub(super) fn follow(&self, index: usize) {
        locked(&self.pool).follow(index);
    }

    /// Waits for the thread, which ends with the shutdown signal.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic there was reported when it happened.
        }
    }
}

fn locked(pool: &Mutex<NodePool>) -> MutexGuard<'_, NodePool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ms_since(began: Instant) -> i64 {
    i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX)
}

impl Ground {
    fn look_around(&self, pool: &Mutex<NodePool>, began: Instant) {
        let pause = (self.patience / LOOKS).min(LOOK_PAUSE_MAX);
        let mut on_progress: Vec<Health> = locked(pool).health().collect();
        while !self.shutdown.is_cancelled() {
            let in_use = locked(pool).in_use();
            // What a look finds was so when it began: one that hangs takes its whole timeout.
            let looked_at = ms_since(began);
            match self.probes(in_use) {
                Ok(probes) => locked(pool).see(&probes, looked_at),
                // Nothing is said of the nodes then.
                Err(error) => tracing::debug!(%error, "cannot look at the nodes"),
            }
            let health: Vec<Health> = locked(pool).health().collect();
            self.tell(&mut on_progress, &health, locked(pool).in_use());
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
        let look = |place, one: &Candidate| match compared {
            Compared::Silent if place == in_use => ProbeResult::Silent,
            Compared::Block(block) => nodes::look(one, self.network, &ours, Some(block)),
            Compared::Silent | Compared::Unknown => nodes::look(one, self.network, &ours, None),
        };
        let mut probes = at_once(all, look);
        let best = probes.iter().filter_map(height_of).max().unwrap_or(0);
        for (probe, one) in probes.iter_mut().zip(all) {
            if let ProbeResult::Stands(chain_view) = probe
                && chain_view.height.saturating_add(LAG_BLOCKS) <= best
            {
                // A refused branch is as high as its first block: its children are not even
                // looked at. From this depth on, the other is not of the same chain.
                let fork = chain_view.height.saturating_sub(RACE_BLOCKS);
                match one.probe.refuses_blocks_above(fork) {
                    Ok(refuses) => chain_view.refuses = refuses,
                    Err(_) => *probe = ProbeResult::Silent,
                }
            }
        }
        Ok(probes)
    }

    /// Says once what changed, and keeps the metrics.
    fn tell(&self, on_progress: &mut Vec<Health>, health: &[Health], in_use: usize) {
        for (index, (one, now)) in self.nodes.all().iter().zip(health).enumerate() {
            metrics::node_is(&one.name, *now == Health::Well, index == in_use);
            if on_progress.get(index) == Some(now) {
                continue;
            }
            match now {
                Health::Well => tracing::info!(node = one.name, "a node is well"),
                _ => tracing::warn!(node = one.name, "a node is {}", now.as_str()),
            }
        }
        *on_progress = health.to_vec();
    }
}

/// Looks at all nodes at the same time: one that hangs delays no news of the others.
fn at_once(
    all: &[Candidate],
    look: impl Fn(usize, &Candidate) -> ProbeResult + Sync,
) -> Vec<ProbeResult> {
    let look = &look;
    std::thread::scope(|scope| {
        let looks: Vec<_> =
            all.iter().enumerate().map(|(at, one)| scope.spawn(move || look(at, one))).collect();
        looks.into_iter().map(|look| look.join().unwrap_or(ProbeResult::Silent)).collect()
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
