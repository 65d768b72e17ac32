//! The first sync of a database: the block to start from, and the scan of an account that may
//! have been used before.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::domain::audit::LOOKAHEAD;
use crate::domain::chain::BlockId;
use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;
use crate::node;
use crate::node::chain::ChainState;
use crate::operations::account_scan;
use crate::store::{self, WriteTx, blocks, indexes, payments};
use crate::watchdog::{self, Loop};

use super::Sync;
use crate::watcher::lookahead::skip_used;

/// How far before the first payment the sync begins, in milliseconds: block times may be two
/// hours off (consensus).
const MARGIN_MS: i64 = 3 * 3_600_000;

/// How far a block's time may be ahead of the network's (consensus), in milliseconds.
const BLOCK_TIME_AHEAD_MS: i64 = 2 * 3_600_000;

/// How long a node that refused the scan is not asked again.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// The highest index that holds coins, if any does.
    Answered(Option<DerivationIndex>),
    Refused,
}

impl Sync<'_> {
    /// Stores the first block: the node's tip, or a block from before the first payment, if
    /// payments were created while the node was unreachable.
    pub(super) fn begin(&mut self, state: &ChainState) -> anyhow::Result<()> {
        let first_payment = self.store.read_blocking(payments::first_created_at)?;
        let mut block = state.tip;
        if let Some(created_at) = first_payment {
            let early_enough = created_at.plus_ms(-MARGIN_MS);
            loop {
                let header = self
                    .node
                    .header(block.hash)
                    .context("read headers back to the first payment")?;
                let Some(previous) = header.previous else { break };
                // Its own time: the median time past of a quiet chain may be much older.
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

    /// Repeats the account scan if the node refused it when the first block was stored.
    pub(super) fn scan_again_if_refused(&mut self) -> anyhow::Result<()> {
        if self.lookahead.refused_at.is_some_and(|at| at.elapsed() < REFUSED_PAUSE)
            || self.store.read_blocking(account_scan::is_answered)?
        {
            return Ok(());
        }
        let (now, scan) = (self.clock.now(), self.scan_account()?);
        Ok(self.store.write_blocking(move |tx| record_scan(tx, scan, now))?)
    }

    /// Skips indexes if the chain's time shows that the database was not in use before this
    /// start. The machine's clock does not show that after a snapshot was restored.
    pub(super) fn apply_chain_time(&mut self, tip: BlockId) -> anyhow::Result<()> {
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

    /// Finds the highest index that holds coins before the gateway followed any block. The
    /// node reads its whole UTXO set, minutes on mainnet, and no address is issued until it
    /// answers.
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
                watchdog::heartbeat(Loop::Watcher); // The node reports progress.
                (self.on_progress)(progress);
            };
            let set =
                match self.node.scan_unspent(&self.xpub.receiving_descriptor(), last, &on_progress)
                {
                    Ok(set) => set,
                    // Waiting does not help: the node refuses the scan or lacks it.
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
                        return Err(error).context("scan the account for earlier use");
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
}

/// Records the scan. After an answer addresses are issued, above the indexes in use.
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
