//! The state of the checkout, finer than the status.

use crate::domain::amount::Amount;

use super::assessment::Assessment;
use super::request::Payment;
use super::status::Status;

/// The state of the checkout, finer than [`Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Waiting,
    PartlyPaid,
    Seen,
    Confirming,
    Replaced,
    Paid,
    Overpaid,
    PaidShort,
    Accepted,
    Expired,
    Cancelled,
    Late,
}

impl Detail {
    pub(crate) const ALL: [Detail; 12] = [
        Detail::Waiting,
        Detail::PartlyPaid,
        Detail::Seen,
        Detail::Confirming,
        Detail::Replaced,
        Detail::Paid,
        Detail::Overpaid,
        Detail::PaidShort,
        Detail::Accepted,
        Detail::Expired,
        Detail::Cancelled,
        Detail::Late,
    ];

    /// The value of the API's `detail`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Detail::Waiting => "waiting",
            Detail::PartlyPaid => "partly_paid",
            Detail::Seen => "seen",
            Detail::Confirming => "confirming",
            Detail::Replaced => "replaced",
            Detail::Paid => "paid",
            Detail::Overpaid => "overpaid",
            Detail::PaidShort => "paid_short",
            Detail::Accepted => "accepted",
            Detail::Expired => "expired",
            Detail::Cancelled => "cancelled",
            Detail::Late => "late",
        }
    }
}

impl Detail {
    /// Whether the payment is completed.
    pub(crate) fn is_final(self) -> bool {
        match self {
            Detail::Paid | Detail::Overpaid | Detail::PaidShort | Detail::Accepted => true,
            Detail::Waiting
            | Detail::PartlyPaid
            | Detail::Seen
            | Detail::Confirming
            | Detail::Replaced
            | Detail::Expired
            | Detail::Cancelled
            | Detail::Late => false,
        }
    }

    /// Whether the shopper has to send money, so that address and QR code are shown.
    pub(crate) fn asks_for_money(self) -> bool {
        match self {
            Detail::Waiting | Detail::PartlyPaid | Detail::Replaced => true,
            Detail::Seen
            | Detail::Confirming
            | Detail::Paid
            | Detail::Overpaid
            | Detail::PaidShort
            | Detail::Accepted
            | Detail::Expired
            | Detail::Cancelled
            | Detail::Late => false,
        }
    }
}

/// The part of the amount that a completed payment lacks. A payment whose coins left the chain
/// after its completion lacks nothing: the operator is alerted.
pub(crate) fn short(payment: &Payment, status: Status, assessment: &Assessment) -> Amount {
    let paid = match status {
        Status::Completed { accepted: Some(counted), .. } => counted.max(assessment.seen),
        Status::Completed { accepted: None, .. } if assessment.seen >= payment.required() => {
            assessment.seen
        }
        Status::Completed { .. } | Status::Pending | Status::Expired { .. } => payment.amount,
    };
    payment.amount.saturating_sub(paid)
}

/// The state of the checkout for these facts.
pub(crate) fn detail(payment: &Payment, status: Status, assessment: &Assessment) -> Detail {
    match status {
        Status::Completed { accepted: Some(_), .. } => Detail::Accepted,
        Status::Completed { .. } if assessment.seen > payment.amount => Detail::Overpaid,
        Status::Completed { .. } if !short(payment, status, assessment).is_zero() => {
            Detail::PaidShort
        }
        Status::Completed { .. } => Detail::Paid,
        Status::Expired { cancelled: true, .. } if assessment.seen.is_zero() => Detail::Cancelled,
        Status::Expired { cancelled: true, .. } => Detail::Late,
        Status::Expired { .. } if assessment.late => Detail::Late,
        Status::Expired { .. } => Detail::Expired,
        Status::Pending if assessment.replaced => Detail::Replaced,
        Status::Pending if assessment.seen.is_zero() => Detail::Waiting,
        Status::Pending if !assessment.due.is_zero() => Detail::PartlyPaid,
        Status::Pending if assessment.confirmations == 0 => Detail::Seen,
        Status::Pending => Detail::Confirming,
    }
}
