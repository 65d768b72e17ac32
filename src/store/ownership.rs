//! Whose the files are that lie beside the database. A command may run as root, the gateway does
//! not: what root makes there is given to whoever owns the folder.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

const ROOT: u32 = 0;

/// The folder that a file lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Lets nobody but the folder's owner use a file. In a folder that hands its group on (setgid,
/// writable), the group may too: so the sweeper can be another user of the machine.
///
/// # Errors
/// If it is neither ours nor root's to change, and not right already.
pub(crate) fn settle(file: &File, path: &Path) -> io::Result<()> {
    let folder = std::fs::metadata(folder_of(path))?;
    let mode = if folder.mode() & 0o2020 == 0o2020 { 0o660 } else { 0o600 };
    let found = file.metadata()?;
    // What is right stays: only its owner may change it.
    if found.mode() & 0o777 != mode {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    if found.uid() == ROOT && folder.uid() != ROOT {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}
