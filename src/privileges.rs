//! Giving up root's rights: a command that root started works in another user's directory as that
//! user, so that nothing which that user puts there is done with root's rights.
//!
//! Linux keeps users and groups per thread, so this is done while there is one thread; those that
//! it starts later inherit them. It cannot be undone. The kernel then also makes the process one
//! that its new user cannot trace (prctl(2), PR_SET_DUMPABLE).
//!
//! Must not know: whose directories there are.

use std::io;
use std::path::Path;

use rustix::process::{
    DumpableBehavior, Gid, Resource, Rlimit, Uid, getegid, geteuid, getgid, getuid,
};

use crate::safe_file::{Control, Directory, ROOT, directory_of};

/// A group that owns nothing.
const NO_GROUP: u32 = 65_534;

/// Keeps this process's memory, which holds keys, out of core dumps, and from other processes of
/// its user.
///
/// # Errors
/// If the kernel refuses, which it never does.
pub(crate) fn forbid_core_dumps() -> io::Result<()> {
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// If root runs this process: becomes the user who controls the directory that `file` lies in.
/// Stays root where that is root.
///
/// # Errors
/// If a group or everybody may write the directory, so that there is no such user; if there is
/// another thread; or if root may not become another user here.
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
                "users other than root can write its directory {path}, or one above it: take that \
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

/// Whether [`become_controller`] would change the user of this process.
pub(crate) fn would_become_another(file: &Path) -> bool {
    let control = || Some(Directory::open(directory_of(file)).ok()?.control());
    geteuid().as_raw() == ROOT && control().is_some_and(|control| control != Control::Ours)
}
