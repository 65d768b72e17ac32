//! Why a merchant's payouts wait, for the database, metrics and messages.

use std::fmt;
use std::str::FromStr;

use super::clocks::Clocks;
use crate::domain::time::Timestamp;

/// Maximum lag of the chain's time behind our clock before one of them is wrong, in
/// milliseconds: three hours without enough blocks.
const CHAIN_BEHIND_MS_MAX: i64 = 3 * 3_600_000;

/// Why a merchant's coins wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) reason: Reason,
    /// The registration concerned.
    pub(crate) version: u32,
    /// The newest registration that the sweeper knows; the next one must be newer.
    pub(crate) newest_known: u32,
    /// When the wait ends automatically, if it does.
    pub(crate) until: Option<Timestamp>,
}

/// Kinds of disagreement between the database and the sweeper's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// In force by the database, but the sweeper has not known it for the whole delay.
    Unconfirmed,
    /// The delay has passed by our clock, but not by the chain's time.
    Clock,
    /// As `Unconfirmed`, and a newer change waits.
    Overtaken,
    /// The row has another script than the sweeper saw.
    Changed,
    /// The row of the address in force is missing.
    Missing,
    /// The row appeared after a newer one.
    Inserted,
    /// The row's cancellation was undone.
    CancelUndone,
    /// The row was cancelled although the address was in force.
    CancelledInForce,
    /// The row claims an impossible age.
    Backdated,
    /// The address belongs to our own account.
    OwnAddress,
    /// The row is unreadable, does not verify, or is missing although it was written.
    Damaged,
}

impl Reason {
    pub(crate) const ALL: [Reason; 11] = [
        Reason::Unconfirmed,
        Reason::Clock,
        Reason::Overtaken,
        Reason::Changed,
        Reason::Missing,
        Reason::Inserted,
        Reason::CancelUndone,
        Reason::CancelledInForce,
        Reason::Backdated,
        Reason::OwnAddress,
        Reason::Damaged,
    ];

    /// The name in the database and in the metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::Unconfirmed => "unconfirmed",
            Reason::Clock => "clock",
            Reason::Overtaken => "overtaken",
            Reason::Changed => "changed",
            Reason::Missing => "missing",
            Reason::Inserted => "inserted",
            Reason::CancelUndone => "cancel_undone",
            Reason::CancelledInForce => "cancelled_in_force",
            Reason::Backdated => "backdated",
            Reason::OwnAddress => "own_address",
            Reason::Damaged => "damaged",
        }
    }

    /// Whether the wait ends with time. Otherwise an address must be registered, or the change
    /// cancelled.
    pub(crate) fn heals_alone(self) -> bool {
        match self {
            Reason::Unconfirmed | Reason::Clock | Reason::Overtaken => true,
            Reason::Changed
            | Reason::Missing
            | Reason::Inserted
            | Reason::CancelUndone
            | Reason::CancelledInForce
            | Reason::Backdated
            | Reason::OwnAddress
            | Reason::Damaged => false,
        }
    }

    /// Whether the registration in force by the database may still be cancelled, because no
    /// coin was ever paid to it.
    pub(crate) fn may_be_cancelled(self) -> bool {
        match self {
            Reason::Unconfirmed
            | Reason::Clock
            | Reason::Overtaken
            | Reason::Inserted
            | Reason::CancelUndone
            | Reason::Backdated => true,
            Reason::Changed
            | Reason::Missing
            | Reason::CancelledInForce
            | Reason::OwnAddress
            | Reason::Damaged => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a reason for which payouts wait")]
pub(crate) struct BadReason;

impl FromStr for Reason {
    type Err = BadReason;

    fn from_str(text: &str) -> Result<Reason, BadReason> {
        Reason::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(BadReason)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version;
        match self.reason {
            Reason::Unconfirmed => {
                write!(f, "payout address {version} is in force, but the sweeper saw it too late")?;
                match self.until {
                    Some(until) => write!(f, " and pays to it from {until} on"),
                    None => Ok(()),
                }
            }
            Reason::Clock => write!(
                f,
                "payout address {version} is in force by this machine's clock, but not by the \
                 chain's median time: one of them is wrong"
            ),
            Reason::Overtaken => write!(
                f,
                "payout address {version} is in force, but the sweeper saw it too late, and a \
                 newer change waits"
            ),
            Reason::Changed => write!(f, "payout address {version} was changed"),
            Reason::Missing => write!(f, "payout address {version} is missing"),
            Reason::Inserted => {
                write!(f, "payout address {version} was inserted after a later one")
            }
            Reason::CancelUndone => {
                write!(f, "payout address {version} was cancelled, and the cancellation was undone")
            }
            Reason::CancelledInForce => {
                write!(f, "payout address {version} was cancelled after it was in force")
            }
            Reason::Backdated => {
                write!(f, "payout address {version} claims to be older than it can be")
            }
            Reason::OwnAddress => {
                write!(f, "payout address {version} is an address of this gateway")
            }
            Reason::Damaged => {
                write!(f, "payout address {version} is missing, damaged, or was changed")
            }
        }
    }
}

impl Wait {
    /// Whether to notify people, given a delay of this length: the usual short lag of the
    /// chain's time behind the database is ignored.
    pub(crate) fn is_notification(&self, clocks: Clocks, delay_ms: i64) -> bool {
        match self.reason {
            Reason::Unconfirmed => {
                self.until.is_some_and(|until| until.ms_since(clocks.own) > delay_ms / 24)
            }
            Reason::Clock => {
                clocks.chain.is_some_and(|chain| clocks.own.ms_since(chain) > CHAIN_BEHIND_MS_MAX)
            }
            _ => true,
        }
    }
}
