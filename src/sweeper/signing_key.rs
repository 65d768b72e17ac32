//! The only private key of the gateway: the account's, from a file that only its owner can read.
//!
//! Nothing else of the gateway reads the file or holds the key. It does not print, and is wiped
//! when it is dropped as far as `domain::account_xpriv` says.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};
use bitcoin::secp256k1::SecretKey;
use zeroize::Zeroizing;

use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::network::Network;

/// The account's private key. It signs, and cannot be taken out.
#[derive(Debug)]
pub(crate) struct SigningKey {
    account: AccountXpriv,
}

/// The largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// The user who can read everything anyway. systemd's credentials may be root's.
const ROOT: u32 = 0;

/// Opens the key file if it is small, and ours or root's alone.
fn open_private(path: &Path) -> anyhow::Result<File> {
    let shown = path.display();
    // Looked at before it is opened: opening a pipe would wait for a writer.
    let is_file = std::fs::metadata(path).with_context(|| format!("open {shown}"))?.is_file();
    if !is_file {
        bail!("{shown} is not a file");
    }
    let file = File::open(path).with_context(|| format!("open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("look at {shown}"))?;
    let us = std::fs::metadata("/proc/self").context("look at our own process")?.uid();
    if metadata.uid() != us && metadata.uid() != ROOT {
        bail!(
            "{shown} belongs to user {}, who can read and replace it: chown it to user {us}",
            metadata.uid()
        );
    }
    if metadata.mode() & 0o077 != 0 {
        bail!("{shown} can be read by others (mode {:o}): chmod 600 it", metadata.mode() & 0o777);
    }
    if metadata.len() > FILE_BYTES_MAX {
        bail!("{shown} is too large for a key file");
    }
    Ok(file)
}

impl SigningKey {
    /// Reads the key file and checks that the key is the account's whose addresses we give out.
    ///
    /// # Errors
    /// If others own the file or may read it, if it is no plain small file, or if it holds another
    /// key. No error repeats what it holds.
    pub(crate) fn load(
        path: &Path,
        network: Network,
        xpub: &AccountXpub,
    ) -> anyhow::Result<SigningKey> {
        let shown = path.display();
        let file = open_private(path)?;
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .with_context(|| format!("read {shown}"))?;
        let account = AccountXpriv::parse(text.trim(), network)
            .map_err(|error| anyhow::anyhow!("{shown} {error}"))?;
        if !account.to_xpub().is_same_key(xpub) {
            bail!("{shown} holds the key of another account than wallet.xpub");
        }
        Ok(SigningKey { account })
    }

    /// The private key of an address of the receiving chain. The caller erases it after use.
    pub(super) fn secret_key_at(&self, index: DerivationIndex) -> SecretKey {
        self.account.secret_key_at(index)
    }
}
