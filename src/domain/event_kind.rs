//! Kinds of payment events, and the sets that merchants ask for.

use std::fmt;

use bitcoin::Txid;
use bitcoin::hashes::Hash;

use crate::domain::pegout::PegoutId;

/// What happened to a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EventKind {
    /// The required amount is in sight for the first time.
    Seen,
    /// A coin was seen, and the required amount is not reached.
    PartlyPaid,
    /// The payment became `completed`.
    Completed,
    /// The payment became `expired`.
    Expired,
    /// A coin was first seen after the payment expired.
    Late,
    /// A counted coin no longer counts.
    Replaced,
}

impl EventKind {
    pub(crate) const ALL: [EventKind; 6] = [
        EventKind::Seen,
        EventKind::PartlyPaid,
        EventKind::Completed,
        EventKind::Expired,
        EventKind::Late,
        EventKind::Replaced,
    ];

    /// The name in the API, in webhooks and in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            EventKind::Seen => "seen",
            EventKind::PartlyPaid => "partly_paid",
            EventKind::Completed => "completed",
            EventKind::Expired => "expired",
            EventKind::Late => "late",
            EventKind::Replaced => "replaced",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<EventKind> {
        EventKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A set of event kinds beside `completed`, which is always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct EventKinds(u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a list of seen, partly_paid, expired, late and replaced")]
pub(crate) struct BadEventKinds;

impl EventKinds {
    pub(crate) const NONE: EventKinds = EventKinds(0);

    /// Parses names. `completed` may be among them, and changes nothing.
    ///
    /// # Errors
    /// If a name is unknown.
    pub(crate) fn parse<'n>(
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<EventKinds, BadEventKinds> {
        let mut kinds = EventKinds::NONE;
        for name in names {
            match EventKind::parse(name).ok_or(BadEventKinds)? {
                EventKind::Completed => {}
                kind => kinds.0 |= bit(kind),
            }
        }
        Ok(kinds)
    }

    /// Whether webhooks of this kind are sent.
    pub(crate) fn contains(self, kind: EventKind) -> bool {
        kind == EventKind::Completed || self.0 & bit(kind) != 0
    }

    pub(crate) fn is_empty(self) -> bool {
        self == EventKinds::NONE
    }

    /// The kinds beside `completed`.
    pub(crate) fn iter(self) -> impl Iterator<Item = EventKind> {
        EventKind::ALL.into_iter().filter(move |kind| self.0 & bit(*kind) != 0)
    }
}

/// The names, separated by commas.
impl fmt::Display for EventKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(EventKind::as_str).collect();
        f.write_str(&names.join(","))
    }
}

fn bit(kind: EventKind) -> u8 {
    match kind {
        EventKind::Seen => 1,
        EventKind::PartlyPaid => 2,
        EventKind::Completed => 4,
        EventKind::Expired => 8,
        EventKind::Late => 16,
        EventKind::Replaced => 32,
    }
}

/// What caused an event of a coin: a transaction, or a peg-out, which may move to another
/// transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cause {
    Transaction(Txid),
    Pegout(PegoutId),
}

impl Cause {
    /// The bytes from which the event's id derives.
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        match self {
            Cause::Transaction(txid) => txid.to_byte_array().to_vec(),
            Cause::Pegout(PegoutId { kernel, position }) => {
                [kernel.as_bytes().as_slice(), &position.to_be_bytes()].concat()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_kinds_is_parsed_and_printed() {
        #[track_caller]
        fn check(names: &[&str], expected: Option<&str>) {
            let parsed =
                EventKinds::parse(names.iter().copied()).ok().map(|kinds| kinds.to_string());
            assert_eq!(parsed.as_deref(), expected, "{names:?}");
        }
        check(&[], Some(""));
        check(&["completed"], Some(""));
        check(&["late", "seen", "late"], Some("seen,late"));
        check(
            &["replaced", "expired", "partly_paid", "late", "seen"],
            Some("seen,partly_paid,expired,late,replaced"),
        );
        check(&["paid"], None);
        check(&["Seen"], None);
        check(&[""], None);
    }

    #[test]
    fn completed_is_in_every_set() {
        assert!(EventKinds::NONE.contains(EventKind::Completed));
        let others = EventKind::ALL.into_iter().filter(|kind| EventKinds::NONE.contains(*kind));
        assert_eq!(others.count(), 1);
    }
}
