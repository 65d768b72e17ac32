//! `litegate webhook …`: the outbox, and sending an event again.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{Failure, Format, open, print_json, print_line};
use crate::acts::Refusal;
use crate::store::events;
use crate::view::EventView;

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
        /// Only those that were given up
        #[arg(long)]
        failed: bool,
        /// How many at most
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Make an event due again
    #[command(after_help = "Example: litegate webhook resend evt_0123456789abcdef0123456789abcdef")]
    Resend { event_id: String },
}

impl Webhook {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        match self.act {
            Act::List { failed, limit } => {
                let only = failed.then_some("failed");
                let views = store.read_blocking(|tx| {
                    let found = events::list(tx, only, limit)?;
                    let view = |event| {
                        let event: crate::domain::event::Event = event;
                        Ok(EventView::new(&event, &events::attempts(tx, &event.id)?))
                    };
                    found.into_iter().map(view).collect::<Result<Vec<_>, Refusal>>()
                })?;
                match format {
                    Format::Json => print_json(&views),
                    Format::Text => views.iter().try_for_each(|view| {
                        let last = view.attempts.last().map_or("not tried yet", |a| &a.outcome);
                        print_line(&format!(
                            "{}  {}  {}  {last}",
                            view.event_id, view.state, view.payment_id
                        ))
                    }),
                }
            }
            Act::Resend { event_id } => {
                let (id, now) = (event_id.clone(), config.clock.now());
                if store.write_blocking(move |tx| events::resend(tx, &id, now))? {
                    return match format {
                        Format::Json => print_json(&serde_json::json!({ "eventId": event_id })),
                        Format::Text => print_line(&format!("{event_id} is due again")),
                    };
                }
                Err(Failure::Failed(format!("there is no event {event_id}")))
            }
        }
    }
}
