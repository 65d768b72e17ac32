//! `litegate audit-log`: who changed what, as the bot's `/audit` shows it, and whether the log is
//! whole.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{Failure, Format, open, print_json, print_line};
use crate::domain::merchant::MerchantId;
use crate::store::Store;
use crate::store::audit_log::chain::{self, Extent};
use crate::store::audit_log::{self, Entry};
use crate::view::Time;

#[derive(Args)]
#[command(
    after_help = "Examples: litegate audit-log --merchant mer_0123456789ab --limit 20\n          \
                  litegate audit-log --verify"
)]
pub(super) struct AuditLog {
    /// Only what concerns this merchant
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// How many at most
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Check that no row was changed or removed: walk the whole hash chain
    #[arg(long, conflicts_with_all = ["merchant", "limit"])]
    verify: bool,
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

/// The outcome of a check, with the API's names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    intact: bool,
    /// Rows that fit, from the first on.
    rows: u64,
    /// The last of them.
    head_id: i64,
    head_hash: String,
    /// The first thing that is wrong.
    problem: Option<String>,
}

impl AuditLog {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (_, store) = open(config)?;
        if self.verify {
            return verify(&store, format);
        }
        let found = store.read_blocking(|tx| audit_log::list(tx, self.merchant, 0, self.limit))?;
        let views: Vec<View> = found.into_iter().map(View::new).collect();
        match format {
            Format::Json => print_json(&views),
            Format::Text => views.iter().try_for_each(print_entry),
        }
    }
}

fn print_entry(view: &View) -> Result<(), Failure> {
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
}

fn verify(store: &Store, format: Format) -> Result<(), Failure> {
    let checked = chain::check(store, Extent::All, &store.known_audit_log()?)?;
    let problem = checked.found.as_ref().map(ToString::to_string);
    let (rows, head) = (checked.rows, checked.head);
    match (format, &problem) {
        (Format::Json, problem) => print_json(&Verified {
            intact: problem.is_none(),
            rows,
            head_id: head.id,
            head_hash: head.hash_hex(),
            problem: problem.clone(),
        })?,
        (Format::Text, None) => {
            print_line(&format!("intact: {rows} rows, none was changed or removed"))?;
            print_line(&format!("head: {} {}", head.id, head.hash_hex()))?;
        }
        (Format::Text, Some(_)) => print_line(&format!("the first {rows} rows fit"))?,
    }
    problem.map_or(Ok(()), |problem| Err(Failure::Failed(problem)))
}
