//! The lookahead: scripts of the next indexes. If one of them is paid, a lost database issued
//! it (an old copy was restored), or another wallet uses the account. That index and all below
//! it are then skipped.

use std::collections::HashMap;
use std::time::Instant;

use bitcoin::{Script, ScriptBuf};

use crate::domain::audit::LOOKAHEAD;
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::time::Timestamp;
use crate::store::{self, WriteTx, indexes};

/// The scripts of the next [`LOOKAHEAD`] indexes.
#[derive(Debug)]
pub(crate) struct Lookahead {
    xpub: AccountXpub,
    scripts: HashMap<ScriptBuf, DerivationIndex>,
    /// The first index that is not derived yet.
    derived: u32,
    /// When the node last refused to scan the account.
    pub(super) refused_at: Option<Instant>,
    /// When the database was last in use before this start, until that was compared with the
    /// chain's time.
    pub(super) last_in_use: Option<Timestamp>,
}

impl Lookahead {
    pub(crate) fn new(xpub: AccountXpub) -> Lookahead {
        Lookahead { xpub, scripts: HashMap::new(), derived: 0, refused_at: None, last_in_use: None }
    }

    /// As [`Lookahead::new`], for a database that was last in use at this time.
    pub(super) fn since(xpub: AccountXpub, last_in_use: Option<Timestamp>) -> Lookahead {
        Lookahead { last_in_use, ..Lookahead::new(xpub) }
    }

    /// The highest index of these scripts, searched within [`LOOKAHEAD`] of `next`, which is
    /// the next index to be issued, and of each index found.
    pub(crate) fn highest<'s>(
        &mut self,
        next: DerivationIndex,
        scripts: impl Iterator<Item = &'s Script> + Clone,
    ) -> Option<DerivationIndex> {
        let mut highest = None;
        loop {
            self.derive_beyond(highest.unwrap_or(next));
            let known = scripts.clone().filter_map(|script| self.scripts.get(script)).copied();
            match known.max() {
                Some(found) if Some(found) > highest => highest = Some(found),
                _ => return highest,
            }
        }
    }

    /// Derives the missing scripts up to [`LOOKAHEAD`] beyond `from`.
    fn derive_beyond(&mut self, from: DerivationIndex) {
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

/// Skips an index that is in use on the chain, and all below it.
pub(super) fn skip_used(
    tx: &WriteTx,
    index: DerivationIndex,
    now: Timestamp,
) -> Result<(), store::Error> {
    let Some(below) = DerivationIndex::new(index.get().saturating_add(1)) else { return Ok(()) };
    if indexes::skip_indexes(tx, below, "paid on the chain", now)? {
        tracing::error!(
            index = index.get(),
            "an address was paid that this database never issued: was an old copy restored, or is the account in use elsewhere? The indexes up to it are skipped"
        );
    }
    Ok(())
}
