//! Kinds of notifications, their audience and their default channel.
//!
//! The text of a notification, and when one is due, is decided by the operation that derives
//! notifications from the stored facts.

use std::str::FromStr;

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

/// Who receives a notification.
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

    /// The name in the database, the configuration and commands.
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

    /// The description, for users who choose their notifications.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Kind::FirstPayment => "Your first payment is complete",
            Kind::Paid => "A payment is complete (each one)",
            Kind::PartPaid => "A payment expired partly paid",
            Kind::LatePayment => "Money arrived after a payment expired",
            Kind::WebhookFailing => "A webhook has failed five times",
            Kind::WebhookFailed => "A webhook was given up",
            Kind::PayoutSent => "A payout was sent",
            Kind::PayoutStuck => "A payout takes a long time to confirm",
            Kind::AddressChange => {
                "Your payout address changes, changed, or the change is cancelled"
            }
            Kind::KeyRotated => "Your API key or webhook secret was replaced",
            Kind::Subscription => "Your subscription ends in 7, 3, 1 days, and when it has ended",
            Kind::Node => "The node is down or behind, or has recovered",
            Kind::SweepStuck => {
                "A sweep takes a long time to confirm, or payouts of a merchant wait"
            }
            Kind::PaymentLost => "A completed payment has lost its coins",
            Kind::ChainGuard => "The chain guard is active",
            Kind::Disk => "The disk is nearly full",
            Kind::Zmq => "The node's ZMQ is silent, or has recovered",
            Kind::Fee => "Coins wait because the fee would be too high",
            Kind::HotMoney => {
                "More money than allowed waits for payout under the key on this machine"
            }
            Kind::Audit => "The audit found a difference, or finds none again",
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

    /// The default, for recipients who have not chosen. A busy shop does not want a message
    /// per payment.
    pub(crate) fn default_way(self) -> DeliveryMode {
        if self == Kind::Paid { DeliveryMode::Off } else { DeliveryMode::Message }
    }
}

/// How a merchant receives a kind of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryMode {
    Message,
    /// A channel mentions that notifications wait; `/notifications` lists them.
    Channel,
    Off,
}

impl DeliveryMode {
    pub(crate) const ALL: [DeliveryMode; 3] =
        [DeliveryMode::Message, DeliveryMode::Channel, DeliveryMode::Off];

    /// The name on the command line and in the audit log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            DeliveryMode::Message => "message",
            DeliveryMode::Channel => "channel",
            DeliveryMode::Off => "off",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be message, channel or off")]
pub(crate) struct BadWay;

impl FromStr for DeliveryMode {
    type Err = BadWay;

    fn from_str(text: &str) -> Result<DeliveryMode, BadWay> {
        DeliveryMode::ALL.into_iter().find(|way| way.as_str() == text).ok_or(BadWay)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a kind of notification")]
pub(crate) struct BadKind;

impl FromStr for Kind {
    type Err = BadKind;

    fn from_str(text: &str) -> Result<Kind, BadKind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(BadKind)
    }
}

/// Days before a subscription's end at which its owner is reminded, the last first.
pub(crate) const REMINDER_DAYS: [u32; 3] = [1, 3, 7];

/// The reminder that is due when `left_ms` milliseconds are left: the nearest one whose time
/// has come. `granted_left_ms` is the time left just after the last grant: an owner who got
/// two days yesterday needs no reminder for the seventh day before the end.
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
        for way in DeliveryMode::ALL {
            assert_eq!(way.as_str().parse(), Ok(way));
        }
        assert_eq!("on".parse::<DeliveryMode>(), Err(BadWay));
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
        // No reminder for a time left that the grant itself reported.
        check(5, 5, None);
        check(2, 5, Some(3));
        check(1, 1, None);
        assert_eq!(reminder_due(DAY_MS - 1, DAY_MS), None);
        assert_eq!(reminder_due(1, 2 * DAY_MS), Some(1));
    }
}
