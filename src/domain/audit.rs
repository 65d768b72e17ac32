//! Audit: reconciles the stored facts with each other and with the node's UTXO set.
//!
//! An [`Audit`] receives the stored facts, then the node's unspent outputs at the same tip,
//! and returns a [`Report`] that accounts for every litoshi. It repairs nothing.
//!
//! Must not know: how facts are stored, and how the node is queried.

mod misfit;

use std::collections::{HashMap, HashSet};

use bitcoin::{OutPoint, Script, ScriptBuf, Txid};

use super::amount::Amount;
use super::chain::BlockId;
use super::chain_guard::Trust;
use super::keys::{AccountXpub, DerivationIndex};
use super::ledger::{Account, Ledger};
use super::merchant::MerchantId;
use super::payment::{self, Coin, Payment, PaymentId, Place, Status};
use super::payout_address::Wait;
use super::sweep::transaction::Unsound;

/// How many addresses beyond the last issued one are checked.
pub(crate) const LOOKAHEAD: u32 = 1_000;

/// A coin with its claim and its spending transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerCoin {
    pub(crate) coin: Coin,
    /// The sweep that claims it.
    pub(crate) claim: Option<i64>,
    /// The transaction on the best chain that spent it.
    pub(crate) spent_by: Option<Txid>,
    /// The height of the spending block.
    pub(crate) spent_height: Option<u32>,
}

/// One signed version of a sweep, with its transaction decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerVersion {
    pub(crate) sweep: i64,
    pub(crate) abandoned: bool,
    /// It was recognised in a block, not created by this database.
    pub(crate) recognised: bool,
    pub(crate) txid: Txid,
    /// Whether its bytes are the transaction of its id. Otherwise inputs and outputs are
    /// empty.
    pub(crate) readable: bool,
    pub(crate) inputs: Vec<OutPoint>,
    pub(crate) outputs: Vec<(ScriptBuf, Amount)>,
    pub(crate) fee: Amount,
    pub(crate) payouts: Vec<LedgerPayout>,
    /// The block that contains it.
    pub(crate) block: Option<BlockId>,
}

/// One merchant's payout in a version of a sweep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerPayout {
    pub(crate) merchant: MerchantId,
    pub(crate) script: ScriptBuf,
    pub(crate) gross: Amount,
    pub(crate) operator_fee: Amount,
    pub(crate) amount: Amount,
}

impl LedgerVersion {
    /// The operator's fee of this version.
    fn operator_fee(&self) -> Amount {
        Amount::total(self.payouts.iter().map(|payout| payout.operator_fee))
    }
}

/// A payment with its status, and whether its completion event exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerPayment {
    pub(crate) payment: Payment,
    pub(crate) status: Status,
    pub(crate) has_event: bool,
}

/// An unspent output of the node's UTXO set (`scantxoutset`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unspent {
    pub(crate) outpoint: OutPoint,
    pub(crate) script: ScriptBuf,
    pub(crate) amount: Amount,
    pub(crate) height: u32,
}

/// A difference found by the audit; it displays as a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Difference {
    #[error(
        "the database is at block {ours}, the node at block {node}: is the watcher running? The coins were not compared with the node"
    )]
    Behind { ours: u32, node: u32 },
    #[error(
        "payment {payment}: the node has an unspent coin {at} of {amount} LTC that is not recorded; rescan from height {height}"
    )]
    MissingCoin { payment: PaymentId, at: OutPoint, amount: Amount, height: u32 },
    #[error(
        "unattributed: {amount} LTC at {at} pay address {index}, which was never issued; a rescan does not help, look for a lost database"
    )]
    Unattributed { index: u32, at: OutPoint, amount: Amount },
    #[error("coin {at} of {amount} LTC is recorded as unspent, but the node has no such coin")]
    NotOnNode { at: OutPoint, amount: Amount },
    #[error(
        "coin {at} is recorded with {recorded} LTC in block {height}, but the node reports {amount} LTC in block {node_height}"
    )]
    OtherCoin { at: OutPoint, recorded: Amount, height: u32, amount: Amount, node_height: u32 },
    #[error("coin {at} of {amount} LTC belongs to no payment")]
    Orphan { at: OutPoint, amount: Amount },
    #[error(
        "coin {at} of {amount} LTC was spent by {by}, which is not a sweep of this gateway: is the key in use elsewhere?"
    )]
    SpentElsewhere { at: OutPoint, amount: Amount, by: Txid },
    #[error("payment {0}: its stored script differs from the one that the account key derives")]
    ForeignScript(PaymentId),
    #[error(
        "payment {payment}: this gateway never issued its index {index}; another program wrote to the database, and the payment is ignored"
    )]
    Stray { payment: PaymentId, index: u32 },
    #[error("the payment at index {index} cannot be read, and is ignored: {why}")]
    Unreadable { index: i64, why: String },
    #[error("row {row} of the table {table} is not used: {why}")]
    Unverified { table: &'static str, row: String, why: &'static str },
    #[error("payment {payment} is completed, but the best chain holds {held} LTC of {amount} LTC")]
    CompletedWithoutCoins { payment: PaymentId, held: Amount, amount: Amount },
    #[error("payment {0} should be completed")]
    NotCompleted(PaymentId),
    #[error("payment {0} is completed, but its webhook event is missing")]
    MissingEvent(PaymentId),
    #[error(
        "the accounts of merchant {0} do not balance: sweeps spent more or less than they paid"
    )]
    Unbalanced(MerchantId),
    #[error("the merchants' accounts do not add up to the sums above: {0}")]
    AccountsDisagree(&'static str),
    #[error("the stored sums of merchant {0} differ from its coins, payouts and payments; rescan")]
    KeptSums(MerchantId),
    #[error("the table of in-flight sweeps is inconsistent; rescan")]
    KeptSweeps,
    #[error("the stored numbers of payments by status, which the metrics show, are wrong; rescan")]
    KeptCounts,
    #[error("sweep {txid}: its bytes, its plan and its coins do not match: {what}")]
    BadSweep { txid: Txid, what: &'static str },
    #[error(
        "sweep {txid}: its stored bytes are damaged: {what}. The running sweeper signs it again if the signing key is here"
    )]
    DamagedSweep { txid: Txid, what: Unsound },
    #[error(
        "payouts of merchant {merchant} wait until the address is registered again or cancelled: {wait}"
    )]
    PayoutAddress { merchant: MerchantId, wait: Wait },
    /// The first row of the audit log that breaks the hash chain, as a sentence.
    #[error("{0}: find out who can write into the database, and compare with a backup")]
    AuditLog(String),
}

impl Difference {
    /// The stable identifier of the kind, for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Difference::Behind { .. } => "behind",
            Difference::MissingCoin { .. } => "missing_coin",
            Difference::Unattributed { .. } => "unattributed",
            Difference::NotOnNode { .. } => "not_on_node",
            Difference::OtherCoin { .. } => "other_coin",
            Difference::Orphan { .. } => "orphan_coin",
            Difference::SpentElsewhere { .. } => "spent_elsewhere",
            Difference::ForeignScript(_) => "foreign_script",
            Difference::Stray { .. } => "stray_payment",
            Difference::Unreadable { .. } => "unreadable_payment",
            Difference::Unverified { .. } => "unverified_row",
            Difference::CompletedWithoutCoins { .. } => "completed_without_coins",
            Difference::NotCompleted(_) => "not_completed",
            Difference::MissingEvent(_) => "missing_event",
            Difference::Unbalanced(_) => "unbalanced",
            Difference::AccountsDisagree(_) => "accounts_disagree",
            Difference::KeptSums(_) => "kept_sums",
            Difference::KeptSweeps => "kept_sweeps",
            Difference::KeptCounts => "kept_counts",
            Difference::BadSweep { .. } => "bad_sweep",
            Difference::DamagedSweep { .. } => "damaged_sweep",
            Difference::PayoutAddress { .. } => "payout_address",
            Difference::AuditLog(_) => "audit_log",
        }
    }
}

/// The result of an audit. `received` is the sum of all coins that the best chain holds or
/// held for our addresses; it equals the sum of the other amounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) received: Amount,
    /// Paid to merchants by mined sweeps.
    pub(crate) paid: Amount,
    /// Fees of mined sweeps: network and operator.
    pub(crate) fees: Amount,
    /// The operator's part of `fees`.
    pub(crate) operator_fees: Amount,
    /// Claimed by sweeps that are not mined yet.
    pub(crate) in_flight: Amount,
    pub(crate) unswept: Amount,
    /// Spent by transactions that are not our sweeps.
    pub(crate) elsewhere: Amount,
    /// Mined sweeps that this database did not create and that follow our rules. Not a
    /// difference, but shown to the operator.
    pub(crate) recognised: Vec<Txid>,
    pub(crate) differences: Vec<Difference>,
}

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

/// An unfinished audit.
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
    /// The payment of each issued script.
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
    /// Starts with the coins and sweeps at `tip`.
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
            Status::Completed { .. } => {
                let mined = coins.iter().filter(|coin| block_of(coin).is_some());
                let held = Amount::total(mined.map(|coin| coin.amount));
                let (id, amount) = (payment.id, payment.amount);
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
            if let Some(what) = misfit::of(version, &coins) {
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

impl Report {
    /// Compares the sums with the merchants' accounts.
    pub(crate) fn compare_accounts(&mut self, ledgers: &[(MerchantId, Ledger)]) {
        for (merchant, ledger) in ledgers {
            if !ledger.is_balanced() {
                self.differences.push(Difference::Unbalanced(*merchant));
            }
        }
        let total =
            |account| Amount::total(ledgers.iter().map(|(_, ledger)| ledger.balance(account)));
        let fees = Amount::total([total(Account::NetworkFees), total(Account::OperatorFees)]);
        let compared = [
            ("received", total(Account::Chain), self.received),
            ("paid out", total(Account::Paid), self.paid),
            ("fees", fees, self.fees),
            ("in flight", total(Account::InFlight), self.in_flight),
            ("unswept", total(Account::Unswept), self.unswept),
            ("spent elsewhere", total(Account::Elsewhere), self.elsewhere),
        ];
        for (name, accounts, ledger_report) in compared {
            if accounts != ledger_report {
                self.differences.push(Difference::AccountsDisagree(name));
            }
        }
    }

    /// Whether the audit found no difference.
    pub(crate) fn is_clean(&self) -> bool {
        self.differences.is_empty()
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
