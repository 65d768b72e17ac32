//! The addresses that come next. If one of them is paid, it was given out by a database that is
//! lost (an old copy was put back), or by a wallet that uses the same account: it and all below
//! it are never given out again.

use std::collections::HashMap;

use bitcoin::{Script, ScriptBuf};

use crate::domain::audit::LOOK_AHEAD;
use crate::domain::keys::{AccountXpub, DerivationIndex};

/// The scripts of the next [`LOOK_AHEAD`] indexes.
#[derive(Debug)]
pub(super) struct Ahead {
    xpub: AccountXpub,
    scripts: HashMap<ScriptBuf, DerivationIndex>,
    /// The first index that was not derived yet.
    derived: u32,
}

impl Ahead {
    pub(super) fn new(xpub: AccountXpub) -> Ahead {
        Ahead { xpub, scripts: HashMap::new(), derived: 0 }
    }

    /// Looks ahead from `next`, the index that the next payment takes.
    pub(super) fn reach(&mut self, next: DerivationIndex) {
        let end = next.get().saturating_add(LOOK_AHEAD);
        if self.derived < end {
            self.scripts.retain(|_, index| *index >= next);
        }
        for index in self.derived.max(next.get())..end {
            let Some(index) = DerivationIndex::new(index) else { break };
            self.scripts.insert(self.xpub.script_at(index), index);
        }
        self.derived = self.derived.max(end);
    }

    /// The highest of the next indexes that one of these scripts belongs to.
    pub(super) fn highest<'s>(
        &self,
        scripts: impl Iterator<Item = &'s Script>,
    ) -> Option<DerivationIndex> {
        scripts.filter_map(|script| self.scripts.get(script)).copied().max()
    }
}
