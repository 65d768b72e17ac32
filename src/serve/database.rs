//! Opens the database of a configuration, issues no address twice, and locks each role.
//!
//! Must not know: what the roles do.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::config::Config;
use crate::domain::keys::DerivationIndex;
use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::safe_file::{self, with_suffix};
use crate::store::identity::{self, Mark};
use crate::store::indexes::{self, Absence};
use crate::store::{self, Beside, Store, WriteTx, audit_log, merchants};

use super::refused::Refused;
use super::role::Role;

/// Opens the database and checks that it belongs to this configuration.
///
/// # Errors
/// [`Refused`] if it belongs to another network, account key or secret.
pub(crate) fn open_store(config: &Config) -> anyhow::Result<Store> {
    open(config, store::PATIENCE, Opening::Command)
}

/// As [`open_store`], for callers that must detect a damaged file: reads it all, if it is not
/// large.
///
/// # Errors
/// As [`open_store`].
pub(crate) fn open_examined(config: &Config) -> anyhow::Result<Store> {
    open(config, store::PATIENCE, Opening::Examined)
}

/// As [`open_store`], for a copy that the operator has just restored. Accepts its rows
/// unverified if it is from a version without MACs, and raises merchants' rows to their heads
/// and to `heads`, which came with the copy. Answers the merchants whose rows were raised.
///
/// # Errors
/// As [`open_store`].
pub(crate) fn open_restored(
    config: &Config,
    heads: Option<&str>,
) -> anyhow::Result<(Store, Vec<MerchantId>)> {
    let store = open(config, store::PATIENCE, Opening::Examined)?;
    if let Some(heads) = heads {
        store.raise_heads(heads)?;
    }
    store.adopt_restored_audit_log(config.clock.now())?;
    let raised = store.write_blocking(merchants::raise_to_heads)?;
    Ok((store, raised))
}

pub(super) fn open_store_with(config: &Config, patience: Duration) -> anyhow::Result<Store> {
    open(config, patience, Opening::Examined)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A command that does one thing: compares only the schema.
    Command,
    Examined,
}

fn open(config: &Config, patience: Duration, opening: Opening) -> anyhow::Result<Store> {
    let identity = Identity::of(config);
    identity.refuse_others(&config.database)?;
    let beside = Beside {
        high_water: &config.high_water_file,
        heads: config.heads_file.as_deref(),
        examine: opening != Opening::Command,
    };
    let store = Store::open_with(&config.database, beside, config.row_keys.clone(), patience)
        .map_err(|error| match error {
            damaged @ store::Error::Damaged(_) => Refused::Damaged(damaged).into(),
            other => anyhow::Error::new(other),
        })
        .with_context(|| format!("database {}", config.database.display()))?;
    // A process that runs the sweeper alone leaves that record to the gateway.
    let notes_secret = config.master_secret.is_some();
    let now = config.clock.now();
    store.write_blocking(move |tx| {
        for expected in &identity.0 {
            let stored = identity::claim(tx, expected.mark, &expected.value)?;
            if expected.compare(&stored)? == Fit::OtherSecret && notes_secret {
                note_secret(tx, &expected.value, now)?;
            }
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(store)
}

/// The values that a database's marks must have.
struct Identity([Expected; 3]);

struct Expected {
    mark: Mark,
    /// The configuration key with this value.
    what: &'static str,
    value: String,
    /// During a rotation of the master secret: the tag of the other secret.
    or: Option<String>,
}

/// How a mark matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Same,
    /// The tag of a rotation's other secret.
    OtherSecret,
}

impl Identity {
    fn of(config: &Config) -> Identity {
        let keys = config.row_keys.now();
        let expected = |mark, what, value| Expected { mark, what, value, or: None };
        let secret = Expected {
            or: keys.previous.as_ref().map(|key| key.tag().to_owned()),
            ..expected(Mark::Secret, config.row_keys_come_from(), keys.current.tag().to_owned())
        };
        Identity([
            expected(Mark::Network, "network", config.network.as_str().to_owned()),
            expected(Mark::Xpub, "wallet.xpub", config.xpub.core_spelling()),
            secret,
        ])
    }

    /// Refuses another gateway's database before rows and heads are verified, which would fail
    /// with a less useful error. Missing or unreadable marks refuse nothing.
    fn refuse_others(&self, database: &Path) -> Result<(), Refused> {
        let stored = store::look_into(database, |tx| {
            self.0.iter().map(|expected| identity::peek(tx, expected.mark)).collect()
        });
        let stored: Vec<Option<String>> = stored.unwrap_or_default();
        for (expected, stored) in self.0.iter().zip(stored) {
            stored.map_or(Ok(Fit::Same), |stored| expected.compare(&stored))?;
        }
        Ok(())
    }
}

impl Expected {
    /// # Errors
    /// [`Refused::OtherIdentity`] if the mark differs.
    fn compare(&self, stored: &str) -> Result<Fit, Refused> {
        if stored == self.value {
            return Ok(Fit::Same);
        }
        if self.or.as_deref() == Some(stored) {
            return Ok(Fit::OtherSecret);
        }
        Err(Refused::OtherIdentity {
            what: self.what,
            stored: stored.to_owned(),
            configured: self.value.clone(),
        })
    }
}

/// Records that the secret with the tag `before` was replaced.
///
/// # Errors
/// Those of the database.
pub(super) fn adopt_secret(
    store: &Store,
    tag: &str,
    before: &str,
    now: Timestamp,
) -> Result<(), store::Error> {
    let (tag, before) = (tag.to_owned(), before.to_owned());
    store.write_blocking(move |tx| match identity::get(tx, Mark::Secret)? {
        Some(stored) if stored == before => note_secret(tx, &tag, now),
        _ => Ok(()), // Another process recorded it.
    })
}

/// Stores the tag of a new secret, and adds the rotation to the audit log.
fn note_secret(tx: &WriteTx, tag: &str, now: Timestamp) -> Result<(), store::Error> {
    identity::replace(tx, Mark::Secret, tag)?;
    let entry = audit_log::Act {
        at: now,
        actor: "cli".to_owned(),
        place: None,
        act: "rotate_secret",
        merchant: None,
        before: None,
        after: None,
    };
    audit_log::append(tx, &entry)
}

/// Checks the marks of a file that is not opened for use, read by `marked`.
///
/// # Errors
/// [`Refused`] if it belongs to another network, account key or secret.
pub(crate) fn check_identity(
    config: &Config,
    mut marked: impl FnMut(Mark) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<()> {
    for expected in Identity::of(config).0 {
        expected.compare(&marked(expected.mark)?.unwrap_or_default())?;
    }
    Ok(())
}

/// Makes sure that no index is issued twice, even after an older database was restored.
///
/// # Errors
/// As [`apply_high_water`].
pub(crate) fn prepare_to_issue(config: &Config, store: &Store) -> anyhow::Result<()> {
    if apply_high_water(config, store)?.is_none() {
        apply_absence(config, store)?;
    }
    for (index, payment) in store.read_blocking(|tx| indexes::strays(tx, STRAYS_NAMED))? {
        let payment = payment.map(|id| id.to_string());
        tracing::error!(
            index,
            payment,
            "this gateway never issued the index of this payment: another program wrote to the database. The payment is ignored; run litegate audit"
        );
    }
    Ok(())
}

/// Largest number of stray payments that a start reports.
const STRAYS_NAMED: u32 = 10;

/// Skips addresses that may have been issued while the database was not in use, because a
/// snapshot of the machine may have been restored.
///
/// # Errors
/// Those of the database.
pub(crate) fn apply_absence(
    config: &Config,
    store: &Store,
) -> Result<Option<Absence>, store::Error> {
    let now = config.clock.now();
    let absence = store.write_blocking(move |tx| match indexes::last_in_use(tx)? {
        Some(last) => indexes::skip_after_absence(tx, last, now, now),
        None => Ok(None),
    })?;
    if let Some(absence) = absence {
        absence.warn();
    }
    Ok(absence)
}

/// Skips indexes that a later state of this database issued, by its high-water mark. Answers
/// the next index if the mark is newer than the database, or missing.
///
/// # Errors
/// [`Refused`] if the mark is damaged or impossible, or the database is empty beside a mark.
pub(crate) fn apply_high_water(
    config: &Config,
    store: &Store,
) -> anyhow::Result<Option<DerivationIndex>> {
    let (owner, now) = (config.xpub.fingerprint().to_string(), config.clock.now());
    let skipped = store.write_blocking(move |tx| {
        let skipped = indexes::apply_high_water(tx, &owner, now).map_err(Refused::HighWater)?;
        match skipped {
            Some(next) if !merchants::any(tx)? => {
                Err(anyhow::Error::new(Refused::Emptied { next: next.get() }))
            }
            _ => Ok(skipped),
        }
    })?;
    if let Some(next) = skipped {
        tracing::error!(
            next = next.get(),
            "this database is older than its high-water mark, or the mark is missing; was an old copy restored? The next address is one that was never issued; run litegate audit"
        );
    }
    Ok(skipped)
}

/// Locks a role on this database. The kernel releases the lock when the process ends.
pub(crate) fn lock(config: &Config, role: Role) -> anyhow::Result<File> {
    let path = lock_file(config, role);
    let opened = safe_file::open_own(&path);
    let (file, _) = opened.with_context(|| format!("open the lock {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Refused::AlreadyRunning(role.as_str()).into())
        }
        Err(std::fs::TryLockError::Error(error)) => Err(store_error(error)),
    }
}

/// The sweeper's lock is beside its record, where the gateway's user cannot write. The other
/// locks are beside the database.
fn lock_file(config: &Config, role: Role) -> PathBuf {
    let beside = match (role, &config.seals) {
        (Role::Sweeper, Some(seals)) => &seals.seal_state_file,
        _ => &config.database,
    };
    with_suffix(beside, &format!(".{}.lock", role.as_str()))
}

fn store_error(error: std::io::Error) -> anyhow::Error {
    anyhow::Error::new(store::Error::Impossible(format!("cannot lock the database: {error}")))
}
