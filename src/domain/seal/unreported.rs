//! The undelivered notifications of the record.
//!
//! A notification is undelivered while its mark is in the sweeper's record, next to the fact
//! that it reports. Both become durable in one write, and no queue can outgrow the record.

use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::{Seen, Wait};
use crate::domain::time::Timestamp;

use super::notification::{Kind, Notification, of_addresses};
use super::record::{Record, Refused};

impl Record {
    /// All undelivered notifications.
    pub(crate) fn unreported(&self) -> impl Iterator<Item = Notification> + '_ {
        let addresses = self.addresses.iter().flat_map(|(merchant, seen)| {
            of_addresses(*merchant, seen.iter().filter(|known| known.unreported.any()))
        });
        let refused = self.refused.iter().filter(|(_, refused)| refused.unreported);
        let kind = Kind::Refused;
        addresses.chain(refused.map(move |(merchant, refused)| Notification {
            merchant: *merchant,
            version: refused.version,
            kind,
        }))
    }

    /// The notification to try next: the one after the last tried, so that one which its
    /// receiver refuses does not block the others.
    pub(crate) fn next_unreported(&self, last: Option<Notification>) -> Option<Notification> {
        let following = self.unreported().filter(|one| Some(*one) > last).min();
        following.or_else(|| self.unreported().min())
    }

    /// Marks a notification as delivered.
    pub(crate) fn mark_reported(&mut self, done: Notification) {
        let Notification { merchant, version, kind } = done;
        let seen = self.addresses.get_mut(&merchant).into_iter().flatten();
        let of_version = |known: &&mut Seen| known.version == version;
        match kind {
            Kind::Seen => {
                seen.filter(of_version).for_each(|known| known.unreported.seen = false);
            }
            Kind::Cancelled => {
                seen.filter(of_version).for_each(|known| known.unreported.cancelled = false);
            }
            Kind::Refused => {
                if let Some(refused) = self.refused.get_mut(&merchant)
                    && refused.version == version
                {
                    refused.unreported = false;
                }
            }
        }
    }

    /// The registration that a notification concerns.
    pub(crate) fn seen(&self, merchant: MerchantId, version: u32) -> Option<&Seen> {
        self.addresses.get(&merchant)?.iter().find(|known| known.version == version)
    }

    /// Records that a merchant's address is refused, or no longer is. Returns whether the
    /// record changed.
    pub(crate) fn note_refusal(
        &mut self,
        merchant: MerchantId,
        wait: Option<Wait>,
        now: Timestamp,
    ) -> bool {
        let Some(Wait { version, reason, .. }) = wait.filter(|wait| !wait.reason.heals_alone())
        else {
            return self.refused.remove(&merchant).is_some();
        };
        let known = self.refused.get(&merchant);
        if known.is_some_and(|known| (known.version, known.reason) == (version, reason)) {
            return false;
        }
        let refused = Refused { version, reason, since: now, unreported: true };
        self.refused.insert(merchant, refused);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::payout_address::{Reason, Unreported};
    use bitcoin::ScriptBuf;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn seen(version: u32, unreported: Unreported) -> Seen {
        Seen {
            version,
            script: ScriptBuf::new(),
            registered_at: at(1),
            effective_at: at(1),
            first_seen_at: at(2),
            first_seen_chain: None,
            backdated: false,
            was_in_force: false,
            cancelled: unreported.cancelled,
            unreported,
        }
    }

    /// A record of two merchants with three notifications, and a refusal.
    fn record() -> Record {
        let (new, both) = (
            Unreported { seen: true, cancelled: false },
            Unreported { seen: true, cancelled: true },
        );
        let first = vec![seen(1, Unreported::default()), seen(2, both)];
        let addresses =
            [(MerchantId::from_random(1), first), (MerchantId::from_random(2), vec![seen(1, new)])];
        let mut record = Record { addresses: addresses.into(), ..Record::default() };
        let (reason, version) = (Reason::Missing, 2);
        let wait = Wait { reason, version, newest_known: 2, until: None };
        assert!(record.note_refusal(MerchantId::from_random(1), Some(wait), at(3)));
        record
    }

    #[test]
    fn each_notification_is_tried_in_turn() {
        let mut record = record();
        let (mut last, mut tried) = (None, Vec::new());
        for _ in 0..5 {
            last = record.next_unreported(last);
            tried.extend(last);
        }
        assert_eq!(tried[4], tried[0], "in a circle");
        tried.truncate(4);
        let kinds: Vec<Kind> = tried.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::Seen, Kind::Cancelled, Kind::Refused, Kind::Seen]);
        for (left, one) in (0..4).rev().zip(tried) {
            record.mark_reported(one);
            assert_eq!(record.unreported().count(), left, "{one:?}");
        }
        assert_eq!(record.next_unreported(last), None);
    }

    #[test]
    fn a_refusal_is_reported_once_for_each_reason() {
        let (mut record, merchant) = (record(), MerchantId::from_random(1));
        let wait = |reason| Some(Wait { reason, version: 2, newest_known: 2, until: None });
        assert!(!record.note_refusal(merchant, wait(Reason::Missing), at(9)), "as before");
        assert!(record.note_refusal(merchant, wait(Reason::Changed), at(9)));
        assert_eq!(record.refused[&merchant].since, at(9));
        assert!(record.note_refusal(merchant, wait(Reason::Clock), at(9)), "no person is needed");
        assert!(!record.note_refusal(merchant, None, at(9)));
        assert!(record.refused.is_empty());
    }
}
