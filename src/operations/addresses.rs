//! Addresses of future payments, derived ahead: each request derives one for a later request
//! on its own thread, so that the writer thread does not wait for curve arithmetic.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bitcoin::ScriptBuf;

use crate::domain::keys::{AccountXpub, DerivationIndex};

/// The most addresses derived ahead.
const AHEAD_MAX: u32 = 1_024;

/// The account's addresses, some of them derived ahead.
#[derive(Debug)]
pub(crate) struct Addresses {
    xpub: AccountXpub,
    /// The operator's fee address, which is never issued, in any script type.
    operator: Option<ScriptBuf>,
    ahead: Mutex<Ahead>,
}

#[derive(Debug, Default)]
struct Ahead {
    scripts: BTreeMap<DerivationIndex, ScriptBuf>,
    /// The index after the last taken one.
    taken: u32,
    /// The next index to derive ahead.
    next: u32,
}

impl Addresses {
    pub(crate) fn new(xpub: AccountXpub, operator: Option<ScriptBuf>) -> Addresses {
        Addresses { xpub, operator, ahead: Mutex::new(Ahead::default()) }
    }

    /// Whether one of these scripts is the operator's own address.
    pub(crate) fn is_operators(&self, scripts: &[ScriptBuf]) -> bool {
        self.operator.as_ref().is_some_and(|operator| scripts.contains(operator))
    }

    fn ahead(&self) -> MutexGuard<'_, Ahead> {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Derives one more address, unless there are enough. The lock is not held meanwhile.
    pub(crate) fn derive_ahead(&self) {
        let index = {
            let mut ahead = self.ahead();
            let next = ahead.next.max(ahead.taken);
            if next >= ahead.taken.saturating_add(AHEAD_MAX) {
                return;
            }
            ahead.next = next.saturating_add(1);
            DerivationIndex::new(next)
        };
        let Some(index) = index else { return };
        let script = self.xpub.script_at(index);
        let mut ahead = self.ahead();
        if index.get() >= ahead.taken {
            ahead.scripts.insert(index, script);
        }
    }

    /// Takes the script at an index: derived ahead, or now.
    pub(crate) fn take(&self, index: DerivationIndex) -> ScriptBuf {
        let found = {
            let mut ahead = self.ahead();
            ahead.taken = index.get().saturating_add(1);
            let later = ahead.scripts.split_off(&index);
            ahead.scripts = later; // Lower indexes are not needed any more.
            ahead.scripts.remove(&index)
        };
        found.unwrap_or_else(|| self.xpub.script_at(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account_xpriv::AccountXpriv;
    use crate::domain::network::Network;

    #[test]
    fn precomputed_scripts_equal_scripts_derived_on_demand() {
        let xpub = AccountXpriv::from_mnemonic_seed(&[7; 64], Network::Regtest).0.to_xpub();
        let addresses = Addresses::new(xpub.clone(), None);
        let index = |n| DerivationIndex::new(n).expect("small");
        assert_eq!(addresses.take(index(41)), xpub.script_at(index(41)), "derived now");
        for _ in 0..5 {
            addresses.derive_ahead();
        }
        assert_eq!(addresses.ahead().scripts.len(), 5);
        // An index may be skipped, and is taken again after a rollback.
        for n in [42, 42, 44, 43, 46, 47, 10] {
            assert_eq!(addresses.take(index(n)), xpub.script_at(index(n)), "{n}");
        }
        for _ in 0..AHEAD_MAX + 10 {
            addresses.derive_ahead();
        }
        assert!(addresses.ahead().scripts.len() <= AHEAD_MAX as usize);
    }
}
