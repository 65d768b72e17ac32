//! Audit: reconciles the stored facts with each other and with the node's UTXO set.
//!
//! An [`Audit`] receives the stored facts, then the node's unspent outputs at the same tip,
//! and returns a [`Report`] that accounts for every litoshi. It repairs nothing.
//!
//! Must not know: how facts are stored, and how the node is queried.

mod difference;
mod facts;
mod mismatch;
mod report;

use std::collections::{HashMap, HashSet};

use bitcoin::{OutPoint, Script, ScriptBuf, Txid};

use super::amount::Amount;
use super::chain::BlockId;
use super::chain_guard::Trust;
use super::keys::{AccountXpub, DerivationIndex};
use super::payment::{self, Coin, PaymentId, Place, Status};

pub(crate) use difference::Difference;
pub(crate) use facts::{LedgerCoin, LedgerPayment, LedgerPayout, LedgerVersion, Unspent};
pub(crate) use report::Report;

/// How many addresses beyond the last issued one are checked.
pub(crate) const LOOKAHEAD: u32 = 1_000;

/// Scripts that were already compared with the account key. An issued script never changes, so
/// this can run before the rest of the audit, while the node reads its coins.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Scripts {
    /// Payments with smaller indexes were checked.
    below: u32,
    foreign: Vec<PaymentId>,
}

impl Scripts {
    /// Checks the next payment's script; payments come in the order of their indexes.
    pub(crate) fn look_at(
        &mut self,
        xpub: &AccountXpub,
        index: DerivationIndex,
        script: &Script,
        id: PaymentId,
    ) {
        if *xpub.script_at(index) != *script {
            self.foreign.push(id);
        }
        self.below = index.get().saturating_add(1);
    }

    /// The first index that was not checked.
    pub(crate) fn below(&self) -> u32 {
        self.below
    }
}

#[derive(Debug)]
pub(crate) struct Audit<'x> {
    xpub: &'x AccountXpub,
    tip: Option<BlockId>,
    trust: Trust,
    /// The last block whose coins and spends are complete in the node's list.
    listed_to: u32,
    coins: Vec<LedgerCoin>,
    of_payment: HashMap<DerivationIndex, Vec<usize>>,
    sweeps: Vec<LedgerVersion>,
    issued: HashMap<ScriptBuf, PaymentId>,
    attributed: HashSet<usize>,
    next: u32,
    /// Payments from this index on were not issued.
    issued_below: Option<u32>,
    /// Scripts of payments with smaller indexes were checked before.
    checked_below: u32,
    report: Report,
}

impl<'x> Audit<'x> {
    pub(crate) fn new(
        xpub: &'x AccountXpub,
        tip: Option<BlockId>,
        coins: Vec<LedgerCoin>,
        sweeps: Vec<LedgerVersion>,
    ) -> Audit<'x> {
        let mut of_payment: HashMap<DerivationIndex, Vec<usize>> = HashMap::new();
        for (at, ledger) in coins.iter().enumerate() {
            of_payment.entry(ledger.coin.index).or_default().push(at);
        }
        Audit {
            xpub,
            tip,
            trust: Trust::Full,
            listed_to: u32::MAX,
            coins,
            of_payment,
            sweeps,
            issued: HashMap::new(),
            attributed: HashSet::new(),
            next: 0,
            issued_below: None,
            checked_below: 0,
            report: Report::default(),
        }
    }

    /// Sets the trust in the chain: while it is withheld, payments may rightly be pending.
    pub(crate) fn believe(&mut self, trust: Trust) {
        self.trust = trust;
    }

    /// Sets the next index: smaller ones were issued or skipped.
    pub(crate) fn comes_next(&mut self, index: DerivationIndex) {
        self.next = self.next.max(index.get());
        self.issued_below = Some(index.get());
    }

    /// Reports a payment that cannot be read.
    pub(crate) fn unreadable(&mut self, index: i64, why: String) {
        self.report.differences.push(Difference::Unreadable { index, why });
    }

    /// Sets the block after which the node started its list: of later blocks it may show some
    /// changes and not others.
    pub(crate) fn listed_to(&mut self, height: u32) {
        self.listed_to = height;
    }

    /// Adds the results of an earlier check of scripts.
    pub(crate) fn take_over(&mut self, scripts: &Scripts) {
        self.checked_below = scripts.below;
        self.report
            .differences
            .extend(scripts.foreign.iter().map(|id| Difference::ForeignScript(*id)));
    }

    /// Checks a payment: script, status and event must follow from the facts.
    pub(crate) fn payment(&mut self, ledger: &LedgerPayment) {
        let LedgerPayment { payment, status, has_event } = ledger;
        let index = payment.index.get();
        if self.issued_below.is_some_and(|below| index >= below) {
            self.report.differences.push(Difference::Stray { payment: payment.id, index });
            return;
        }
        let mut found = Vec::new();
        let checked = payment.index.get() < self.checked_below;
        if !checked && self.xpub.script_at(payment.index) != payment.script {
            found.push(Difference::ForeignScript(payment.id));
        }
        let at = self.of_payment.get(&payment.index).cloned().unwrap_or_default();
        let coins: Vec<Coin> =
            at.iter().filter_map(|n| self.coins.get(*n)).map(|b| b.coin.clone()).collect();
        match status {
            Status::Completed { accepted, .. } => {
                let mined = coins.iter().filter(|coin| block_of(coin).is_some());
                let held = Amount::total(mined.map(|coin| coin.amount));
                let (id, amount) = (payment.id, accepted.unwrap_or(payment.required()));
                if held < amount {
                    found.push(Difference::CompletedWithoutCoins { payment: id, held, amount });
                }
                if payment.webhook_url.is_some() && !has_event {
                    found.push(Difference::MissingEvent(payment.id));
                }
            }
            Status::Pending | Status::Expired { .. } => {
                let due = self
                    .tip
                    .and_then(|tip| payment::completes(payment, *status, &coins, tip, self.trust));
                if due.is_some() {
                    found.push(Difference::NotCompleted(payment.id));
                }
            }
        }
        self.attributed.extend(at);
        self.issued.insert(payment.script.clone(), payment.id);
        self.next = self.next.max(payment.index.get().saturating_add(1));
        self.report.differences.extend(found);
    }

    /// Ends without the node's list, because node and database were at different tips.
    pub(crate) fn behind(mut self, node_height: u32) -> Report {
        let ours = self.tip.map_or(0, |tip| tip.height);
        self.report.differences.insert(0, Difference::Behind { ours, node: node_height });
        self.add_up()
    }

    /// Ends with the node's unspent outputs for all issued scripts and the [`LOOKAHEAD`]
    /// beyond them, read after the blocks that the facts include.
    pub(crate) fn finish(mut self, unspent: &[Unspent]) -> Report {
        let on_node: HashMap<OutPoint, &Unspent> =
            unspent.iter().map(|found| (found.outpoint, found)).collect();
        let mut recorded = HashSet::new();
        let mut differences = Vec::new();
        for LedgerCoin { coin, spent_height, .. } in &self.coins {
            let Some(block) = block_of(coin) else { continue };
            if spent_height.is_some_and(|height| height <= self.listed_to) {
                continue;
            }
            let (at, amount) = (coin.outpoint, coin.amount);
            recorded.insert(at);
            let may_be_missing = block.height > self.listed_to || spent_height.is_some();
            match on_node.get(&at) {
                None if may_be_missing => {}
                None => differences.push(Difference::NotOnNode { at, amount }),
                Some(found) if found.amount != amount || found.height != block.height => {
                    differences.push(Difference::OtherCoin {
                        at,
                        recorded: amount,
                        height: block.height,
                        amount: found.amount,
                        node_height: found.height,
                    });
                }
                Some(_) => {}
            }
        }
        for found in unspent.iter().filter(|found| !recorded.contains(&found.outpoint)) {
            let (at, amount, height) = (found.outpoint, found.amount, found.height);
            differences.push(match self.issued.get(&found.script) {
                Some(payment) => Difference::MissingCoin { payment: *payment, at, amount, height },
                None => Difference::Unattributed { index: self.index_ahead(found), at, amount },
            });
        }
        self.report.differences.extend(differences);
        self.add_up()
    }

    /// The unissued index whose address has this script.
    fn index_ahead(&self, found: &Unspent) -> u32 {
        let ahead = (self.next..).take(usize::try_from(LOOKAHEAD).unwrap_or(usize::MAX));
        let derives = |index: &u32| {
            DerivationIndex::new(*index).map(|index| self.xpub.script_at(index))
                == Some(found.script.clone())
        };
        // Then the gaps below: indexes that were skipped.
        ahead.chain((0..self.next).rev()).find(derives).unwrap_or(u32::MAX)
    }

    fn add_up(mut self) -> Report {
        let mut sweeps: HashMap<Txid, usize> = HashMap::new();
        for (n, version) in self.sweeps.iter().enumerate() {
            sweeps.insert(version.txid, n);
        }
        let coins: HashMap<OutPoint, &LedgerCoin> =
            self.coins.iter().map(|ledger| (ledger.coin.outpoint, ledger)).collect();
        let mut differences = Vec::new();
        for version in &self.sweeps {
            if let Some(what) = mismatch::of(version, &coins) {
                differences.push(Difference::BadSweep { txid: version.txid, what });
            }
            if version.block.is_some() {
                self.report.recognised.extend(version.recognised.then_some(version.txid));
                let paid = version.payouts.iter().map(|payout| payout.amount);
                add(&mut self.report.paid, Amount::total(paid));
                let taken = version.operator_fee();
                add(&mut self.report.fees, Amount::total([version.fee, taken]));
                add(&mut self.report.operator_fees, taken);
            }
        }
        for (n, LedgerCoin { coin, claim, spent_by, .. }) in self.coins.iter().enumerate() {
            let (at, amount) = (coin.outpoint, coin.amount);
            if !self.attributed.contains(&n) {
                differences.push(Difference::Orphan { at, amount });
            }
            if block_of(coin).is_none() {
                continue; // not received: not on the best chain
            }
            add(&mut self.report.received, amount);
            match (spent_by, claim) {
                (Some(by), _) if !sweeps.contains_key(by) => {
                    differences.push(Difference::SpentElsewhere { at, amount, by: *by });
                    add(&mut self.report.elsewhere, amount);
                }
                (Some(_), _) => {} // counted as paid and fee
                (None, Some(_)) => add(&mut self.report.in_flight, amount),
                (None, None) => add(&mut self.report.unswept, amount),
            }
        }
        self.report.differences.extend(differences);
        self.report
    }
}

fn add(sum: &mut Amount, more: Amount) {
    *sum = Amount::total([*sum, more]);
}

fn block_of(coin: &Coin) -> Option<BlockId> {
    match coin.place {
        Place::Block(block) => Some(block),
        Place::Mempool | Place::Removed => None,
    }
}

#[cfg(test)]
mod tests;
