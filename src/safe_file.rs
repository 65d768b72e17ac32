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

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::process::{Gid, Uid, getegid, geteuid};

pub(crate) use directory::{Control, Directory};
pub(crate) use exposure::{check_key, check_secret};

/// root's user id; root can do everything anyway.
pub(crate) const ROOT: u32 = 0;

/// Only the owner may read and write.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

const SYMBOLIC_LINK: &str =
    "is a symbolic link: put the file itself there, or name the file that is meant";

/// A file by its open directory and its name. It need not exist.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Directory,
    name: OsString,
}

impl Place {
    /// # Errors
    /// Those of [`Directory::open`], and if the path names no file.
    pub(crate) fn of(path: &Path) -> io::Result<Place> {
        let name = path.file_name().ok_or_else(|| io::Error::other("names no file"))?.to_owned();
        let directory = Directory::open(directory_of(path))?;
        Ok(Place { directory, name })
    }

    /// The path, with the symbolic links of its directories resolved.
    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    /// The name with this suffix.
    fn suffixed(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }

    /// Opens a file without following a link and without blocking. The caller checks its type.
    fn open(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.directory, name, flags, PRIVATE) {
            Ok(file) => Ok(File::from(file)),
            Err(rustix::io::Errno::LOOP) => Err(io::Error::other(SYMBOLIC_LINK)),
            // A FIFO without a reader, a socket, or a device without a driver.
            Err(rustix::io::Errno::NXIO) => Err(io::Error::other("is not a regular file")),
            Err(rustix::io::Errno::ISDIR) => Err(io::Error::other("is a directory")),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks a file of the gateway, if it exists, through a handle (O_PATH). Opening and
    /// closing the file itself would release every lock that this process holds on it
    /// (fcntl(2)), also those of SQLite's connections.
    fn look_at_own(&self, name: &OsStr) -> io::Result<Option<File>> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.directory, name, flags, Mode::empty()) {
            Ok(handle) => {
                let handle = File::from(handle);
                self.check_own(&handle).map(|()| Some(handle))
            }
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Checks that a file is the gateway's: regular, with one hard link, and owned by a user
    /// of this directory.
    fn check_own(&self, file: &File) -> io::Result<()> {
        let found = check_regular(file)?;
        if found.nlink() != 1 {
            let links = found.nlink();
            return Err(io::Error::other(format!(
                "has {links} hard links, so it may be another file of that user: replace it by a \
                 copy of itself"
            )));
        }
        let (owner, us) = (self.directory.owner(), geteuid().as_raw());
        let by_group = self.directory.is_shared() && found.gid() == owner.gid;
        if found.uid() != owner.uid && found.uid() != us && !by_group {
            return Err(io::Error::other(format!(
                "belongs to user {}, and its directory to user {}: chown it",
                found.uid(),
                owner.uid
            )));
        }
        Ok(())
    }
}

/// The path with this suffix on its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// The directory of a file.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn check_regular(file: &File) -> io::Result<std::fs::Metadata> {
    let found = file.metadata()?;
    let kind = found.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(found),
        () if kind.is_symlink() => return Err(io::Error::other(SYMBOLIC_LINK)),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(io::Error::other(format!("is {what}, not a regular file")))
}

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
    if place.look_at_own(&place.name)?.is_none() {
        match place.create_new() {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    if let Some(handle) = place.look_at_own(&place.name)? {
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

impl Place {
    fn open_own_to_read(&self, name: &OsStr) -> io::Result<Option<File>> {
        match self.open(name, OFlags::RDONLY) {
            Ok(file) => self.check_own(&file).map(|()| Some(file)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks the existing files with this name and one of these suffixes, which a library
    /// opens.
    ///
    /// # Errors
    /// As [`open_own`], with the suffix.
    pub(crate) fn check_suffixed(&self, suffixes: &[&str]) -> io::Result<()> {
        for suffix in suffixes {
            self.look_at_own(&self.suffixed(suffix))
                .map_err(|error| io::Error::new(error.kind(), format!("({suffix}) {error}")))?;
        }
        Ok(())
    }

    /// Creates a file that only its owner may use.
    ///
    /// # Errors
    /// If the name exists.
    pub(crate) fn create_new(&self) -> io::Result<File> {
        self.create_new_named(&self.name)
    }

    fn create_new_named(&self, name: &OsStr) -> io::Result<File> {
        let file = self.open(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL)?;
        fix_ownership(&file, &self.directory)?;
        Ok(file)
    }

    /// Removes the file or symbolic link with this name and suffix.
    ///
    /// # Errors
    /// If it cannot be removed; a missing file is no error.
    pub(crate) fn remove_suffixed(&self, suffix: &str) -> io::Result<()> {
        self.remove_named(&self.suffixed(suffix))
    }

    fn remove_named(&self, name: &OsStr) -> io::Result<()> {
        match rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Flushes the file and renames it within its directory, replacing a file of the new name.
    ///
    /// # Errors
    /// If it is not a file of the gateway, or the new name is a directory.
    pub(crate) fn rename(&self, to: &OsStr) -> io::Result<()> {
        let file = self.open_own_to_read(&self.name)?.ok_or(rustix::io::Errno::NOENT)?;
        file.sync_all()?;
        rustix::fs::renameat(&self.directory, &self.name, &self.directory, to)?;
        self.directory.sync()
    }

    /// Replaces the file's content atomically and durably: after a crash it holds either the
    /// old or the new bytes.
    ///
    /// # Errors
    /// If it cannot be written, or is a directory.
    pub(crate) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.suffixed(".new");
        self.remove_named(&new)?; // Left by a killed run.
        let mut file = self.create_new_named(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        rustix::fs::renameat(&self.directory, &new, &self.directory, &self.name)?;
        self.directory.sync()
    }
}

/// An output file for the operator, opened before root privileges are dropped. If it is not
/// finished, it is removed, or emptied where this process may no longer remove it.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    place: Place,
    finished: bool,
}

impl Output {
    /// # Errors
    /// [`ErrorKind::AlreadyExists`] if the file exists, unless it is ours and empty, as an
    /// unfinished output can be.
    pub(crate) fn create(path: &Path) -> io::Result<Output> {
        let place = Place::of(path)?;
        let file = match place.create_new() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let file = place.open(&place.name, OFlags::RDWR).map_err(|_| error)?;
                place.check_own(&file)?;
                if file.metadata()?.len() > 0 {
                    return Err(ErrorKind::AlreadyExists.into());
                }
                file
            }
            made => made?,
        };
        Ok(Output { file, place, finished: false })
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Flushes and keeps the file.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if !self.finished && self.place.remove_suffixed("").is_err() {
            let _ = self.file.set_len(0); // Marks it as incomplete.
        }
    }
}

/// Restricts a file to its directory's owner. In a directory that is setgid and group-writable
/// the group may use it too, so that the sweeper can be a separate user. A file that root
/// creates is given to the directory's owner. The file must have been checked or be new.
///
/// # Errors
/// If the file needs a change and is neither ours nor are we root.
pub(crate) fn fix_ownership(file: &File, directory: &Directory) -> io::Result<()> {
    let mode = if directory.is_shared() { 0o660 } else { 0o600 };
    let found = file.metadata()?;
    // No change if it is right: only its owner may make one.
    if found.mode() & 0o777 != mode {
        // chmod through /proc also works on an O_PATH handle (open(2)).
        let handle = format!("/proc/self/fd/{}", file.as_raw_fd());
        std::fs::set_permissions(handle, Permissions::from_mode(mode))?;
    }
    let owner = directory.owner();
    if found.uid() == ROOT && owner.uid != ROOT {
        let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
        rustix::fs::chownat(file, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
