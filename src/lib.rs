//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.

mod clock;
mod crash;
mod domain;
#[doc(hidden)]
pub mod fuzzing;
mod node;
mod secret;
mod store;
mod view;
mod wake;
