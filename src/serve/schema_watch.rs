//! Compares the database's schema with the known one while a process runs: a trigger that somebody
//! leaves there acts within the writes of every process, not of the sweeper's alone, which compares
//! before each sweep.
//!
//! Must not know: what the schema holds.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{self, Store};

/// How often it is compared. It takes less than a millisecond.
const EVERY: Duration = Duration::from_secs(5);

/// Names each difference once, until the shutdown signal.
pub(super) async fn watch(store: Store, shutdown: CancellationToken) {
    let mut named: Option<String> = None;
    while !shutdown.is_cancelled() {
        let own = store.clone();
        let checked = tokio::task::spawn_blocking(move || own.check_schema()).await;
        match checked {
            Ok(Err(store::Error::Damaged(what))) if named.as_ref() != Some(&what) => {
                tracing::error!(what, "the database's schema was changed");
                named = Some(what);
            }
            Ok(Ok(())) if named.take().is_some() => {
                tracing::warn!("the database's schema is as this program made it again");
            }
            Ok(_) => {} // Named already, or busy.
            Err(error) => tracing::error!(%error, "cannot compare the database's schema"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
