//! What ZMQ tells between two whole looks. A frame is a hint: what is stored is what the node says
//! when it is asked.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::metrics;
use crate::node::codec;
use crate::node::zmq::Signal;
use crate::store::{coins, payments};
use crate::watchdog::{self, Loop};

use super::apply::Sight;
use super::mempool;
use super::{State, Watcher, apply, subscriber};
use crate::view::role_status::{NotificationMode, PollingReason};

/// The shortest time between two whole looks that hints ask for: nobody can keep us busy.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// What became of an announced transaction.
enum Heard {
    Done,
    /// It cannot be told from the bytes: look at the whole mempool.
    LookAround,
}

impl Watcher {
    /// Waits for the next look: a signal, the time, or the end. Transactions are looked at one by
    /// one as they are announced.
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
                        state.looked_at.forget_foreign();
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
    pub(super) fn skip_hints(&self, signals: &Receiver<Signal>, state: &mut State) {
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
        state.block_announced = true;
        if state.notification_mode == NotificationMode::Polling(PollingReason::Silent) {
            self.notification(NotificationMode::Zmq, state);
        }
    }

    /// Whatever the node said of itself: somebody publishes where we listen. Should that one be
    /// silent, the next blocks tell.
    fn connected(&self, state: &mut State) {
        state.disconnected_since = None;
        self.notification(NotificationMode::Zmq, state);
    }

    /// A frame says that this transaction exists. If it pays us, the node is asked for it; what
    /// the node says is recorded, not what the frame says.
    fn hear_of_tx(&self, raw: &[u8], state: &mut State) -> anyhow::Result<Heard> {
        let Ok(tx) = codec::decode_tx(raw) else { return Ok(Heard::LookAround) };
        let Some(txid) = tx.txid else { return Ok(Heard::LookAround) };
        if state.looked_at.is_foreign(txid) {
            return Ok(Heard::Done);
        }
        if tx.carries_mweb {
            return Ok(Heard::LookAround); // Only the node can tell what its MWEB part pays.
        }
        let new = self.store.read_blocking(|read| {
            let scripts = tx.outputs.iter().map(|output| output.script_pubkey.as_script());
            let ours = !payments::of_scripts(read, scripts)?.is_empty();
            // Frames come again with the block, when the coins were recorded already.
            Ok::<_, anyhow::Error>(ours && !coins::counts_of(read, txid)?)
        })?;
        if !new {
            // It may still carry an MWEB part that the frame does not show (rpcserialversion, or
            // a forged frame): the next whole look asks the node.
            return Ok(Heard::Done);
        }
        let heard_at = Instant::now();
        let (node, now) = (&self.followed.node, self.clock.now());
        let seen = mempool::look_at(node, &self.store, &mut state.looked_at, txid, now)?;
        if let Some(seen) = seen {
            let sight = Sight { now, compared_at: state.compared_at };
            self.tell(&self.store.write_blocking(move |tx| apply::saw(tx, &[seen], sight))?);
            metrics::noticed(heard_at.elapsed());
        }
        Ok(Heard::Done)
    }
}
