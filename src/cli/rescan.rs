//! `litegate rescan`: reads blocks again and repairs differences.

use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line};
use super::progress;
use crate::config::Config;
use crate::serve::node_of;
use crate::store::{Store, audit_log};
use crate::watcher::rescan::{Rescanned, rescan};
use crate::watcher::utxo_rescan::{Crossed, Unproven, cross_pruned};

#[derive(Args)]
#[command(after_help = "Example: litegate rescan --from-height 2700000")]
pub(super) struct Rescan {
    /// The first block to read again, up to the tip
    #[arg(long, value_name = "H", required_unless_present = "from_utxo_set")]
    from_height: Option<u32>,
    /// Bridge blocks that the node pruned before they were read, by its UTXO set
    #[arg(long, conflicts_with = "from_height")]
    from_utxo_set: bool,
    /// With --from-utxo-set: the state of sweeps whose coins and outputs are all spent, as a
    /// block explorer shows it
    #[arg(long, value_name = "STATE", requires = "from_utxo_set")]
    unproven_sweeps: Option<SweepState>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    from_height: Option<u32>,
    to_height: Option<u32>,
    repaired: u32,
    completed: u32,
}

/// The operator's statement about unproven sweeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SweepState {
    Mined,
    InFlight,
}

impl From<SweepState> for Unproven {
    fn from(state: SweepState) -> Unproven {
        match state {
            SweepState::Mined => Unproven::Mined,
            SweepState::InFlight => Unproven::InFlight,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CrossedView {
    from_height: Option<u32>,
    to_height: Option<u32>,
    found: u32,
    completed: u32,
    sweeps: Vec<String>,
    assumed: Vec<String>,
    unexplained: Vec<String>,
}

impl Rescan {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        let Some(from_height) = self.from_height else {
            return cross(&config, &store, self.unproven_sweeps.map(Unproven::from), format);
        };
        let node = node_of(&config, &store)?;
        let terms = config.terms();
        let done =
            progress::shown(|on_progress| rescan(&store, &node, &terms, from_height, on_progress))?;
        let Rescanned { heights, repaired, completed } = done;
        if format == Format::Json {
            return print_json(&View {
                from_height: heights.map(|(from, _)| from),
                to_height: heights.map(|(_, to)| to),
                repaired,
                completed,
            });
        }
        let Some((from, to)) = heights else {
            return print_line("no block at or above that height was read before: nothing to do");
        };
        print_line(&format!(
            "read blocks {from} to {to} again: {repaired} facts repaired, {completed} payments completed"
        ))
    }
}

/// Bridges pruned blocks and reports the result.
fn cross(
    config: &Config,
    store: &Store,
    unproven: Option<Unproven>,
    format: Format,
) -> Result<(), Failure> {
    let node = node_of(config, store)?;
    let (terms, xpub) = (config.terms(), &config.xpub);
    let done = progress::shown(|on_progress| {
        cross_pruned(store, &node, &terms, xpub, unproven, on_progress)
    })?;
    note(config, store, &done)?;
    match format {
        Format::Json => print_json(&CrossedView {
            from_height: done.heights.map(|(from, _)| from),
            to_height: done.heights.map(|(_, to)| to),
            found: done.found,
            completed: done.completed,
            sweeps: texts(&done.sweeps),
            assumed: texts(&done.assumed),
            unexplained: texts(&done.unexplained),
        })?,
        Format::Text => print_crossed(&done)?,
    }
    match done.unexplained.len() {
        0 => Ok(()),
        n => Err(Failure::Failed(format!(
            "{n} recorded coins were spent by unknown transactions: check them in a block explorer"
        ))),
    }
}

/// Adds an entry to the audit log.
fn note(config: &Config, store: &Store, done: &Crossed) -> Result<(), Failure> {
    let Some((from, to)) = done.heights else { return Ok(()) };
    let act = audit_log::Act {
        at: config.clock.now(),
        actor: "cli".to_owned(),
        place: None,
        act: "rescan_from_utxo_set",
        merchant: None,
        before: None,
        after: Some(format!("blocks {from} to {to}, {} sweeps assumed", done.assumed.len())),
    };
    Ok(store.write_blocking(move |tx| audit_log::append(tx, &act))?)
}

fn print_crossed(done: &Crossed) -> Result<(), Failure> {
    let Some((from, to)) = done.heights else {
        return print_line("the node has all blocks that are still to be read: nothing to bridge");
    };
    print_line(&format!(
        "bridged pruned blocks {from} to {to}: {} coins found, {} payments completed, {} sweeps \
         mined",
        done.found,
        done.completed,
        done.sweeps.len()
    ))?;
    for txid in &done.assumed {
        print_line(&format!("assumed to be mined: sweep {txid}"))?;
    }
    for at in &done.unexplained {
        print_line(&format!("spent by an unknown transaction: coin {at}"))?;
    }
    print_line("now run litegate audit; coins received and spent within these blocks are unknown")
}

fn texts(items: &[impl ToString]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}
