//! A file by its open directory and its name, and checks of its type and owner.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::process::{Gid, Uid, geteuid};

use super::directory::Directory;

/// root's user id; root can do everything anyway.
pub(crate) const ROOT: u32 = 0;

/// Only the owner may read and write.
pub(super) const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

const SYMBOLIC_LINK: &str =
    "is a symbolic link: put the file itself there, or name the file that is meant";

/// A file by its open directory and its name. It need not exist.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(super) name: OsString,
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
    pub(super) fn open(&self, name: &OsStr, flags: OFlags) -> io::Result<File> {
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
    pub(super) fn open_handle(&self, name: &OsStr) -> io::Result<Option<File>> {
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
    pub(super) fn check_own(&self, file: &File) -> io::Result<()> {
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

impl Place {
    pub(super) fn open_own_to_read(&self, name: &OsStr) -> io::Result<Option<File>> {
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
    /// As [`super::open_own`], with the suffix.
    pub(crate) fn check_suffixed(&self, suffixes: &[&str]) -> io::Result<()> {
        for suffix in suffixes {
            self.open_handle(&self.suffixed(suffix))
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

/// The path with this suffix on its file name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(super) fn check_regular(file: &File) -> io::Result<std::fs::Metadata> {
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
