//! The sweeper's notifications to the operator.

use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::Seen;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A payout address was seen for the first time.
    Seen,
    /// A change of the payout address was cancelled.
    Cancelled,
    /// The database contradicts the record, and a user must act.
    Refused,
}

impl Kind {
    /// The name in the notification's body.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Seen => "payout_address_seen",
            Kind::Cancelled => "payout_address_cancelled",
            Kind::Refused => "payout_address_refused",
        }
    }
}

/// A notification; its facts are in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Notification {
    pub(crate) merchant: MerchantId,
    /// The registration concerned.
    pub(crate) version: u32,
    pub(crate) kind: Kind,
}

/// The undelivered notifications of these registrations.
pub(super) fn of_addresses<'s>(
    merchant: MerchantId,
    seen: impl IntoIterator<Item = &'s Seen>,
) -> Vec<Notification> {
    let mut found = Vec::new();
    for known in seen {
        let of = |kind| Notification { merchant, version: known.version, kind };
        found.extend(known.unreported.seen.then(|| of(Kind::Seen)));
        found.extend(known.unreported.cancelled.then(|| of(Kind::Cancelled)));
    }
    found
}
