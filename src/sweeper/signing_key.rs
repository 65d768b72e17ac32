//! The only private key of the gateway: the account's, from a file that only its owner can read.
//!
//! Nothing else of the gateway reads the file or holds the key. It does not print, and is wiped
//! when it is dropped as far as `domain::account_xpriv` says.

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use bitcoin::secp256k1::SecretKey;

use crate::domain::account_xpriv::AccountXpriv;
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::network::Network;
use crate::secret::wipe_stack;

use super::encrypted;
use super::private_file::Held;

/// The account's private key. It signs, and cannot be taken out.
#[derive(Debug)]
pub(crate) struct SigningKey {
    /// In one place, however often its owner is moved.
    account: Box<AccountXpriv>,
}

impl SigningKey {
    /// Reads the key file and checks that the key is the account's whose addresses we give out.
    ///
    /// # Errors
    /// If others own the file or may read it, if it is no plain small file, or if it holds another
    /// key. No error repeats what it holds.
    pub(crate) fn load(
        held: &Held,
        path: &Path,
        passphrase: Option<&Path>,
        network: Network,
        xpub: &AccountXpub,
    ) -> anyhow::Result<SigningKey> {
        let key = SigningKey::read(held, path, passphrase, network, xpub);
        wipe_stack();
        key
    }

    fn read(
        held: &Held,
        path: &Path,
        passphrase: Option<&Path>,
        network: Network,
        xpub: &AccountXpub,
    ) -> anyhow::Result<SigningKey> {
        let shown = path.display();
        let mut text = held.key(path)?;
        if encrypted::is_encrypted(&text) {
            let Some(file) = passphrase else {
                bail!("{shown} is encrypted: set wallet.passphrase_file");
            };
            let plain = encrypted::decrypt(&text, &held.key(file)?);
            text = Arc::new(plain.map_err(|error| anyhow::anyhow!("{shown} {error}"))?);
        }
        let account = AccountXpriv::parse(text.trim(), network)
            .map_err(|error| anyhow::anyhow!("{shown} {error}"))?;
        if !account.to_xpub().is_same_key(xpub) {
            bail!("{shown} holds the key of another account than wallet.xpub");
        }
        Ok(SigningKey { account: Box::new(account) })
    }

    /// The private key of an address of the receiving chain. The caller erases it after use.
    pub(super) fn secret_key_at(&self, index: DerivationIndex) -> SecretKey {
        self.account.secret_key_at(index)
    }
}
