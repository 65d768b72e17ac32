//! The functional core: payments, coins, blocks and sweeps as plain values and pure functions.
//!
//! No module here does I/O, waits, reads a clock, draws a random number, or knows SQL or JSON
//! shapes. Everything is an argument, including the time.

pub(crate) mod account_xpriv;
pub(crate) mod address;
pub(crate) mod amount;
pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod audit_log;
pub(crate) mod chain;
pub(crate) mod chain_guard;
pub(crate) mod confirmations;
pub(crate) mod digits;
pub(crate) mod dust;
pub(crate) mod egress;
pub(crate) mod event;
pub(crate) mod event_kind;
pub(crate) mod failover;
pub(crate) mod fiat;
pub(crate) mod ip_network;
pub(crate) mod keys;
pub(crate) mod ledger;
pub(crate) mod merchant;
pub(crate) mod network;
pub(crate) mod notification;
pub(crate) mod own_addresses;
pub(crate) mod payment;
pub(crate) mod payout_address;
pub(crate) mod pegout;
pub(crate) mod printable;
pub(crate) mod rate;
pub(crate) mod retry;
pub(crate) mod seal;
pub(crate) mod second_factor;
pub(crate) mod sweep;
pub(crate) mod time;
pub(crate) mod tolerance;
pub(crate) mod webhook_url;
