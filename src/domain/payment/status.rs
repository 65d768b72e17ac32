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
    Completed {
        at: Timestamp,
        late: bool,
        /// The sum that counted when the merchant accepted the payment as it was; `None` if
        /// the payment completed without that.
        accepted: Option<Amount>,
    },
    Expired {
        at: Timestamp,
        /// The merchant cancelled it, and it completes only if the merchant accepts it.
        cancelled: bool,
    },
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

impl Status {
    /// Coins of the payment that were first seen after this time are late.
    pub(super) fn deadline(self, payment: &Payment) -> Timestamp {
        match self {
            // No coin was seen before it was cancelled. A coin first seen in a block has the
            // block's time, which may be earlier.
            Status::Expired { cancelled: true, .. } => Timestamp::from_ms(i64::MIN),
            Status::Pending | Status::Completed { .. } | Status::Expired { .. } => {
                payment.expires_at
            }
        }
    }
}

/// The change of status that is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    Complete {
        late: bool,
    },
    /// The merchant accepts coins of this sum.
    Accept {
        late: bool,
        counted: Amount,
    },
    Expire,
    Cancel,
}

impl Transition {
    /// The status after the change.
    pub(crate) fn status(self, at: Timestamp) -> Status {
        match self {
            Transition::Complete { late } => Status::Completed { at, late, accepted: None },
            Transition::Accept { late, counted } => {
                Status::Completed { at, late, accepted: Some(counted) }
            }
            Transition::Expire => Status::Expired { at, cancelled: false },
            Transition::Cancel => Status::Expired { at, cancelled: true },
        }
    }
}

/// Whether the payment is complete: coins with their required confirmations, first seen before
/// the end of the grace period, reach the required amount. While trust is withheld, peg-outs do not
/// count.
pub(crate) fn completes(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    tip: BlockId,
    trust: Trust,
) -> Option<Transition> {
    match status {
        Status::Completed { .. } | Status::Expired { cancelled: true, .. } => return None,
        Status::Pending | Status::Expired { cancelled: false, .. } => {}
    }
    let required = payment.required();
    let confirmed_until = |end: Timestamp| {
        let counted = settled(payment, coins, tip, trust).filter(|c| c.seen_at <= end);
        Amount::total(counted.map(|c| c.amount))
    };
    // A price in another currency has to be reached at the rates of the coins, too.
    let is_worth_the_price = || {
        let counted = settled(payment, coins, tip, trust);
        let counted = counted.filter(|c| c.seen_at <= payment.late_until);
        let (deadline, tolerance) = (payment.expires_at, payment.tolerance);
        payment.price.as_ref().is_none_or(|price| price.is_covered(counted, deadline, tolerance))
    };
    if confirmed_until(payment.expires_at) >= required {
        // Money that was seen in time is never late, even if the payment expired in between (a
        // coin that was removed at the deadline and returned).
        Some(Transition::Complete { late: false })
    } else if confirmed_until(payment.late_until) >= required && is_worth_the_price() {
        Some(Transition::Complete { late: true })
    } else {
        None
    }
}

/// The coins with their required confirmations. While trust is withheld, peg-outs are not
/// among them.
fn settled<'c>(
    payment: &'c Payment,
    coins: &'c [Coin],
    tip: BlockId,
    trust: Trust,
) -> impl Iterator<Item = &'c Coin> {
    let confirmed = coins.iter().filter(move |c| payment.is_confirmed(c, Some(tip)));
    confirmed.filter(move |c| c.origin.is_trusted(trust))
}

/// A payment without a confirmed coin cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NothingConfirmed;

/// The change if the merchant accepts the payment as it is; `None` if it is completed already.
/// Only confirmed coins count, whenever they were seen.
///
/// # Errors
/// If no coin is confirmed. While trust is withheld, peg-outs do not count.
pub(crate) fn accepts(
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    tip: BlockId,
    trust: Trust,
) -> Result<Option<Transition>, NothingConfirmed> {
    if let Status::Completed { .. } = status {
        return Ok(None);
    }
    let counted: Vec<&Coin> = settled(payment, coins, tip, trust).collect();
    if counted.is_empty() {
        return Err(NothingConfirmed);
    }
    let deadline = status.deadline(payment);
    let late = counted.iter().any(|c| c.seen_at > deadline);
    let counted = Amount::total(counted.iter().map(|c| c.amount));
    Ok(Some(Transition::Accept { late, counted }))
}

/// Whether the payment expires: the deadline has passed, and the coins seen in time do not
/// reach the required amount. Requires proof that we are at the node's tip, including the mempool.
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
    let short = Amount::total(in_time.map(|c| c.amount)) < payment.required();
    (now > payment.expires_at && short).then_some(Transition::Expire)
}
