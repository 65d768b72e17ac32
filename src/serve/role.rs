//! The roles of the gateway, by name.

use std::str::FromStr;

/// A part of the gateway that can run in a separate process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Api,
    Watcher,
    Webhooks,
    Sweeper,
    Bot,
}

impl Role {
    pub(crate) const ALL: [Role; 5] =
        [Role::Api, Role::Watcher, Role::Webhooks, Role::Sweeper, Role::Bot];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Watcher => "watcher",
            Role::Webhooks => "webhooks",
            Role::Sweeper => "sweeper",
            Role::Bot => "bot",
        }
    }
}

/// Whether these arguments select the sweeper alone, regardless of the configuration.
pub(crate) fn is_sweeper_alone(only: &[Role], without: &[Role]) -> bool {
    let chosen = |role: &Role| only.is_empty() || only.contains(role);
    let mut left = Role::ALL.into_iter().filter(|role| chosen(role) && !without.contains(role));
    left.next() == Some(Role::Sweeper) && left.next().is_none()
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Role, String> {
        let role = Role::ALL.into_iter().find(|role| role.as_str() == text);
        role.ok_or_else(|| "must be api, watcher, webhooks, sweeper or bot".to_owned())
    }
}
