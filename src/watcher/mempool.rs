//! Comparison of the stored mempool coins with the node's mempool.
//!
//! Finds coins that the node no longer has, and transactions that pay the gateway and were not
//! seen, so that a payment is found even if its ZMQ message was lost. The database alone
//! decides whether a coin was seen, so a coin that was evicted by mistake is found again by
//! the next comparison.
//!
//! Must not know: how the differences are stored.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Context;
use bitcoin::{OutPoint, Txid};

use crate::domain::chain::AtTip;
use crate::domain::payment::{Coin, MempoolFacts};
use crate::domain::time::Timestamp;
use crate::node;
use crate::node::mempool::{OutputKind, SeenOutput, SeenTx};
use crate::node::rpc::Node;
use crate::store::{self, ReadTx, Store, coins, payments};

#[derive(Debug, Default)]
pub(super) struct MempoolView {
    /// Transactions that do not pay the gateway: each is fetched once.
    foreign: HashSet<Txid>,
    /// Transactions that pay the gateway and count as in the mempool, and when this node last
    /// listed them.
    listed: HashMap<Txid, Timestamp>,
}

impl MempoolView {
    fn add_foreign(&mut self, txid: Txid) {
        self.foreign.insert(txid);
    }

    pub(super) fn is_foreign(&self, txid: Txid) -> bool {
        self.foreign.contains(&txid)
    }

    /// Makes the next comparison fetch all transactions again: another build of the node may
    /// decode more of them.
    pub(super) fn forget_foreign(&mut self) {
        self.foreign.clear();
    }

    fn update(&mut self, ours: &[Coin], present: &HashSet<Txid>, now: Timestamp) {
        self.foreign.retain(|txid| present.contains(txid));
        let ours: HashSet<Txid> = ours.iter().map(|coin| coin.outpoint.txid).collect();
        self.listed.retain(|txid, _| ours.contains(txid));
        self.listed.extend(ours.intersection(present).map(|txid| (*txid, now)));
    }
}

#[derive(Debug, Default)]
pub(super) struct Found {
    /// Transactions that pay the gateway and were not stored as in the mempool.
    pub(super) seen: Vec<SeenTx>,
    /// Coins that are stored as in the mempool and are not there.
    pub(super) missing: Vec<OutPoint>,
    /// Every transaction was checked. If not, the next comparison continues.
    pub(super) whole: bool,
    /// The node has read its mempool file since its start. Until then no coin counts as
    /// missing.
    pub(super) loaded: bool,
}

/// How long a node may not know of coins that were seen before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) now: Timestamp,
    pub(super) followed_since: Timestamp,
    /// The time that the node gets after it is followed, and after its own start.
    pub(super) wait: Duration,
}

impl Patience {
    /// The node need not know of coins that were seen before this time.
    fn excuses_before(&self, uptime: Option<Duration>) -> Option<Timestamp> {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let started_at = uptime.map(|uptime| self.now.plus_ms(ms(uptime).saturating_neg()));
        let starts = [Some(self.followed_since), started_at];
        let recent = |at: &Timestamp| (0..ms(self.wait)).contains(&self.now.ms_since(*at));
        starts.into_iter().flatten().filter(recent).max()
    }
}

/// Transactions that one comparison fetches, so that a full mempool at the first start does
/// not delay blocks.
const FETCHES_MAX: usize = 500;

/// Compares with `getrawmempool`. `None` if the node moved to another tip meanwhile: a
/// transaction may then be missing because it was mined.
pub(super) fn compare(
    node: &Node,
    store: &Store,
    view: &mut MempoolView,
    at_tip: &AtTip,
    patience: Patience,
) -> anyhow::Result<Option<Found>> {
    // Before the list: once the mempool file is read, a later list is complete.
    let loaded = node.mempool_state().context("read the state of the mempool")?.loaded;
    let txids = node.mempool_txids().context("read the mempool")?;
    if node.best_block_hash().context("read the tip")? != at_tip.tip().hash {
        return Ok(None);
    }
    let present: HashSet<Txid> = txids.into_iter().collect();
    let ours = store.read_blocking(coins::in_mempool).context("read the stored mempool coins")?;
    let absent = ours.iter().any(|coin| !present.contains(&coin.outpoint.txid));
    let missing = if absent && loaded {
        let since = patience.excuses_before(uptime(node)?);
        missing(&ours, &present, view, since)
    } else {
        Vec::new()
    };
    view.update(&ours, &present, patience.now);
    let known: HashSet<Txid> = ours.iter().map(|coin| coin.outpoint.txid).collect();
    let is_new = |txid: &&Txid| !view.is_foreign(**txid) && !known.contains(*txid);
    let new: Vec<Txid> = present.iter().filter(is_new).take(FETCHES_MAX + 1).copied().collect();
    let mut found = Found { missing, loaded, whole: new.len() <= FETCHES_MAX, ..Found::default() };
    for txid in new.into_iter().take(FETCHES_MAX) {
        found.seen.extend(fetch(node, store, view, txid, patience.now)?);
    }
    Ok(Some(found))
}

/// How long the node has run (`uptime`). `None` if `rpcwhitelist` forbids the call.
fn uptime(node: &Node) -> anyhow::Result<Option<Duration>> {
    match node.uptime() {
        Err(error @ node::Error::Forbidden(_)) => {
            tracing::warn!(%error, "node start time unknown; coins that it does not list are evicted at once");
            Ok(None)
        }
        answer => answer.map(Some).context("read the uptime of the node"),
    }
}

/// The coins that the mempool no longer holds. A coin that was seen before `since`, and that
/// this node has not listed since, is not missing: the node may not know of it yet. The
/// previous node listed it, or this one did before it lost its mempool in a restart.
fn missing(
    ours: &[Coin],
    present: &HashSet<Txid>,
    view: &MempoolView,
    since: Option<Timestamp>,
) -> Vec<OutPoint> {
    let excused = |coin: &Coin| {
        let listed = view.listed.get(&coin.outpoint.txid).copied();
        since.is_some_and(|since| coin.seen_at < since && listed.is_none_or(|at| at < since))
    };
    let absent = ours.iter().filter(|coin| !present.contains(&coin.outpoint.txid));
    absent.filter(|coin| !excused(coin)).map(|coin| coin.outpoint).collect()
}

/// Fetches a mempool transaction with those of its outputs that pay the gateway. `None` if it
/// pays others only, or left the mempool.
pub(super) fn fetch(
    node: &Node,
    store: &Store,
    view: &mut MempoolView,
    txid: Txid,
    now: Timestamp,
) -> anyhow::Result<Option<SeenTx>> {
    let outputs = match node.mempool_outputs(txid) {
        Err(error @ node::Error::Garbled { .. }) => {
            // One unreadable transaction must not hide the others.
            tracing::warn!(%txid, %error, "mempool transaction not decoded");
            view.add_foreign(txid);
            return Ok(None);
        }
        answer => answer.with_context(|| format!("read {txid}"))?,
    };
    let Some(outputs) = outputs else { return Ok(None) }; // It left the mempool.
    let ours = store.read_blocking(|tx| keep_ours(tx, outputs)).context("find own scripts")?;
    if ours.is_empty() {
        view.add_foreign(txid);
        return Ok(None);
    }
    view.listed.insert(txid, now);
    let entry = node.mempool_entry(txid).with_context(|| format!("read the entry of {txid}"))?;
    let mweb = ours.iter().any(|output| matches!(output.kind, OutputKind::Pegout { .. }));
    let facts = entry.map(|entry| MempoolFacts {
        fee_rate: entry.fee_rate,
        signals_replacement: entry.signals_replacement,
        unconfirmed_parents: entry.parents,
        mweb,
    });
    Ok(Some(SeenTx { txid, outputs: ours, entered_at: entry.map(|entry| entry.entered_at), facts }))
}

fn keep_ours(tx: &ReadTx, mut outputs: Vec<SeenOutput>) -> Result<Vec<SeenOutput>, store::Error> {
    let scripts = outputs.iter().map(|output| output.script.as_script());
    let ours = payments::of_scripts(tx, scripts)?;
    outputs.retain(|output| ours.contains_key(&output.script));
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::keys::DerivationIndex;
    use crate::domain::payment::{Origin, Place};
    use bitcoin::hashes::Hash;

    #[test]
    fn only_coins_seen_earlier_or_by_another_node_are_excused() {
        let txid = |n| Txid::from_byte_array([n; 32]);
        let coin = |n, seen_at| Coin {
            outpoint: OutPoint { txid: txid(n), vout: 0 },
            index: DerivationIndex::new(0).expect("small"),
            amount: Amount::ZERO,
            origin: Origin::Plain,
            seen_at: Timestamp::from_ms(seen_at),
            place: Place::Mempool,
            rate: None,
        };
        let ours = [coin(1, 10), coin(2, 10), coin(3, 10), coin(4, 20), coin(5, 10)];
        let present = HashSet::from([txid(1)]);
        let mut view = MempoolView::default();
        // The node listed one after it was followed, the other only before its restart.
        view.listed.insert(txid(3), Timestamp::from_ms(25));
        view.listed.insert(txid(5), Timestamp::from_ms(15));
        let found = |since: Option<i64>| {
            let since = since.map(Timestamp::from_ms);
            let found = missing(&ours, &present, &view, since);
            found.iter().map(|at| at.txid).collect::<Vec<_>>()
        };
        assert_eq!(found(None), [txid(2), txid(3), txid(4), txid(5)]);
        assert_eq!(found(Some(20)), [txid(3), txid(4)]);
    }

    #[test]
    fn a_node_gets_time_after_a_failover_and_after_a_restart() {
        #[track_caller]
        fn check(followed_since: i64, uptime: Option<u64>, expected: Option<i64>) {
            let patience = Patience {
                now: Timestamp::from_seconds(10_000),
                followed_since: Timestamp::from_seconds(followed_since),
                wait: Duration::from_secs(600),
            };
            let found = patience.excuses_before(uptime.map(Duration::from_secs));
            assert_eq!(found, expected.map(Timestamp::from_seconds));
        }
        check(0, None, None);
        check(0, Some(700), None);
        check(0, Some(100), Some(9_900));
        check(9_800, Some(100), Some(9_900));
        check(9_950, Some(100), Some(9_950));
        check(9_950, Some(100_000), Some(9_950));
        check(0, Some(0), Some(10_000));
        check(9_400, None, None);
    }
}
