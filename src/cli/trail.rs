//! `litegate trail`: who changed what, as the bot's `/audit` shows it.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{Failure, Format, open, print_json, print_line};
use crate::domain::merchant::MerchantId;
use crate::store::trail::{self, Entry};
use crate::view::Time;

#[derive(Args)]
#[command(after_help = "Example: litegate trail --merchant mer_0123456789ab --limit 20")]
pub(super) struct Trail {
    /// Only what concerns this merchant
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

/// One act, with the API's names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    at: Time,
    actor: String,
    /// From where on Discord.
    place: Option<String>,
    act: String,
    merchant_id: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

impl View {
    fn new(entry: Entry) -> View {
        View {
            at: Time(entry.at),
            actor: entry.actor,
            place: entry.place,
            act: entry.act,
            merchant_id: entry.merchant.map(|id| id.to_string()),
            before: entry.before,
            after: entry.after,
        }
    }
}

impl Trail {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (_, store) = open(config)?;
        let found = store.read_blocking(|tx| trail::list(tx, self.merchant, 0, self.limit))?;
        let views: Vec<View> = found.into_iter().map(View::new).collect();
        match format {
            Format::Json => print_json(&views),
            Format::Text => views.iter().try_for_each(|view| {
                let merchant = view.merchant_id.as_deref().unwrap_or("-");
                let change = match (&view.before, &view.after) {
                    (None, None) => String::new(),
                    (None, Some(after)) => format!("  {after}"),
                    (before, after) => {
                        let word = |text: &Option<String>| text.clone().unwrap_or("-".to_owned());
                        format!("  {} → {}", word(before), word(after))
                    }
                };
                let act = &view.act;
                print_line(&format!("{}  {}  {act}  {merchant}{change}", view.at.0, view.actor))
            }),
        }
    }
}
