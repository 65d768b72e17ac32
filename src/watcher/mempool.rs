//! Comparing our view of the mempool with the node's.
//!
//! Coins that the node no longer has are dropped, and transactions that we have not looked at are
//! looked at, so that a payment is seen even when its ZMQ frame was lost.

use std::collections::HashSet;

use anyhow::Context;
use bitcoin::{OutPoint, Txid};

use crate::domain::chain::AtTip;
use crate::node;
use crate::node::rpc::{Node, SeenOutput};
use crate::store::{Error, ReadTx, Store, coins, payments};

/// Transactions in the mempool that were looked at, so that each is fetched once.
#[derive(Debug, Default)]
pub(crate) struct LookedAt {
    txids: HashSet<Txid>,
}

impl LookedAt {
    /// Remembers a transaction whose outputs were read, and pay nobody of ours or are recorded.
    pub(crate) fn add(&mut self, txid: Txid) {
        self.txids.insert(txid);
    }

    pub(crate) fn contains(&self, txid: Txid) -> bool {
        self.txids.contains(&txid)
    }

    fn forget_all_but(&mut self, present: &HashSet<Txid>) {
        self.txids.retain(|txid| present.contains(txid));
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Outputs that pay us and were not recorded as being in the mempool.
    pub(crate) seen: Vec<SeenOutput>,
    /// Coins that we believed in the mempool, and that are not there.
    pub(crate) gone: Vec<OutPoint>,
    /// Whether every transaction was looked at; if not, the next look goes on.
    pub(crate) whole: bool,
}

/// Transactions that are fetched in one look at most, so that a full mempool, met for the first
/// time, keeps nobody from blocks.
const LOOKS_MAX: usize = 500;

/// Asks the node for its mempool and compares. `None` if the node moved to another tip meanwhile:
/// then a transaction may be missing because it was mined, and nothing can be said.
pub(crate) fn compare(
    node: &Node,
    store: &Store,
    looked_at: &mut LookedAt,
    at_tip: &AtTip,
) -> anyhow::Result<Option<Found>> {
    let txids = node.mempool_txids().context("read the mempool")?;
    if node.best_block_hash().context("read the tip")? != at_tip.tip().hash {
        return Ok(None);
    }
    let present: HashSet<Txid> = txids.into_iter().collect();
    looked_at.forget_all_but(&present);
    let ours = store.read_blocking(coins::in_mempool).context("read our coins")?;
    let mut found = Found { whole: true, ..Found::default() };
    found
        .gone
        .extend(ours.iter().map(|coin| coin.outpoint).filter(|at| !present.contains(&at.txid)));
    let unread =
        !found.gone.is_empty() && !node.mempool_is_loaded().context("ask of the mempool")?;
    if unread {
        found.gone.clear();
    }
    let mut new = present.iter().filter(|txid| !looked_at.contains(**txid));
    let now: Vec<Txid> = new.by_ref().take(LOOKS_MAX).copied().collect();
    found.whole = new.next().is_none() && !unread;
    for txid in now {
        found.seen.extend(look_at(node, store, looked_at, txid)?);
    }
    Ok(Some(found))
}

/// Fetches a transaction of the mempool and keeps the outputs that pay us.
pub(crate) fn look_at(
    node: &Node,
    store: &Store,
    looked_at: &mut LookedAt,
    txid: Txid,
) -> anyhow::Result<Vec<SeenOutput>> {
    let outputs = match node.mempool_outputs(txid) {
        Err(error @ node::Error::Garbled { .. }) => {
            // Whatever it is, it must not hide the others.
            tracing::warn!(%txid, %error, "a transaction in the mempool cannot be read");
            looked_at.add(txid);
            return Ok(Vec::new());
        }
        answer => answer.with_context(|| format!("read {txid}"))?,
    };
    let Some(outputs) = outputs else { return Ok(Vec::new()) }; // It has left already.
    let ours = store.read_blocking(|tx| keep_ours(tx, outputs)).context("look for our scripts")?;
    looked_at.add(txid);
    Ok(ours)
}

fn keep_ours(tx: &ReadTx, outputs: Vec<SeenOutput>) -> Result<Vec<SeenOutput>, Error> {
    let mut ours = Vec::new();
    for output in outputs {
        if payments::index_of_script(tx, &output.script)?.is_some() {
            ours.push(output);
        }
    }
    Ok(ours)
}
