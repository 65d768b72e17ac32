//! `litegate chain-guard …`: shows the chain guard's state, and ends it.

use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line};
use crate::domain::chain_guard::{ActiveGuard, Trouble};
use crate::store::audit_log;
use crate::store::{Error, ReadTx, blocks, chain_guard_alerts};

#[derive(Args)]
#[command(after_help = "Example: litegate chain-guard show")]
pub(super) struct ChainGuard {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Show whether the chain guard is active, and why
    #[command(after_help = "Example: litegate chain-guard show --json")]
    Show,
    /// End the chain guard: coins out of MWEB complete payments and sweeps continue
    #[command(
        after_help = "Example: litegate chain-guard end\n\nFindings of the last check do not activate the chain \
                      guard again; new ones do. Compare your node's tip with others before."
    )]
    End,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    chain_suspect: bool,
    reason: Option<String>,
    since: Option<String>,
    since_height: Option<u32>,
    quiet_blocks_left: Option<u32>,
    /// Problems found by the last check.
    troubles: Vec<ShownTrouble>,
}

#[derive(Debug, Serialize)]
struct ShownTrouble {
    kind: &'static str,
    /// Last block of the branch in question.
    branch: Option<String>,
}

impl ChainGuard {
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
                    let Some(chain_guard) = chain_guard_alerts::open(tx)? else {
                        return Ok::<_, Error>(None);
                    };
                    chain_guard_alerts::end(tx, "cli", now)?;
                    let act = audit_log::Act {
                        at: now,
                        place: None,
                        actor: "cli".to_owned(),
                        act: "end_chain_guard",
                        merchant: None,
                        before: Some(chain_guard.reason.clone()),
                        after: None,
                    };
                    audit_log::append(tx, &act)?;
                    Ok(Some(chain_guard))
                })?;
                match (ended, format) {
                    (None, _) => Err(Failure::Failed("the chain guard is not active".to_owned())),
                    (Some(chain_guard), Format::Json) => {
                        print_json(&serde_json::json!({ "ended": chain_guard.reason }))
                    }
                    (Some(chain_guard), Format::Text) => {
                        print_line(&format!("ended: {}", in_words(&chain_guard.reason)))
                    }
                }
            }
        }
    }
}

fn show(tx: &ReadTx) -> Result<Shown, Error> {
    let tip = blocks::tip(tx)?.map_or(0, |tip| tip.height);
    let open = chain_guard_alerts::open(tx)?;
    let trouble = |trouble: Trouble| ShownTrouble {
        kind: trouble.as_str(),
        branch: trouble.branch().map(|hash| hash.to_string()),
    };
    Ok(Shown {
        chain_suspect: open.is_some(),
        since: open.as_ref().map(|chain_guard| chain_guard.began_at.to_string()),
        since_height: open.as_ref().map(|chain_guard| chain_guard.began_height),
        quiet_blocks_left: open.as_ref().map(|chain_guard| chain_guard.blocks_left(tip)),
        reason: open.map(|chain_guard| chain_guard.reason),
        troubles: chain_guard_alerts::troubles(tx)?.into_iter().map(trouble).collect(),
    })
}

fn print_shown(shown: &Shown) -> Result<(), Failure> {
    match (&shown.reason, &shown.since, shown.quiet_blocks_left) {
        (Some(reason), Some(since), Some(left)) => print_line(&format!(
            "active since {since}: {}; ends after {left} more quiet blocks",
            in_words(reason)
        ))?,
        _ => print_line("not active")?,
    }
    shown.troubles.iter().try_for_each(|trouble| {
        let branch = trouble.branch.as_deref().map(|hash| format!("  {hash}")).unwrap_or_default();
        print_line(&format!("{}{branch}", trouble.kind))
    })
}

/// One line about the active guard, for `doctor`.
pub(super) fn describe(chain_guard: &ActiveGuard, tip_height: u32) -> String {
    format!(
        "since {}: {}; payments out of MWEB and sweeps wait for {} more quiet blocks, or for \
         `litegate chain-guard end`",
        chain_guard.began_at,
        in_words(&chain_guard.reason),
        chain_guard.blocks_left(tip_height)
    )
}

/// The reason of an activation, as text.
fn in_words(reason: &str) -> &str {
    match reason {
        "nodes_disagree" => "the second node is on another chain",
        "slow_blocks" => "blocks arrive far too slowly",
        "invalid_branch" => "a node refuses a branch of 3 or more young blocks",
        "competing_branch" => "another branch of 3 or more young blocks competes",
        other => other,
    }
}
