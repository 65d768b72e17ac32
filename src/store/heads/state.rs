//! The newest state of merchants' rows and of the audit log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::audit_log::Head as AuditHead;
use crate::domain::merchant::MerchantId;

/// The newest state of one merchant's rows. Zero means none yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// `merchants.revision`.
    pub(crate) revision: u32,
    /// The version of the API key.
    pub(crate) key: u32,
    /// The version of the webhook secret.
    pub(crate) secret: u32,
    /// The newest registration of a payout address. They are numbered without gaps.
    pub(crate) addresses: u32,
    /// The number of cancelled registrations.
    pub(crate) cancelled: u32,
    /// When the second factor was last enabled or disabled.
    #[serde(default, skip_serializing_if = "FactorHead::is_none")]
    pub(crate) second_factor: FactorHead,
}

/// Whether a merchant's second factor is enabled, and the revision of the merchant's row at
/// that decision. A later decision is higher.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FactorHead(pub(super) u64);

impl FactorHead {
    pub(in crate::store) fn enabled_at(revision: u32) -> FactorHead {
        FactorHead(u64::from(revision) * 2 + 1)
    }

    pub(in crate::store) fn disabled_at(revision: u32) -> FactorHead {
        FactorHead(u64::from(revision) * 2)
    }

    /// Whether there was no decision yet.
    pub(in crate::store) fn is_none(&self) -> bool {
        self.0 == 0
    }

    pub(in crate::store) fn is_disabled(self) -> bool {
        !self.is_none() && self.0.is_multiple_of(2)
    }
}

impl Head {
    /// The higher value of each part.
    pub(in crate::store) fn or_higher(self, other: Head) -> Head {
        Head {
            revision: self.revision.max(other.revision),
            key: self.key.max(other.key),
            secret: self.secret.max(other.secret),
            addresses: self.addresses.max(other.addresses),
            cancelled: self.cancelled.max(other.cancelled),
            second_factor: self.second_factor.max(other.second_factor),
        }
    }
}

pub(crate) type Map = BTreeMap<MerchantId, Head>;

/// The newest state of everything that must not revert.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) merchants: Map,
    /// The newest row of the audit log.
    pub(crate) audit_log: Option<AuditHead>,
}

impl State {
    /// Raises each part to at least that of another state.
    pub(super) fn raise(&mut self, to: &State) {
        for (merchant, head) in &to.merchants {
            let known = self.merchants.entry(*merchant).or_default();
            *known = known.or_higher(*head);
        }
        let newer = to.audit_log.filter(|to| self.audit_log.is_none_or(|known| known.id < to.id));
        self.audit_log = newer.or(self.audit_log);
    }

    pub(in crate::store) fn is_empty(&self) -> bool {
        self.merchants.is_empty() && self.audit_log.is_none()
    }
}
