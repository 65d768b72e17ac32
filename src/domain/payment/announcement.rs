//! The events that follow from a payment's coins.
//!
//! They derive from the coins as they are, not from what changed. Those that are stored already
//! have the same ids.

use std::collections::BTreeMap;

use bitcoin::Txid;

use crate::domain::amount::Amount;
use crate::domain::event_kind::{Cause, EventKind};
use crate::domain::time::Timestamp;

use super::coin::Coin;
use super::request::Payment;
use super::status::Status;

/// A coin, and what caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CausedCoin {
    pub(crate) coin: Coin,
    pub(crate) cause: Cause,
}

/// An event that follows from coins of one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Announcement {
    pub(crate) kind: EventKind,
    pub(crate) cause: Cause,
    /// The transaction that has the coins.
    pub(crate) txid: Txid,
}

/// The coins of one cause.
struct Group {
    txid: Txid,
    seen_at: Timestamp,
    counted: Amount,
    counts: bool,
}

/// The events that these coins of a payment imply, in their order. Those of removed coins come
/// first.
pub(crate) fn announcements(
    payment: &Payment,
    status: Status,
    coins: &[CausedCoin],
) -> Vec<Announcement> {
    let mut groups: BTreeMap<Cause, Group> = BTreeMap::new();
    for CausedCoin { coin, cause } in coins {
        let group = groups.entry(*cause).or_insert(Group {
            txid: coin.outpoint.txid,
            seen_at: coin.seen_at,
            counted: Amount::ZERO,
            counts: false,
        });
        group.seen_at = group.seen_at.min(coin.seen_at);
        if coin.counts() {
            group.txid = coin.outpoint.txid;
            group.counts = true;
            group.counted = Amount::total([group.counted, coin.amount]);
        }
    }
    let (counting, removed): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, group)| group.counts);
    let replaced = removed.into_iter().map(|(cause, group)| Announcement {
        kind: EventKind::Replaced,
        cause,
        txid: group.txid,
    });
    let mut found: Vec<Announcement> = replaced.collect();
    let mut counting = counting;
    counting.sort_by_key(|(cause, group)| (group.seen_at, *cause));
    let (deadline, required) = (status.deadline(payment), payment.required());
    let mut sum = Amount::ZERO;
    for (cause, group) in counting {
        let before = sum;
        sum = Amount::total([sum, group.counted]);
        let kind = match status {
            _ if group.seen_at > deadline => Some(EventKind::Late),
            Status::Completed { .. } => None,
            Status::Pending | Status::Expired { .. } if before >= required => None,
            Status::Pending | Status::Expired { .. } if sum >= required => Some(EventKind::Seen),
            Status::Pending | Status::Expired { .. } => Some(EventKind::PartlyPaid),
        };
        found.extend(kind.map(|kind| Announcement { kind, cause, txid: group.txid }));
    }
    found
}
