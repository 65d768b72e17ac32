//! Stores blocks and mempool transactions: coins, statuses and events.
//!
//! Each function is part of one write, so a block's coins, the statuses that they change and
//! the events that follow commit together or not at all. All are idempotent.
//!
//! Must not know: the node, the clock, who is notified.

mod changes;
mod mempool;
mod pegouts;
mod verdict;

use std::collections::{BTreeMap, HashMap};

use bitcoin::{OutPoint, ScriptBuf, Txid};

use crate::domain::amount::Amount;
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::payment::{Coin, Origin, Place, Status};
use crate::domain::time::Timestamp;
use crate::node::codec::{Block, PegoutProof, Tx, TxKind};
use crate::operations::payment_events::EventContext;
use crate::operations::rates::Rates;
use crate::store::bloom_filter::Complete;
use crate::store::payments::{Evaluated, Ours};
use crate::store::{Error, ReadTx, WriteTx, blocks, chain_guard_alerts, coins, payments, sweeps};

use super::recognise::recognise_in_block;

pub(crate) use changes::Changes;
pub(crate) use mempool::{SeenAt, evict, record_seen};
pub(super) use verdict::announce;
pub(crate) use verdict::{complete, expire, is_expired};

use verdict::complete_if_due;

/// Connects a block on top of the tip: stores its coins, and completes payments that become
/// due. The caller has checked that the tip is the block's parent. The Bloom filter saves
/// queries.
pub(crate) fn connect(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    context: &EventContext,
    rates: &Rates,
    bloom_filter: Option<&Complete>,
) -> Result<Changes, Error> {
    let EventContext { network, now, .. } = *context;
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    blocks::insert(tx, id, time)?;
    let mut changes = Changes::default();
    place_block(tx, block, id, now, bloom_filter, &mut changes)?;
    announce(tx, context, rates, &mut changes)?;
    let trust = chain_guard_alerts::trust_at(tx, id)?;
    for one in payments::gaining_at(tx, id.height)? {
        changes.touch(one.id); // The page shows one more confirmation.
        if one.may_be_due {
            complete_if_due(tx, one.index, id, trust, network, now, &mut changes)?;
        }
    }
    Ok(changes)
}

/// Stores a block's effect on coins and sweeps. The block is in the gateway's chain.
pub(super) fn place_block(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    now: Timestamp,
    bloom_filter: Option<&Complete>,
    changes: &mut Changes,
) -> Result<(), Error> {
    let time = Timestamp::from_seconds(i64::from(block.header.time));
    // Nearly everything in a block is foreign, and ruled out without a query.
    let inputs = block.txs.iter().flat_map(|block_tx| &block_tx.inputs);
    let inputs =
        inputs.filter(|at| bloom_filter.is_none_or(|bloom_filter| bloom_filter.may_be_ours(at)));
    let mut known = coins::known(tx, inputs.copied())?;
    let ours = scripts_of_ours(tx, block, bloom_filter)?;
    for block_tx in &block.txs {
        let Some(txid) = block_tx.txid else { continue }; // Cannot happen in a block.
        let spent = block_tx.inputs.iter().filter(|input| known.contains(*input));
        let spent: Vec<OutPoint> = spent.copied().collect();
        // A sweep spends only the gateway's coins. It is stored before its spends.
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

/// The issued scripts among a block's outputs, with their payments.
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

/// The origin of the outputs of a transaction in a block.
pub(super) fn origin_of(kind: TxKind) -> Origin {
    match kind {
        TxKind::Plain | TxKind::MwebOnly => Origin::Plain,
        TxKind::Coinbase => Origin::Coinbase,
        TxKind::Hogex => Origin::Pegout,
    }
}

struct Placing<'b> {
    block: BlockId,
    /// The first-seen time of outputs that were not stored before.
    seen_at: Timestamp,
    proof: &'b PegoutProof,
    ours: &'b HashMap<ScriptBuf, Ours>,
}

impl Placing<'_> {
    /// Stores the outputs of a transaction that pay the gateway, and returns them.
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
                    changes.move_coin_of(index);
                }
                Origin::Plain | Origin::Coinbase => match coins::counts(tx, outpoint)? {
                    Some(counted) => {
                        coins::move_to(tx, outpoint, place)?;
                        if !counted {
                            changes.move_coin_of(index);
                        }
                    }
                    None => {
                        let coin =
                            Coin { outpoint, index, amount, origin, seen_at, place, rate: None };
                        coins::insert(tx, &coin)?;
                        changes.move_coin_of(index);
                    }
                },
            }
            changes.touch(to.id);
            placed.push(outpoint);
        }
        pegouts::place(tx, txid, &pegouts, place, self.proof, self.ours)?;
        Ok(placed)
    }
}

/// Takes a coin out of its block. A plain coin returns to the mempool until the next
/// comparison. Outputs of a coinbase or a HogEx cannot be in a mempool: they are removed, and
/// a peg-out counts by its announcement again.
pub(super) fn unmine(tx: &WriteTx, coin: &Coin) -> Result<(), Error> {
    match coin.origin {
        Origin::Plain => coins::move_to(tx, coin.outpoint, Place::Mempool),
        Origin::Coinbase => coins::move_to(tx, coin.outpoint, Place::Removed),
        Origin::Pegout => crate::store::pegouts::unmine(tx, coin.outpoint),
    }
}

/// Disconnects the tip, and undoes its effect on coins and sweeps.
pub(crate) fn disconnect(
    tx: &WriteTx,
    id: BlockId,
    context: &EventContext,
    rates: &Rates,
) -> Result<Changes, Error> {
    let mut changes = Changes::default();
    let coins = coins::at_height(tx, id.height)?;
    for coin in &coins {
        unmine(tx, coin)?;
        if coin.origin != Origin::Plain {
            changes.move_coin_of(coin.index);
        }
    }
    announce(tx, context, rates, &mut changes)?;
    // One line for each payment, because it may have thousands of coins.
    let lost: BTreeMap<DerivationIndex, Txid> =
        coins.iter().map(|coin| (coin.index, coin.outpoint.txid)).collect();
    for (index, txid) in lost {
        let Some(Evaluated { payment, status }) = payments::readable(tx, index)? else { continue };
        if let Status::Completed { .. } = status {
            tracing::warn!(
                payment_id = %payment.id, %txid, height = id.height,
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

#[cfg(test)]
mod tests;
