//! Facts into the store: the heart of the gateway.
//!
//! Each function is part of one write: a block's coins, the statuses that they change and the
//! events that follow commit together or not at all. All of them may run again over the same
//! facts and change nothing the second time.
//!
//! Must not know: the node, the clock, who is waiting for the outcome.

mod mempool;
mod pegouts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::{AtTip, BlockId};
use crate::domain::chain_guard::Trust;
use crate::domain::event;
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::payment::{self, Coin, Origin, PaymentId, Place, Status, Transition};
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::node::codec::{Block, PegoutProof, Tx, TxKind};
use crate::store::bloom_filter::Complete;
use crate::store::payments::{Evaluated, Ours};
use crate::store::{
    Error, ReadTx, WriteTx, blocks, chain_guard_alerts, coins, events, payments, sweeps,
};
use crate::view::CompletedView;

use super::recognise::recognise_in_block;

pub(crate) use mempool::{Sight, evicted, saw};

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

/// Connects a block on top of our tip: its coins, their confirmations, the verdicts that follow.
/// The caller has checked that the block's parent is our tip. With a sieve, the database is asked
/// for less.
pub(crate) fn connect(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    network: Network,
    now: Timestamp,
    bloom_filter: Option<&Complete>,
) -> Result<Changes, Error> {
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    blocks::insert(tx, id, time)?;
    let mut changes = Changes::default();
    place_block(tx, block, id, now, bloom_filter, &mut changes)?;
    let trust = chain_guard_alerts::trust_at(tx, id)?;
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
    bloom_filter: Option<&Complete>,
    changes: &mut Changes,
) -> Result<(), Error> {
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    // Nearly everything in a block is somebody else's: that has to be seen quickly.
    let inputs = block.txs.iter().flat_map(|block_tx| &block_tx.inputs);
    let inputs =
        inputs.filter(|at| bloom_filter.is_none_or(|bloom_filter| bloom_filter.may_be_ours(at)));
    let mut known = coins::known(tx, inputs.copied())?;
    let ours = scripts_of_ours(tx, block, bloom_filter)?;
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
        let paid =
            Placing { block: id, seen_at: now.min(time), proof: &block.pegouts, ours: &ours };
        let placed = paid.place(tx, block_tx, txid, changes)?;
        known.extend(placed); // A later transaction of the block may spend them.
    }
    Ok(())
}

/// The scripts of a block's outputs that were given out, and for what.
pub(super) fn scripts_of_ours(
    tx: &ReadTx,
    block: &Block,
    bloom_filter: Option<&Complete>,
) -> Result<HashMap<ScriptBuf, Ours>, Error> {
    let outputs = block.txs.iter().flat_map(|block_tx| &block_tx.outputs);
    let scripts = outputs.map(|output| output.script_pubkey.as_script());
    let scripts = scripts
        .filter(|script| bloom_filter.is_none_or(|bloom_filter| bloom_filter.may_pay_us(script)));
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

/// How the outputs of a block are placed.
struct Placing<'b> {
    block: BlockId,
    /// When those that were not known are first seen.
    seen_at: Timestamp,
    proof: &'b PegoutProof,
    ours: &'b HashMap<ScriptBuf, Ours>,
}

impl Placing<'_> {
    /// Places the outputs of a transaction that pay us, and says which they are.
    fn place(
        &self,
        tx: &WriteTx,
        block_tx: &Tx,
        txid: Txid,
        changes: &mut Changes,
    ) -> Result<Vec<OutPoint>, Error> {
        let (origin, place) = (origin_of(block_tx.kind), Place::Block(self.block));
        let (mut placed, mut pegouts) = (Vec::new(), Vec::new());
        for (vout, output) in (0u32..).zip(&block_tx.outputs) {
            let Some(to) = self.ours.get(&output.script_pubkey).copied() else { continue };
            let Some(amount) = Amount::from_litoshis(output.value.to_sat()) else { continue };
            let (outpoint, index, seen_at) = (OutPoint { txid, vout }, to.index, self.seen_at);
            match origin {
                Origin::Pegout => {
                    pegouts.push(pegouts::Output { outpoint, index, amount, seen_at });
                }
                Origin::Plain | Origin::Coinbase if coins::exists(tx, outpoint)? => {
                    coins::move_to(tx, outpoint, place)?;
                }
                Origin::Plain | Origin::Coinbase => {
                    let coin = Coin { outpoint, index, amount, origin, seen_at, place };
                    coins::insert(tx, &coin)?;
                }
            }
            changes.touch(to.id);
            placed.push(outpoint);
        }
        pegouts::place(tx, txid, &pegouts, place, self.proof, self.ours)?;
        Ok(placed)
    }
}

/// Takes a coin out of its block. It returns to the mempool, for the next comparison to judge; an
/// output of a coinbase or a HogEx cannot be there and is gone, and for the latter its announcement
/// returns.
pub(super) fn unmine(tx: &WriteTx, coin: &Coin) -> Result<(), Error> {
    match coin.origin {
        Origin::Plain => coins::move_to(tx, coin.outpoint, Place::Mempool),
        Origin::Coinbase => coins::move_to(tx, coin.outpoint, Place::Removed),
        Origin::Pegout => crate::store::pegouts::unmine(tx, coin.outpoint),
    }
}

/// Takes our tip back, and all that its block says of our coins and sweeps.
pub(crate) fn disconnect(tx: &WriteTx, id: BlockId) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    let coins = coins::at_height(tx, id.height)?;
    for coin in &coins {
        unmine(tx, coin)?;
    }
    // A line for each payment and not for each coin: anybody may pay with thousands.
    let lost: BTreeMap<DerivationIndex, Txid> =
        coins.iter().map(|coin| (coin.index, coin.outpoint.txid)).collect();
    for (index, txid) in lost {
        let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else { continue };
        if let Status::Completed { .. } = status {
            tracing::warn!(
                payment.id = %payment.id, %txid, height = id.height,
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
    let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else {
        return Ok(false);
    };
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
    let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else { return Ok(()) };
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
    let trust = chain_guard_alerts::trust_at(tx, tip)?;
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
        metrics::completed(std::time::Duration::from_millis(after_ms));
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
