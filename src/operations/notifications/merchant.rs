//! Notifications to merchants: payments, webhooks, payouts, account and subscription.

use crate::domain::address::Address;
use crate::domain::merchant::address_in_force;
use crate::domain::network::Network;
use crate::domain::notification::{Kind, REMINDER_DAYS, reminder_due};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::notifications::{self as rows, Draft};
use crate::store::{self, ReadTx, audit_log, merchants, payments, payout_waits};

use super::super::merchants::OLD_KEY_UNTIL;
use super::draft::{about_account, about_payment};
use super::notification::{AccountNotification, Named, PaymentNotification};

/// Failed attempts after which a merchant is notified of a webhook that is still retried.
const FAILING_ATTEMPTS: u32 = 5;

/// How long a payout may be unconfirmed before it is reported. Its fee aims at a quarter of an
/// hour.
pub(super) const STUCK_MS: i64 = 2 * 60 * 60_000;

pub(super) fn all(
    tx: &ReadTx,
    network: Network,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = of_payments(tx, since)?;
    drafts.extend(of_late_coins(tx, since)?);
    drafts.extend(of_lost_payments(tx)?);
    drafts.extend(of_webhooks(tx, since)?);
    drafts.extend(of_payouts(tx, since, now)?);
    drafts.extend(of_payout_waits(tx)?);
    drafts.extend(of_address_changes(tx, network, since, now)?);
    drafts.extend(of_rotations(tx, since)?);
    drafts.extend(of_subscriptions(tx, since, now)?);
    Ok(drafts)
}

fn of_payments(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for paid in rows::decided_since(tx, since)? {
        let (id, merchant, amount) = (paid.payment, paid.merchant, paid.amount.to_string());
        let payment = Named::new(id, paid.reference);
        let mut add = |kind, key, notification| {
            drafts.push(about_payment(merchant, kind, key, payment.clone(), notification));
        };
        if paid.completed {
            if paid.first {
                let notification = PaymentNotification::First { amount };
                add(Kind::FirstPayment, merchant.to_string(), notification);
            } else {
                add(Kind::Paid, id.to_string(), PaymentNotification::Complete { amount });
            }
            if paid.late {
                add(Kind::LatePayment, format!("{id}:complete"), PaymentNotification::CompleteLate);
            }
        } else if !paid.received.is_zero() {
            let received = paid.received.to_string();
            let notification = PaymentNotification::PartPaid { received, amount };
            add(Kind::PartPaid, id.to_string(), notification);
        }
    }
    Ok(drafts)
}

fn of_late_coins(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let drafts = rows::late_since(tx, since)?.into_iter().map(|coin| {
        let amount = coin.amount.to_string();
        let notification = match coin.within_grace {
            true => PaymentNotification::Late { amount },
            false => PaymentNotification::TooLate { amount },
        };
        let key = format!("{}:{}:{}", coin.payment, coin.txid, coin.vout);
        let payment = Named::new(coin.payment, coin.reference);
        about_payment(coin.merchant, Kind::LatePayment, key, payment, notification)
    });
    Ok(drafts.collect())
}

/// Completed payments whose coins left the best chain.
pub(super) fn of_lost_payments(tx: &ReadTx) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for id in payments::completed_without_coins(tx)? {
        let Some(lost) = payments::by_id(tx, id)? else { continue };
        let (merchant, payment) = (lost.payment.merchant, Named::new(id, lost.payment.reference));
        let key = format!("{id}:merchant");
        let notification = PaymentNotification::Lost;
        drafts.push(about_payment(merchant, Kind::PaymentLost, key, payment, notification));
    }
    Ok(drafts)
}

fn of_webhooks(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let bad = rows::bad_webhooks(tx, FAILING_ATTEMPTS, since)?;
    let drafts = bad.into_iter().map(|webhook| {
        let (attempts, outcome) = (webhook.attempts, webhook.outcome);
        let (kind, key, notification) = if webhook.given_up {
            let key = format!("{}:{attempts}", webhook.event);
            let notification = PaymentNotification::WebhookGivenUp { attempts, outcome };
            (Kind::WebhookFailed, key, notification)
        } else {
            let attempts = FAILING_ATTEMPTS;
            let notification = PaymentNotification::WebhookFailing { attempts, outcome };
            (Kind::WebhookFailing, webhook.event, notification)
        };
        let payment = Named::new(webhook.payment, None);
        about_payment(webhook.merchant, kind, key, payment, notification)
    });
    Ok(drafts.collect())
}

fn of_payouts(tx: &ReadTx, since: Timestamp, now: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for line in rows::payouts_since(tx, since)? {
        let (amount, txid) = (line.amount.to_string(), line.txid.to_string());
        let (key, notification) =
            (line.sweep.to_string(), AccountNotification::PayoutSent { amount, txid });
        drafts.push(about_account(line.merchant, Kind::PayoutSent, key, notification));
    }
    for line in rows::stuck_since(tx, now.plus_ms(-STUCK_MS))? {
        let (amount, txid) = (line.amount.to_string(), line.txid.to_string());
        let (key, notification) =
            (line.sweep.to_string(), AccountNotification::PayoutStuck { amount, txid });
        drafts.push(about_account(line.merchant, Kind::PayoutStuck, key, notification));
    }
    Ok(drafts)
}

/// Each reason for which the sweeper does not pay a merchant, reported once.
pub(super) fn of_payout_waits(tx: &ReadTx) -> Result<Vec<Draft>, store::Error> {
    let waits = payout_waits::all(tx)?.into_iter().map(|waits| {
        let (merchant, wait) = (waits.merchant, waits.wait);
        let notification = match wait.reason.heals_alone() {
            true => AccountNotification::PayoutsWait,
            false => AccountNotification::PayoutsWaitForAddress,
        };
        let key = format!("{merchant}:{}:{}", wait.version, wait.reason.as_str());
        about_account(merchant, Kind::AddressChange, key, notification)
    });
    Ok(waits.collect())
}

fn of_address_changes(
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
        let (step, notification) = match change.cancelled_at {
            Some(at) if at >= since => {
                ("cancelled", AccountNotification::AddressCancelled { address })
            }
            Some(_) => continue,
            None if change.effective_at <= now => {
                ("effective", AccountNotification::AddressEffective { address })
            }
            None => {
                let registered = merchants::payout_addresses(tx, merchant, network)?;
                let before = address_in_force(registered.current(), now);
                let before = before.map(|registered| registered.address.to_string());
                let at = change.effective_at.seconds();
                ("asked", AccountNotification::AddressAsked { before, address, at })
            }
        };
        let key = format!("{merchant}:{version}:{step}");
        drafts.push(about_account(merchant, Kind::AddressChange, key, notification));
    }
    Ok(drafts)
}

fn of_rotations(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for act in audit_log::of_act_since(tx, "rotate_key", since)? {
        let Some(merchant) = act.merchant else { continue };
        let notification = match act.after.is_some_and(|after| after.contains(OLD_KEY_UNTIL)) {
            true => AccountNotification::KeyReplacedGently,
            false => AccountNotification::KeyReplaced,
        };
        drafts.push(about_account(merchant, Kind::KeyRotated, act.id.to_string(), notification));
    }
    for act in audit_log::of_act_since(tx, "rotate_webhook_secret", since)? {
        let Some(merchant) = act.merchant else { continue };
        let notification = AccountNotification::WebhookSecretReplaced;
        drafts.push(about_account(merchant, Kind::KeyRotated, act.id.to_string(), notification));
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
            let notification = AccountNotification::SubscriptionEnded;
            drafts.push(about_account(merchant, Kind::Subscription, key, notification));
            continue;
        }
        let granted_at = audit_log::last_grant(tx, merchant)?.unwrap_or(Timestamp::from_ms(0));
        if let Some(days) = reminder_due(end.ms_since(now), end.ms_since(granted_at)) {
            let notification = AccountNotification::SubscriptionEnds { at: end.seconds() };
            let key = format!("{merchant}:{end_ms}:{days}");
            drafts.push(about_account(merchant, Kind::Subscription, key, notification));
        }
    }
    Ok(drafts)
}
