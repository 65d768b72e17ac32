//! `litegate webhook …`: lists the outbox, resends events, and tests a receiver.

use std::path::Path;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::event_kind::EventKind;
use crate::domain::merchant::MerchantId;
use crate::operations::merchants;
use crate::operations::webhooks::{self as operations, ListQuery};
use crate::operations::{Actor, Refusal, announce};
use crate::store::{Store, WriteTx};
use crate::view::{EventView, TrialView};
use crate::webhooks::trial;

#[derive(Args)]
#[command(after_help = "Example: litegate webhook list --failed")]
pub(super) struct Webhook {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// List events, newest first
    #[command(after_help = "Example: litegate webhook list --failed")]
    List {
        /// Only failed events
        #[arg(long)]
        failed: bool,
        /// Only events of this merchant
        #[arg(long, value_name = "ID")]
        merchant: Option<MerchantId>,
        /// Largest number of events
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Send an event again, or all failed events of a merchant
    #[command(after_help = "Example: litegate webhook resend evt_0123456789abcdef0123456789abcdef")]
    Resend {
        #[arg(required_unless_present = "failed_of")]
        event_id: Option<String>,
        /// All failed events of this merchant
        #[arg(long, value_name = "ID", conflicts_with = "event_id")]
        failed_of: Option<MerchantId>,
    },
    /// Send a signed test webhook to a URL and report the outcome
    #[command(after_help = "The body contains \"test\": true and a payment id of zeros. Exits 1 \
                            unless the receiver accepts it.\n\nExample: litegate webhook test \
                            --merchant mer_0123456789ab --url https://shop.example/webhook")]
    Test {
        /// The merchant whose secret signs
        #[arg(long, value_name = "ID")]
        merchant: MerchantId,
        /// The receiver's URL
        #[arg(long)]
        url: String,
        /// The kind of event: completed, seen, partly_paid, expired, late or replaced
        #[arg(long, value_name = "KIND", default_value = "completed", value_parser = event_kind)]
        event: EventKind,
    },
}

impl Webhook {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        match self.act {
            Act::List { failed, merchant, limit } => {
                let state = failed.then_some("failed");
                let list_query = ListQuery { merchant, state, cursor: None, limit };
                list(&store, &list_query, format)
            }
            Act::Resend { event_id, failed_of } => match (event_id, failed_of) {
                (Some(id), _) => resend(&config, &store, id, format),
                (None, Some(merchant)) => resend_failed(&config, &store, merchant, format),
                (None, None) => Err(Failure::Usage("name an event, or use --failed-of".to_owned())),
            },
            Act::Test { merchant, url, event } => {
                test(&config, &store, merchant, (&url, event), format)
            }
        }
    }
}

fn list(store: &Store, list_query: &ListQuery, format: Format) -> Result<(), Failure> {
    let (on_progress, _) = store.read_blocking(|tx| operations::list(tx, list_query))?;
    let views: Vec<EventView> =
        on_progress.iter().map(|(event, attempts)| EventView::new(event, attempts)).collect();
    match format {
        Format::Json => print_json(&views),
        Format::Text => views.iter().try_for_each(|view| {
            let last = view.attempts.last().map_or("not attempted yet", |a| &a.outcome);
            print_line(&format!("{}  {}  {}  {last}", view.event_id, view.state, view.payment_id))
        }),
    }
}

fn resend(config: &Config, store: &Store, id: String, format: Format) -> Result<(), Failure> {
    let (of_write, now) = (id.clone(), config.clock.now());
    let written =
        store.write_blocking(move |tx| operations::resend(tx, &Actor::Cli, None, &of_write, now));
    match written {
        Ok(_) => {}
        Err(Refusal::UnknownEvent) => {
            return Err(Failure::Failed(format!("event {id} not found")));
        }
        Err(refusal) => return Err(refusal.into()),
    }
    match format {
        Format::Json => print_json(&serde_json::json!({ "eventId": id })),
        Format::Text => print_line(&format!("{id} will be sent again")),
    }
}

fn resend_failed(
    config: &Config,
    store: &Store,
    id: MerchantId,
    format: Format,
) -> Result<(), Failure> {
    let now = config.clock.now();
    let write = move |tx: &WriteTx| announce::resend_failed(tx, &Actor::Cli, id, now);
    let count = store.write_blocking(write)?;
    match format {
        Format::Json => print_json(&serde_json::json!({ "count": count })),
        Format::Text => print_line(&format!("{count} events will be sent again")),
    }
}

/// Parses a kind of event.
fn event_kind(text: &str) -> Result<EventKind, String> {
    let names = EventKind::ALL.map(EventKind::as_str).join(", ");
    EventKind::parse(text).ok_or_else(|| format!("must be one of {names}"))
}

fn test(
    config: &Config,
    store: &Store,
    id: MerchantId,
    (url, event): (&str, EventKind),
    format: Format,
) -> Result<(), Failure> {
    let egress = &config.webhooks.egress;
    trial::check_url(url, egress)?;
    let merchant = store.read_blocking(|tx| merchants::get(tx, id))?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
    let now = config.clock.now();
    let sent = trial::send(&merchant, config.secret()?, config.network, egress, url, event, now);
    let tried = runtime.block_on(sent)?.view;
    match format {
        Format::Json => print_json(&tried)?,
        Format::Text => print_trial(&tried)?,
    }
    if tried.delivered {
        return Ok(());
    }
    Err(Failure::Failed(format!("the receiver did not accept the test: {}", tried.outcome)))
}

fn print_trial(tried: &TrialView) -> Result<(), Failure> {
    print_line(&format!("{} after {} ms", tried.outcome, tried.duration_ms))?;
    if !tried.answer.is_empty() {
        print_line(&format!("answer: {}", tried.answer))?;
    }
    match tried.advice {
        Some(advice) => print_line(advice),
        None => Ok(()),
    }
}
