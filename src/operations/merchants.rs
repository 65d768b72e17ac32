//! Merchants: adding one, and every change of an account.

mod payout_address;

use crate::clock::Clock;
use crate::domain::confirmations::ConfirmationChoice;
use crate::domain::egress::Egress;
use crate::domain::event_kind::EventKinds;
use crate::domain::merchant::{
    BusinessName, GRANT_DAYS_MAX, Merchant, MerchantId, OLD_KEY_LIFE_MS, OldKey, Subscription,
    WebhookSecret,
};
use crate::domain::time::Timestamp;
use crate::domain::tolerance::Tolerance;
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl};
use crate::secret;
use crate::store::merchants as rows;
use crate::store::{ReadTx, WriteTx, audit_log};

pub(crate) use super::accounts::{Account, account, get};
use super::actor::{Actor, entry};
use super::own_addresses::ForeignAddress;
use super::reason::Reason;
pub(crate) use super::refusal::ADDRESS_CHANGES_MAX;
use super::refusal::Refusal;
use super::second_factor::{self, Passed};

#[cfg(test)]
pub(crate) use payout_address::Registered;
pub(crate) use payout_address::{
    AddressStep, Rules, address_step, cancel_address_change, set_address,
};

#[derive(Debug, Clone)]
pub(crate) struct NewMerchant {
    pub(crate) name: BusinessName,
    pub(crate) discord_id: Option<u64>,
    pub(crate) payout_address: Option<ForeignAddress>,
    /// Days of the first subscription.
    pub(crate) days: Option<u32>,
}

/// Adds a merchant.
///
/// # Errors
/// If the Discord user has an account, or the days are out of range.
pub(crate) fn add(
    tx: &WriteTx,
    actor: &Actor,
    rules: &Rules,
    new: &NewMerchant,
    clock: &Clock,
) -> Result<Merchant, Refusal> {
    let now = clock.now();
    if let Some(discord_id) = new.discord_id
        && let Some(taken) = rows::by_discord_id(tx, discord_id)?
    {
        return Err(Refusal::DiscordUserTaken(taken.id));
    }
    let merchant = Merchant {
        id: MerchantId::from_random(u64::from_be_bytes(secret::random_bytes())),
        name: new.name.clone(),
        discord_id: new.discord_id,
        created_at: now,
        key_version: 1,
        previous_key_until: None,
        webhook_url: None,
        confirmations: ConfirmationChoice::default(),
        tolerance: Tolerance::NONE,
        events: EventKinds::NONE,
        subscription: Subscription::None,
        webhook_secret: WebhookSecret::FIRST,
    };
    rows::insert(tx, &merchant)?;
    let name = merchant.name.as_str().to_owned();
    audit_log::append(tx, &entry(actor, now, "add", merchant.id, (None, Some(name))))?;
    if let Some(address) = &new.payout_address {
        set_address(tx, actor, rules, merchant.id, address, &Passed::nothing(), clock)?;
    }
    if let Some(days) = new.days {
        grant(tx, actor, merchant.id, days, now)?;
    }
    get(tx, merchant.id)
}

/// The account of a Discord user, created under this name if there is none.
pub(crate) fn of_discord_user(
    tx: &WriteTx,
    actor: &Actor,
    rules: &Rules,
    discord_id: u64,
    name: &str,
    clock: &Clock,
) -> Result<Merchant, Refusal> {
    if let Some(merchant) = rows::by_discord_id(tx, discord_id)? {
        return Ok(merchant);
    }
    // A Discord name may contain characters that a business name may not.
    let name = BusinessName::parse(name).or_else(|_| BusinessName::parse("My shop"))?;
    let discord_id = Some(discord_id);
    let new = NewMerchant { name, discord_id, payout_address: None, days: None };
    add(tx, actor, rules, &new, clock)
}

pub(crate) fn set_name(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    name: &BusinessName,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.name.as_str().to_owned();
    rows::set_name(tx, id, name)?;
    let change = (Some(before), Some(name.as_str().to_owned()));
    audit_log::append(tx, &entry(actor, now, "set_name", id, change))?;
    Ok(())
}

/// Changes the confirmations that new payments of this merchant require.
pub(crate) fn set_confirmations(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    choice: &ConfirmationChoice,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.confirmations.to_string();
    rows::set_confirmations(tx, id, choice)?;
    let change = (Some(before), Some(choice.to_string()));
    audit_log::append(tx, &entry(actor, now, "set_confirmations", id, change))?;
    Ok(())
}

/// Changes the tolerance of new payments that name none.
pub(crate) fn set_tolerance(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    tolerance: Tolerance,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.tolerance;
    rows::set_tolerance(tx, id, tolerance)?;
    let change = (Some(format!("{before} %")), Some(format!("{tolerance} %")));
    audit_log::append(tx, &entry(actor, now, "set_tolerance", id, change))?;
    Ok(())
}

/// Parses a number of confirmations, or tiers by amount.
///
/// # Errors
/// If the text is neither, or out of range.
pub(crate) fn read_confirmations(text: &str) -> Result<ConfirmationChoice, Refusal> {
    ConfirmationChoice::parse(text).map_err(|error| Refusal::invalid("confirmations", error))
}

/// Parses a tolerance in percent.
///
/// # Errors
/// If it is no number, or out of range.
pub(crate) fn read_tolerance(text: &str) -> Result<Tolerance, Refusal> {
    Tolerance::parse(text).map_err(|error| Refusal::invalid("percent", error))
}

/// Parses names of events, separated by commas or spaces; `none` for none.
///
/// # Errors
/// If a name is unknown.
pub(crate) fn read_events(text: &str) -> Result<EventKinds, Refusal> {
    let names = text.split([',', ' ']).filter(|name| !matches!(*name, "" | "none"));
    EventKinds::parse(names).map_err(|error| Refusal::invalid("events", error))
}

/// Changes the events, beside `completed`, whose webhooks are sent for new payments that name
/// none.
pub(crate) fn set_events(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    events: EventKinds,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.events;
    rows::set_events(tx, id, events)?;
    let shown = |events: EventKinds| Some(events.to_string()).filter(|names| !names.is_empty());
    let change = (shown(before), shown(events));
    audit_log::append(tx, &entry(actor, now, "set_events", id, change))?;
    Ok(())
}

/// Adds days to the subscription, and returns its new end.
pub(crate) fn grant(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    days: u32,
    now: Timestamp,
) -> Result<Subscription, Refusal> {
    if days == 0 || days > GRANT_DAYS_MAX {
        return Err(Refusal::invalid("days", Reason::Days));
    }
    let before = get(tx, id)?.subscription;
    let after = before.extended(days, now);
    rows::set_subscription(tx, id, after)?;
    let change = (shown(before), shown(after));
    audit_log::append(tx, &entry(actor, now, "grant", id, change))?;
    Ok(after)
}

/// Ends the subscription now. Open payments continue, and coins are paid out.
pub(crate) fn revoke(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.subscription;
    rows::set_subscription(tx, id, Subscription::None)?;
    audit_log::append(tx, &entry(actor, now, "revoke", id, (shown(before), None)))?;
    Ok(())
}

/// Refuses new payments of the merchant. Open payments continue, and coins are paid out.
pub(crate) fn suspend(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    get(tx, id)?;
    if rows::suspended_at(tx, id)?.is_some() {
        return Err(Refusal::SuspendedAlready);
    }
    rows::set_suspended(tx, id, Some(now))?;
    audit_log::append(tx, &entry(actor, now, "suspend", id, (None, None)))?;
    Ok(())
}

pub(crate) fn unsuspend(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    get(tx, id)?;
    let Some(since) = rows::suspended_at(tx, id)? else { return Err(Refusal::NotSuspended) };
    rows::set_suspended(tx, id, None)?;
    let change = (Some(format!("since {since}")), None);
    audit_log::append(tx, &entry(actor, now, "unsuspend", id, change))?;
    Ok(())
}

/// Records that a secret was shown, without the secret.
pub(crate) fn record_shown(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    act_name: &'static str,
    now: Timestamp,
) -> Result<(), Refusal> {
    audit_log::append(tx, &entry(actor, now, act_name, id, (None, None)))?;
    Ok(())
}

/// Replaces the API key. The old one is revoked now, or valid for another day. Keys before it
/// are revoked in any case, so a second rotation revokes a leaked key at once.
///
/// # Errors
/// Without the merchant's second factor, if one is enabled.
pub(crate) fn rotate_key(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    old: OldKey,
    passed: &Passed,
    now: Timestamp,
) -> Result<Merchant, Refusal> {
    let before = get(tx, id)?.key_version;
    second_factor::require(tx, id, passed)?;
    let until = match old {
        OldKey::RevokeNow => None,
        OldKey::GracePeriod => Some(now.plus_ms(OLD_KEY_LIFE_MS)),
    };
    rows::raise_key_version(tx, id, until)?;
    let merchant = get(tx, id)?;
    let also = until.map(|end| format!("{OLD_KEY_UNTIL}{end}")).unwrap_or_default();
    let after = format!("key {}{also}", merchant.key_version);
    audit_log::append(
        tx,
        &entry(actor, now, "rotate_key", id, (Some(format!("key {before}")), Some(after))),
    )?;
    Ok(merchant)
}

/// The audit log's text before the time until which an old key is valid.
pub(crate) const OLD_KEY_UNTIL: &str = "; the one before until ";

/// Requires an active subscription and no suspension.
///
/// # Errors
/// If the subscription is not active, or the merchant is suspended.
pub(crate) fn require_active(
    tx: &ReadTx,
    merchant: &Merchant,
    now: Timestamp,
) -> Result<(), Refusal> {
    if !merchant.subscription.is_active(now) {
        return Err(Refusal::SubscriptionInactive);
    }
    if rows::suspended_at(tx, merchant.id)?.is_some() {
        return Err(Refusal::Suspended);
    }
    Ok(())
}

/// The word that removes a URL.
const NO_URL: &str = "none";

/// Parses the default webhook URL: a URL, or `none`.
///
/// # Errors
/// As for the `webhookUrl` of a payment.
pub(crate) fn read_webhook_url(text: &str, egress: &Egress) -> Result<Option<WebhookUrl>, Refusal> {
    match text.trim() {
        NO_URL => Ok(None),
        url => match egress.check(url) {
            Ok(url) => Ok(Some(url)),
            Err(error) => Err(Refusal::invalid("url", error)),
        },
    }
}

/// Changes the webhook URL of new payments that have none in their request. Existing payments
/// keep theirs. The audit log contains only host and port, because a URL may contain secrets.
pub(crate) fn set_webhook_url(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    url: Option<&WebhookUrl>,
    now: Timestamp,
) -> Result<(), Refusal> {
    // The URL was validated when it was set.
    let receiver = |text: String| {
        WebhookUrl::parse(&text, PrivateNetworks::Allowed).map(|url| url.receiver()).ok()
    };
    let before = get(tx, id)?.webhook_url.and_then(receiver);
    rows::set_webhook_url(tx, id, url.map(WebhookUrl::as_str))?;
    let change = (before, url.map(WebhookUrl::receiver));
    audit_log::append(tx, &entry(actor, now, "set_webhook_url", id, change))?;
    Ok(())
}

/// Replaces the webhook secret. For a day, webhooks are signed with both; a second rotation
/// within that day ends the first secret at once.
pub(crate) fn rotate_webhook_secret(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<Merchant, Refusal> {
    let before = get(tx, id)?.webhook_secret.version;
    rows::raise_webhook_version(tx, id, now)?;
    let merchant = get(tx, id)?;
    let after = merchant.webhook_secret.version;
    let change = (Some(format!("secret {before}")), Some(format!("secret {after}")));
    audit_log::append(tx, &entry(actor, now, "rotate_webhook_secret", id, change))?;
    Ok(merchant)
}

fn shown(subscription: Subscription) -> Option<String> {
    match subscription {
        Subscription::None => None,
        Subscription::Until(end) => Some(end.to_string()),
    }
}
