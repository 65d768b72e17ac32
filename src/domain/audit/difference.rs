//! Differences that an audit can find.

use bitcoin::{OutPoint, Txid};

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::domain::payout_address::Wait;
use crate::domain::sweep::transaction::Unsound;

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
