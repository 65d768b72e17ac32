//! The audit: reconciles the stored facts with each other and with the node's UTXO set.

use std::panic::resume_unwind;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::domain::audit::{Audit, Difference, LOOKAHEAD, Report, Scripts};
use crate::domain::chain::{BlockId, OurTip};
use crate::domain::keys::AccountXpub;
use crate::domain::ledger::Ledger;
use crate::domain::merchant::MerchantId;
use crate::domain::sweep::transaction::Unsound;
use crate::domain::time::Timestamp;
use crate::node;
use crate::node::rpc::Node;
use crate::node::scan::UnspentSet;
use crate::progress::OnProgress;
use crate::store::audit_log::chain::{self, Extent, KnownHead};
use crate::store::payout_waits::PayoutWait;
use crate::store::{
    self, ReadTx, Store, WriteTx, authenticated, blocks, chain_guard_alerts, indexes,
    ledger_report, merchants, payout_waits, role_status, verification,
};
use crate::view::role_status::{Role, RoleReport};

use super::refusal::Refusal;

/// How long the database may take to reach the block of the node's scan.
const PATIENCE: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(200);

/// The most scans, if the node's chain reorganises during a scan.
const SCANS_MAX: u32 = 5;

const SCRIPTS_AT_ONCE: u32 = 10_000;

/// Audits the whole database. It only reads, so the gateway may serve meanwhile. `known` are
/// the heads of the audit log that are stored elsewhere; `on_progress` gets the progress of
/// the node's scan.
///
/// # Errors
/// If the node is unreachable, or the database cannot be read.
pub(crate) fn audit(
    store: &Store,
    node: &Node,
    xpub: &AccountXpub,
    known: &[KnownHead],
    on_progress: OnProgress,
) -> anyhow::Result<Report> {
    audit_following(store, node, xpub, known, on_progress, || Ok(()))
}

/// As [`audit`], for a database without a watcher: `follow` connects the blocks that arrive
/// during the node's scan.
///
/// # Errors
/// As [`audit`], and those of `follow`.
pub(crate) fn audit_following(
    store: &Store,
    node: &Node,
    xpub: &AccountXpub,
    known: &[KnownHead],
    on_progress: OnProgress,
    follow: impl Fn() -> anyhow::Result<()>,
) -> anyhow::Result<Report> {
    let (mut scans, mut scripts) = (0u32, Scripts::default());
    let log = chain::check(store, Extent::All, known)?.found;
    loop {
        scans = scans.saturating_add(1);
        let (scanned, checked) = std::thread::scope(|scope| {
            let checking = scope.spawn(|| check_scripts(store, xpub, &mut scripts));
            let scanned = scan(store, node, xpub, on_progress);
            (scanned, checking.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        let scanned = scanned?;
        checked?;
        follow()?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let report = store.read_blocking(|tx| match follows(tx, &scanned.tips)? {
                true => Ok::<_, Refusal>(Some(compare(tx, xpub, &scripts, &scanned)?)),
                false => Ok(None),
            })?;
            if let Some(mut report) = report {
                report
                    .differences
                    .extend(log.iter().map(|found| Difference::AuditLog(found.to_string())));
                return Ok(report);
            }
            if scans < SCANS_MAX && !is_on_best_chain(node, &scanned.tips)? {
                break; // Stale blocks: scan again.
            }
            if Instant::now() >= deadline {
                let theirs = scanned.tips.iter().map(|tip| tip.height).max().unwrap_or(0);
                return Ok(store.read_blocking(|tx| {
                    Ok::<_, store::Error>(facts(tx, xpub, &scripts)?.behind(theirs))
                })?);
            }
            std::thread::sleep(PAUSE);
            follow()?;
        }
    }
}

/// Whether all these blocks are in the stored chain.
fn follows(tx: &ReadTx, blocks: &[BlockId]) -> Result<bool, store::Error> {
    for block in blocks {
        if blocks::at_height(tx, block.height)? != Some(*block) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether all these blocks are in the node's best chain.
fn is_on_best_chain(node: &Node, blocks: &[BlockId]) -> Result<bool, node::Error> {
    for block in blocks {
        if node.place_of(*block)? != OurTip::OnBestChain {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares the facts with each other, with the stored sums, and with the node's UTXO set. The
/// database is at the last block of the scan, or later.
fn compare(
    tx: &ReadTx,
    xpub: &AccountXpub,
    scripts: &Scripts,
    scanned: &UnspentSet,
) -> Result<Report, Refusal> {
    let mut audit = facts(tx, xpub, scripts)?;
    if let Some(first) = scanned.tips.iter().map(|tip| tip.height).min() {
        audit.listed_to(first);
    }
    let mut report = audit.finish(&scanned.outputs);
    report.compare_accounts(&ledgers(tx)?);
    report.differences.extend(wrong_sums(tx)?);
    report.differences.extend(damaged(tx, xpub)?);
    report.differences.extend(contradicted(tx)?);
    report.differences.extend(unverified(tx)?);
    Ok(report)
}

/// Payout addresses that the sweeper's record contradicts, and that need an operator's
/// decision.
fn contradicted(tx: &ReadTx) -> Result<Vec<Difference>, store::Error> {
    let mut waits = payout_waits::all(tx)?;
    waits.retain(|one| !one.wait.reason.heals_alone());
    let name =
        |one: PayoutWait| Difference::PayoutAddress { merchant: one.merchant, wait: one.wait };
    Ok(waits.into_iter().map(name).collect())
}

/// The most unverified rows that are named.
const UNVERIFIED_NAMED: usize = 1_000;

/// Rows that do not verify, or are missing. `facts` reports payments.
fn unverified(tx: &ReadTx) -> Result<Vec<Difference>, store::Error> {
    let rows = verification::unverified(tx, u32::MAX, UNVERIFIED_NAMED)?;
    let named = rows.into_iter().filter_map(|error| match error {
        store::Error::Unverified { table, row, why } if table != authenticated::PAYMENTS.name => {
            Some(Difference::Unverified { table, row, why })
        }
        _ => None,
    });
    Ok(named.collect())
}

/// Sweeps in flight with signatures that are not ours. `facts` reports bytes that are not the
/// transaction of their txid.
fn damaged(tx: &ReadTx, xpub: &AccountXpub) -> Result<Vec<Difference>, Refusal> {
    let mut found = super::sweeps::damaged(tx, xpub)?;
    found.retain(|(_, what)| !matches!(what, Unsound::Unreadable | Unsound::OtherTxid));
    let name = |(txid, what)| Difference::DamagedSweep { txid, what };
    Ok(found.into_iter().map(name).collect())
}

/// Records the number of differences, for notifications.
pub(crate) fn record(tx: &WriteTx, differences: usize, now: Timestamp) -> Result<(), store::Error> {
    role_status::record(tx, Role::Audit, now, &RoleReport::Checked { faults: differences as u64 })
}

/// The ledgers of all merchants, computed from coins and payouts instead of the stored sums.
fn ledgers(tx: &ReadTx) -> Result<Vec<(MerchantId, Ledger)>, Refusal> {
    let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
    let of = |id| {
        let mut ledger = Ledger::default();
        let facts = store::accounts::facts_anew(tx, id, tip)?;
        facts.ledger.iter().for_each(|fact| ledger.book(*fact));
        Ok((id, ledger))
    };
    merchants::all(tx)?.into_iter().map(|merchant| of(merchant.id)).collect()
}

/// Stored sums, lists and counts that differ from the facts.
fn wrong_sums(tx: &ReadTx) -> Result<Vec<Difference>, Refusal> {
    let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
    let mut wrong = Vec::new();
    for merchant in merchants::all(tx)? {
        if !store::accounts::are_kept(tx, merchant.id, tip)? {
            wrong.push(Difference::KeptSums(merchant.id));
        }
    }
    if !store::sweeps::in_flight_are_kept(tx)? {
        wrong.push(Difference::KeptSweeps);
    }
    if !store::totals::payments_are_counted(tx)? {
        wrong.push(Difference::KeptCounts);
    }
    Ok(wrong)
}

/// The node's unspent outputs of all issued addresses and the lookahead.
fn scan(
    store: &Store,
    node: &Node,
    xpub: &AccountXpub,
    on_progress: OnProgress,
) -> anyhow::Result<UnspentSet> {
    let next = store.read_blocking(indexes::next_index)?.get();
    let last = next.saturating_add(LOOKAHEAD);
    let deadline = Instant::now() + PATIENCE;
    loop {
        match node.scan_unspent(&xpub.receiving_descriptor(), last, on_progress) {
            Err(node::Error::Busy) if Instant::now() < deadline => std::thread::sleep(PAUSE),
            answer => return answer.context("read the node's unspent outputs"),
        }
    }
}

/// Compares the scripts of further payments with the account's key, in bounded reads.
fn check_scripts(
    store: &Store,
    xpub: &AccountXpub,
    scripts: &mut Scripts,
) -> Result<(), store::Error> {
    loop {
        let from = scripts.below();
        let some = store.read_blocking(|tx| ledger_report::scripts(tx, from, SCRIPTS_AT_ONCE))?;
        if some.is_empty() {
            return Ok(());
        }
        for (index, script, id) in some {
            scripts.look_at(xpub, index, &script, id);
        }
    }
}

fn facts<'x>(
    tx: &ReadTx,
    xpub: &'x AccountXpub,
    scripts: &Scripts,
) -> Result<Audit<'x>, store::Error> {
    let tip = blocks::tip(tx)?;
    let mut audit = Audit::new(xpub, tip, ledger_report::coins(tx)?, ledger_report::sweeps(tx)?);
    audit.take_over(scripts);
    audit.comes_next(indexes::next_index(tx)?);
    if let Some(tip) = tip {
        audit.believe(chain_guard_alerts::trust_at(tx, tip)?);
    }
    ledger_report::payments(tx, |payment| match payment {
        Ok(payment) => audit.payment(payment),
        Err((index, why)) => audit.unreadable(index, why),
    })?;
    Ok(audit)
}
