//! `litegate payment …`: payments with their coins, payouts and webhooks.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line, print_note};
use crate::config::Config;
use crate::domain::merchant::MerchantId;
use crate::domain::payment::PaymentId;
use crate::operations::create_payment::{Created, NewPayment, Request, create_payment};
use crate::operations::payments::{facts, facts_of};
use crate::operations::webhooks::shown_attempts;
use crate::operations::{Actor, Refusal, settle_payment};
use crate::secret;
use crate::serve::database::prepare_to_issue;
use crate::store::payments::{self as rows, Filter};
use crate::store::{Store, blocks, events, sweeps};
use crate::view::sweep::PayoutView;
use crate::view::{CoinView, EventView, PaymentView};

#[derive(Args)]
#[command(after_help = "Example: litegate payment list --status pending")]
pub(super) struct Payment {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List payments, newest first
    #[command(after_help = "Example: litegate payment list --status pending")]
    List {
        #[arg(long)]
        merchant: Option<MerchantId>,
        #[arg(long)]
        status: Option<StatusWord>,
        /// Largest number of payments
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Create a payment and print the link for the shopper
    #[command(after_help = "Example: litegate payment create --merchant mer_0123456789ab \
                            --amount 0.05 --reference order-17")]
    Create {
        #[arg(long, value_name = "ID")]
        merchant: MerchantId,
        /// Amount, such as 0.05; in LTC without --currency
        #[arg(long)]
        amount: String,
        /// Currency of the amount (ISO 4217), such as EUR
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
        /// The shop's name for the payment
        #[arg(long)]
        reference: Option<String>,
    },
    /// Accept a partly paid or expired payment with the coins that are confirmed
    #[command(after_help = "Example: litegate payment accept 550e8400-e29b-41d4-a716-446655440000")]
    Accept { id: PaymentId },
    /// Cancel a payment on which no coin was seen
    #[command(after_help = "Example: litegate payment cancel 550e8400-e29b-41d4-a716-446655440000")]
    Cancel { id: PaymentId },
    /// Show a payment with its coins, payouts and webhooks
    #[command(after_help = "Example: litegate payment show 550e8400-e29b-41d4-a716-446655440000")]
    Show { id: PaymentId },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatusWord {
    Pending,
    Completed,
    Expired,
}

impl StatusWord {
    fn as_str(self) -> &'static str {
        match self {
            StatusWord::Pending => "pending",
            StatusWord::Completed => "completed",
            StatusWord::Expired => "expired",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    #[serde(flatten)]
    payment: PaymentView,
    merchant_id: String,
    derivation_index: u32,
    webhook_url: Option<String>,
    coins: Vec<CoinView>,
    payouts: Vec<PayoutView>,
    webhooks: Vec<EventView>,
}

impl Payment {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        match self.act {
            Act::Create { merchant, amount, currency, reference } => {
                // This process issues addresses, too.
                prepare_to_issue(&config, &store)?;
                let new = NewPayment::by_hand(&amount, currency.as_deref(), reference)?;
                create(&config, &store, merchant, new, format)
            }
            Act::List { merchant, status, limit } => {
                let filter = Filter {
                    merchant,
                    status: status.map(StatusWord::as_str),
                    ..Filter::default()
                };
                list(&config, &store, &filter, limit, format)
            }
            Act::Accept { id } => settle(&config, &store, id, settle_payment::accept, format),
            Act::Cancel { id } => settle(&config, &store, id, settle_payment::cancel, format),
            Act::Show { id } => show(&config, &store, id, format),
        }
    }
}

fn create(
    config: &Config,
    store: &Store,
    merchant: MerchantId,
    new: NewPayment,
    format: Format,
) -> Result<(), Failure> {
    let now = config.clock.now();
    let id = PaymentId::from_random(secret::random_bytes());
    let request = Request { merchant, api_key: None, new, idempotency_key: None, id };
    let (rules, addresses) = (config.payments.clone(), config.addresses());
    let facts = store.write_blocking(move |tx| {
        let created = create_payment(tx, &rules, &addresses, &request, now)?;
        let (Created::New(evaluated) | Created::Replayed(evaluated)) = created;
        facts_of(tx, evaluated, now)
    })?;
    let view = PaymentView::for_merchant(&facts, &config.site, now);
    match format {
        Format::Json => print_json(&view),
        Format::Text => {
            print_line(&line(&view))?;
            print_line(&view.payment_url)
        }
    }
}

/// Carries out an operation on a payment, and prints the payment.
fn settle(
    config: &Config,
    store: &Store,
    id: PaymentId,
    operation: settle_payment::Operation,
    format: Format,
) -> Result<(), Failure> {
    let (network, now) = (config.network, config.clock.now());
    let facts = store.write_blocking(move |tx| {
        let after = operation(tx, &Actor::Cli, None, id, network, now)?;
        facts_of(tx, after, now)
    })?;
    let view = PaymentView::for_merchant(&facts, &config.site, now);
    match format {
        Format::Json => print_json(&view),
        Format::Text => print_line(&line(&view)),
    }
}

fn list(
    config: &Config,
    store: &Store,
    filter: &Filter,
    limit: u32,
    format: Format,
) -> Result<(), Failure> {
    let now = config.clock.now();
    let (found, more) = store.read_blocking(|tx| {
        let mut evaluated = rows::list(tx, filter, limit.saturating_add(1))?;
        let more = evaluated.len() > limit as usize;
        evaluated.truncate(limit as usize);
        let found = evaluated.into_iter().map(|one| facts_of(tx, one, now));
        Ok::<_, Refusal>((found.collect::<Result<Vec<_>, _>>()?, more))
    })?;
    let views: Vec<PaymentView> =
        found.iter().map(|facts| PaymentView::for_merchant(facts, &config.site, now)).collect();
    if more {
        print_note(&format!("litegate: only the newest {limit} are shown; see --limit"));
    }
    match format {
        Format::Json => print_json(&views),
        Format::Text => views.iter().try_for_each(|view| print_line(&line(view))),
    }
}

fn show(config: &Config, store: &Store, id: PaymentId, format: Format) -> Result<(), Failure> {
    let now = config.clock.now();
    let whole = store.read_blocking(|tx| {
        let facts = facts(tx, id, now)?;
        let tip = blocks::tip(tx)?;
        let index = facts.payment.index;
        let mut webhooks = Vec::new();
        for event in events::of_payment(tx, index)? {
            webhooks.push(EventView::new(&event, &shown_attempts(tx, &event.id)?));
        }
        let payouts = sweeps::payout_of_payment(tx, index)?;
        Ok::<_, Refusal>(Whole {
            merchant_id: facts.payment.merchant.to_string(),
            derivation_index: index.get(),
            webhook_url: facts.payment.webhook_url.clone(),
            coins: facts.coins.iter().map(|coin| CoinView::new(coin, tip)).collect(),
            payouts: payouts.iter().map(|payout| PayoutView::new(payout, tip)).collect(),
            webhooks,
            payment: PaymentView::for_merchant(&facts, &config.site, now),
        })
    })?;
    match format {
        Format::Json => print_json(&whole),
        Format::Text => print_text(&whole),
    }
}

fn line(view: &PaymentView) -> String {
    format!(
        "{}  {:9}  {} LTC  {} of {} confirmations  {}",
        view.payment_id,
        view.status,
        view.amount_ltc.0,
        view.confirmations,
        view.confirmations_required,
        view.receiving_address,
    )
}

fn print_text(whole: &Whole) -> Result<(), Failure> {
    print_line(&line(&whole.payment))?;
    let view = &whole.payment;
    print_line(&format!(
        "  {}, merchant {}, index {}, created {}, expires {}",
        view.detail,
        whole.merchant_id,
        whole.derivation_index,
        view.created_at.0,
        view.expires_at.0
    ))?;
    for coin in &whole.coins {
        print_line(&format!(
            "  coin    {}:{}  {} LTC  {}, {} confirmations",
            coin.txid, coin.vout, coin.amount_ltc.0, coin.place, coin.confirmations
        ))?;
    }
    for payout in &whole.payouts {
        print_line(&format!(
            "  payout  {}  {} LTC of {} LTC  {} confirmations",
            payout.txid, payout.amount_ltc.0, payout.gross_ltc.0, payout.confirmations
        ))?;
    }
    for webhook in &whole.webhooks {
        print_line(&format!("  webhook {}  {}", webhook.event_id, webhook.state))?;
        for attempt in &webhook.attempts {
            print_line(&format!(
                "          {}  {}  {} ms",
                attempt.started_at.0, attempt.outcome, attempt.duration_ms
            ))?;
        }
    }
    Ok(())
}
