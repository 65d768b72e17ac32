//! `litegate rescan`: reads followed blocks again, and repairs stored facts that differ.
//!
//! Coins are placed by the code that connects a block, so nothing changes where nothing is
//! wrong. Each block is one write, and is tried again if it left the gateway's chain, so a
//! rescan may run while the gateway serves, and may be repeated.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use bitcoin::{OutPoint, Txid};

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::chain::{BlockId, OurTip};
use crate::domain::keys::DerivationIndex;
use crate::domain::network::Network;
use crate::domain::payment::{Coin, Origin};
use crate::node::codec::Block;
use crate::node::rpc::Node;
use crate::operations::payment_events::EventContext;
use crate::operations::rates::Rates;
use crate::progress::{OnProgress, Progress};
use crate::store::batches::{Batches, ROWS_MAX};
use crate::store::payments::Ours;
use crate::store::{
    Error, ReadTx, Store, WriteTx, accounts, blocks, coins, merchants, payments, sweeps, totals,
};

use super::apply::{self, Changes};
use super::proof;
use super::sync::Terms;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rescanned {
    /// The first and the last height that was read.
    pub(crate) heights: Option<(u32, u32)>,
    /// Stored facts that differed and are repaired.
    pub(crate) repaired: u32,
    pub(crate) completed: u32,
}

/// How often a block is tried while the chain moves.
const TRIES_MAX: u32 = 10;

/// Reads the blocks from a height up to the gateway's tip again. Blocks before the gateway's
/// first block hold no payment and are skipped.
///
/// # Errors
/// If the node is unreachable or no longer has one of the blocks.
pub(crate) fn rescan(
    store: &Store,
    node: &Node,
    terms: &Terms,
    from_height: u32,
    on_progress: OnProgress,
) -> anyhow::Result<Rescanned> {
    let mut done = Rescanned::default();
    let Some(first) = store.read_blocking(blocks::first)? else { return Ok(done) };
    let from = from_height.max(first.height.saturating_add(1));
    let mut height = from;
    let mut tries = 0u32;
    while let Some(id) = store.read_blocking(|tx| blocks::at_height(tx, height))? {
        let tip = store.read_blocking(blocks::tip)?.map_or(height, |tip| tip.height);
        let since = |height: u32| height.saturating_sub(from).into();
        let of = since(tip.saturating_add(1));
        on_progress(Progress { what: "reading blocks again", done: since(height), of });
        let mut block = node.block(id.hash).with_context(|| {
            format!("read block {height} again (a pruned node has only the newest blocks)")
        })?;
        proof::complete(&mut block, node, store)?;
        let (context, of_write) = (terms.event_context(), terms.rates.clone());
        let write = move |tx: &WriteTx| reread(tx, &block, id, &context, &of_write);
        let repaired = store.write_large_blocking(write)?;
        let Some(repaired) = repaired else {
            tries = tries.saturating_add(1);
            ensure!(tries < TRIES_MAX, "the chain moves too often at block {height}; try again");
            continue;
        };
        done.repaired = done.repaired.saturating_add(repaired);
        done.heights = Some((from, height));
        (height, tries) = (height.saturating_add(1), 0);
    }
    repair_sums(store)?;
    done.completed = evaluate(store, node, terms.network, &terms.clock)?;
    Ok(done)
}

/// Evaluates all undecided payments again, in batches, and returns how many were completed.
/// The watcher evaluates a payment only at new blocks that concern it.
fn evaluate(store: &Store, node: &Node, network: Network, clock: &Clock) -> anyhow::Result<u32> {
    let undecided = store.read_blocking(payments::undecided_with_coins)?;
    let batches = Batches { store, go_on: &|| true };
    let mut completed = 0u32;
    for indexes in undecided.chunks(ROWS_MAX as usize) {
        let mut tries = 0u32;
        loop {
            let Some(sure) = store.read_blocking(blocks::tip)? else { return Ok(completed) };
            check_tip(node, sure)?;
            let now = clock.now();
            let each = move |tx: &WriteTx, index: &DerivationIndex, seen: &mut Seen| {
                seen.has_moved |= blocks::tip(tx)? != Some(sure);
                if seen.has_moved {
                    return Ok::<_, Error>(());
                }
                apply::complete(tx, *index, network, now, &mut seen.changes)
            };
            let mut has_moved = false;
            batches.write(indexes.to_vec(), each, |seen| {
                has_moved |= seen.has_moved;
                let count = u32::try_from(seen.changes.completed.len()).unwrap_or(u32::MAX);
                completed = completed.saturating_add(count);
            })?;
            if !has_moved {
                break;
            }
            tries = tries.saturating_add(1);
            ensure!(
                tries < TRIES_MAX,
                "the chain moves too often to evaluate payments; rescan again"
            );
        }
    }
    Ok(completed)
}

#[derive(Debug, Default)]
struct Seen {
    /// The tip moved: nothing more was evaluated.
    has_moved: bool,
    changes: Changes,
}

/// Requires that the gateway's tip is on the node's best chain.
fn check_tip(node: &Node, ours: BlockId) -> anyhow::Result<()> {
    let place = node.place_of(ours).context("find the tip of the gateway on the node")?;
    ensure!(
        place == OurTip::OnBestChain,
        "the blocks are read, but the node left the gateway's tip {} {}: payments are not evaluated; \
         wait until the gateway has caught up, and rescan again",
        ours.height,
        ours.hash
    );
    Ok(())
}

/// Repairs the sums that triggers keep, each merchant in one write.
fn repair_sums(store: &Store) -> Result<(), Error> {
    store.write_blocking(sweeps::find_in_flight)?;
    if !store.read_blocking(totals::payments_are_counted)? {
        tracing::warn!("stored payment counts were wrong");
        store.write_blocking(totals::count_payments)?;
    }
    for merchant in store.read_blocking(merchants::all)? {
        let id = merchant.id;
        let kept = store.read_blocking(|tx| {
            let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
            accounts::are_kept(tx, id, tip)
        })?;
        if !kept {
            tracing::warn!(merchant_id = %id, "stored sums of a merchant were wrong");
            store.write_blocking(move |tx| accounts::keep_anew(tx, id))?;
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Recorded {
    coins: BTreeMap<OutPoint, Coin>,
    spent: BTreeMap<OutPoint, Txid>,
    mined: BTreeSet<Txid>,
}

/// Makes the stored facts of a block equal to the block. Returns how many differed; `None` if
/// the block left the gateway's chain.
fn reread(
    tx: &WriteTx,
    block: &Block,
    id: BlockId,
    context: &EventContext,
    rates: &Rates,
) -> Result<Option<u32>, Error> {
    if blocks::at_height(tx, id.height)? != Some(id) {
        return Ok(None);
    }
    let real = ours(tx, block)?;
    let before = recorded(tx, &real, id)?;
    for (_, coin) in before.coins.iter().filter(|(at, _)| !real.contains_key(at)) {
        apply::unmine(tx, coin)?; // As after a reorganisation.
    }
    for at in before.spent.keys() {
        coins::unspend(tx, *at)?;
    }
    if before.mined.iter().any(|txid| !block.txs.iter().any(|tx| tx.txid == Some(*txid))) {
        sweeps::unconfirm_from_block(tx, id)?;
    }
    let mut changes = Changes::default();
    apply::place_block(tx, block, id, context.now, None, &mut changes)?;
    for (at, output) in &real {
        let Output { index, amount, origin } = *output;
        if let Some(coin) = coins::by_outpoint(tx, *at)?
            && (coin.index, coin.amount, coin.origin) != (index, amount, origin)
        {
            coins::correct(tx, &Coin { index, amount, origin, ..coin })?;
        }
    }
    apply::announce(tx, context, rates, &mut changes)?;
    Ok(Some(before.differences(&recorded(tx, &real, id)?)))
}

#[derive(Debug, Clone, Copy)]
struct Output {
    index: DerivationIndex,
    amount: Amount,
    origin: Origin,
}

type Real = BTreeMap<OutPoint, Output>;

/// The outputs of a block that pay the gateway.
fn ours(tx: &ReadTx, block: &Block) -> Result<Real, Error> {
    let scripts = apply::scripts_of_ours(tx, block, None)?; // Without the Bloom filter, as an independent check.
    let mut real = Real::new();
    for block_tx in &block.txs {
        let Some(txid) = block_tx.txid else { continue };
        for (vout, output) in (0u32..).zip(&block_tx.outputs) {
            let Some(amount) = Amount::from_litoshis(output.value.to_sat()) else { continue };
            if let Some(Ours { index, .. }) = scripts.get(&output.script_pubkey).copied() {
                let origin = apply::origin_of(block_tx.kind);
                real.insert(OutPoint { txid, vout }, Output { index, amount, origin });
            }
        }
    }
    Ok(real)
}

fn recorded(tx: &ReadTx, real: &Real, id: BlockId) -> Result<Recorded, Error> {
    let mut found: BTreeMap<OutPoint, Coin> =
        coins::at_height(tx, id.height)?.into_iter().map(|coin| (coin.outpoint, coin)).collect();
    for at in real.keys() {
        found.extend(coins::by_outpoint(tx, *at)?.map(|coin| (*at, coin)));
    }
    Ok(Recorded {
        coins: found,
        spent: coins::spent_at_height(tx, id.height)?.into_iter().collect(),
        mined: sweeps::mined_in(tx, id)?.into_iter().collect(),
    })
}

impl Recorded {
    fn differences(&self, now: &Recorded) -> u32 {
        let mut places: BTreeSet<OutPoint> =
            self.coins.keys().chain(now.coins.keys()).copied().collect();
        places.retain(|at| self.coins.get(at) != now.coins.get(at));
        let mut spends: BTreeSet<OutPoint> =
            self.spent.keys().chain(now.spent.keys()).copied().collect();
        spends.retain(|at| self.spent.get(at) != now.spent.get(at));
        let mined = self.mined.symmetric_difference(&now.mined).count();
        let count = places.len().saturating_add(spends.len()).saturating_add(mined);
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}
