//! `litegate completions` and `litegate man`, generated from the definitions of `--help`.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::failure::Failure;
use super::output::print_line;

#[derive(Args)]
#[command(after_help = "Example: litegate completions bash > /etc/bash_completion.d/litegate")]
pub(super) struct Completions {
    /// bash, zsh or fish, among others
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, mut command: Command) -> Result<(), Failure> {
        let mut out = Vec::new();
        clap_complete::generate(self.shell, &mut command, "litegate", &mut out);
        print_line(String::from_utf8_lossy(&out).trim_end())
    }
}

#[derive(Args)]
#[command(after_help = "Example: litegate man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// The directory for the pages: litegate.1, litegate-serve.1 and so on
    folder: PathBuf,
}

impl Man {
    pub(super) fn run(&self, mut command: Command) -> Result<(), Failure> {
        let failed =
            |error: std::io::Error| Failure::Failed(format!("{}: {error}", self.folder.display()));
        std::fs::create_dir_all(&self.folder).map_err(failed)?;
        command = command.disable_help_subcommand(true);
        clap_mangen::generate_to(command, &self.folder).map_err(failed)
    }
}
