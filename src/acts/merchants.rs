//! Merchants: adding them, and every change of an account. Each act leaves a line in the audit log.

use crate::clock::Clock;
use crate::domain::address::Address;
use crate::domain::egress::Egress;
use crate::domain::merchant::{
    self, BusinessName, GRANT_DAYS_MAX, Merchant, MerchantId, OLD_KEY_LIFE_MS, OldKey,
    PayoutAddress, Registrations, Subscription, WebhookSecret,
};
use crate::domain::network::Network;
use crate::domain::payment::CONFIRMATIONS_MAX;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::domain::webhook_url::{PrivateNetworks, WebhookUrl};
use crate::secret;
use crate::store::merchants as rows;
use crate::store::{ReadTx, WriteTx, audit_log, payout_waits};

use super::own_addresses::ForeignAddress;
use super::reason::Reason;
use super::{Actor, Refusal, act};

/// What an act on merchants needs to know of the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) network: Network,
    /// How long a changed payout address waits, in milliseconds.
    pub(crate) payout_address_delay_ms: i64,
}

/// A new merchant as asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewMerchant {
    pub(crate) name: BusinessName,
    pub(crate) discord_id: Option<u64>,
    pub(crate) payout_address: Option<ForeignAddress>,
    /// Days of subscription to begin with.
    pub(crate) days: Option<u32>,
}

/// A merchant and what is registered for it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) merchant: Merchant,
    pub(crate) addresses: Registrations,
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
        confirmations: None,
        subscription: Subscription::None,
        webhook_secret: WebhookSecret::FIRST,
    };
    rows::insert(tx, &merchant)?;
    let name = merchant.name.as_str().to_owned();
    audit_log::append(tx, &act(actor, now, "add", merchant.id, (None, Some(name))))?;
    if let Some(address) = &new.payout_address {
        set_address(tx, actor, rules, merchant.id, address, clock)?;
    }
    if let Some(days) = new.days {
        grant(tx, actor, merchant.id, days, now)?;
    }
    get(tx, merchant.id)
}

/// The account of a Discord user; the first act for them opens it, under this name.
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
    // A name on Discord may hold what a business name may not.
    let name = BusinessName::parse(name).or_else(|_| BusinessName::parse("My shop"))?;
    let discord_id = Some(discord_id);
    let new = NewMerchant { name, discord_id, payout_address: None, days: None };
    add(tx, actor, rules, &new, clock)
}

/// The merchant of this id.
pub(crate) fn get(tx: &ReadTx, id: MerchantId) -> Result<Merchant, Refusal> {
    rows::by_id(tx, id)?.ok_or(Refusal::UnknownMerchant(id))
}

/// A merchant with its registrations.
pub(crate) fn account(tx: &ReadTx, id: MerchantId, network: Network) -> Result<Account, Refusal> {
    let merchant = get(tx, id)?;
    Ok(Account { merchant, addresses: rows::payout_addresses(tx, id, network)? })
}

/// How long an account may stand without a payout address before its first one is treated like a
/// change: whoever has taken the account over in the meantime shall not be paid at once.
const SILENCE_MS_MAX: i64 = 90 * DAY_MS;

/// How often a merchant's payout address may be changed within a day, by whatever door, cancelled
/// changes included.
pub(crate) const ADDRESS_CHANGES_MAX: u32 = 10;

/// What registering an address means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressStep {
    /// It is the first one.
    AtOnce,
    /// It changes where money goes.
    Change,
    /// It is in force or waits already; at most a change to another one is cancelled.
    Nothing,
}

/// Where a merchant's money goes, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) registration: PayoutAddress,
    /// Whether there is a registration more than before.
    pub(crate) is_new: bool,
}

/// Says what a registration means, without making it.
pub(crate) fn address_step(
    tx: &ReadTx,
    rules: &Rules,
    id: MerchantId,
    address: &Address,
    now: Timestamp,
) -> Result<AddressStep, Refusal> {
    let account = account(tx, id, rules.network)?;
    let silent = now.ms_since(account.merchant.created_at) > SILENCE_MS_MAX;
    // Where the sweeper contradicts the database, registering anew is the way out, with the same
    // address as well. Once it was, it waits, and asking again does not prolong that.
    let contradicted = payout_waits::of(tx, id)?.map(|waits| waits.wait);
    if let Some(wait) = contradicted.filter(|wait| !wait.reason.heals_alone()) {
        let to_come = merchant::address_to_come(account.addresses.current(), now);
        let is_asked = to_come.is_some_and(|registration| {
            registration.address == *address && registration.version != wait.version
        });
        return Ok(if is_asked { AddressStep::Nothing } else { AddressStep::Change });
    }
    if unchanged(account.addresses.current(), address, now).is_some() {
        return Ok(AddressStep::Nothing);
    }
    Ok(match merchant::address_in_force(account.addresses.current(), now) {
        Some(current) if current.address == *address => AddressStep::Nothing,
        None if account.addresses.newest_version() == 0 && !silent => AddressStep::AtOnce,
        None | Some(_) => AddressStep::Change,
    })
}

/// The registration that says what is asked for already: the newest that counts or waits.
fn unchanged<'r>(
    known: &'r [PayoutAddress],
    address: &Address,
    now: Timestamp,
) -> Option<&'r PayoutAddress> {
    let newest = merchant::address_to_come(known, now);
    let newest = newest.or_else(|| merchant::address_in_force(known, now));
    newest.filter(|registration| registration.address == *address)
}

/// Registers a payout address: the first counts at once, a change after the operator's delay, one
/// that is registered already changes nothing. The address in force, asked for while a change
/// waits, cancels the change.
///
/// # Errors
/// After too many changes within a day.
pub(crate) fn set_address(
    tx: &WriteTx,
    actor: &Actor,
    rules: &Rules,
    id: MerchantId,
    address: &ForeignAddress,
    clock: &Clock,
) -> Result<Registered, Refusal> {
    // Read here, behind the writes that we waited for: what they made effective is seen.
    let now = clock.now();
    let address = address.get();
    let step = address_step(tx, rules, id, address, now)?;
    let known = rows::payout_addresses(tx, id, rules.network)?;
    let in_force = merchant::address_in_force(known.current(), now);
    if step == AddressStep::Nothing {
        if let Some(registration) = unchanged(known.current(), address, now) {
            return Ok(Registered { registration: registration.clone(), is_new: false });
        }
        if let Some(registration) = in_force {
            cancel_address_change(tx, actor, id, clock)?;
            return Ok(Registered { registration: registration.clone(), is_new: false });
        }
    }
    if rows::registered_since(tx, id, now.plus_ms(-DAY_MS))? >= ADDRESS_CHANGES_MAX {
        return Err(Refusal::TooManyAddressChanges);
    }
    // Newer than all that the sweeper knows, too: of an older copy of the database it knows more.
    let waits = payout_waits::of(tx, id)?;
    let newest_known = waits.map_or(0, |waits| waits.wait.newest_known);
    let last_version = known.newest_version().max(newest_known);
    let effective_at = match step {
        AddressStep::AtOnce | AddressStep::Nothing => now,
        AddressStep::Change => now.plus_ms(rules.payout_address_delay_ms),
    };
    let registration = PayoutAddress {
        version: last_version.saturating_add(1),
        address: address.clone(),
        registered_at: now,
        effective_at,
        cancelled_at: None,
    };
    rows::register_payout_address(tx, id, &registration)?;
    let before = in_force.map(|current| current.address.to_string());
    let after = Some(format!("{address} from {effective_at}"));
    audit_log::append(tx, &act(actor, now, "set_address", id, (before, after)))?;
    Ok(Registered { registration, is_new: true })
}

/// Cancels a change of the payout address that has not taken effect, or one that has by the
/// database alone: while the sweeper does not agree, no coin is paid to it.
///
/// # Errors
/// If none waits.
pub(crate) fn cancel_address_change(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    clock: &Clock,
) -> Result<(), Refusal> {
    get(tx, id)?;
    // Read here: a change that took effect while this write waited is not cancelled any more.
    let now = clock.now();
    if !rows::cancel_address_change(tx, id, now)? {
        let unpaid = payout_waits::of(tx, id)?.map(|waits| waits.wait);
        let unpaid = unpaid.filter(|wait| wait.reason.may_be_cancelled());
        let Some(wait) = unpaid else { return Err(Refusal::NoAddressChange) };
        if !rows::cancel_address(tx, id, wait.version, now)? {
            return Err(Refusal::NoAddressChange);
        }
    }
    audit_log::append(tx, &act(actor, now, "cancel_address_change", id, (None, None)))?;
    Ok(())
}

/// Changes the business name.
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
    audit_log::append(tx, &act(actor, now, "set_name", id, change))?;
    Ok(())
}

/// Changes the confirmations that payments of this merchant need.
pub(crate) fn set_confirmations(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    confirmations: u32,
    now: Timestamp,
) -> Result<(), Refusal> {
    if confirmations == 0 || confirmations > CONFIRMATIONS_MAX {
        return Err(Refusal::invalid("confirmations", Reason::Confirmations));
    }
    let before = get(tx, id)?.confirmations.map(|n| n.to_string());
    rows::set_confirmations(tx, id, confirmations)?;
    let change = (before, Some(confirmations.to_string()));
    audit_log::append(tx, &act(actor, now, "set_confirmations", id, change))?;
    Ok(())
}

/// Adds days to the subscription. Answers the new end.
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
    audit_log::append(tx, &act(actor, now, "grant", id, change))?;
    Ok(after)
}

/// Ends the subscription now. Payments that are open go on, and are paid out.
pub(crate) fn revoke(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    now: Timestamp,
) -> Result<(), Refusal> {
    let before = get(tx, id)?.subscription;
    rows::set_subscription(tx, id, Subscription::None)?;
    audit_log::append(tx, &act(actor, now, "revoke", id, (shown(before), None)))?;
    Ok(())
}

/// Lets the merchant make no new payments. Open ones go on, and what came is paid out.
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
    audit_log::append(tx, &act(actor, now, "suspend", id, (None, None)))?;
    Ok(())
}

/// Lets a suspended merchant go on.
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
    audit_log::append(tx, &act(actor, now, "unsuspend", id, change))?;
    Ok(())
}

/// Records that a secret was shown to somebody; the secret itself is not recorded.
pub(crate) fn record_shown(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    act_name: &'static str,
    now: Timestamp,
) -> Result<(), Refusal> {
    audit_log::append(tx, &act(actor, now, act_name, id, (None, None)))?;
    Ok(())
}

/// Makes a new API key. The old one is dead with this write, or lives on for a day; keys older than
/// that one are dead in any case, so a second rotation ends a leaked key at once.
pub(crate) fn rotate_key(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    old: OldKey,
    now: Timestamp,
) -> Result<Merchant, Refusal> {
    let before = get(tx, id)?.key_version;
    let until = match old {
        OldKey::DiesAtOnce => None,
        OldKey::LivesOn => Some(now.plus_ms(OLD_KEY_LIFE_MS)),
    };
    rows::raise_key_version(tx, id, until)?;
    let merchant = get(tx, id)?;
    let also = until.map(|end| format!("{OLD_KEY_UNTIL}{end}")).unwrap_or_default();
    let after = format!("key {}{also}", merchant.key_version);
    audit_log::append(
        tx,
        &act(actor, now, "rotate_key", id, (Some(format!("key {before}")), Some(after))),
    )?;
    Ok(merchant)
}

/// What the audit log says where an old key lives on, before the time until which it does.
pub(crate) const OLD_KEY_UNTIL: &str = "; the one before until ";

/// Refuses what only a merchant may have whose subscription is active and who is not suspended.
///
/// # Errors
/// Why not.
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

/// The word that takes a URL away.
const NO_URL: &str = "none";

/// Reads where webhooks shall go: a URL, or `none`.
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

/// Changes where webhooks go of payments that are made without a URL of their own. Payments that
/// exist keep theirs. The audit log names the receiver without what may be secret in its URL.
pub(crate) fn set_webhook_url(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    url: Option<&WebhookUrl>,
    now: Timestamp,
) -> Result<(), Refusal> {
    // It was judged when it was set; only its receiver is wanted here.
    let receiver = |text: String| {
        WebhookUrl::parse(&text, PrivateNetworks::Allowed).map(|url| url.receiver()).ok()
    };
    let before = get(tx, id)?.webhook_url.and_then(receiver);
    rows::set_webhook_url(tx, id, url.map(WebhookUrl::as_str))?;
    let change = (before, url.map(WebhookUrl::receiver));
    audit_log::append(tx, &act(actor, now, "set_webhook_url", id, change))?;
    Ok(())
}

/// Makes a new webhook secret. The one before signs beside it for a day; a second rotation within
/// that day ends the first secret at once.
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
    audit_log::append(tx, &act(actor, now, "rotate_webhook_secret", id, change))?;
    Ok(merchant)
}

fn shown(subscription: Subscription) -> Option<String> {
    match subscription {
        Subscription::None => None,
        Subscription::Until(end) => Some(end.to_string()),
    }
}
