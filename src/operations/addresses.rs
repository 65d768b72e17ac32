//! The addresses of payments that are still to come, derived ahead of need: each request derives
//! one for a later request, on its own thread, so that the one thread that writes never waits for
//! curve arithmetic.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bitcoin::ScriptBuf;

use crate::domain::keys::{AccountXpub, DerivationIndex};

/// Addresses that lie ready at most.
const READY_MAX: u32 = 1_024;

/// The account's addresses, some of them ready.
#[derive(Debug)]
pub(crate) struct Addresses {
    xpub: AccountXpub,
    /// Where the operator's fee goes: never given out, in any spelling.
    operator: Option<ScriptBuf>,
    ready: Mutex<Ready>,
}

#[derive(Debug, Default)]
struct Ready {
    scripts: BTreeMap<DerivationIndex, ScriptBuf>,
    /// The index after the last one that was taken.
    taken: u32,
    /// The next index to derive ahead.
    next: u32,
}

impl Addresses {
    pub(crate) fn new(xpub: AccountXpub, operator: Option<ScriptBuf>) -> Addresses {
        Addresses { xpub, operator, ready: Mutex::new(Ready::default()) }
    }

    /// Whether one of these scripts is the operator's own address.
    pub(crate) fn is_operators(&self, scripts: &[ScriptBuf]) -> bool {
        self.operator.as_ref().is_some_and(|operator| scripts.contains(operator))
    }

    fn ready(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Derives one more address for later, if there is room. Nothing is locked meanwhile.
    pub(crate) fn derive_ahead(&self) {
        let index = {
            let mut ready = self.ready();
            let next = ready.next.max(ready.taken);
            if next >= ready.taken.saturating_add(READY_MAX) {
                return;
            }
            ready.next = next.saturating_add(1);
            DerivationIndex::new(next)
        };
        let Some(index) = index else { return };
        let script = self.xpub.script_at(index);
        let mut ready = self.ready();
        if index.get() >= ready.taken {
            ready.scripts.insert(index, script);
        }
    }

    /// The script at an index, which is taken by that: ready, or derived now.
    pub(crate) fn take(&self, index: DerivationIndex) -> ScriptBuf {
        let found = {
            let mut ready = self.ready();
            ready.taken = index.get().saturating_add(1);
            let later = ready.scripts.split_off(&index);
            ready.scripts = later; // Those below are of no use any more.
            ready.scripts.remove(&index)
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
        assert_eq!(addresses.ready().scripts.len(), 5);
        // An index may be skipped, and a write that was taken back asks for the same one again.
        for n in [42, 42, 44, 43, 46, 47, 10] {
            assert_eq!(addresses.take(index(n)), xpub.script_at(index(n)), "{n}");
        }
        for _ in 0..READY_MAX + 10 {
            addresses.derive_ahead();
        }
        assert!(addresses.ready().scripts.len() <= READY_MAX as usize);
    }
}
