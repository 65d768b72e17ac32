//! The stored events of a payment at any moment of a history.

use super::*;
use crate::domain::event::{self, Event};
use crate::domain::event_kind::EventKind;
use crate::domain::payment::announcements;
use crate::store::pegouts;

/// Every event that the coins imply is stored, the status changes are reported once, and the
/// sequence has no gap.
pub(super) fn check(gateway: &Gateway, evaluated: &Evaluated, events: &[Event]) {
    let Evaluated { payment, status } = evaluated;
    let count = |kind| events.iter().filter(|event| event.kind == kind).count();
    let completed = matches!(status, Status::Completed { .. });
    assert_eq!(count(EventKind::Completed), usize::from(completed), "one for one completion");
    let expired = matches!(status, Status::Expired { .. });
    let reported = count(EventKind::Expired);
    assert!(reported <= 1 && (reported == 1 || !expired), "one for one expiry");
    for (at, event) in (1u64..).zip(events) {
        let body: serde_json::Value = serde_json::from_str(&event.body).expect("JSON");
        assert_eq!(body["sequence"], at, "in {events:?}");
        assert_eq!(body["event"], event.kind.as_str());
    }
    let index = payment.index;
    let coins = gateway.store.read_blocking(|tx| pegouts::coins_with_causes(tx, index));
    for implied in announcements(payment, *status, &coins.expect("read")) {
        let id = event::id_of(payment.id, implied.kind, Some(implied.cause));
        assert!(events.iter().any(|event| event.id == id), "{implied:?} is stored in {events:?}");
    }
}
