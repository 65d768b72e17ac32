//! Key files: small, owned by this process or root, and readable by no other user. A mounted
//! key of root may be readable by a group of this process (`safe_file/exposure.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use crate::safe_file::{self, ROOT};

const FILE_BYTES_MAX: usize = 4096;

/// Opens a key file, and checks owner, mode and size.
fn open_private(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    let file = safe_file::open_to_read(path).with_context(|| format!("open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("read the owner of {shown}"))?;
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != ROOT {
        bail!(
            "{shown} belongs to user {}, who can read and replace it: chown it to user {us}",
            metadata.uid()
        );
    }
    safe_file::check_key(&file).with_context(|| format!("use {shown}"))?;
    if usize::try_from(metadata.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        bail!("{shown} is too large for a key file");
    }
    Ok(file)
}

/// Reads a key file. The text is erased when it is dropped.
///
/// # Errors
/// If others own the file or may read it, or if it is not a small regular text file. No error
/// contains the text.
pub(crate) fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let file = open_private(path)?;
    // Not moved while it is read, so that no copy remains in memory.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
    file.take(u64::try_from(FILE_BYTES_MAX).unwrap_or(0))
        .read_to_string(&mut text)
        .with_context(|| format!("read {}", path.display()))?;
    Ok(text)
}

/// The text of a key file, wiped when the last reference is dropped, or why it was not read.
type Text = Result<Arc<Zeroizing<String>>, String>;

/// Key files and the sweeper's record, read before root's rights were dropped, by path. Empty
/// if the process did not start as root; then each file is read when it is needed. Clones
/// share them.
#[derive(Clone, Default)]
pub(crate) struct Held {
    keys: Arc<BTreeMap<PathBuf, Text>>,
    record: Option<Arc<Result<Option<String>, String>>>,
}

impl Held {
    pub(crate) fn keys(files: impl IntoIterator<Item = PathBuf>) -> Held {
        let read_one = |file: PathBuf| {
            let text = read(&file).map(Arc::new).map_err(|error| format!("{error:#}"));
            (file, text)
        };
        Held { keys: Arc::new(files.into_iter().map(read_one).collect()), record: None }
    }

    pub(crate) fn with_record(self, text: anyhow::Result<Option<String>>) -> Held {
        let text = text.map_err(|error| format!("{error:#}"));
        Held { record: Some(Arc::new(text)), ..self }
    }

    /// A key file's text: the held one, else [`read`].
    ///
    /// # Errors
    /// Those of [`read`].
    pub(crate) fn key(&self, path: &Path) -> anyhow::Result<Arc<Zeroizing<String>>> {
        match self.keys.get(path) {
            Some(Ok(text)) => Ok(Arc::clone(text)),
            // The file may belong to the new user.
            Some(Err(first)) => Ok(Arc::new(read(path).map_err(|_| anyhow::anyhow!("{first}"))?)),
            None => Ok(Arc::new(read(path)?)),
        }
    }

    /// The record's text, if it is held. The inner `None`: there was no record.
    pub(super) fn record(&self) -> Option<anyhow::Result<Option<String>>> {
        let held = self.record.as_ref()?;
        Some(held.as_ref().clone().map_err(|error| anyhow::anyhow!(error)))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({} keys)", self.keys.len())
    }
}
