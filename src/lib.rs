//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.
//!
//! The modules stand in reading order, row by row: a row may use the rows above it, and none
//! below. `domain` decides with plain values and touches nothing; `store` is the only SQL, `node`
//! the only talk with litecoind; `operations` is what a person may ask for, whichever door they come
//! by; the roles (`watcher`, `webhooks`, `sweeper`, `http`, `bot`) each do one thing and know each
//! other by the database alone; `config`, `serve` and `cli` put them together.

mod domain;

mod clock;
mod crash;
mod i18n;
mod logging;
mod metrics;
mod notifier;
mod privileges;
mod progress;
mod safe_file;
mod secret;
mod view;
mod watchdog;

mod node;
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
