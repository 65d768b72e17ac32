//! Lists, ten lines a page, with buttons to turn them. A page's button names the list and the page
//! and nothing else: each user sees their own, whatever the button says.

use poise::serenity_prelude as serenity;

use crate::domain::amount::Amount;
use crate::domain::merchant::MerchantId;
use crate::operations::accounts;
use crate::operations::notifications::plain;
use crate::store::accounts::PaidSweep;
use crate::store::events::Wanted;
use crate::store::{self, ReadTx, audit_log, blocks, events, merchants, notifications, payments};
use crate::view::sweep::PayoutView;

use super::answer::{Answer, ltc, relative};
use super::language::{Language, Value};
use super::{Bot, Failure, account_of};

/// Lines on a page.
const LINES: u32 = 10;

/// Pages that can be turned to; what is older is for the API and the command line.
const PAGES_MAX: u32 = 100;

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum List {
    /// The asker's payments, with one status or all.
    Payments(Option<&'static str>),
    /// What was paid out to the asker.
    Payouts,
    /// The asker's notices.
    Notifications,
    Merchants,
    /// The audit log of a merchant, or of all.
    AuditLog(Option<MerchantId>),
    FailedWebhooks,
}

/// The statuses by which payments are listed.
const STATUSES: [&str; 3] = ["pending", "completed", "expired"];

/// The status of this word.
pub(super) fn status_of(word: &str) -> Option<&'static str> {
    STATUSES.into_iter().find(|status| *status == word)
}

impl List {
    fn custom_id(&self, page: u32) -> String {
        let (name, argument) = match self {
            List::Payments(status) => ("payments", status.unwrap_or("-").to_owned()),
            List::Payouts => ("payouts", "-".to_owned()),
            List::Notifications => ("notifications", "-".to_owned()),
            List::Merchants => ("merchants", "-".to_owned()),
            List::AuditLog(id) => ("audit_log", id.map_or("-".to_owned(), |id| id.to_string())),
            List::FailedWebhooks => ("webhooks", "-".to_owned()),
        };
        format!("list:{name}:{argument}:{page}")
    }

    /// The list and the page that a button is for.
    pub(super) fn from_custom_id(id: &str) -> Option<(List, u32)> {
        let mut parts = id.strip_prefix("list:")?.split(':');
        let (name, argument, page) = (parts.next()?, parts.next()?, parts.next()?);
        let page = page.parse().ok().filter(|page| *page < PAGES_MAX)?;
        let list = match (name, argument) {
            ("payments", "-") => List::Payments(None),
            ("payments", word) => List::Payments(Some(status_of(word)?)),
            ("payouts", _) => List::Payouts,
            ("notifications", _) => List::Notifications,
            ("merchants", _) => List::Merchants,
            ("audit_log", "-") => List::AuditLog(None),
            ("audit_log", id) => List::AuditLog(Some(id.parse().ok()?)),
            ("webhooks", _) => List::FailedWebhooks,
            _ => return None,
        };
        Some((list, page))
    }

    pub(super) fn is_for_admins(&self) -> bool {
        match self {
            List::Payments(_) | List::Payouts | List::Notifications => false,
            List::Merchants | List::AuditLog(_) | List::FailedWebhooks => true,
        }
    }

    fn title(&self, language: Language) -> String {
        let title = match self {
            List::Payments(None) => language.text("title-payments"),
            List::Payments(Some(status)) => {
                let status = language.status(status);
                return language.say("title-payments-of", &[("status", &status)]);
            }
            List::Payouts => language.text("title-payouts"),
            List::Notifications => language.text("title-notifications"),
            List::Merchants => language.text("title-merchants"),
            List::AuditLog(_) => language.text("title-audit-log"),
            List::FailedWebhooks => language.text("title-failed"),
        };
        title.to_owned()
    }

    fn when_empty(&self, language: Language) -> String {
        let text = match self {
            List::Payments(_) => language.text("empty-payments"),
            List::Payouts => language.text("empty-payouts"),
            List::Notifications => language.text("empty-notifications"),
            List::Merchants => language.text("empty-merchants"),
            List::AuditLog(_) => language.text("empty-audit-log"),
            List::FailedWebhooks => language.text("empty-failed"),
        };
        text.to_owned()
    }
}

/// A page of a list. The caller has judged whether the asker may see it.
pub(super) async fn page(
    bot: &Bot,
    user: u64,
    language: Language,
    list: &List,
    page: u32,
) -> Result<Answer, Failure> {
    let (wanted, now) = (list.clone(), bot.clock.now());
    let skip = page.saturating_mul(LINES);
    let mut lines = bot
        .read(move |tx| match wanted {
            List::Payments(status) => payment_lines(tx, user, language, status, skip),
            List::Payouts => payout_lines(tx, user, language, skip),
            List::Notifications => {
                let merchant = account_of(tx, user)?;
                let found = notifications::list(tx, merchant.id, skip, LINES + 1)?;
                let line = |n: notifications::StoredNotification| {
                    let said = language.notification(n.notification.as_deref(), &n.text);
                    format!("{} {said}", relative(n.created_at))
                };
                Ok(found.into_iter().map(line).collect())
            }
            List::Merchants => {
                let all = merchants::all(tx)?;
                let shown = all.iter().rev().skip(skip as usize).take(LINES as usize + 1);
                let line = |merchant| merchant_line(tx, language, merchant, now);
                Ok(shown.map(line).collect::<Result<Vec<_>, store::Error>>()?)
            }
            List::AuditLog(merchant) => {
                let found = audit_log::list(tx, merchant, skip, LINES + 1)?;
                Ok(found.iter().map(|entry| audit_log_line(language, entry)).collect())
            }
            List::FailedWebhooks => {
                let wanted = Wanted { merchant: None, state: Some("failed"), after: None };
                let found = events::list(tx, &wanted, skip.saturating_add(LINES + 1))?;
                let line = |event: crate::domain::event::Event| {
                    let values: [(&str, &Value); 4] = [
                        ("payment", &event.payment.to_string()),
                        ("when", &relative(event.created_at)),
                        ("n", &event.attempts),
                        ("merchant", &event.merchant.to_string()),
                    ];
                    language.say("failed-line", &values)
                };
                Ok(found.into_iter().skip(skip as usize).map(line).collect::<Vec<_>>())
            }
        })
        .await?;
    if *list == List::Notifications && page == 0 {
        bot.write(move |tx| Ok(notifications::mark_read(tx, account_of(tx, user)?.id)?)).await?;
    }
    let more = lines.len() > LINES as usize;
    lines.truncate(LINES as usize);
    let text = match lines.is_empty() && page == 0 {
        true => list.when_empty(language),
        false => lines.join("\n"),
    };
    let title = match page {
        0 => list.title(language),
        _ => {
            let page: [(&str, &Value); 2] = [("title", &list.title(language)), ("n", &(page + 1))];
            language.say("title-page", &page)
        }
    };
    Ok(Answer::page(title, &text).with_buttons(turning(language, list, page, more)))
}

/// The buttons by which a list is turned.
fn turning(language: Language, list: &List, page: u32, more: bool) -> Vec<serenity::CreateButton> {
    let turn = |label: &str, to: u32| {
        serenity::CreateButton::new(list.custom_id(to))
            .label(label)
            .style(serenity::ButtonStyle::Secondary)
    };
    let mut buttons = Vec::new();
    if let Some(before) = page.checked_sub(1) {
        buttons.push(turn(language.text("button-previous"), before));
    }
    if more && page + 1 < PAGES_MAX {
        buttons.push(turn(language.text("button-next"), page + 1));
    }
    buttons
}

fn payout_lines(
    tx: &ReadTx,
    user: u64,
    language: Language,
    skip: u32,
) -> Result<Vec<String>, Failure> {
    let merchant = account_of(tx, user)?;
    let tip = blocks::tip(tx)?;
    let (found, _) = accounts::payouts(tx, merchant.id, None, skip.saturating_add(LINES + 1))?;
    let line = |paid: PaidSweep| {
        let payout = paid.payout;
        let fee = ltc(Amount::total([payout.fee_share, payout.operator_fee]));
        let values: [(&str, &Value); 4] = [
            ("when", &relative(payout.created_at)),
            ("amount", &ltc(payout.amount)),
            ("fee", &fee),
            ("n", &PayoutView::new(&payout, tip).confirmations),
        ];
        format!("{}\n`{}`", language.say("payout-line", &values), payout.txid)
    };
    Ok(found.into_iter().skip(skip as usize).map(line).collect())
}

fn payment_lines(
    tx: &ReadTx,
    user: u64,
    language: Language,
    status: Option<&'static str>,
    skip: u32,
) -> Result<Vec<String>, Failure> {
    let merchant = account_of(tx, user)?;
    let filter =
        payments::Filter { merchant: Some(merchant.id), status, ..payments::Filter::default() };
    let found = payments::list(tx, &filter, skip.saturating_add(LINES + 1))?;
    let line = |evaluated: payments::Evaluated| {
        let payment = evaluated.payment;
        let order = payment.reference.map(|text| format!(" · {}", plain(&text)));
        format!(
            "`{}` {} · {} · {}{}",
            payment.id,
            ltc(payment.amount),
            language.status(evaluated.status.as_str()),
            relative(payment.created_at),
            order.unwrap_or_default()
        )
    };
    Ok(found.into_iter().skip(skip as usize).map(line).collect())
}

fn merchant_line(
    tx: &ReadTx,
    language: Language,
    merchant: &crate::domain::merchant::Merchant,
    now: crate::domain::time::Timestamp,
) -> Result<String, store::Error> {
    use crate::domain::merchant::Subscription;
    let suspended = merchants::suspended_at(tx, merchant.id)?.is_some();
    let state = match merchant.subscription {
        _ if suspended => language.text("state-suspended").to_owned(),
        Subscription::Until(end) if end > now => {
            language.say("state-ends", &[("when", &relative(end))])
        }
        Subscription::Until(end) => language.say("state-ended", &[("when", &relative(end))]),
        Subscription::None => language.text("state-none").to_owned(),
    };
    let owner = merchant.discord_id.map(|id| format!(" · <@{id}>")).unwrap_or_default();
    Ok(format!("`{}` {} · {state}{owner}", merchant.id, plain(merchant.name.as_str())))
}

/// An act of the audit log in a line, for administrators. What was done, and what was and is then,
/// stands there as it was recorded.
pub(super) fn audit_log_line(language: Language, entry: &audit_log::Entry) -> String {
    let who = match entry.actor.strip_prefix("discord:") {
        Some(id) => format!("<@{id}>"),
        None => plain(&entry.actor),
    };
    let whose = entry.merchant.map(|id| format!(" `{id}`")).unwrap_or_default();
    let change = match (&entry.before, &entry.after) {
        (None, None) => String::new(),
        (Some(before), None) => {
            format!(": {} → {}", plain(before), language.text("audit-log-nothing"))
        }
        (None, Some(after)) => format!(": {}", plain(after)),
        (Some(before), Some(after)) => format!(": {} → {}", plain(before), plain(after)),
    };
    let place = match entry.place.as_deref() {
        Some("message") => format!(" {}", language.text("audit-log-by-message")),
        Some(_) | None => String::new(),
    };
    format!("{} {who} **{}**{whose}{change}{place}", relative(entry.at), plain(&entry.act))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_names_its_list_and_page() {
        let id = MerchantId::from_random(9);
        for list in [
            List::Payments(None),
            List::Payments(Some("expired")),
            List::Payouts,
            List::Notifications,
            List::Merchants,
            List::AuditLog(None),
            List::AuditLog(Some(id)),
            List::FailedWebhooks,
        ] {
            let custom_id = list.custom_id(3);
            assert!(custom_id.len() <= 100, "Discord's limit");
            assert_eq!(List::from_custom_id(&custom_id), Some((list, 3)));
        }
        for forged in [
            "",
            "list:",
            "list:payments:-",
            "list:payments:paid:0",
            "list:secrets:-:0",
            "list:payments:-:100",
            "list:payments:-:-1",
            "list:audit_log:mer_:0",
        ] {
            assert_eq!(List::from_custom_id(forged), None, "{forged}");
        }
    }
}
