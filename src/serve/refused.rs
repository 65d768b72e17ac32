//! Why a start is refused for safety (exit code 4).

use crate::store;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(
        "the database belongs to another {what}: it contains {stored}, the configuration {configured}"
    )]
    OtherIdentity { what: &'static str, stored: String, configured: String },
    #[error("another process runs the role {0} on this database")]
    AlreadyRunning(&'static str),
    #[error(transparent)]
    Damaged(store::Error),
    #[error(
        "the database is empty, but its predecessor issued {next} addresses: restore a backup, or remove the high-water file to start anew"
    )]
    Emptied { next: u32 },
    #[error(transparent)]
    HighWater(store::Error),
    #[error("{0}")]
    Rights(String),
    #[error("wallet.signing_key_file: {0}")]
    SigningKey(String),
    #[error("sweeper.seal_key_file: {0}")]
    Seals(String),
    #[error(
        "the node is {0}, older than 0.21.5.4, and may follow an invalid chain; update it, or set node.allow_old_node"
    )]
    OldNode(String),
    #[error(
        "first start on main: run litegate doctor until it reports no FAILURE (last result: {0}); --force starts anyway"
    )]
    Unexamined(String),
}
