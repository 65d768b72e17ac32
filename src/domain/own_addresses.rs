//! The account's own addresses, in every script type. A payout to one of them would return
//! forever, or complete a payment that no shopper paid.
//!
//! One key signs for three scripts: p2pkh and p2wpkh commit to the key's hash, p2sh to the
//! hash of the p2wpkh script (BIP141). All of them are ours on both chains of the account
//! (BIP44): receiving, which payments use, and change, which a wallet of the same account
//! uses. Pure: the caller looks up the issued indexes.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use bitcoin::hashes::{Hash, hash160};
use bitcoin::{PubkeyHash, Script, ScriptBuf, WPubkeyHash};

use super::keys::{AccountXpub, Branch, DerivationIndex};

/// How many addresses of each chain count as ours beyond the highest issued index.
pub(crate) const OWN_LOOKAHEAD: u32 = 10_000;

/// Maximum number of derived change indexes: wallets use them one by one, so even an account
/// with a million payments has few.
const CHANGE_INDEXES_MAX: u32 = 100_000;

/// The hash that a single-key script commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Commitment {
    /// The hash of the key: p2pkh, p2wpkh.
    Key([u8; 20]),
    /// The hash of a script, possibly a key's p2wpkh script: p2sh.
    Script([u8; 20]),
}

impl Commitment {
    /// `None` for scripts that never belong to a single key of BIP44, BIP49 or BIP84.
    pub(crate) fn of(script: &Script) -> Option<Commitment> {
        let bytes = script.as_bytes();
        let hash = |from: usize| bytes.get(from..from.saturating_add(20))?.try_into().ok();
        if script.is_p2wpkh() {
            return hash(2).map(Commitment::Key);
        }
        if script.is_p2pkh() {
            return hash(3).map(Commitment::Key);
        }
        if script.is_p2sh() {
            return hash(2).map(Commitment::Script);
        }
        None
    }

    /// The p2wpkh script of the key with this hash.
    pub(crate) fn p2wpkh(self) -> Option<ScriptBuf> {
        match self {
            Commitment::Key(hash) => {
                Some(ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(hash)))
            }
            Commitment::Script(_) => None,
        }
    }
}

/// The scripts that the key of a p2wpkh script can sign for: p2wpkh, p2pkh and p2sh. Any other
/// script is returned alone.
pub(crate) fn spellings(script: &Script) -> Vec<ScriptBuf> {
    let mut found = vec![script.to_owned()];
    if let Some(Commitment::Key(hash)) = Commitment::of(script) {
        found.push(ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(hash)));
        found.push(script.to_p2sh());
    }
    found
}

/// Whether the key of a p2wpkh script has one of these commitments.
pub(crate) fn is_among(p2wpkh: &Script, asked: &BTreeSet<Commitment>) -> bool {
    let key = Commitment::of(p2wpkh);
    let nested = hash160::Hash::hash(p2wpkh.as_bytes()).to_byte_array();
    key.is_some_and(|key| asked.contains(&key)) || asked.contains(&Commitment::Script(nested))
}

/// The commitments of all keys derived so far on both chains. They are never removed.
#[derive(Debug)]
pub(crate) struct DerivedKeys {
    xpub: AccountXpub,
    /// Hashes of keys and of their p2wpkh scripts.
    hashes: HashSet<[u8; 20]>,
    receiving: Range<u32>,
    /// Change indexes below this are derived.
    change_below: u32,
}

impl DerivedKeys {
    pub(crate) fn new(xpub: AccountXpub) -> DerivedKeys {
        DerivedKeys { xpub, hashes: HashSet::new(), receiving: 0..0, change_below: 0 }
    }

    /// Derives what is missing up to [`OWN_LOOKAHEAD`] beyond `next`, the next payment's
    /// index. Takes about half a second the first time.
    pub(crate) fn reach(&mut self, next: DerivationIndex) {
        let end = next.get().saturating_add(OWN_LOOKAHEAD);
        let known = &self.receiving;
        let from = if known.contains(&next.get()) { known.end } else { next.get() };
        self.derive(Branch::Receiving, from..end);
        self.receiving = next.get()..end;
        let change_end = end.min(CHANGE_INDEXES_MAX);
        self.derive(Branch::Change, self.change_below..change_end);
        self.change_below = self.change_below.max(change_end);
    }

    /// Derives these indexes of a chain.
    pub(crate) fn derive(&mut self, branch: Branch, indexes: Range<u32>) {
        for index in indexes.filter_map(DerivationIndex::new) {
            let script = self.xpub.branch_script_at(branch, index);
            if let Some(Commitment::Key(hash)) = Commitment::of(&script) {
                self.hashes.insert(hash);
            }
            self.hashes.insert(hash160::Hash::hash(script.as_bytes()).to_byte_array());
        }
    }

    /// Whether a script belongs to a derived key.
    pub(crate) fn has(&self, commitment: Commitment) -> bool {
        // A key's hash equals a script's hash with a probability of 2^-160.
        let (Commitment::Key(hash) | Commitment::Script(hash)) = commitment;
        self.hashes.contains(&hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account_xpriv::AccountXpriv;
    use crate::domain::network::Network;

    fn xpub() -> AccountXpub {
        AccountXpriv::from_mnemonic_seed(&[7; 64], Network::Regtest).0.to_xpub()
    }

    fn at(branch: Branch, index: u32) -> ScriptBuf {
        xpub().branch_script_at(branch, DerivationIndex::new(index).expect("small"))
    }

    #[test]
    fn an_own_key_is_recognised_in_every_script_type_and_branch() {
        let mut keys = DerivedKeys::new(xpub());
        let next = |n| DerivationIndex::new(n).expect("small");
        keys.reach(next(3));
        let has = |keys: &DerivedKeys, script: &Script| {
            Commitment::of(script).is_some_and(|commitment| keys.has(commitment))
        };
        let end = 3 + OWN_LOOKAHEAD;
        for (branch, first) in [(Branch::Receiving, 3), (Branch::Change, 0)] {
            for index in [first, first + 1, 5_000, end - 1] {
                for script in spellings(&at(branch, index)) {
                    assert!(has(&keys, &script), "{branch:?} {index} {script}");
                }
            }
            for script in spellings(&at(branch, end)) {
                assert!(!has(&keys, &script), "{branch:?} {script}");
            }
        }
        let p2wsh = ScriptBuf::from_hex(&format!("0020{}", "07".repeat(32))).expect("a script");
        assert_eq!(Commitment::of(&p2wsh), None);
        // Another database: the caller derives the indexes of a gap.
        assert!(!has(&keys, &at(Branch::Receiving, 1)));
        keys.derive(Branch::Receiving, 0..3);
        assert!(has(&keys, &at(Branch::Receiving, 1)));
        keys.reach(next(5));
        assert!(has(&keys, &at(Branch::Receiving, end + 1)), "the lookahead advances");
        keys.reach(next(40_000));
        assert!(has(&keys, &at(Branch::Receiving, 40_000)), "after a jump");
    }

    #[test]
    fn a_script_matches_registered_scripts_of_every_type() {
        let own = at(Branch::Receiving, 4);
        let asked = |script: &Script| BTreeSet::from([Commitment::of(script).expect("a key's")]);
        assert_eq!(spellings(&own).len(), 3);
        for script in spellings(&own) {
            assert!(is_among(&own, &asked(&script)), "{script}");
            assert!(!is_among(&at(Branch::Receiving, 5), &asked(&script)));
        }
        let back = Commitment::of(&spellings(&own)[1]).and_then(Commitment::p2wpkh);
        assert_eq!(back, Some(own), "from p2pkh to the script that is given out");
    }
}
