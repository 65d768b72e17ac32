//! The role that tells merchants: sends due events from the outbox, and records every try.
//!
//! At least once: an event is delivered when a receiver answered 2xx and that is stored. Must not
//! know: why an event happened, or how its body is made.

mod deliver;
mod delivery_slots;
pub(crate) mod http_probe;
pub(crate) mod operator;
mod rate_limit;
pub(crate) mod sign;
pub(crate) mod target;
pub(crate) mod trial;

pub(crate) use deliver::{Settings, Webhooks};

#[cfg(test)]
mod receiver;
