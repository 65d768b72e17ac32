//! `litegate audit-log`: prints who changed what, and verifies the log.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::open::{load, open};
use super::output::{Format, print_json, print_line};
use crate::config::Config;
use crate::domain::merchant::MerchantId;
use crate::serve::database::open_store;
use crate::serve::rights::Work;
use crate::store::audit_log::chain::{self, Extent, KnownHead};
use crate::store::audit_log::{self, Entry};
use crate::store::{self, Store};
use crate::sweeper::audit_log::known_head;
use crate::view::Time;

#[derive(Args)]
#[command(
    after_help = "Examples: litegate audit-log --merchant mer_0123456789ab --limit 20\n          \
                  litegate audit-log --verify"
)]
pub(super) struct AuditLog {
    /// Only acts that concern this merchant
    #[arg(long)]
    merchant: Option<MerchantId>,
    /// Largest number of acts
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Verify the whole hash chain: no row was changed or removed
    #[arg(long, conflicts_with_all = ["merchant", "limit"])]
    verify: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    at: Time,
    actor: String,
    /// The Discord server or channel.
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Verified {
    intact: bool,
    /// Verified rows, from the first on.
    rows: u64,
    /// Id of the last verified row.
    head_id: i64,
    head_hash: String,
    /// False if the sweeper has a record that this user may not read.
    sweeper_record_compared: bool,
    /// The first problem.
    problem: Option<String>,
}

impl AuditLog {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        if self.verify {
            let config = load(config, Work::ReadSweeper)?;
            return verify(&config, &open_store(&config)?, format);
        }
        let (_, store) = open(config)?;
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

/// Heads of the log that are kept outside the database.
pub(super) struct KnownHeads {
    pub(super) heads: Vec<KnownHead>,
    /// Why an existing record of the sweeper was not read.
    unread: Option<String>,
}

impl KnownHeads {
    /// Reads the file of heads and, if this process may, the sweeper's record.
    ///
    /// # Errors
    /// If the file of heads cannot be read.
    pub(super) fn of(config: &Config, store: &Store) -> Result<KnownHeads, store::Error> {
        let mut heads = store.known_audit_log()?;
        let of_record = config.seals.as_ref().map(|seals| known_head(seals, store));
        let unread = match of_record {
            Some(Ok(head)) => {
                heads.extend(head);
                None
            }
            Some(Err(error)) => Some(format!("{error:#}")),
            None => None,
        };
        Ok(KnownHeads { heads, unread })
    }

    /// Prints why the log was not compared with the sweeper's record.
    pub(super) fn print_unread(&self) -> Result<(), Failure> {
        let Some(why) = &self.unread else { return Ok(()) };
        print_line(&format!("not compared with the sweeper's record (run this as root): {why}"))
    }
}

fn verify(config: &Config, store: &Store, format: Format) -> Result<(), Failure> {
    let known = KnownHeads::of(config, store)?;
    let checked = chain::check(store, Extent::All, &known.heads)?;
    let problem = checked.found.as_ref().map(ToString::to_string);
    let (rows, head) = (checked.rows, checked.head);
    match (format, &problem) {
        (Format::Json, problem) => print_json(&Verified {
            intact: problem.is_none(),
            rows,
            head_id: head.id,
            head_hash: head.hash_hex(),
            sweeper_record_compared: known.unread.is_none(),
            problem: problem.clone(),
        })?,
        (Format::Text, None) => {
            print_line(&format!("intact: {rows} rows, none changed or removed"))?;
            print_line(&format!("head: {} {}", head.id, head.hash_hex()))?;
            known.print_unread()?;
        }
        (Format::Text, Some(_)) => print_line(&format!("the first {rows} rows are intact"))?,
    }
    problem.map_or(Ok(()), |problem| Err(Failure::Failed(problem)))
}
