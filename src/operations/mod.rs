//! Operations: everything that a user may request, shared by API, bot and command line.
//!
//! An operation runs in one write transaction and returns a value or a [`Refusal`]. The caller
//! has authenticated and authorised the user; the operation validates the request. Each change
//! adds a row to the audit log.
//!
//! Must not know: HTTP, Discord, the terminal.

pub(crate) mod account_scan;
pub(crate) mod accounts;
mod actor;
pub(crate) mod addresses;
pub(crate) mod announce;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod confirmations;
pub(crate) mod create_payment;
pub(crate) mod export;
pub(crate) mod merchants;
pub(crate) mod nodes;
pub(crate) mod notifications;
pub(crate) mod own_addresses;
pub(crate) mod payment_events;
pub(crate) mod payments;
pub(crate) mod rates;
pub(crate) mod reason;
mod refusal;
pub(crate) mod retention;
pub(crate) mod second_factor;
pub(crate) mod settle_payment;
pub(crate) mod sweeps;
pub(crate) mod untrusted_proxy;
pub(crate) mod webhooks;

pub(crate) use actor::Actor;
pub(crate) use refusal::Refusal;
