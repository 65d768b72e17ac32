//! RPC credentials: a cookie file, or a user with a password.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::safe_file;
use crate::secret::Secret;

#[derive(Debug, Clone)]
pub(crate) enum Auth {
    /// The node writes a new cookie at each start. `held` was read before root's rights were
    /// dropped, for a user who cannot read the file.
    CookieFile {
        file: PathBuf,
        held: Option<Secret<String>>,
    },
    Password {
        user: String,
        password: Secret<String>,
    },
}

const COOKIE_BYTES_MAX: u64 = 1024;

impl Auth {
    pub(super) fn credentials(&self) -> Result<(String, Secret<String>), Error> {
        let (file, held) = match self {
            Auth::Password { user, password } => return Ok((user.clone(), password.clone())),
            Auth::CookieFile { file, held } => (file, held),
        };
        let cookie = match (read_cookie(file), held) {
            (Ok(cookie), _) => cookie,
            (Err(error), Some(held)) if error.kind() == ErrorKind::PermissionDenied => held.clone(),
            (Err(error), _) => {
                let what = format!("cookie file {}: {error}", file.display());
                return Err(Error::Unreachable(what));
            }
        };
        let (user, password) = cookie.reveal().trim().split_once(':').ok_or(Error::Unauthorized)?;
        Ok((user.to_owned(), Secret::new(password.to_owned())))
    }

    /// Reads the cookie before root's rights are dropped. It is valid until the node restarts.
    pub(crate) fn hold_cookie(&mut self) {
        if let Auth::CookieFile { file, held } = self {
            *held = read_cookie(file).ok(); // The first RPC call reports the error.
        }
    }
}

fn read_cookie(file: &Path) -> std::io::Result<Secret<String>> {
    let text = String::from_utf8(safe_file::read(file, COOKIE_BYTES_MAX)?);
    text.map(Secret::new).map_err(|_| std::io::Error::other("is not text"))
}
