//! JSON body of a notification that the sweeper sends to the operator.

use serde::Serialize;

use crate::domain::address::Address;
use crate::domain::network::Network;
use crate::domain::payout_address::Wait;
use crate::domain::seal::notification::{Kind, Notification};
use crate::domain::seal::{Record, Seen};

use super::values::Time;

/// A notification about a merchant's payout address, from the sweeper's record. Flat, like a
/// webhook.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationView {
    event: &'static str,
    network: &'static str,
    merchant_id: String,
    version: u32,
    /// Absent if the sweeper never saw the registration.
    #[serde(flatten)]
    registration: Option<RegistrationView>,
    /// For a refusal: the kind of contradiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// For a refusal: its meaning, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_at: Option<Time>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationView {
    address: String,
    /// The payout address before this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    registered_at: Time,
    effective_at: Time,
    first_seen_at: Time,
    /// When the sweeper starts to pay to it, unless it is cancelled.
    pays_from: Time,
    cancelled: bool,
}

impl NotificationView {
    /// `None` if the record no longer contains the notification.
    pub(crate) fn new(
        record: &Record,
        of: Notification,
        network: Network,
        delay_ms: i64,
    ) -> Option<NotificationView> {
        let seen = record.seen(of.merchant, of.version);
        let refused = record.refused.get(&of.merchant).filter(|_| of.kind == Kind::Refused);
        let (reason, message, refused_at) = match (of.kind, refused) {
            (Kind::Seen | Kind::Cancelled, _) => (None, None, None),
            (Kind::Refused, None) => return None,
            (Kind::Refused, Some(refused)) => {
                let (reason, version) = (refused.reason, refused.version);
                let wait = Wait { reason, version, newest_known: version, until: None };
                (Some(reason.as_str()), Some(wait.to_string()), Some(Time(refused.since)))
            }
        };
        if seen.is_none() && of.kind != Kind::Refused {
            return None;
        }
        let all = record.addresses.get(&of.merchant).map(Vec::as_slice).unwrap_or_default();
        let previous = all.iter().rfind(|known| known.was_in_force && known.version < of.version);
        let address = |known: &Seen| match Address::from_script(&known.script, network) {
            Some(address) => address.to_string(),
            None => known.script.to_hex_string(),
        };
        let registration = seen.map(|known| RegistrationView {
            address: address(known),
            previous_address: previous.map(address),
            registered_at: Time(known.registered_at),
            effective_at: Time(known.effective_at),
            first_seen_at: Time(known.first_seen_at),
            pays_from: Time(match known.was_in_force {
                true => known.effective_at,
                false => known.effective_at.max(known.first_seen_at.plus_ms(delay_ms)),
            }),
            cancelled: known.cancelled,
        });
        Some(NotificationView {
            event: of.kind.as_str(),
            network: network.as_str(),
            merchant_id: of.merchant.to_string(),
            version: of.version,
            registration,
            reason,
            message,
            refused_at,
        })
    }
}
