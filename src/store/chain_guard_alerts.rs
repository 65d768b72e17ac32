//! Stored state of the chain guard: troubles, alerts, and how each alert ended.
//!
//! Facts only; `domain/chain_guard.rs` evaluates them. The watcher writes them, the CLI can
//! end an alert, and every role asks [`trust_at`], so a restart changes nothing.

use std::collections::BTreeSet;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;
use rusqlite::{OptionalExtension, params};

use crate::domain::chain::BlockId;
use crate::domain::chain_guard::{self, ActiveGuard, Trouble, Trust, Verdict};
use crate::domain::keys::DerivationIndex;
use crate::domain::time::Timestamp;

use super::columns::{block_hash, block_hash_bytes, impossible};
use super::error::Error;
use super::tx::{ReadTx, WriteTx};

/// What the watcher found at a tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observation {
    pub(crate) tip: BlockId,
    pub(crate) troubles: BTreeSet<Trouble>,
    /// The second node did not answer: its last answer still counts.
    pub(crate) second_node_silent: bool,
}

/// How far the chain is trusted at this tip. While the guard is enabled, a tip that was not
/// checked yet is not trusted: it may be the end of a branch that just won.
pub(crate) fn trust_at(tx: &ReadTx, tip: BlockId) -> Result<Trust, Error> {
    let sql = "SELECT checked_hash FROM chain_guard WHERE enabled = 1";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let checked = statement.query_row([], |row| {
        Ok(row.get::<_, Option<[u8; 32]>>("checked_hash")?.map(BlockHash::from_byte_array))
    });
    let Some(checked) = checked.optional()? else { return Ok(Trust::Full) };
    let trusted = checked == Some(tip.hash) && open(tx)?.is_none();
    Ok(if trusted { Trust::Full } else { Trust::Withheld })
}

/// The alert that has not ended.
pub(crate) fn open(tx: &ReadTx) -> Result<Option<ActiveGuard>, Error> {
    let sql = "SELECT began_at, began_height, reason, last_finding_height FROM chain_guard_alerts
               WHERE ended_at IS NULL";
    let row = tx.connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(ActiveGuard {
            began_at: row.get("began_at")?,
            began_height: row.get("began_height")?,
            reason: row.get("reason")?,
            last_trouble_height: row.get("last_finding_height")?,
        })
    });
    Ok(row.optional()?)
}

/// Enables or disables the guard. Disabling ends the open alert.
pub(crate) fn enable(tx: &WriteTx, enabled: bool, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO chain_guard (id, enabled) VALUES (1, ?1)
               ON CONFLICT (id) DO UPDATE SET enabled = ?1";
    tx.connection.execute(sql, [enabled])?;
    if !enabled {
        end(tx, "configuration", now)?;
        tx.connection.execute("DELETE FROM chain_guard_findings", [])?;
    }
    Ok(())
}

/// Records an observation and its consequences.
pub(crate) fn record(
    tx: &WriteTx,
    observation: &Observation,
    now: Timestamp,
) -> Result<Verdict, Error> {
    let known = troubles(tx)?;
    let mut seen = observation.troubles.clone();
    if observation.second_node_silent && known.contains(&Trouble::NodesDisagree) {
        seen.insert(Trouble::NodesDisagree);
    }
    let (open, height) = (open(tx)?, observation.tip.height);
    let verdict = chain_guard::evaluate(open.as_ref(), &known, &seen, height);
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Begin(trouble) => {
            let sql = "INSERT INTO chain_guard_alerts (began_at, began_height, reason, last_finding_height)
                       VALUES (?1, ?2, ?3, ?2)";
            tx.connection.execute(sql, params![now, height, trouble.as_str()])?;
        }
        Verdict::GoesOn => {
            let sql =
                "UPDATE chain_guard_alerts SET last_finding_height = ? WHERE ended_at IS NULL";
            tx.connection.execute(sql, [height])?;
        }
        Verdict::End => {
            end(tx, "quiet", now)?;
        }
    }
    if seen != known {
        tx.connection.execute("DELETE FROM chain_guard_findings", [])?;
        for trouble in &seen {
            let branch = trouble.branch().map(|hash| block_hash_bytes(&hash).to_vec());
            let sql = "INSERT INTO chain_guard_findings (kind, branch) VALUES (?, ?)";
            tx.connection.execute(sql, params![trouble.as_str(), branch.unwrap_or_default()])?;
        }
    }
    let sql = "UPDATE chain_guard SET checked_height = ?, checked_hash = ? WHERE id = 1";
    tx.connection.execute(sql, params![height, block_hash_bytes(&observation.tip.hash)])?;
    Ok(verdict)
}

/// Ends the open alert; `false` if there is none. The last troubles stay known, so that they
/// do not start another alert.
pub(crate) fn end(tx: &WriteTx, by: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE chain_guard_alerts SET ended_at = ?, ended_by = ? WHERE ended_at IS NULL";
    Ok(tx.connection.execute(sql, params![now, by])? > 0)
}

/// The troubles of the last observation.
pub(crate) fn troubles(tx: &ReadTx) -> Result<BTreeSet<Trouble>, Error> {
    let mut statement =
        tx.connection.prepare_cached("SELECT kind, branch FROM chain_guard_findings")?;
    let rows = statement.query_map([], |row| {
        let kind: String = row.get("kind")?;
        let about_branch = !row.get::<_, Vec<u8>>("branch")?.is_empty();
        let branch = about_branch.then(|| block_hash(row, "branch")).transpose()?;
        Ok((kind, branch))
    })?;
    let trouble = |row: rusqlite::Result<(String, Option<BlockHash>)>| {
        let (kind, branch) = row?;
        Trouble::from_parts(&kind, branch)
            .ok_or_else(|| impossible("chain_guard_findings.kind", kind))
    };
    rows.map(trouble).collect()
}

/// Whether the two nodes disagreed at the last comparison.
pub(crate) fn nodes_disagree(tx: &ReadTx) -> Result<bool, Error> {
    Ok(troubles(tx)?.contains(&Trouble::NodesDisagree))
}

/// Incomplete payments with a peg-out in a block.
pub(crate) fn payments_with_pegouts(tx: &ReadTx) -> Result<Vec<DerivationIndex>, Error> {
    let sql = "SELECT DISTINCT derivation_index FROM coins JOIN payments USING (derivation_index)
               WHERE origin = 'pegout' AND place = 'block' AND status <> 'completed'";
    let mut statement = tx.connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
