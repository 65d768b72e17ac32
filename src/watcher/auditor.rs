//! The audit that nobody has to remember: once in a while, on a thread of its own, since the node
//! may need minutes for it. Reads by a connection of its own, so that nobody waits for it; what it
//! found is recorded, for those who are told of differences.
//!
//! Must not know: who is told.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::audit::{Difference, Report};
use crate::domain::keys::AccountXpub;
use crate::domain::time::Timestamp;
use crate::node::nodes::Nodes;
use crate::operations;
use crate::progress;
use crate::store::{self, Store, role_status};
use crate::view::role_status::Role;

/// A start has other things to do first.
const AFTER_START: Duration = Duration::from_secs(600);

/// When an audit that could not be made is tried again.
const AGAIN: Duration = Duration::from_secs(3_600);

/// Differences that go into the log; `litegate audit` names all of them.
const LOGGED_MAX: usize = 20;

/// How long an end waits for an audit that the node holds up.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// The thread, once it runs.
pub(super) struct Auditing(Option<JoinHandle<()>>);

impl Auditing {
    /// Waits for its end after the shutdown, so that it holds the database no longer and that is
    /// one file then. An audit under way is left alone: it only reads.
    pub(super) fn join(self) {
        let Some(thread) = self.0 else { return };
        let began = Instant::now();
        while !thread.is_finished() && began.elapsed() < END_PATIENCE {
            std::thread::sleep(Duration::from_millis(10));
        }
        if thread.is_finished() {
            let _ = thread.join(); // A panic there was reported when it happened.
        }
    }
}

/// What it works with.
pub(super) struct Auditor {
    pub(super) store: Store,
    pub(super) nodes: Nodes,
    pub(super) xpub: AccountXpub,
    pub(super) clock: Clock,
    pub(super) interval: Duration,
    pub(super) shutdown: CancellationToken,
}

impl Auditor {
    /// Begins.
    pub(super) fn start(self) -> Auditing {
        let thread = std::thread::Builder::new().name("audit".to_owned());
        match thread.spawn(move || self.run()) {
            Ok(thread) => Auditing(Some(thread)),
            Err(error) => {
                tracing::error!(%error, "there will be no audit but by hand");
                Auditing(None)
            }
        }
    }

    fn run(self) {
        let mut due = after(self.clock.now(), self.interval.min(AFTER_START));
        match self.store.read_blocking(|tx| role_status::of_role(tx, Role::Audit)) {
            Ok(Some(role_status::RoleStatus { at: Some(at), .. })) => {
                due = due.max(after(at, self.interval));
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "cannot see when the last audit was"),
        }
        while !self.shutdown.is_cancelled() {
            std::thread::sleep(Duration::from_millis(100));
            if self.clock.now() < due {
                continue;
            }
            let pause = match self.audit() {
                Ok(true) => self.interval,
                Ok(false) => self.interval.min(AGAIN),
                Err(error) => {
                    tracing::debug!(error = format!("{error:#}"), "the audit waits");
                    self.interval.min(AGAIN)
                }
            };
            due = after(self.clock.now(), pause);
        }
    }

    /// Audits and records. Says whether it could be made.
    fn audit(&self) -> anyhow::Result<bool> {
        let apart = self.store.apart()?;
        let node = &operations::nodes::in_use(&apart, &self.nodes)?.node;
        let known = apart.known_audit_log()?;
        let report = operations::audit::audit(&apart, node, &self.xpub, &known, progress::NOBODY)?;
        if is_out_of_date(&report) {
            return Ok(false);
        }
        let (found, now) = (report.differences.len(), self.clock.now());
        let record = move |tx: &store::WriteTx| operations::audit::record(tx, found, now);
        self.store.write_blocking(record)?;
        for difference in report.differences.iter().take(LOGGED_MAX) {
            tracing::error!(%difference, "the audit found a difference; `litegate audit` shows all");
        }
        if report.is_clean() {
            tracing::info!(received = %report.received, paid = %report.paid, "the audit is clean");
        }
        Ok(true)
    }
}

fn after(at: Timestamp, pause: Duration) -> Timestamp {
    at.plus_ms(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))
}

/// Whether the node moved on as often as we looked: then nothing was compared.
fn is_out_of_date(report: &Report) -> bool {
    report.differences.iter().any(|one| matches!(one, Difference::Behind { .. }))
}
