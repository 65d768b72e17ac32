//! Webhook events and their delivery attempts.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

use super::keys::DerivationIndex;
use super::merchant::MerchantId;
use super::payment::PaymentId;
use super::time::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The payment became `completed`.
    Completed,
}

impl Kind {
    /// The name in the database and in lists.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Completed => "completed",
        }
    }
}

/// An event, stored in the transaction that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewEvent {
    pub(crate) id: String,
    pub(crate) index: DerivationIndex,
    pub(crate) kind: Kind,
    pub(crate) merchant: MerchantId,
    pub(crate) url: String,
    /// The exact body of every attempt.
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
}

/// The id that every attempt carries. It derives from payment and kind, so a restored database
/// repeats it and the merchant's deduplication works. It has no dot, because the signed text
/// is `id.timestamp.body`.
pub(crate) fn id_of(payment: PaymentId, kind: Kind) -> String {
    let text = [payment.as_bytes().as_slice(), kind.as_str().as_bytes()].concat();
    let hash = sha256::Hash::hash(&text).to_byte_array();
    format!("evt_{}", hash.get(..16).unwrap_or_default().to_lower_hex_string())
}

/// The delivery state of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Due { next_at: Timestamp },
    Delivered,
    Failed,
}

impl State {
    pub(crate) const WORDS: [&str; 3] = ["due", "delivered", "failed"];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Due { .. } => "due",
            State::Delivered => "delivered",
            State::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) payment: PaymentId,
    pub(crate) merchant: MerchantId,
    pub(crate) url: String,
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
    use super::*;

    #[test]
    fn an_event_id_derives_from_its_payment_and_has_no_dot() {
        let one = id_of(PaymentId::from_random([1; 16]), Kind::Completed);
        let two = id_of(PaymentId::from_random([2; 16]), Kind::Completed);
        assert_eq!(one, id_of(PaymentId::from_random([1; 16]), Kind::Completed));
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert!(!one.contains('.'));
    }
}
