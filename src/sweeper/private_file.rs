//! Files that hold a key: small, and nobody's but ours or root's.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

/// The largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// The user who can read everything anyway. systemd's credentials may be root's.
const ROOT: u32 = 0;

/// Opens the key file if it is small, and ours or root's alone.
fn open_private(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let is_file = std::fs::metadata(path).with_context(|| format!("open {shown}"))?.is_file();
    if !is_file {
        bail!("{shown} is not a file");
    }
    let file = File::open(path).with_context(|| format!("open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("look at {shown}"))?;
    let us = std::fs::metadata("/proc/self").context("look at our own process")?.uid();
    if metadata.uid() != us && metadata.uid() != ROOT {
        bail!(
            "{shown} belongs to user {}, who can read and replace it: chown it to user {us}",
            metadata.uid()
        );
    }
    if metadata.mode() & 0o077 != 0 {
        bail!("{shown} can be read by others (mode {:o}): chmod 600 it", metadata.mode() & 0o777);
    }
    if metadata.len() > FILE_BYTES_MAX {
        bail!("{shown} is too large for a key file");
    }
    Ok(file)
}

/// Reads a key file. The text is erased when it is dropped.
///
/// # Errors
/// If others own the file or may read it, or if it is no plain small file of text. No error
/// repeats what it holds.
pub(crate) fn read(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let file = open_private(path)?;
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("read {}", path.display()))?;
    Ok(text)
}
