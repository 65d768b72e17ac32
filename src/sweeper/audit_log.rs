//! The head of the audit log in the sweeper's record.
//!
//! The record keeps the newest row that the sweeper verified. So a log that was cut off or
//! rewritten is detected even if the database, its file of heads and its backups were all
//! replaced. A head that no longer fits stays in the record until an operator accepts the log.

use anyhow::Context;

use crate::store::Store;
use crate::store::audit_log::chain::{self, KnownHead};
use crate::watchdog::{self, Loop};

use super::role::Sweeper;
use super::seals::{Access, Seals, Settings};

/// The head in the sweeper's record, for a check by another process. `None` if there is none.
///
/// # Errors
/// If this process cannot read the record, or the record was changed.
pub(crate) fn known_head(settings: &Settings, store: &Store) -> anyhow::Result<Option<KnownHead>> {
    if !settings.has_record() {
        return Ok(None);
    }
    Ok(Seals::open(settings, store, Access::ReadOnly)?.audit_log())
}

impl Sweeper {
    /// Records the newest row of the audit log, if all rows since the recorded one follow from
    /// it.
    pub(super) fn follow_audit_log(&mut self) -> anyhow::Result<()> {
        let Some(seals) = self.seals.as_mut().filter(|seals| seals.is_kept_here()) else {
            return Ok(());
        };
        let go_on = || watchdog::heartbeat(Loop::Sweeper);
        let followed = chain::follow(&self.store, seals.audit_log().as_ref(), go_on);
        match followed.context("follow the audit log")? {
            Ok(head) => {
                self.audit_log_break = None;
                seals.record_audit_log(head);
                seals.save_changes()
            }
            Err(broken) => {
                if self.audit_log_break.as_ref() != Some(&broken) {
                    tracing::error!(what = %broken, "the audit log was changed");
                    self.audit_log_break = Some(broken);
                }
                Ok(())
            }
        }
    }
}
