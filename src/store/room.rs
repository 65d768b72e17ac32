//! How much room the disk has.

use std::path::Path;

use super::ownership::folder_of;

/// Room that is left beside a file, in bytes; `None` if the system does not say.
pub(crate) fn free_bytes(file: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder_of(file)).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}
