//! The account's extended public key and the scripts that derive from it (BIP32, BIP84).
//!
//! Wallets serialize the same key with different prefixes (SLIP-132). All of them are
//! accepted; the addresses are always p2wpkh of `<account>/0/index`, the receiving chain.
//!
//! Invariant: an [`AccountXpub`] cannot hold a private key, and neither errors nor logs repeat
//! a text that might be one.

use std::fmt;
use std::sync::LazyLock;

use bitcoin::bip32::{ChildNumber, Fingerprint, Xpub};
use bitcoin::secp256k1::{All, Secp256k1, VerifyOnly};
use bitcoin::{CompressedPublicKey, NetworkKind, ScriptBuf, base58};
use zeroize::Zeroizing;

use super::network::Network;

/// The index of an address on the receiving chain; below 2^31, the limit of public derivation
/// (BIP32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DerivationIndex(u32);

impl DerivationIndex {
    /// `None` from 2^31 on.
    pub(crate) fn new(index: u32) -> Option<DerivationIndex> {
        (index < 1 << 31).then_some(DerivationIndex(index))
    }

    pub(crate) fn get(self) -> u32 {
        self.0
    }

    /// The last step of the derivation path.
    pub(crate) fn child(self) -> ChildNumber {
        ChildNumber::Normal { index: self.0 }
    }
}

/// The receiving chain: the first step below the account key.
pub(crate) const RECEIVING_CHAIN: ChildNumber = ChildNumber::Normal { index: 0 };

/// The two chains of an account (BIP44). Payments use the receiving chain; only wallets use
/// the change chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Branch {
    Receiving,
    Change,
}

/// The change chain of an account.
const CHANGE_CHAIN: ChildNumber = ChildNumber::Normal { index: 1 };

/// The depth of an account key (BIP44: purpose, coin type, account).
const ACCOUNT_DEPTH: u8 = 3;

/// The maximum depth that allows two more steps: BIP32 stores the depth in a byte.
const ACCOUNT_DEPTH_MAX: u8 = 253;

/// An account's public key on one network.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct AccountXpub {
    network: Network,
    account: Xpub,
    receiving: Xpub,
    change: Xpub,
    script_kind: ScriptKind,
}

/// The script type that the key's prefix announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptKind {
    /// `xpub`, `tpub`: none.
    Neutral,
    P2wpkh,
    P2shP2wpkh,
    P2pkh,
}

/// Whether a prefix announces a public or a private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Public,
    Private,
}

/// Version bytes, their networks, and what they announce: BIP32, SLIP-132 and the Litecoin
/// wallets' own.
#[rustfmt::skip]
const PREFIXES: [([u8; 4], NetworkKind, Half, ScriptKind); 18] = [
    ([0x04, 0x88, 0xb2, 0x1e], NetworkKind::Main, Half::Public,  ScriptKind::Neutral),    // xpub
    ([0x01, 0x9d, 0xa4, 0x62], NetworkKind::Main, Half::Public,  ScriptKind::P2pkh),      // Ltub
    ([0x01, 0xb2, 0x6e, 0xf6], NetworkKind::Main, Half::Public,  ScriptKind::P2shP2wpkh), // Mtub
    ([0x04, 0x9d, 0x7c, 0xb2], NetworkKind::Main, Half::Public,  ScriptKind::P2shP2wpkh), // ypub
    ([0x04, 0xb2, 0x47, 0x46], NetworkKind::Main, Half::Public,  ScriptKind::P2wpkh),     // zpub
    ([0x04, 0x35, 0x87, 0xcf], NetworkKind::Test, Half::Public,  ScriptKind::Neutral),    // tpub
    ([0x04, 0x36, 0xf6, 0xe1], NetworkKind::Test, Half::Public,  ScriptKind::P2pkh),      // ttub
    ([0x04, 0x4a, 0x52, 0x62], NetworkKind::Test, Half::Public,  ScriptKind::P2shP2wpkh), // upub
    ([0x04, 0x5f, 0x1c, 0xf6], NetworkKind::Test, Half::Public,  ScriptKind::P2wpkh),     // vpub
    ([0x04, 0x88, 0xad, 0xe4], NetworkKind::Main, Half::Private, ScriptKind::Neutral),    // xprv
    ([0x01, 0x9d, 0x9c, 0xfe], NetworkKind::Main, Half::Private, ScriptKind::P2pkh),      // Ltpv
    ([0x01, 0xb2, 0x67, 0x92], NetworkKind::Main, Half::Private, ScriptKind::P2shP2wpkh), // Mtpv
    ([0x04, 0x9d, 0x78, 0x78], NetworkKind::Main, Half::Private, ScriptKind::P2shP2wpkh), // yprv
    ([0x04, 0xb2, 0x43, 0x0c], NetworkKind::Main, Half::Private, ScriptKind::P2wpkh),     // zprv
    ([0x04, 0x35, 0x83, 0x94], NetworkKind::Test, Half::Private, ScriptKind::Neutral),    // tprv
    ([0x04, 0x36, 0xef, 0x7d], NetworkKind::Test, Half::Private, ScriptKind::P2pkh),      // ttpv
    ([0x04, 0x4a, 0x4e, 0x28], NetworkKind::Test, Half::Private, ScriptKind::P2shP2wpkh), // uprv
    ([0x04, 0x5f, 0x18, 0xbc], NetworkKind::Test, Half::Private, ScriptKind::P2wpkh),     // vprv
];

/// Context for public-key arithmetic. Created once, since creating it takes longer than
/// deriving a key.
pub(crate) static PUBLIC: LazyLock<Secp256k1<VerifyOnly>> =
    LazyLock::new(Secp256k1::verification_only);

/// Longer texts are rejected unread.
const TEXT_BYTES_MAX: usize = 128;

/// Why a text is not the expected extended key. Each message follows a field's name and never
/// repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("must be an extended public key such as zpub… or xpub…")]
    Unknown,
    #[error("is mistyped: its checksum is wrong")]
    Checksum,
    #[error("is a private key; give the account's public key here (zpub…, xpub…)")]
    Private,
    #[error("must be an extended private key such as xprv…")]
    NotPrivate,
    #[error("is a key of a multisignature wallet; give the key of a single-signature account")]
    Multisig,
    #[error("is too deep below its master key for addresses to derive from it")]
    TooDeep,
    #[error("belongs to another network than {0}")]
    OtherNetwork(Network),
}

impl AccountXpub {
    /// Parses a key of `network` in any serialization.
    ///
    /// # Errors
    /// For private keys, keys of another network, and text that is not an extended key.
    pub(crate) fn parse(text: &str, network: Network) -> Result<AccountXpub, KeyError> {
        if is_secret(text) {
            return Err(KeyError::Private);
        }
        let (payload, half, script_kind) = decode_key(text, network)?;
        if half == Half::Private {
            return Err(KeyError::Private);
        }
        let account = Xpub::decode(&payload).map_err(|_| KeyError::Unknown)?;
        if account.depth > ACCOUNT_DEPTH_MAX {
            return Err(KeyError::TooDeep);
        }
        AccountXpub::new(network, account, script_kind).ok_or(KeyError::Unknown)
    }

    /// The same key from its parts; `None` if it is too deep, or if a chain cannot be derived
    /// (probability 2^-127).
    pub(crate) fn from_xpub(network: Network, account: Xpub) -> Option<AccountXpub> {
        AccountXpub::new(network, account, ScriptKind::P2wpkh)
    }

    fn new(network: Network, account: Xpub, script_kind: ScriptKind) -> Option<AccountXpub> {
        if account.depth > ACCOUNT_DEPTH_MAX {
            return None;
        }
        let receiving = account.ckd_pub(&*PUBLIC, RECEIVING_CHAIN).ok()?;
        let change = account.ckd_pub(&*PUBLIC, CHANGE_CHAIN).ok()?;
        Some(AccountXpub { network, account, receiving, change, script_kind })
    }

    /// Reasons why the key's wallet may not find the addresses that we derive. Each message
    /// follows a key's name.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let depth = self.account.depth;
        let is_no_account = (depth != ACCOUNT_DEPTH).then(|| {
            format!(
                "has depth {depth}, and an account key has {ACCOUNT_DEPTH} (m/84'/2'/0'): check \
                 that your wallet finds the first addresses"
            )
        });
        self.contradiction().map(str::to_owned).into_iter().chain(is_no_account).collect()
    }

    /// A warning if the key's prefix announces a script type other than p2wpkh.
    fn contradiction(&self) -> Option<&'static str> {
        match self.script_kind {
            ScriptKind::Neutral | ScriptKind::P2wpkh => None,
            ScriptKind::P2shP2wpkh => Some(
                "has a prefix of p2sh-p2wpkh addresses (BIP49), but payments go to \
                 p2wpkh addresses (BIP84): check that your wallet finds them",
            ),
            ScriptKind::P2pkh => Some(
                "has a prefix of p2pkh addresses (BIP44), but payments go to p2wpkh \
                 addresses (BIP84): check that your wallet finds them",
            ),
        }
    }

    pub(crate) fn public_key_at(&self, index: DerivationIndex) -> CompressedPublicKey {
        child_of(&self.receiving, index)
    }

    /// The p2wpkh script at an index of a chain.
    pub(crate) fn branch_script_at(&self, branch: Branch, index: DerivationIndex) -> ScriptBuf {
        let chain = match branch {
            Branch::Receiving => &self.receiving,
            Branch::Change => &self.change,
        };
        ScriptBuf::new_p2wpkh(&child_of(chain, index).wpubkey_hash())
    }

    /// The p2wpkh script at an index of the receiving chain.
    pub(crate) fn script_at(&self, index: DerivationIndex) -> ScriptBuf {
        self.branch_script_at(Branch::Receiving, index)
    }

    /// The key's depth below its master key.
    #[cfg(test)]
    pub(crate) fn depth(&self) -> u8 {
        self.account.depth
    }

    /// The first bytes of the account key's hash (BIP32).
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.account.fingerprint()
    }

    /// The key as litecoind reads it: `xpub…` or `tpub…`.
    pub(crate) fn core_spelling(&self) -> String {
        self.account.to_string()
    }

    /// The receiving chain as an output descriptor.
    pub(crate) fn receiving_descriptor(&self) -> String {
        format!("wpkh({}/{RECEIVING_CHAIN}/*)", self.core_spelling())
    }

    /// Whether both are the same key, in any serialization.
    pub(crate) fn is_same_key(&self, other: &AccountXpub) -> bool {
        self.account.public_key == other.account.public_key
            && self.account.chain_code == other.account.chain_code
    }
}

fn child_of(chain: &Xpub, index: DerivationIndex) -> CompressedPublicKey {
    let child = chain.ckd_pub(&*PUBLIC, index.child());
    // The depth was checked, and an index without a key has a probability of 2^-127 (BIP32).
    child.expect("an index without a key does not occur").to_pub()
}

/// The serialization that announces p2wpkh: `zpub…`, `vpub…`.
impl fmt::Display for AccountXpub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.network.key_kind() {
            NetworkKind::Main => [0x04, 0xb2, 0x47, 0x46],
            NetworkKind::Test => [0x04, 0x5f, 0x1c, 0xf6],
        };
        let mut payload = self.account.encode();
        payload[..4].copy_from_slice(&version);
        base58::encode_check_to_fmt(f, &payload)
    }
}

/// Only the fingerprint: the key reveals the address of every payment.
impl fmt::Debug for AccountXpub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountXpub({} of {})", self.fingerprint(), self.network)
    }
}

/// Whether a text is a secret, possibly a damaged one: an extended private key by its prefix,
/// a single private key (WIF or hex), or a mnemonic.
fn is_secret(text: &str) -> bool {
    /// Litecoin's main network, all test networks, Bitcoin's main network.
    const WIF_VERSIONS: [u8; 3] = [176, 239, 128];
    const NAMES: [&str; 13] = [
        "xprv", "Ltpv", "Mtpv", "yprv", "zprv", "tprv", "ttpv", "uprv", "vprv", "Yprv", "Zprv",
        "Uprv", "Vprv",
    ];
    let text = text.trim();
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_phrase = text.split_whitespace().count() >= 12
        && text.chars().all(|c| c.is_alphabetic() || c.is_whitespace());
    let is_wif = text.len() <= TEXT_BYTES_MAX
        && base58::decode_check(text).is_ok_and(|payload| match payload.split_first() {
            Some((version, key)) => matches!(key.len(), 32 | 33) && WIF_VERSIONS.contains(version),
            None => false,
        });
    NAMES.iter().any(|name| text.starts_with(name)) || is_hex || is_phrase || is_wif
}

/// Prefixes of multisignature public keys (SLIP-132), from which no single-key address
/// derives: Ypub, Zpub, Upub, Vpub.
const MULTISIG_PREFIXES: [[u8; 4]; 4] = [
    [0x02, 0x95, 0xb4, 0x3f],
    [0x02, 0xaa, 0x7e, 0xd3],
    [0x02, 0x42, 0x89, 0xef],
    [0x02, 0x57, 0x54, 0x83],
];

/// The bytes of an extended key, wiped on drop, and what its prefix announced.
type DecodedKey = (Zeroizing<Vec<u8>>, Half, ScriptKind);

/// The 78 bytes of an extended key in BIP32's serialization, and what its prefix announced.
fn decode_key(text: &str, network: Network) -> Result<DecodedKey, KeyError> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(KeyError::Unknown);
    }
    let mut payload = match base58::decode_check(text) {
        Ok(payload) => Zeroizing::new(payload),
        Err(base58::Error::Decode(_)) => return Err(KeyError::Unknown),
        Err(_) => return Err(KeyError::Checksum),
    };
    if payload.len() != 78 {
        return Err(KeyError::Unknown);
    }
    if MULTISIG_PREFIXES.iter().any(|version| payload.starts_with(version)) {
        return Err(KeyError::Multisig);
    }
    let prefix = PREFIXES.iter().find(|(version, ..)| payload.starts_with(version));
    let Some((_, kind, half, script_kind)) = prefix else { return Err(KeyError::Unknown) };
    if *kind != network.key_kind() {
        return Err(KeyError::OtherNetwork(network));
    }
    let core: [u8; 4] = match (half, kind) {
        (Half::Public, NetworkKind::Main) => [0x04, 0x88, 0xb2, 0x1e],
        (Half::Public, NetworkKind::Test) => [0x04, 0x35, 0x87, 0xcf],
        (Half::Private, NetworkKind::Main) => [0x04, 0x88, 0xad, 0xe4],
        (Half::Private, NetworkKind::Test) => [0x04, 0x35, 0x83, 0x94],
    };
    for (byte, wanted) in payload.iter_mut().zip(core) {
        *byte = wanted;
    }
    Ok((payload, *half, *script_kind))
}

/// Parses an extended private key in any serialization. Only the role that signs calls it.
///
/// # Errors
/// For public keys, keys of another network, and text that is not an extended key.
pub(crate) fn parse_private(
    text: &str,
    network: Network,
) -> Result<bitcoin::bip32::Xpriv, KeyError> {
    let (payload, half, _) = decode_key(text, network)?;
    match half {
        Half::Public => Err(KeyError::NotPrivate),
        Half::Private => {
            let key = bitcoin::bip32::Xpriv::decode(&payload).map_err(|_| KeyError::Unknown)?;
            if key.depth > ACCOUNT_DEPTH_MAX { Err(KeyError::TooDeep) } else { Ok(key) }
        }
    }
}

/// The public key of an account's private key.
pub(crate) fn public_half(
    network: Network,
    key: &bitcoin::bip32::Xpriv,
    secp: &Secp256k1<All>,
) -> Option<AccountXpub> {
    AccountXpub::from_xpub(network, Xpub::from_priv(secp, key))
}

#[cfg(test)]
mod tests;
