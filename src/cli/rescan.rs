//! `litegate rescan`: blocks read again, differences repaired.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::{Failure, Format, open, print_json, print_line, progress};
use crate::serve::node_of;
use crate::watcher::rescan::{Rescanned, rescan};

#[derive(Args)]
#[command(after_help = "Example: litegate rescan --from-height 2700000")]
pub(super) struct Rescan {
    /// The first block to read again; everything from there to our tip is read
    #[arg(long, value_name = "H")]
    from_height: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    from_height: Option<u32>,
    to_height: Option<u32>,
    repaired: u32,
    completed: u32,
}

impl Rescan {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        let node = node_of(&config, &store)?;
        let (network, clock) = (config.network, &config.clock);
        let done =
            progress::shown(|told| rescan(&store, &node, network, clock, self.from_height, told))?;
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
            return print_line("no block of that height or above was followed: nothing to read");
        };
        print_line(&format!(
            "read blocks {from} to {to} again: {repaired} facts repaired, {completed} payments completed"
        ))
    }
}
