//! The sweeper role: pays confirmed coins out to the merchants' addresses.
//!
//! A pass abandons sweeps that the chain has made impossible, sends unconfirmed sweeps again,
//! and makes new sweeps of what is due. A sweep is claimed and stored in one write and only
//! then broadcast, so the next pass continues after a crash. Blocking code on its own thread.
//!
//! A bad coin, key path or payout address is left out and reported; all others are paid. What
//! the node refuses is found by testing parts. No code decides by the node's error texts.
//!
//! How money leaves, in this order:
//! 1. `pass::store_and_send` claims the coins and stores the signed bytes in one write. It
//!    refuses while the chain guard is active.
//! 2. `broadcast::send` takes a `StoredSweepTx`, which only the store can make, asks the node
//!    whether it has the transaction, and records the result.
//! 3. `Node::broadcast` (`node/transactions.rs`) calls `sendrawtransaction`.
//!
//! `in_flight::bump_fee` and `damaged::store_again_and_send` store a further version of a
//! sweep, and continue at step 2. There is no other way.
//!
//! Must not know: HTTP, why a payment is complete.

pub(crate) mod audit_log;
mod broadcast;
pub(crate) mod build;
mod damaged;
mod due;
pub(crate) mod encrypted;
pub(crate) mod external;
mod first_seen;
mod in_flight;
mod memory;
mod notify;
pub(crate) mod operator_notifier;
mod pass;
mod payees;
pub(crate) mod payout_addresses;
pub(crate) mod private_file;
mod record;
mod role;
mod run;
pub(crate) mod seals;
pub(crate) mod signing_key;
mod trial;

pub(crate) use role::{Settings, Sweeper};
