//! `litegate audit`: reconciles every litoshi with the node.

use std::path::Path;

use clap::Args;

use super::audit_log::KnownHeads;
use super::failure::Failure;
use super::open::load;
use super::output::{Format, print_json, print_line, print_note};
use super::progress;
use crate::operations;
use crate::progress::OnProgress;
use crate::serve::database::open_store;
use crate::serve::node_of;
use crate::serve::rights::Work;
use crate::view::audit::AuditView;

#[derive(Args)]
#[command(after_help = "Example: litegate audit --json")]
pub(super) struct Audit {}

impl Audit {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = load(config, Work::ReadSweeper)?;
        let store = open_store(&config)?;
        let known = KnownHeads::of(&config, &store)?;
        let node = node_of(&config, &store)?;
        let audit = |on_progress: OnProgress| {
            operations::audit::audit(&store, &node, &config.xpub, &known.heads, on_progress)
        };
        let report = progress::shown(audit)?;
        let view = AuditView::new(&report);
        let (found, now) = (view.differences.len(), config.clock.now());
        if let Err(error) =
            store.write_blocking(move |tx| operations::audit::record(tx, found, now))
        {
            print_note(&format!(
                "litegate: cannot record the result, so administrators are not notified: {error}"
            ));
        }
        match format {
            Format::Json => print_json(&view)?,
            Format::Text => {
                known.print_unread()?;
                print_text(&view)?;
            }
        }
        match view.differences.len() {
            0 => Ok(()),
            1 => Err(Failure::Failed("the audit found a difference".to_owned())),
            n => Err(Failure::Failed(format!("the audit found {n} differences"))),
        }
    }
}

fn print_text(view: &AuditView) -> Result<(), Failure> {
    let sums = [
        ("received", view.received_ltc),
        ("paid out", view.paid_ltc),
        ("fees", view.fees_ltc),
        ("in flight", view.in_flight_ltc),
        ("unswept", view.unswept_ltc),
        ("spent elsewhere", view.elsewhere_ltc),
    ];
    for (name, sum) in sums {
        print_line(&format!("{name:15}  {} LTC", sum.0))?;
    }
    for txid in &view.recognised_sweeps {
        print_line(&format!(
            "recognised: sweep {txid} was not made by this database; it pays your merchants by our \
             rules. Make sure that you know who signed it"
        ))?;
    }
    for difference in &view.differences {
        print_line(&format!("difference: {}", difference.message))?;
    }
    match view.clean {
        true => print_line("clean: every litoshi is accounted for, and the node agrees"),
        false => Ok(()),
    }
}
