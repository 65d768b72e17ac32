//! Drops root's rights. A process of root switches to the user who owns its data directory,
//! after it has read what only root may read.

use crate::config::Config;
use crate::privileges;

use super::refused::Refused;

/// How a process uses the sweeper's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Not at all. It needs no key either.
    Database,
    /// Reads it as the gateway's user, who could not open it.
    ReadSweeper,
    /// Writes it as the sweeper's user.
    Sweep,
}

/// Whether [`give_up_root`] would switch the user.
pub(crate) fn may_become_another(config: &Config) -> bool {
    privileges::would_become_another(&config.database)
}

/// Drops root's rights before anything in the data directory is touched. Key files, cookies
/// and the record are read first, because the new user cannot read them.
///
/// The sweeper runs as the owner of its record's directory. If that is root it stays root, and
/// files in the database's directory are checked when opened (`safe_file`).
///
/// # Errors
/// [`Refused::Rights`] if no user controls the directory, or the process may not switch to
/// that user.
pub(crate) fn give_up_root(config: &mut Config, work: Work) -> anyhow::Result<()> {
    let file = match (work, &config.seals) {
        (Work::Sweep, Some(seals)) => seals.seal_state_file.clone(),
        _ => config.database.clone(),
    };
    if privileges::would_become_another(&file) {
        config.hold_cookies();
        match work {
            Work::Database => {}
            Work::Sweep => config.hold_keys(),
            Work::ReadSweeper => config.hold_keys_and_record(),
        }
    }
    privileges::become_controller(&file)
        .map_err(|error| Refused::Rights(format!("{}: {error}", file.display())).into())
}
