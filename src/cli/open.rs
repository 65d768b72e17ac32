//! Loads the configuration and opens the database for a command.

use std::path::Path;

use crate::config::{self, Config};
use crate::serve::database::open_store;
use crate::serve::rights::{Work, give_up_root};
use crate::store::Store;

use super::failure::Failure;

/// Loads the configuration and opens its database, for commands beside a running gateway.
pub(super) fn open(config: Option<&Path>) -> Result<(Config, Store), Failure> {
    let config = load(config, Work::Database)?;
    let store = open_store(&config)?;
    Ok((config, store))
}

/// Loads the configuration with the caller's rights, then drops those of root.
pub(super) fn load(config: Option<&Path>, work: Work) -> Result<Config, Failure> {
    let mut config = config::load(config)?;
    give_up_root(&mut config, work)?;
    Ok(config)
}
