//! Whether an address is one of the account's own: asked for payout addresses and the operator's
//! address, when they are registered and again before they are paid.
//!
//! The rule is `domain/own_addresses.rs`; here the payments that were given out are asked as well.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bitcoin::{Script, ScriptBuf};

use crate::domain::address::Address;
use crate::domain::keys::{AccountXpub, Branch, DerivationIndex};
use crate::domain::own_addresses::{Commitment, DerivedKeys, is_among};
use crate::store::{self, ReadTx, indexes, payments};

use super::Refusal;
use super::reason::Reason;

/// Payments that are read at a time.
const PAGE: u32 = 10_000;

/// How many indexes that no payment has are derived at most, the newest first: those that a
/// restored backup skipped. About three seconds.
const GAPS_MAX: u32 = 100_000;

/// Answers whether an address is ours. Keeps the keys that it derived, so that only the first
/// question takes half a second.
#[derive(Debug)]
pub(crate) struct OwnAddresses {
    keys: Mutex<DerivedKeys>,
}

/// An address that is not one of the account's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ForeignAddress(Address);

impl ForeignAddress {
    pub(crate) fn get(&self) -> &Address {
        &self.0
    }

    /// An address that a test knows to be another wallet's.
    #[cfg(test)]
    pub(crate) fn assumed(address: Address) -> ForeignAddress {
        ForeignAddress(address)
    }
}

impl OwnAddresses {
    pub(crate) fn new(xpub: AccountXpub) -> OwnAddresses {
        OwnAddresses { keys: Mutex::new(DerivedKeys::new(xpub)) }
    }

    /// Lets an address pass that is not ours.
    ///
    /// # Errors
    /// If it is.
    pub(crate) fn vet(&self, tx: &ReadTx, address: Address) -> Result<ForeignAddress, Refusal> {
        match self.among(tx, [address.script()])?.is_empty() {
            true => Ok(ForeignAddress(address)),
            false => Err(Refusal::invalid("payoutAddress", Reason::OwnAddress)),
        }
    }

    /// Those of these scripts that are ours: given out, skipped, or within the look-ahead, on
    /// either branch and in any spelling. Reads all payments if one is a p2sh, which does not say
    /// whose key is in it, or if there are skipped indexes.
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
        let mut given_out = BTreeSet::new();
        for commitment in &wanted {
            if let Some(script) = commitment.p2wpkh()
                && payments::index_of_script(tx, &script)?.is_some()
            {
                given_out.insert(*commitment);
            }
        }
        let mut gaps = Vec::new();
        if nested || payments::count(tx)? != u64::from(next.get()) {
            gaps = walk(tx, next, &wanted, &mut given_out)?;
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
            |commitment: &Commitment| given_out.contains(commitment) || keys.has(*commitment);
        let ours = asked.iter().filter(|(_, commitment)| is_ours(commitment));
        Ok(ours.map(|(script, _)| (*script).to_owned()).collect())
    }

    /// Whether a script is one of those that a new account gives out first, where there is no
    /// database to ask.
    pub(crate) fn is_of_new_account(&self, script: &Script) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        DerivationIndex::new(0).into_iter().for_each(|first| keys.reach(first));
        Commitment::of(script).is_some_and(|commitment| keys.has(commitment))
    }
}

/// Reads all payments below `next`: adds what is wanted to `given_out`, and answers the indexes
/// that no payment has. Beyond are rows that this gateway never wrote: they leave no gaps.
fn walk(
    tx: &ReadTx,
    next: DerivationIndex,
    wanted: &BTreeSet<Commitment>,
    given_out: &mut BTreeSet<Commitment>,
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
                given_out.extend(wanted.iter().filter(of_key));
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
