//! Stores coins that are seen in the mempool, and evicts coins that left it.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::AtTip;
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, Origin, PaymentId, Place};
use crate::domain::time::Timestamp;
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::operations::payment_events::{EventContext, Mempool};
use crate::operations::rates::Rates;
use crate::store::payments::{Evaluated, Ours};
use crate::store::{Error, WriteTx, coins, payments};

use super::changes::Changes;
use super::pegouts::{Announcements, Output, Seen};
use super::verdict::announce;

/// The times that decide when a mempool transaction was first seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeenAt {
    pub(crate) now: Timestamp,
    /// When the node's whole mempool was last compared. A new transaction was not there then.
    pub(crate) compared_at: Option<Timestamp>,
}

impl SeenAt {
    fn first_seen(&self, seen: &SeenTx, to: &Ours) -> Timestamp {
        let not_before = self.compared_at.map_or(to.created_at, |at| at.max(to.created_at));
        payment::first_sight(self.now, seen.entered_at, not_before)
    }
}

/// Stores mempool transactions that pay the gateway.
pub(crate) fn record_seen(
    tx: &WriteTx,
    seen: &[SeenTx],
    network: Network,
    rates: &Rates,
    times: SeenAt,
) -> Result<Changes, Error> {
    let outputs = || seen.iter().flat_map(|seen| &seen.outputs);
    let ours = payments::of_scripts(tx, outputs().map(|output| output.script.as_script()))?;
    let txids = outputs().map(|output| output.outpoint.txid);
    let before = coins::of_txids(tx, txids)?;
    let ids = outputs().filter_map(|output| match output.kind {
        OutputKind::Pegout { id } => id,
        OutputKind::Plain => None,
    });
    let known = before.values().filter_map(|(_, sequence)| *sequence);
    let mut announcements = Announcements::load(tx, ids, known)?;
    let mut sums: BTreeMap<(PaymentId, Txid), Amount> = BTreeMap::new();
    let mut changes = Changes::default();
    for (of, output) in seen.iter().flat_map(|of| of.outputs.iter().map(move |o| (of, o))) {
        let Some(to) = ours.get(&output.script) else { continue };
        let coin = before.get(&output.outpoint);
        let (at, seen_at) = (output.outpoint, times.first_seen(of, to));
        let found = match output.kind {
            OutputKind::Plain => {
                record_output(tx, output, to, seen_at, coin.map(|(coin, _)| coin))?
            }
            OutputKind::Pegout { id } => {
                let (index, amount) = (to.index, output.amount);
                let output = Output { outpoint: at, index, amount, seen_at };
                announcements.record(tx, output, id, coin)?
            }
        };
        if found == Seen::Counts {
            let sum = sums.entry((to.id, at.txid)).or_insert(Amount::ZERO);
            *sum = Amount::total([*sum, output.amount]);
            changes.move_coin_of(to.index);
        }
    }
    for ((id, txid), amount) in sums {
        tracing::info!(payment_id = %id, %txid, %amount, "payment seen");
        changes.touch(id);
    }
    let facts = seen.iter().filter_map(|seen| seen.facts.map(|facts| (seen.txid, facts)));
    let facts: Mempool = facts.collect();
    let context = EventContext { network, now: times.now, mempool: Some(&facts) };
    announce(tx, &context, rates, &mut changes)?;
    Ok(changes)
}

fn record_output(
    tx: &WriteTx,
    output: &SeenOutput,
    to: &Ours,
    seen_at: Timestamp,
    before: Option<&Coin>,
) -> Result<Seen, Error> {
    let (outpoint, index, amount) = (output.outpoint, to.index, output.amount);
    let (origin, place) = (Origin::Plain, Place::Mempool);
    match before.map(|coin| coin.place) {
        None => coins::insert(
            tx,
            &Coin { outpoint, index, amount, origin, seen_at, place, rate: None },
        )?,
        // It was evicted and is back.
        Some(Place::Removed) => coins::move_to(tx, outpoint, place)?,
        // Only disconnecting its block moves a coin out of it.
        Some(Place::Mempool | Place::Block(_)) => return Ok(Seen::Nothing),
    }
    Ok(Seen::Counts)
}

/// Evicts coins that left the mempool and are in no block of the gateway's chain.
pub(crate) fn evict(
    tx: &WriteTx,
    removed: &[OutPoint],
    context: &EventContext,
    rates: &Rates,
    _at_tip: &AtTip,
) -> Result<Changes, Error> {
    let before = coins::of_txids(tx, removed.iter().map(|at| at.txid))?;
    let mut lost: BTreeMap<(u32, Txid), &Coin> = BTreeMap::new();
    for (coin, _) in removed.iter().filter_map(|at| before.get(at)) {
        if coin.place == Place::Mempool {
            coins::move_to(tx, coin.outpoint, Place::Removed)?;
            lost.insert((coin.index.get(), coin.outpoint.txid), coin);
        }
    }
    let mut changes = Changes::default();
    for ((_, txid), coin) in lost {
        let Some(Evaluated { payment, .. }) = payments::readable(tx, coin.index)? else { continue };
        let id = payment.id;
        tracing::info!(payment_id = %id, %txid, "payment replaced or evicted");
        changes.touch(id);
        changes.move_coin_of(coin.index);
    }
    announce(tx, context, rates, &mut changes)?;
    Ok(changes)
}
