//! The sweeper's loop, and single runs for commands.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::domain::sweep::Planned;
use crate::metrics;
use crate::operations;
use crate::store::{self, requests, sweeps};
use crate::watchdog::{self, Loop};

use super::memory::Memory;
use super::operator_notifier;
use super::role::{Report, Sweeper};

enum Paused {
    Notified,
    Delivered(operator_notifier::Delivery),
    Over,
}

/// The pause after a first failure. It doubles with each further failure.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// How often new payments are sealed, and requests read.
const TICK: Duration = Duration::from_secs(1);

/// How often unconfirmed sweeps are checked, at least.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// The pause before the next check, after so many failures in a row.
fn pause_after(failures: u32, longest: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => longest,
        Some(repeated) => FAILURE_PAUSE.saturating_mul(2u32.saturating_pow(repeated)).min(longest),
    }
}

/// An error with its causes for the user who requested a sweep. SQLite's texts are for the log
/// only.
fn user_message(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        if let Some(store::Error::Sqlite(_)) = cause.downcast_ref() {
            words.push("the database refused a write: see the sweeper's log".to_owned());
            break;
        }
        words.push(cause.to_string());
    }
    words.join(": ")
}

impl Sweeper {
    /// Sweeps until the shutdown signal. Must be called on a thread outside the runtime.
    pub(crate) fn run(mut self, runtime: &Handle) {
        let mut memory = Memory::default();
        let mut failures: u32 = 0;
        let mut last_sweep: Option<Instant> = None;
        let mut next_check = Instant::now();
        // The first pass answers all earlier requests.
        let mut answered = None;
        let mut found = false;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Sweeper);
            // Once at the start, because a sweep that is missing there would never be sent
            // again.
            found = found || self.store.write_blocking(sweeps::find_in_flight).is_ok();
            self.use_followed_node();
            // First, whatever else fails: what is seen late is trusted late.
            let sealed = self.record_first_seen();
            let sealed = sealed.and(self.follow_audit_log()).and(self.notify_next(runtime));
            let asked = self.newest_request(answered);
            let due = last_sweep.is_none_or(|at| at.elapsed() >= self.settings.interval)
                || asked > answered;
            let result = sealed.and(self.pass_or_check(&mut memory, due, next_check));
            match result {
                Ok(swept) => {
                    failures = 0;
                    if swept {
                        last_sweep = Some(Instant::now());
                        answered = asked;
                    }
                }
                Err(error) if self.shutdown.is_cancelled() => {
                    tracing::debug!(error = format!("{error:#}"), "sweeper stopped during a pass");
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(
                            error = format!("{error:#}"),
                            "sweeper pass failed; retrying"
                        );
                    }
                    self.record_trouble(&user_message(&error));
                    failures = failures.saturating_add(1);
                }
            }
            if failures > 0 || Instant::now() >= next_check {
                let pause = pause_after(failures, self.settings.interval.min(CHECK_INTERVAL));
                next_check = Instant::now() + pause;
            }
            let pause = match failures {
                0 => next_check.saturating_duration_since(Instant::now()).min(TICK),
                _ => next_check.saturating_duration_since(Instant::now()),
            };
            match runtime.block_on(self.pause(pause)) {
                Paused::Notified => next_check = Instant::now(),
                Paused::Delivered(ended) => {
                    if let Err(error) = self.end_delivery(ended) {
                        let error = format!("{error:#}");
                        tracing::error!(error, "outcome of a notification not recorded");
                    }
                }
                Paused::Over => {}
            }
        }
    }

    /// Makes a pass if one is due, else the check of unconfirmed sweeps if that is due.
    /// Answers whether coins could be swept.
    fn pass_or_check(
        &mut self,
        memory: &mut Memory,
        due: bool,
        next_check: Instant,
    ) -> anyhow::Result<bool> {
        if !due && Instant::now() < next_check {
            return Ok(false);
        }
        let pass = match due {
            true => self.pass(memory).map(|report| report.is_some()),
            false => self.maintain_in_flight(memory).map(|()| false),
        };
        metrics::sweeper_passed(&pass);
        pass
    }

    fn use_followed_node(&mut self) {
        match operations::nodes::in_use(&self.store, &self.nodes) {
            Ok(followed) => self.node = followed.node.clone(),
            Err(error) => tracing::debug!(%error, "followed node not read"),
        }
    }

    /// Waits for `pause`, a notification or a delivery.
    async fn pause(&mut self, pause: Duration) -> Paused {
        let delivery = async {
            match &mut self.operator_notifier {
                Some(operator_notifier) => operator_notifier.finished().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => Paused::Over,
            () = self.notifier.sweeper_notified() => Paused::Notified,
            ended = delivery => Paused::Delivered(ended),
            () = tokio::time::sleep(pause) => Paused::Over,
        }
    }

    /// The newest request for a sweep, or `known` if the database cannot be read.
    fn newest_request(&self, known: Option<i64>) -> Option<i64> {
        self.store.read_blocking(requests::newest).unwrap_or_else(|error| {
            tracing::debug!(%error, "sweep requests not read");
            known
        })
    }

    /// Sweeps once, for a command. `None` while the chain guard is active.
    pub(crate) fn sweep_once(&mut self) -> anyhow::Result<Option<Report>> {
        self.pass(&mut Memory::default())
    }

    /// The sweeps that would be made now, and the coins that wait.
    pub(crate) fn plan_now(&mut self) -> anyhow::Result<Planned> {
        let due = self.due()?;
        let mut planned = due.plan(&due.coins, &self.settings.rules);
        planned.waiting.extend(due.waiting);
        Ok(planned)
    }
}

#[cfg(test)]
mod tests;
