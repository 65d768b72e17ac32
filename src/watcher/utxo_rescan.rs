//! `rescan --from-utxo-set`: bridges blocks that the node pruned before the gateway read them.
//!
//! A pruned node keeps all headers and its UTXO set, each output with its height. From these,
//! substitute blocks are made. They hold the account's unspent outputs, and those sweeps that
//! an unspent output proves to be mined. They are connected by the code for real blocks, so
//! the command can be repeated after a crash.
//!
//! A substitute block cannot show a coin that was received and spent within the gap. Stored
//! coins that are spent without a known spender are reported.
//!
//! Must not know: how the result is printed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use anyhow::{Context, bail, ensure};
use bitcoin::block::Header;
use bitcoin::{OutPoint, TxOut, Txid};

use crate::domain::audit::{LOOKAHEAD, LedgerCoin, Unspent};
use crate::domain::chain::BlockId;
use crate::domain::keys::AccountXpub;
use crate::domain::payment::{Origin, Place};
use crate::node::codec::{self, Block, PegoutProof, Tx, TxKind};
use crate::node::rpc::Node;
use crate::progress::{OnProgress, Progress};
use crate::store::sweeps::{StoredSweepTx, Unconfirmed};
use crate::store::{ReadTx, Store, blocks, coins, indexes, ledger_report, sweeps};

use super::filter_builder::FilterBuilder;
use super::lookahead::Lookahead;
use super::sync::{self, End, PrunedBlock, Terms};

/// The most blocks that are bridged: half a year.
const GAP_BLOCKS_MAX: u32 = 100_000;

/// How often the UTXO set is scanned again because the tip moved meanwhile.
const SCANS_MAX: u32 = 5;

/// The highest output number in a substitute block.
const VOUT_MAX: u32 = 100_000;

/// What to assume of a sweep whose coins and outputs are all spent, because its payees may
/// have spent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// Its newest version was mined: the operator has seen the payouts.
    Mined,
    /// It was not mined. It stays in flight, and its coins are reported.
    InFlight,
}

/// The operator has to decide on this sweep. Nothing was bridged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "sweep {0} may have been mined in the pruned blocks: its coins and its outputs are spent; \
     find it in a block explorer, and add --unproven-sweeps mined or in-flight"
)]
pub(crate) struct UnprovenSweep(Txid);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Crossed {
    /// The first and the last height of the substitute blocks.
    pub(crate) heights: Option<(u32, u32)>,
    /// Unspent outputs of these blocks that pay the gateway.
    pub(crate) found: u32,
    /// Sweeps that were mined in these blocks.
    pub(crate) sweeps: Vec<Txid>,
    /// Those of them that are assumed without proof.
    pub(crate) assumed: Vec<Txid>,
    pub(crate) completed: u32,
    /// Coins that are stored as unspent, that the node does not have, and whose spender is
    /// unknown.
    pub(crate) unexplained: Vec<OutPoint>,
}

/// The end of the gap, and the unspent outputs there.
struct Scan {
    tip: BlockId,
    outputs: Vec<Unspent>,
}

/// The known content of the gap's blocks, by height.
#[derive(Default)]
struct Known {
    txs: BTreeMap<u32, Vec<Tx>>,
    sweeps: Vec<Txid>,
    assumed: Vec<Txid>,
    unexplained: Vec<OutPoint>,
}

/// Syncs to the first block that the node has pruned, and bridges the pruned blocks. Does
/// nothing more if the node has all blocks.
///
/// # Errors
/// If the node is unreachable or still syncing, its tip moves too often, or it pruned too
/// much; [`UnprovenSweep`].
pub(crate) fn cross_pruned(
    store: &Store,
    node: &Node,
    terms: &Terms,
    xpub: &AccountXpub,
    unproven: Option<Unproven>,
    on_progress: OnProgress,
) -> anyhow::Result<Crossed> {
    match sync::catch_up(store, node, terms, xpub, on_progress) {
        Ok(End::AtTip(_)) => return Ok(Crossed::default()),
        Ok(End::NodeBehind | End::Stopped) => {
            bail!("the node is still syncing: wait, and run it again")
        }
        Err(error) if error.downcast_ref::<PrunedBlock>().is_some() => {}
        Err(error) => return Err(error),
    }
    let from = store.read_blocking(blocks::tip)?.context("no block is stored yet")?;
    let scan = scan(store, node, xpub, on_progress)?;
    let headers = headers_between(node, from, scan.tip, on_progress)?;
    let mut known = Known::default();
    let found = outputs_of_gap(store, node, from, &scan, &mut known)?;
    let recorded = store.read_blocking(ledger_report::coins)?;
    sweeps_of_gap(store, node, from, &scan, unproven, &mut known)?;
    find_unexplained(&recorded, &scan, &mut known);

    let mut done = Crossed {
        found,
        sweeps: known.sweeps,
        assumed: known.assumed,
        unexplained: known.unexplained,
        ..Crossed::default()
    };
    let (mut lookahead, mut filter_builder) =
        (Lookahead::new(xpub.clone()), FilterBuilder::default());
    // The kernels of these blocks are unknown: an announced peg-out that left the mempool is
    // mined.
    let unmined = node.mempool_txids().context("read the mempool")?.into_iter().collect();
    let pegouts = PegoutProof::Absent { unmined };
    let mut parent = from;
    for (id, header) in headers {
        on_progress(progress("bridging pruned blocks", from, id.height, scan.tip));
        let ours = store.read_blocking(blocks::tip)?;
        ensure!(ours == Some(parent), "the gateway followed another block meanwhile; run it again");
        let txs = known.txs.remove(&id.height).unwrap_or_default();
        let block = Block { hash: id.hash, header, txs, pegouts: pegouts.clone() };
        let changes = sync::connect_block(
            store,
            &mut lookahead,
            &mut filter_builder,
            block,
            id,
            terms.event_context(),
            terms.rates.clone(),
        )?;
        let completed = u32::try_from(changes.completed.len()).unwrap_or(u32::MAX);
        done.completed = done.completed.saturating_add(completed);
        done.heights = Some((done.heights.map_or(id.height, |(first, _)| first), id.height));
        parent = id;
    }
    Ok(done)
}

fn progress(what: &'static str, from: BlockId, height: u32, to: BlockId) -> Progress {
    let since = |height: u32| height.saturating_sub(from.height).into();
    Progress { what, done: since(height), of: since(to.height) }
}

/// The unspent outputs of all issued addresses and the lookahead, at one tip.
fn scan(
    store: &Store,
    node: &Node,
    xpub: &AccountXpub,
    on_progress: OnProgress,
) -> anyhow::Result<Scan> {
    let next = store.read_blocking(indexes::next_index)?.get();
    let last = next.saturating_add(LOOKAHEAD);
    for _ in 0..SCANS_MAX {
        let set = node
            .scan_unspent(&xpub.receiving_descriptor(), last, on_progress)
            .context("read the node's unspent outputs")?;
        if let [tip] = set.tips[..] {
            return Ok(Scan { tip, outputs: set.outputs });
        }
    }
    bail!("blocks come too often while the node's unspent outputs are read; run it again")
}

/// The headers above `from` up to `to`, each the child of the one before.
fn headers_between(
    node: &Node,
    from: BlockId,
    to: BlockId,
    on_progress: OnProgress,
) -> anyhow::Result<Vec<(BlockId, Header)>> {
    let count = to.height.saturating_sub(from.height);
    ensure!(
        count <= GAP_BLOCKS_MAX,
        "the node has pruned {count} blocks that the gateway has not read, more than {GAP_BLOCKS_MAX}: \
         restore the gateway from a newer backup"
    );
    let mut headers = Vec::new();
    let mut at = to;
    while at.height > from.height {
        on_progress(Progress {
            what: "reading headers",
            done: to.height.saturating_sub(at.height).into(),
            of: count.into(),
        });
        let header = node.raw_header(at.hash).context("read the headers of pruned blocks")?;
        headers.push((at, header));
        at = BlockId { height: at.height.saturating_sub(1), hash: header.prev_blockhash };
    }
    ensure!(
        at == from,
        "the node left the gateway's block {} {} meanwhile; run it again",
        from.height,
        from.hash
    );
    headers.reverse();
    Ok(headers)
}

/// Adds substitute transactions with the account's unspent outputs, and returns how many
/// outputs these are.
fn outputs_of_gap(
    store: &Store,
    node: &Node,
    from: BlockId,
    scan: &Scan,
    known: &mut Known,
) -> anyhow::Result<u32> {
    let mut by_tx: BTreeMap<(u32, Txid), Vec<&Unspent>> = BTreeMap::new();
    let in_gap = |found: &&Unspent| found.height > from.height && found.height <= scan.tip.height;
    for found in scan.outputs.iter().filter(in_gap) {
        by_tx.entry((found.height, found.outpoint.txid)).or_default().push(found);
    }
    let mut count = 0u32;
    for ((height, txid), found) in by_tx {
        let kind = kind_of(store, node, &found)?;
        let mut outputs = Vec::new();
        for one in found {
            ensure!(one.outpoint.vout <= VOUT_MAX, "{} has too many outputs", one.outpoint.txid);
            let at = usize::try_from(one.outpoint.vout)?;
            if outputs.len() <= at {
                outputs.resize(at.saturating_add(1), TxOut::NULL);
            }
            let value = bitcoin::Amount::from_sat(one.amount.litoshis());
            outputs[at] = TxOut { value, script_pubkey: one.script.clone() };
            count = count.saturating_add(1);
        }
        let tx = Tx { txid: Some(txid), kind, carries_mweb: false, inputs: Vec::new(), outputs };
        known.txs.entry(height).or_default().push(tx);
    }
    Ok(count)
}

/// The kind of the transaction of these outputs. The node does not report peg-outs, so an
/// output that was not seen in the mempool counts as one: its coins need more confirmations,
/// never fewer.
fn kind_of(store: &Store, node: &Node, found: &[&Unspent]) -> anyhow::Result<TxKind> {
    let Some(first) = found.first() else { return Ok(TxKind::Plain) };
    let recorded = store.read_blocking(|tx: &ReadTx| coins::by_outpoint(tx, first.outpoint))?;
    if let Some(coin) = recorded {
        return Ok(match coin.origin {
            Origin::Plain => TxKind::Plain,
            Origin::Coinbase => TxKind::Coinbase,
            Origin::Pegout => TxKind::Hogex,
        });
    }
    let output = node.mined_output(first.outpoint).context("read an unspent output")?;
    Ok(match output {
        Some(output) if output.coinbase => TxKind::Coinbase,
        Some(_) | None => TxKind::Hogex,
    })
}

/// Adds the sweeps that were mined in the gap.
fn sweeps_of_gap(
    store: &Store,
    node: &Node,
    from: BlockId,
    scan: &Scan,
    unproven: Option<Unproven>,
    known: &mut Known,
) -> anyhow::Result<()> {
    let unspent: HashSet<OutPoint> = scan.outputs.iter().map(|found| found.outpoint).collect();
    for sweep in store.read_blocking(sweeps::unconfirmed)? {
        let Some(newest) = sweep.versions.first() else { continue };
        let newest = (newest.txid(), transaction_of(newest)?);
        // All versions spend the same coins.
        if newest.1.inputs.iter().any(|at| unspent.contains(at)) {
            continue; // It was not mined.
        }
        let mined = mined_version(node, &sweep)?.filter(|(_, height)| *height > from.height);
        let ((txid, tx), height) = match (mined, unproven) {
            (Some((_, height)), _) if height > scan.tip.height => continue, // Its block will be read.
            (Some(mined), _) => mined,
            (None, None) => return Err(UnprovenSweep(newest.0).into()),
            (None, Some(Unproven::Mined)) => {
                known.assumed.push(newest.0);
                (newest, from.height.saturating_add(1))
            }
            (None, Some(Unproven::InFlight)) => continue,
        };
        known.sweeps.push(txid);
        known.txs.entry(height).or_default().push(tx);
    }
    Ok(())
}

/// The version of a sweep of which an output is unspent in a block, and that block's height.
fn mined_version(node: &Node, sweep: &Unconfirmed) -> anyhow::Result<Option<((Txid, Tx), u32)>> {
    for version in &sweep.versions {
        let (txid, tx) = (version.txid(), transaction_of(version)?);
        for (vout, _) in (0u32..).zip(&tx.outputs) {
            let output = node
                .mined_output(OutPoint { txid, vout })
                .context("find the outputs of a sweep")?;
            if let Some(output) = output {
                return Ok(Some(((txid, tx), output.height)));
            }
        }
    }
    Ok(None)
}

fn transaction_of(version: &StoredSweepTx) -> anyhow::Result<Tx> {
    codec::decode_tx(version.raw()).with_context(|| format!("read the sweep {}", version.txid()))
}

/// Reports coins that are stored as unspent in a block, and that neither the node has unspent
/// nor a known sweep spends.
fn find_unexplained(recorded: &[LedgerCoin], scan: &Scan, known: &mut Known) {
    let unspent: HashSet<OutPoint> = scan.outputs.iter().map(|found| found.outpoint).collect();
    let swept: BTreeSet<OutPoint> =
        known.txs.values().flatten().flat_map(|tx| tx.inputs.iter().copied()).collect();
    let is_lost = |ledger: &&LedgerCoin| {
        let at = ledger.coin.outpoint;
        matches!(ledger.coin.place, Place::Block(_))
            && ledger.spent_by.is_none()
            && !unspent.contains(&at)
            && !swept.contains(&at)
    };
    known.unexplained =
        recorded.iter().filter(is_lost).map(|ledger| ledger.coin.outpoint).collect();
}
