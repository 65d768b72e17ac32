//! Comparing our view of the mempool with the node's.
//!
//! Coins that the node no longer has are dropped, and transactions that we have not looked at are
//! looked at, so that a payment is seen even when its ZMQ frame was lost. Whether one of ours has
//! been seen is what the database says, and nothing else: so one that was taken for gone is found
//! again at the next comparison.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Context;
use bitcoin::{OutPoint, Txid};

use crate::domain::chain::AtTip;
use crate::domain::payment::Coin;
use crate::domain::time::Timestamp;
use crate::node;
use crate::node::mempool::{SeenOutput, SeenTx};
use crate::node::rpc::Node;
use crate::store::batches::{Batches, Ended};
use crate::store::{self, ReadTx, Store, WriteTx, coins, payments};

use super::apply::{self, Changes, Sight};
use super::{State, Watcher};

/// What is remembered of the mempool of one node.
#[derive(Debug, Default)]
pub(crate) struct LookedAt {
    /// Transactions in it that pay nobody of ours: each is fetched once. That they are not ours
    /// stays true wherever they go.
    foreign: HashSet<Txid>,
    /// Transactions of ours that count as in the mempool, and when this node last showed them.
    shown: HashMap<Txid, Timestamp>,
}

impl LookedAt {
    /// Remembers a transaction whose outputs were read and pay nobody of ours.
    fn add_foreign(&mut self, txid: Txid) {
        self.foreign.insert(txid);
    }

    pub(crate) fn is_foreign(&self, txid: Txid) -> bool {
        self.foreign.contains(&txid)
    }

    /// Reads everything again: another build of the node may read more.
    pub(crate) fn forget_foreign(&mut self) {
        self.foreign.clear();
    }

    fn note(&mut self, ours: &[Coin], present: &HashSet<Txid>, now: Timestamp) {
        self.foreign.retain(|txid| present.contains(txid));
        let ours: HashSet<Txid> = ours.iter().map(|coin| coin.outpoint.txid).collect();
        self.shown.retain(|txid, _| ours.contains(txid));
        self.shown.extend(ours.intersection(present).map(|txid| (*txid, now)));
    }
}

/// What a comparison found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Transactions that pay us and were not recorded as being in the mempool.
    pub(crate) seen: Vec<SeenTx>,
    /// Coins that we believed in the mempool, and that are not there.
    pub(crate) gone: Vec<OutPoint>,
    /// Whether every transaction was looked at; if not, the next look goes on.
    pub(crate) whole: bool,
    /// Whether the node has read its mempool's file since its start. Until then nothing is missing.
    pub(crate) loaded: bool,
}

/// For how long a node may not have heard of what was seen before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) now: Timestamp,
    /// Since when the node has been followed.
    pub(crate) followed_since: Timestamp,
    /// How long it has from then on, and from its own start.
    pub(crate) wait: Duration,
}

impl Patience {
    /// The time before which the node need not have heard of all that was seen.
    fn awaits_from_before(&self, uptime: Option<Duration>) -> Option<Timestamp> {
        let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let started_at = uptime.map(|uptime| self.now.plus_ms(ms(uptime).saturating_neg()));
        let starts = [Some(self.followed_since), started_at];
        let recent = |at: &Timestamp| (0..ms(self.wait)).contains(&self.now.ms_since(*at));
        starts.into_iter().flatten().filter(recent).max()
    }
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
    patience: Patience,
) -> anyhow::Result<Option<Found>> {
    // Asked first: once its file is read, the answer after that is whole.
    let loaded = node.mempool_state().context("ask of the mempool")?.loaded;
    let txids = node.mempool_txids().context("read the mempool")?;
    if node.best_block_hash().context("read the tip")? != at_tip.tip().hash {
        return Ok(None);
    }
    let present: HashSet<Txid> = txids.into_iter().collect();
    let ours = store.read_blocking(coins::in_mempool).context("read our coins")?;
    let absent = ours.iter().any(|coin| !present.contains(&coin.outpoint.txid));
    let gone = if absent && loaded {
        let since = patience.awaits_from_before(uptime(node)?);
        missing(&ours, &present, looked_at, since)
    } else {
        Vec::new()
    };
    looked_at.note(&ours, &present, patience.now);
    let known: HashSet<Txid> = ours.iter().map(|coin| coin.outpoint.txid).collect();
    let is_new = |txid: &&Txid| !looked_at.is_foreign(**txid) && !known.contains(*txid);
    let new: Vec<Txid> = present.iter().filter(is_new).take(LOOKS_MAX + 1).copied().collect();
    let mut found = Found { gone, loaded, whole: new.len() <= LOOKS_MAX, ..Found::default() };
    for txid in new.into_iter().take(LOOKS_MAX) {
        found.seen.extend(look_at(node, store, looked_at, txid, patience.now)?);
    }
    Ok(Some(found))
}

/// For how long the node has run. `None` if it does not let us ask.
fn uptime(node: &Node) -> anyhow::Result<Option<Duration>> {
    match node.uptime() {
        Err(error @ node::Error::Forbidden(_)) => {
            tracing::warn!(%error, "cannot see whether the node was restarted: what it does not have is taken for replaced");
            Ok(None)
        }
        answer => answer.map(Some).context("ask how long the node has run"),
    }
}

/// The coins that the mempool does not hold any more. Those that were seen before `since`, and that
/// this node has not shown since, count as there: it may not have heard of them yet. They were
/// shown by the node that was followed before, or by this one before it was restarted without what
/// was in its mempool.
fn missing(
    ours: &[Coin],
    present: &HashSet<Txid>,
    looked_at: &LookedAt,
    since: Option<Timestamp>,
) -> Vec<OutPoint> {
    let awaited = |coin: &Coin| {
        let shown = looked_at.shown.get(&coin.outpoint.txid).copied();
        since.is_some_and(|since| coin.seen_at < since && shown.is_none_or(|at| at < since))
    };
    let absent = ours.iter().filter(|coin| !present.contains(&coin.outpoint.txid));
    absent.filter(|coin| !awaited(coin)).map(|coin| coin.outpoint).collect()
}

/// Fetches a transaction of the mempool, and says which of its outputs pay us, if any do.
pub(crate) fn look_at(
    node: &Node,
    store: &Store,
    looked_at: &mut LookedAt,
    txid: Txid,
    now: Timestamp,
) -> anyhow::Result<Option<SeenTx>> {
    let outputs = match node.mempool_outputs(txid) {
        Err(error @ node::Error::Garbled { .. }) => {
            // Whatever it is, it must not hide the others.
            tracing::warn!(%txid, %error, "a transaction in the mempool cannot be read");
            looked_at.add_foreign(txid);
            return Ok(None);
        }
        answer => answer.with_context(|| format!("read {txid}"))?,
    };
    let Some(outputs) = outputs else { return Ok(None) }; // It has left already.
    let ours = store.read_blocking(|tx| keep_ours(tx, outputs)).context("look for our scripts")?;
    if ours.is_empty() {
        looked_at.add_foreign(txid);
        return Ok(None);
    }
    looked_at.shown.insert(txid, now);
    let entered_at =
        node.mempool_entry_time(txid).with_context(|| format!("ask when {txid} came"))?;
    Ok(Some(SeenTx { outputs: ours, entered_at }))
}

fn keep_ours(tx: &ReadTx, mut outputs: Vec<SeenOutput>) -> Result<Vec<SeenOutput>, store::Error> {
    let scripts = outputs.iter().map(|output| output.script.as_script());
    let ours = payments::of_scripts(tx, scripts)?;
    outputs.retain(|output| ours.contains_key(&output.script));
    Ok(outputs)
}

impl Watcher {
    /// Compares the mempool and records what came and what left. Answers whether all of it was
    /// compared; `None` if the tip moved meanwhile, or the gateway is stopping.
    pub(super) fn compare_mempool(
        &self,
        at_tip: AtTip,
        now: Timestamp,
        moved: bool,
        state: &mut State,
    ) -> anyhow::Result<Option<bool>> {
        let (node, patience) = (&self.followed.node, self.patience_with(state, now));
        let found = compare(node, &self.store, &mut state.looked_at, &at_tip, patience)?;
        let Some(found) = found else { return Ok(None) };
        (state.more, state.loading) = (!found.whole, !found.loaded);
        state.changed |= moved || !found.gone.is_empty();
        let whole = found.whole && found.loaded;
        let sight = Sight { now, compared_at: state.compared_at };
        if self.record(found, sight, at_tip)? == Ended::Stopped {
            return Ok(None);
        }
        if whole {
            state.compared_at = Some(now);
        }
        Ok(Some(whole))
    }

    /// Records what a comparison of the mempool found: the coins of each transaction that left it,
    /// and of each that came, are a fact for itself.
    fn record(&self, found: Found, sight: Sight, at_tip: AtTip) -> anyhow::Result<Ended> {
        let (tell, go_on) = (|changes: Changes| self.tell(&changes), || self.goes_on());
        let batches = Batches { store: &self.store, go_on: &go_on };
        let drop = move |tx: &WriteTx, gone: &Vec<OutPoint>, changes: &mut Changes| {
            changes.add(apply::evicted(tx, gone, &at_tip)?);
            Ok::<_, store::Error>(())
        };
        let mut gone = found.gone;
        gone.sort_unstable();
        let of_one = |a: &OutPoint, b: &OutPoint| a.txid == b.txid;
        let gone = gone.chunk_by(of_one).map(<[_]>::to_vec).collect();
        if batches.write(gone, drop, tell)? == Ended::Stopped {
            return Ok(Ended::Stopped);
        }
        let see = move |tx: &WriteTx, seen: &SeenTx, changes: &mut Changes| {
            changes.add(apply::saw(tx, std::slice::from_ref(seen), sight)?);
            Ok::<_, store::Error>(())
        };
        Ok(batches.write(found.seen, see, tell)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::keys::DerivationIndex;
    use crate::domain::payment::{Origin, Place};
    use bitcoin::hashes::Hash;

    #[test]
    fn only_coins_seen_earlier_or_by_another_node_are_awaited() {
        let txid = |n| Txid::from_byte_array([n; 32]);
        let coin = |n, seen_at| Coin {
            outpoint: OutPoint { txid: txid(n), vout: 0 },
            index: DerivationIndex::new(0).expect("small"),
            amount: Amount::ZERO,
            origin: Origin::Plain,
            seen_at: Timestamp::from_ms(seen_at),
            place: Place::Mempool,
        };
        let ours = [coin(1, 10), coin(2, 10), coin(3, 10), coin(4, 20), coin(5, 10)];
        let present = HashSet::from([txid(1)]);
        let mut looked_at = LookedAt::default();
        // The node had one since it is followed, and the other only before it was restarted.
        looked_at.shown.insert(txid(3), Timestamp::from_ms(25));
        looked_at.shown.insert(txid(5), Timestamp::from_ms(15));
        let gone = |since: Option<i64>| {
            let since = since.map(Timestamp::from_ms);
            let gone = missing(&ours, &present, &looked_at, since);
            gone.iter().map(|at| at.txid).collect::<Vec<_>>()
        };
        assert_eq!(gone(None), [txid(2), txid(3), txid(4), txid(5)]);
        assert_eq!(gone(Some(20)), [txid(3), txid(4)]);
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
            let found = patience.awaits_from_before(uptime.map(Duration::from_secs));
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
