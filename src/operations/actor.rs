//! Users of operations, and their entries in the audit log.

use crate::domain::merchant::MerchantId;
use crate::domain::time::Timestamp;
use crate::store::audit_log::Act;

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
pub(super) fn entry(
    actor: &Actor,
    now: Timestamp,
    name: &'static str,
    merchant: MerchantId,
    change: (Option<String>, Option<String>),
) -> Act {
    Act { merchant: Some(merchant), ..gateway_entry(actor, now, name, change) }
}

/// An entry of the audit log about the gateway.
pub(super) fn gateway_entry(
    actor: &Actor,
    now: Timestamp,
    name: &'static str,
    change: (Option<String>, Option<String>),
) -> Act {
    let (before, after) = change;
    let (actor, place) = (actor.shown(), actor.place());
    Act { at: now, actor, place, act: name, merchant: None, before, after }
}
