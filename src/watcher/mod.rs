//! The watcher: follows the node's best chain and mempool, and stores what it sees.
//!
//! ZMQ wakes it, RPC tells it the truth. A pass walks to the tip, compares the mempool, and lets
//! time run out where it has; it is the same whether a frame, a timer or a restart caused it.
//! Plain blocking code on a thread of its own.
//!
//! Must not know: HTTP, webhooks' receivers, sweeps' making.

pub(crate) mod ahead;
mod alarm;
mod apply;
mod auditor;
mod clock_watch;
pub(crate) mod doubt;
mod fetch;
mod mempool;
pub(crate) mod rescan;
mod scout;
pub(crate) mod sieving;
mod subscriber;
pub(crate) mod sync;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::acts::nodes::ZMQ;
use crate::acts::payments::{WATCHER, ZMQ_CUT, ZMQ_SILENT};
use crate::clock::Clock;
use crate::crash;
use crate::domain::chain::{AtTip, BlockId};
use crate::domain::doubt::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::headway::{Headway, Lines};
use crate::measures;
use crate::node::codec;
use crate::node::nodes::{Candidate, Nodes};
use crate::node::rpc::Notifications;
use crate::node::zmq::{self, Counters, Signal};
use crate::pulse::{self, Loop};
use crate::store::{self, Store, WriteTx, doubts, node_in_use, progress};
use crate::wake::Wake;

use ahead::Ahead;
use alarm::Alarm;
use apply::Changes;
use auditor::{Auditing, Auditor};
use clock_watch::ClockWatch;
use mempool::LookedAt;
use scout::{Ground, Scout};
use sieving::Sieving;
use subscriber::Subscriber;
use sync::{End, Walk};

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
    pub(crate) doubt: doubt::Settings,
    /// How often everything is audited without being asked for.
    pub(crate) audit_interval: Duration,
    pub(crate) wake: Wake,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
    /// Told when the first look at the node is over, however it ended.
    pub(crate) first_look: Option<oneshot::Sender<()>>,
}

/// How often we look without ZMQ.
const POLL_ALONE: Duration = Duration::from_millis(700);

/// How long the connection to the publisher may take before we stop relying on it.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// The longest pause after errors: a node that is back is noticed soon.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// The shortest time between two whole looks that hints ask for: nobody can keep us busy.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// For how many times the patience a node that is followed from now on is given to hear of what the
/// one before has seen: ten minutes, as it is configured.
const HEARSAY_PATIENCES: u32 = 20;

/// How often progress is recorded while nothing else happens, in milliseconds.
const PROGRESS_MS: i64 = 10_000;

/// How we notice that something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noticing {
    Zmq,
    Polling(Why),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    NotConfigured,
    NotBuiltIn,
    NotPublished,
    NotConnected,
    Silent,
}

impl Noticing {
    fn as_str(self) -> &'static str {
        match self {
            Noticing::Zmq => "zmq",
            Noticing::Polling(Why::NotConfigured) => "polling: no ZMQ configured",
            Noticing::Polling(Why::NotBuiltIn) => "polling: the node was built without ZMQ",
            Noticing::Polling(Why::NotPublished) => {
                "polling: the node does not publish rawtx and hashblock"
            }
            Noticing::Polling(Why::NotConnected) => ZMQ_CUT,
            Noticing::Polling(Why::Silent) => ZMQ_SILENT,
        }
    }

    fn pause(self) -> Duration {
        match self {
            Noticing::Zmq => zmq::POLL_WITH_ZMQ,
            Noticing::Polling(_) => POLL_ALONE,
        }
    }
}

/// How much of an error is recorded for `/readyz`, in characters.
const TROUBLE_CHARS_MAX: usize = 500;

/// What changes from pass to pass.
struct State {
    /// Since when the node has been followed.
    followed_since: Timestamp,
    alarm: Alarm,
    /// Whether the chain or the mempool changed since the alarm last looked.
    changed: bool,
    ahead: Ahead,
    sieving: Sieving,
    looked_at: LookedAt,
    noticing: Noticing,
    /// Since when there is no connection to the publisher; `None` while there is one.
    disconnected_since: Option<Instant>,
    /// Passes in a row that found a new tip of which no `hashblock` had told.
    untold_moves: u32,
    /// A `hashblock` came since the last pass.
    told_of_block: bool,
    recorded_at: Option<Timestamp>,
    /// When ZMQ last told of something, until that is recorded.
    heard_at: Option<Timestamp>,
    doubt: doubt::Watch,
    /// The place of the node that the followed one is held against.
    compared: Option<usize>,
    /// The tip at which payments were judged with full trust in the chain.
    settled: Option<BlockId>,
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
        let mut scout = Scout::start(ground, self.nodes.place_of(Some(&self.followed.name)));
        self.watch(&mut subscriber, &scout);
        subscriber.end();
        scout.join();
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

    /// Follows another node from now on. All that was learnt from the one before is forgotten; the
    /// next pass walks from the block that we stand on to where the other stands, as after a start.
    ///
    /// # Errors
    /// If the change cannot be stored: then nothing changes.
    fn change_node(
        &mut self,
        to: usize,
        state: &mut State,
        subscriber: &mut Subscriber,
        scout: &Scout,
    ) -> anyhow::Result<()> {
        let next = self.nodes.all()[to].clone();
        let from = self.nodes.place_of(Some(&self.followed.name));
        crash::point("node-left");
        let followed_since = self.record_followed(&next.name)?;
        crash::point("node-taken");
        tracing::warn!(
            from = self.followed.name,
            to = next.name,
            "following another node: the one before is {}",
            scout.health_of(from)
        );
        scout.follow(to);
        self.followed = next;
        subscriber.end();
        *subscriber = self.subscribe();
        state.followed_since = followed_since;
        state.looked_at = LookedAt::default();
        state.noticing = Noticing::Zmq;
        state.disconnected_since = Some(Instant::now());
        state.untold_moves = 0;
        state.told_of_block = true;
        state.recorded_at = None;
        state.doubt.begin_anew();
        state.compared = None;
        Ok(())
    }

    /// Records which node is followed, if it is another than before: by our choice, or because the
    /// configuration names another. Answers since when it has been.
    fn record_followed(&self, name: &str) -> Result<Timestamp, store::Error> {
        let (name, now) = (name.to_owned(), self.clock.now());
        self.store.write_blocking(move |tx| node_in_use::follow(tx, &name, now))
    }

    /// The time before which the node that is followed need not have heard of all that was seen.
    fn awaits_from_before(&self, state: &State) -> Option<Timestamp> {
        let since = state.followed_since;
        let ms = (self.patience * HEARSAY_PATIENCES).as_millis();
        let wait = i64::try_from(ms).unwrap_or(i64::MAX);
        (0..wait).contains(&self.clock.now().ms_since(since)).then_some(since)
    }

    /// Sees to it that the followed node is held against another that answers, if there is one.
    fn choose_other(&self, state: &mut State, scout: &Scout) -> anyhow::Result<()> {
        let chosen = scout.other(state.compared);
        if chosen == state.compared {
            return Ok(());
        }
        // What a node that is silent said last stands, and nobody else can take it back.
        let disagrees = || self.store.read_blocking(doubts::nodes_disagree);
        if state.compared.is_none() || !disagrees()? {
            let node = chosen.map(|at| self.nodes.all()[at].glance.clone());
            state.doubt.compare_with(node);
            state.compared = chosen;
        }
        Ok(())
    }

    fn watch(&mut self, subscriber: &mut Subscriber, scout: &Scout) {
        let (enabled, now) = (self.doubt.enabled, self.clock.now());
        let enable = move |tx: &WriteTx| doubts::enable(tx, enabled, now);
        if let Err(error) = self.store.write_blocking(enable) {
            // The row of the last run stands; a first run begins without one, that is trusting.
            tracing::error!(%error, "cannot record whether to look for doubts");
        }
        let followed_since = self.record_followed(&self.followed.name).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot record which node is followed");
            now // What was seen before is awaited then, as after a change.
        });
        let mut state = State {
            followed_since,
            ahead: Ahead::new(self.xpub.clone()),
            sieving: Sieving::default(),
            alarm: Alarm::default(),
            changed: true,
            looked_at: LookedAt::default(),
            noticing: Noticing::Zmq,
            disconnected_since: Some(Instant::now()),
            untold_moves: 0,
            told_of_block: true,
            recorded_at: None,
            heard_at: None,
            doubt: doubt::Watch::new(&self.doubt),
            compared: None,
            settled: None,
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
            pulse::beat(Loop::Watcher);
            let changed = scout.next().map(|to| {
                asked_node = false;
                self.change_node(to, &mut state, subscriber, scout)
            });
            let pass = changed
                .unwrap_or(Ok(()))
                .and_then(|()| self.choose_other(&mut state, scout))
                .and_then(|()| self.ask_once(&mut asked_node, &mut state))
                .and_then(|()| self.pass(&mut state));
            if let [only] = self.nodes.all() {
                measures::node_is(&only.name, pass.is_ok(), true); // Nobody else looks at it.
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
                        self.wait(signals, state.noticing.pause(), &mut state);
                    }
                }
                Err(error) => {
                    if state.reachable {
                        tracing::warn!(error = format!("{error:#}"), "the watcher waits");
                    }
                    self.note_trouble(format!("{error:#}"), &mut state);
                    // What was read may not have been written: look at everything again.
                    state.looked_at = LookedAt::default();
                    state.reachable = false;
                    failures = failures.saturating_add(1);
                    let pause = Duration::from_millis(250) * 2u32.pow(failures.min(6));
                    asked_node = false; // It may come back as another build.
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
        let write = move |tx: &WriteTx| progress::record_trouble(tx, WATCHER, &noted);
        match self.store.write_blocking(write) {
            Ok(()) => state.trouble = Some(trouble),
            Err(error) => tracing::debug!(%error, "cannot record what the watcher waits for"),
        }
    }

    /// Asks the node, once after each (re)connection, which chain it has and what it publishes.
    fn ask_once(&self, asked: &mut bool, state: &mut State) -> anyhow::Result<()> {
        if *asked {
            return Ok(());
        }
        let genesis =
            self.followed.node.genesis_hash().context("ask for the first block")?.to_string();
        ensure!(
            genesis == self.network.genesis_hash(),
            "the node's chain begins with {genesis}: it is not on {}",
            self.network
        );
        if let Some(oldest) = self.followed.oldest {
            let version = self.followed.node.version().context("ask for the node's version")?;
            ensure!(
                version.number >= oldest,
                "the node is {}, older than 0.21.5.4, and may follow an invalid chain; update it, \
                 or set node.allow_old_node",
                version.name
            );
        }
        let published = self.followed.node.notifications().context("ask for ZMQ")?;
        let noticing = match (&self.followed.zmq, published) {
            (None, _) => Noticing::Polling(Why::NotConfigured),
            (Some(_), Notifications::NotBuiltIn) => Noticing::Polling(Why::NotBuiltIn),
            (Some(_), Notifications::Topics(topics)) => {
                let published = |kind: &str| topics.iter().any(|topic| topic.kind == kind);
                if published("pubrawtx") && published("pubhashblock") {
                    Noticing::Zmq
                } else {
                    Noticing::Polling(Why::NotPublished)
                }
            }
        };
        self.notice(noticing, state);
        *asked = true;
        Ok(())
    }

    /// Says once how blocks and transactions are noticed from now on.
    fn notice(&self, noticing: Noticing, state: &mut State) {
        if state.noticing == noticing {
            return;
        }
        state.noticing = noticing;
        state.recorded_at = None;
        measures::notices_by_polling(noticing != Noticing::Zmq);
        match noticing {
            Noticing::Zmq => tracing::info!("noticing payments by ZMQ"),
            Noticing::Polling(_) => tracing::warn!(
                every_ms = POLL_ALONE.as_millis(),
                "noticing payments by {}",
                noticing.as_str()
            ),
        }
    }

    /// One whole look at the node.
    fn pass(&self, state: &mut State) -> anyhow::Result<()> {
        let lines = &state.lines;
        let told = |step: Headway| {
            if let Some(line) = lines.line(step, Instant::now()) {
                tracing::info!("{line}");
            }
        };
        let mut walk = Walk {
            store: &self.store,
            node: &self.followed.node,
            network: self.network,
            xpub: &self.xpub,
            clock: &self.clock,
            shutdown: &self.shutdown,
            ahead: &mut state.ahead,
            sieving: &mut state.sieving,
            told: &told,
        };
        state.more = false;
        let mut moved = false;
        let end = walk.walk(|changes| {
            moved = true;
            self.tell(changes);
        });
        state.lines.end();
        let end = end?;
        if std::mem::take(&mut state.told_of_block) {
            state.untold_moves = 0;
        } else if moved {
            state.untold_moves = state.untold_moves.saturating_add(1);
        }
        let alone_for = state.disconnected_since.map(|since| since.elapsed());
        if alone_for.is_some_and(|d| d > CONNECT_PATIENCE) && state.noticing == Noticing::Zmq {
            self.notice(Noticing::Polling(Why::NotConnected), state);
        }
        // Once may be a pass that was faster than the frame; twice is silence.
        if state.untold_moves >= 2 && state.noticing == Noticing::Zmq {
            self.notice(Noticing::Polling(Why::Silent), state);
        }
        let at_tip = match end {
            End::AtTip(at_tip) => at_tip,
            End::Stopped => return Ok(()),
            End::NodeBehind => {
                state.doubt.node_is_behind();
                if !std::mem::replace(&mut state.node_behind, true) {
                    tracing::warn!("the node has not caught up itself: nothing expires meanwhile");
                }
                self.note_trouble("the node has not caught up itself".to_owned(), state);
                return Ok(());
            }
        };
        state.sieving.begin(&self.store); // For the blocks that come.
        if std::mem::take(&mut state.node_behind) {
            tracing::info!("the node has caught up");
        }
        if state.trouble.take().is_some() {
            state.recorded_at = None; // Recording that all is well forgets the trouble.
        }
        state.doubt.look(&self.followed.node, &self.store, &at_tip, self.clock.now())?;
        let trust = self.settle(&at_tip, state)?;
        // What the mempool does not hold now was not there by now.
        let now = self.clock.now();
        let node = &self.followed.node;
        let awaited = self.awaits_from_before(state);
        let found = mempool::compare(node, &self.store, &mut state.looked_at, &at_tip, awaited)?;
        let Some(found) = found else { return Ok(()) }; // The tip moved; the next pass is due.
        let whole = found.whole;
        state.more = !whole;
        state.changed |= moved || !found.gone.is_empty();
        if !found.seen.is_empty() || !found.gone.is_empty() {
            let changes = self.store.write_blocking(move |tx| {
                let mut changes = apply::dropped(tx, &found.gone, &at_tip)?;
                let seen = apply::saw_tx(tx, &found.seen, now)?;
                changes.payments.extend(seen.payments);
                Ok::<_, anyhow::Error>(changes)
            })?;
            self.tell(&changes);
        }
        if std::mem::take(&mut state.changed) {
            state.alarm.look(&self.store)?;
        }
        let sound = state.clock.is_sound(&self.clock, node, at_tip.tip())?;
        let certain = whole && sound && trust == Trust::Full;
        let overdue = self.store.read_blocking(|tx| crate::store::payments::overdue(tx, now))?;
        if certain && !overdue.is_empty() {
            self.tell(&self.store.write_blocking(move |tx| apply::expire(tx, now, &at_tip))?);
        }
        if moved || state.recorded_at.is_none_or(|at| now.ms_since(at).abs() >= PROGRESS_MS) {
            let height = at_tip.tip().height;
            let note = format!("height {height} ({})", state.noticing.as_str());
            let heard_at = state.heard_at.take();
            self.store.write_blocking(move |tx| {
                if let Some(at) = heard_at {
                    progress::record(tx, ZMQ, at, "")?;
                }
                progress::record(tx, WATCHER, now, &note)
            })?;
            state.recorded_at = Some(now);
        }
        Ok(())
    }

    /// Judges what waited for trust in the chain, once at each tip that has it. Says whether this
    /// one has.
    fn settle(&self, at_tip: &AtTip, state: &mut State) -> anyhow::Result<Trust> {
        let tip = at_tip.tip();
        let trust = self.store.read_blocking(|tx| doubts::trust_at(tx, tip))?;
        match trust {
            Trust::Withheld => state.settled = None,
            Trust::Full if state.settled == Some(tip) => {}
            Trust::Full => {
                let waiting = self.store.read_blocking(doubts::payments_with_pegouts)?;
                if !waiting.is_empty() {
                    let (network, now) = (self.network, self.clock.now());
                    let judge = move |tx: &WriteTx| apply::settle_withheld(tx, network, now);
                    self.tell(&self.store.write_blocking(judge)?);
                }
                state.settled = Some(tip);
                if self.doubt.enabled {
                    self.wake.stir_sweeper(); // It may have waited for this.
                }
            }
        }
        Ok(trust)
    }

    /// Waits for the next look: a signal, the time, or the end. Transactions are looked at one by
    /// one as they are announced.
    fn wait(&self, signals: &Receiver<Signal>, pause: Duration, state: &mut State) {
        let began = Instant::now();
        let deadline = began + pause;
        while !self.shutdown.is_cancelled() {
            pulse::beat(Loop::Watcher);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if self.followed.zmq.is_none() {
                return self.rest(left); // Nobody sends signals.
            }
            let signal = signals.recv_timeout(left.min(Duration::from_millis(250)));
            if matches!(signal, Ok(Signal::Tx(_) | Signal::Block | Signal::Resync)) {
                state.heard_at = Some(self.clock.now());
            }
            match signal {
                Ok(Signal::Tx(raw)) => match self.hear_of_tx(&raw, state) {
                    Ok(Heard::Done) => {}
                    Ok(Heard::LookAround) => {
                        return self.rest(LOOK_PAUSE.saturating_sub(began.elapsed()));
                    }
                    Err(error) => {
                        // What was read may not have been written: look at everything again.
                        state.looked_at = LookedAt::default();
                        tracing::debug!(error = format!("{error:#}"), "looking again");
                        return;
                    }
                },
                Ok(Signal::Block) => return self.hear_of_block(state),
                Ok(Signal::Resync) => {
                    self.counters.resynchronised();
                    self.rest(LOOK_PAUSE.saturating_sub(began.elapsed()));
                    return self.skip_hints(signals, state);
                }
                Ok(Signal::Up) => return self.connected(state),
                Ok(Signal::Down) => state.disconnected_since = Some(Instant::now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.rest(left),
            }
        }
    }

    /// Drops the hints that wait: a whole look is due, which sees all that they could tell. What
    /// they say of the connection counts.
    fn skip_hints(&self, signals: &Receiver<Signal>, state: &mut State) {
        for signal in signals.try_iter().take(subscriber::SIGNALS_MAX) {
            match signal {
                Signal::Tx(_) | Signal::Resync => {}
                Signal::Block => self.hear_of_block(state),
                Signal::Up => self.connected(state),
                Signal::Down => state.disconnected_since = Some(Instant::now()),
            }
        }
    }

    fn hear_of_block(&self, state: &mut State) {
        state.told_of_block = true;
        if state.noticing == Noticing::Polling(Why::Silent) {
            self.notice(Noticing::Zmq, state);
        }
    }

    /// Whatever the node said of itself: somebody publishes where we listen. Should that one be
    /// silent, the next blocks tell.
    fn connected(&self, state: &mut State) {
        state.disconnected_since = None;
        self.notice(Noticing::Zmq, state);
    }

    /// A frame says that this transaction exists. If it pays us, the node is asked for it; what
    /// the node says is recorded, not what the frame says.
    fn hear_of_tx(&self, raw: &[u8], state: &mut State) -> anyhow::Result<Heard> {
        let Ok(tx) = codec::decode_tx(raw) else { return Ok(Heard::LookAround) };
        let Some(txid) = tx.txid else { return Ok(Heard::LookAround) };
        if state.looked_at.contains(txid) {
            return Ok(Heard::Done);
        }
        if tx.carries_mweb {
            return Ok(Heard::LookAround); // Only the node can tell what its MWEB part pays.
        }
        let ours = self.store.read_blocking(|read| {
            for output in &tx.outputs {
                let script = &output.script_pubkey;
                if crate::store::payments::index_of_script(read, script)?.is_some() {
                    return Ok::<_, anyhow::Error>(true);
                }
            }
            Ok(false)
        })?;
        if !ours {
            // It may still carry an MWEB part that the frame does not show (rpcserialversion, or
            // a forged frame): the next whole look asks the node.
            return Ok(Heard::Done);
        }
        let heard_at = Instant::now();
        let node = &self.followed.node;
        let seen = mempool::look_at(node, &self.store, &mut state.looked_at, txid)?;
        if !seen.is_empty() {
            let now = self.clock.now();
            self.tell(&self.store.write_blocking(move |tx| apply::saw_tx(tx, &seen, now))?);
            measures::noticed(heard_at.elapsed());
        }
        Ok(Heard::Done)
    }

    /// Passes on what a commit changed.
    fn tell(&self, changes: &Changes) {
        if !changes.payments.is_empty() {
            self.wake.stir_pages();
        }
        if !changes.completed.is_empty() {
            self.wake.stir_webhooks();
            self.wake.stir_sweeper();
        }
    }

    /// Sleeps, but ends soon when told to stop.
    fn rest(&self, pause: Duration) {
        let deadline = Instant::now() + pause;
        while !self.shutdown.is_cancelled() {
            pulse::beat(Loop::Watcher);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }
}

/// What became of an announced transaction.
enum Heard {
    Done,
    /// It cannot be told from the bytes: look at the whole mempool.
    LookAround,
}
