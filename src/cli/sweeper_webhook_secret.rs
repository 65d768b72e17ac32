//! `litegate sweeper-webhook-secret`: prints the secret that verifies the sweeper's
//! notifications.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::failure::Failure;
use super::open::load;
use super::output::{Format, print_json, print_line};
use crate::serve::rights::Work;

#[derive(Args)]
#[command(after_help = "Example: litegate sweeper-webhook-secret --json")]
pub(super) struct SweeperWebhookSecret {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'s> {
    webhook_secret: &'s str,
}

impl SweeperWebhookSecret {
    /// The secret derives from the seal key, so only root and the sweeper's user can print it.
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let config = load(config, Work::ReadSweeper)?;
        let Some(seals) = &config.seals else {
            let what = "sweeper.seal_key_file is not set: the sweeper sends no notifications";
            return Err(Failure::Usage(what.to_owned()));
        };
        let secret = seals.notification_secret()?;
        let webhook_secret = secret.reveal();
        match format {
            Format::Json => print_json(&View { webhook_secret }),
            Format::Text => print_line(webhook_secret),
        }
    }
}
