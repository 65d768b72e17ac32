//! The first start on main: coins are worth something from then on, so somebody has to have looked.
//!
//! `litegate doctor` notes in the database how it ended. Units cannot look for themselves: none of
//! them may read what the others need.

use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::operations::{Actor, account_scan};
use crate::store::{self, Store, WriteTx, blocks, role_status};

use super::refused::Refused;

/// The name under which the doctor's outcome is noted.
const DOCTOR: &str = "doctor";

/// What is noted when nothing keeps the gateway from starting.
const SOUND: &str = "no failure";

/// What a first start does where the doctor has not found everything sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unexamined {
    Refused,
    /// The operator wants it all the same (`--force`).
    Forced,
}

/// What a first start knows of the account before the node has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// No address is issued until the node has answered whether the account was used before.
    AsTheNodeSays,
    /// The operator states that it never was (`--assume-unused-account`).
    AssumedUnused,
}

/// Records the operator's statement about the account, if it is needed.
pub(super) fn apply_account(
    store: &Store,
    account: Account,
    now: Timestamp,
) -> Result<(), store::Error> {
    match account {
        Account::AsTheNodeSays => Ok(()),
        Account::AssumedUnused => {
            let assumed = store
                .write_blocking(move |tx| account_scan::assume_unused(tx, &Actor::Cli, now))?;
            if assumed {
                tracing::warn!(
                    "first start with --assume-unused-account: the node is not asked whether the account was used before"
                );
            }
            Ok(())
        }
    }
}

/// Notes how many failures the doctor found.
pub(crate) fn record_doctor(
    tx: &WriteTx,
    failures: usize,
    now: Timestamp,
) -> Result<(), store::Error> {
    let note = match failures {
        0 => SOUND.to_owned(),
        1 => "1 failure".to_owned(),
        n => format!("{n} failures"),
    };
    role_status::record(tx, DOCTOR, now, &note)
}

/// Lets a gateway start on main for the first time only after a doctor without failure.
///
/// # Errors
/// [`Refused::Unexamined`].
pub(super) fn require_doctor(
    store: &Store,
    network: Network,
    now: Timestamp,
    unexamined: Unexamined,
) -> anyhow::Result<()> {
    if network != Network::Main {
        return Ok(());
    }
    let (begun, doctor) = store.read_blocking(|tx| {
        Ok::<_, store::Error>((blocks::tip(tx)?.is_some(), role_status::of_role(tx, DOCTOR)?))
    })?;
    let found = doctor.map(|doctor| doctor.note);
    if begun || found.as_deref() == Some(SOUND) {
        return Ok(());
    }
    let found = found.unwrap_or_else(|| "it was never run".to_owned());
    match unexamined {
        Unexamined::Refused => Err(Refused::Unexamined(found).into()),
        Unexamined::Forced => {
            tracing::warn!(
                doctor = found,
                "first start on main by --force, without a sound doctor"
            );
            // The next start, which may be systemd's, is not the first.
            store.write_blocking(move |tx| role_status::record(tx, DOCTOR, now, SOUND))?;
            Ok(())
        }
    }
}
