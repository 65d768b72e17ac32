//! Notifications to merchants: payments, webhooks, payouts, account and subscription.

use crate::domain::address::Address;
use crate::domain::merchant::address_in_force;
use crate::domain::network::Network;
use crate::domain::notification::{Kind, REMINDER_DAYS, reminder_due};
use crate::domain::time::{DAY_MS, Timestamp};
use crate::store::notifications::{self as rows, Draft};
use crate::store::{self, ReadTx, audit_log, merchants, payments, payout_waits};

use super::super::merchants::OLD_KEY_UNTIL;
use super::draft::to;
use super::notification::{AccountNotification, Named, Notification, PaymentNotification};

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
    Ok(drafts)
}

fn of_late_coins(tx: &ReadTx, since: Timestamp) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
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

/// Completed payments whose coins left the best chain.
pub(super) fn of_lost_payments(tx: &ReadTx) -> Result<Vec<Draft>, store::Error> {
    let mut drafts = Vec::new();
    for id in payments::completed_without_coins(tx)? {
        let Some(lost) = payments::by_id(tx, id)? else { continue };
        let (merchant, reference) = (lost.payment.merchant, lost.payment.reference);
        let notification = Notification::Payment {
            payment: Named::new(id, reference),
            notification: PaymentNotification::Lost,
        };
        drafts.push(to(merchant, Kind::PaymentLost, format!("{id}:merchant"), &notification));
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
    let draft = |line: rows::SentLine, kind, notification: fn(String, String) -> _| {
        let notification = notification(line.amount.to_string(), line.txid.to_string());
        to(line.merchant, kind, line.sweep.to_string(), &Notification::Account(notification))
    };
    let sent = rows::payouts_since(tx, since)?.into_iter().map(|line| {
        draft(line, Kind::PayoutSent, |amount, txid| AccountNotification::PayoutSent {
            amount,
            txid,
        })
    });
    let stuck = rows::stuck_since(tx, now.plus_ms(-STUCK_MS))?.into_iter().map(|line| {
        draft(line, Kind::PayoutStuck, |amount, txid| AccountNotification::PayoutStuck {
            amount,
            txid,
        })
    });
    Ok(sent.chain(stuck).collect())
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
        to(merchant, Kind::AddressChange, key, &Notification::Account(notification))
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
        let mut say = |step: &str, notification: AccountNotification| {
            let key = format!("{merchant}:{version}:{step}");
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
                let before = address_in_force(registered.current(), now);
                let before = before.map(|registered| registered.address.to_string());
                let at = change.effective_at.seconds();
                say("asked", AccountNotification::AddressAsked { before, address, at });
            }
        }
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
