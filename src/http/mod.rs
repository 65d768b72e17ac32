//! The public HTTP interface: API, checkout and documents, and the operator's metrics
//! listener.
//!
//! One file per resource: its `route` parses the request into types, calls an operation, and
//! shapes the response by `view`. Handlers contain no rules. `resource.rs` lists all paths,
//! `error.rs` all errors; `server.rs` applies the limits on connections, headers and time.
//!
//! Must not know: SQL, the node, signing keys.

mod accept;
pub(crate) mod account;
mod api;
mod auth;
pub(crate) mod checkout;
mod client_stream;
mod connection_slots;
pub(crate) mod create;
pub(crate) mod demo;
pub(crate) mod docs;
pub(crate) mod error;
mod error_body;
mod error_code;
mod events;
mod export;
mod filters;
#[cfg(test)]
mod fixture;
mod headers;
mod keyed;
mod limit;
mod list;
mod metrics;
pub(crate) mod openapi;
pub(crate) mod ops;
pub(crate) mod page_updates;
pub(crate) mod pages;
mod pay;
pub(crate) mod proxies;
pub(crate) mod qr;
mod qr_image;
mod resource;
mod routes;
pub(crate) mod server;
mod settle;
mod show;
pub(crate) mod status_cache;
mod unread;
mod webhooks;
mod weights;

pub(crate) use api::{Api, Limits, Settings};
