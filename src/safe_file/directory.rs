//! Opening a directory without following a symbolic link that another user could have made,
//! and who controls its content.
//!
//! Must not know: what the files are for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::process::{getegid, geteuid};

/// How many symbolic links a path may contain (path_resolution(7)).
const LINKS_MAX: u32 = 40;

/// Mode bits of stat(2); the sticky bit protects other users' entries.
const GROUP_WRITE: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
const STICKY: u32 = 0o1000;
const SETGID: u32 = 0o2000;

/// User and group of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Owner {
    fn of(stat: &Stat) -> Owner {
        Owner { uid: stat.st_uid, gid: stat.st_gid }
    }
}

/// Who, besides root and the process's user, can rename, remove and create entries of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// No other user.
    Ours,
    /// This user, who owns the directory or one above it.
    User(Owner),
    /// A group or all users, who can write this directory or one above it.
    Strangers,
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
    owner: Owner,
    mode: u32,
    control: Control,
    /// Owner of `/`, who can replace everything: root, or its mapping in a user namespace
    /// (user_namespaces(7)).
    root: u32,
}

impl Directory {
    /// Opens a directory. Follows symbolic links only if no other user could have made them.
    ///
    /// # Errors
    /// If it is missing or not a directory, or if the path contains a symbolic link in a
    /// directory that another user can write.
    pub(crate) fn open(path: &Path) -> io::Result<Directory> {
        open_path(path)
    }

    /// The path, with symbolic links resolved.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn owner(&self) -> Owner {
        self.owner
    }

    pub(crate) fn control(&self) -> Control {
        self.control
    }

    /// Whether the group shares the directory: it can write, and new files belong to it.
    pub(crate) fn is_shared(&self) -> bool {
        self.mode & (SETGID | GROUP_WRITE) == SETGID | GROUP_WRITE
    }

    /// Whether users other than root and us can write or replace it.
    pub(crate) fn is_open_to_others(&self) -> bool {
        let by_group = self.mode & GROUP_WRITE != 0 && self.owner.gid != getegid().as_raw();
        self.control != Control::Ours || by_group
    }

    /// Flushes the directory entries.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::fsync(rustix::fs::openat(&self.fd, ".", flags, Mode::empty())?)?)
    }

    fn root() -> io::Result<Directory> {
        let fd = rustix::fs::open("/", DIRECTORY, Mode::empty())?;
        let stat = rustix::fs::fstat(&fd)?;
        let (owner, mode, root) = (Owner::of(&stat), stat.st_mode, stat.st_uid);
        let control = control_of(owner, mode, [root, geteuid().as_raw()]);
        Ok(Directory { fd, path: PathBuf::from("/"), owner, mode, control, root })
    }

    /// Opens the subdirectory of this name; fails on a symbolic link.
    fn child(&self, name: &OsStr) -> io::Result<Directory> {
        let fd = rustix::fs::openat(&self.fd, name, DIRECTORY, Mode::empty())?;
        let stat = rustix::fs::fstat(&fd)?;
        let (owner, mode, root) = (Owner::of(&stat), stat.st_mode, self.root);
        // In a sticky directory such as /tmp other users cannot rename our entries.
        let control = match self.control {
            Control::Strangers if !self.is_sticky() => Control::Strangers,
            Control::Ours | Control::Strangers => {
                control_of(owner, mode, [root, geteuid().as_raw()])
            }
            other @ Control::User(_) => other,
        };
        Ok(Directory { fd, path: self.path.join(name), owner, mode, control, root })
    }

    fn is_sticky(&self) -> bool {
        self.mode & STICKY != 0
    }

    /// The target of a symbolic link, if `name` is one and may be followed.
    pub(super) fn link(&self, name: &OsStr) -> io::Result<Option<PathBuf>> {
        let stat = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
            return Ok(None);
        }
        let ours = [self.root, geteuid().as_raw()].contains(&stat.st_uid);
        let sticky = self.control == Control::Strangers && self.is_sticky();
        if self.control != Control::Ours && !(sticky && ours) {
            let path = self.path.join(name);
            return Err(io::Error::other(format!(
                "{} is a symbolic link that another user could have made: name what it leads to",
                path.display()
            )));
        }
        let target = rustix::fs::readlinkat(&self.fd, name, Vec::new())?;
        Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes()))))
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Flags for each path component: a handle, and never through a symbolic link.
const DIRECTORY: OFlags =
    OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Who controls a directory whose parent we or root control. A user chooses the group that may
/// write its directory; for a directory of root only root's own group is trusted.
fn control_of(owner: Owner, mode: u32, [root, us]: [u32; 2]) -> Control {
    if owner.uid != root && owner.uid != us {
        return Control::User(owner);
    }
    let by_group = mode & GROUP_WRITE != 0 && owner.uid == root && owner.gid != 0;
    if by_group || mode & OTHERS_WRITE != 0 { Control::Strangers } else { Control::Ours }
}

fn open_path(path: &Path) -> io::Result<Directory> {
    let path = std::path::absolute(path)?;
    let mut above = vec![Directory::root()?];
    let mut remaining: Vec<OsString> = steps(&path);
    let mut links = 0;
    while let Some(step) = remaining.pop() {
        let Some(here) = above.last() else { return Err(rustix::io::Errno::NOENT.into()) };
        if step.as_bytes() == b".." {
            if above.len() > 1 {
                above.pop();
            }
            continue;
        }
        match here.child(&step) {
            Ok(child) => above.push(child),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let Some(target) = here.link(&step)? else { return Err(error) };
                links += 1;
                if links > LINKS_MAX {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                if target.is_absolute() {
                    above.truncate(1);
                }
                remaining.extend(steps(&target));
            }
            Err(error) => return Err(error),
        }
    }
    above.pop().ok_or_else(|| rustix::io::Errno::NOENT.into())
}

/// The components of a path, the last one first.
fn steps(path: &Path) -> Vec<OsString> {
    let step = |component: Component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_who_can_write_a_directory_control_it() {
        let (root, gateway, group) = (0, 4001, 4001);
        #[track_caller]
        fn check(owner: (u32, u32), mode: u32, us: u32, expected: Control) {
            let owner = Owner { uid: owner.0, gid: owner.1 };
            assert_eq!(control_of(owner, mode, [0, us]), expected, "{owner:?} {mode:o} for {us}");
        }
        let of_gateway = Control::User(Owner { uid: gateway, gid: group });
        check((root, root), 0o755, root, Control::Ours);
        check((root, root), 0o775, root, Control::Ours);
        check((root, group), 0o750, root, Control::Ours);
        check((root, group), 0o770, root, Control::Strangers);
        check((root, group), 0o770, gateway, Control::Strangers);
        check((root, root), 0o1777, root, Control::Strangers);
        check((gateway, group), 0o700, root, of_gateway);
        check((gateway, group), 0o2770, gateway, Control::Ours);
        check((gateway, group), 0o777, gateway, Control::Strangers);
        check((gateway, group), 0o2770, 4003, of_gateway);
    }

    #[test]
    fn symlinks_and_parent_steps_resolve_in_our_directories() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().canonicalize().expect("it is there");
        std::fs::create_dir_all(path.join("a/b")).expect("made");
        std::os::unix::fs::symlink("a/b", path.join("link")).expect("made");
        std::os::unix::fs::symlink(path.join("link/.."), path.join("up")).expect("made");
        std::os::unix::fs::symlink("loop", path.join("loop")).expect("made");
        let open = |name: &str| Directory::open(&path.join(name));
        assert_eq!(open("link").expect("ours").path(), path.join("a/b"));
        assert_eq!(open("up").expect("ours").path(), path.join("a"));
        assert_eq!(open("a/b/../../link/./").expect("ours").path(), path.join("a/b"));
        assert!(open("loop").is_err() && open("nowhere").is_err());
    }
}
