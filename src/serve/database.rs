//! The database of a configuration: opened only if it belongs to it, with no address given out
//! twice, and for each role by one process at a time.
//!
//! Must not know: what the roles do with it.

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

/// As [`open_store`], for what must find a damaged file: it is read through, if it is not large.
///
/// # Errors
/// As [`open_store`].
pub(crate) fn open_examined(config: &Config) -> anyhow::Result<Store> {
    open(config, store::PATIENCE, Opening::Examined)
}

/// As [`open_store`], of a copy that the operator has just put in its place. Its rows are taken as
/// they are if it is of a time when rows carried no MAC, and no merchant's row stays below its
/// head, nor below `heads`, which came with the copy. Answers the merchants whose rows did.
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

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A command that does one thing: it compares the schema alone.
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
    // The sweeper alone leaves that note to the gateway.
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

/// What a database must belong to.
struct Identity([Expected; 3]);

/// What a mark of the database must say.
struct Expected {
    mark: Mark,
    /// The key of the configuration that decides it.
    what: &'static str,
    value: String,
    /// During a rotation of the master secret: the tag of the other secret.
    or: Option<String>,
}

/// How a mark fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    Same,
    /// It names the other secret of a rotation.
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

    /// Refuses the database of another gateway before its rows and heads are verified: they cannot
    /// be. Marks that are not there yet, or cannot be read, refuse nothing.
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
    /// [`Refused::OtherIdentity`] if the mark says something else.
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

/// Notes in a database that belongs to the secret with the tag `before` that another one replaced
/// it.
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
        _ => Ok(()), // Another process has noted it.
    })
}

/// Writes the tag of a new secret, and the rotation into the audit log.
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

/// Checks that a file, which is not opened for use, belongs to this configuration. `marked` asks
/// it for a mark.
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

/// Makes sure that no index is issued that may have been issued before, whatever was put back.
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
            "this gateway never issued the index of this payment: somebody wrote into the database. The payment is ignored; run litegate audit"
        );
    }
    Ok(())
}

/// Stray payments that are named at a start.
const STRAYS_NAMED: u32 = 10;

/// Skips addresses that may have been issued while the database was not in use: a snapshot of the
/// machine may have been put back.
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

/// Makes sure that no index is issued that a later state of this database issued, by its high-water
/// mark. Answers the next index if the mark is of a later state, or is missing.
///
/// # Errors
/// [`Refused`] if the mark is damaged or cannot be true, or there is nothing but the mark.
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
            "this database is older than its high-water mark, or has lost it: an old copy was put back? The next address is one that was never given out; run litegate audit"
        );
    }
    Ok(skipped)
}

/// Takes the lock of a role on this database; it is let go when the process ends, however it does.
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

/// The sweeper's lock lies beside its record, where the gateway's user cannot write; those of the
/// other roles lie beside the database.
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
