//! The gateway's only private key: the account's, from a file that only its owner can read.
//!
//! No other module reads the file or holds the key. It is not printable, and is wiped on drop
//! within the limits that `domain::account_xpriv` states.

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

#[derive(Debug)]
pub(crate) struct SigningKey {
    /// Boxed, so that moves leave no copies.
    account: Box<AccountXpriv>,
}

impl SigningKey {
    /// Reads the key file and checks that the key fits `wallet.xpub`.
    ///
    /// # Errors
    /// If others own the file or may read it, if it is not a small regular file, or if it
    /// holds another key. No error contains the text.
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
