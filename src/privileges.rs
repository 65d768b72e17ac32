//! Dropping root privileges: a command that root started works in another user's directory as
//! that user, so that files which that user puts there cannot misuse root's rights.
//!
//! Linux keeps users and groups per thread, so this requires a process with one thread; later
//! threads inherit them. It cannot be undone. The kernel then also stops the new user from
//! tracing the process (prctl(2), PR_SET_DUMPABLE).
//!
//! Must not know: which directories the gateway has.

use std::io;
use std::path::Path;

use rustix::process::{
    DumpableBehavior, Gid, Resource, Rlimit, Uid, getegid, geteuid, getgid, getuid,
};

use crate::safe_file::{Control, Directory, ROOT, directory_of};

/// The group `nogroup`, which owns nothing.
const NO_GROUP: u32 = 65_534;

/// Keeps the process's memory, which holds keys, out of core dumps and from other processes of
/// the same user.
///
/// # Errors
/// If the kernel refuses.
pub(crate) fn forbid_core_dumps() -> io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// If the process runs as root, becomes the user who controls the directory of `file`. Stays
/// root if that user is root.
///
/// # Errors
/// If a group or all users can write the directory, so that no single user controls it; if the
/// process has another thread; or if the kernel refuses.
pub(crate) fn become_controller(file: &Path) -> io::Result<()> {
    if geteuid().as_raw() != ROOT {
        return Ok(());
    }
    let directory = Directory::open(directory_of(file))?;
    let user = match directory.control() {
        Control::Ours => return Ok(()),
        Control::User(user) => user,
        Control::Strangers => {
            let path = directory.path().display();
            return Err(io::Error::other(format!(
                "users other than root can write its directory {path}, or one above it: remove that \
                 right away, or give the directory to the gateway's user"
            )));
        }
    };
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("root's rights can only be given up by a single thread"));
    }
    let gid = if user.gid == ROOT { NO_GROUP } else { user.gid };
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(gid));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    if [getuid(), geteuid()] != [uid; 2] || [getgid(), getegid()] != [gid; 2] {
        return Err(io::Error::other("root's rights were not given up"));
    }
    Ok(())
}

/// Whether [`become_controller`] would change the user.
pub(crate) fn would_become_another(file: &Path) -> bool {
    let control = || Some(Directory::open(directory_of(file)).ok()?.control());
    geteuid().as_raw() == ROOT && control().is_some_and(|control| control != Control::Ours)
}
