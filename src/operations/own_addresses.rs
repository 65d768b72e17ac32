//! Detects addresses of the gateway's own account among payout addresses and the operator's
//! address, when they are registered and again before a payout.
//!
//! The rule is in `domain/own_addresses.rs`; this module also searches the issued payments.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bitcoin::{Script, ScriptBuf};

use crate::domain::address::Address;
use crate::domain::keys::{AccountXpub, Branch, DerivationIndex};
use crate::domain::own_addresses::{Commitment, DerivedKeys, is_among};
use crate::store::{self, ReadTx, indexes, payments};

use super::reason::Reason;
use super::refusal::Refusal;

const PAGE: u32 = 10_000;

/// The most skipped indexes that are derived, newest first. A restored backup skips indexes.
/// About three seconds.
const GAPS_MAX: u32 = 100_000;

/// Detects own addresses. The derived keys are cached: the first call takes half a second.
#[derive(Debug)]
pub(crate) struct OwnAddresses {
    keys: Mutex<DerivedKeys>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignAddress(Address);

impl ForeignAddress {
    pub(crate) fn get(&self) -> &Address {
        &self.0
    }

    /// An address of another wallet, without a check.
    #[cfg(test)]
    pub(crate) fn assumed(address: Address) -> ForeignAddress {
        ForeignAddress(address)
    }
}

impl OwnAddresses {
    pub(crate) fn new(xpub: AccountXpub) -> OwnAddresses {
        OwnAddresses { keys: Mutex::new(DerivedKeys::new(xpub)) }
    }

    /// Checks that an address is not one of the account's own.
    ///
    /// # Errors
    /// If it is.
    pub(crate) fn vet(&self, tx: &ReadTx, address: Address) -> Result<ForeignAddress, Refusal> {
        match self.among(tx, [address.script()])?.is_empty() {
            true => Ok(ForeignAddress(address)),
            false => Err(Refusal::invalid("payoutAddress", Reason::OwnAddress)),
        }
    }

    /// The own scripts among these: issued, skipped, or within the lookahead, on either branch
    /// and in any script type. Reads all payments if one is P2SH, which hides its key, or if
    /// indexes were skipped.
    pub(crate) fn among<'s>(
        &self,
        tx: &ReadTx,
        scripts: impl IntoIterator<Item = &'s Script>,
    ) -> Result<BTreeSet<ScriptBuf>, store::Error> {
        let with_commitment = |script: &'s Script| Some((script, Commitment::of(script)?));
        let asked: Vec<_> = scripts.into_iter().filter_map(with_commitment).collect();
        if asked.is_empty() {
            return Ok(BTreeSet::new());
        }
        let next = indexes::next_index(tx)?;
        let wanted: BTreeSet<Commitment> =
            asked.iter().map(|(_, commitment)| *commitment).collect();
        let nested = wanted.iter().any(|commitment| commitment.p2wpkh().is_none());
        let mut issued = BTreeSet::new();
        for commitment in &wanted {
            if let Some(script) = commitment.p2wpkh()
                && payments::index_of_script(tx, &script)?.is_some()
            {
                issued.insert(*commitment);
            }
        }
        let mut gaps = Vec::new();
        if nested || payments::count(tx)? != u64::from(next.get()) {
            gaps = search_all(tx, next, &wanted, &mut issued)?;
        }
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.reach(next);
        let mut left = GAPS_MAX;
        for gap in gaps.into_iter().rev() {
            let from = gap.start.max(gap.end.saturating_sub(left));
            left = left.saturating_sub(gap.end.saturating_sub(from));
            keys.derive(Branch::Receiving, from..gap.end);
        }
        let is_ours =
            |commitment: &Commitment| issued.contains(commitment) || keys.has(*commitment);
        let ours = asked.iter().filter(|(_, commitment)| is_ours(commitment));
        Ok(ours.map(|(script, _)| (*script).to_owned()).collect())
    }

    /// Whether a script is among the first of a new account, without a database.
    pub(crate) fn is_of_new_account(&self, script: &Script) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        DerivationIndex::new(0).into_iter().for_each(|first| keys.reach(first));
        Commitment::of(script).is_some_and(|commitment| keys.has(commitment))
    }
}

/// Reads all payments below `next`, adds the wanted ones to `issued`, and returns the indexes
/// without a payment. Rows from `next` on are not the gateway's, and are ignored.
fn search_all(
    tx: &ReadTx,
    next: DerivationIndex,
    wanted: &BTreeSet<Commitment>,
    issued: &mut BTreeSet<Commitment>,
) -> Result<Vec<Range<u32>>, store::Error> {
    let mut gaps = Vec::new();
    let mut from = 0;
    loop {
        let page = payments::scripts_from(tx, from, PAGE)?;
        for (index, script) in page.iter().filter(|(index, _)| *index < next) {
            if index.get() > from {
                gaps.push(from..index.get());
            }
            from = index.get().saturating_add(1);
            if is_among(script, wanted) {
                let of_key = |one: &&Commitment| is_among(script, &BTreeSet::from([**one]));
                issued.extend(wanted.iter().filter(of_key));
            }
        }
        if page.last().is_none_or(|(index, _)| *index >= next) {
            break;
        }
    }
    if from < next.get() {
        gaps.push(from..next.get());
    }
    Ok(gaps)
}

#[cfg(test)]
mod tests;
