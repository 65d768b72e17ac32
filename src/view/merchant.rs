//! JSON shape of a merchant with its keys, for operators.

use std::fmt;

use serde::Serialize;

use crate::domain::address::Address;
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::{Merchant, Subscription};
use crate::domain::time::Timestamp;

use super::account::{SumsView, TierView};
use super::values::{Decimal, Time};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MerchantView {
    pub(crate) merchant_id: String,
    pub(crate) name: String,
    /// Equal to `name`, under the API's field name.
    pub(crate) business_name: String,
    pub(crate) discord_id: Option<String>,
    pub(crate) created_at: Time,
    pub(crate) confirmations: Option<u32>,
    pub(crate) confirmation_tiers: Vec<TierView>,
    pub(crate) tolerance_percent: Decimal,
    pub(crate) events: Vec<&'static str>,
    pub(crate) subscription_ends_at: Option<Time>,
    pub(crate) subscription_active: bool,
    pub(crate) payout_address: Option<String>,
    pub(crate) next_payout_address: Option<String>,
    pub(crate) next_payout_address_at: Option<Time>,
    /// Versions of payout-address registrations that cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) damaged_payout_addresses: Vec<u32>,
    /// The webhook URL for payments without their own.
    pub(crate) webhook_url: Option<String>,
    /// End of the grace period of the previous API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_api_key_ends_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) webhook_secret: Option<Shown>,
    /// End of the grace period of the previous webhook secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_webhook_secret_ends_at: Option<Time>,
    /// Why payouts wait, if the sweeper's record contradicts the payout address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payouts_wait: Option<String>,
    /// The account's sums; only where a single merchant is shown.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) sums: Option<SumsView>,
}

/// A secret for the user who requested it. Debug hides it.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub(crate) struct Shown(pub(crate) String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl MerchantView {
    /// A merchant with the payout address in force, and the next one with its time.
    pub(crate) fn new(
        merchant: &Merchant,
        in_force: Option<&Address>,
        to_come: Option<(&Address, Timestamp)>,
        now: Timestamp,
    ) -> MerchantView {
        MerchantView {
            merchant_id: merchant.id.to_string(),
            name: merchant.name.as_str().to_owned(),
            business_name: merchant.name.as_str().to_owned(),
            discord_id: merchant.discord_id.map(|id| id.to_string()),
            created_at: Time(merchant.created_at),
            confirmations: merchant.confirmations.others,
            confirmation_tiers: TierView::all(&merchant.confirmations.tiers),
            tolerance_percent: Decimal(merchant.tolerance.to_string()),
            events: merchant.events.iter().map(EventKind::as_str).collect(),
            subscription_ends_at: match merchant.subscription {
                Subscription::None => None,
                Subscription::Until(end) => Some(Time(end)),
            },
            subscription_active: merchant.subscription.is_active(now),
            payout_address: in_force.map(Address::to_string),
            next_payout_address: to_come.map(|(address, _)| address.to_string()),
            next_payout_address_at: to_come.map(|(_, at)| Time(at)),
            damaged_payout_addresses: Vec::new(),
            webhook_url: merchant.webhook_url.clone(),
            previous_api_key_ends_at: merchant
                .previous_key_until
                .filter(|_| merchant.previous_key_version(now).is_some())
                .map(Time),
            api_key: None,
            webhook_secret: None,
            previous_webhook_secret_ends_at: None,
            payouts_wait: None,
            sums: None,
        }
    }
}
