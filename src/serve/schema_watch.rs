//! Compares the database's schema with the expected one in every process: a foreign trigger
//! acts within the writes of any process. The sweeper compares it before each sweep as well.
//!
//! Must not know: the schema.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::store::{self, Store};

/// Interval of the comparison, which takes less than a millisecond.
const EVERY: Duration = Duration::from_secs(5);

/// Reports each difference once, until the shutdown signal.
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
                tracing::warn!("the database's schema is as expected again");
            }
            Ok(_) => {} // Reported already, or the database is busy.
            Err(error) => tracing::error!(%error, "cannot compare the database's schema"),
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
