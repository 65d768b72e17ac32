//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.

mod clock;
mod crash;
mod domain;
mod node;
mod secret;
mod store;
mod view;
mod wake;
