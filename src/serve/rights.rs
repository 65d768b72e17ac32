//! With whose rights a process works: one that root started becomes the user whose directory it
//! works in, once it has read what only root may read.

use crate::config::Config;
use crate::privileges;

use super::refused::Refused;

/// What a process does with the sweeper's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Nothing: it needs no key either.
    Database,
    /// Reads it, as the gateway's user, who could not.
    LookAtSweeper,
    /// Writes it, as the sweeper's user.
    Sweep,
}

/// Whether [`give_up_root`] would change the user who works on the database.
pub(crate) fn may_become_another(config: &Config) -> bool {
    privileges::would_become_another(&config.database)
}

/// Gives up root's rights, if root runs this process, before anything in the data directory is
/// touched. Key files, cookies and the record that the new user could not read are read before.
///
/// The sweeper works as the user who controls the directory of its record; where that is root, it
/// stays root, and what it opens in the database's directory is checked (`safe_file`).
///
/// # Errors
/// [`Refused::Rights`] if no user controls the directory, or the process may not become that user.
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
            Work::LookAtSweeper => config.hold_keys_and_record(),
        }
    }
    privileges::become_controller(&file)
        .map_err(|error| Refused::Rights(format!("{}: {error}", file.display())).into())
}
