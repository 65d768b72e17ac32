//! The database: the only SQL of the gateway, and the only channel between its roles.
//!
//! [`Store::read`] sees one consistent state and cannot write; [`Store::write`] is one
//! transaction, durable (WAL, synchronous FULL) before it returns. The closures run on a
//! blocking thread: no await, no network, no clock.
//!
//! One thread writes for this process. It runs each waiting job in its own savepoint, commits
//! them together, and then answers the callers: they share the cost of one disk flush, and a
//! failing job affects no other. Other processes (the CLI) wait for SQLite's lock. A job on
//! any number of rows runs in bounded batches, with other writes in between ([`batches`]).
//!
//! Errors: every function returns [`Error`], except backups ([`backup::Failed`]) and their
//! seals ([`backup::seal::Refusal`]), which contain it. `failure.rs` has the only mapping of
//! SQLite's result codes.
//!
//! Must not know: the meaning of a job, HTTP, the node.

pub(crate) mod accounts;
pub(crate) mod audit_log;
mod audit_log_hash;
pub(crate) mod authenticated;
pub(crate) mod backup;
pub(crate) mod batches;
pub(crate) mod blocks;
pub(crate) mod bloom_filter;
mod canonical;
pub(crate) mod chain_guard_alerts;
pub(crate) mod change_detector;
pub(crate) mod coins;
mod columns;
pub(crate) mod confirmations;
mod connect;
mod database;
pub(crate) mod disk_space;
mod error;
pub(crate) mod events;
pub(crate) mod export;
mod failure;
pub(crate) mod heads;
pub(crate) mod high_water;
pub(crate) mod idempotency;
pub(crate) mod identity;
pub(crate) mod indexes;
pub(crate) mod ledger_report;
pub(crate) mod locales;
pub(crate) mod merchants;
mod migrations;
pub(crate) mod node_in_use;
pub(crate) mod notifications;
pub(crate) mod overdue;
pub(crate) mod payments;
pub(crate) mod payout_waits;
pub(crate) mod pegouts;
pub(crate) mod rates;
mod readers;
pub(crate) mod requests;
pub(crate) mod reseal;
mod restored_heads;
pub(crate) mod retention;
pub(crate) mod role_status;
mod schema;
mod schema_version;
mod scratch;
pub(crate) mod seals;
pub(crate) mod stats;
pub(crate) mod sweeps;
mod tally;
pub(crate) mod totals;
mod tx;
mod upgrade_copy;
pub(crate) mod verification;
mod writer;

pub(crate) use database::{Beside, PATIENCE, PATIENCE_SERVING, Store, look_into};
pub(crate) use error::Error;
pub(crate) use tx::{ReadTx, WriteTx};

#[cfg(test)]
mod tests;
