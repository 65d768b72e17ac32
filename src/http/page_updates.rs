//! The task that sends changes of payments to open event streams.
//!
//! It polls the database twice a second, and at once when a role of this process notifies it.
//! The other roles may be other processes.

use std::sync::Arc;
use std::time::Duration;

use crate::operations::Refusal;

use super::api::Api;
use super::pages::Seen;

/// The polling interval without a notification.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// Sends changes to the open pages until shutdown.
pub(crate) async fn follow(api: Arc<Api>) {
    let (mut seen, mut failing) = (None, false);
    while !api.shutdown.is_cancelled() {
        match poll(&api, seen.clone()).await {
            Ok(next) => (seen, failing) = (next, false),
            Err(error) if failing => tracing::debug!(%error, "still cannot read payment changes"),
            Err(error) => {
                tracing::error!(%error, "cannot read payment changes for open pages");
                failing = true;
            }
        }
        tokio::select! {
            () = api.shutdown.cancelled() => {}
            () = api.notifier.pages_notified() => {}
            () = tokio::time::sleep(POLL_EVERY) => {}
        }
    }
}

/// Reads and publishes changes, if a page is open.
async fn poll(api: &Api, seen: Option<Seen>) -> Result<Option<Seen>, Refusal> {
    if api.pages.is_empty() {
        return Ok(seen);
    }
    let (pages, now) = (api.pages.clone(), api.clock.now());
    let (next, changed) = api.store.read(move |tx| pages.changed(tx, seen.as_ref(), now)).await?;
    for facts in changed {
        api.pages.publish(facts);
    }
    Ok(Some(next))
}
