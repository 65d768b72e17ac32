//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.
//!
//! Modules are listed in the order of the layers: a module may import the ones above it, and
//! none below. `domain` decides on plain values and does no I/O; `store` has the only SQL,
//! `node` the only access to litecoind; `operations` is what a user may ask for, by API, bot,
//! CLI or dashboard; the roles (`watcher`, `webhooks`, `sweeper`, `http`, `bot`) communicate
//! only through the database; `config`, `serve` and `cli` compose them.

mod domain;

mod clock;
mod crash;
mod i18n;
mod logging;
mod metrics;
mod notifier;
mod privileges;
mod progress;
mod rate_limit;
mod safe_file;
mod secret;
mod view;
mod watchdog;

mod node;
mod outbound;
mod rates;
mod store;

mod operations;

mod bot;
mod http;
mod sweeper;
mod watcher;
mod webhooks;

pub mod cli;
mod config;
mod serve;

#[doc(hidden)]
pub mod bench;
#[doc(hidden)]
pub mod fuzzing;
