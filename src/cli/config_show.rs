//! `litegate config show`: prints every key with its effective value and source.

use std::path::Path;

use clap::{Args, Subcommand};

use super::failure::Failure;
use super::output::{Format, print_json, print_line};
use crate::config::{self, Source};

#[derive(Args)]
pub(super) struct ConfigCommand {
    #[command(subcommand)]
    act: Act,
}

#[derive(Subcommand)]
enum Act {
    /// Print every key with its value and source (default, file or environment)
    #[command(after_help = "Example: litegate config show")]
    Show,
}

impl ConfigCommand {
    pub(super) fn run(self, config: Option<&Path>, format: Format) -> Result<(), Failure> {
        let Act::Show = self.act;
        let settings = config::settings(config)?;
        if format == Format::Json {
            return print_json(&settings);
        }
        for setting in settings {
            let source = match setting.source {
                Source::Default => "default",
                Source::File => "file",
                Source::Environment => "environment",
            };
            print_line(&format!("{} = {}  # {source}", setting.key, setting.value))?;
        }
        Ok(())
    }
}
