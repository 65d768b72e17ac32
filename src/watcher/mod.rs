//! The watcher: follows the node's best chain and mempool, and stores what it sees.
//!
//! ZMQ wakes it, RPC tells it the truth. A pass walks to the tip, compares the mempool, and lets
//! time run out where it has; it is the same whether a frame, a timer or a restart caused it.
//! Plain blocking code on a thread of its own.
//!
//! Must not know: HTTP, webhooks' receivers, sweeps' making.

mod apply;
mod auditor;
pub(crate) mod chain_guard;
mod clock_watch;
mod expiry;
mod fetch;
pub(crate) mod filter_builder;
mod following;
pub(crate) mod lookahead;
mod mempool;
mod node_monitor;
mod notification_mode;
mod proof;
mod recognise;
mod reorg_alarm;
pub(crate) mod rescan;
mod subscriber;
pub(crate) mod sync;
pub(crate) mod utxo_rescan;
mod zmq_events;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::zmq::Counters;
use crate::notifier::Notifier;
use crate::progress::{Lines, Progress};
use crate::store::batches::{Batches, Ended};
use crate::store::{Store, WriteTx, chain_guard_alerts, node_in_use, role_status};
use crate::view::role_status::{NotificationMode, PollingReason, Role, RoleReport};
use crate::watchdog::{self, Loop};

use apply::Changes;
use auditor::{Auditing, Auditor};
use clock_watch::ClockWatch;
use expiry::Expiry;
use filter_builder::FilterBuilder;
use lookahead::Lookahead;
use mempool::LookedAt;
use node_monitor::{Ground, NodeMonitor};
use notification_mode::POLL_ALONE;
use reorg_alarm::ReorgAlarm;
use subscriber::Subscriber;
use sync::{End, Sync};

/// The role and all that it works with.
pub(crate) struct Watcher {
    pub(crate) store: Store,
    /// All the nodes that there are to choose from.
    pub(crate) nodes: Nodes,
    /// The one of them that is followed.
    pub(crate) followed: Candidate,
    /// How long the node that is followed may be unwell before another is.
    pub(crate) patience: Duration,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// What came by ZMQ, for the metrics.
    pub(crate) counters: Arc<Counters>,
    pub(crate) chain_guard: chain_guard::Settings,
    /// How often everything is audited without being asked for.
    pub(crate) audit_interval: Duration,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
    /// Told when the first look at the node is over, however it ended.
    pub(crate) first_look: Option<oneshot::Sender<()>>,
    /// When the database was last in use before this start.
    pub(crate) last_in_use: Option<Timestamp>,
}

/// How long the connection to the publisher may take before we stop relying on it.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// The longest pause after errors: a node that is back is noticed soon.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How often progress is recorded while nothing else happens, in milliseconds.
const PROGRESS_MS: i64 = 10_000;

/// How much of an error is recorded for `/readyz`, in characters.
const TROUBLE_CHARS_MAX: usize = 500;

/// What changes from pass to pass.
struct State {
    /// Since when the node has been followed.
    followed_since: Timestamp,
    reorg_alarm: ReorgAlarm,
    /// Whether the chain or the mempool changed since the alarm last looked.
    changed: bool,
    lookahead: Lookahead,
    filter_builder: FilterBuilder,
    looked_at: LookedAt,
    /// When the whole mempool of the followed node was last compared.
    compared_at: Option<Timestamp>,
    /// The node reads its mempool's file: it is looked at again soon.
    loading: bool,
    notification_mode: NotificationMode,
    /// Since when there is no connection to the publisher; `None` while there is one.
    disconnected_since: Option<Instant>,
    /// Passes in a row that found a new tip of which no `hashblock` had told.
    unreported_moves: u32,
    /// A `hashblock` came since the last pass.
    block_announced: bool,
    recorded_at: Option<Timestamp>,
    /// When ZMQ last told of something, until that is recorded.
    heard_at: Option<Timestamp>,
    chain_guard: chain_guard::Watch,
    /// The place of the node that the followed one is held against.
    compared: Option<usize>,
    /// The tip at which payments were judged with full trust in the chain.
    settled: Option<BlockId>,
    expiry: Expiry,
    clock: ClockWatch,
    reachable: bool,
    /// The node does not have all blocks that it knows of, or fewer than we.
    node_behind: bool,
    /// What is recorded of why we do not stand at the tip.
    trouble: Option<String>,
    /// The last look did not come to its end: the next one is due at once.
    more: bool,
    /// What the log says of how far we are.
    lines: Lines,
}

impl State {
    fn pause(&self) -> Duration {
        match self.loading {
            true => POLL_ALONE,
            false => notification_mode::pause(self.notification_mode),
        }
    }
}

impl Watcher {
    /// Watches until told to stop.
    pub(crate) fn run(mut self) {
        let mut subscriber = self.subscribe();
        let ground = Ground {
            nodes: self.nodes.clone(),
            store: self.store.clone(),
            network: self.network,
            patience: self.patience,
            shutdown: self.shutdown.clone(),
        };
        let auditing = self.audit_now_and_then();
        let mut node_monitor =
            NodeMonitor::start(ground, self.nodes.place_of(Some(&self.followed.name)));
        self.followed = node_monitor.leavable(&self.followed);
        self.watch(&mut subscriber, &node_monitor);
        subscriber.end();
        node_monitor.join();
        auditing.join();
    }

    fn audit_now_and_then(&self) -> Auditing {
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

    /// Listens to the node that is followed.
    fn subscribe(&self) -> Subscriber {
        Subscriber::start(self.followed.zmq.clone(), Arc::clone(&self.counters), &self.shutdown)
    }

    fn watch(&mut self, subscriber: &mut Subscriber, node_monitor: &NodeMonitor) {
        let (enabled, now) = (self.chain_guard.enabled, self.clock.now());
        let enable = move |tx: &WriteTx| chain_guard_alerts::enable(tx, enabled, now);
        if let Err(error) = self.store.write_blocking(enable) {
            // The row of the last run stands; a first run begins without one, that is trusting.
            tracing::error!(%error, "cannot record whether the chain guard runs");
        }
        let followed_since = self.record_followed(&self.followed.name).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot record which node is followed");
            now // What was seen before is awaited then, as after a change.
        });
        let compared_at =
            self.store.read_blocking(node_in_use::compared_at).unwrap_or_else(|error| {
                tracing::error!(%error, "cannot read when the mempool was last compared");
                None
            });
        let mut state = State {
            followed_since,
            lookahead: Lookahead::since(self.xpub.clone(), self.last_in_use),
            filter_builder: FilterBuilder::default(),
            reorg_alarm: ReorgAlarm::default(),
            changed: true,
            looked_at: LookedAt::default(),
            compared_at,
            loading: false,
            notification_mode: NotificationMode::Zmq,
            disconnected_since: Some(Instant::now()),
            unreported_moves: 0,
            block_announced: true,
            recorded_at: None,
            heard_at: None,
            chain_guard: chain_guard::Watch::new(&self.chain_guard),
            compared: None,
            settled: None,
            expiry: Expiry::default(),
            clock: ClockWatch::new(self.network),
            reachable: true,
            node_behind: false,
            trouble: None,
            more: false,
            lines: Lines::default(),
        };
        let mut asked_node = false;
        let mut failures = 0u32;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Watcher);
            let changed = node_monitor.next().map(|to| {
                asked_node = false;
                self.change_node(to, &mut state, subscriber, node_monitor)
            });
            let pass = changed
                .unwrap_or(Ok(()))
                .and_then(|()| self.choose_other(&mut state, node_monitor))
                .and_then(|()| self.ask_once(&mut asked_node, &mut state))
                .and_then(|()| self.pass(&mut state));
            if let [only] = self.nodes.all() {
                metrics::node_is(&only.name, pass.is_ok(), true); // Nobody else looks at it.
            }
            let signals = subscriber.signals();
            if let Some(first_look) = self.first_look.take() {
                let _ = first_look.send(()); // Nobody may be waiting for it.
            }
            match pass {
                Ok(()) => {
                    if !state.reachable {
                        tracing::info!("the watcher goes on");
                    }
                    (state.reachable, failures) = (true, 0);
                    if state.more {
                        self.skip_hints(signals, &mut state);
                    } else {
                        self.wait(signals, state.pause(), &mut state);
                    }
                }
                Err(_) if self.shutdown.is_cancelled() => {} // It may be the stop that ended it.
                Err(error) => {
                    if state.reachable {
                        tracing::warn!(error = format!("{error:#}"), "the watcher waits");
                    }
                    self.note_trouble(format!("{error:#}"), &mut state);
                    state.looked_at.forget_foreign(); // It may come back as another build.
                    state.reachable = false;
                    failures = failures.saturating_add(1);
                    let pause = Duration::from_millis(250) * 2u32.pow(failures.min(6));
                    asked_node = false;
                    self.rest(pause.min(PAUSE_MAX));
                }
            }
        }
    }

    /// Lets `/readyz` say what the watcher waits for.
    fn note_trouble(&self, trouble: String, state: &mut State) {
        if state.trouble.as_ref() == Some(&trouble) {
            return;
        }
        let noted: String = trouble.chars().take(TROUBLE_CHARS_MAX).collect();
        let write = move |tx: &WriteTx| role_status::record_trouble(tx, Role::Watcher, &noted);
        match self.store.write_blocking(write) {
            Ok(()) => state.trouble = Some(trouble),
            Err(error) => tracing::debug!(%error, "cannot record what the watcher waits for"),
        }
    }

    /// One whole look at the node.
    fn pass(&self, state: &mut State) -> anyhow::Result<()> {
        let lines = &state.lines;
        let on_progress = |step: Progress| {
            if let Some(line) = lines.line(step, Instant::now()) {
                tracing::info!("{line}");
            }
        };
        let mut run = Sync {
            store: &self.store,
            node: &self.followed.node,
            network: self.network,
            xpub: &self.xpub,
            clock: &self.clock,
            shutdown: &self.shutdown,
            lookahead: &mut state.lookahead,
            filter_builder: &mut state.filter_builder,
            on_progress: &on_progress,
        };
        state.more = false;
        let mut moved = false;
        let end = run.run(|changes| {
            moved = true;
            self.tell(changes);
        });
        state.lines.end();
        let end = end?;
        if std::mem::take(&mut state.block_announced) {
            state.unreported_moves = 0;
        } else if moved {
            state.unreported_moves = state.unreported_moves.saturating_add(1);
        }
        let alone_for = state.disconnected_since.map(|since| since.elapsed());
        if alone_for.is_some_and(|d| d > CONNECT_PATIENCE)
            && state.notification_mode == NotificationMode::Zmq
        {
            self.notification(NotificationMode::Polling(PollingReason::NotConnected), state);
        }
        // Once may be a pass that was faster than the frame; twice is silence.
        if state.unreported_moves >= 2 && state.notification_mode == NotificationMode::Zmq {
            self.notification(NotificationMode::Polling(PollingReason::Silent), state);
        }
        let at_tip = match end {
            End::AtTip(at_tip) => at_tip,
            End::Stopped => return Ok(()),
            End::NodeBehind => {
                state.chain_guard.node_is_behind();
                if !std::mem::replace(&mut state.node_behind, true) {
                    tracing::warn!("the node has not caught up itself: nothing expires meanwhile");
                }
                self.note_trouble("the node has not caught up itself".to_owned(), state);
                return Ok(());
            }
        };
        state.filter_builder.begin(&self.store); // For the blocks that come.
        if std::mem::take(&mut state.node_behind) {
            tracing::info!("the node has caught up");
        }
        if state.trouble.take().is_some() {
            state.recorded_at = None; // Recording that all is well forgets the trouble.
        }
        state.chain_guard.look(&self.followed.node, &self.store, &at_tip, self.clock.now())?;
        let trust = self.settle(&at_tip, state)?;
        // What the mempool does not hold now was not there by now.
        let now = self.clock.now();
        let Some(whole) = self.compare_mempool(at_tip, now, moved, state)? else {
            return Ok(()); // The next pass is due.
        };
        if std::mem::take(&mut state.changed) {
            state.reorg_alarm.look(&self.store)?;
        }
        let node = &self.followed.node;
        let sound = state.clock.is_sound(&self.clock, node, at_tip.tip())?;
        let certain = whole && sound && trust == Trust::Full;
        if certain {
            let (tell, go_on) = (|changes| self.tell(&changes), || self.goes_on());
            let batches = Batches { store: &self.store, go_on: &go_on };
            let ended = state.expiry.pass(&batches, now, at_tip, tell)?;
            state.more |= ended == Ended::Stopped;
        }
        if moved || state.recorded_at.is_none_or(|at| now.ms_since(at).abs() >= PROGRESS_MS) {
            let height = at_tip.tip().height;
            let report = RoleReport::AtTip { height, mode: state.notification_mode };
            let (heard_at, compared_at) = (state.heard_at.take(), state.compared_at);
            self.store.write_blocking(move |tx| {
                if let Some(at) = compared_at {
                    node_in_use::record_compared(tx, at)?;
                }
                if let Some(at) = heard_at {
                    role_status::record(tx, Role::Zmq, at, &RoleReport::Seen)?;
                }
                role_status::record(tx, Role::Watcher, now, &report)
            })?;
            state.recorded_at = Some(now);
        }
        Ok(())
    }

    /// Judges what waited for trust in the chain, once at each tip that has it. Says whether this
    /// one has.
    fn settle(&self, at_tip: &AtTip, state: &mut State) -> anyhow::Result<Trust> {
        let tip = at_tip.tip();
        let trust = self.store.read_blocking(|tx| chain_guard_alerts::trust_at(tx, tip))?;
        match trust {
            Trust::Withheld => state.settled = None,
            Trust::Full if state.settled == Some(tip) => {}
            Trust::Full => {
                let waiting =
                    self.store.read_blocking(chain_guard_alerts::payments_with_pegouts)?;
                let (network, now) = (self.network, self.clock.now());
                let each = move |tx: &WriteTx, index: &_, changes: &mut Changes| {
                    apply::complete(tx, *index, network, now, changes)
                };
                let (tell, go_on) = (|changes| self.tell(&changes), || self.goes_on());
                let batches = Batches { store: &self.store, go_on: &go_on };
                if batches.write(waiting, each, tell)? == Ended::Stopped {
                    return Ok(trust);
                }
                state.settled = Some(tip);
                if self.chain_guard.enabled {
                    self.notifier.notify_sweeper(); // It may have waited for this.
                }
            }
        }
        Ok(trust)
    }

    /// Gives a sign of life amid batches; `false` once we are told to stop.
    fn goes_on(&self) -> bool {
        watchdog::heartbeat(Loop::Watcher);
        !self.shutdown.is_cancelled()
    }

    /// Passes on what a commit changed.
    fn tell(&self, changes: &Changes) {
        if !changes.payments.is_empty() {
            self.notifier.notify_pages();
        }
        if !changes.completed.is_empty() {
            self.notifier.notify_webhooks();
            self.notifier.notify_sweeper();
        }
    }

    /// Sleeps, but ends soon when told to stop.
    fn rest(&self, pause: Duration) {
        let deadline = Instant::now() + pause;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Watcher);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}

#[cfg(test)]
mod tests;
