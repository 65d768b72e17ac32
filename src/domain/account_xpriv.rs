//! The account's extended private key, which signs sweeps (BIP32, BIP84).
//!
//! Pure: no I/O. `zeroize` lets the key be returned as text that wipes itself.
//!
//! Invariants: the key does not print, is not copied, and is wiped when dropped. Not wiped:
//! copies that rust-bitcoin's `Xpriv` (a `Copy` type) and base58 make on the stack and in
//! buffers, and the result of [`AccountXpriv::secret_key_at`], which the caller erases.

use std::fmt;

use bitcoin::base58;
use bitcoin::bip32::{ChildNumber, DerivationPath, KeySource, Xpriv};
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{self, AccountXpub, DerivationIndex, KeyError, RECEIVING_CHAIN};
use super::network::Network;

/// An account's private key on one network, which can spend from every receiving address.
pub(crate) struct AccountXpriv {
    network: Network,
    account: Xpriv,
    /// The key of `<account>/0`, the parent of all receiving addresses.
    receiving: Xpriv,
    secp: Secp256k1<All>,
}

impl AccountXpriv {
    /// Parses a key of `network` in any serialization (BIP32, SLIP-132).
    ///
    /// # Errors
    /// For public keys, keys of another network, and text that is not an extended key. No
    /// error repeats the text.
    pub(crate) fn parse(text: &str, network: Network) -> Result<AccountXpriv, KeyError> {
        let account = keys::parse_private(text, network)?;
        Ok(AccountXpriv::new(network, account, Secp256k1::new()))
    }

    fn new(network: Network, account: Xpriv, secp: Secp256k1<All>) -> AccountXpriv {
        let receiving = account.derive_priv(&secp, &[RECEIVING_CHAIN]);
        // The depth was checked, and an index without a key has a probability of 2^-127
        // (BIP32).
        let receiving = receiving.expect("an account without a chain does not occur");
        AccountXpriv { network, account, receiving, secp }
    }

    /// The first account of a wallet: `m/84'/coin'/0'` (BIP84), from the 64-byte seed of a
    /// mnemonic (BIP39).
    ///
    /// Also returns the key's origin, the master key's fingerprint and the path, which
    /// hardware wallets need in a PSBT (BIP174).
    pub(crate) fn from_mnemonic_seed(seed: &[u8], network: Network) -> (AccountXpriv, KeySource) {
        let secp = Secp256k1::new();
        let path = [84, network.coin_type(), 0].map(|index| ChildNumber::Hardened { index });
        let master = Xpriv::new_master(network.key_kind(), seed);
        // A seed or step without a key has a probability of 2^-127 (BIP32).
        let mut master = master.expect("a seed without a key does not occur");
        let origin = (master.fingerprint(&secp), DerivationPath::from(path.to_vec()));
        let account = master.derive_priv(&secp, &path);
        master.private_key.non_secure_erase();
        let account = account.expect("an account without a key does not occur");
        (AccountXpriv::new(network, account, secp), origin)
    }

    pub(crate) fn to_xpub(&self) -> AccountXpub {
        let public = keys::public_half(self.network, &self.account, &self.secp);
        public.expect("the depth was checked when the key was read")
    }

    /// The private key of `<account>/0/<index>`. The caller erases it after use.
    pub(crate) fn secret_key_at(&self, index: DerivationIndex) -> SecretKey {
        let child = self.receiving.derive_priv(&self.secp, &[index.child()]);
        child.expect("an index without a key does not occur").private_key
    }

    /// The key as litecoind and other wallets read it: `xprv…` or `tprv…`.
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
