//! `litegate bot …`: prints the bot's commands, and announces without Discord at hand.

use std::path::Path;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::open::open;
use super::output::{Format, print_json, print_line};
use crate::bot;
use crate::operations::{Actor, announce};

#[derive(Args)]
#[command(after_help = "Example: litegate bot commands --json")]
pub(super) struct Bot {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Print the commands as they are registered at Discord, without contacting Discord
    #[command(after_help = "Example: litegate bot commands --json")]
    Commands,
    /// Announce something to all merchants, in the notifications channel
    #[command(after_help = "Example: litegate bot announce 'The node moves at 5 UTC'")]
    Announce { text: String },
}

impl Bot {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        match self.act {
            Act::Commands => commands(format),
            Act::Announce { text } => announce_to_all(config, text, format),
        }
    }
}

fn commands(format: Format) -> Result<(), Failure> {
    let json = bot::commands_json().map_err(|error| Failure::Failed(error.to_string()))?;
    match format {
        Format::Json => print_json(&json),
        Format::Text => json.as_array().into_iter().flatten().try_for_each(|command| {
            let word = |name: &str| command[name].as_str().unwrap_or_default().to_owned();
            print_line(&format!("/{:22} {}", word("name"), word("description")))
        }),
    }
}

fn announce_to_all(config: Option<&Path>, text: String, format: Format) -> Result<(), Failure> {
    let (config, store) = open(config)?;
    let settings = config.bot.as_ref();
    let settings =
        settings.ok_or_else(|| Failure::Usage("discord.token_file is not set".into()))?;
    if settings.notifications_channel_id.is_none() {
        return Err(Failure::Usage("discord.notifications_channel_id is not set".to_owned()));
    }
    let (announcement, now) = (text.clone(), config.clock.now());
    store.write_blocking(move |tx| announce::record(tx, &Actor::Cli, &announcement, now))?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
    runtime.block_on(bot::announce_from_shell(settings, &text)).map_err(Failure::Failed)?;
    match format {
        Format::Json => print_json(&serde_json::json!({ "posted": text })),
        Format::Text => print_line("posted"),
    }
}
