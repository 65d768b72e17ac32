//! Operations: everything that a user may request, shared by API, bot and command line.
//!
//! An operation runs in one write transaction and returns a value or a [`Refusal`]. The caller
//! has authenticated and authorised the user; the operation validates the request. Each change
//! adds a row to the audit log.
//!
//! Must not know: HTTP, Discord, the terminal.

pub(crate) mod account_scan;
pub(crate) mod accounts;
pub(crate) mod addresses;
pub(crate) mod announce;
pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod confirmations;
pub(crate) mod create_payment;
pub(crate) mod merchants;
pub(crate) mod nodes;
pub(crate) mod notifications;
pub(crate) mod own_addresses;
pub(crate) mod payments;
pub(crate) mod reason;
pub(crate) mod retention;
pub(crate) mod second_factor;
pub(crate) mod sweeps;
pub(crate) mod untrusted_proxy;
pub(crate) mod webhooks;

use crate::domain::address::AddressError;
use crate::domain::merchant::{BadName, MerchantId};
use crate::domain::time::Timestamp;
use crate::store;
use crate::store::audit_log::Act;

use merchants::ADDRESS_CHANGES_MAX;
use reason::Reason;
use second_factor::FactorRefusal;

/// A refused request. API, bot and command line show these messages; the bot also translates
/// them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no merchant {0}")]
    UnknownMerchant(MerchantId),
    #[error("there is no such payment")]
    UnknownPayment,
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
    /// A field with a value that is not allowed.
    pub(crate) fn invalid(field: &'static str, reason: impl Into<Reason>) -> Refusal {
        Refusal::Invalid { field, reason: reason.into() }
    }
}

impl Refusal {
    /// A daily limit that allows the next request `at` a time.
    fn daily(most: u32, at: Timestamp, now: Timestamp) -> Refusal {
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

/// The user of an operation, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// A user with a shell on the machine.
    Cli,
    /// A Discord user, and the server; `None`: by direct message.
    Discord { user: u64, guild: Option<u64> },
    /// A holder of the merchant's API key.
    ApiKey,
    /// The gateway itself.
    System,
}

impl Actor {
    /// The name in the audit log.
    pub(crate) fn shown(&self) -> String {
        match self {
            Actor::Cli => "cli".to_owned(),
            Actor::Discord { user, .. } => format!("discord:{user}"),
            Actor::ApiKey => "api key".to_owned(),
            Actor::System => "system".to_owned(),
        }
    }

    /// The place on Discord, for the audit log.
    fn place(&self) -> Option<String> {
        match self {
            Actor::Discord { guild: Some(guild), .. } => Some(format!("server {guild}")),
            Actor::Discord { guild: None, .. } => Some("message".to_owned()),
            Actor::Cli | Actor::ApiKey | Actor::System => None,
        }
    }
}

/// An entry of the audit log about one merchant.
fn entry(
    actor: &Actor,
    now: Timestamp,
    name: &'static str,
    merchant: MerchantId,
    change: (Option<String>, Option<String>),
) -> Act {
    Act { merchant: Some(merchant), ..gateway_entry(actor, now, name, change) }
}

/// An entry of the audit log about the gateway.
fn gateway_entry(
    actor: &Actor,
    now: Timestamp,
    name: &'static str,
    change: (Option<String>, Option<String>),
) -> Act {
    let (before, after) = change;
    let (actor, place) = (actor.shown(), actor.place());
    Act { at: now, actor, place, act: name, merchant: None, before, after }
}
