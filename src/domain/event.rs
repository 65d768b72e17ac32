//! Webhook events and their delivery attempts.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

use super::event_kind::{Cause, EventKind};
use super::keys::DerivationIndex;
use super::merchant::MerchantId;
use super::payment::PaymentId;
use super::time::Timestamp;

/// An event, stored in the transaction that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEvent {
    pub(crate) id: String,
    pub(crate) index: DerivationIndex,
    pub(crate) kind: EventKind,
    pub(crate) merchant: MerchantId,
    /// Its number among the payment's events, from 1.
    pub(crate) sequence: u32,
    /// Where it is sent; `None` if the merchant asked for no webhook of it.
    pub(crate) url: Option<String>,
    /// The exact body of every attempt.
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
}

/// The id that every attempt carries. It derives from payment, kind and cause, so a restored
/// database repeats it and the merchant's deduplication works. It has no dot, because the
/// signed text is `id.timestamp.body`.
pub(crate) fn id_of(payment: PaymentId, kind: EventKind, cause: Option<Cause>) -> String {
    let cause = cause.map(Cause::to_bytes).unwrap_or_default();
    let text = [payment.as_bytes().as_slice(), kind.as_str().as_bytes(), &cause].concat();
    let hash = sha256::Hash::hash(&text).to_byte_array();
    format!("evt_{}", hash.get(..16).unwrap_or_default().to_lower_hex_string())
}

/// The delivery state of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Due {
        next_at: Timestamp,
    },
    Delivered,
    Failed,
    /// The merchant asked for no webhook of it.
    Unsent,
}

impl State {
    pub(crate) const WORDS: [&str; 3] = ["due", "delivered", "failed"];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Due { .. } => "due",
            State::Delivered => "delivered",
            State::Failed => "failed",
            State::Unsent => "none",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) payment: PaymentId,
    pub(crate) kind: EventKind,
    pub(crate) merchant: MerchantId,
    pub(crate) url: Option<String>,
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
    pub(crate) state: State,
    pub(crate) attempts: u32,
    /// Attempts before the event was last resent manually; they do not count towards giving
    /// up.
    pub(crate) attempts_before: u32,
}

/// One delivery attempt of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    pub(crate) number: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) duration_ms: u32,
    pub(crate) http_status: Option<u16>,
    /// The outcome, as a word or a short sentence.
    pub(crate) outcome: String,
    /// The start of the response, control characters escaped; at most 256 characters.
    pub(crate) answer: String,
}

#[cfg(test)]
mod tests {
    use bitcoin::Txid;

    use super::*;

    #[test]
    fn an_event_id_derives_from_its_payment_and_has_no_dot() {
        let payment = |n| PaymentId::from_random([n; 16]);
        let cause = |n| Some(Cause::Transaction(Txid::from_byte_array([n; 32])));
        let one = id_of(payment(1), EventKind::Completed, None);
        assert_eq!(one, id_of(payment(1), EventKind::Completed, None));
        let others = [
            id_of(payment(2), EventKind::Completed, None),
            id_of(payment(1), EventKind::Late, None),
            id_of(payment(1), EventKind::Late, cause(1)),
            id_of(payment(1), EventKind::Late, cause(2)),
        ];
        let distinct: std::collections::HashSet<&String> = others.iter().chain([&one]).collect();
        assert_eq!(distinct.len(), 5);
        assert_eq!(one.len(), 36);
        assert!(!one.contains('.'));
    }
}
