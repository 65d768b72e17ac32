//! Sync to the tip of the node's best chain, block by block.
//!
//! Start-up, catching up and a reorganisation use this one idempotent code path.
//!
//! How a reorganisation is handled:
//! 1. `Sync::run` reads the node's tip (`getblockchaininfo`), and whether the gateway's tip is
//!    on the node's best chain (`getblockheader`, confirmations).
//! 2. `domain::chain::next_step` decides: `Disconnect` if the node left the gateway's tip.
//! 3. A node that is still syncing below that height has left nothing: the sync waits.
//! 4. A node that does not know the gateway's tip must know its first block. If it does not,
//!    it is on another chain, and the sync stops with an error (decision 0012).
//! 5. `apply::disconnect` takes one block back in one write: coins return to the mempool,
//!    spends are undone, sweeps become unconfirmed. Statuses stay: a completed payment is
//!    final.
//! 6. Steps 1 to 5 repeat until the gateway's tip is on the node's best chain.
//! 7. `apply::connect` stores the new blocks one by one, each in one write, up to the tip.
//! 8. The pass then checks the chain guard, compares the mempool, which evicts coins that the
//!    node no longer has, and runs the reorg alarm for completed payments without coins.

mod start;

use anyhow::{Context, bail};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::chain::{AtTip, BlockId, NextStep, NodeChain, OurTip, next_step};
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::metrics;
use crate::node;
use crate::node::chain::ChainState;
use crate::node::codec::Block;
use crate::node::rpc::Node;
use crate::operations::nodes::is_catching_up;
use crate::operations::payment_events::EventContext;
use crate::operations::rates::Rates;
use crate::progress::{OnProgress, Progress};
use crate::store::{Store, WriteTx, blocks, indexes};
use crate::watchdog::{self, Loop};

use super::apply::{self, Changes};
use super::fetch::Fetched;
use super::filter_builder::FilterBuilder;
use super::lookahead::{Lookahead, skip_used};
use super::proof;

pub(super) struct Sync<'w> {
    pub(super) store: &'w Store,
    pub(super) node: &'w Node,
    pub(super) network: Network,
    pub(super) xpub: &'w AccountXpub,
    pub(super) rates: &'w Rates,
    pub(super) clock: &'w Clock,
    pub(super) shutdown: &'w CancellationToken,
    pub(super) lookahead: &'w mut Lookahead,
    pub(super) filter_builder: &'w mut FilterBuilder,
    pub(super) on_progress: OnProgress<'w>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// At the node's tip, with the proof of it.
    AtTip(AtTip),
    /// The node is still syncing: its tip proves nothing yet.
    NodeBehind,
    Stopped,
}

/// The node has pruned the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the node has pruned block {height}, which the gateway has not read: start the node with \
     -reindex, or run litegate rescan --from-utxo-set"
)]
pub(crate) struct PrunedBlock {
    height: u32,
}

/// What commands that follow the chain take from the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) network: Network,
    pub(crate) rates: Rates,
    pub(crate) clock: Clock,
}

impl Terms {
    pub(super) fn event_context(&self) -> EventContext<'static> {
        EventContext { network: self.network, now: self.clock.now(), mempool: None }
    }
}

/// Syncs to the node's tip once, for a command. The mempool is left to the watcher.
///
/// # Errors
/// As [`Sync::run`].
pub(crate) fn catch_up(
    store: &Store,
    node: &Node,
    terms: &Terms,
    xpub: &AccountXpub,
    on_progress: OnProgress,
) -> anyhow::Result<End> {
    let Terms { network, rates, clock } = terms;
    let network = *network;
    let (shutdown, lookahead) = (&CancellationToken::new(), &mut Lookahead::new(xpub.clone()));
    let filter_builder = &mut FilterBuilder::default();
    Sync {
        store,
        node,
        network,
        xpub,
        rates,
        clock,
        shutdown,
        lookahead,
        filter_builder,
        on_progress,
    }
    .run(|_| {})
}

impl Sync<'_> {
    /// Syncs to the node's tip. Calls `changed` after each commit.
    ///
    /// # Errors
    /// If the node is unreachable, on another network, or no longer has a block that is
    /// needed.
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
            let our_tip =
                self.node.place_of(ours).context("find the tip of the gateway on the node")?;
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
                // A node in -reindex-chainstate knows the gateway's tip but is not there yet:
                // it has left nothing.
                NextStep::Disconnect(block)
                    if state.tip.height < block.height && is_catching_up(&state) =>
                {
                    return Ok(End::NodeBehind);
                }
                NextStep::Disconnect(block) => {
                    if our_tip == OurTip::Unknown {
                        self.check_common_past(state.tip)?;
                    }
                    changed(&self.disconnect(block)?);
                }
                NextStep::AtTip(_) if is_catching_up(&state) => return Ok(End::NodeBehind),
                NextStep::AtTip(proof) => {
                    self.scan_again_if_refused()?;
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

    fn disconnect(&self, block: BlockId) -> anyhow::Result<Changes> {
        tracing::warn!(
            height = block.height, hash = %block.hash,
            "reorganisation: block disconnected"
        );
        let (context, rates) = (self.context(), self.rates.clone());
        let write = move |tx: &WriteTx| apply::disconnect(tx, block, &context, &rates);
        Ok(self.store.write_large_blocking(write)?)
    }

    fn context(&self) -> EventContext<'static> {
        EventContext { network: self.network, now: self.clock.now(), mempool: None }
    }

    fn check_network(&self, state: &ChainState) -> anyhow::Result<()> {
        if state.chain != self.network.node_chain() {
            bail!("the node is on network {:?}, this gateway on {}", state.chain, self.network);
        }
        Ok(())
    }

    /// A node that does not know the gateway's tip must know its first block. If it does not,
    /// it is on another chain, and no block is disconnected.
    fn check_common_past(&self, theirs: BlockId) -> anyhow::Result<()> {
        let Some(first) = self.store.read_blocking(blocks::first)? else { return Ok(()) };
        match self
            .node
            .place_of(first)
            .context("find the first block of the gateway on the node")?
        {
            OurTip::OnBestChain | OurTip::OffBestChain => Ok(()),
            OurTip::Unknown => bail!(
                "the node follows another chain: its tip is block {} {}, and it does not know the \
                 gateway's block {} {}; set node.rpc_url to the node that was used before",
                theirs.height,
                theirs.hash,
                first.height,
                first.hash
            ),
        }
    }

    /// Fetches the block at a height and connects it if it is a child of the tip. `None` if
    /// the chain moved meanwhile: the next step decides again.
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
            answer => answer.with_context(|| format!("read the hash of block {height}"))?,
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
        let id = BlockId { height, hash: block.hash };
        let (context, rates) = (self.context(), self.rates.clone());
        let (lookahead, filter_builder) = (&mut *self.lookahead, &mut *self.filter_builder);
        let changes =
            connect_block(self.store, lookahead, filter_builder, block, id, context, rates)
                .with_context(|| format!("connect block {height}"))?;
        tracing::debug!(height, hash = %id.hash, "block connected");
        Ok(changes)
    }
}

/// Connects a block on top of the tip, in one write. The caller has checked that the tip is
/// its parent.
///
/// # Errors
/// Those of the database.
pub(crate) fn connect_block(
    store: &Store,
    lookahead: &mut Lookahead,
    filter_builder: &mut FilterBuilder,
    block: Block,
    id: BlockId,
    context: EventContext<'static>,
    rates: Rates,
) -> anyhow::Result<Changes> {
    let outputs = block.txs.iter().flat_map(|block_tx| &block_tx.outputs);
    let scripts = outputs.map(|output| output.script_pubkey.as_script());
    let next = store.read_blocking(indexes::next_index)?;
    let used = lookahead.highest(next, scripts);
    filter_builder.write(store, move |tx, bloom_filter| {
        if let Some(index) = used {
            skip_used(tx, index, context.now)?;
        }
        let bloom_filter = bloom_filter.complete(tx)?;
        Ok(apply::connect(tx, &block, id, &context, &rates, bloom_filter.as_ref())?)
    })
}
