//! Removes old rows every hour, and measures the tables once a day.
//!
//! Must not know: which rows are removed, and after which time.

use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::operations::retention::{Rules, remove_old};
use crate::store::batches::Batches;
use crate::store::{Store, retention};

/// How often the clock is read. It may jump.
const CLOCK_POLL: Duration = Duration::from_secs(5);

/// Milliseconds between two passes, and between two measurements.
const PASS_EVERY_MS: i64 = 3_600_000;
const MEASURE_EVERY_MS: i64 = DAY_MS;

#[derive(Clone)]
pub(super) struct Retention {
    pub(super) store: Store,
    pub(super) rules: Rules,
    pub(super) clock: Clock,
    pub(super) shutdown: CancellationToken,
}

impl Retention {
    /// Runs until the shutdown signal.
    pub(super) async fn run(self) {
        let (mut passed_at, mut measured_at) = (None, None);
        while !self.shutdown.is_cancelled() {
            let now = self.clock.now();
            if is_due(passed_at, PASS_EVERY_MS, now) {
                self.do_apart("remove old rows", move |own| own.pass(now)).await;
                passed_at = Some(now);
            }
            if is_due(measured_at, MEASURE_EVERY_MS, now) && !self.shutdown.is_cancelled() {
                self.do_apart("measure the tables", move |own| own.measure(now)).await;
                measured_at = Some(now);
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(CLOCK_POLL) => {}
            }
        }
    }

    /// Runs work on a thread that may block. The next pass retries failed work.
    async fn do_apart(
        &self,
        what: &'static str,
        work: impl FnOnce(&Retention) -> anyhow::Result<()> + Send + 'static,
    ) {
        let own = self.clone();
        let ended = tokio::task::spawn_blocking(move || work(&own)).await;
        if let Err(error) = ended.context("a panic").and_then(|outcome| outcome) {
            tracing::warn!(error = format!("{error:#}"), "cannot {what}");
        }
    }

    fn pass(&self, now: Timestamp) -> anyhow::Result<()> {
        let go_on = || !self.shutdown.is_cancelled();
        let batches = Batches { store: &self.store, go_on: &go_on };
        if let Some(count @ 1..) = remove_old(&batches, &self.rules, now)? {
            tracing::info!(count, "texts of unpaid payments removed");
        }
        Ok(())
    }

    /// Uses a separate connection, because it reads the whole file; therefore not at every
    /// start.
    fn measure(&self, now: Timestamp) -> anyhow::Result<()> {
        let last = self.store.read_blocking(retention::measured_at)?;
        if !is_due(last, MEASURE_EVERY_MS, now) {
            return Ok(());
        }
        let sizes = self.store.apart()?.read_blocking(retention::measure)?;
        self.store.write_blocking(move |tx| retention::record_sizes(tx, &sizes, now))?;
        Ok(())
    }
}

/// Whether `every_ms` has passed in either direction: the clock may be set back.
fn is_due(last: Option<Timestamp>, every_ms: i64, now: Timestamp) -> bool {
    last.is_none_or(|last| now.ms_since(last).unsigned_abs() >= every_ms.unsigned_abs())
}
