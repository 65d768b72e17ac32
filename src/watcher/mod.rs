//! The watcher role: follows the best chain and the mempool of one node, and stores what it
//! finds.
//!
//! RPC is the source of truth; ZMQ only says that it is time to ask. One pass ([`pass`]) syncs
//! to the node's tip, compares the mempool, lets payments expire and reports. The pass is the
//! same after a ZMQ event, a timer or a restart. Blocking code on its own thread.
//!
//! Must not know: HTTP, how webhooks are delivered, how sweeps are made.

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
mod node_check;
mod node_monitor;
mod notification_mode;
mod pass;
mod proof;
mod recognise;
mod reorg_alarm;
pub(crate) mod rescan;
mod role;
mod run;
mod state;
mod subscriber;
pub(crate) mod sync;
pub(crate) mod utxo_rescan;
mod zmq_events;

pub(crate) use role::Watcher;

#[cfg(test)]
mod tests;
