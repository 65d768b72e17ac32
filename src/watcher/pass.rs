//! One pass of the watcher: sync to the tip, compare the mempool, expire payments, report.
//!
//! Each step is idempotent, so a pass that fails is repeated as a whole. Nothing expires and
//! no coin is evicted without [`AtTip`], the proof that the gateway is at the node's tip.

use std::time::{Duration, Instant};

use bitcoin::OutPoint;

use crate::domain::chain::AtTip;
use crate::domain::chain_guard::Trust;
use crate::domain::time::Timestamp;
use crate::node::mempool::SeenTx;
use crate::operations::payment_events::EventContext;
use crate::progress::Progress;
use crate::store::batches::{Batches, Ended};
use crate::store::{self, WriteTx, chain_guard_alerts, node_in_use, role_status};
use crate::view::role_status::{NotificationMode, PollingReason, Role, RoleReport};

use super::apply::{self, Changes, SeenAt};
use super::mempool::{self, Found};
use super::role::Watcher;
use super::state::State;
use super::sync::{End, Sync};

/// How long a ZMQ connection may take before the watcher polls instead.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// So many unannounced tips in a row mean that ZMQ is silent. One can be a pass that was
/// faster than the message.
const UNANNOUNCED_TIPS_MAX: u32 = 2;

/// How often success is recorded while no block comes, in milliseconds.
const RECORD_INTERVAL_MS: i64 = 10_000;

const NODE_BEHIND: &str = "the node is still syncing";

struct Pass {
    moved: bool,
    /// A bounded step left work: the next pass is due at once.
    more: bool,
}

impl Pass {
    fn ended(&self) -> Ended {
        match self.more {
            true => Ended::Stopped,
            false => Ended::Done,
        }
    }
}

impl Watcher {
    /// Makes one pass. `Stopped`: work is left.
    pub(super) fn pass(&self, state: &mut State) -> anyhow::Result<Ended> {
        let mut pass = Pass { moved: false, more: false };
        let Some(at_tip) = self.sync(&mut pass, state)? else { return Ok(pass.ended()) };
        let node = &self.followed.node;
        state.chain_guard.check(node, &self.store, &at_tip, self.clock.now())?;
        let trust = self.complete_once_trusted(&at_tip, state)?;
        // Read before the mempool: a payment that is not in the mempool was not made by `now`.
        let now = self.clock.now();
        let Some(whole) = self.sync_mempool(at_tip, now, &mut pass, state)? else {
            return Ok(pass.ended());
        };
        if std::mem::take(&mut state.coins_changed) {
            state.reorg_alarm.check(&self.store)?;
        }
        let sound = state.clock.is_sound(&self.clock, node, at_tip.tip())?;
        if whole && sound && trust == Trust::Full {
            self.expire_payments(at_tip, now, &mut pass, state)?;
        }
        self.report(at_tip, now, &pass, state)?;
        Ok(pass.ended())
    }

    /// Syncs to the node's tip. `None` if the node is behind, or the watcher has to stop.
    fn sync(&self, pass: &mut Pass, state: &mut State) -> anyhow::Result<Option<AtTip>> {
        let lines = &state.progress_lines;
        let on_progress = |step: Progress| {
            if let Some(line) = lines.line(step, Instant::now()) {
                tracing::info!("{line}");
            }
        };
        let mut sync = Sync {
            store: &self.store,
            node: &self.followed.node,
            network: self.network,
            xpub: &self.xpub,
            rates: &self.rates,
            clock: &self.clock,
            shutdown: &self.shutdown,
            lookahead: &mut state.lookahead,
            filter_builder: &mut state.filter_builder,
            on_progress: &on_progress,
        };
        let end = sync.run(|changes| {
            pass.moved = true;
            self.notify(changes);
        });
        state.progress_lines.end();
        let end = end?;
        self.check_zmq(pass.moved, state);
        match end {
            End::AtTip(at_tip) => {
                self.at_tip(state);
                Ok(Some(at_tip))
            }
            End::Stopped => Ok(None),
            End::NodeBehind => {
                state.chain_guard.node_is_behind();
                if !std::mem::replace(&mut state.node.is_behind, true) {
                    tracing::warn!("node is still syncing; no payment expires until it is done");
                }
                self.record_trouble(NODE_BEHIND.to_owned(), state);
                Ok(None)
            }
        }
    }

    /// Falls back to polling if ZMQ is disconnected or did not announce the last blocks.
    fn check_zmq(&self, moved: bool, state: &mut State) {
        let node = &mut state.node;
        if std::mem::take(&mut node.block_announced) {
            node.unannounced_tips = 0;
        } else if moved {
            node.unannounced_tips = node.unannounced_tips.saturating_add(1);
        }
        let is_cut = node.disconnected_since.is_some_and(|at| at.elapsed() > CONNECT_TIMEOUT);
        let is_silent = node.unannounced_tips >= UNANNOUNCED_TIPS_MAX;
        if is_cut && node.notification_mode == NotificationMode::Zmq {
            let reason = PollingReason::NotConnected;
            self.set_notification_mode(NotificationMode::Polling(reason), state);
        }
        if is_silent && state.node.notification_mode == NotificationMode::Zmq {
            let reason = PollingReason::Silent;
            self.set_notification_mode(NotificationMode::Polling(reason), state);
        }
    }

    fn at_tip(&self, state: &mut State) {
        state.filter_builder.begin(&self.store); // For the next blocks.
        if std::mem::take(&mut state.node.is_behind) {
            tracing::info!("node has synced");
        }
        if state.trouble.take().is_some() {
            state.node.recorded_at = None; // Recording success clears the recorded trouble.
        }
    }

    /// Completes payments that waited for the chain guard, once at each trusted tip. Returns
    /// whether this tip is trusted.
    fn complete_once_trusted(&self, at_tip: &AtTip, state: &mut State) -> anyhow::Result<Trust> {
        let tip = at_tip.tip();
        let trust = self.store.read_blocking(|tx| chain_guard_alerts::trust_at(tx, tip))?;
        match trust {
            Trust::Withheld => state.evaluated_at = None,
            Trust::Full if state.evaluated_at == Some(tip) => {}
            Trust::Full => {
                let waiting =
                    self.store.read_blocking(chain_guard_alerts::payments_with_pegouts)?;
                let (network, now) = (self.network, self.clock.now());
                let each = move |tx: &WriteTx, index: &_, changes: &mut Changes| {
                    apply::complete(tx, *index, network, now, changes)
                };
                let (notify, go_on) = (|changes| self.notify(&changes), || self.keep_going());
                let batches = Batches { store: &self.store, go_on: &go_on };
                if batches.write(waiting, each, notify)? == Ended::Stopped {
                    return Ok(trust);
                }
                state.evaluated_at = Some(tip);
                if self.chain_guard.enabled {
                    self.notifier.notify_sweeper(); // It may have waited for the chain guard.
                }
            }
        }
        Ok(trust)
    }

    /// Compares the mempool and stores the differences. Returns whether the whole mempool was
    /// compared; `None` if the tip moved meanwhile, or the watcher has to stop.
    fn sync_mempool(
        &self,
        at_tip: AtTip,
        now: Timestamp,
        pass: &mut Pass,
        state: &mut State,
    ) -> anyhow::Result<Option<bool>> {
        let patience = self.patience_with(state, now);
        let (node, view) = (&self.followed.node, &mut state.node.mempool);
        let found = mempool::compare(node, &self.store, view, &at_tip, patience)?;
        let Some(found) = found else { return Ok(None) };
        pass.more = !found.whole;
        state.node.is_loading_mempool = !found.loaded;
        state.coins_changed |= pass.moved || !found.missing.is_empty();
        let whole = found.whole && found.loaded;
        let seen_at = SeenAt { now, compared_at: state.node.compared_at };
        if self.store_mempool(found, seen_at, at_tip)? == Ended::Stopped {
            return Ok(None);
        }
        if whole {
            state.node.compared_at = Some(now);
        }
        Ok(Some(whole))
    }

    /// Stores what a comparison found. The coins of one transaction are one fact: they change
    /// in one write.
    fn store_mempool(&self, found: Found, seen_at: SeenAt, at_tip: AtTip) -> anyhow::Result<Ended> {
        let (notify, go_on) = (|changes: Changes| self.notify(&changes), || self.keep_going());
        let batches = Batches { store: &self.store, go_on: &go_on };
        let context = EventContext { network: self.network, now: seen_at.now, mempool: None };
        let (network, rates) = (self.network, self.rates.clone());
        let of_seen = rates.clone();
        let evict = move |tx: &WriteTx, missing: &Vec<OutPoint>, changes: &mut Changes| {
            changes.add(apply::evict(tx, missing, &context, &rates, &at_tip)?);
            Ok::<_, store::Error>(())
        };
        let mut missing = found.missing;
        missing.sort_unstable();
        let same_tx = |a: &OutPoint, b: &OutPoint| a.txid == b.txid;
        let missing = missing.chunk_by(same_tx).map(<[_]>::to_vec).collect();
        if batches.write(missing, evict, notify)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        let record = move |tx: &WriteTx, seen: &SeenTx, changes: &mut Changes| {
            changes.add(apply::record_seen(
                tx,
                std::slice::from_ref(seen),
                network,
                &of_seen,
                seen_at,
            )?);
            Ok::<_, store::Error>(())
        };
        Ok(batches.write(found.seen, record, notify)?)
    }

    /// Lets overdue payments expire, for a bounded time.
    fn expire_payments(
        &self,
        at_tip: AtTip,
        now: Timestamp,
        pass: &mut Pass,
        state: &mut State,
    ) -> anyhow::Result<()> {
        let (notify, go_on) = (|changes| self.notify(&changes), || self.keep_going());
        let batches = Batches { store: &self.store, go_on: &go_on };
        let ended = state.expiry.pass(&batches, self.network, now, at_tip, notify)?;
        pass.more |= ended == Ended::Stopped;
        Ok(())
    }

    /// Records success for `/readyz` and the metrics: after each block, and now and then.
    fn report(
        &self,
        at_tip: AtTip,
        now: Timestamp,
        pass: &Pass,
        state: &mut State,
    ) -> anyhow::Result<()> {
        let is_recent = |at: Timestamp| now.ms_since(at).abs() < RECORD_INTERVAL_MS;
        if !pass.moved && state.node.recorded_at.is_some_and(is_recent) {
            return Ok(());
        }
        let mode = state.node.notification_mode;
        let report = RoleReport::AtTip { height: at_tip.tip().height, mode };
        let (zmq_message_at, compared_at) = (state.zmq_message_at.take(), state.node.compared_at);
        self.store.write_blocking(move |tx| {
            if let Some(at) = compared_at {
                node_in_use::record_compared(tx, at)?;
            }
            if let Some(at) = zmq_message_at {
                role_status::record(tx, Role::Zmq, at, &RoleReport::Seen)?;
            }
            role_status::record(tx, Role::Watcher, now, &report)
        })?;
        state.node.recorded_at = Some(now);
        Ok(())
    }
}
