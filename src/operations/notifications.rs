//! Notifications to merchants and administrators, derived from the stored facts.
//!
//! Each pass reads what happened since shortly before the last one. The key of a notification
//! ensures that each fact is reported once, whatever is repeated. `merchant.rs` and
//! `operator.rs` derive the notifications, `notification.rs` contains their English text.

use crate::domain::merchant::MerchantId;
use crate::domain::notification::{Audience, DeliveryMode, Kind};
use crate::domain::time::Timestamp;
use crate::store::batches::ROWS_MAX;
use crate::store::notifications::{self as rows, Draft};
use crate::store::{self, ReadTx, WriteTx, audit_log, merchants, role_status};

use super::actor::{Actor, entry};
use super::reason::Reason;
use super::refusal::Refusal;
use crate::view::role_status::{Role, RoleReport};

mod draft;
mod merchant;
pub(crate) mod notification;
mod operator;

pub(crate) use notification::plain;
pub(crate) use operator::{PassContext, is_watcher_silent};

/// How far each pass reaches back before the last one: a row is written a little after its
/// time.
const OVERLAP_MS: i64 = 10 * 60_000;

/// How often a pass without notifications is recorded.
const RECORD_MS: i64 = 5 * 60_000;

/// The notifications that a pass found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    drafts: Vec<Draft>,
    record: bool,
}

impl Found {
    /// The notifications in parts that fit into one write, and whether the pass must be
    /// recorded.
    pub(crate) fn into_parts(self) -> (Vec<Vec<Draft>>, bool) {
        let parts = self.drafts.chunks(ROWS_MAX as usize).map(<[_]>::to_vec).collect();
        (parts, self.record)
    }
}

/// Finds everything that is due and not yet reported. Facts from before the first pass ever
/// are not reported.
pub(crate) fn derive_due(
    tx: &ReadTx,
    around: &PassContext,
    now: Timestamp,
) -> Result<Found, store::Error> {
    let last = role_status::of_role(tx, Role::Notifications)?;
    let Some((last_at, report)) = last.and_then(|last| Some((last.at?, last.report))) else {
        return Ok(Found { drafts: Vec::new(), record: true });
    };
    let first_pass_at = match report {
        Some(RoleReport::Since { ms }) => Timestamp::from_ms(ms),
        _ => last_at,
    };
    let since = last_at.plus_ms(-OVERLAP_MS).max(first_pass_at);
    let mut drafts = merchant::all(tx, around.network, since, now)?;
    drafts.extend(operator::all(tx, around, since, now)?);
    let mut wanted = Vec::new();
    for draft in drafts {
        if is_wanted(tx, &draft, around)? && !rows::is_known(tx, &draft.key)? {
            wanted.push(draft);
        }
    }
    let record = !wanted.is_empty() || now.ms_since(last_at) >= RECORD_MS;
    Ok(Found { drafts: wanted, record })
}

/// Sets how a merchant gets a kind of notification.
///
/// # Errors
/// If the kind is not for merchants.
pub(crate) fn choose(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    kind: Kind,
    way: DeliveryMode,
    now: Timestamp,
) -> Result<(), Refusal> {
    if kind.audience() != Audience::Merchant {
        return Err(Refusal::invalid("kind", Reason::NotForMerchants));
    }
    super::merchants::get(tx, merchant)?;
    let shown = |way: DeliveryMode| format!("{} {}", kind.as_str(), way.as_str());
    let before = rows::way(tx, merchant, kind)?;
    rows::choose(tx, merchant, kind, way)?;
    let change = (Some(shown(before)), Some(shown(way)));
    audit_log::append(tx, &entry(actor, now, "choose_notifications", merchant, change))?;
    Ok(())
}

/// A merchant's setting for each kind.
pub(crate) fn choices(
    tx: &ReadTx,
    merchant: MerchantId,
) -> Result<Vec<(Kind, DeliveryMode)>, Refusal> {
    super::merchants::get(tx, merchant)?;
    let own = Kind::ALL.into_iter().filter(|kind| kind.audience() == Audience::Merchant);
    own.map(|kind| Ok((kind, rows::way(tx, merchant, kind)?))).collect()
}

/// Stores notifications that a pass found. The next passes do not find them again.
pub(crate) fn store(tx: &WriteTx, drafts: &[Draft], now: Timestamp) -> Result<(), store::Error> {
    drafts.iter().try_for_each(|draft| rows::insert(tx, draft, now))
}

/// Records a pass, once all its notifications are stored. The note is the time of the first
/// pass.
pub(crate) fn record(tx: &WriteTx, now: Timestamp) -> Result<(), store::Error> {
    let since = match role_status::of_role(tx, Role::Notifications)? {
        Some(role_status::RoleStatus {
            report: Some(first @ RoleReport::Since { .. }), ..
        }) => first,
        _ => RoleReport::Since { ms: now.ms() },
    };
    role_status::record(tx, Role::Notifications, now, &since)
}

fn is_wanted(tx: &ReadTx, draft: &Draft, around: &PassContext) -> Result<bool, store::Error> {
    if around.off.contains(&draft.kind) {
        return Ok(false);
    }
    let Some(merchant) = draft.merchant else { return Ok(true) };
    // A merchant without Discord reads the command line.
    let on_discord = merchants::by_id(tx, merchant)?.is_some_and(|m| m.discord_id.is_some());
    Ok(on_discord && rows::way(tx, merchant, draft.kind)? != DeliveryMode::Off)
}

#[cfg(test)]
mod tests;
