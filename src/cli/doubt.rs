//! `litegate doubt …`: whether the chain is doubted, and the hand that ends it.

use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Failure, Format, open, print_json, print_line};
use crate::domain::doubt::{OpenDoubt, Trouble};
use crate::store::audit_log;
use crate::store::{Error, ReadTx, blocks, doubts};

#[derive(Args)]
#[command(after_help = "Example: litegate doubt show")]
pub(super) struct Doubt {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Show whether there is a doubt about the chain, and why
    #[command(after_help = "Example: litegate doubt show --json")]
    Show,
    /// End the doubt: payments out of MWEB complete and sweeps go out again
    #[command(
        after_help = "Example: litegate doubt end\n\nWhat was wrong at the last look begins no \
                      other doubt; anything new does. Compare your node's tip with others before."
    )]
    End,
}

/// The answer to `show`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    in_doubt: bool,
    reason: Option<String>,
    since: Option<String>,
    since_height: Option<u32>,
    quiet_blocks_left: Option<u32>,
    /// What was wrong at the last look.
    troubles: Vec<ShownTrouble>,
}

#[derive(Debug, Serialize)]
struct ShownTrouble {
    kind: &'static str,
    /// The last block of the branch that it is about.
    branch: Option<String>,
}

impl Doubt {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let (config, store) = open(config)?;
        match self.act {
            Act::Show => {
                let shown = store.read_blocking(show)?;
                match format {
                    Format::Json => print_json(&shown),
                    Format::Text => print_shown(&shown),
                }
            }
            Act::End => {
                let now = config.clock.now();
                let ended = store.write_blocking(move |tx| {
                    let Some(doubt) = doubts::open(tx)? else { return Ok::<_, Error>(None) };
                    doubts::end(tx, "cli", now)?;
                    let act = audit_log::Act {
                        at: now,
                        place: None,
                        actor: "cli".to_owned(),
                        act: "end_doubt",
                        merchant: None,
                        before: Some(doubt.reason.clone()),
                        after: None,
                    };
                    audit_log::append(tx, &act)?;
                    Ok(Some(doubt))
                })?;
                match (ended, format) {
                    (None, _) => Err(Failure::Failed("there is no doubt to end".to_owned())),
                    (Some(doubt), Format::Json) => {
                        print_json(&serde_json::json!({ "ended": doubt.reason }))
                    }
                    (Some(doubt), Format::Text) => {
                        print_line(&format!("ended: {}", in_words(&doubt.reason)))
                    }
                }
            }
        }
    }
}

fn show(tx: &ReadTx) -> Result<Shown, Error> {
    let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
    let open = doubts::open(tx)?;
    let trouble = |trouble: Trouble| ShownTrouble {
        kind: trouble.as_str(),
        branch: trouble.branch().map(|hash| hash.to_string()),
    };
    Ok(Shown {
        in_doubt: open.is_some(),
        since: open.as_ref().map(|doubt| doubt.began_at.to_string()),
        since_height: open.as_ref().map(|doubt| doubt.began_height),
        quiet_blocks_left: open.as_ref().map(|doubt| doubt.blocks_left(tip)),
        reason: open.map(|doubt| doubt.reason),
        troubles: doubts::troubles(tx)?.into_iter().map(trouble).collect(),
    })
}

fn print_shown(shown: &Shown) -> Result<(), Failure> {
    match (&shown.reason, &shown.since, shown.quiet_blocks_left) {
        (Some(reason), Some(since), Some(left)) => print_line(&format!(
            "in doubt since {since}: {}; ends after {left} more quiet blocks",
            in_words(reason)
        ))?,
        _ => print_line("no doubt")?,
    }
    shown.troubles.iter().try_for_each(|trouble| {
        let branch = trouble.branch.as_deref().map(|hash| format!("  {hash}")).unwrap_or_default();
        print_line(&format!("{}{branch}", trouble.kind))
    })
}

/// One line about an open doubt, for `doctor`.
pub(super) fn describe(doubt: &OpenDoubt, tip_height: u32) -> String {
    format!(
        "since {}: {}; payments out of MWEB and sweeps wait for {} more quiet blocks, or for \
         `litegate doubt end`",
        doubt.began_at,
        in_words(&doubt.reason),
        doubt.blocks_left(tip_height)
    )
}

/// What began a doubt, as a sentence.
fn in_words(reason: &str) -> &str {
    match reason {
        "nodes_disagree" => "the second node is on another chain",
        "slow_blocks" => "blocks come far too slowly",
        "invalid_branch" => "a node refuses a branch of 3 or more young blocks",
        "competing_branch" => "there is another branch of 3 or more young blocks",
        other => other,
    }
}
