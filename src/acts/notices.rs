//! Notices: what people are told without having asked, derived from the stored facts.
//!
//! Nobody has to remember to tell: each look reads what has happened since a little before the last
//! one, and a key for each fact makes sure that it is told once, whatever is repeated.

use std::collections::BTreeMap;

use crate::domain::address::Address;
use crate::domain::merchant::MerchantId;
use crate::domain::network::Network;
use crate::domain::notice::{Audience, Kind, REMINDER_DAYS, Way, reminder_due};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::notices::{self as rows, Draft};
use crate::store::{self, ReadTx, WriteTx, doubts, merchants, payments, progress, trail};

use super::audit::AUDIT;
use super::merchants::OLD_KEY_UNTIL;
use super::payments::{WATCHER, ZMQ_CUT, ZMQ_SILENT};
use super::sweeps::{SWEEPER, TOO_DEAR};
use super::{Actor, Refusal, act};

/// The name under which the looks are recorded.
const NOTICES: &str = "notices";

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
    pub(crate) node: Option<String>,
    /// Room on the disk of the database, in bytes, if it is less than the operator wants.
    pub(crate) low_disk: Option<u64>,
    /// Since when this process runs.
    pub(crate) started_at: Timestamp,
}

/// Whether the watcher has been away from the node's tip for so long that people must know.
pub(crate) fn is_watcher_silent(
    tx: &ReadTx,
    started_at: Timestamp,
    now: Timestamp,
) -> Result<bool, store::Error> {
    let last = progress::of_role(tx, WATCHER)?.and_then(|progress| progress.at);
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
    /// Whether there is anything to write down.
    pub(crate) fn is_nothing(&self) -> bool {
        self.drafts.is_empty() && !self.record
    }
}

/// Looks for everything that has to be told and is not yet. What happened before the first look
/// ever is history.
pub(crate) fn look(
    tx: &ReadTx,
    around: &Surroundings,
    now: Timestamp,
) -> Result<Found, store::Error> {
    let last = progress::of_role(tx, NOTICES)?;
    let Some((last_at, note)) = last.and_then(|last| Some((last.at?, last.note))) else {
        return Ok(Found { drafts: Vec::new(), record: true });
    };
    let began = note.parse().map_or(last_at, Timestamp::from_ms);
    let since = last_at.plus_ms(-OVERLAP_MS).max(began);
    let mut drafts = of_payments(tx, since)?;
    drafts.extend(of_webhooks(tx, since)?);
    drafts.extend(of_payouts(tx, since, now)?);
    drafts.extend(of_accounts(tx, around.network, since, now)?);
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
        return Err(Refusal::invalid("kind", "must be a kind that merchants are told"));
    }
    super::merchants::get(tx, merchant)?;
    let shown = |way: Way| format!("{} {}", kind.as_str(), way.as_str());
    let before = rows::way(tx, merchant, kind)?;
    rows::choose(tx, merchant, kind, way)?;
    let change = (Some(shown(before)), Some(shown(way)));
    trail::append(tx, &act(actor, now, "choose_notices", merchant, change))?;
    Ok(())
}

/// What a merchant is told, kind by kind.
pub(crate) fn choices(tx: &ReadTx, merchant: MerchantId) -> Result<Vec<(Kind, Way)>, Refusal> {
    super::merchants::get(tx, merchant)?;
    let own = Kind::ALL.into_iter().filter(|kind| kind.audience() == Audience::Merchant);
    own.map(|kind| Ok((kind, rows::way(tx, merchant, kind)?))).collect()
}

/// Stores what a look found.
pub(crate) fn store(tx: &WriteTx, found: &Found, now: Timestamp) -> Result<(), store::Error> {
    for draft in &found.drafts {
        rows::insert(tx, draft, now)?;
    }
    let began = match progress::of_role(tx, NOTICES)? {
        Some(last) => last.note,
        None => now.ms().to_string(),
    };
    progress::record(tx, NOTICES, now, &began)
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

fn to(merchant: MerchantId, kind: Kind, key: String, text: String) -> Draft {
    Draft { key: format!("{}:{key}", kind.as_str()), kind, merchant: Some(merchant), text }
}

fn to_admins(kind: Kind, key: String, text: String) -> Draft {
    Draft { key: format!("{}:{key}", kind.as_str()), kind, merchant: None, text }
}

/// ` (order 17)`, if the shop gave its own id.
fn order(reference: Option<&String>) -> String {
    reference.map(|text| format!(" (order {})", plain(text))).unwrap_or_default()
}

/// Text of other people, without the meaning that markup would give it.
pub(crate) fn plain(text: &str) -> String {
    let special = |c: char| {
        matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']' | '@' | '<' | ':')
    };
    text.chars()
        .filter(|c| !crate::domain::merchant::is_unprintable(*c))
        .flat_map(|c| special(c).then_some('\\').into_iter().chain([c]))
        .collect()
}

fn of_payments(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for paid in rows::decided_since(tx, since)? {
        let (id, amount, of) = (paid.payment, paid.amount, order(paid.reference.as_ref()));
        if paid.completed {
            let text = format!("Payment `{id}`{of} over {amount} LTC is complete. `/payment {id}`");
            if paid.first {
                let text = format!(
                    "Your first payment is complete: {amount} LTC{of}. It is paid out with the \
                     next sweep; `/payouts` shows when. `/payment {id}`"
                );
                drafts.push(to(paid.merchant, Kind::FirstPayment, paid.merchant.to_string(), text));
            } else {
                drafts.push(to(paid.merchant, Kind::Paid, id.to_string(), text));
            }
            if paid.late {
                let text = format!(
                    "Payment `{id}`{of} was paid late and is complete now. Decide whether you \
                     still deliver. `/payment {id}`"
                );
                let key = format!("{id}:complete");
                drafts.push(to(paid.merchant, Kind::LatePayment, key, text));
            }
        } else if !paid.received.is_zero() {
            let text = format!(
                "Payment `{id}`{of} ran out with {} of {amount} LTC paid. What came is paid out \
                 to you; ask the shopper, or send it back. `/payment {id}`",
                paid.received
            );
            drafts.push(to(paid.merchant, Kind::PartPaid, id.to_string(), text));
        }
    }
    for coin in rows::late_since(tx, since)? {
        let (id, of) = (coin.payment, order(coin.reference.as_ref()));
        let what_then = if coin.within_grace {
            "If the sum is reached and confirmed, the payment is completed as late."
        } else {
            "It is too late to complete the payment; the money is paid out to you all the same."
        };
        let text = format!(
            "{} LTC came for payment `{id}`{of} after its time was up. {what_then} \
             `/payment {id}`",
            coin.amount
        );
        let key = format!("{id}:{}:{}", coin.txid, coin.vout);
        drafts.push(to(coin.merchant, Kind::LatePayment, key, text));
    }
    Ok(drafts)
}

fn of_webhooks(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let bad = rows::bad_webhooks(tx, FAILING_ATTEMPTS, since)?;
    let drafts = bad.into_iter().map(|webhook| {
        let (id, outcome) = (webhook.payment, plain(&webhook.outcome));
        if webhook.given_up {
            let text = format!(
                "The webhook of payment `{id}` was given up after {} attempts: {outcome}. Mend \
                 the receiver, then `/resend_webhook {id}`.",
                webhook.attempts
            );
            let key = format!("{}:{}", webhook.event, webhook.attempts);
            to(webhook.merchant, Kind::WebhookFailed, key, text)
        } else {
            let text = format!(
                "The webhook of payment `{id}` has failed {FAILING_ATTEMPTS} times: {outcome}. \
                 It is tried for three days. Mend the receiver, then `/resend_webhook {id}`."
            );
            to(webhook.merchant, Kind::WebhookFailing, webhook.event, text)
        }
    });
    Ok(drafts.collect())
}

fn of_payouts(tx: &ReadTx, since: Timestamp, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for line in rows::payouts_since(tx, since)? {
        let text = format!(
            "A payout of {} LTC is on its way: transaction `{}`. `/payouts`",
            line.amount, line.txid
        );
        drafts.push(to(line.merchant, Kind::PayoutSent, line.sweep.to_string(), text));
    }
    let mut stuck = BTreeMap::new();
    for line in rows::stuck_since(tx, now.plus_ms(-STUCK_MS))? {
        let text = format!(
            "Your payout of {} LTC has waited for more than two hours for a block: transaction \
             `{}`. It is sent again until it confirms. `/payouts`",
            line.amount, line.txid
        );
        drafts.push(to(line.merchant, Kind::PayoutStuck, line.sweep.to_string(), text));
        stuck.insert(line.sweep, line.txid);
    }
    for (sweep, txid) in stuck {
        let text = format!(
            "Sweep {sweep} has waited for more than two hours for a block: transaction `{txid}`. \
             `/node` shows the node; `litegate sweep` sends it again."
        );
        drafts.push(to_admins(Kind::SweepStuck, sweep.to_string(), text));
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
        let seconds = change.effective_at.seconds();
        let mut say = |what: &str, text: String| {
            let key = format!("{merchant}:{version}:{what}");
            drafts.push(to(merchant, Kind::AddressChange, key, text));
        };
        match change.cancelled_at {
            Some(at) if at >= since => {
                say(
                    "cancelled",
                    format!(
                        "The change of your payout address to `{address}` is cancelled. `/account`"
                    ),
                );
            }
            Some(_) => {}
            None if change.effective_at <= now => {
                say("effective", format!("Your payouts go to `{address}` from now on. `/account`"));
            }
            None => {
                let registered = merchants::payout_addresses(tx, merchant, network)?;
                let before = crate::domain::merchant::address_in_force(&registered, now);
                let from = before.map(|r| format!("from `{}` ", r.address)).unwrap_or_default();
                say(
                    "asked",
                    format!(
                        "Your payout address changes {from}to `{address}` <t:{seconds}:R>. If \
                         this was not you, cancel it now: the button below, or \
                         `/cancel_address_change`; then secure your Discord account."
                    ),
                );
            }
        }
    }
    for act in trail::of_act_since(tx, "rotate_key", since)? {
        let Some(merchant) = act.merchant else { continue };
        let lives_on = act.after.is_some_and(|after| after.contains(OLD_KEY_UNTIL));
        let old =
            if lives_on { "the old one is taken for 24 more hours" } else { "the old one is dead" };
        let text = format!(
            "Your API key was replaced; {old}. If this was not you, secure your Discord account \
             and use `/rotate_key` again."
        );
        drafts.push(to(merchant, Kind::KeyRotated, act.id.to_string(), text));
    }
    for act in trail::of_act_since(tx, "rotate_webhook_secret", since)? {
        let Some(merchant) = act.merchant else { continue };
        let text =
            "Your webhook secret was replaced; for 24 hours both sign. If this was not you, \
                    secure your Discord account and use `/rotate_webhook_secret` twice."
                .to_owned();
        drafts.push(to(merchant, Kind::KeyRotated, act.id.to_string(), text));
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
        let (seconds, end_ms) = (end.seconds(), end.ms());
        if end <= now {
            let text = "Your subscription has ended: new payments are refused. Open ones go on, \
                        and everything is paid out. Ask an administrator for a grant \
                        (`/grant_sub`); `/subscription` shows when you have it."
                .to_owned();
            drafts.push(to(merchant, Kind::Subscription, format!("{merchant}:{end_ms}:0"), text));
            continue;
        }
        let granted_at = trail::last_grant(tx, merchant)?.unwrap_or(Timestamp::from_ms(0));
        if let Some(days) = reminder_due(end.ms_since(now), end.ms_since(granted_at)) {
            let text = format!(
                "Your subscription ends <t:{seconds}:R> (<t:{seconds}:f>). Ask an administrator \
                 for a grant before then, so that your shop goes on. `/subscription`"
            );
            let key = format!("{merchant}:{end_ms}:{days}");
            drafts.push(to(merchant, Kind::Subscription, key, text));
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
    let told = last_of(Kind::Node)?;
    let told_down = told.as_ref().filter(|notice| notice.key.ends_with(":down"));
    if let Some(node) = &around.node {
        if told_down.is_none() && !told.is_some_and(|notice| recently(notice.created_at)) {
            let minutes = NODE_SILENCE_MS_MAX / 60_000;
            let text = format!(
                "For more than {minutes} minutes we have not stood at the node's tip: {node}. \
                 Payments are taken, but not seen. `/node`"
            );
            drafts.push(to_admins(Kind::Node, format!("{}:down", now.ms()), text));
        }
    } else if let Some(down) = told_down
        && !is_watcher_silent(tx, around.started_at, now)?
    {
        let text = "We stand at the node's tip again. `/node`".to_owned();
        drafts.push(to_admins(Kind::Node, format!("{}:back", down.id), text));
    }
    if let Some(sweeper) = progress::of_role(tx, SWEEPER)?
        && let Some(trouble) = &sweeper.trouble
        && now.ms_since(sweeper.at.unwrap_or(around.started_at)) > SWEEPER_SILENCE_MS_MAX
        && !rows::last_made_of(tx, Kind::SweepStuck, TROUBLE)?
            .is_some_and(|notice| recently(notice.created_at))
    {
        let since = sweeper.at.map_or(0, Timestamp::ms);
        let text = format!(
            "The sweeper has not done its work for half an hour: {}. Payments are taken and wait. \
             `litegate doctor` looks for the reason.",
            plain(trouble)
        );
        drafts.push(to_admins(Kind::SweepStuck, format!("{TROUBLE}{since}"), text));
    }
    for id in payments::completed_without_coins(tx)? {
        let text = format!(
            "Payment `{id}` was completed, but the best chain does not hold its coins any more: \
             a deep reorganisation. The merchant was told that it is paid. `litegate payment show \
             {id}` and `litegate audit` show what is missing."
        );
        drafts.push(to_admins(Kind::PaymentLost, id.to_string(), text));
    }
    if let Some(doubt) = doubts::open(tx)?
        && !last_of(Kind::Doubt)?.is_some_and(|notice| recently(notice.created_at))
    {
        let text = format!(
            "The chain is doubted: {}. Payments out of MWEB and sweeps wait. `litegate doubt` \
             shows it and can end it.",
            plain(&doubt.reason)
        );
        drafts.push(to_admins(Kind::Doubt, doubt.began_at.ms().to_string(), text));
    }
    if let Some(bytes) = around.low_disk
        && !last_of(Kind::Disk)?.is_some_and(|notice| recently(notice.created_at))
    {
        let megabytes = bytes / 1_000_000;
        let text = format!(
            "The disk of the database has {megabytes} MB left. When it is full, new payments are \
             refused. Make room; `litegate doctor` looks at it again."
        );
        drafts.push(to_admins(Kind::Disk, now.ms().to_string(), text));
    }
    drafts.extend(of_notes(tx, now)?);
    Ok(drafts)
}

/// What the roles say of themselves while they do their work: how payments are noticed, and what
/// keeps coins from being swept.
fn of_notes(tx: &ReadTx, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    let recently = |notice: &rows::Notice| now.ms_since(notice.created_at) < REPEAT_MS_MIN;
    if let Some(watcher) = progress::of_role(tx, WATCHER)?.map(|last| last.note) {
        let told = rows::last_made(tx, Kind::Zmq)?;
        let told_cut = told.as_ref().filter(|notice| notice.key.ends_with(":cut"));
        if watcher.contains(ZMQ_SILENT) || watcher.contains(ZMQ_CUT) {
            if told_cut.is_none() && !told.as_ref().is_some_and(recently) {
                let text = "The node's ZMQ says nothing. Payments are noticed by asking the node \
                            again and again, a little later than usual. `/node` shows it; \
                            `litegate doctor` looks for the reason."
                    .to_owned();
                drafts.push(to_admins(Kind::Zmq, format!("{}:cut", now.ms()), text));
            }
        } else if let Some(cut) = told_cut {
            let text = "Payments are noticed as configured again. `/node`".to_owned();
            drafts.push(to_admins(Kind::Zmq, format!("{}:back", cut.id), text));
        }
    }
    if let Some(sweeper) = progress::of_role(tx, SWEEPER)?.map(|last| last.note)
        && sweeper.contains(TOO_DEAR)
        && !rows::last_made(tx, Kind::Fee)?.as_ref().is_some_and(recently)
    {
        let text = "Coins are not paid out, because the fee would be more than \
                    `sweeper.max_fee_percent` of them. They go out once fees fall or more comes \
                    together. `/sweep_now` shows what is ready."
            .to_owned();
        drafts.push(to_admins(Kind::Fee, now.ms().to_string(), text));
    }
    if let Some(audit) = progress::of_role(tx, AUDIT)?.map(|last| last.note) {
        let told = rows::last_made(tx, Kind::Audit)?;
        let told_bad = told.as_ref().filter(|notice| notice.key.ends_with(":found"));
        if !audit.is_empty() {
            if told_bad.is_none() && !told.as_ref().is_some_and(recently) {
                let text = format!(
                    "The audit found {}: litoshis are not where they should be. `litegate audit` \
                     names each of them.",
                    plain(&audit)
                );
                drafts.push(to_admins(Kind::Audit, format!("{}:found", now.ms()), text));
            }
        } else if let Some(found) = told_bad {
            let text = "The audit is clean again: every litoshi is accounted for. `litegate audit`"
                .to_owned();
            drafts.push(to_admins(Kind::Audit, format!("{}:clean", found.id), text));
        }
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests;
