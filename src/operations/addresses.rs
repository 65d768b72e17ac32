//! Addresses of future payments, derived ahead: each request derives one for a later request
//! on its own thread, so that the writer thread does not wait for curve arithmetic.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bitcoin::ScriptBuf;

use crate::domain::keys::{AccountXpub, DerivationIndex};

/// The most addresses derived ahead.
const READY_MAX: u32 = 1_024;

/// The account's addresses, some of them derived ahead.
#[derive(Debug)]
pub(crate) struct Addresses {
    xpub: AccountXpub,
    /// The operator's fee address, which is never issued, in any script type.
    operator: Option<ScriptBuf>,
    ready: Mutex<Ready>,
}

#[derive(Debug, Default)]
struct Ready {
    scripts: BTreeMap<DerivationIndex, ScriptBuf>,
    /// The index after the last taken one.
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

    /// Derives one more address, unless there are enough. The lock is not held meanwhile.
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

    /// Takes the script at an index: derived ahead, or now.
    pub(crate) fn take(&self, index: DerivationIndex) -> ScriptBuf {
        let found = {
            let mut ready = self.ready();
            ready.taken = index.get().saturating_add(1);
            let later = ready.scripts.split_off(&index);
            ready.scripts = later; // Lower indexes are not needed any more.
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
        // An index may be skipped, and is taken again after a rollback.
        for n in [42, 42, 44, 43, 46, 47, 10] {
            assert_eq!(addresses.take(index(n)), xpub.script_at(index(n)), "{n}");
        }
        for _ in 0..READY_MAX + 10 {
            addresses.derive_ahead();
        }
        assert!(addresses.ready().scripts.len() <= READY_MAX as usize);
    }
}
