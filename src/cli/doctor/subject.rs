//! The configuration and its database, shared by all checks.

use std::ops::Deref;
use std::sync::OnceLock;

use anyhow::anyhow;

use crate::config::Config;
use crate::serve::database::open_examined;
use crate::store::Store;

pub(super) struct Subject {
    pub(super) config: Config,
    pub(super) store: OnceLock<Result<Store, String>>,
}

impl Subject {
    /// The database, opened by the first check that needs it.
    ///
    /// # Errors
    /// If it cannot be used.
    pub(super) fn store(&self) -> anyhow::Result<&Store> {
        let open = || open_examined(&self.config).map_err(|error| format!("{error:#}"));
        self.store.get_or_init(open).as_ref().map_err(|error| anyhow!("{error}"))
    }
}

impl Deref for Subject {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}
