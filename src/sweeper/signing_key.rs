//! The only private key of the gateway: the account's, from a file that only its owner can read.
//!
//! Nothing else of the gateway sees it. It does not print, and it is wiped when it is dropped, as
//! far as the types of rust-bitcoin allow: copies made inside of its arithmetic are out of reach.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, bail};
use bitcoin::bip32::{ChildNumber, Xpriv};
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use zeroize::Zeroizing;

use crate::domain::keys::{self, AccountXpub, DerivationIndex, RECEIVING_CHAIN};
use crate::domain::network::Network;

/// The account's private key. It signs, and cannot be taken out.
pub(crate) struct SigningKey {
    account: Xpriv,
    secp: Secp256k1<All>,
}

/// The largest key file, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

impl SigningKey {
    /// Reads the key file and checks that the key is the account's whose addresses we give out.
    ///
    /// # Errors
    /// If others may read the file, or it holds another key. No error repeats what it holds.
    pub(crate) fn load(
        path: &Path,
        network: Network,
        xpub: &AccountXpub,
    ) -> anyhow::Result<SigningKey> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("open {shown}"))?;
        let metadata = file.metadata().with_context(|| format!("look at {shown}"))?;
        if metadata.mode() & 0o077 != 0 {
            bail!(
                "{shown} can be read by others (mode {:o}): chmod 600 it",
                metadata.mode() & 0o777
            );
        }
        if metadata.len() > FILE_BYTES_MAX {
            bail!("{shown} is too large for a key file");
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX)
            .read_to_string(&mut text)
            .with_context(|| format!("read {shown}"))?;
        let account = keys::parse_private(text.trim(), network)
            .map_err(|error| anyhow::anyhow!("{shown} {error}"))?;
        let secp = Secp256k1::new();
        let public = keys::public_half(network, &account, &secp);
        if !public.is_some_and(|public| public.is_same_key(xpub)) {
            bail!("{shown} holds the key of another account than wallet.xpub");
        }
        Ok(SigningKey { account, secp })
    }

    /// The private key of an address of the receiving chain.
    pub(super) fn secret_key_at(&self, index: DerivationIndex) -> SecretKey {
        let path = [RECEIVING_CHAIN, ChildNumber::Normal { index: index.get() }];
        // BIP32 allows a chance of 2^-127 for an index without a key.
        let child = self.account.derive_priv(&self.secp, &path);
        child.expect("an index without a key does not occur").private_key
    }

    pub(super) fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }
}

impl Drop for SigningKey {
    fn drop(&mut self) {
        self.account.private_key.non_secure_erase();
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}
