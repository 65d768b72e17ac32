//! First start: whether the account was used before this database existed. No address is
//! issued until that is known, because an address of an earlier payment must not be issued
//! again.

use crate::domain::time::Timestamp;
use crate::store::identity::{self, Mark};
use crate::store::{Error, ReadTx, WriteTx, audit_log, blocks};

use super::actor::{Actor, gateway_entry};

/// The node listed the account's unspent outputs, and the used indexes were skipped.
const SCANNED: &str = "scanned";

/// The node refused to list them.
const REFUSED: &str = "refused";

/// The operator stated that the account was never used.
const ASSUMED_UNUSED: &str = "assumed unused";

/// The operation's name in the audit log.
const ACT: &str = "assume_unused_account";

/// The reason and the remedy, for operators.
pub(crate) const UNANSWERED: &str = "no address is issued until the node has reported whether the account was used before: allow scantxoutset on the node (rpcwhitelist), or, if the account was never used, start once with litegate serve --assume-unused-account";

/// Whether addresses may be issued.
pub(crate) fn is_answered(tx: &ReadTx) -> Result<bool, Error> {
    match identity::get(tx, Mark::AccountScan)? {
        Some(answer) => Ok(answer != REFUSED),
        // An earlier version scanned before its first block and did not store the answer.
        None => Ok(blocks::tip(tx)?.is_some()),
    }
}

/// Records that the node has answered, in the write that skips the used indexes.
pub(crate) fn record_answer(tx: &WriteTx) -> Result<(), Error> {
    identity::replace(tx, Mark::AccountScan, SCANNED)
}

/// Records that the node refused to answer, before the first block is stored.
pub(crate) fn record_refusal(tx: &WriteTx) -> Result<(), Error> {
    identity::replace(tx, Mark::AccountScan, REFUSED)
}

/// Records the operator's statement that the account was never used, unless the node has
/// answered already. Returns whether the statement was needed.
pub(crate) fn assume_unused(tx: &WriteTx, actor: &Actor, now: Timestamp) -> Result<bool, Error> {
    if is_answered(tx)? {
        return Ok(false);
    }
    identity::replace(tx, Mark::AccountScan, ASSUMED_UNUSED)?;
    audit_log::append(tx, &gateway_entry(actor, now, ACT, (None, None)))?;
    Ok(true)
}
