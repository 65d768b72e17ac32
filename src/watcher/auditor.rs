//! The automatic audit: at an interval, on its own thread and database connection, because the
//! node may need minutes to read its UTXO set. Differences are recorded, and operators are
//! notified of them elsewhere.
//!
//! Must not know: who is notified.

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

/// The pause after a start, which has other work first.
const AFTER_START: Duration = Duration::from_secs(600);

const RETRY_PAUSE: Duration = Duration::from_secs(3_600);

/// Differences that go into the log. `litegate audit` prints all of them.
const LOGGED_MAX: usize = 20;

/// How long a shutdown waits for a running audit.
const JOIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The audit's thread, if the system could start it.
pub(super) struct AuditThread(Option<JoinHandle<()>>);

impl AuditThread {
    /// Waits after the shutdown signal, so that the thread closes its database connection and
    /// the database becomes one file. A running audit only reads, so it may be abandoned.
    pub(super) fn join(self) {
        let Some(thread) = self.0 else { return };
        let began = Instant::now();
        while !thread.is_finished() && began.elapsed() < JOIN_TIMEOUT {
            std::thread::sleep(Duration::from_millis(10));
        }
        if thread.is_finished() {
            let _ = thread.join(); // A panic was reported when it happened.
        }
    }
}

pub(super) struct Auditor {
    pub(super) store: Store,
    pub(super) nodes: Nodes,
    pub(super) xpub: AccountXpub,
    pub(super) clock: Clock,
    pub(super) interval: Duration,
    pub(super) shutdown: CancellationToken,
}

impl Auditor {
    pub(super) fn start(self) -> AuditThread {
        let thread = std::thread::Builder::new().name("audit".to_owned());
        match thread.spawn(move || self.run()) {
            Ok(thread) => AuditThread(Some(thread)),
            Err(error) => {
                tracing::error!(%error, "automatic audit not started");
                AuditThread(None)
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
            Err(error) => tracing::debug!(%error, "time of the last audit not read"),
        }
        while !self.shutdown.is_cancelled() {
            std::thread::sleep(Duration::from_millis(100));
            if self.clock.now() < due {
                continue;
            }
            let pause = match self.audit() {
                Ok(true) => self.interval,
                Ok(false) => self.interval.min(RETRY_PAUSE),
                Err(error) => {
                    tracing::debug!(error = format!("{error:#}"), "audit failed; retrying later");
                    self.interval.min(RETRY_PAUSE)
                }
            };
            due = after(self.clock.now(), pause);
        }
    }

    /// Audits and records the result. `false` if nothing could be compared.
    fn audit(&self) -> anyhow::Result<bool> {
        let apart = self.store.apart()?;
        let node = &operations::nodes::in_use(&apart, &self.nodes)?.node;
        let known = apart.known_audit_log()?;
        let report =
            operations::audit::audit(&apart, node, &self.xpub, &known, progress::NO_REPORT)?;
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

/// Whether the tip moved during every attempt, so that nothing was compared.
fn is_out_of_date(report: &Report) -> bool {
    report.differences.iter().any(|one| matches!(one, Difference::Behind { .. }))
}
