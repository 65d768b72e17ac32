//! Notifications to administrators: node, sweeper, chain guard, disk, hot balance and audit.
//!
//! A state that comes and goes is reported at its beginning and at its end, and again after
//! [`REPEAT_MS_MIN`] at the earliest.

use std::collections::BTreeMap;

use crate::domain::amount::Amount;
use crate::domain::network::Network;
use crate::domain::notification::Kind;
use crate::domain::time::Timestamp;
use crate::store::notifications::{self as rows, Draft, StoredNotification};
use crate::store::sweeps::damaged::damaged_since;
use crate::store::{self, ReadTx, chain_guard_alerts, payments, payout_waits, role_status};

use super::super::sweeps;
use super::draft::about_gateway;
use super::merchant::STUCK_MS;
use super::notification::{Away, OperatorNotification};
use crate::view::role_status::{Role, RoleReport};

/// Inputs of a pass beside the stored facts.
#[derive(Debug, Clone)]
pub(crate) struct PassContext {
    pub(crate) network: Network,
    /// Kinds that the operator has turned off.
    pub(crate) off: Vec<Kind>,
    /// The node's state, once the watcher has been behind its tip for long.
    pub(crate) node: Option<Away>,
    /// Free space on the database's disk, in bytes, if it is below the operator's limit.
    pub(crate) low_disk: Option<u64>,
    /// `sweeper.max_hot_balance`, if it is set and the signing key is on this machine.
    pub(crate) hot_limit: Option<Amount>,
    pub(crate) started_at: Timestamp,
}

/// How long the watcher may be behind the node's tip before it is reported.
const NODE_SILENCE_MS_MAX: i64 = 2 * 60_000;

/// How long the sweeper may fail before it is reported.
const SWEEPER_SILENCE_MS_MAX: i64 = 30 * 60_000;

/// The shortest time between two notifications of a state that comes and goes.
pub(super) const REPEAT_MS_MIN: i64 = 6 * 60 * 60_000;

const SWEEPER_FAILURE: &str = "trouble:";

/// Whether the watcher has been behind the node's tip for long enough to be reported.
pub(crate) fn is_watcher_silent(
    tx: &ReadTx,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let last = role_status::of_role(tx, Role::Watcher)?.and_then(|role_status| role_status.at);
    Ok(now.ms_since(last.unwrap_or(started_at)) > NODE_SILENCE_MS_MAX)
}

pub(super) fn all(
    tx: &ReadTx,
    around: &PassContext,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = of_sweeps(tx, since, now)?;
    drafts.extend(of_payout_waits(tx)?);
    drafts.extend(of_states(tx, around, now)?);
    Ok(drafts)
}

/// Sweeps without a block, and sweeps whose stored bytes are damaged.
fn of_sweeps(tx: &ReadTx, since: Timestamp, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for txid in damaged_since(tx, since)? {
        let notification = OperatorNotification::SweepDamaged { txid: txid.to_string() };
        drafts.push(about_gateway(Kind::SweepStuck, format!("damaged:{txid}"), notification));
    }
    let stuck = rows::stuck_since(tx, now.plus_ms(-STUCK_MS))?;
    let by_sweep: BTreeMap<_, _> = stuck.into_iter().map(|line| (line.sweep, line.txid)).collect();
    for (sweep, txid) in by_sweep {
        let notification = OperatorNotification::SweepStuck { sweep, txid: txid.to_string() };
        drafts.push(about_gateway(Kind::SweepStuck, sweep.to_string(), notification));
    }
    Ok(drafts)
}

/// Each reason for which the sweeper does not pay a merchant, reported once.
pub(super) fn of_payout_waits(tx: &ReadTx) -> Result<Vec<Draft>, store::Error> {
    let waits = payout_waits::all(tx)?.into_iter().map(|waits| {
        let (merchant, wait) = (waits.merchant, waits.wait);
        let key = format!("address:{merchant}:{}:{}", wait.version, wait.reason.as_str());
        let (merchant, why) = (merchant.to_string(), wait.to_string());
        about_gateway(Kind::SweepStuck, key, OperatorNotification::PayoutsWait { merchant, why })
    });
    Ok(waits.collect())
}

/// States that come and go, and lost payments.
pub(super) fn of_states(
    tx: &ReadTx,
    around: &PassContext,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let mut drafts: Vec<Draft> = of_node(tx, around, now)?.into_iter().collect();
    drafts.extend(of_sweeper(tx, around, now)?);
    for id in payments::completed_without_coins(tx)? {
        let notification = OperatorNotification::PaymentLost { payment: id.to_string() };
        drafts.push(about_gateway(Kind::PaymentLost, id.to_string(), notification));
    }
    if let Some(chain_guard) = chain_guard_alerts::open(tx)?
        && is_due(tx, Kind::ChainGuard, now)?
    {
        let notification = OperatorNotification::Suspected { reason: chain_guard.reason };
        drafts.push(about_gateway(
            Kind::ChainGuard,
            chain_guard.began_at.ms().to_string(),
            notification,
        ));
    }
    if let Some(bytes) = around.low_disk
        && is_due(tx, Kind::Disk, now)?
    {
        let notification = OperatorNotification::LowDisk { megabytes: bytes / 1_000_000 };
        drafts.push(about_gateway(Kind::Disk, now.ms().to_string(), notification));
    }
    if let Some(limit) = around.hot_limit
        && is_due(tx, Kind::HotMoney, now)?
    {
        let hot = sweeps::hot(tx, limit)?;
        if hot.is_too_much() {
            let (waiting, limit) = (hot.waiting.to_string(), hot.limit.to_string());
            let notification = OperatorNotification::TooMuchHot { waiting, limit };
            drafts.push(about_gateway(Kind::HotMoney, now.ms().to_string(), notification));
        }
    }
    drafts.extend(of_notes(tx, now)?);
    Ok(drafts)
}

fn is_recent(notification: &StoredNotification, now: Timestamp) -> bool {
    now.ms_since(notification.created_at) < REPEAT_MS_MIN
}

/// Whether the last notification of this kind, if any, is old enough.
fn is_due(tx: &ReadTx, kind: Kind, now: Timestamp) -> Result<bool, store::Error> {
    Ok(!rows::last_made(tx, kind)?.is_some_and(|last| is_recent(&last, now)))
}

fn of_node(
    tx: &ReadTx,
    around: &PassContext,
    now: Timestamp,
) -> Result<Option<Draft>, store::Error> {
    let last = rows::last_made(tx, Kind::Node)?;
    let reported_down = last.as_ref().filter(|last| last.key.ends_with(":down"));
    let Some(why) = &around.node else {
        let Some(down) = reported_down else { return Ok(None) };
        if is_watcher_silent(tx, around.started_at, now)? {
            return Ok(None);
        }
        let key = format!("{}:back", down.id);
        return Ok(Some(about_gateway(Kind::Node, key, OperatorNotification::NodeBack)));
    };
    if reported_down.is_some() || last.as_ref().is_some_and(|last| is_recent(last, now)) {
        return Ok(None);
    }
    let minutes = NODE_SILENCE_MS_MAX / 60_000;
    let notification = OperatorNotification::NodeAway { minutes, why: why.clone() };
    Ok(Some(about_gateway(Kind::Node, format!("{}:down", now.ms()), notification)))
}

/// A sweeper that has failed for long.
fn of_sweeper(
    tx: &ReadTx,
    around: &PassContext,
    now: Timestamp,
) -> Result<Option<Draft>, store::Error> {
    let Some(sweeper) = role_status::of_role(tx, Role::Sweeper)? else { return Ok(None) };
    let Some(trouble) = sweeper.trouble else { return Ok(None) };
    let last = rows::last_made_of(tx, Kind::SweepStuck, SWEEPER_FAILURE)?;
    let failing_ms = now.ms_since(sweeper.at.unwrap_or(around.started_at));
    if failing_ms <= SWEEPER_SILENCE_MS_MAX || last.is_some_and(|last| is_recent(&last, now)) {
        return Ok(None);
    }
    let key = format!("{SWEEPER_FAILURE}{}", sweeper.at.map_or(0, Timestamp::ms));
    Ok(Some(about_gateway(Kind::SweepStuck, key, OperatorNotification::SweeperStuck { trouble })))
}

/// States that roles report: ZMQ, fees and the audit.
pub(super) fn of_notes(tx: &ReadTx, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let report =
        |role| Ok::<_, store::Error>(role_status::of_role(tx, role)?.and_then(|last| last.report));
    let mut drafts = Vec::new();
    if let Some(RoleReport::AtTip { mode, .. }) = report(Role::Watcher)? {
        let begins = mode.is_disturbed().then_some(OperatorNotification::ZmqSilent);
        let ends = OperatorNotification::ZmqBack;
        drafts.extend(of_state(tx, Kind::Zmq, begins, ends, [":cut", ":back"], now)?);
    }
    if let Some(RoleReport::Swept { too_expensive: 1.., .. }) = report(Role::Sweeper)?
        && is_due(tx, Kind::Fee, now)?
    {
        drafts.push(about_gateway(
            Kind::Fee,
            now.ms().to_string(),
            OperatorNotification::FeeTooHigh,
        ));
    }
    if let Some(RoleReport::Checked { faults }) = report(Role::Audit)? {
        let begins =
            (faults > 0).then_some(OperatorNotification::AuditFound { differences: faults });
        let ends = OperatorNotification::AuditClean;
        drafts.extend(of_state(tx, Kind::Audit, begins, ends, [":found", ":clean"], now)?);
    }
    Ok(drafts)
}

/// Reports the beginning of a state, or the end of one that was reported. The suffixes of the
/// keys distinguish them.
fn of_state(
    tx: &ReadTx,
    kind: Kind,
    begins: Option<OperatorNotification>,
    ends: OperatorNotification,
    [begun, ended]: [&str; 2],
    now: Timestamp,
) -> Result<Option<Draft>, store::Error> {
    let last = rows::last_made(tx, kind)?;
    let reported = last.as_ref().filter(|last| last.key.ends_with(begun));
    Ok(match (begins, reported) {
        (Some(begins), None) if !last.as_ref().is_some_and(|last| is_recent(last, now)) => {
            Some(about_gateway(kind, format!("{}{begun}", now.ms()), begins))
        }
        (None, Some(reported)) => {
            Some(about_gateway(kind, format!("{}{ended}", reported.id), ends))
        }
        (Some(_), _) | (None, None) => None,
    })
}
