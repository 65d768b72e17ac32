//! The refresh loop: asks the sources at each interval and stores what is known.
//!
//! The stored rows are the only channel to the users of rates. The loop begins with the last
//! stored refresh, so a restart is no gap.

use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::rate::Refresh;
use crate::domain::time::Timestamp;
use crate::store::{Store, rates};

use super::Settings;
use super::refresh::Sources;

/// The refresh loop, a part of the role `api`.
pub(crate) struct Refresher {
    pub(crate) store: Store,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

impl Refresher {
    /// Runs until the shutdown signal.
    ///
    /// # Errors
    /// If the system has no usable TLS.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let context = "prepare the HTTP client of exchange rates";
        let sources = Sources::new(self.settings.clone(), self.clock.clone()).context(context)?;
        let shutdown = self.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.refresh_forever(sources) => {}
        }
        Ok(())
    }

    async fn refresh_forever(self, mut sources: Sources) {
        let mut last = self.last_stored().await.map(Arc::new);
        let mut ticks = tokio::time::interval(self.settings.refresh);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let refresh = Arc::new(sources.refresh(last.as_deref()).await);
            let stored = Arc::clone(&refresh);
            if let Err(error) = self.store.write(move |tx| rates::insert(tx, &stored)).await {
                tracing::error!(%error, "cannot store exchange rates");
            }
            last = Some(refresh);
        }
    }

    /// The last refresh that was stored, of any age: its reference may still be good.
    async fn last_stored(&self) -> Option<Refresh> {
        let now = self.clock.now();
        let read = self.store.read(move |tx| rates::newest(tx, Timestamp::from_ms(0), now)).await;
        read.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read the stored exchange rates");
            None
        })
    }
}
