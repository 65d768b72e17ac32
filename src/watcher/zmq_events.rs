//! ZMQ messages between two passes.
//!
//! A message is never believed: it makes the watcher ask the node, and the node's answer is
//! stored.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::metrics;
use crate::node::codec;
use crate::node::zmq::Signal;
use crate::store::{WriteTx, coins, payments};
use crate::watchdog::{self, Loop};

use super::apply::{self, SeenAt};
use super::mempool;
use super::role::Watcher;
use super::state::State;
use super::subscriber;
use crate::view::role_status::{NotificationMode, PollingReason};

/// The shortest time between two passes that ZMQ messages cause, so that no sender of messages
/// can keep the watcher busy.
const PASS_INTERVAL_MIN: Duration = Duration::from_millis(200);

enum Announced {
    Done,
    /// Its bytes do not say whether it pays the gateway: compare the whole mempool.
    NeedsPass,
}

impl Watcher {
    /// Waits until the next pass is due: for a signal, at most for `pause`. Checks announced
    /// transactions one by one meanwhile.
    pub(super) fn wait(&self, signals: &Receiver<Signal>, pause: Duration, state: &mut State) {
        let began = Instant::now();
        let deadline = began + pause;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Watcher);
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if self.followed.zmq.is_none() {
                return self.sleep(left); // No signals come without ZMQ.
            }
            let signal = signals.recv_timeout(left.min(Duration::from_millis(250)));
            if matches!(signal, Ok(Signal::Tx(_) | Signal::Block | Signal::Resync)) {
                state.zmq_message_at = Some(self.clock.now());
            }
            match signal {
                Ok(Signal::Tx(raw)) => match self.on_transaction(&raw, state) {
                    Ok(Announced::Done) => {}
                    Ok(Announced::NeedsPass) => {
                        return self.sleep(PASS_INTERVAL_MIN.saturating_sub(began.elapsed()));
                    }
                    Err(error) => {
                        // What was fetched may not be stored: fetch everything again.
                        state.node.mempool.forget_foreign();
                        let error = format!("{error:#}");
                        tracing::debug!(error, "announced transaction not checked; retrying");
                        return;
                    }
                },
                Ok(Signal::Block) => return self.on_block(state),
                Ok(Signal::Resync) => {
                    self.counters.resynchronised();
                    self.sleep(PASS_INTERVAL_MIN.saturating_sub(began.elapsed()));
                    return self.drain_signals(signals, state);
                }
                Ok(Signal::Up) => return self.on_connected(state),
                Ok(Signal::Down) => state.node.disconnected_since = Some(Instant::now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.sleep(left),
            }
        }
    }

    /// Drops the waiting announcements, because a pass is due that finds all they could
    /// announce. Signals about the connection are kept.
    pub(super) fn drain_signals(&self, signals: &Receiver<Signal>, state: &mut State) {
        for signal in signals.try_iter().take(subscriber::SIGNALS_MAX) {
            match signal {
                Signal::Tx(_) | Signal::Resync => {}
                Signal::Block => self.on_block(state),
                Signal::Up => self.on_connected(state),
                Signal::Down => state.node.disconnected_since = Some(Instant::now()),
            }
        }
    }

    fn on_block(&self, state: &mut State) {
        state.node.block_announced = true;
        if state.node.notification_mode == NotificationMode::Polling(PollingReason::Silent) {
            self.set_notification_mode(NotificationMode::Zmq, state);
        }
    }

    /// A publisher accepted the connection, whatever `getzmqnotifications` said. If it stays
    /// silent, the next blocks show it.
    fn on_connected(&self, state: &mut State) {
        state.node.disconnected_since = None;
        self.set_notification_mode(NotificationMode::Zmq, state);
    }

    /// Fetches an announced transaction from the node if it seems to pay the gateway, and
    /// stores the node's answer.
    fn on_transaction(&self, raw: &[u8], state: &mut State) -> anyhow::Result<Announced> {
        let Ok(tx) = codec::decode_tx(raw) else { return Ok(Announced::NeedsPass) };
        let Some(txid) = tx.txid else { return Ok(Announced::NeedsPass) };
        if state.node.mempool.is_foreign(txid) {
            return Ok(Announced::Done);
        }
        if tx.carries_mweb {
            return Ok(Announced::NeedsPass); // Only the node knows its peg-outs.
        }
        let new = self.store.read_blocking(|read| {
            let scripts = tx.outputs.iter().map(|output| output.script_pubkey.as_script());
            let ours = !payments::of_scripts(read, scripts)?.is_empty();
            // The node announces transactions again with their block; their coins are stored
            // then.
            Ok::<_, anyhow::Error>(ours && !coins::counts_of(read, txid)?)
        })?;
        if !new {
            // It may have an MWEB part that the message lacks (rpcserialversion, or a forged
            // message): the next pass asks the node.
            return Ok(Announced::Done);
        }
        let received_at = Instant::now();
        let (node, now) = (&self.followed.node, self.clock.now());
        let seen = mempool::fetch(node, &self.store, &mut state.node.mempool, txid, now)?;
        if let Some(seen) = seen {
            let seen_at = SeenAt { now, compared_at: state.node.compared_at };
            let (network, rates) = (self.network, self.rates.clone());
            let record =
                move |tx: &WriteTx| apply::record_seen(tx, &[seen], network, &rates, seen_at);
            let changes = self.store.write_blocking(record)?;
            self.notify(&changes);
            metrics::noticed(received_at.elapsed());
        }
        Ok(Announced::Done)
    }
}
