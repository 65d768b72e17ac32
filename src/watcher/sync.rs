//! Walking to the node's tip, block by block. Start-up, catching up and a reorganisation are all
//! the same walk: connect what is next, take back what left the best chain, until both stand on
//! one block.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::audit::LOOKAHEAD;
use crate::domain::chain::{AtTip, BlockId, NextStep, NodeChain, OurTip, next_step};
use crate::domain::keys::{AccountXpub, DerivationIndex};
use crate::domain::network::Network;
use crate::domain::time::Timestamp;
use crate::metrics;
use crate::node;
use crate::node::codec::Block;
use crate::node::rpc::{ChainState, Node};
use crate::operations::account_scan;
use crate::operations::nodes::is_catching_up;
use crate::progress::{OnProgress, Progress};
use crate::store::{self, Store, WriteTx, blocks, indexes, payments};
use crate::watchdog::{self, Loop};

use super::apply::{self, Changes};
use super::fetch::Fetched;
use super::filter_builder::FilterBuilder;
use super::lookahead::Lookahead;
use super::proof;

/// How far before the first payment the walk begins, in milliseconds: block times may be two
/// hours off (consensus).
const MARGIN_MS: i64 = 3 * 3_600_000;

/// How far a block's time may be ahead of the network's (consensus), in milliseconds.
const BLOCK_TIME_AHEAD_MS: i64 = 2 * 3_600_000;

/// How long a node that refused to list the account's unspent outputs is not asked again.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// What the walk needs.
pub(super) struct Sync<'w> {
    pub(super) store: &'w Store,
    pub(super) node: &'w Node,
    pub(super) network: Network,
    pub(super) xpub: &'w AccountXpub,
    pub(super) clock: &'w Clock,
    pub(super) shutdown: &'w CancellationToken,
    pub(super) lookahead: &'w mut Lookahead,
    pub(super) filter_builder: &'w mut FilterBuilder,
    /// Hears how far we are.
    pub(super) on_progress: OnProgress<'w>,
}

/// Where the walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At the node's tip, with proof.
    AtTip(AtTip),
    /// The node has not caught up itself: its tip proves nothing yet.
    NodeBehind,
    /// We were told to stop.
    Stopped,
}

/// What the node said of the account's use before us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// The highest index that holds coins, if any does.
    Answered(Option<DerivationIndex>),
    Refused,
}

/// The next block is one that the node does not have any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the node has pruned block {height}, which we still have to read: start it with -reindex, or \
     run litegate rescan --from-utxo-set"
)]
pub(crate) struct PrunedBlock {
    height: u32,
}

/// Walks to the node's tip once, for a command. The pool of unconfirmed transactions is left to
/// the watcher. `on_progress` hears how far we are.
///
/// # Errors
/// As [`Sync::run`].
pub(crate) fn catch_up(
    store: &Store,
    node: &Node,
    network: Network,
    xpub: &AccountXpub,
    clock: &Clock,
    on_progress: OnProgress,
) -> anyhow::Result<End> {
    let (shutdown, lookahead) = (&CancellationToken::new(), &mut Lookahead::new(xpub.clone()));
    let filter_builder = &mut FilterBuilder::default();
    Sync { store, node, network, xpub, clock, shutdown, lookahead, filter_builder, on_progress }
        .run(|_| {})
}

impl Sync<'_> {
    /// Walks until we stand where the node stands. `changed` is called after each commit.
    ///
    /// # Errors
    /// If the node is out of reach, on another network, or no longer has a block that we need.
    pub(super) fn run(&mut self, mut changed: impl FnMut(&Changes)) -> anyhow::Result<End> {
        let mut fetched = Fetched::default();
        let mut began = None;
        loop {
            if self.shutdown.is_cancelled() {
                return Ok(End::Stopped);
            }
            watchdog::heartbeat(Loop::Watcher);
            let ours = self.store.read_blocking(blocks::tip)?;
            if let Some(ours) = ours
                && let Some(block) = fetched.child_of(ours)
            {
                changed(&self.connect_child(ours, block)?);
                continue;
            }
            let state = self.node.chain_state().context("read the node's chain")?;
            self.check_network(&state)?;
            metrics::node_stands_at(state.tip.height);
            let Some(ours) = ours else {
                self.begin(&state)?;
                continue;
            };
            let our_tip = self.node.place_of(ours).context("find our tip on the node")?;
            match next_step(ours, NodeChain { tip: state.tip, our_tip }) {
                NextStep::Connect { height } => {
                    let began = *began.get_or_insert(ours.height);
                    let since = |height: u32| height.saturating_sub(began).into();
                    let (done, of) = (since(ours.height), since(state.tip.height));
                    (self.on_progress)(Progress { what: "reading blocks", done, of });
                    fetched.begin(self.node, height, state.tip.height);
                    if let Some(changes) = self.connect(ours, height, &state, &mut fetched)? {
                        changed(&changes);
                        self.filter_builder
                            .begin_for(self.store, state.tip.height.saturating_sub(height))?;
                    }
                }
                // A node that reads its blocks anew (-reindex-chainstate) has our tip, but is not
                // there yet: it has left nothing.
                NextStep::Disconnect(block)
                    if state.tip.height < block.height && is_catching_up(&state) =>
                {
                    return Ok(End::NodeBehind);
                }
                NextStep::Disconnect(block) => {
                    if our_tip == OurTip::Unknown {
                        self.check_common_past(state.tip)?;
                    }
                    tracing::warn!(height = block.height, hash = %block.hash, "reorganisation: block taken back");
                    let changes =
                        self.store.write_large_blocking(move |tx| apply::disconnect(tx, block))?;
                    changed(&changes);
                }
                NextStep::AtTip(_) if is_catching_up(&state) => return Ok(End::NodeBehind),
                NextStep::AtTip(proof) => {
                    self.ask_again()?;
                    self.apply_chain_time(proof.tip())?;
                    return Ok(End::AtTip(proof));
                }
                NextStep::Behind => {
                    if our_tip == OurTip::Unknown && !is_catching_up(&state) {
                        self.check_common_past(state.tip)?;
                    }
                    return Ok(End::NodeBehind);
                }
            }
        }
    }

    fn check_network(&self, state: &ChainState) -> anyhow::Result<()> {
        if state.chain != self.network.node_chain() {
            bail!("the node is on network {:?}, this gateway on {}", state.chain, self.network);
        }
        Ok(())
    }

    /// A node that does not know our tip must know the block that we began at. If it does not, it
    /// follows another chain from before that: nothing is taken back on its word.
    fn check_common_past(&self, theirs: BlockId) -> anyhow::Result<()> {
        let Some(first) = self.store.read_blocking(blocks::first)? else { return Ok(()) };
        match self.node.place_of(first).context("find our first block on the node")? {
            OurTip::OnBestChain | OurTip::OffBestChain => Ok(()),
            OurTip::Unknown => bail!(
                "the node follows another chain: it stands on block {} {}, and does not know our \
                 block {} {}; point node.rpc_url at the node that was used before",
                theirs.height,
                theirs.hash,
                first.height,
                first.hash
            ),
        }
    }

    /// The first block that we stand on: the tip, or, if addresses were given out while the node
    /// was out of reach, a block from before the first of them.
    fn begin(&mut self, state: &ChainState) -> anyhow::Result<()> {
        let first_payment = self.store.read_blocking(payments::first_created_at)?;
        let mut block = state.tip;
        if let Some(created_at) = first_payment {
            let early_enough = created_at.plus_ms(-MARGIN_MS);
            loop {
                let header = self.node.header(block.hash).context("walk back to the start")?;
                let Some(previous) = header.previous else { break };
                // Its own time: the median of a quiet chain may lie far behind it.
                if header.time < early_enough {
                    break;
                }
                block = BlockId { height: header.height.saturating_sub(1), hash: previous };
            }
        }
        let (now, scan) = (self.clock.now(), self.scan_account()?);
        self.store.write_blocking(move |tx| {
            record_scan(tx, scan, now)?;
            match blocks::tip(tx)? {
                Some(_) => Ok::<_, anyhow::Error>(()),
                None => Ok(blocks::insert(tx, block, now)?),
            }
        })?;
        tracing::info!(height = block.height, hash = %block.hash, "following the chain from here");
        Ok(())
    }

    /// Asks again a node that refused to list the account's unspent outputs when the first block
    /// was stored.
    fn ask_again(&mut self) -> anyhow::Result<()> {
        if self.lookahead.refused_at.is_some_and(|at| at.elapsed() < REFUSED_PAUSE)
            || self.store.read_blocking(account_scan::is_answered)?
        {
            return Ok(());
        }
        let (now, scan) = (self.clock.now(), self.scan_account()?);
        Ok(self.store.write_blocking(move |tx| record_scan(tx, scan, now))?)
    }

    /// Skips addresses if the chain says that the database was not in use for a while before this
    /// start, once for each start: our own clock may be as old as a snapshot that was put back.
    fn apply_chain_time(&mut self, tip: BlockId) -> anyhow::Result<()> {
        let Some(last) = self.lookahead.last_in_use else { return Ok(()) };
        let header = self.node.header(tip.hash).context("read the time of the tip")?;
        let present = header.time.plus_ms(-BLOCK_TIME_AHEAD_MS).max(header.median_time);
        let now = self.clock.now();
        let absence = self
            .store
            .write_blocking(move |tx| indexes::skip_after_absence(tx, last, present, now))?;
        self.lookahead.last_in_use = None;
        if let Some(absence) = absence {
            absence.warn();
        }
        Ok(())
    }

    /// Whether the account was used before us: the highest index that holds coins although we have
    /// followed no block yet. Asked until there is an answer: the node reads its whole set, which
    /// on mainnet takes minutes. No address is issued meanwhile.
    fn scan_account(&mut self) -> anyhow::Result<Scan> {
        if self.store.read_blocking(account_scan::is_answered)? {
            return Ok(Scan::Answered(None));
        }
        let next = self.store.read_blocking(indexes::next_index)?;
        let mut used = None;
        loop {
            let from = used.unwrap_or(next);
            let last = from.get().saturating_add(LOOKAHEAD);
            let on_progress = |progress| {
                watchdog::heartbeat(Loop::Watcher); // It is the node that works, and it says so.
                (self.on_progress)(progress);
            };
            let set =
                match self.node.scan_unspent(&self.xpub.receiving_descriptor(), last, &on_progress)
                {
                    Ok(set) => set,
                    // It cannot tell, now or ever.
                    Err(
                        error @ (node::Error::Forbidden(_)
                        | node::Error::Rejected { .. }
                        | node::Error::Garbled { .. }
                        | node::Error::NotFound),
                    ) => {
                        tracing::warn!(%error, "{}", account_scan::UNANSWERED);
                        self.lookahead.refused_at = Some(Instant::now());
                        return Ok(Scan::Refused);
                    }
                    Err(error) => {
                        return Err(error).context("see whether the account was in use before");
                    }
                };
            let scripts = set.outputs.iter().map(|found| found.script.as_script());
            let highest = self.lookahead.highest(from, scripts);
            if highest.is_none() || highest <= used {
                return Ok(Scan::Answered(used));
            }
            used = highest;
        }
    }

    /// Fetches the block at a height and connects it, if it is a child of our tip. `None` if the
    /// chain moved under our feet; the next step sees where to.
    fn connect(
        &mut self,
        ours: BlockId,
        height: u32,
        state: &ChainState,
        fetched: &mut Fetched,
    ) -> anyhow::Result<Option<Changes>> {
        if state.prune_height.is_some_and(|lowest| height < lowest) {
            return Err(PrunedBlock { height }.into());
        }
        let hash = match self.node.block_hash(height) {
            Err(node::Error::NotFound) => return Ok(None),
            answer => answer.with_context(|| format!("ask for block {height}"))?,
        };
        let block = match fetched.take(hash).map_or_else(|| self.node.block(hash), Ok) {
            Err(node::Error::NotFound) => return Ok(None),
            answer => answer.with_context(|| format!("fetch block {height}"))?,
        };
        if block.header.prev_blockhash != ours.hash {
            return Ok(None);
        }
        self.connect_child(ours, block).map(Some)
    }

    fn connect_child(&mut self, ours: BlockId, mut block: Block) -> anyhow::Result<Changes> {
        let height = ours.height.saturating_add(1);
        proof::complete(&mut block, self.node, self.store)?;
        let (id, now) = (BlockId { height, hash: block.hash }, self.clock.now());
        let (lookahead, filter_builder) = (&mut *self.lookahead, &mut *self.filter_builder);
        let changes =
            connect_block(self.store, lookahead, filter_builder, block, id, self.network, now)
                .with_context(|| format!("connect block {height}"))?;
        tracing::debug!(height, hash = %id.hash, "block connected");
        Ok(changes)
    }
}

/// Connects a block on top of our tip, in one write. The caller has checked that its parent is our
/// tip.
///
/// # Errors
/// Those of the database.
pub(crate) fn connect_block(
    store: &Store,
    lookahead: &mut Lookahead,
    filter_builder: &mut FilterBuilder,
    block: Block,
    id: BlockId,
    network: Network,
    now: Timestamp,
) -> anyhow::Result<Changes> {
    let outputs = block.txs.iter().flat_map(|block_tx| &block_tx.outputs);
    let scripts = outputs.map(|output| output.script_pubkey.as_script());
    let next = store.read_blocking(indexes::next_index)?;
    let used = lookahead.highest(next, scripts);
    filter_builder.write(store, move |tx, bloom_filter| {
        if let Some(index) = used {
            skip_used(tx, index, now)?;
        }
        let bloom_filter = bloom_filter.complete(tx)?;
        Ok(apply::connect(tx, &block, id, network, now, bloom_filter.as_ref())?)
    })
}

/// Lets addresses be issued, above those in use, if the node has answered.
fn record_scan(tx: &WriteTx, scan: Scan, now: Timestamp) -> Result<(), store::Error> {
    match scan {
        Scan::Refused => account_scan::record_refusal(tx),
        Scan::Answered(used) => {
            if let Some(index) = used {
                skip_used(tx, index, now)?;
            }
            account_scan::record_answer(tx)
        }
    }
}

/// Never gives out an index that is in use on the chain, nor one below it.
fn skip_used(tx: &WriteTx, index: DerivationIndex, now: Timestamp) -> Result<(), store::Error> {
    let Some(below) = DerivationIndex::new(index.get().saturating_add(1)) else { return Ok(()) };
    if indexes::skip_indexes(tx, below, "paid on the chain", now)? {
        tracing::error!(
            index = index.get(),
            "an address was paid that this database never gave out: was an old copy put back, or is the account in use elsewhere? The indexes up to it are skipped"
        );
    }
    Ok(())
}
