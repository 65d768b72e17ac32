//! The first start on main, which requires a `litegate doctor` without failure.
//!
//! Doctor records its outcome in the database. A unit cannot run these checks, because no unit
//! may read the files of all others.

use tokio::sync::oneshot;

use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::operations::{Actor, account_scan};
use crate::store::{self, Store, WriteTx, blocks, role_status};
use crate::view::role_status::{Role, RoleReport};

use super::refused::Refused;

/// The outcome of `doctor` that allows a start.
const SOUND: RoleReport = RoleReport::Checked { faults: 0 };

/// What a first start does without a successful doctor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unexamined {
    Refused,
    /// The operator overrides it (`--force`).
    Forced,
}

/// What a first start assumes about the account before the node has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// No address is issued until the node has answered whether the account was used.
    AsTheNodeSays,
    /// The operator states that the account was never used (`--assume-unused-account`).
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
                    "first start with --assume-unused-account: the node's answer about earlier use of the account is not awaited"
                );
            }
            Ok(())
        }
    }
}

/// Records the number of doctor's failures.
pub(crate) fn record_doctor(
    tx: &WriteTx,
    failures: usize,
    now: Timestamp,
) -> Result<(), store::Error> {
    role_status::record(tx, Role::Doctor, now, &RoleReport::Checked { faults: failures as u64 })
}

/// Refuses a first start on main without a successful doctor.
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
        Ok::<_, store::Error>((blocks::tip(tx)?.is_some(), role_status::of_role(tx, Role::Doctor)?))
    })?;
    let found = doctor.and_then(|doctor| doctor.report);
    if begun || found == Some(SOUND) {
        return Ok(());
    }
    let found = found.map_or_else(|| "never run".to_owned(), |found| found.to_string());
    match unexamined {
        Unexamined::Refused => Err(Refused::Unexamined(found).into()),
        Unexamined::Forced => {
            tracing::warn!(
                doctor = found,
                "first start on main with --force, without a successful litegate doctor"
            );
            // The next start, possibly by systemd, is not the first.
            store.write_blocking(move |tx| role_status::record(tx, Role::Doctor, now, &SOUND))?;
            Ok(())
        }
    }
}

/// The watcher's end, which reports its first pass, and the end on which `ready` waits.
type FirstPass = (oneshot::Sender<()>, oneshot::Receiver<()>);

/// The channel of the watcher's first pass, on a first start only. The watcher gets its end
/// from here, so the tip is read before the watcher can store one.
pub(super) fn first_pass(store: &Store) -> Result<Option<FirstPass>, store::Error> {
    let begun = store.read_blocking(blocks::tip)?.is_some();
    Ok((!begun).then(oneshot::channel))
}

#[cfg(test)]
mod tests {
    use bitcoin::BlockHash;
    use bitcoin::hashes::Hash;

    use super::*;
    use crate::domain::chain::BlockId;

    #[test]
    fn only_a_first_start_waits_for_the_watchers_first_pass() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().join("litegate.db")).expect("a database");
        let (reported, mut first_pass) = first_pass(&store).expect("read").expect("a first start");
        let block = BlockId { height: 7, hash: BlockHash::all_zeros() };
        let now = Timestamp::from_ms(0);
        store.write_blocking(move |tx| blocks::insert(tx, block, now)).expect("a tip");
        assert!(super::first_pass(&store).expect("read").is_none(), "a later start");
        // The tip that the watcher stores within its first pass does not end the wait.
        assert_eq!(first_pass.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        reported.send(()).expect("ready waits");
        assert_eq!(first_pass.try_recv(), Ok(()));
    }
}
