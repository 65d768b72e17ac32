//! Notices: what people are told without having asked, derived from the stored facts.
//!
//! Nobody has to remember to tell: each look reads what has happened since a little before the last
//! one, and a key for each fact makes sure that it is told once, whatever is repeated.

use std::collections::BTreeMap;

use crate::domain::address::Address;
use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::notification::{Audience, Kind, REMINDER_DAYS, Way, reminder_due};
use crate::domain::payment::Payment;
use crate::domain::printable::printable;
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::batches::ROWS_MAX;
use crate::store::notifications::{self as rows, Draft};
use crate::store::sweeps::damaged::damaged_since;
use crate::store::{
    self, ReadTx, WriteTx, audit_log, chain_guard_alerts, merchants, payments, payout_waits,
    role_status,
};
use crate::view::role_status::{Role, RoleReport};

use super::merchants::OLD_KEY_UNTIL;
use super::reason::Reason;
use super::sweeps;
use super::{Actor, Refusal, act};

pub(crate) mod notification;

use notification::{
    AccountNotification, Away, Named, Notification, OperatorNotification, PaymentNotification,
};

/// How far each look reaches back behind the last one: rows are written a little after their time.
const OVERLAP_MS: i64 = 10 * 60_000;

/// How often the look is recorded when there was nothing to tell.
const RECORD_MS: i64 = 5 * 60_000;

/// Failed attempts after which a merchant hears of a webhook that is still tried.
const FAILING_ATTEMPTS: u32 = 5;

/// How long a sweep may be unconfirmed before it is called stuck: its fee aims at a quarter of an
/// hour.
const STUCK_MS: i64 = 2 * 60 * 60_000;

/// How long the watcher may be away from the node's tip before administrators are told.
pub(crate) const NODE_SILENCE_MS_MAX: i64 = 2 * 60_000;

/// How long the sweeper may be kept from its work before administrators are told.
const SWEEPER_SILENCE_MS_MAX: i64 = 30 * 60_000;

/// No notice of a state that comes and goes is repeated within this time.
const REPEAT_MS_MIN: i64 = 6 * 60 * 60_000;

/// What the key of a notice about a sweeper that cannot work begins with.
const TROUBLE: &str = "trouble:";

/// What a look needs to know beside the stored facts.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) network: Network,
    /// Kinds that the operator has turned off.
    pub(crate) off: Vec<Kind>,
    /// What the node says of itself, once the watcher has been silent for long.
    pub(crate) node: Option<Away>,
    /// Room on the disk of the database, in bytes, if it is less than the operator wants.
    pub(crate) low_disk: Option<u64>,
    /// How much may wait for payout under a signing key on this machine, if the operator says so.
    pub(crate) hot_limit: Option<Amount>,
    /// Since when this process runs.
    pub(crate) started_at: Timestamp,
}

/// Whether the watcher has been away from the node's tip for so long that people must know.
pub(crate) fn is_watcher_silent(
    tx: &ReadTx,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let last = role_status::of_role(tx, Role::Watcher)?.and_then(|role_status| role_status.at);
    let last = last.unwrap_or(started_at);
    Ok(now.ms_since(last) > NODE_SILENCE_MS_MAX)
}

/// What a look found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    drafts: Vec<Draft>,
    record: bool,
}

impl Found {
    /// The notices, in parts that one write may store, and whether the look is to be recorded.
    pub(crate) fn into_parts(self) -> (Vec<Vec<Draft>>, bool) {
        let parts = self.drafts.chunks(ROWS_MAX as usize).map(<[_]>::to_vec).collect();
        (parts, self.record)
    }
}

/// Looks for everything that has to be told and is not yet. What happened before the first look
/// ever is history.
pub(crate) fn look(
    tx: &ReadTx,
    around: &Surroundings,
    now: Timestamp,
) -> Result<Found, store::Error> {
    let last = role_status::of_role(tx, Role::Notifications)?;
    let Some((last_at, report)) = last.and_then(|last| Some((last.at?, last.report))) else {
        return Ok(Found { drafts: Vec::new(), record: true });
    };
    let began = match report {
        Some(RoleReport::Since { ms }) => Timestamp::from_ms(ms),
        _ => last_at,
    };
    let since = last_at.plus_ms(-OVERLAP_MS).max(began);
    let mut drafts = of_payments(tx, since)?;
    drafts.extend(of_webhooks(tx, since)?);
    drafts.extend(of_payouts(tx, since, now)?);
    drafts.extend(of_accounts(tx, around.network, since, now)?);
    drafts.extend(of_payout_waits(tx)?);
    drafts.extend(of_subscriptions(tx, since, now)?);
    drafts.extend(of_the_whole(tx, around, now)?);
    let mut wanted = Vec::new();
    for draft in drafts {
        if is_wanted(tx, &draft, around)? && !rows::is_known(tx, &draft.key)? {
            wanted.push(draft);
        }
    }
    let record = !wanted.is_empty() || now.ms_since(last_at) >= RECORD_MS;
    Ok(Found { drafts: wanted, record })
}

/// Chooses how a merchant is told of a kind.
///
/// # Errors
/// If the kind is not for merchants.
pub(crate) fn choose(
    tx: &WriteTx,
    actor: &Actor,
    merchant: MerchantId,
    kind: Kind,
    way: Way,
    now: Timestamp,
) -> Result<(), Refusal> {
    if kind.audience() != Audience::Merchant {
        return Err(Refusal::invalid("kind", Reason::NotForMerchants));
    }
    super::merchants::get(tx, merchant)?;
    let shown = |way: Way| format!("{} {}", kind.as_str(), way.as_str());
    let before = rows::way(tx, merchant, kind)?;
    rows::choose(tx, merchant, kind, way)?;
    let change = (Some(shown(before)), Some(shown(way)));
    audit_log::append(tx, &act(actor, now, "choose_notifications", merchant, change))?;
    Ok(())
}

/// What a merchant is told, kind by kind.
pub(crate) fn choices(tx: &ReadTx, merchant: MerchantId) -> Result<Vec<(Kind, Way)>, Refusal> {
    super::merchants::get(tx, merchant)?;
    let own = Kind::ALL.into_iter().filter(|kind| kind.audience() == Audience::Merchant);
    own.map(|kind| Ok((kind, rows::way(tx, merchant, kind)?))).collect()
}

/// Stores some of the notices that a look found. What is stored is not found again.
pub(crate) fn store(tx: &WriteTx, drafts: &[Draft], now: Timestamp) -> Result<(), store::Error> {
    drafts.iter().try_for_each(|draft| rows::insert(tx, draft, now))
}

/// Records a look, once all that it found is stored.
pub(crate) fn record(tx: &WriteTx, now: Timestamp) -> Result<(), store::Error> {
    let began = match role_status::of_role(tx, Role::Notifications)? {
        Some(role_status::RoleStatus {
            report: Some(since @ RoleReport::Since { .. }), ..
        }) => since,
        _ => RoleReport::Since { ms: now.ms() },
    };
    role_status::record(tx, Role::Notifications, now, &began)
}

fn is_wanted(tx: &ReadTx, draft: &Draft, around: &Surroundings) -> Result<bool, store::Error> {
    if around.off.contains(&draft.kind) {
        return Ok(false);
    }
    let Some(merchant) = draft.merchant else { return Ok(true) };
    // Who is not on Discord asks the command line.
    let on_discord = merchants::by_id(tx, merchant)?.is_some_and(|m| m.discord_id.is_some());
    Ok(on_discord && rows::way(tx, merchant, draft.kind)? != Way::Off)
}

fn to(merchant: MerchantId, kind: Kind, key: String, notification: &Notification) -> Draft {
    Draft { merchant: Some(merchant), ..to_admins(kind, key, notification) }
}

fn to_admins(kind: Kind, key: String, notification: &Notification) -> Draft {
    let key = format!("{}:{key}", kind.as_str());
    Draft {
        key,
        kind,
        merchant: None,
        text: notification.to_string(),
        notification: notification.stored(),
    }
}

fn whole(kind: Kind, key: String, notification: OperatorNotification) -> Draft {
    to_admins(kind, key, &Notification::Whole(notification))
}

/// Text of other people, without the meaning that markup would give it.
pub(crate) fn plain(text: &str) -> String {
    let special = |c: char| {
        matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']' | '@' | '<' | ':')
    };
    printable(text).flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

fn of_payments(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for paid in rows::decided_since(tx, since)? {
        let (id, merchant, amount) = (paid.payment, paid.merchant, paid.amount.to_string());
        let payment = Named::new(id, paid.reference);
        let mut say = |kind, key, notification| {
            let notification = Notification::Payment { payment: payment.clone(), notification };
            drafts.push(to(merchant, kind, key, &notification));
        };
        if paid.completed {
            if paid.first {
                say(
                    Kind::FirstPayment,
                    merchant.to_string(),
                    PaymentNotification::First { amount },
                );
            } else {
                say(Kind::Paid, id.to_string(), PaymentNotification::Complete { amount });
            }
            if paid.late {
                say(Kind::LatePayment, format!("{id}:complete"), PaymentNotification::CompleteLate);
            }
        } else if !paid.received.is_zero() {
            let notification =
                PaymentNotification::PartPaid { received: paid.received.to_string(), amount };
            say(Kind::PartPaid, id.to_string(), notification);
        }
    }
    for coin in rows::late_since(tx, since)? {
        let amount = coin.amount.to_string();
        let notification = match coin.within_grace {
            true => PaymentNotification::Late { amount },
            false => PaymentNotification::TooLate { amount },
        };
        let key = format!("{}:{}:{}", coin.payment, coin.txid, coin.vout);
        let notification = Notification::Payment {
            payment: Named::new(coin.payment, coin.reference),
            notification,
        };
        drafts.push(to(coin.merchant, Kind::LatePayment, key, &notification));
    }
    Ok(drafts)
}

fn of_webhooks(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let bad = rows::bad_webhooks(tx, FAILING_ATTEMPTS, since)?;
    let drafts = bad.into_iter().map(|webhook| {
        let (attempts, outcome) = (webhook.attempts, webhook.outcome);
        let (kind, key, notification) = match webhook.given_up {
            true => {
                let key = format!("{}:{attempts}", webhook.event);
                (
                    Kind::WebhookFailed,
                    key,
                    PaymentNotification::WebhookGivenUp { attempts, outcome },
                )
            }
            false => {
                let notification =
                    PaymentNotification::WebhookFailing { attempts: FAILING_ATTEMPTS, outcome };
                (Kind::WebhookFailing, webhook.event, notification)
            }
        };
        let notification =
            Notification::Payment { payment: Named::new(webhook.payment, None), notification };
        to(webhook.merchant, kind, key, &notification)
    });
    Ok(drafts.collect())
}

fn of_payouts(tx: &ReadTx, since: Timestamp, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for line in rows::payouts_since(tx, since)? {
        let (amount, txid) = (line.amount.to_string(), line.txid.to_string());
        let notification = Notification::Account(AccountNotification::PayoutSent { amount, txid });
        drafts.push(to(line.merchant, Kind::PayoutSent, line.sweep.to_string(), &notification));
    }
    let mut stuck = BTreeMap::new();
    for line in rows::stuck_since(tx, now.plus_ms(-STUCK_MS))? {
        let (amount, txid) = (line.amount.to_string(), line.txid.to_string());
        let notification = Notification::Account(AccountNotification::PayoutStuck { amount, txid });
        drafts.push(to(line.merchant, Kind::PayoutStuck, line.sweep.to_string(), &notification));
        stuck.insert(line.sweep, line.txid);
    }
    for txid in damaged_since(tx, since)? {
        let notification = OperatorNotification::SweepDamaged { txid: txid.to_string() };
        drafts.push(whole(Kind::SweepStuck, format!("damaged:{txid}"), notification));
    }
    for (sweep, txid) in stuck {
        let notification = OperatorNotification::SweepStuck { sweep, txid: txid.to_string() };
        drafts.push(whole(Kind::SweepStuck, sweep.to_string(), notification));
    }
    Ok(drafts)
}

fn of_accounts(
    tx: &ReadTx,
    network: Network,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for change in rows::address_changes_since(tx, since)? {
        let Some(address) = Address::from_script(&change.script, network) else { continue };
        let (merchant, version) = (change.merchant, change.version);
        let address = address.to_string();
        let mut say = |what: &str, notification: AccountNotification| {
            let key = format!("{merchant}:{version}:{what}");
            drafts.push(to(
                merchant,
                Kind::AddressChange,
                key,
                &Notification::Account(notification),
            ));
        };
        match change.cancelled_at {
            Some(at) if at >= since => {
                say("cancelled", AccountNotification::AddressCancelled { address })
            }
            Some(_) => {}
            None if change.effective_at <= now => {
                say("effective", AccountNotification::AddressEffective { address });
            }
            None => {
                let registered = merchants::payout_addresses(tx, merchant, network)?;
                let before = crate::domain::merchant::address_in_force(registered.current(), now);
                let before = before.map(|registered| registered.address.to_string());
                let at = change.effective_at.seconds();
                say("asked", AccountNotification::AddressAsked { before, address, at });
            }
        }
    }
    for act in audit_log::of_act_since(tx, "rotate_key", since)? {
        let Some(merchant) = act.merchant else { continue };
        let notification = match act.after.is_some_and(|after| after.contains(OLD_KEY_UNTIL)) {
            true => AccountNotification::KeyReplacedGently,
            false => AccountNotification::KeyReplaced,
        };
        let key = act.id.to_string();
        drafts.push(to(merchant, Kind::KeyRotated, key, &Notification::Account(notification)));
    }
    for act in audit_log::of_act_since(tx, "rotate_webhook_secret", since)? {
        let Some(merchant) = act.merchant else { continue };
        let notification = Notification::Account(AccountNotification::WebhookSecretReplaced);
        drafts.push(to(merchant, Kind::KeyRotated, act.id.to_string(), &notification));
    }
    Ok(drafts)
}

/// Each reason for which the sweeper does not pay a merchant is told once, to both.
fn of_payout_waits(tx: &ReadTx) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for waits in payout_waits::all(tx)? {
        let (merchant, wait) = (waits.merchant, waits.wait);
        let key = format!("{merchant}:{}:{}", wait.version, wait.reason.as_str());
        let notification = match wait.reason.heals_alone() {
            true => AccountNotification::PayoutsWait,
            false => AccountNotification::PayoutsWaitForAddress,
        };
        drafts.push(to(
            merchant,
            Kind::AddressChange,
            key.clone(),
            &Notification::Account(notification),
        ));
        let (merchant, why) = (merchant.to_string(), wait.to_string());
        let notification = OperatorNotification::PayoutsWait { merchant, why };
        drafts.push(whole(Kind::SweepStuck, format!("address:{key}"), notification));
    }
    Ok(drafts)
}

fn of_subscriptions(
    tx: &ReadTx,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let farthest = i64::from(REMINDER_DAYS.into_iter().max().unwrap_or(0)).saturating_mul(DAY_MS);
    let mut drafts = Vec::new();
    for (merchant, end) in rows::ending_between(tx, since, now.plus_ms(farthest))? {
        let end_ms = end.ms();
        if end <= now {
            let key = format!("{merchant}:{end_ms}:0");
            let notification = Notification::Account(AccountNotification::SubscriptionEnded);
            drafts.push(to(merchant, Kind::Subscription, key, &notification));
            continue;
        }
        let granted_at = audit_log::last_grant(tx, merchant)?.unwrap_or(Timestamp::from_ms(0));
        if let Some(days) = reminder_due(end.ms_since(now), end.ms_since(granted_at)) {
            let notification =
                Notification::Account(AccountNotification::SubscriptionEnds { at: end.seconds() });
            let key = format!("{merchant}:{end_ms}:{days}");
            drafts.push(to(merchant, Kind::Subscription, key, &notification));
        }
    }
    Ok(drafts)
}

fn of_the_whole(
    tx: &ReadTx,
    around: &Surroundings,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    let last_of = |kind: Kind| rows::last_made(tx, kind);
    let recently = |at: Timestamp| now.ms_since(at) < REPEAT_MS_MIN;
    // A state that comes and goes: told when it begins, and when what was told has ended.
    let notified = last_of(Kind::Node)?;
    let reported_down =
        notified.as_ref().filter(|notification| notification.key.ends_with(":down"));
    if let Some(why) = &around.node {
        if reported_down.is_none()
            && !notified.is_some_and(|notification| recently(notification.created_at))
        {
            let minutes = NODE_SILENCE_MS_MAX / 60_000;
            let notification = OperatorNotification::NodeAway { minutes, why: why.clone() };
            drafts.push(whole(Kind::Node, format!("{}:down", now.ms()), notification));
        }
    } else if let Some(down) = reported_down
        && !is_watcher_silent(tx, around.started_at, now)?
    {
        drafts.push(whole(Kind::Node, format!("{}:back", down.id), OperatorNotification::NodeBack));
    }
    if let Some(sweeper) = role_status::of_role(tx, Role::Sweeper)?
        && let Some(trouble) = &sweeper.trouble
        && now.ms_since(sweeper.at.unwrap_or(around.started_at)) > SWEEPER_SILENCE_MS_MAX
        && !rows::last_made_of(tx, Kind::SweepStuck, TROUBLE)?
            .is_some_and(|notification| recently(notification.created_at))
    {
        let since = sweeper.at.map_or(0, Timestamp::ms);
        let notification = OperatorNotification::SweeperStuck { trouble: trouble.clone() };
        drafts.push(whole(Kind::SweepStuck, format!("{TROUBLE}{since}"), notification));
    }
    for id in payments::completed_without_coins(tx)? {
        let notification = OperatorNotification::PaymentLost { payment: id.to_string() };
        drafts.push(whole(Kind::PaymentLost, id.to_string(), notification));
        if let Some(lost) = payments::by_id(tx, id)? {
            let Payment { merchant, reference, .. } = lost.payment;
            let notification = Notification::Payment {
                payment: Named::new(id, reference),
                notification: PaymentNotification::Lost,
            };
            drafts.push(to(merchant, Kind::PaymentLost, format!("{id}:merchant"), &notification));
        }
    }
    if let Some(chain_guard) = chain_guard_alerts::open(tx)?
        && !last_of(Kind::ChainGuard)?.is_some_and(|notification| recently(notification.created_at))
    {
        let notification = OperatorNotification::Suspected { reason: chain_guard.reason };
        drafts.push(whole(Kind::ChainGuard, chain_guard.began_at.ms().to_string(), notification));
    }
    if let Some(bytes) = around.low_disk
        && !last_of(Kind::Disk)?.is_some_and(|notification| recently(notification.created_at))
    {
        let notification = OperatorNotification::LowDisk { megabytes: bytes / 1_000_000 };
        drafts.push(whole(Kind::Disk, now.ms().to_string(), notification));
    }
    if let Some(limit) = around.hot_limit
        && !last_of(Kind::HotMoney)?.is_some_and(|notification| recently(notification.created_at))
    {
        let hot = sweeps::hot(tx, limit)?;
        if hot.is_too_much() {
            let (waiting, limit) = (hot.waiting.to_string(), hot.limit.to_string());
            let notification = OperatorNotification::TooMuchHot { waiting, limit };
            drafts.push(whole(Kind::HotMoney, now.ms().to_string(), notification));
        }
    }
    drafts.extend(of_notes(tx, now)?);
    Ok(drafts)
}

/// What the roles say of themselves while they do their work: how payments are noticed, and what
/// keeps coins from being swept.
fn of_notes(tx: &ReadTx, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    let recently = |notification: &rows::StoredNotification| {
        now.ms_since(notification.created_at) < REPEAT_MS_MIN
    };
    let report =
        |role| Ok::<_, store::Error>(role_status::of_role(tx, role)?.and_then(|s| s.report));
    if let Some(RoleReport::AtTip { mode, .. }) = report(Role::Watcher)? {
        let notified = rows::last_made(tx, Kind::Zmq)?;
        let reported_cut =
            notified.as_ref().filter(|notification| notification.key.ends_with(":cut"));
        if mode.is_disturbed() {
            if reported_cut.is_none() && !notified.as_ref().is_some_and(recently) {
                let key = format!("{}:cut", now.ms());
                drafts.push(whole(Kind::Zmq, key, OperatorNotification::ZmqSilent));
            }
        } else if let Some(cut) = reported_cut {
            drafts.push(whole(
                Kind::Zmq,
                format!("{}:back", cut.id),
                OperatorNotification::ZmqBack,
            ));
        }
    }
    if let Some(RoleReport::Swept { too_expensive: 1.., .. }) = report(Role::Sweeper)?
        && !rows::last_made(tx, Kind::Fee)?.as_ref().is_some_and(recently)
    {
        drafts.push(whole(Kind::Fee, now.ms().to_string(), OperatorNotification::FeeTooHigh));
    }
    if let Some(RoleReport::Checked { faults }) = report(Role::Audit)? {
        let notified = rows::last_made(tx, Kind::Audit)?;
        let reported_bad =
            notified.as_ref().filter(|notification| notification.key.ends_with(":found"));
        if faults > 0 {
            if reported_bad.is_none() && !notified.as_ref().is_some_and(recently) {
                let notification = OperatorNotification::AuditFound { differences: faults };
                drafts.push(whole(Kind::Audit, format!("{}:found", now.ms()), notification));
            }
        } else if let Some(found) = reported_bad {
            let key = format!("{}:clean", found.id);
            drafts.push(whole(Kind::Audit, key, OperatorNotification::AuditClean));
        }
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests;
