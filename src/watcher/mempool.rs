//! Comparing our view of the mempool with the node's.
//!
//! Coins that the node no longer has are dropped, and transactions that we have not looked at are
//! looked at, so that a payment is seen even when its ZMQ frame was lost.

use std::collections::HashSet;

use anyhow::Context;
use bitcoin::{OutPoint, Txid};

use crate::domain::chain::AtTip;
use crate::domain::payment::Coin;
use crate::domain::time::Timestamp;
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
/// then a transaction may be missing because it was mined, and nothing can be said. What was seen
/// before `followed_since` is awaited, if that is given: see [`missing`].
pub(crate) fn compare(
    node: &Node,
    store: &Store,
    looked_at: &mut LookedAt,
    at_tip: &AtTip,
    followed_since: Option<Timestamp>,
) -> anyhow::Result<Option<Found>> {
    let txids = node.mempool_txids().context("read the mempool")?;
    if node.best_block_hash().context("read the tip")? != at_tip.tip().hash {
        return Ok(None);
    }
    let present: HashSet<Txid> = txids.into_iter().collect();
    let ours = store.read_blocking(coins::in_mempool).context("read our coins")?;
    let gone = missing(&ours, &present, looked_at, followed_since);
    looked_at.forget_all_but(&present);
    let mut found = Found { gone, whole: true, ..Found::default() };
    let unread =
        !found.gone.is_empty() && !node.mempool_state().context("ask of the mempool")?.loaded;
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

/// The coins that the mempool does not hold any more. Those that another node has shown, before
/// `followed_since`, and this one never had, count as there: it may not have heard of them yet.
fn missing(
    ours: &[Coin],
    present: &HashSet<Txid>,
    looked_at: &LookedAt,
    followed_since: Option<Timestamp>,
) -> Vec<OutPoint> {
    let awaited = |coin: &Coin| {
        followed_since.is_some_and(|since| coin.seen_at < since)
            && !looked_at.contains(coin.outpoint.txid)
    };
    let absent = ours.iter().filter(|coin| !present.contains(&coin.outpoint.txid));
    absent.filter(|coin| !awaited(coin)).map(|coin| coin.outpoint).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::keys::DerivationIndex;
    use crate::domain::payment::{Origin, Place};
    use bitcoin::hashes::Hash;

    #[test]
    fn only_what_another_node_has_shown_is_awaited() {
        let txid = |n| Txid::from_byte_array([n; 32]);
        let coin = |n, seen_at| Coin {
            outpoint: OutPoint { txid: txid(n), vout: 0 },
            index: DerivationIndex::new(0).expect("small"),
            amount: Amount::ZERO,
            origin: Origin::Plain,
            seen_at: Timestamp::from_ms(seen_at),
            place: Place::Mempool,
        };
        let ours = [coin(1, 10), coin(2, 10), coin(3, 10), coin(4, 20)];
        let present = HashSet::from([txid(1)]);
        let mut looked_at = LookedAt::default();
        looked_at.add(txid(3)); // This node had it.
        let gone = |since: Option<i64>| {
            let since = since.map(Timestamp::from_ms);
            let gone = missing(&ours, &present, &looked_at, since);
            gone.iter().map(|at| at.txid).collect::<Vec<_>>()
        };
        assert_eq!(gone(None), [txid(2), txid(3), txid(4)]);
        assert_eq!(gone(Some(20)), [txid(3), txid(4)]);
    }
}
