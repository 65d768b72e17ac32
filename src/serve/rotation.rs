//! Follows a rotation of the master secret while serving: detects replaced files, seals rows
//! again, and removes the old secret once nothing depends on it. A process that runs the
//! sweeper alone follows the file of row keys instead.
//!
//! Must not know: what derives from the secret.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::secret::rotation::Previous;
use crate::secret::{KeyPair, RowKeys, Secrets, rotation, row_key_file};
use crate::store::Store;
use crate::store::batches::{Batches, Ended};
use crate::store::reseal;

use super::database::adopt_secret;

/// How often the files are checked.
const FILE_POLL: Duration = Duration::from_secs(1);

/// Pause after a failed removal of the old secret. It doubles after each failure.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(3_600);

/// Only the process that runs the watcher seals rows again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    FollowOnly,
    Reseal,
}

/// The followed keys, with their files.
#[derive(Clone)]
pub(super) enum FollowedKeys {
    /// `row_key_file` is written again once the old secret is removed.
    Secrets { secrets: Secrets, file: PathBuf, row_key_file: Option<PathBuf> },
    /// In a process that runs the sweeper alone.
    RowKeys { keys: RowKeys, file: PathBuf },
}

impl FollowedKeys {
    /// The keys of this process.
    ///
    /// # Errors
    /// If it has neither the master secret nor a file of row keys.
    pub(super) fn of(config: &Config) -> anyhow::Result<FollowedKeys> {
        if let Some(secrets) = config.master_secret.clone() {
            let (file, row_key_file) = (config.secret_file.clone(), config.row_key_file.clone());
            return Ok(FollowedKeys::Secrets { secrets, file, row_key_file });
        }
        let file = config.row_key_file.clone().context("sweeper.row_key_file is not set")?;
        Ok(FollowedKeys::RowKeys { keys: config.row_keys.clone(), file })
    }

    /// The previous master secret, in a process that has it.
    fn previous(&self) -> Option<Previous> {
        match self {
            FollowedKeys::Secrets { secrets, .. } => secrets.previous(),
            FollowedKeys::RowKeys { .. } => None,
        }
    }

    /// The current states of the files, for comparison.
    fn stamp(&self) -> Stamp {
        let files = match self {
            FollowedKeys::Secrets { file, .. } => vec![file.clone(), rotation::old_file(file)],
            FollowedKeys::RowKeys { file, .. } => vec![file.clone()],
        };
        let stamp_of = |file: PathBuf| {
            let found = std::fs::metadata(file).ok()?;
            Some((found.ino(), found.mtime(), found.mtime_nsec()))
        };
        files.into_iter().map(stamp_of).collect()
    }
}

/// Inode and modification time of each file.
type Stamp = Vec<Option<(u64, i64, i64)>>;

#[derive(Clone)]
pub(super) struct Rotation {
    pub(super) store: Store,
    pub(super) keys: FollowedKeys,
    pub(super) part: Part,
    pub(super) clock: Clock,
    pub(super) shutdown: CancellationToken,
}

/// When to try the removal of the old secret.
struct Removal {
    next_at: Instant,
    pause: Duration,
}

impl Removal {
    fn now() -> Removal {
        Removal { next_at: Instant::now(), pause: RETRY }
    }

    /// Schedules the next attempt after a failure.
    fn again(&mut self) {
        self.next_at = Instant::now() + self.pause;
        self.pause = self.pause.saturating_mul(2).min(RETRY_MAX);
    }
}

impl Rotation {
    /// Runs until the shutdown signal.
    pub(super) async fn run(self) {
        let mut stamp = None;
        // Whether all rows verify under the current secret.
        let mut resealed = false;
        let mut removal = Removal::now();
        while !self.shutdown.is_cancelled() {
            let now = self.keys.stamp();
            if stamp.as_ref() != Some(&now) {
                stamp = Some(now);
                resealed = false;
                removal = Removal::now();
                self.do_apart("read the replaced keys", Rotation::reload).await;
            }
            if let Some(previous) = self.keys.previous()
                && self.part == Part::Reseal
            {
                if !resealed {
                    let ended = self.do_apart("seal rows again", Rotation::reseal).await;
                    resealed = ended == Some(Ended::Done);
                } else if self.clock.now() >= previous.keys_until
                    && Instant::now() >= removal.next_at
                    && self.do_apart("remove the old secret", Rotation::finish).await.is_none()
                {
                    removal.again();
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(FILE_POLL) => {}
            }
        }
    }

    /// Runs work on a thread that may block. `None` if it failed.
    async fn do_apart<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Rotation) -> anyhow::Result<T> + Send + 'static,
    ) -> Option<T> {
        let own = self.clone();
        let ended = tokio::task::spawn_blocking(move || work(&own)).await;
        let ended = ended.context("a panic").and_then(|outcome| outcome);
        ended
            .inspect_err(|error| tracing::error!(error = format!("{error:#}"), "cannot {what}"))
            .ok()
    }

    /// Loads the keys from the files if they changed.
    fn reload(&self) -> anyhow::Result<()> {
        match &self.keys {
            FollowedKeys::Secrets { secrets, file, .. } => self.reload_secrets(secrets, file),
            FollowedKeys::RowKeys { keys, file } => reload_row_keys(keys, file),
        }
    }

    fn reload_secrets(&self, secrets: &Secrets, file: &Path) -> anyhow::Result<()> {
        let current = config::secret_at("secret_file", file)?;
        let previous = rotation::previous(file)?;
        let (tag, before) = (current.tag(), secrets.current().tag());
        ensure!(
            tag == before || previous.as_ref().is_some_and(|old| old.secret.tag() == before),
            "secret_file contains another secret that no rotation wrote"
        );
        let ends = previous.as_ref().map(|previous| previous.keys_until.to_string());
        secrets.replace(current, previous);
        if tag != before {
            adopt_secret(&self.store, &tag, &before, self.clock.now())?;
            tracing::info!(old_keys_until = ends, "master secret replaced");
        }
        Ok(())
    }

    /// Seals rows and encrypts secrets again. A process without the master secret has nothing
    /// to do.
    fn reseal(&self) -> anyhow::Result<Ended> {
        let FollowedKeys::Secrets { secrets, .. } = &self.keys else { return Ok(Ended::Done) };
        let go_on = || !self.shutdown.is_cancelled();
        let (ended, resealed) =
            reseal::all(&Batches { store: &self.store, go_on: &go_on }, secrets)?;
        if resealed.count > 0 {
            tracing::info!(count = resealed.count, "rows sealed under the new secret");
        }
        if resealed.unverified > 0 {
            tracing::error!(
                count = resealed.unverified,
                rows = resealed.named.join(", "),
                "rows do not verify and are not sealed again"
            );
        }
        Ok(ended)
    }

    /// Removes the old secret, after sealing rows that other processes wrote meanwhile.
    fn finish(&self) -> anyhow::Result<()> {
        let FollowedKeys::Secrets { secrets, file, row_key_file } = &self.keys else {
            return Ok(());
        };
        if self.reseal()? != Ended::Done {
            return Ok(());
        }
        let row_keys = KeyPair { current: secrets.current().row_key(), previous: None };
        if let Some(path) = row_key_file {
            let written = row_key_file::write(path, &row_keys);
            written.with_context(|| format!("{}: run litegate secret finish", path.display()))?;
        }
        rotation::forget(file).context("run litegate secret finish")?;
        secrets.replace(secrets.current(), None);
        tracing::info!("old master secret removed");
        Ok(())
    }
}

fn reload_row_keys(keys: &RowKeys, file: &Path) -> anyhow::Result<()> {
    let (read, known) = (config::row_keys_at(file)?, keys.now());
    ensure!(
        read.shares_a_key_with(&known),
        "sweeper.row_key_file contains keys of another secret that no rotation wrote"
    );
    if !read.is_same_as(&known) {
        keys.replace(read);
        tracing::info!("row keys replaced");
    }
    Ok(())
}
