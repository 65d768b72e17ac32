//! The commands by which merchants look at their money: account, payments, payouts; and a payment
//! made by hand.

use poise::serenity_prelude as serenity;

use crate::acts::accounts;
use crate::acts::addresses::Addresses;
use crate::acts::create_payment::{Created, NewPayment, Request, create_payment};
use crate::acts::notices::plain;
use crate::acts::sweeps::SWEEPER;
use crate::acts::{Refusal, payments as payment_acts};
use crate::domain::event::State;
use crate::domain::merchant::Subscription;
use crate::domain::payment::PaymentId;
use crate::secret;
use crate::store::{ReadTx, blocks, events, payments, progress, sweeps};
use crate::view::account::SumsView;
use crate::view::{PaymentView, PayoutView};

use super::answer::{Answer, date, ltc, relative, reply};
use super::lists::{self, List};
use super::merchant::address_lines;
use super::outbox::code;
use super::{Asker, Context, Data, Failure, account_of, begin, choices};

pub(super) fn commands() -> Vec<poise::Command<Data, Failure>> {
    vec![account(), payments(), payment(), payouts(), invoice()]
}

/// Show where your account stands
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn account(context: Context<'_>) -> Result<(), Failure> {
    let Asker { user, now, .. } = begin(context).await?;
    let bot = context.data();
    let network = bot.rules.network;
    let (statement, last_sweep) = bot
        .read(move |tx| {
            let merchant = account_of(tx, user)?;
            let last_sweep = progress::of_role(tx, SWEEPER)?.and_then(|sweeper| sweeper.at);
            Ok((accounts::statement(tx, merchant.id, network)?, last_sweep))
        })
        .await?;
    let account = statement.account;
    let sums: Vec<String> = SumsView::new(&statement.sums)
        .named()
        .into_iter()
        .map(|(name, sum)| format!("{name}: {}", ltc(sum.0)))
        .collect();
    let subscription = match account.merchant.subscription {
        Subscription::Until(end) if end > now => {
            format!("until {} ({})", date(end), relative(end))
        }
        Subscription::None | Subscription::Until(_) => "none: ask an administrator".to_owned(),
    };
    let interval_ms = i64::try_from(bot.sweep_interval.as_millis()).unwrap_or(i64::MAX);
    let next_sweep = match last_sweep {
        Some(at) => relative(at.plus_ms(interval_ms)),
        None => "once the sweeper runs".to_owned(),
    };
    let webhook_url = match &account.merchant.webhook_url {
        Some(url) => code(url),
        None => "where each payment says: `/set_webhook_url`".to_owned(),
    };
    let own = account.merchant.confirmations;
    let confirmations = own.unwrap_or(bot.payment_rules.confirmations);
    let fields = [
        ("Merchant", format!("`{}`", account.merchant.id)),
        ("Payout address", address_lines(&account, now)),
        ("Subscription", subscription),
        ("Confirmations", confirmations.to_string()),
        ("Webhooks go to", webhook_url),
        ("Money", format!("{}\n`/payouts` lists what was paid out", sums.join("\n"))),
        ("Next sweep", format!("{next_sweep}, for whom {} or more wait", ltc(bot.min_payout))),
    ];
    reply(context, Answer::table(plain(account.merchant.name.as_str()), &fields)).await
}

/// Which payments to list.
#[derive(Debug, Clone, Copy, poise::ChoiceParameter)]
enum OfStatus {
    #[name = "pending"]
    Pending,
    #[name = "completed"]
    Completed,
    #[name = "expired"]
    Expired,
}

/// List your payments, newest first
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payments(
    context: Context<'_>,
    #[description = "Only those with this status"] status: Option<OfStatus>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let status = status.map(|status| match status {
        OfStatus::Pending => "pending",
        OfStatus::Completed => "completed",
        OfStatus::Expired => "expired",
    });
    let page = lists::page(context.data(), asker.user, &List::Payments(status), 0).await?;
    reply(context, page).await
}

/// The asker's own payment of this id. Somebody else's does not exist for them.
pub(super) fn own_payment(tx: &ReadTx, user: u64, id: &str) -> Result<payments::Judged, Failure> {
    let merchant = account_of(tx, user)?;
    let id: PaymentId = id.trim().parse().map_err(|_| Refusal::UnknownPayment)?;
    let found = payments::by_id(tx, id)?.filter(|judged| judged.payment.merchant == merchant.id);
    Ok(found.ok_or(Refusal::UnknownPayment)?)
}

/// Show one of your payments
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payment(
    context: Context<'_>,
    #[description = "The payment; type its id, order or status"]
    #[autocomplete = "choices::payment"]
    #[max_length = 64]
    payment: String,
) -> Result<(), Failure> {
    let Asker { user, now, .. } = begin(context).await?;
    let bot = context.data();
    let (facts, payouts, told, tip) = bot
        .read(move |tx| {
            let judged = own_payment(tx, user, &payment)?;
            let index = judged.payment.index;
            let payouts = sweeps::payout_of_payment(tx, index)?;
            let told = events::of_payment(tx, index)?;
            let tip = blocks::tip(tx)?;
            Ok((payment_acts::facts_of(tx, judged, now)?, payouts, told, tip))
        })
        .await?;
    let view = PaymentView::new(&facts, &bot.site, now);
    let mut fields = vec![
        ("Payment", format!("`{}`", view.payment_id)),
        ("Status", format!("{} ({})", view.status, view.detail)),
        ("Amount", ltc(view.amount_ltc.0)),
        (
            "Received",
            format!(
                "{}, confirmed {}",
                ltc(view.amount_received_ltc.0),
                ltc(view.amount_confirmed_ltc.0)
            ),
        ),
        ("Confirmations", format!("{} of {}", view.confirmations, view.confirmations_required)),
        ("Created", relative(view.created_at.0)),
        ("Time is up", relative(view.expires_at.0)),
        ("Address", format!("`{}`", view.receiving_address)),
        ("Checkout", view.payment_url.clone()),
    ];
    if let Some(reference) = &view.reference {
        fields.push(("Order", plain(reference)));
    }
    if !view.txids.is_empty() {
        let shown: Vec<String> = view.txids.iter().take(10).map(|id| format!("`{id}`")).collect();
        fields.push(("Transactions", shown.join("\n")));
    }
    for event in &told {
        let state = match event.state {
            State::Delivered => "delivered".to_owned(),
            State::Due { next_at } => {
                format!("due {}, {} attempts", relative(next_at), event.attempts)
            }
            State::Failed => "given up: `/resend_webhook` sends it again".to_owned(),
        };
        fields.push(("Webhook", state));
    }
    for payout in &payouts {
        let view = PayoutView::new(payout, tip);
        let confirmations = view.confirmations;
        fields.push(("Paid out with", format!("`{}`, {confirmations} confirmations", view.txid)));
    }
    reply(context, Answer::table("Payment", &fields)).await
}

/// List what was paid out to you, newest first
#[poise::command(slash_command, ephemeral, category = "Money", interaction_context = "Guild|BotDm")]
async fn payouts(
    context: Context<'_>,
    #[description = "A month such as 2026-11: all of it as a file for your books"]
    #[autocomplete = "choices::month"]
    #[max_length = 7]
    month: Option<String>,
) -> Result<(), Failure> {
    let asker = begin(context).await?;
    let Some(month) = month else {
        let page = lists::page(context.data(), asker.user, &List::Payouts, 0).await?;
        return reply(context, page).await;
    };
    if !is_month(&month) {
        return Err(Refusal::invalid("month", "must be a year and a month, such as 2026-11").into());
    }
    let (user, wanted) = (asker.user, month.clone());
    let (lines, cut) = context.data().read(move |tx| month_lines(tx, user, &wanted)).await?;
    if lines.is_empty() {
        return reply(context, Answer::text(format!("Nothing was paid out in {month}."))).await;
    }
    let mut said = format!("Your payouts of {month} (UTC): {}.", lines.len());
    if cut {
        said.push_str(" There are more than fit: `GET /api/payouts` gives them all.");
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
    #[description = "How many LTC, such as 0.05"]
    #[max_length = 32]
    amount: String,
    #[description = "Your own name for it, such as an order number"]
    #[max_length = 128]
    reference: Option<String>,
) -> Result<(), Failure> {
    let Asker { user, now, .. } = begin(context).await?;
    let bot = context.data();
    let new = NewPayment::by_hand(&amount, reference)?;
    let (rules, addresses) = (bot.payment_rules.clone(), Addresses::new(bot.xpub.clone()));
    let id = PaymentId::from_random(secret::random_bytes());
    let created = bot.write(move |tx| {
        let merchant = account_of(tx, user)?.id;
        let request = Request { merchant, new, idempotency_key: None, id };
        Ok(create_payment(tx, &rules, &addresses, &request, now)?)
    });
    let (Created::New(judged) | Created::Replayed(judged)) = created.await?;
    tracing::info!(payment.id = %judged.payment.id, amount = %judged.payment.amount, "created");
    let url = format!("{}/pay/{}", bot.site.public_url, judged.payment.id);
    let address = crate::view::receiving_address(&judged.payment, bot.site.network);
    let fields = [
        ("Send this link to the shopper", url.clone()),
        ("Amount", ltc(judged.payment.amount)),
        ("Address", format!("`{address}`")),
        ("Time is up", relative(judged.payment.expires_at)),
    ];
    let link = serenity::CreateButton::new_link(url).label("Open the checkout");
    reply(context, Answer::table("Payment made", &fields).with_buttons(vec![link])).await
}
