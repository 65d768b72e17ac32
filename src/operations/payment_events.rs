//! Stores the events of a payment, in the transaction that causes them.

use std::collections::HashMap;

use bitcoin::Txid;

use crate::domain::event::{self, NewEvent};
use crate::domain::event_kind::EventKind;
use crate::domain::network::Network;
use crate::domain::payment::{self, CausedCoin, Coin, MempoolFacts, Payment, Status, Transition};
use crate::domain::time::Timestamp;
use crate::store::payments::Evaluated;
use crate::store::{Error, WriteTx, events, payments, pegouts};
use crate::view::{EventBody, Occurrence};

/// Facts of transactions in the mempool.
pub(crate) type Mempool = HashMap<Txid, MempoolFacts>;

/// When and where events are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventContext<'c> {
    pub(crate) network: Network,
    pub(crate) now: Timestamp,
    /// What is known about unconfirmed transactions.
    pub(crate) mempool: Option<&'c Mempool>,
}

/// Stores the events that the coins of a payment imply and that are not stored yet. Returns
/// whether there were any.
pub(crate) fn store_coin_events(
    tx: &WriteTx,
    found: &Evaluated,
    context: &EventContext,
) -> Result<bool, Error> {
    let Evaluated { payment, status } = found;
    let caused = pegouts::coins_with_causes(tx, payment.index)?;
    let announcements = payment::announcements(payment, *status, &caused);
    let mut stored = false;
    if announcements.is_empty() {
        return Ok(stored);
    }
    let coins: Vec<Coin> = caused.into_iter().map(|CausedCoin { coin, .. }| coin).collect();
    for announcement in announcements {
        let id = event::id_of(payment.id, announcement.kind, Some(announcement.cause));
        if events::exists(tx, &id)? {
            continue;
        }
        let mempool = context.mempool.and_then(|facts| facts.get(&announcement.txid));
        let mempool = mempool.filter(|_| announcement.kind == EventKind::Seen);
        let txid = Some(announcement.txid);
        store(tx, payment, *status, &coins, id, (announcement.kind, txid, mempool), context)?;
        stored = true;
    }
    Ok(stored)
}

/// Stores a change of status, and its event.
pub(crate) fn decide(
    tx: &WriteTx,
    found: &Evaluated,
    transition: Transition,
    coins: &[Coin],
    context: &EventContext,
) -> Result<Evaluated, Error> {
    let Evaluated { payment, status } = found;
    let after = payments::decide(tx, payment.index, *status, transition, context.now)?;
    let kind = match transition {
        Transition::Complete { .. } | Transition::Accept { .. } => EventKind::Completed,
        Transition::Expire | Transition::Cancel => EventKind::Expired,
    };
    let id = event::id_of(payment.id, kind, None);
    if !events::exists(tx, &id)? {
        store(tx, payment, after, coins, id, (kind, None, None), context)?;
    }
    Ok(Evaluated { payment: payment.clone(), status: after })
}

fn store(
    tx: &WriteTx,
    payment: &Payment,
    status: Status,
    coins: &[Coin],
    id: String,
    (kind, txid, mempool): (EventKind, Option<Txid>, Option<&MempoolFacts>),
    context: &EventContext,
) -> Result<(), Error> {
    let sequence = events::next_sequence(tx, payment.index)?;
    let occurrence = Occurrence { kind, sequence, at: context.now, txid, mempool };
    let body = EventBody::new(payment, status, coins, context.network, &occurrence);
    let body = serde_json::to_string(&body)
        .map_err(|error| Error::Impossible(format!("event body: {error}")))?;
    let url = payment.webhook_url.clone().filter(|_| payment.events.contains(kind));
    let (index, merchant) = (payment.index, payment.merchant);
    let new = NewEvent { id, index, kind, merchant, sequence, url, body, created_at: context.now };
    events::insert(tx, &new)
}
