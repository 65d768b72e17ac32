//! Registers a merchant's payout address, and cancels a change of it.

use crate::clock::Clock;
use crate::domain::address::Address;
use crate::domain::merchant::{self, MerchantId, PayoutAddress};
use crate::domain::network::Network;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::merchants as rows;
use crate::store::{ReadTx, WriteTx, audit_log, payout_waits};

use super::super::accounts::{account, get};
use super::super::actor::{Actor, entry};
use super::super::own_addresses::ForeignAddress;
use super::super::refusal::ADDRESS_CHANGES_MAX;
use super::super::refusal::Refusal;
use super::super::second_factor::{self, Passed};

/// How long after its creation an account may register its first payout address without the
/// delay of a change: an attacker may have taken over an old account, and must not be paid at
/// once.
const SILENCE_MS_MAX: i64 = 90 * DAY_MS;

/// The gateway's configuration for merchants.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) network: Network,
    /// The delay of a changed payout address, in milliseconds.
    pub(crate) payout_address_delay_ms: i64,
}

/// The effect of registering an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressStep {
    /// It is the first one, and takes effect at once.
    AtOnce,
    /// It changes the payout address after a delay.
    Change,
    /// It is in force or waiting already; at most a waiting change is cancelled.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) registration: PayoutAddress,
    /// Whether this registration is new.
    pub(crate) is_new: bool,
}

/// The effect of a registration, without making it.
pub(crate) fn address_step(
    tx: &ReadTx,
    rules: &Rules,
    id: MerchantId,
    address: &Address,
    now: Timestamp,
) -> Result<AddressStep, Refusal> {
    let account = account(tx, id, rules.network)?;
    let silent = now.ms_since(account.merchant.created_at) > SILENCE_MS_MAX;
    // If the sweeper contradicts the database, registering again resolves it, also with the
    // same address. Repeating the request does not prolong the delay.
    let contradicted = payout_waits::of(tx, id)?.map(|waits| waits.wait);
    if let Some(wait) = contradicted.filter(|wait| !wait.reason.heals_alone()) {
        let to_come = merchant::address_to_come(account.addresses.current(), now);
        let is_registered = to_come.is_some_and(|registration| {
            registration.address == *address && registration.version != wait.version
        });
        return Ok(if is_registered { AddressStep::Nothing } else { AddressStep::Change });
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

/// The newest registration in force or waiting, if it has this address.
fn unchanged<'r>(
    known: &'r [PayoutAddress],
    address: &Address,
    now: Timestamp,
) -> Option<&'r PayoutAddress> {
    let newest = merchant::address_to_come(known, now);
    let newest = newest.or_else(|| merchant::address_in_force(known, now));
    newest.filter(|registration| registration.address == *address)
}

/// Registers a payout address. The first takes effect at once, a change after the operator's
/// delay; a registered one changes nothing. Registering the address in force cancels a waiting
/// change.
///
/// # Errors
/// Without the merchant's second factor, if one is enabled and the registration is new, or
/// after too many changes within a day.
pub(crate) fn set_address(
    tx: &WriteTx,
    actor: &Actor,
    rules: &Rules,
    id: MerchantId,
    address: &ForeignAddress,
    passed: &Passed,
    clock: &Clock,
) -> Result<Registered, Refusal> {
    // Read inside of the write: earlier writes may have waited, and a change may be in force
    // now.
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
    second_factor::require(tx, id, passed)?;
    if rows::registered_since(tx, id, now.plus_ms(-DAY_MS))? >= ADDRESS_CHANGES_MAX {
        return Err(Refusal::TooManyAddressChanges);
    }
    // Also above the sweeper's versions: a restored database may have fewer.
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
    audit_log::append(tx, &entry(actor, now, "set_address", id, (before, after)))?;
    Ok(Registered { registration, is_new: true })
}

/// Cancels a change of the payout address that has not taken effect, or that the sweeper has
/// not accepted: no coin is paid to it before.
///
/// # Errors
/// If no change is waiting.
pub(crate) fn cancel_address_change(
    tx: &WriteTx,
    actor: &Actor,
    id: MerchantId,
    clock: &Clock,
) -> Result<(), Refusal> {
    get(tx, id)?;
    // Read inside of the write: a change that took effect meanwhile is not cancelled.
    let now = clock.now();
    if !rows::cancel_address_change(tx, id, now)? {
        let unpaid = payout_waits::of(tx, id)?.map(|waits| waits.wait);
        let unpaid = unpaid.filter(|wait| wait.reason.may_be_cancelled());
        let Some(wait) = unpaid else { return Err(Refusal::NoAddressChange) };
        if !rows::cancel_address(tx, id, wait.version, now)? {
            return Err(Refusal::NoAddressChange);
        }
    }
    audit_log::append(tx, &entry(actor, now, "cancel_address_change", id, (None, None)))?;
    Ok(())
}
