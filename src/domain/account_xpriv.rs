//! The private key of the account: what a wallet's seed gives, and what signs a sweep.
//!
//! Pure: where the key is read from and written to is not known here. `zeroize` is used to hand the
//! key out as text that wipes itself.
//!
//! Invariants: the key does not print, has no copy, and is wiped when it is dropped. What cannot be
//! wiped: the copies that rust-bitcoin's `Xpriv` (a `Copy` type) and base58 make on the stack and
//! in buffers while they derive, read or write, and the key that [`AccountXpriv::secret_key_at`]
//! hands out, which its receiver has to erase.

use std::fmt;

use bitcoin::base58;
use bitcoin::bip32::{ChildNumber, DerivationPath, KeySource, Xpriv};
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{self, AccountXpub, DerivationIndex, KeyError, RECEIVING_CHAIN};
use super::network::Network;

/// The private key of an account, of one network, from which every receiving address can be spent.
pub(crate) struct AccountXpriv {
    network: Network,
    account: Xpriv,
    /// The key of `<account>/0`, under which all receiving addresses are.
    receiving: Xpriv,
    secp: Secp256k1<All>,
}

impl AccountXpriv {
    /// Reads a key of `network` in any of its spellings (BIP32, SLIP-132).
    ///
    /// # Errors
    /// For public keys, keys of another network, and everything that is no extended key. No error
    /// repeats the text.
    pub(crate) fn parse(text: &str, network: Network) -> Result<AccountXpriv, KeyError> {
        let account = keys::parse_private(text, network)?;
        Ok(AccountXpriv::new(network, account, Secp256k1::new()))
    }

    fn new(network: Network, account: Xpriv, secp: Secp256k1<All>) -> AccountXpriv {
        let receiving = account.derive_priv(&secp, &[RECEIVING_CHAIN]);
        // The depth was checked, and BIP32 leaves a chance of 2^-127 for an index without a key.
        let receiving = receiving.expect("an account without a chain does not occur");
        AccountXpriv { network, account, receiving, secp }
    }

    /// The first account of a wallet: `m/84'/coin'/0'` (BIP84) below the seed of a recovery phrase
    /// (BIP39), which is 64 bytes.
    ///
    /// With it comes where it comes from: the master key's fingerprint and the path below it, as
    /// hardware wallets want to read it in a PSBT (BIP174).
    pub(crate) fn from_mnemonic_seed(seed: &[u8], network: Network) -> (AccountXpriv, KeySource) {
        let secp = Secp256k1::new();
        let path = [84, network.coin_type(), 0].map(|index| ChildNumber::Hardened { index });
        let master = Xpriv::new_master(network.key_kind(), seed);
        // BIP32 leaves a chance of 2^-127 for a seed or a step without a key.
        let mut master = master.expect("a seed without a key does not occur");
        let origin = (master.fingerprint(&secp), DerivationPath::from(path.to_vec()));
        let account = master.derive_priv(&secp, &path);
        master.private_key.non_secure_erase();
        let account = account.expect("an account without a key does not occur");
        (AccountXpriv::new(network, account, secp), origin)
    }

    /// The public key of the same account.
    pub(crate) fn to_xpub(&self) -> AccountXpub {
        let public = keys::public_half(self.network, &self.account, &self.secp);
        public.expect("the depth was checked when the key was read")
    }

    /// The private key of `<account>/0/<index>`. The receiver erases it after use.
    pub(crate) fn secret_key_at(&self, index: DerivationIndex) -> SecretKey {
        let child = self.receiving.derive_priv(&self.secp, &[index.child()]);
        child.expect("an index without a key does not occur").private_key
    }

    /// The spelling that litecoind and other wallets understand: `xprv…` or `tprv…`.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let mut payload = self.account.encode();
        let text = Zeroizing::new(base58::encode_check(&payload));
        payload.zeroize();
        text
    }
}

impl Drop for AccountXpriv {
    fn drop(&mut self) {
        self.account.private_key.non_secure_erase();
        self.receiving.private_key.non_secure_erase();
    }
}

impl fmt::Debug for AccountXpriv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountXpriv(secret, {})", self.network)
    }
}

#[cfg(test)]
mod tests;
