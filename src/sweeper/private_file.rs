//! Files that hold a key: small, and nobody's but ours or root's.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use crate::safe_file::{self, ROOT};

/// The largest key file, in bytes.
const FILE_BYTES_MAX: usize = 4096;

/// Whether nobody but its owner, or root, may read or replace a file. systemd lets a unit's user
/// read its credentials by an ACL, which shows as if root's group could read them.
pub(crate) fn is_private(mode: u32, owner: u32, group: u32) -> bool {
    let credential = mode & 0o777 == 0o440 && owner == ROOT && group == ROOT;
    credential || mode & 0o077 == 0
}

/// Opens the key file if it is small, and ours or root's alone.
fn open_private(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    let file = safe_file::open_to_read(path).with_context(|| format!("open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("look at {shown}"))?;
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != ROOT {
        bail!(
            "{shown} belongs to user {}, who can read and replace it: chown it to user {us}",
            metadata.uid()
        );
    }
    if !is_private(metadata.mode(), metadata.uid(), metadata.gid()) {
        bail!("{shown} can be read by others (mode {:o}): chmod 600 it", metadata.mode() & 0o777);
    }
    if usize::try_from(metadata.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
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
    // Never moved while it is read, so that no copy stays behind.
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX + 1));
    file.take(u64::try_from(FILE_BYTES_MAX).unwrap_or(0))
        .read_to_string(&mut text)
        .with_context(|| format!("read {}", path.display()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_owners_or_roots_alone() {
        #[track_caller]
        fn check(mode: u32, owner: u32, group: u32, private: bool) {
            assert_eq!(is_private(mode, owner, group), private, "{mode:o} {owner}:{group}");
        }
        check(0o100_600, 1000, 1000, true);
        check(0o100_400, 0, 0, true);
        check(0o100_440, 0, 0, true); // A credential of systemd.
        check(0o100_440, 0, 1000, false);
        check(0o100_640, 0, 0, false);
        check(0o100_440, 1000, 0, false);
        check(0o100_444, 0, 0, false);
        check(0o100_460, 0, 0, false);
        check(0o100_640, 1000, 1000, false);
        check(0o100_601, 0, 0, false);
    }
}
