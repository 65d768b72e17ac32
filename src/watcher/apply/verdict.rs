//! Completion and expiry of payments: the stored verdict, and the event in the same write.
//!
//! `domain::payment` decides. Completion needs trust in the chain at the tip, expiry needs
//! [`AtTip`].

use std::time::Duration;

use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::Trust;
use crate::domain::event;
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::payment::{self, Transition};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::store::payments::Evaluated;
use crate::store::{Error, ReadTx, WriteTx, blocks, chain_guard_alerts, coins, events, payments};
use crate::view::CompletedView;

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
    now: Timestamp,
    at_tip: AtTip,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else { return Ok(()) };
    let coins = coins::of_payment(tx, index)?;
    if let Some(transition) = payment::expires(&payment, status, &coins, now, &at_tip) {
        payments::decide(tx, index, status, transition, now)?;
        tracing::info!(payment_id = %payment.id, "payment expired");
        changes.touch(payment.id);
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
    let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else { return Ok(()) };
    let coins = coins::of_payment(tx, index)?;
    changes.touch(payment.id);
    let Some(transition) = payment::completes(&payment, status, &coins, tip, trust) else {
        return Ok(());
    };
    payments::decide(tx, index, status, transition, now)?;
    changes.completed.push(payment.id);
    if let Some(first) = coins.iter().map(|coin| coin.seen_at).min() {
        let after_ms = u64::try_from(now.ms_since(first)).unwrap_or(0);
        metrics::completed(Duration::from_millis(after_ms));
    }
    let late = match transition {
        Transition::Complete { late } => late,
        Transition::Expire => false,
    };
    tracing::info!(payment_id = %payment.id, late, "payment completed");
    if let Some(url) = &payment.webhook_url {
        let view = CompletedView::new(&payment, &coins, network, now, late);
        let body = serde_json::to_string(&view)
            .map_err(|error| Error::Impossible(format!("webhook body: {error}")))?;
        events::insert(
            tx,
            &event::NewEvent {
                id: event::id_of(payment.id, event::Kind::Completed),
                index,
                kind: event::Kind::Completed,
                merchant: payment.merchant,
                url: url.clone(),
                body,
                created_at: now,
            },
        )?;
    }
    Ok(())
}
