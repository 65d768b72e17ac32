//! The webhooks role: sends due events from the outbox, and records every attempt.
//!
//! Delivery is at least once: an event is delivered once a 2xx response is stored.
//!
//! Must not know: why an event happened, or how its body is made.

pub(crate) mod client;
mod deliver;
mod delivery_slots;
pub(crate) mod http_probe;
pub(crate) mod operator;
mod rate_limit;
pub(crate) mod sign;
mod target;
pub(crate) mod trial;

pub(crate) use deliver::{Settings, Webhooks};

#[cfg(test)]
mod receiver;
