//! The watcher's loop: pass, wait for a signal or a timer, pass again.

use std::sync::Arc;
use std::time::Duration;

use crate::metrics;
use crate::progress::Lines;
use crate::store::batches::Ended;
use crate::store::{WriteTx, chain_guard_alerts, node_in_use};
use crate::watchdog::{self, Loop};

use super::auditor::{AuditThread, Auditor};
use super::chain_guard;
use super::clock_watch::ClockWatch;
use super::expiry::Expiry;
use super::filter_builder::FilterBuilder;
use super::lookahead::Lookahead;
use super::node_monitor::{NodeMonitor, Prober};
use super::reorg_alarm::ReorgAlarm;
use super::role::Watcher;
use super::state::{NodeState, State};
use super::subscriber::Subscriber;

/// The pause after a first failure. It doubles with each further failure.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause after failures, so that a recovered node is used soon.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);

impl Watcher {
    pub(crate) fn run(mut self) {
        let mut subscriber = self.subscribe();
        let prober = Prober {
            nodes: self.nodes.clone(),
            store: self.store.clone(),
            network: self.network,
            failover_timeout: self.failover_timeout,
            shutdown: self.shutdown.clone(),
        };
        let audit = self.start_auditor();
        let mut node_monitor =
            NodeMonitor::start(prober, self.nodes.place_of(Some(&self.followed.name)));
        self.followed = node_monitor.cancelled_by_failover(&self.followed);
        self.run_passes(&mut subscriber, &node_monitor);
        subscriber.end();
        node_monitor.join();
        audit.join();
    }

    fn start_auditor(&self) -> AuditThread {
        let auditor = Auditor {
            store: self.store.clone(),
            nodes: self.nodes.clone(),
            xpub: self.xpub.clone(),
            clock: self.clock.clone(),
            interval: self.audit_interval,
            shutdown: self.shutdown.clone(),
        };
        auditor.start()
    }

    /// Subscribes to the ZMQ publisher of the followed node.
    pub(super) fn subscribe(&self) -> Subscriber {
        Subscriber::start(self.followed.zmq.clone(), Arc::clone(&self.counters), &self.shutdown)
    }

    fn run_passes(&mut self, subscriber: &mut Subscriber, node_monitor: &NodeMonitor) {
        let mut state = self.initial_state();
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Watcher);
            let pass = self.follow_and_pass(&mut state, subscriber, node_monitor);
            if let [only] = self.nodes.all() {
                metrics::node_is(&only.name, pass.is_ok(), true); // A single node has no monitor.
            }
            // A pass that was stopped is continued at once, and not counted.
            if !matches!(pass, Ok(Ended::Stopped)) {
                metrics::watcher_passed(&pass);
            }
            let signals = subscriber.signals();
            if let Some(first_pass) = self.first_pass.take() {
                let _ = first_pass.send(()); // The receiver may be gone.
            }
            match pass {
                Ok(ended) => {
                    if std::mem::take(&mut state.failures) > 0 {
                        tracing::info!("watcher recovered");
                    }
                    match ended {
                        Ended::Stopped => self.drain_signals(signals, &mut state),
                        Ended::Done => self.wait(signals, state.node.pause(), &mut state),
                    }
                }
                Err(_) if self.shutdown.is_cancelled() => {} // Perhaps caused by the shutdown.
                Err(error) => self.back_off(&error, &mut state),
            }
        }
    }

    fn initial_state(&self) -> State {
        let (enabled, now) = (self.chain_guard.enabled, self.clock.now());
        let enable = move |tx: &WriteTx| chain_guard_alerts::enable(tx, enabled, now);
        if let Err(error) = self.store.write_blocking(enable) {
            // The row of the last run stays. Without a row the chain is trusted.
            tracing::error!(%error, "chain guard mode not recorded");
        }
        let followed_since = self.record_followed(&self.followed.name).unwrap_or_else(|error| {
            tracing::error!(%error, "followed node not recorded");
            now // As after a change of node: the node gets time to learn of known coins.
        });
        let compared_at =
            self.store.read_blocking(node_in_use::compared_at).unwrap_or_else(|error| {
                tracing::error!(%error, "time of the last mempool comparison not read");
                None
            });
        State {
            node: NodeState::new(followed_since, compared_at),
            lookahead: Lookahead::since(self.xpub.clone(), self.last_in_use),
            filter_builder: FilterBuilder::default(),
            chain_guard: chain_guard::Watch::new(&self.chain_guard),
            clock: ClockWatch::new(self.network),
            expiry: Expiry::default(),
            reorg_alarm: ReorgAlarm::default(),
            coins_changed: true,
            evaluated_at: None,
            zmq_message_at: None,
            trouble: None,
            failures: 0,
            progress_lines: Lines::default(),
        }
    }

    /// Changes the node if that is due, checks the node, and makes one pass. `Stopped`: work
    /// is left, and the next pass is due at once.
    fn follow_and_pass(
        &mut self,
        state: &mut State,
        subscriber: &mut Subscriber,
        node_monitor: &NodeMonitor,
    ) -> anyhow::Result<Ended> {
        if let Some(to) = node_monitor.next() {
            self.change_node(to, state, subscriber, node_monitor)?;
        }
        self.choose_second_node(state, node_monitor)?;
        self.check_node(state)?;
        self.pass(state)
    }

    fn back_off(&self, error: &anyhow::Error, state: &mut State) {
        let error = format!("{error:#}");
        if state.failures == 0 {
            tracing::warn!(error, "watcher pass failed; retrying");
        }
        self.record_trouble(error, state);
        state.node.mempool.forget_foreign(); // The node may return as another build.
        state.node.is_checked = false;
        let pause = RETRY_PAUSE * 2u32.pow(state.failures.min(5));
        state.failures = state.failures.saturating_add(1);
        self.sleep(pause.min(RETRY_PAUSE_MAX));
    }
}
