//! Completion and expiry of payments, and their events in the same write.
//!
//! `domain::payment` decides. Completion needs trust in the chain at the tip, expiry needs
//! [`AtTip`].

use std::time::Duration;

use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::Trust;
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::payment::{self, Payment, Transition};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::operations::payment_events::{self, EventContext};
use crate::operations::rates::Rates;
use crate::store::payments::Evaluated;
use crate::store::{Error, ReadTx, WriteTx, blocks, chain_guard_alerts, coins, payments};

use super::changes::Changes;

/// Whether a payment expires: its time is over, and it was not paid in time.
pub(crate) fn is_expired(
    tx: &ReadTx,
    index: DerivationIndex,
    now: Timestamp,
    at_tip: AtTip,
) -> Result<bool, Error> {
    let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else {
        return Ok(false);
    };
    let coins = coins::of_payment(tx, index)?;
    Ok(payment::expires(&payment, status, &coins, now, &at_tip).is_some())
}

/// Expires a payment if its time is over and it was not paid in time.
pub(crate) fn expire(
    tx: &WriteTx,
    index: DerivationIndex,
    network: Network,
    now: Timestamp,
    at_tip: AtTip,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Some(found) = payments::readable(tx, index)? else { return Ok(()) };
    let coins = coins::of_payment(tx, index)?;
    if let Some(transition) = payment::expires(&found.payment, found.status, &coins, now, &at_tip) {
        let context = EventContext { network, now, mempool: None };
        payment_events::decide(tx, &found, transition, &coins, &context)?;
        changes.announced = true;
        tracing::info!(payment_id = %found.payment.id, "payment expired");
        changes.touch(found.payment.id);
    }
    Ok(())
}

/// Completes a payment if it is due at the present tip: it waited for the chain guard, or a
/// rescan found its coins.
pub(crate) fn complete(
    tx: &WriteTx,
    index: DerivationIndex,
    network: Network,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(()) };
    let trust = chain_guard_alerts::trust_at(tx, tip)?;
    complete_if_due(tx, index, tip, trust, network, now, changes)
}

/// Stores the completion and its event, if the payment is due.
pub(super) fn complete_if_due(
    tx: &WriteTx,
    index: DerivationIndex,
    tip: BlockId,
    trust: Trust,
    network: Network,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Some(found) = payments::readable(tx, index)? else { return Ok(()) };
    let coins = coins::of_payment(tx, index)?;
    let id = found.payment.id;
    changes.touch(id);
    let due = payment::completes(&found.payment, found.status, &coins, tip, trust);
    let Some(transition) = due else { return Ok(()) };
    let context = EventContext { network, now, mempool: None };
    payment_events::decide(tx, &found, transition, &coins, &context)?;
    changes.announced = true;
    changes.completed.push(id);
    if let Some(first) = coins.iter().map(|coin| coin.seen_at).min() {
        let after_ms = u64::try_from(now.ms_since(first)).unwrap_or(0);
        metrics::completed(Duration::from_millis(after_ms));
    }
    let late = matches!(transition, Transition::Complete { late: true });
    tracing::info!(payment_id = %id, late, "payment completed");
    Ok(())
}

/// Stores the events that follow from coins that began or ceased to count in this write.
pub(in crate::watcher) fn announce(
    tx: &WriteTx,
    context: &EventContext,
    rates: &Rates,
    changes: &mut Changes,
) -> Result<(), Error> {
    for index in std::mem::take(&mut changes.moved) {
        let Some(found) = payments::readable(tx, index)? else { continue };
        record_rates(tx, &found.payment, rates)?;
        changes.announced |= payment_events::store_coin_events(tx, &found, context)?;
    }
    Ok(())
}

/// Stores the exchange rate at the first sight of each late coin of a payment with a price.
fn record_rates(tx: &WriteTx, payment: &Payment, rates: &Rates) -> Result<(), Error> {
    let Some(price) = &payment.price else { return Ok(()) };
    for coin in coins::of_payment(tx, payment.index)? {
        if coin.rate.is_none()
            && coin.seen_at > payment.expires_at
            && let Some(decided) = rates.at(tx, price.amount.currency(), coin.seen_at)?
        {
            coins::set_rate(tx, coin.outpoint, decided.rate)?;
        }
    }
    Ok(())
}
