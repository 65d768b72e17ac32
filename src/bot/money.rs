//! The commands by which merchants look at their money: account, payments, payouts; and a payment
//! made by hand.

use std::sync::Arc;

use poise::serenity_prelude as serenity;

use crate::domain::event::State;
use crate::domain::merchant::Subscription;
use crate::domain::payment::PaymentId;
use crate::operations::accounts;
use crate::operations::create_payment::{Created, NewPayment, Request, create_payment};
use crate::operations::notifications::plain;
use crate::operations::reason::Reason;
use crate::operations::{Refusal, payments as payment_operations};
use crate::secret;
use crate::store::{ReadTx, blocks, events, payments, role_status, sweeps};
use crate::view::account::{Sum, Sums, SumsView};
use crate::view::role_status::Role;
use crate::view::sweep::PayoutView;
use crate::view::{Ltc, PaymentView};

use super::answer::{Answer, code, date, ltc, relative, reply};
use super::confirm;
use super::language::{Language, Value};
use super::lists::{self, List};
use super::merchant::address_lines;
use super::pending_action::PendingAction;
use super::{Asker, Context, Data, Failure, account_of, autocomplete, begin};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![account(), payments(), payment(), accept(), cancel_payment(), payouts(), invoice()]
}

/// Show where your account stands
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn account(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let network = bot.rules.network;
    let (statement, last_sweep) = bot
        .read(move |tx| {
            let merchant = account_of(tx, user)?;
            let last_sweep =
                role_status::of_role(tx, Role::Sweeper)?.and_then(|sweeper| sweeper.at);
            Ok((accounts::statement(tx, merchant.id, network)?, last_sweep))
        })
        .await?;
    let account = statement.account;
    let subscription = match account.merchant.subscription {
        Subscription::Until(end) if end > now => {
            let end: [(&str, &Value); 2] = [("date", &date(end)), ("when", &relative(end))];
            language.say("subscription-runs", &end)
        }
        Subscription::None | Subscription::Until(_) => {
            language.text("subscription-missing").to_owned()
        }
    };
    let interval_ms = i64::try_from(bot.sweep_interval.as_millis()).unwrap_or(i64::MAX);
    let next_sweep = match last_sweep {
        Some(at) => relative(at.plus_ms(interval_ms)),
        None => language.text("next-sweep-unknown").to_owned(),
    };
    let least = ltc(bot.min_payout);
    let next_sweep = language.say("next-sweep", &[("when", &next_sweep), ("amount", &least)]);
    let webhook_url = match &account.merchant.webhook_url {
        Some(url) => code(url),
        None => language.text("as-payments-say").to_owned(),
    };
    let own = &account.merchant.confirmations;
    let confirmations = own.others.unwrap_or(bot.payment_rules.confirmations);
    let sums = sums(language, &statement.sums);
    let fields = [
        (language.text("field-merchant"), format!("`{}`", account.merchant.id)),
        (language.text("field-payout-address"), address_lines(language, &account, now)),
        (language.text("field-subscription"), subscription),
        (language.text("field-confirmations"), confirmations.to_string()),
        (language.text("field-webhooks-to"), webhook_url),
        (language.text("field-money"), format!("{sums}\n{}", language.text("payouts-list"))),
        (language.text("field-next-sweep"), next_sweep),
    ];
    reply(context, Answer::table(plain(account.merchant.name.as_str()), &fields)).await
}

/// The sums of a merchant's money, a line each.
pub(super) fn sums(language: Language, sums: &Sums) -> String {
    let name = |sum| match sum {
        Sum::Received => language.text("sum-received"),
        Sum::Unconfirmed => language.text("sum-unconfirmed"),
        Sum::Unswept => language.text("sum-unswept"),
        Sum::InFlight => language.text("sum-in-flight"),
        Sum::Paid => language.text("sum-paid"),
        Sum::Fees => language.text("sum-fees"),
        Sum::Elsewhere => language.text("sum-elsewhere"),
    };
    let line = |(sum, amount): (Sum, Ltc)| format!("{}: {}", name(sum), ltc(amount.0));
    SumsView::new(sums).named().map(line).join("\n")
}

/// Which payments to list.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfStatus {
    #[name = "choice-pending"]
    Pending,
    #[name = "choice-completed"]
    Completed,
    #[name = "choice-expired"]
    Expired,
}

/// List your payments, newest first
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payments(context: Context<'_>, status: Option<OfStatus>) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let status = status.map(|status| match status {
        OfStatus::Pending => "pending",
        OfStatus::Completed => "completed",
        OfStatus::Expired => "expired",
    });
    let page =
        lists::page(context.data(), asker.user, asker.language, &List::Payments(status), 0).await?;
    reply(context, page).await
}

/// The user's own payment of this id. Payments of others do not exist for them.
pub(super) fn own_payment(
    tx: &ReadTx,
    user: u64,
    id: &str,
) -> Result<payments::Evaluated, Failure> {
    let merchant = account_of(tx, user)?;
    let id: PaymentId = id.trim().parse().map_err(|_| Refusal::UnknownPayment)?;
    let found =
        payments::by_id(tx, id)?.filter(|evaluated| evaluated.payment.merchant == merchant.id);
    Ok(found.ok_or(Refusal::UnknownPayment)?)
}

/// Take a partly paid or expired payment as it is
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn accept(
    context: Context<'_>,
    #[autocomplete = "autocomplete::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let facts = bot
        .read(move |tx| {
            Ok(payment_operations::facts_of(tx, own_payment(tx, user, &payment)?, now)?)
        })
        .await?;
    let view = PaymentView::new(&facts, &bot.site, now);
    let values: [(&str, &Value); 2] =
        [("received", &ltc(view.amount_confirmed_ltc.0)), ("amount", &ltc(view.amount_ltc.0))];
    let page =
        Answer::page(language.text("title-accept"), &language.say("accept-payment", &values));
    let (action, yes) = (PendingAction::Accept(facts.payment.id), language.text("button-accept"));
    reply(context, confirm::confirm(bot, user, language, &action, page, yes).await?).await
}

/// End a payment that nobody has paid
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn cancel_payment(
    context: Context<'_>,
    #[autocomplete = "autocomplete::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, language, .. } = begin(context).await?;
    let bot = context.data();
    let id = bot.read(move |tx| Ok(own_payment(tx, user, &payment)?.payment.id)).await?;
    let page = Answer::page(language.text("title-cancel"), language.text("cancel-payment"));
    let (action, yes) = (PendingAction::Cancel(id), language.text("button-cancel"));
    reply(context, confirm::confirm(bot, user, language, &action, page, yes).await?).await
}

/// Show one of your payments
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payment(
    context: Context<'_>,
    #[autocomplete = "autocomplete::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let bot = context.data();
    let (facts, payouts, notified, tip) = bot
        .read(move |tx| {
            let evaluated = own_payment(tx, user, &payment)?;
            let index = evaluated.payment.index;
            let payouts = sweeps::payout_of_payment(tx, index)?;
            let notified = events::of_payment(tx, index)?;
            let tip = blocks::tip(tx)?;
            Ok((payment_operations::facts_of(tx, evaluated, now)?, payouts, notified, tip))
        })
        .await?;
    let view = PaymentView::new(&facts, &bot.site, now);
    let status = language.status(view.status);
    let received = {
        let (seen, confirmed) = (ltc(view.amount_received_ltc.0), ltc(view.amount_confirmed_ltc.0));
        language.say("received", &[("received", &seen), ("confirmed", &confirmed)])
    };
    let confirmations: [(&str, &Value); 2] =
        [("n", &view.confirmations), ("m", &view.confirmations_required)];
    let mut fields = vec![
        (language.text("field-payment"), format!("`{}`", view.payment_id)),
        (language.text("field-status"), format!("{status} ({})", language.detail(view.detail))),
        (language.text("field-amount"), ltc(view.amount_ltc.0)),
        (language.text("field-received"), received),
        (language.text("field-confirmations"), language.say("n-of-m", &confirmations)),
        (language.text("field-created"), relative(view.created_at.0)),
        (language.text("field-time-up"), relative(view.expires_at.0)),
        (language.text("field-address"), format!("`{}`", view.receiving_address)),
        (language.text("field-checkout"), view.payment_url.clone()),
    ];
    if let Some(reference) = &view.reference {
        fields.push((language.text("field-order"), plain(reference)));
    }
    if !view.txids.is_empty() {
        let shown: Vec<String> = view.txids.iter().take(10).map(|id| format!("`{id}`")).collect();
        fields.push((language.text("field-transactions"), shown.join("\n")));
    }
    for event in &notified {
        let state = match event.state {
            State::Delivered => language.text("webhook-delivered").to_owned(),
            State::Due { next_at } => {
                let due: [(&str, &Value); 2] =
                    [("when", &relative(next_at)), ("n", &event.attempts)];
                language.say("webhook-due", &due)
            }
            State::Failed => language.text("webhook-given-up").to_owned(),
            State::Unsent => continue,
        };
        fields.push((language.text("field-webhook"), state));
    }
    for payout in &payouts {
        let view = PayoutView::new(payout, tip);
        let confirmations = language.say("n-confirmations", &[("n", &view.confirmations)]);
        fields.push((
            language.text("field-paid-out-with"),
            format!("`{}`, {confirmations}", view.txid),
        ));
    }
    reply(context, Answer::table(language.text("title-payment"), &fields)).await
}

/// List what was paid out to you, newest first
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payouts(
    context: Context<'_>,
    #[autocomplete = "autocomplete::month"]
    #[max_length = 7]
    month: Option<String>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let Some(month) = month else {
        let page =
            lists::page(context.data(), asker.user, asker.language, &List::Payouts, 0).await?;
        return reply(context, page).await;
    };
    if !is_month(&month) {
        return Err(Refusal::invalid("month", Reason::Month).into());
    }
    let (user, wanted) = (asker.user, month.clone());
    let (lines, cut) = context.data().read(move |tx| month_lines(tx, user, &wanted)).await?;
    let language = asker.language;
    if lines.is_empty() {
        let none = language.say("month-empty", &[("month", &month)]);
        return reply(context, Answer::text(none)).await;
    }
    let mut said = language.say("month-payouts", &[("month", &month), ("n", &lines.len())]);
    if cut {
        said = format!("{said} {}", language.text("month-cut"));
    }
    let file = format!("{MONTH_HEAD}\r\n{}\r\n", lines.join("\r\n"));
    reply(context, Answer::text(said).with_file(format!("payouts-{month}.csv"), file)).await
}

/// The columns of a month's file, named as in the API.
const MONTH_HEAD: &str =
    "createdAt,txid,grossLtc,feeShareLtc,operatorFeeLtc,amountLtc,confirmations";

/// Payouts in one file; Discord takes ten megabytes.
const MONTH_LINES_MAX: usize = 20_000;

/// Payouts that are read at once.
const MONTH_STEP: u32 = 500;

fn is_month(text: &str) -> bool {
    let Some((year, month)) = text.split_once('-') else { return false };
    let digits =
        |part: &str, count: usize| part.len() == count && part.chars().all(|c| c.is_ascii_digit());
    digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month)
}

/// The lines of a month's file, newest first, and whether there are more than fit.
fn month_lines(tx: &ReadTx, user: u64, month: &str) -> Result<(Vec<String>, bool), Failure> {
    let merchant = account_of(tx, user)?;
    let tip = blocks::tip(tx)?;
    let (mut lines, mut after) = (Vec::new(), None);
    loop {
        let (found, more) = accounts::payouts(tx, merchant.id, after, MONTH_STEP)?;
        for paid in found {
            let payout = paid.payout;
            after = Some(payout.txid);
            // Times are written with the year first, so text is in the order of time.
            let at = payout.created_at.to_string();
            if at.as_str() < month {
                return Ok((lines, false));
            }
            if !at.starts_with(month) {
                continue;
            }
            if lines.len() >= MONTH_LINES_MAX {
                return Ok((lines, true));
            }
            lines.push(format!(
                "{at},{},{},{},{},{},{}",
                payout.txid,
                payout.gross,
                payout.fee_share,
                payout.operator_fee,
                payout.amount,
                PayoutView::new(&payout, tip).confirmations
            ));
        }
        if !more {
            return Ok((lines, false));
        }
    }
}

/// Make a payment by hand, and get a link for the shopper
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn invoice(
    context: Context<'_>,
    #[max_length = 32] amount: String,
    #[max_length = 128] reference: Option<String>,
) -> Result<(), Failure> {
    let Asker { user, now, language, .. } = begin(context).await?;
    let bot = context.data();
    // `4.99 EUR`; an amount without a currency is in LTC.
    let (amount, currency) = match amount.trim().split_once(char::is_whitespace) {
        Some((amount, currency)) => (amount, Some(currency)),
        None => (amount.as_str(), None),
    };
    let new = NewPayment::by_hand(amount, currency, reference)?;
    let (rules, addresses) = (bot.payment_rules.clone(), Arc::clone(&bot.addresses));
    let id = PaymentId::from_random(secret::random_bytes());
    let created = bot.write(move |tx| {
        let merchant = account_of(tx, user)?.id;
        let request = Request { merchant, api_key: None, new, idempotency_key: None, id };
        Ok(create_payment(tx, &rules, &addresses, &request, now)?)
    });
    let (Created::New(evaluated) | Created::Replayed(evaluated)) = created.await?;
    tracing::info!(
        payment_id = %evaluated.payment.id,
        amount = %evaluated.payment.amount,
        "payment created"
    );
    let url = format!("{}/pay/{}", bot.site.public_url, evaluated.payment.id);
    let address = crate::view::receiving_address(&evaluated.payment, bot.site.network);
    let fields = [
        (language.text("field-send-link"), url.clone()),
        (language.text("field-amount"), ltc(evaluated.payment.amount)),
        (language.text("field-address"), format!("`{address}`")),
        (language.text("field-time-up"), relative(evaluated.payment.expires_at)),
    ];
    let link = serenity::CreateButton::new_link(url).label(language.text("button-checkout"));
    reply(context, Answer::table(language.text("title-invoice"), &fields).with_buttons(vec![link]))
        .await
}
