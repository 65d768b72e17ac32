//! The state of the checkout, finer than the status.

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
    Expired,
    Late,
}

impl Detail {
    pub(crate) const ALL: [Detail; 9] = [
        Detail::Waiting,
        Detail::PartlyPaid,
        Detail::Seen,
        Detail::Confirming,
        Detail::Replaced,
        Detail::Paid,
        Detail::Overpaid,
        Detail::Expired,
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
            Detail::Expired => "expired",
            Detail::Late => "late",
        }
    }
}

impl Detail {
    /// Whether the shopper has to send money, so that address and QR code are shown.
    pub(crate) fn asks_for_money(self) -> bool {
        match self {
            Detail::Waiting | Detail::PartlyPaid | Detail::Replaced => true,
            Detail::Seen
            | Detail::Confirming
            | Detail::Paid
            | Detail::Overpaid
            | Detail::Expired
            | Detail::Late => false,
        }
    }
}

/// The state of the checkout for these facts.
pub(crate) fn detail(payment: &Payment, status: Status, assessment: &Assessment) -> Detail {
    match status {
        Status::Completed { .. } if assessment.seen > payment.amount => Detail::Overpaid,
        Status::Completed { .. } => Detail::Paid,
        Status::Expired { .. } if assessment.late => Detail::Late,
        Status::Expired { .. } => Detail::Expired,
        Status::Pending if assessment.replaced => Detail::Replaced,
        Status::Pending if assessment.seen.is_zero() => Detail::Waiting,
        Status::Pending if !assessment.due.is_zero() => Detail::PartlyPaid,
        Status::Pending if assessment.confirmations == 0 => Detail::Seen,
        Status::Pending => Detail::Confirming,
    }
}
