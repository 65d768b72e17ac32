//! `litegate restore`: a copy takes the database's place, and catches up with the chain.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::backup::{ContentsView, catch_up_and_audit, contents, print_contents};
use super::{Failure, Format, print_json, print_line};
use crate::config;
use crate::serve::{Role, check_identity, heed_high_water, lock, open_store};
use crate::store::backup;
use crate::store::{identity, seals};
use crate::view::DifferenceView;

#[derive(Args)]
#[command(after_help = "Example: litegate restore /mnt/copies/monday.db")]
pub(super) struct Restore {
    /// A copy that litegate backup made
    file: PathBuf,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    #[serde(flatten)]
    contents: ContentsView,
    kept: Option<String>,
    unsealed_payments: u64,
    clean: bool,
    differences: Vec<DifferenceView>,
}

impl Restore {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = config::load(config)?;
        let _locks =
            Role::ALL.iter().map(|role| lock(&config, *role)).collect::<Result<Vec<_>, _>>()?;
        let copy = backup::unpack(&self.file, &config.database, "restoring")?;
        check_identity(&config, |mark| Ok(copy.read(|tx| identity::get(tx, mark))?))?;
        let now = config.clock.now().to_string().replace(['-', ':', '.'], "");
        let suffix = format!(".before-restore-{now}");
        let kept = backup::put_in_place(copy, &config.database, &suffix)?;
        let store = open_store(&config)?;
        // What a later state gave out is never given out again.
        heed_high_water(&config, &store)?;
        let contents = contents(&store, &config.database)?;
        let unsealed = match config.seals {
            Some(_) => store.read_blocking(seals::unsealed_count)?,
            None => 0,
        };
        if format == Format::Text {
            print_contents(&contents)?;
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
        let differences = catch_up_and_audit(&config, &store).map_err(|error| {
            error.context("it is restored, but not yet compared with the chain")
        })?;
        match format {
            Format::Json => print_json(&View {
                contents: ContentsView::new(&contents),
                kept: kept.map(|kept| kept.display().to_string()),
                unsealed_payments: unsealed,
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
