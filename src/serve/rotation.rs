//! Follows a rotation of the master secret while the gateway serves: notices that the files were
//! replaced, seals rows again, and removes the old secret once nothing depends on it.
//!
//! Must not know: what derives from the secret.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config;
use crate::secret::{Secrets, rotation};
use crate::store::Store;
use crate::store::authenticated::reseal;
use crate::store::batches::{Batches, Ended};

use super::database::adopt_secret;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Which process seals rows again: the one that runs the watcher, so that one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    FollowOnly,
    Reseal,
}

/// What it works with.
#[derive(Clone)]
pub(super) struct Rotation {
    pub(super) store: Store,
    pub(super) secrets: Secrets,
    pub(super) secret_file: PathBuf,
    pub(super) part: Part,
    pub(super) clock: Clock,
    pub(super) shutdown: CancellationToken,
}

/// Which files were read last: inode and modification time of both.
type Stamp = [Option<(u64, i64, i64)>; 2];

fn stamp_of(secret_file: &Path) -> Stamp {
    [secret_file.to_owned(), rotation::old_file(secret_file)].map(|file| {
        let found = std::fs::metadata(file).ok()?;
        Some((found.ino(), found.mtime(), found.mtime_nsec()))
    })
}

impl Rotation {
    /// Runs until the shutdown signal.
    pub(super) async fn run(self) {
        let mut stamp = None;
        // Whether all rows are known to verify under the secret in force.
        let mut resealed = false;
        let mut removal_failed = false;
        while !self.shutdown.is_cancelled() {
            let now = stamp_of(&self.secret_file);
            if stamp.replace(now) != Some(now) {
                resealed = false;
                self.do_apart("read the replaced secret", Rotation::reload).await;
            }
            if let Some(previous) = self.secrets.previous()
                && self.part == Part::Reseal
            {
                if !resealed {
                    let ended = self.do_apart("seal rows again", Rotation::reseal).await;
                    resealed = ended == Some(Ended::Done);
                } else if self.clock.now() >= previous.keys_until && !removal_failed {
                    removal_failed =
                        self.do_apart("remove the old secret", Rotation::finish).await.is_none();
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Does work on a thread that may block. `None` if it failed.
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

    /// Takes over the secret that the files hold, if it is another one.
    fn reload(&self) -> anyhow::Result<()> {
        let current = config::secret_at("secret_file", &self.secret_file)?;
        let previous = rotation::previous(&self.secret_file)?;
        let (tag, before) = (current.tag(), self.secrets.current().tag());
        if tag != before && previous.as_ref().is_none_or(|old| old.secret.tag() != before) {
            anyhow::bail!("secret_file holds another secret, and no rotation wrote it");
        }
        let ends = previous.as_ref().map(|previous| previous.keys_until.to_string());
        self.secrets.replace(current, previous);
        if tag != before {
            adopt_secret(&self.store, &tag, &before, self.clock.now())?;
            tracing::info!(old_keys_until = ends, "master secret replaced");
        }
        Ok(())
    }

    fn reseal(&self) -> anyhow::Result<Ended> {
        let go_on = || !self.shutdown.is_cancelled();
        let (ended, resealed) = reseal::all(&Batches { store: &self.store, go_on: &go_on })?;
        if resealed.count > 0 {
            tracing::info!(count = resealed.count, "rows sealed under the new secret");
        }
        if resealed.unverified > 0 {
            tracing::error!(
                count = resealed.unverified,
                rows = resealed.named.join(", "),
                "rows that do not verify are not sealed again"
            );
        }
        Ok(ended)
    }

    /// Removes the old secret. Rows that another process wrote meanwhile are sealed first.
    fn finish(&self) -> anyhow::Result<()> {
        if self.reseal()? != Ended::Done {
            return Ok(());
        }
        rotation::forget(&self.secret_file).context("run litegate secret finish")?;
        self.secrets.replace(self.secrets.current(), None);
        tracing::info!("old master secret removed");
        Ok(())
    }
}
