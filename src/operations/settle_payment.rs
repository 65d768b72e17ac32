//! The merchant's decisions about a payment: accept it as it is, or cancel it.

use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::payment::{self, PaymentId, Status, Transition};
use crate::domain::time::Timestamp;
use crate::store::payments::Evaluated;
use crate::store::{WriteTx, audit_log, blocks, chain_guard_alerts, coins, payments};

use super::actor::{Actor, entry};
use super::payment_events::{self, EventContext};
use super::refusal::Refusal;

/// [`accept`] or [`cancel`].
pub(crate) type Operation = fn(
    &WriteTx,
    &Actor,
    Option<MerchantId>,
    PaymentId,
    Network,
    Timestamp,
) -> Result<Evaluated, Refusal>;

/// Accepts a partly paid or expired payment with the coins that are confirmed. A payment that
/// is completed already does not change. With a merchant, only its own payments.
///
/// # Errors
/// If there is no such payment, or none of its coins is confirmed.
pub(crate) fn accept(
    tx: &WriteTx,
    actor: &Actor,
    merchant: Option<MerchantId>,
    id: PaymentId,
    network: Network,
    now: Timestamp,
) -> Result<Evaluated, Refusal> {
    let found = of_merchant(tx, merchant, id)?;
    let coins = coins::of_payment(tx, found.payment.index)?;
    let tip = blocks::tip(tx)?.ok_or(Refusal::NothingConfirmed)?;
    let trust = chain_guard_alerts::trust_at(tx, tip)?;
    let transition = payment::accepts(&found.payment, found.status, &coins, tip, trust)
        .map_err(|_| Refusal::NothingConfirmed)?;
    let Some(transition) = transition else { return Ok(found) };
    let context = EventContext { network, now, mempool: None };
    let after = payment_events::decide(tx, &found, transition, &coins, &context)?;
    let counted = match transition {
        Transition::Accept { counted, .. } => format!(" with {counted} LTC"),
        Transition::Complete { .. } | Transition::Expire | Transition::Cancel => String::new(),
    };
    let before = format!("{id} {}", found.status.as_str());
    let change = (Some(before), Some(format!("{id} accepted{counted}")));
    audit_log::append(tx, &entry(actor, now, "accept", found.payment.merchant, change))?;
    tracing::info!(payment_id = %id, "payment accepted");
    Ok(after)
}

/// Cancels a payment on which no coin was ever seen. It expires now, and completes later only
/// if the merchant accepts it. A cancelled payment does not change.
///
/// # Errors
/// If there is no such payment, or a coin was seen.
pub(crate) fn cancel(
    tx: &WriteTx,
    actor: &Actor,
    merchant: Option<MerchantId>,
    id: PaymentId,
    network: Network,
    now: Timestamp,
) -> Result<Evaluated, Refusal> {
    let found = of_merchant(tx, merchant, id)?;
    if !coins::of_payment(tx, found.payment.index)?.is_empty() {
        return Err(Refusal::PaymentHasCoins);
    }
    match found.status {
        Status::Expired { cancelled: true, .. } => return Ok(found),
        // Its coins cannot be read.
        Status::Completed { .. } => return Err(Refusal::PaymentHasCoins),
        Status::Pending | Status::Expired { cancelled: false, .. } => {}
    }
    let context = EventContext { network, now, mempool: None };
    let after = payment_events::decide(tx, &found, Transition::Cancel, &[], &context)?;
    let before = format!("{id} {}", found.status.as_str());
    let change = (Some(before), Some(format!("{id} cancelled")));
    audit_log::append(tx, &entry(actor, now, "cancel", found.payment.merchant, change))?;
    tracing::info!(payment_id = %id, "payment cancelled");
    Ok(after)
}

fn of_merchant(
    tx: &WriteTx,
    merchant: Option<MerchantId>,
    id: PaymentId,
) -> Result<Evaluated, Refusal> {
    let found = payments::by_id(tx, id)?;
    let theirs = |found: &Evaluated| merchant.is_none_or(|own| found.payment.merchant == own);
    found.filter(theirs).ok_or(Refusal::UnknownPayment)
}
