//! What the mempool of the followed node shows, into the store.

use std::collections::BTreeMap;

use bitcoin::{OutPoint, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::AtTip;
use crate::domain::payment::{self, Coin, Origin, PaymentId, Place};
use crate::domain::time::Timestamp;
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::store::payments::{Evaluated, Ours};
use crate::store::{Error, WriteTx, coins, payments};

use super::Changes;
use super::pegouts::{Announcements, Output, Seen};

/// When transactions of the mempool are seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) now: Timestamp,
    /// When the whole mempool of this node was last compared: what is new was not there then.
    pub(crate) compared_at: Option<Timestamp>,
}

impl Sight {
    fn of(&self, seen: &SeenTx, to: &Ours) -> Timestamp {
        let not_before = self.compared_at.map_or(to.created_at, |at| at.max(to.created_at));
        payment::first_sight(self.now, seen.entered_at, not_before)
    }
}

/// Records transactions in the mempool that pay us.
pub(crate) fn saw(tx: &WriteTx, seen: &[SeenTx], sight: Sight) -> Result<Changes, Error> {
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
    for (of, output) in seen.iter().flat_map(|of| of.outputs.iter().map(move |o| (of, o))) {
        let Some(to) = ours.get(&output.script) else { continue };
        let coin = before.get(&output.outpoint);
        let (at, seen_at) = (output.outpoint, sight.of(of, to));
        let found = match output.kind {
            OutputKind::Plain => see(tx, output, to, seen_at, coin.map(|(coin, _)| coin))?,
            OutputKind::Pegout { id } => {
                let (index, amount) = (to.index, output.amount);
                let output = Output { outpoint: at, index, amount, seen_at };
                announcements.see(tx, output, id, coin)?
            }
        };
        if found == Seen::Counts {
            let sum = sums.entry((to.id, at.txid)).or_insert(Amount::ZERO);
            *sum = Amount::total([*sum, output.amount]);
        }
    }
    let mut changes = Changes::default();
    for ((id, txid), amount) in sums {
        tracing::info!(payment.id = %id, %txid, %amount, "payment seen");
        changes.touch(id);
    }
    Ok(changes)
}

/// Records an ordinary output.
fn see(
    tx: &WriteTx,
    output: &SeenOutput,
    to: &Ours,
    seen_at: Timestamp,
    before: Option<&Coin>,
) -> Result<Seen, Error> {
    let (outpoint, index, amount) = (output.outpoint, to.index, output.amount);
    let (origin, place) = (Origin::Plain, Place::Mempool);
    match before.map(|coin| coin.place) {
        None => coins::insert(tx, &Coin { outpoint, index, amount, origin, seen_at, place })?,
        // It had been dropped and is back.
        Some(Place::Removed) => coins::move_to(tx, outpoint, place)?,
        // In a block: only disconnecting that block takes it out.
        Some(Place::Mempool | Place::Block(_)) => return Ok(Seen::Nothing),
    }
    Ok(Seen::Counts)
}

/// Records that transactions have left the mempool and are in no block of ours.
pub(crate) fn evicted(
    tx: &WriteTx,
    removed: &[OutPoint],
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
        tracing::info!(payment.id = %id, %txid, "replaced or dropped");
        changes.touch(id);
    }
    Ok(changes)
}
