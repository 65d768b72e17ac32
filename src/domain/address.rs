//! Litecoin addresses: parsing, and conversion to and from scripts.
//!
//! rust-bitcoin's address type has only Bitcoin's prefixes, so this module uses its base58 and
//! bech32. Addresses are equal if their scripts are.
//!
//! Invariant: an [`Address`] holds a standard script (p2pkh, p2sh, p2wpkh, p2wsh, p2tr) that
//! the network's nodes relay.

use std::fmt;
use std::hash::{Hash, Hasher};

use bitcoin::bech32::primitives::decode::SegwitHrpstringError;
use bitcoin::bech32::{self, Hrp, segwit};
use bitcoin::hashes::Hash as _;
use bitcoin::{PubkeyHash, Script, ScriptBuf, ScriptHash, WitnessProgram, WitnessVersion, base58};

use super::network::Network;

/// An address that is valid on one network. Comparison ignores the form it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    network: Network,
    script: ScriptBuf,
    old_p2sh_spelling: bool,
}

/// Longer texts are rejected unread.
const TEXT_BYTES_MAX: usize = 128;

/// Maximum base58 length of a version and a 20-byte hash. Segwit addresses are longer.
const BASE58_BYTES_MAX: usize = 35;

/// Why a text is not a usable address. Each message follows a field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    #[error("must not be empty")]
    Empty,
    #[error("is too long for a Litecoin address")]
    TooLong,
    #[error("must not contain spaces or line breaks")]
    Whitespace,
    #[error("mixes capital and small letters; check that it was copied as a whole")]
    MixedCase,
    #[error("is an address of the {0} network; this gateway is on another one")]
    OtherNetwork(Network),
    #[error("is a Bitcoin address; give a Litecoin address")]
    Bitcoin,
    #[error("is an MWEB address, which cannot be paid out to; give an ordinary one such as ltc1q…")]
    Mweb,
    #[error("is mistyped: its checksum is wrong")]
    Checksum,
    #[error("has a witness version that Litecoin nodes do not relay")]
    WitnessVersion,
    #[error("is not a Litecoin address")]
    Unknown,
}

impl Address {
    /// Parses an address of `network` in any form.
    ///
    /// # Errors
    /// One message for each mistake that a user can correct.
    pub(crate) fn parse(text: &str, network: Network) -> Result<Address, AddressError> {
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        if text.len() > TEXT_BYTES_MAX * 2 {
            return Err(AddressError::TooLong);
        }
        // A base58 address may begin like another form's prefix (`LTC1…`). A valid checksum
        // decides; prefixes only explain an error.
        let is_base58 = text.len() <= BASE58_BYTES_MAX && base58::decode_check(text).is_ok();
        if is_base58 {
            return parse_base58(text, network);
        }
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("ltcmweb1") || lower.starts_with("tmweb1") {
            return Err(AddressError::Mweb);
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(AddressError::TooLong);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(AddressError::Whitespace);
        }
        // BIP173 ends the prefix at the last 1. Our addresses have only one, so splitting at
        // the first reports a 1 typed for an l as a typing error.
        match lower.split_once('1') {
            Some(("bc" | "tb" | "bcrt", _)) => Err(AddressError::Bitcoin),
            Some((hrp, _)) => match Network::ALL.into_iter().find(|n| n.hrp() == hrp) {
                Some(found) => parse_segwit(text, found, network),
                None => parse_base58(text, network),
            },
            None => parse_base58(text, network),
        }
    }

    /// The address of a standard script.
    pub(crate) fn from_script(script: &Script, network: Network) -> Option<Address> {
        let standard = script.is_p2pkh()
            || script.is_p2sh()
            || script.is_p2wpkh()
            || script.is_p2wsh()
            || script.is_p2tr();
        standard.then(|| Address { network, script: script.to_owned(), old_p2sh_spelling: false })
    }

    pub(crate) fn script(&self) -> &Script {
        &self.script
    }

    /// Whether it was read in the p2sh form that Bitcoin shares (`3…`, `2…`). It is valid, but
    /// may have been meant for the other chain, so the user should be warned.
    pub(crate) fn is_old_p2sh_spelling(&self) -> bool {
        self.old_p2sh_spelling
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.network == other.network && self.script == other.script
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.network.hash(state);
        self.script.hash(state);
    }
}

fn parse_segwit(text: &str, found: Network, network: Network) -> Result<Address, AddressError> {
    if found != network {
        return Err(AddressError::OtherNetwork(found));
    }
    let has_capital = text.bytes().any(|byte| byte.is_ascii_uppercase());
    if has_capital && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        // Too short for segwit: a mistyped base58 address, which mixes both cases.
        let is_short = text.len() <= BASE58_BYTES_MAX;
        return Err(if is_short { AddressError::Checksum } else { AddressError::MixedCase });
    }
    let (hrp, version, program) = segwit::decode(text).map_err(|error| match error.0 {
        // The checksum is right, so this is no typing error.
        SegwitHrpstringError::WitnessLength(_) | SegwitHrpstringError::Padding(_) => {
            AddressError::Unknown
        }
        // Versions above 16 do not exist and are checked before the checksum: a typing error.
        _ => AddressError::Checksum,
    })?;
    if hrp.to_lowercase() != network.hrp() {
        return Err(AddressError::Checksum); // It has a second 1, where the decoder splits.
    }
    let version =
        WitnessVersion::try_from(version.to_u8()).map_err(|_| AddressError::WitnessVersion)?;
    let program =
        WitnessProgram::new(version, &program).map_err(|_| AddressError::WitnessVersion)?;
    let script = ScriptBuf::new_witness_program(&program);
    Address::from_script(&script, network).ok_or(AddressError::WitnessVersion)
}

fn parse_base58(text: &str, network: Network) -> Result<Address, AddressError> {
    let payload = match base58::decode_check(text) {
        Ok(payload) => payload,
        Err(base58::Error::Decode(_)) => return Err(AddressError::Unknown),
        Err(_) => return Err(AddressError::Checksum),
    };
    let Some((version, hash)) = payload.split_first() else { return Err(AddressError::Unknown) };
    let hash: [u8; 20] = hash.try_into().map_err(|_| AddressError::Unknown)?;
    if *version == 0 {
        return Err(AddressError::Bitcoin);
    }
    let script = script_of_version(*version, hash, network);
    if let Some(script) = script {
        let old_p2sh_spelling = *version == network.old_p2sh_version();
        return Ok(Address { network, script, old_p2sh_spelling });
    }
    // Testnet and regtest share their versions: the first match is named.
    let other = Network::ALL.into_iter().find(|n| script_of_version(*version, hash, *n).is_some());
    Err(other.map_or(AddressError::Unknown, AddressError::OtherNetwork))
}

fn script_of_version(version: u8, hash: [u8; 20], network: Network) -> Option<ScriptBuf> {
    if version == network.p2pkh_version() {
        Some(ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)))
    } else if version == network.p2sh_version() || version == network.old_p2sh_version() {
        Some(ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(hash)))
    } else {
        None
    }
}

/// The current form: lowercase bech32, and `M…`/`Q…` for p2sh.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.script.as_bytes();
        // The type's invariant leaves only these forms.
        if self.script.is_p2pkh() {
            let hash = bytes.get(3..23).unwrap_or_default();
            base58::encode_check_to_fmt(f, &with_version(self.network.p2pkh_version(), hash))
        } else if self.script.is_p2sh() {
            let hash = bytes.get(2..22).unwrap_or_default();
            base58::encode_check_to_fmt(f, &with_version(self.network.p2sh_version(), hash))
        } else {
            let version = self.script.witness_version().ok_or(fmt::Error)?;
            let hrp = Hrp::parse(self.network.hrp()).map_err(|_| fmt::Error)?;
            let version = bech32::Fe32::try_from(version.to_num()).map_err(|_| fmt::Error)?;
            let program = bytes.get(2..).unwrap_or_default();
            f.write_str(&segwit::encode(hrp, version, program).map_err(|_| fmt::Error)?)
        }
    }
}

fn with_version(version: u8, hash: &[u8]) -> Vec<u8> {
    [&[version], hash].concat()
}

#[cfg(test)]
mod tests;
