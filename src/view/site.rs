//! The gateway's public URL and network.

use crate::domain::network::Network;

/// The gateway's network and its public URL, without a trailing slash.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) network: Network,
    pub(crate) public_url: String,
}

impl Site {
    /// The path of the public URL, such as `/pay-gw`; empty if it has none.
    pub(crate) fn path_prefix(&self) -> &str {
        let rest = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("", |at| &rest[at..])
    }
}
