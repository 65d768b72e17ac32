//! The thread that subscribes to one node's ZMQ publisher, and its queue to the watcher. It
//! lives as long as that node is followed.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

use crate::node::zmq::{self, Counters, Signal};

/// Signals that may wait. Further ones become one resynchronisation.
pub(super) const SIGNALS_MAX: usize = 1_000;

pub(super) struct Subscriber {
    signals: Receiver<Signal>,
    /// Stops this thread only.
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Subscriber {
    /// Subscribes. Without settings no signal ever comes.
    pub(super) fn start(
        settings: Option<zmq::Settings>,
        counters: Arc<Counters>,
        shutdown: &CancellationToken,
    ) -> Subscriber {
        let (sender, signals) = sync_channel(SIGNALS_MAX);
        let stop = shutdown.child_token();
        let until = stop.clone();
        let thread = settings.map(|settings| {
            std::thread::Builder::new()
                .name("zmq".to_owned())
                .spawn(move || {
                    if let Err(error) = zmq::run(&settings, &sender, &counters, &until) {
                        tracing::error!(%error, "ZMQ cannot be used; polling instead");
                    }
                })
                .expect("the system can start one more thread")
        });
        Subscriber { signals, stop, thread }
    }

    pub(super) fn signals(&self) -> &Receiver<Signal> {
        &self.signals
    }

    pub(super) fn end(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // A panic was reported when it happened.
        }
    }
}
