//! Notices: what people are told without having asked, kind by kind.
//!
//! A kind says who is told and whether it is told by default. What a notice says, and when there is
//! one, is decided by the act that derives notices from the stored facts.

use std::str::FromStr;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    FirstPayment,
    Paid,
    PartPaid,
    LatePayment,
    WebhookFailing,
    WebhookFailed,
    PayoutSent,
    PayoutStuck,
    AddressChange,
    KeyRotated,
    Subscription,
    Node,
    SweepStuck,
    PaymentLost,
    ChainGuard,
    Disk,
    Zmq,
    Fee,
    HotMoney,
    Audit,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    Merchant,
    Admins,
}

impl Kind {
    pub(crate) const ALL: [Kind; 20] = [
        Kind::FirstPayment,
        Kind::Paid,
        Kind::PartPaid,
        Kind::LatePayment,
        Kind::WebhookFailing,
        Kind::WebhookFailed,
        Kind::PayoutSent,
        Kind::PayoutStuck,
        Kind::AddressChange,
        Kind::KeyRotated,
        Kind::Subscription,
        Kind::Node,
        Kind::SweepStuck,
        Kind::PaymentLost,
        Kind::ChainGuard,
        Kind::Disk,
        Kind::Zmq,
        Kind::Fee,
        Kind::HotMoney,
        Kind::Audit,
    ];

    /// The word in the database, in the configuration and in commands.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::FirstPayment => "first_payment",
            Kind::Paid => "paid",
            Kind::PartPaid => "part_paid",
            Kind::LatePayment => "late_payment",
            Kind::WebhookFailing => "webhook_failing",
            Kind::WebhookFailed => "webhook_failed",
            Kind::PayoutSent => "payout_sent",
            Kind::PayoutStuck => "payout_stuck",
            Kind::AddressChange => "address_change",
            Kind::KeyRotated => "key_rotated",
            Kind::Subscription => "subscription",
            Kind::Node => "node",
            Kind::SweepStuck => "sweep_stuck",
            Kind::PaymentLost => "payment_lost",
            Kind::ChainGuard => "chain_suspect",
            Kind::Disk => "disk",
            Kind::Zmq => "zmq",
            Kind::Fee => "fee",
            Kind::HotMoney => "hot_money",
            Kind::Audit => "audit",
        }
    }

    /// The kind for people who choose what they are told.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Kind::FirstPayment => "Your first payment is complete",
            Kind::Paid => "A payment is complete (each one)",
            Kind::PartPaid => "A payment ran out with only a part of it paid",
            Kind::LatePayment => "Money came after a payment's time was up",
            Kind::WebhookFailing => "A webhook has failed five times",
            Kind::WebhookFailed => "A webhook was given up",
            Kind::PayoutSent => "A payout is on its way",
            Kind::PayoutStuck => "A payout takes long to confirm",
            Kind::AddressChange => {
                "Your payout address changes, changed, or the change is cancelled"
            }
            Kind::KeyRotated => "Your API key or webhook secret was replaced",
            Kind::Subscription => "Your subscription ends in 7, 3, 1 days, and when it has ended",
            Kind::Node => "The node is down or behind, and back",
            Kind::SweepStuck => "A sweep takes long to confirm, or payouts of a merchant wait",
            Kind::PaymentLost => "A completed payment has lost its coins",
            Kind::ChainGuard => "The chain guard is active",
            Kind::Disk => "The disk is nearly full",
            Kind::Zmq => "The node's ZMQ is silent, and back",
            Kind::Fee => "Coins wait because the fee would be too high",
            Kind::HotMoney => "Too much waits for payout under the key on this machine",
            Kind::Audit => "The audit found a difference, and finds none again",
        }
    }

    pub(crate) fn audience(self) -> Audience {
        match self {
            Kind::FirstPayment
            | Kind::Paid
            | Kind::PartPaid
            | Kind::LatePayment
            | Kind::WebhookFailing
            | Kind::WebhookFailed
            | Kind::PayoutSent
            | Kind::PayoutStuck
            | Kind::AddressChange
            | Kind::KeyRotated
            | Kind::Subscription => Audience::Merchant,
            Kind::Node
            | Kind::SweepStuck
            | Kind::PaymentLost
            | Kind::ChainGuard
            | Kind::Disk
            | Kind::Zmq
            | Kind::Fee
            | Kind::HotMoney
            | Kind::Audit => Audience::Admins,
        }
    }

    /// How those are told who have not chosen. A busy shop does not want to hear of every payment.
    pub(crate) fn usual_way(self) -> Way {
        if self == Kind::Paid { Way::Off } else { Way::Message }
    }
}

/// How a merchant is told of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By direct message.
    Message,
    /// A channel says that something waits, and `/notifications` what.
    Channel,
    Off,
}

impl Way {
    pub(crate) const ALL: [Way; 3] = [Way::Message, Way::Channel, Way::Off];

    /// The word on the command line and in the audit log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Way::Message => "message",
            Way::Channel => "channel",
            Way::Off => "off",
        }
    }
}

/// The text names no way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be message, channel or off")]
pub(crate) struct BadWay;

impl FromStr for Way {
    type Err = BadWay;

    fn from_str(text: &str) -> Result<Way, BadWay> {
        Way::ALL.into_iter().find(|way| way.as_str() == text).ok_or(BadWay)
    }
}

/// The text names no kind of notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a kind of notification")]
pub(crate) struct BadKind;

impl FromStr for Kind {
    type Err = BadKind;

    fn from_str(text: &str) -> Result<Kind, BadKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(BadKind)
    }
}

/// How many days before its end a subscription's owner is reminded, the last first.
pub(crate) const REMINDER_DAYS: [u32; 3] = [1, 3, 7];

/// The reminder that is due when `left_ms` milliseconds are left: the nearest one whose time has
/// come. `granted_left_ms` is what was left just after the last grant: whoever got two days
/// yesterday needs no reminder of the seventh day before the end.
pub(crate) fn reminder_due(left_ms: i64, granted_left_ms: i64) -> Option<u32> {
    if left_ms <= 0 {
        return None;
    }
    let in_ms = |days: u32| i64::from(days).saturating_mul(super::time::DAY_MS);
    let nearest = REMINDER_DAYS.into_iter().find(|days| left_ms <= in_ms(*days))?;
    (granted_left_ms > in_ms(nearest)).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY_MS;

    #[test]
    fn every_notification_kind_parses_from_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("everything".parse::<Kind>(), Err(BadKind));
        for way in Way::ALL {
            assert_eq!(way.as_str().parse(), Ok(way));
        }
        assert_eq!("on".parse::<Way>(), Err(BadWay));
    }

    #[test]
    fn reminders_come_seven_three_and_one_days_before_the_end() {
        #[track_caller]
        fn check(left_days: i64, granted_days: i64, expected: Option<u32>) {
            assert_eq!(reminder_due(left_days * DAY_MS, granted_days * DAY_MS), expected);
        }
        check(8, 30, None);
        check(7, 30, Some(7));
        check(4, 30, Some(7));
        check(3, 30, Some(3));
        check(1, 30, Some(1));
        check(0, 30, None);
        check(-1, 30, None);
        // Nobody is reminded of what they were just told.
        check(5, 5, None);
        check(2, 5, Some(3));
        check(1, 1, None);
        assert_eq!(reminder_due(DAY_MS - 1, DAY_MS), None);
        assert_eq!(reminder_due(1, 2 * DAY_MS), Some(1));
    }
}
