//! Checks who, besides root and this process, can read a secret file.
//!
//! Mounted secrets have modes of their own: Docker uses root and the mode in the compose file,
//! Kubernetes root, the pod's group (`fsGroup`) and 0440, systemd root and an ACL that shows
//! as 0440. Their mode cannot be changed, so a group of this process may read them.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::fs::StatVfsMountFlags;
use rustix::process::{getegid, getgroups};

use super::place::ROOT;

/// Why a secret file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Exposure {
    mode: u32,
    mount: Mount,
}

/// Whether the file's mode can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mount {
    Writable,
    ReadOnly,
}

/// Refuses a file that other users can read or write. Its group may read it if this process is
/// a member, or if it is in `more_groups`, which root's process is about to join.
///
/// # Errors
/// The mode and the remedy, without the file's name.
pub(crate) fn check_secret(file: &File, more_groups: &[u32]) -> io::Result<()> {
    let found = file.metadata()?;
    let is_ours = |group| own_groups().contains(&group) || more_groups.contains(&group);
    if is_secret(found.mode(), found.uid(), found.gid(), is_ours) {
        return Ok(());
    }
    Err(exposed(file, found.mode()))
}

/// As [`check_secret`], for a key that can spend: its group may read it only if it is mounted,
/// that is root's with mode 0440.
///
/// # Errors
/// As [`check_secret`].
pub(crate) fn check_key(file: &File) -> io::Result<()> {
    let found = file.metadata()?;
    let is_mounted = found.mode() & 0o777 == 0o440 && found.uid() == ROOT;
    if found.mode() & 0o070 != 0 && !is_mounted {
        return Err(exposed(file, found.mode()));
    }
    check_secret(file, &[])
}

fn exposed(file: &File, mode: u32) -> io::Error {
    let read_only = rustix::fs::fstatvfs(file)
        .is_ok_and(|system| system.f_flag.contains(StatVfsMountFlags::RDONLY));
    let mount = if read_only { Mount::ReadOnly } else { Mount::Writable };
    io::Error::other(Exposure { mode: mode & 0o777, mount }.to_string())
}

/// The groups of this process.
fn own_groups() -> Vec<u32> {
    let more = getgroups().unwrap_or_default();
    std::iter::once(getegid()).chain(more).map(|group| group.as_raw()).collect()
}

fn is_secret(mode: u32, owner: u32, group: u32, is_ours: impl Fn(u32) -> bool) -> bool {
    let by_others = mode & 0o007 != 0;
    let by_group = mode & 0o070;
    let of_systemd = owner == ROOT && group == ROOT;
    let may_group = by_group == 0 || (by_group == 0o040 && (of_systemd || is_ours(group)));
    !by_others && may_group
}

impl std::fmt::Display for Exposure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let chmod = match self.mount {
            Mount::Writable => "chmod 600 it, or, where it is mounted, ",
            Mount::ReadOnly => "it is on a read-only mount, so ",
        };
        write!(
            f,
            "other users may read it (mode {:o}): {chmod}mount it with mode 0440 and a group of \
             this process (Docker: mode: 0440; Kubernetes: defaultMode: 0440 and fsGroup)",
            self.mode
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_readable_only_by_owner_root_or_our_group() {
        const OURS: u32 = 1000;
        #[track_caller]
        fn check(mode: u32, owner: u32, group: u32, secret: bool) {
            let is_ours = |group| group == OURS;
            assert_eq!(is_secret(mode, owner, group, is_ours), secret, "{mode:o} {owner}:{group}");
        }
        check(0o100_600, 1000, 1000, true);
        check(0o100_400, 0, 0, true);
        check(0o100_440, 0, 0, true); // systemd credential
        check(0o100_440, 0, OURS, true); // Docker or Kubernetes secret
        check(0o100_640, 0, OURS, true); // Kubernetes' default mode with fsGroup
        check(0o100_640, 1000, OURS, true);
        check(0o100_440, 0, 4242, false);
        check(0o100_640, 1000, 4242, false);
        check(0o100_444, 0, 0, false); // Docker Swarm's default mode
        check(0o100_444, 0, OURS, false);
        check(0o100_660, 0, OURS, false);
        check(0o100_460, 0, 0, false);
        check(0o100_450, 0, OURS, false);
        check(0o100_601, 0, 0, false);
    }

    #[test]
    fn chmod_is_not_suggested_for_a_read_only_mount() {
        let message = Exposure { mode: 0o444, mount: Mount::ReadOnly }.to_string();
        assert!(message.contains("mode 444") && !message.contains("chmod"), "{message}");
        let message = Exposure { mode: 0o644, mount: Mount::Writable }.to_string();
        assert!(message.contains("chmod 600"), "{message}");
    }
}
