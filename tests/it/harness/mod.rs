//! The test harness: a node that mines and reorganises, a gateway that is started and killed,
//! a shop that creates payments, a receiver of webhooks.
//!
//! Blocking code that does not know the gateway's internals.

pub(crate) mod at_once;
pub(crate) mod authenticator;
pub(crate) mod clock;
pub(crate) mod database;
pub(crate) mod discord;
pub(crate) mod exchanges;
pub(crate) mod expected;
pub(crate) mod files;
pub(crate) mod gateway;
pub(crate) mod hostile_receiver;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod litestream;
pub(crate) mod many;
pub(crate) mod node;
pub(crate) mod packages;
pub(crate) mod passes;
pub(crate) mod ports;
pub(crate) mod powercut;
pub(crate) mod proxy;
pub(crate) mod random;
pub(crate) mod receiver;
pub(crate) mod roles;
pub(crate) mod rows;
pub(crate) mod rpc;
pub(crate) mod shop;
pub(crate) mod shopper;
pub(crate) mod terminal;
pub(crate) mod test_env;
pub(crate) mod tls;
pub(crate) mod wait;
pub(crate) mod watch_only;
pub(crate) mod zmq;
