//! Refusals of operations, with their English messages.

use crate::domain::address::AddressError;
use crate::domain::fiat::Currency;
use crate::domain::merchant::{BadName, MerchantId};
use crate::domain::time::Timestamp;
use crate::store;

use super::reason::Reason;

/// The most changes of a merchant's payout address within a day, including cancelled ones.
pub(crate) const ADDRESS_CHANGES_MAX: u32 = 10;

/// A refused request. API, bot and command line show these messages; the bot also translates
/// them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no merchant {0}")]
    UnknownMerchant(MerchantId),
    #[error("there is no such payment")]
    UnknownPayment,
    #[error("there is no usable exchange rate for {0} at the moment; try again later")]
    RateUnavailable(Currency),
    #[error("no coin of the payment is confirmed yet; accept it once one is")]
    NothingConfirmed,
    #[error("the payment has coins; it cannot be cancelled")]
    PaymentHasCoins,
    #[error("there is no such webhook event")]
    UnknownEvent,
    #[error("this Discord user has a merchant account already: {0}")]
    DiscordUserTaken(MerchantId),
    #[error("the subscription is not active; ask an administrator for a grant (/grant_sub)")]
    SubscriptionInactive,
    #[error("the account is suspended; ask an administrator")]
    Suspended,
    #[error("the account is suspended already")]
    SuspendedAlready,
    #[error("the account is not suspended")]
    NotSuspended,
    #[error(
        "the gateway is starting: its node has not answered yet whether this account was used before; try again in a minute"
    )]
    Starting,
    #[error("no payout address is registered; register one first (/set_address in Discord)")]
    PayoutAddressMissing,
    #[error("{0} payments are open; wait until some of them are paid or expire")]
    TooManyOpen(u32),
    /// A limit within 24 hours, or on a UTC day.
    #[error("the limit of {most} a day is reached; try again later")]
    DailyLimit { most: u32, retry_after_seconds: u64 },
    #[error("{field} {reason}")]
    Invalid { field: &'static str, reason: Reason },
    #[error("idempotency-key was used before with another request")]
    IdempotencyKeyReused,
    #[error("the chain guard is active: payouts are paused (litegate chain-guard)")]
    ChainSuspect,
    #[error("no change of the payout address is waiting")]
    NoAddressChange,
    #[error(
        "the payout address was changed {ADDRESS_CHANGES_MAX} times within a day; try again tomorrow"
    )]
    TooManyAddressChanges,
    #[error(transparent)]
    SecondFactor(#[from] FactorRefusal),
    /// Not the user's fault.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Refusal {
    pub(crate) fn invalid(field: &'static str, reason: impl Into<Reason>) -> Refusal {
        Refusal::Invalid { field, reason: reason.into() }
    }
}

impl Refusal {
    /// A daily limit that allows the next request `at` a time.
    pub(super) fn daily(most: u32, at: Timestamp, now: Timestamp) -> Refusal {
        let wait_ms = u64::try_from(at.ms_since(now)).unwrap_or(0);
        Refusal::DailyLimit { most, retry_after_seconds: wait_ms.div_ceil(1_000).max(1) }
    }
}

impl From<AddressError> for Refusal {
    fn from(error: AddressError) -> Refusal {
        Refusal::invalid("payoutAddress", error)
    }
}

impl From<BadName> for Refusal {
    fn from(error: BadName) -> Refusal {
        Refusal::invalid("name", error)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FactorRefusal {
    #[error("a code of the merchant's authenticator app is required")]
    CodeNeeded,
    #[error("the code is wrong; after {left} more the second factor is locked for 15 minutes")]
    WrongCode { left: u32 },
    #[error("the code is wrong; check the clock of the device with the app")]
    WrongFirstCode,
    #[error("the code was used already; wait for the next one")]
    UsedCode,
    #[error("too many wrong codes; try again in {minutes} minutes")]
    Locked { minutes: u32 },
    #[error("the second factor cannot be verified; ask the operator to reset it")]
    Unusable,
    #[error("the second factor is enabled already; disable it first")]
    EnabledAlready,
    #[error("the second factor is not enabled")]
    NotEnabled,
    #[error("no second factor is being set up; start again")]
    NotBegun,
}
