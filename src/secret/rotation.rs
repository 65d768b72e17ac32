//! Files of a rotation of the master secret.
//!
//! `<secret>.next` holds the new secret while it is written, and `<secret>.old` the old one
//! until nothing depends on it. The steps, each flushed before the next:
//!
//! 1. Write `.next`.
//! 2. Write `.old`, with the time until which keys of the old secret are valid ([`begin`]).
//! 3. Rename `.next` over the secret ([`replace`]).
//!
//! A kill at any point leaves either the old secret alone in force or both, and the same
//! command resumes. Between steps 2 and 3 the caller gives the keys of both secrets to
//! processes that do not read these files.
//!
//! Must not know: what derives from the secret.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bitcoin::hex::{DisplayHex, FromHex};
use zeroize::Zeroizing;

use crate::crash;
use crate::domain::time::Timestamp;
use crate::safe_file::{self, Place, with_suffix};

use super::master_secret::MasterSecret;
use super::value::{random_bytes, wipe_stack};

const FILE_BYTES_MAX: u64 = 256;

/// The secret before the current one.
#[derive(Debug, Clone)]
pub(crate) struct Previous {
    pub(crate) secret: MasterSecret,
    /// End of the validity of its API keys and webhook secrets.
    pub(crate) keys_until: Timestamp,
}

/// Why a rotation was not started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(
        "{}: a rotation is not finished: keys of the old secret are valid until {until}; see litegate secret status",
        path.display()
    )]
    InProgress { path: PathBuf, until: Timestamp },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    let path = path.to_owned();
    |source| Failed::File { path, source }
}

pub(crate) fn old_file(secret_file: &Path) -> PathBuf {
    with_suffix(secret_file, ".old")
}

fn next_file(secret_file: &Path) -> PathBuf {
    with_suffix(secret_file, ".next")
}

/// The secret before the one in this file, if it is still stored.
///
/// # Errors
/// If the file cannot be read, or a rotation did not write it.
pub(crate) fn previous(secret_file: &Path) -> Result<Option<Previous>, Failed> {
    let path = old_file(secret_file);
    let Some(text) = read(&path).map_err(failed(&path))? else { return Ok(None) };
    // A systemd credential for a missing file holds only a line end.
    if text.trim().is_empty() || is_wiped(&text) {
        return Ok(None);
    }
    let parse = |text: &str| {
        let (secret, until) = text.trim().split_once("\nuntil ")?;
        let keys_until = Timestamp::from_ms(until.trim().parse().ok()?);
        Some(Previous { secret: secret_of(secret)?, keys_until })
    };
    let found = parse(&text);
    wipe_stack(); // Reading left copies of the secret there.
    let wrong = || io::Error::new(ErrorKind::InvalidData, "is no old secret of a rotation");
    found.map(Some).ok_or_else(wrong).map_err(failed(&path))
}

/// Prepares the replacement of the secret in this file by the returned one, or resumes an
/// interrupted run. Keys of the old one stay valid for `grace_ms` milliseconds from now.
///
/// # Errors
/// [`Failed::InProgress`] until the last replacement is finished.
pub(crate) fn begin(
    secret_file: &Path,
    current: &MasterSecret,
    now: Timestamp,
    grace_ms: i64,
) -> Result<MasterSecret, Failed> {
    let (old, next) = (old_file(secret_file), next_file(secret_file));
    let begun = previous(secret_file)?;
    if let Some(begun) = &begun
        && begun.secret.tag() != current.tag()
    {
        return Err(Failed::InProgress { path: old, until: begun.keys_until });
    }
    // A complete one of a killed run can be used.
    let written = read(&next).map_err(failed(&next))?;
    let new = match written.as_deref().and_then(|text| secret_of(text)) {
        Some(written) => written,
        None => {
            let bytes = Zeroizing::new(random_bytes::<32>());
            let text = Zeroizing::new(bytes.to_lower_hex_string() + "\n");
            put(&next, &text).map_err(failed(&next))?;
            crash::point("secret-next");
            MasterSecret::new(*bytes)
        }
    };
    if begun.is_none() {
        let secret = read(secret_file).map_err(failed(secret_file))?.unwrap_or_default();
        let until = now.plus_ms(grace_ms).ms();
        let text = Zeroizing::new(format!("{}\nuntil {until}\n", secret.trim()));
        put(&old, &text).map_err(failed(&old))?;
        crash::point("secret-old");
    }
    wipe_stack();
    Ok(new)
}

/// Replaces the old secret by the new one that [`begin`] wrote.
///
/// # Errors
/// If the file cannot be renamed.
pub(crate) fn replace(secret_file: &Path) -> Result<(), Failed> {
    let next = next_file(secret_file);
    let name = secret_file.file_name().unwrap_or_default();
    Place::of(&next).and_then(|next| next.rename(name)).map_err(failed(secret_file))?;
    crash::point("secret-replaced");
    Ok(())
}

/// Whether [`forget`] has overwritten this file and was killed before it removed it.
fn is_wiped(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'0')
}

/// Removes the old secret's file if [`forget`] was killed between overwriting and removing it.
///
/// # Errors
/// If it cannot be removed.
pub(crate) fn remove_wiped(secret_file: &Path) -> Result<(), Failed> {
    let path = old_file(secret_file);
    match read(&path).map_err(failed(&path))? {
        Some(text) if is_wiped(&text) => forget(secret_file),
        Some(_) | None => Ok(()),
    }
}

/// Overwrites and removes the old secret. [`previous`] counts an overwritten file as absent.
///
/// # Errors
/// If it cannot be removed; a missing file is no error.
pub(crate) fn forget(secret_file: &Path) -> Result<(), Failed> {
    let path = old_file(secret_file);
    let wipe = || {
        let mut file = match File::options().write(true).open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let length = usize::try_from(file.metadata()?.len().min(FILE_BYTES_MAX)).unwrap_or(0);
        file.write_all(&vec![b'0'; length])?;
        file.sync_all()?;
        crash::point("secret-wiped");
        Place::of(&path)?.remove_suffixed("")
    };
    wipe().map_err(failed(&path))
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    Place::of(path)?.replace(text.as_bytes())
}

fn read(path: &Path) -> io::Result<Option<Zeroizing<String>>> {
    let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
    match safe_file::open_to_read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?.take(FILE_BYTES_MAX).read_to_string(&mut text)?,
    };
    Ok(Some(text))
}

/// Parses a secret in hexadecimal digits.
pub(crate) fn secret_of(text: &str) -> Option<MasterSecret> {
    <[u8; 32]>::from_hex(text.trim()).ok().map(MasterSecret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn read_current(file: &Path) -> MasterSecret {
        secret_of(&read(file).expect("read").expect("there")).expect("a secret")
    }

    fn installed() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("secret");
        put(&file, &"07".repeat(32)).expect("written");
        (dir, file)
    }

    fn rotate(file: &Path) -> Result<(), Failed> {
        let new = begin(file, &read_current(file), Timestamp::from_ms(1_000), DAY_MS)?;
        replace(file)?;
        assert_eq!(read_current(file).tag(), new.tag());
        Ok(())
    }

    fn names(dir: &tempfile::TempDir) -> Vec<String> {
        let entries = std::fs::read_dir(dir.path()).expect("a folder").flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_rotation_keeps_the_old_secret_until_it_is_deleted() {
        use std::os::unix::fs::PermissionsExt;
        let (dir, file) = installed();
        let before = read_current(&file).tag();
        rotate(&file).expect("rotated");
        assert_ne!(read_current(&file).tag(), before);
        let old = previous(&file).expect("read").expect("kept");
        assert_eq!((old.secret.tag(), old.keys_until.ms()), (before, 1_000 + DAY_MS));
        for name in names(&dir) {
            let mode =
                std::fs::metadata(dir.path().join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(matches!(rotate(&file), Err(Failed::InProgress { .. })));
        forget(&file).expect("forgotten");
        forget(&file).expect("nothing to do");
        assert_eq!(names(&dir), ["secret"]);
        rotate(&file).expect("rotated again");
    }

    #[test]
    fn an_interrupted_rotation_resumes_from_each_step() {
        let (dir, file) = installed();
        let before = read_current(&file).tag();
        // Killed after `.next`: only the old secret is in force.
        put(&next_file(&file), &"08".repeat(32)).expect("written");
        assert!(previous(&file).expect("read").is_none());
        // Killed after `.old`: both files hold the same secret.
        put(&old_file(&file), &format!("{}\nuntil 5\n", "07".repeat(32))).expect("written");
        let old = previous(&file).expect("read").expect("there");
        assert_eq!(old.secret.tag(), before);
        rotate(&file).expect("resumed");
        let expected = secret_of(&"08".repeat(32)).expect("a secret");
        assert_eq!(read_current(&file).tag(), expected.tag());
        assert_eq!(previous(&file).expect("read").expect("kept").keys_until.ms(), 5);
        assert_eq!(names(&dir), ["secret", "secret.old"]);
        // An incomplete `.next` is written again.
        forget(&file).expect("forgotten");
        put(&next_file(&file), "07").expect("written");
        rotate(&file).expect("rotated");
        assert_ne!(read_current(&file).tag(), expected.tag());
    }

    #[test]
    fn a_malformed_old_secret_file_is_refused() {
        let (dir, file) = installed();
        for bad in ["x", &"07".repeat(32), &format!("{}\nuntil x", "07".repeat(32))] {
            put(&old_file(&file), bad).expect("written");
            assert!(matches!(previous(&file), Err(Failed::File { .. })), "{bad}");
        }
        put(&old_file(&file), "\n").expect("written");
        assert!(previous(&file).expect("a unit has no such file").is_none());
        remove_wiped(&file).expect("it is the unit's");
        put(&old_file(&file), &"0".repeat(85)).expect("written");
        assert!(previous(&file).expect("it was wiped").is_none());
        remove_wiped(&file).expect("removed");
        assert_eq!(names(&dir), ["secret"]);
    }
}
