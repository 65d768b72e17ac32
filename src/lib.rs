//! litegate: a self-hosted, multi-tenant Litecoin payment gateway on the operator's own node.

mod domain;
