//! `litegate secret`: replaces the master secret and shows the progress.

use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use crate::config::{self, Config};
use crate::crash;
use crate::secret::{KeyPair, rotation, row_key_file};
use crate::serve::database::open_store;
use crate::serve::rights::{Work, give_up_root};
use crate::store::batches::Batches;
use crate::store::reseal;
use crate::view::Time;

/// Longest grace period, in milliseconds.
const GRACE_MS_MAX: i64 = 90 * 86_400_000;

#[derive(Args)]
pub(super) struct Secret {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Replace the master secret; keys of the old one stay valid for a grace period
    #[command(after_help = "Example: litegate secret rotate --grace 7d")]
    Rotate {
        /// How long API keys and webhook secrets of the old secret stay valid
        #[arg(long, default_value = "7d", value_name = "TIME")]
        grace: String,
    },
    /// Show whether a rotation is running, and until when old keys are valid
    #[command(after_help = "Example: litegate secret status")]
    Status,
    /// Write sweeper.row_key_file again, if it is missing, damaged or outdated
    #[command(after_help = "Example: litegate secret row-key")]
    RowKey,
    /// Remove the old secret after the grace period, if the gateway's user may not
    #[command(after_help = "Example: litegate secret finish")]
    Finish,
}

/// Progress of a rotation.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View {
    rotating: bool,
    /// When keys of the old secret expire.
    old_keys_until: Option<Time>,
}

impl Secret {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = config::load(config)?;
        match self.act {
            Act::Rotate { grace } => rotate(config, &grace, format),
            Act::Status => show(&config, format),
            Act::RowKey => write_row_key_file(&config, format),
            Act::Finish => finish(config, format),
        }
    }
}

fn rotate(mut config: Config, grace: &str, format: Format) -> Result<(), Failure> {
    let grace_ms = config::parse_duration(grace)
        .ok()
        .and_then(|grace| i64::try_from(grace.as_millis()).ok())
        .filter(|grace| *grace <= GRACE_MS_MAX)
        .ok_or_else(|| Failure::Usage("--grace must be a time of at most 90d".to_owned()))?;
    let file = config.secret_file.clone();
    let before = config.secret()?.current();
    let next = match rotation::begin(&file, &before, config.clock.now(), grace_ms) {
        Err(failed @ rotation::Failed::InProgress { .. }) => {
            write_row_keys(&config, &config.row_keys.now())?; // In case the last run was interrupted.
            return Err(failed.into());
        }
        begun => begun?,
    };
    // The sweeper must know the new key before a row is sealed with it.
    let both = KeyPair { current: before.row_key(), previous: Some(next.row_key()) };
    write_row_keys(&config, &both)?;
    crash::point("secret-row-keys");
    rotation::replace(&file)?;
    let current = config::secret_at("secret_file", &file)?;
    config.secret()?.replace(current, rotation::previous(&file)?);
    write_row_keys(&config, &config.row_keys.now())?;
    give_up_root(&mut config, Work::Database)?;
    open_store(&config)?; // Records the new secret in the database and in the audit log.
    show(&config, format)?;
    if format == Format::Text {
        print_line(&format!(
            "keep a copy of {} elsewhere; merchants find their new keys in the bot or by litegate \
             merchant view-key. If systemd passes the secret as a credential: systemctl restart litegate \
             litegate-sweeper",
            file.display()
        ))?;
    }
    Ok(())
}

/// Writes the file of row keys, if configured, with the caller's rights.
fn write_row_keys(config: &Config, keys: &KeyPair) -> Result<(), Failure> {
    let Some(file) = &config.row_key_file else { return Ok(()) };
    row_key_file::write(file, keys).map_err(|error| {
        Failure::Failed(format!("sweeper.row_key_file {}: {error}", file.display()))
    })
}

fn write_row_key_file(config: &Config, format: Format) -> Result<(), Failure> {
    let Some(file) = &config.row_key_file else {
        return Err(Failure::Usage("sweeper.row_key_file is not set".to_owned()));
    };
    write_row_keys(config, &config.row_keys.now())?;
    match format {
        Format::Json => print_json(&RowKeyView { row_key_file: file.display().to_string() }),
        Format::Text => print_line(&format!(
            "{} is written; only its owner, the sweeper's user or root, may read it",
            file.display()
        )),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RowKeyView {
    row_key_file: String,
}

fn show(config: &Config, format: Format) -> Result<(), Failure> {
    let old_keys_until = config.secret()?.previous().map(|previous| Time(previous.keys_until));
    let view = View { rotating: old_keys_until.is_some(), old_keys_until };
    match (format, &view.old_keys_until) {
        (Format::Json, _) => print_json(&view),
        (Format::Text, Some(until)) => print_line(&format!(
            "the secret was replaced; API keys and webhook secrets of the old one are valid until {}",
            until.0
        )),
        (Format::Text, None) => print_line("no rotation is running"),
    }
}

fn finish(mut config: Config, format: Format) -> Result<(), Failure> {
    let file = config.secret_file.clone();
    let Some(previous) = config.secret()?.previous() else {
        rotation::remove_wiped(&file)?;
        return show(&config, format);
    };
    if config.clock.now() < previous.keys_until {
        return Err(Failure::Refused(format!(
            "keys of the old secret are valid until {}",
            previous.keys_until
        )));
    }
    // The file stays until all rows are sealed; root must then remove it.
    let store = open_store(&config)?;
    let batches = Batches { store: &store, go_on: &|| true };
    let (_, resealed) = reseal::all(&batches, config.secret()?)?;
    drop(store);
    let secrets = config.secret()?.clone();
    secrets.replace(secrets.current(), None);
    write_row_keys(&config, &config.row_keys.now())?;
    rotation::forget(&file)?;
    give_up_root(&mut config, Work::Database)?;
    show(&config, format)?;
    match resealed.unverified {
        0 => Ok(()),
        count => Err(Failure::Failed(format!(
            "{count} rows do not verify and were not sealed again: {}",
            resealed.named.join(", ")
        ))),
    }
}

impl From<rotation::Failed> for Failure {
    fn from(failed: rotation::Failed) -> Failure {
        match failed {
            rotation::Failed::InProgress { .. } => Failure::Refused(failed.to_string()),
            rotation::Failed::File { .. } => Failure::Failed(failed.to_string()),
        }
    }
}
