//! Opening files in directories that another user can write.
//!
//! The gateway runs as several users, and root's commands work in their directories. A
//! directory's owner can replace each file there by a symbolic link, a hard link, a FIFO or a
//! foreign file. So a file is opened relative to its open directory, never through a symbolic
//! link that another user could have made, without blocking (O_NONBLOCK), and is checked by
//! fstat(2) before it is read, truncated, or given another mode or owner.
//!
//! Must not know: what the files are for. Errors do not name the path; callers add it.

mod directory;
mod exposure;
mod output;
mod place;

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, OFlags};
use rustix::process::{getegid, geteuid};

use self::place::check_regular;

pub(crate) use directory::{Control, Directory};
pub(crate) use exposure::{check_key, check_secret};
pub(crate) use output::Output;
pub(crate) use place::{Place, ROOT, directory_of, fix_ownership, with_suffix};

/// Opens a configured file for reading: a key, a configuration, an image. Follows a symbolic
/// link only if no other user could have made it.
///
/// # Errors
/// If the file is missing or not regular. In a directory that another user controls, also if
/// it has further hard links, or belongs neither to the directory's owner, nor to us, nor to
/// root.
pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    let place = resolve(path)?;
    let file = place.open(&place.name, OFlags::RDONLY)?;
    let found = check_regular(&file)?;
    if place.directory.control() != Control::Ours && found.uid() != ROOT {
        place.check_own(&file)?;
    } else if place.directory.control() != Control::Ours && found.nlink() != 1 {
        return Err(io::Error::other("is another file of root by a hard link: put a copy there"));
    }
    Ok(file)
}

/// Resolves the symbolic links at a path that no other user could have made.
fn resolve(path: &Path) -> io::Result<Place> {
    const LINKS_MAX: u32 = 8;
    let mut place = Place::of(path)?;
    for _ in 0..LINKS_MAX {
        let Some(target) = place.directory.link(&place.name)? else { break };
        place = Place::of(&place.directory.path().join(target))?;
    }
    Ok(place)
}

/// Reports, with the remedy, which other users besides root can change a configured file. A
/// process that is not root may read another user's file.
///
/// # Errors
/// If the file cannot be examined.
pub(crate) fn others_who_can_change(path: &Path) -> io::Result<Option<String>> {
    let place = resolve(path)?;
    let found = rustix::fs::statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW)?;
    let (owner, mode) = (found.st_uid, found.st_mode);
    let strict = geteuid().as_raw() == ROOT;
    let group = (found.st_gid != getegid().as_raw()).then_some(found.st_gid);
    let what = match (mode, group, place.directory.control()) {
        (mode, _, _) if mode & 0o002 != 0 => "everybody can write it: chmod go-w it".to_owned(),
        (mode, Some(group), _) if mode & 0o020 != 0 => {
            format!("group {group} can write it: chmod g-w it")
        }
        _ if strict && owner != ROOT => {
            format!(
                "belongs to user {owner}, and root's commands would follow it: chown it to root"
            )
        }
        (_, _, Control::User(user)) if strict => format!(
            "user {} can replace it, and root's commands would follow it: keep it in a directory \
             that only root can write, or run this as that user",
            user.uid
        ),
        (_, _, Control::Strangers) => {
            "other users can write its directory, or one above it: chmod go-w that".to_owned()
        }
        _ => return Ok(None),
    };
    Ok(Some(what))
}

/// Reads a configured file of at most `bytes_max` bytes, opened as by [`open_to_read`].
///
/// # Errors
/// Those of [`open_to_read`], and if the file is longer.
pub(crate) fn read(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_to_read(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max) {
        return Ok(bytes);
    }
    Err(io::Error::new(ErrorKind::FileTooLarge, format!("is longer than {bytes_max} bytes")))
}

/// Opens a file of the gateway for reading and writing, and creates it if it is missing. Does
/// not truncate it. Sets owner and mode ([`fix_ownership`]).
///
/// # Errors
/// If it is not a regular file with one hard link, owned by a user of this directory.
pub(crate) fn open_own(path: &Path) -> io::Result<(File, Place)> {
    let place = Place::of(path)?;
    let file = place.open(&place.name, OFlags::RDWR | OFlags::CREATE)?;
    place.check_own(&file)?;
    fix_ownership(&file, &place.directory)?;
    Ok((file, place))
}

/// As [`open_own`], for a file that a library opens. An existing file is not opened, so that
/// no lock of this process on it is released.
///
/// # Errors
/// As [`open_own`].
pub(crate) fn prepare_own(path: &Path) -> io::Result<Place> {
    let place = Place::of(path)?;
    if place.open_handle(&place.name)?.is_none() {
        match place.create_new() {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    if let Some(handle) = place.open_handle(&place.name)? {
        fix_ownership(&handle, &place.directory)?;
    }
    Ok(place)
}

/// Opens a file of the gateway for reading. `None` if it is missing.
///
/// # Errors
/// As [`open_own`].
pub(crate) fn open_own_to_read(path: &Path) -> io::Result<Option<File>> {
    let place = Place::of(path)?;
    place.open_own_to_read(&place.name)
}

#[cfg(test)]
mod tests;
