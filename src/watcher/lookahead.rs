//! The addresses that come next. If one of them is paid, it was given out by a database that is
//! lost (an old copy was put back), or by a wallet that uses the same account: it and all below
//! it are never given out again.

use std::collections::HashMap;
use std::time::Instant;

use bitcoin::{Script, ScriptBuf};

use crate::domain::audit::LOOKAHEAD;
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::time::Timestamp;

/// The scripts of the next [`LOOKAHEAD`] indexes.
#[derive(Debug)]
pub(crate) struct Lookahead {
    xpub: AccountXpub,
    scripts: HashMap<ScriptBuf, DerivationIndex>,
    /// The first index that was not derived yet.
    derived: u32,
    /// When the node last refused to say whether the account was in use before us.
    pub(super) refused_at: Option<Instant>,
    /// When the database was last in use before this start, until the chain's time was held
    /// against it.
    pub(super) last_in_use: Option<Timestamp>,
}

impl Lookahead {
    pub(crate) fn new(xpub: AccountXpub) -> Lookahead {
        Lookahead { xpub, scripts: HashMap::new(), derived: 0, refused_at: None, last_in_use: None }
    }

    /// As [`Lookahead::new`], after a time in which the database was perhaps not in use.
    pub(super) fn since(xpub: AccountXpub, last_in_use: Option<Timestamp>) -> Lookahead {
        Lookahead { last_in_use, ..Lookahead::new(xpub) }
    }

    /// The highest index from `next` on, the one that the next payment takes, that one of these
    /// scripts belongs to: found within [`LOOKAHEAD`] of `next`, or of another that was found.
    pub(crate) fn highest<'s>(
        &mut self,
        next: DerivationIndex,
        scripts: impl Iterator<Item = &'s Script> + Clone,
    ) -> Option<DerivationIndex> {
        let mut highest = None;
        loop {
            self.reach(highest.unwrap_or(next));
            let known = scripts.clone().filter_map(|script| self.scripts.get(script)).copied();
            match known.max() {
                Some(found) if Some(found) > highest => highest = Some(found),
                _ => return highest,
            }
        }
    }

    /// Derives what is missing up to [`LOOKAHEAD`] beyond `from`.
    fn reach(&mut self, from: DerivationIndex) {
        let end = from.get().saturating_add(LOOKAHEAD);
        if self.derived < end {
            self.scripts.retain(|_, index| *index >= from);
        }
        for index in self.derived.max(from.get())..end {
            let Some(index) = DerivationIndex::new(index) else { break };
            self.scripts.insert(self.xpub.script_at(index), index);
        }
        self.derived = self.derived.max(end);
    }
}
