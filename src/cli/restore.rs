//! `litegate restore`: a copy takes the database's place, and catches up with the chain.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::backup::{ContentsView, catch_up_and_audit, contents, print_contents, source_of};
use super::{Failure, Format, print_json, print_line, progress};
use crate::config::{self, Config};
use crate::domain::merchant::MerchantId;
use crate::domain::payout_address::Wait;
use crate::serve::Role;
use crate::serve::database::{check_identity, heed_high_water, lock, open_store};
use crate::serve::rights::{Work, give_up_root};
use crate::store::{Store, backup, identity, payments, seals};
use crate::sweeper::seals::{Access, Seals};
use crate::view::audit::DifferenceView;

#[derive(Args)]
#[command(
    after_help = "Examples: litegate restore /mnt/copies/monday.db\n          litegate restore \
                  --replica /var/lib/litegate/from-replica.db"
)]
pub(super) struct Restore {
    /// A copy that litegate backup made
    file: PathBuf,
    /// The file was restored by Litestream instead
    #[arg(long)]
    replica: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    #[serde(flatten)]
    contents: ContentsView,
    kept: Option<String>,
    unsealed_payments: u64,
    /// Merchants whose payout addresses the copy does not have as the sweeper saw them.
    refused_merchants: Vec<String>,
    /// Addresses that were given out since the copy; absent if nothing is left to tell.
    addresses_lost: Option<u32>,
    clean: bool,
    differences: Vec<DifferenceView>,
}

impl Restore {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let mut config = config::load(config)?;
        // What the gateway's user may not open is opened with root's rights, if root asks.
        let _sweeper = lock(&config, Role::Sweeper)?;
        let copy = backup::open(&self.file, source_of(self.replica))?;
        give_up_root(&mut config, Work::LookAtSweeper)?;
        let others = Role::ALL.iter().filter(|role| **role != Role::Sweeper);
        let _locks = others.map(|role| lock(&config, *role)).collect::<Result<Vec<_>, _>>()?;
        let copy =
            progress::shown(|told| backup::unpack(copy, &config.database, "restoring", told))?;
        let bytes = copy.bytes();
        check_identity(&config, |mark| Ok(copy.read(|tx| identity::get(tx, mark))?))?;
        let now = config.clock.now().to_string().replace(['-', ':', '.'], "");
        let suffix = format!(".before-restore-{now}");
        let kept = backup::put_in_place(copy, &config.database, &suffix)?;
        let store = open_store(&config)?;
        let known_from = store.read_blocking(payments::next_index)?;
        // What a later state gave out is never given out again.
        let had_mark = config.high_water_file.exists();
        heed_high_water(&config, &store)?;
        let contents = contents(&store, bytes)?;
        let skipped = contents.next_index.get().saturating_sub(known_from.get());
        let lost = had_mark.then_some(skipped);
        let unsealed = match config.seals {
            Some(_) => store.read_blocking(seals::unsealed_count)?,
            None => 0,
        };
        let refused = refused_addresses(&config, &store)?;
        if format == Format::Text {
            print_contents(&contents)?;
            print_line(&tell_lost(lost, known_from.get(), skipped))?;
            if let Some(kept) = &kept {
                print_line(&format!("the database that was there is now {}", kept.display()))?;
            }
            if unsealed > 0 {
                print_line(&format!(
                    "payments that were not sealed yet when the copy was made: {unsealed}; their \
                     coins wait until you have looked and run litegate sweep --trust-database"
                ))?;
            }
        }
        for (merchant, contradiction) in refused.iter().filter(|_| format == Format::Text) {
            print_line(&format!(
                "payouts of {merchant} wait: {contradiction}; start the gateway and register the \
                 address that is right once more, or, if nobody can have changed the database, take \
                 what it says for true with litegate sweep --trust-database"
            ))?;
        }
        let differences = catch_up_and_audit(&config, &store).map_err(|error| {
            error.context("it is restored, but not yet compared with the chain")
        })?;
        match format {
            Format::Json => print_json(&View {
                contents: ContentsView::new(&contents),
                kept: kept.map(|kept| kept.display().to_string()),
                unsealed_payments: unsealed,
                refused_merchants: refused.iter().map(|(id, _)| id.to_string()).collect(),
                addresses_lost: lost,
                clean: differences.is_empty(),
                differences: differences.iter().map(DifferenceView::new).collect(),
            })?,
            Format::Text => {
                for difference in &differences {
                    print_line(&format!("difference: {difference}"))?;
                }
                print_line("restored: start the gateway")?;
            }
        }
        match differences.is_empty() {
            true => Ok(()),
            false => Err(Failure::Failed("it is restored, but the audit is not clean".to_owned())),
        }
    }
}

/// The merchants whose addresses changed after the copy: the sweeper goes by what it saw first, and
/// pays them nothing until an operator has looked.
fn refused_addresses(config: &Config, store: &Store) -> Result<Vec<(MerchantId, Wait)>, Failure> {
    let Some(settings) = config.seals.as_ref().filter(|seals| seals.has_record()) else {
        return Ok(Vec::new());
    };
    let seals = Seals::open(settings, store, Access::ReadOnly)?;
    Ok(seals.contradictions(store, config.network, config.clock.now())?)
}

/// What came after the copy, as far as the high-water mark tells.
fn tell_lost(lost: Option<u32>, first: u32, skipped: u32) -> String {
    match lost {
        Some(0) => "no address was given out since the copy was made".to_owned(),
        Some(count) => format!(
            "payments lost: those of {count} addresses that were given out since the copy was made \
             (indexes {first} to {})",
            first.saturating_add(count).saturating_sub(1)
        ),
        None => format!(
            "there was no high-water mark: what was given out since the copy was made is not known; \
             {skipped} addresses are left out"
        ),
    }
}
