//! The stored status of a payment, and when it changes.

use crate::domain::amount::Amount;
use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::Trust;
use crate::domain::time::Timestamp;

use super::coin::Coin;
use super::request::Payment;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Completed { at: Timestamp, late: bool },
    Expired { at: Timestamp },
}

impl Status {
    /// The name in the API. There are only these three.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Status::Pending => "pending",
            Status::Completed { .. } => "completed",
            Status::Expired { .. } => "expired",
        }
    }
}

/// The change of status that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Complete { late: bool },
    Expire,
}

/// Whether the payment is complete: coins with their required confirmations, first seen before
/// the end of the grace period, reach the amount. While trust is withheld, peg-outs do not
/// count.
pub(crate) fn completes(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    tip: BlockId,
    trust: Trust,
) -> Option<Transition> {
    match status {
        Status::Completed { .. } => return None,
        Status::Pending | Status::Expired { .. } => {}
    }
    let confirmed_until = |end: Timestamp| {
        let confirmed = coins.iter().filter(|c| payment.is_confirmed(c, Some(tip)));
        let counted = confirmed.filter(|c| c.origin.is_trusted(trust));
        Amount::total(counted.filter(|c| c.seen_at <= end).map(|c| c.amount))
    };
    if confirmed_until(payment.expires_at) >= payment.amount {
        // Money that was seen in time is never late, even if the payment expired in between (a
        // coin that was removed at the deadline and returned).
        Some(Transition::Complete { late: false })
    } else if confirmed_until(payment.late_until) >= payment.amount {
        Some(Transition::Complete { late: true })
    } else {
        None
    }
}

/// Whether the payment expires: the deadline has passed, and the coins seen in time do not
/// reach the amount. Requires proof that we are at the node's tip, including the mempool.
pub(crate) fn expires(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    now: Timestamp,
    _at_tip: &AtTip,
) -> Option<Transition> {
    match status {
        Status::Completed { .. } | Status::Expired { .. } => return None,
        Status::Pending => {}
    }
    let in_time = coins.iter().filter(|c| c.counts() && c.seen_at <= payment.expires_at);
    let short = Amount::total(in_time.map(|c| c.amount)) < payment.amount;
    (now > payment.expires_at && short).then_some(Transition::Expire)
}
