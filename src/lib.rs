//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.

mod domain;

mod clock;
mod crash;
mod secret;
mod view;
mod wake;

mod node;
mod store;

mod acts;

mod bot;
mod http;
mod sweeper;
mod watcher;
mod webhooks;

pub mod cli;
mod config;
mod serve;
