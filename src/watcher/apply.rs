//! Facts into the store: the heart of the gateway.
//!
//! Each function is part of one write: a block's coins, the statuses that they change and the
//! events that follow commit together or not at all. All of them may run again over the same
//! facts and change nothing the second time.
//!
//! Must not know: the node, the clock, who is waiting for the outcome.

use std::collections::{BTreeSet, HashMap};

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::{AtTip, BlockId};
use crate::domain::doubt::Trust;
use crate::domain::event;
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, Origin, PaymentId, Place, Status, Transition};
use crate::domain::time::Timestamp;
use crate::measures;
use crate::node::codec::{Block, Tx, TxKind};
use crate::node::rpc::SeenOutput;
use crate::store::payments::{Judged, Ours};
use crate::store::sieve::Complete;
use crate::store::{Error, ReadTx, WriteTx, blocks, coins, doubts, events, payments, sweeps};
use crate::view::CompletedView;

use super::recognise::recognise_in_block;

/// What a write changed, for the signals that follow its commit.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Payments whose pages may show something else now.
    pub(crate) payments: BTreeSet<PaymentId>,
    /// Payments that became complete.
    pub(crate) completed: Vec<PaymentId>,
}

impl Changes {
    fn touch(&mut self, id: PaymentId) {
        self.payments.insert(id);
    }

    /// Adds what another part of the same write changed.
    pub(super) fn add(&mut self, more: Changes) {
        self.payments.extend(more.payments);
        self.completed.extend(more.completed);
    }
}

/// Records the outputs of a transaction in the mempool that pay us.
pub(crate) fn saw_tx(
    tx: &WriteTx,
    outputs: &[SeenOutput],
    now: Timestamp,
) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for output in outputs {
        let Some(index) = payments::index_of_script(tx, &output.script)? else { continue };
        let origin = if output.pegout { Origin::Pegout } else { Origin::Plain };
        let coin = Coin {
            outpoint: output.outpoint,
            index,
            amount: output.amount,
            origin,
            seen_at: now,
            place: Place::Mempool,
        };
        match coins::by_outpoint(tx, coin.outpoint)? {
            None if output.pegout => {
                let known = pegouts_of(tx, index, output.amount)?;
                let seen_at = first_seen_of_lost(&known).unwrap_or_else(|| told_apart(&known, now));
                coins::insert(tx, &Coin { seen_at, ..coin })?;
            }
            None => coins::insert(tx, &coin)?,
            // It had been dropped and is back.
            Some(known) if known.place == Place::Gone => {
                coins::move_to(tx, coin.outpoint, Place::Mempool)?;
            }
            // In a block: only disconnecting that block takes it out.
            Some(_) => continue,
        }
        let id = payments::by_index(tx, index)?.payment.id;
        tracing::info!(payment.id = %id, txid = %coin.outpoint.txid, amount = %coin.amount, "payment seen");
        changes.touch(id);
    }
    Ok(changes)
}

/// Records that transactions have left the mempool and are in no block of ours.
pub(crate) fn dropped(tx: &WriteTx, gone: &[OutPoint], _at_tip: &AtTip) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for outpoint in gone {
        let Some(coin) = coins::by_outpoint(tx, *outpoint)? else { continue };
        if coin.place == Place::Mempool {
            coins::move_to(tx, *outpoint, Place::Gone)?;
            let id = payments::by_index(tx, coin.index)?.payment.id;
            tracing::info!(payment.id = %id, txid = %outpoint.txid, "replaced or dropped");
            changes.touch(id);
        }
    }
    Ok(changes)
}

/// Connects a block on top of our tip: its coins, their confirmations, the verdicts that follow.
/// The caller has checked that the block's parent is our tip. With a sieve, the database is asked
/// for less.
pub(crate) fn connect(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    network: Network,
    now: Timestamp,
    sieve: Option<&Complete>,
) -> Result<Changes, Error> {
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    blocks::insert(tx, id, time)?;
    let mut changes = Changes::default();
    place_block(tx, block, id, now, sieve, &mut changes)?;
    let trust = doubts::trust_at(tx, id)?;
    for one in payments::gaining_at(tx, id.height)? {
        changes.touch(one.id); // One more confirmation to show, if nothing else.
        if one.may_be_due {
            complete_if_due(tx, one.index, id, trust, network, now, &mut changes)?;
        }
    }
    Ok(changes)
}

/// Records what a block says of our coins and sweeps. The block is in our chain.
pub(super) fn place_block(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    now: Timestamp,
    sieve: Option<&Complete>,
    changes: &mut Changes,
) -> Result<(), Error> {
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    // Nearly everything in a block is somebody else's: that has to be seen quickly.
    let inputs = block.txs.iter().flat_map(|block_tx| &block_tx.inputs);
    let inputs = inputs.filter(|at| sieve.is_none_or(|sieve| sieve.may_be_ours(at)));
    let mut known = coins::known(tx, inputs.copied())?;
    let ours = scripts_of_ours(tx, block, sieve)?;
    for block_tx in &block.txs {
        let Some(txid) = block_tx.txid else { continue }; // Not in a block: its id is known.
        let spent = block_tx.inputs.iter().filter(|input| known.contains(*input));
        let spent: Vec<OutPoint> = spent.copied().collect();
        // A sweep spends nothing but our coins. What it is, is recorded before what it spends.
        let is_known = spent.is_empty() || sweeps::confirm_in_block(tx, txid, id)?;
        if !is_known && spent.len() == block_tx.inputs.len() {
            recognise_in_block(tx, block_tx, txid, id, time, now)?;
        }
        for input in spent {
            coins::spend(tx, input, txid, id.height)?;
        }
        let placed = place_coins(tx, block_tx, txid, id, now.min(time), &ours, changes)?;
        known.extend(placed); // A later transaction of the block may spend them.
    }
    Ok(())
}

/// The scripts of a block's outputs that were given out, and for what.
pub(super) fn scripts_of_ours(
    tx: &ReadTx,
    block: &Block,
    sieve: Option<&Complete>,
) -> Result<HashMap<ScriptBuf, Ours>, Error> {
    let outputs = block.txs.iter().flat_map(|block_tx| &block_tx.outputs);
    let scripts = outputs.map(|output| output.script_pubkey.as_script());
    let scripts = scripts.filter(|script| sieve.is_none_or(|sieve| sieve.may_pay_us(script)));
    payments::of_scripts(tx, scripts)
}

/// What the outputs of a transaction in a block are.
pub(super) fn origin_of(kind: TxKind) -> Origin {
    match kind {
        TxKind::Plain | TxKind::MwebOnly => Origin::Plain,
        TxKind::Coinbase => Origin::Coinbase,
        TxKind::Hogex => Origin::Pegout,
    }
}

/// Places the outputs of a transaction in a block that pay us, and says which they are.
fn place_coins(
    tx: &WriteTx,
    block_tx: &Tx,
    txid: Txid,
    block: BlockId,
    seen_at: Timestamp,
    ours: &HashMap<ScriptBuf, Ours>,
    changes: &mut Changes,
) -> Result<Vec<OutPoint>, Error> {
    let mut placed = Vec::new();
    let origin = origin_of(block_tx.kind);
    for (vout, output) in (0u32..).zip(&block_tx.outputs) {
        let Some(Ours { index, id }) = ours.get(&output.script_pubkey).copied() else { continue };
        let Some(amount) = Amount::from_litoshis(output.value.to_sat()) else { continue };
        let outpoint = OutPoint { txid, vout };
        let place = Place::Block(block);
        if coins::by_outpoint(tx, outpoint)?.is_some() {
            coins::move_to(tx, outpoint, place)?;
        } else {
            let announced = match origin {
                Origin::Pegout => succeed_announced(tx, index, amount, seen_at)?,
                Origin::Plain | Origin::Coinbase => None,
            };
            let seen_at = announced.unwrap_or(seen_at);
            coins::insert(tx, &Coin { outpoint, index, amount, origin, seen_at, place })?;
        }
        changes.touch(id);
        placed.push(outpoint);
    }
    Ok(placed)
}

/// A peg-out in a block takes the place of its announcement in the mempool, under another txid.
/// Answers when that was first seen.
fn succeed_announced(
    tx: &WriteTx,
    index: DerivationIndex,
    amount: Amount,
    seen_at: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let known = pegouts_of(tx, index, amount)?;
    let Some(announced) = known.iter().find(|coin| coin.place == Place::Mempool) else {
        let first = first_seen_of_lost(&known);
        return Ok(first.or_else(|| Some(told_apart(&known, seen_at))));
    };
    coins::move_to(tx, announced.outpoint, Place::Gone)?;
    Ok(Some(announced.seen_at))
}

/// When a peg-out was first seen that comes again under another txid, after a reorganisation: as
/// the output of another HogEx, or back in the mempool. Peg-outs are told apart by amount and
/// time; one that a coin which counts has succeeded already is not taken twice.
fn first_seen_of_lost(known: &[Coin]) -> Option<Timestamp> {
    let succeeded = |seen_at| known.iter().any(|coin| coin.counts() && coin.seen_at == seen_at);
    let lost = known.iter().filter(|coin| !coin.counts()).map(|coin| coin.seen_at);
    lost.filter(|seen_at| !succeeded(*seen_at)).min()
}

/// A time that no equal peg-out of the payment has: of several that are seen at once, each gets
/// one of its own, a millisecond earlier than the last.
fn told_apart(known: &[Coin], mut seen_at: Timestamp) -> Timestamp {
    while known.iter().any(|coin| coin.seen_at == seen_at) {
        seen_at = seen_at.plus_ms(-1);
    }
    seen_at
}

fn pegouts_of(tx: &ReadTx, index: DerivationIndex, amount: Amount) -> Result<Vec<Coin>, Error> {
    let mut known = coins::of_payment(tx, index)?;
    known.retain(|coin| coin.origin == Origin::Pegout && coin.amount == amount);
    Ok(known)
}

/// Takes our tip back. Its coins return to the mempool, for the next look there to judge; an
/// output of a coinbase or a HogEx cannot be there and is gone.
pub(crate) fn disconnect(tx: &WriteTx, id: BlockId) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    for coin in coins::at_height(tx, id.height)? {
        let place = match coin.origin {
            Origin::Plain => Place::Mempool,
            Origin::Coinbase | Origin::Pegout => Place::Gone,
        };
        coins::move_to(tx, coin.outpoint, place)?;
        let Judged { payment, status } = payments::by_index(tx, coin.index)?;
        if let Status::Completed { .. } = status {
            tracing::warn!(
                payment.id = %payment.id, txid = %coin.outpoint.txid, height = id.height,
                "a coin of a completed payment left the best chain"
            );
        }
        changes.touch(payment.id);
    }
    coins::unspend_at_height(tx, id.height)?;
    sweeps::unconfirm_from_block(tx, id)?;
    blocks::remove_tip(tx, id)?;
    Ok(changes)
}

/// Whether a payment's time is up and it was not paid in time.
pub(super) fn is_over(
    tx: &ReadTx,
    index: DerivationIndex,
    now: Timestamp,
    at_tip: AtTip,
) -> Result<bool, Error> {
    let Judged { payment, status } = payments::by_index(tx, index)?;
    let coins = coins::of_payment(tx, index)?;
    Ok(payment::expires(&payment, status, &coins, now, &at_tip).is_some())
}

/// Expires a payment if its time is up and it was not paid in time.
pub(super) fn expire(
    tx: &WriteTx,
    index: DerivationIndex,
    now: Timestamp,
    at_tip: AtTip,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Judged { payment, status } = payments::by_index(tx, index)?;
    let coins = coins::of_payment(tx, index)?;
    if let Some(transition) = payment::expires(&payment, status, &coins, now, &at_tip) {
        payments::decide(tx, index, status, transition, now)?;
        tracing::info!(payment.id = %payment.id, "expired");
        changes.touch(payment.id);
    }
    Ok(())
}

/// Completes a payment if it is due at our tip as it is now: one that waited for the chain to be
/// trusted, or whose coins were found in a block that was read again.
pub(super) fn complete(
    tx: &WriteTx,
    index: DerivationIndex,
    network: Network,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(()) };
    let trust = doubts::trust_at(tx, tip)?;
    complete_if_due(tx, index, tip, trust, network, now, changes)
}

/// Stores the completion and its event in this write, if they are due.
fn complete_if_due(
    tx: &WriteTx,
    index: DerivationIndex,
    tip: BlockId,
    trust: Trust,
    network: Network,
    now: Timestamp,
    changes: &mut Changes,
) -> Result<(), Error> {
    let Judged { payment, status } = payments::by_index(tx, index)?;
    let coins = coins::of_payment(tx, index)?;
    changes.touch(payment.id);
    let Some(transition) = payment::completes(&payment, status, &coins, tip, trust) else {
        return Ok(());
    };
    payments::decide(tx, index, status, transition, now)?;
    changes.completed.push(payment.id);
    if let Some(first) = coins.iter().map(|coin| coin.seen_at).min() {
        let after_ms = u64::try_from(now.ms_since(first)).unwrap_or(0);
        measures::completed(std::time::Duration::from_millis(after_ms));
    }
    let late = match transition {
        Transition::Complete { late } => late,
        Transition::Expire => false,
    };
    tracing::info!(payment.id = %payment.id, late, "completed");
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

#[cfg(test)]
mod tests;
