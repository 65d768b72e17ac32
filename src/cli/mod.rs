//! The command line: what was typed, what it means, and how it ends. A file a command.

mod audit;
mod audit_log;
mod backup;
mod bot;
mod chain_guard;
mod check_config;
mod config_show;
mod demo;
mod doctor;
mod failure;
mod init;
mod manual;
mod merchant;
mod merchant_key;
mod merchant_notifications;
mod merchant_second_factor;
mod merchant_view;
mod mnemonic_confirmation;
mod open;
mod openapi;
mod output;
mod payment;
mod progress;
mod rescan;
mod restore;
mod secret;
mod serve;
mod sweep;
mod sweeper_webhook_secret;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config;
use crate::privileges;

use output::{Format, print_error};

#[derive(Parser)]
#[command(
    name = "litegate",
    version,
    about = "A self-hosted Litecoin payment gateway on your own node",
    after_help = "Example: litegate demo --autopay\n\nExit codes: 0 done, 1 a check failed, \
                  2 usage or configuration, 3 node out of reach, 4 refused for safety."
)]
struct Cli {
    /// The configuration (default: ./litegate.toml, else /etc/litegate/litegate.toml)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print data as JSON, with the API's names
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a configuration, the secrets and the keys in a new folder
    Init(init::Init),
    /// Run the gateway
    Serve(serve::Serve),
    /// Check node, keys, database, files and configuration
    Doctor(doctor::Doctor),
    /// Find all mistakes of the configuration, without a node
    CheckConfig(check_config::CheckConfig),
    /// Show the configuration that counts
    Config(config_show::ConfigCommand),
    /// Add merchants and change their accounts
    Merchant(merchant::Merchant),
    /// Look at payments
    Payment(payment::Payment),
    /// Look at webhooks and send them again
    Webhook(webhook::Webhook),
    /// Pay out what is due now, or have it signed elsewhere
    Sweep(sweep::Sweep),
    /// Print the secret by which the sweeper's notifications are verified
    SweeperWebhookSecret(sweeper_webhook_secret::SweeperWebhookSecret),
    /// Read blocks again and repair what differs
    Rescan(rescan::Rescan),
    /// Account for every litoshi, against the node
    Audit(audit::Audit),
    /// Copy the database while it is in use, or try a copy
    Backup(backup::Backup),
    /// Put a copy in the database's place
    Restore(restore::Restore),
    /// Replace the master secret
    Secret(secret::Secret),
    /// Show who changed what, or check that the log is whole
    AuditLog(audit_log::AuditLog),
    /// Show or end a doubt about the chain
    ChainGuard(chain_guard::ChainGuard),
    /// Print the bot's commands, or say something to all merchants
    Bot(bot::Bot),
    /// Print what a shell needs to complete commands
    Completions(manual::Completions),
    /// Write the manual's pages
    Man(manual::Man),
    /// Print the API as OpenAPI 3.1
    Openapi(openapi::Openapi),
    /// Show a whole payment on a regtest node of its own
    Demo(demo::Demo),
    /// Keep the demo's node until our standard input ends (used by the demo itself)
    #[command(hide = true)]
    DemoNode(demo::node::DemoNode),
}

/// Runs the program: one error line on standard error, and the exit code of the contract.
pub fn run() -> ExitCode {
    // Every command may read a secret, and some a key.
    if let Err(error) = privileges::forbid_core_dumps() {
        eprintln!("litegate: core dumps, which would hold keys, cannot be forbidden: {error}");
        return ExitCode::from(1);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return answer_usage(&error),
    };
    if let Some(point) = config::crash_point() {
        crate::crash::arm(&point);
    }
    let format = if cli.json { Format::Json } else { Format::Text };
    let config = cli.config.as_deref();
    let result = match cli.command {
        Command::Init(command) => command.run(format),
        Command::Serve(command) => command.run(config),
        Command::Doctor(command) => command.run(config, format),
        Command::CheckConfig(command) => command.run(config),
        Command::Config(command) => command.run(config, format),
        Command::Merchant(command) => command.run(config, format),
        Command::Payment(command) => command.run(config, format),
        Command::Webhook(command) => command.run(config, format),
        Command::Sweep(command) => command.run(config, format),
        Command::SweeperWebhookSecret(command) => command.run(config, format),
        Command::Rescan(command) => command.run(config, format),
        Command::Audit(command) => command.run(config, format),
        Command::Completions(command) => command.run(Cli::command()),
        Command::Man(command) => command.run(Cli::command()),
        Command::Backup(command) => command.run(config, format),
        Command::Restore(command) => command.run(config, format),
        Command::ChainGuard(command) => command.run(config, format),
        Command::Secret(command) => command.run(config, format),
        Command::Openapi(command) => command.run(config),
        Command::AuditLog(command) => command.run(config, format),
        Command::Bot(command) => command.run(config, format),
        Command::Demo(command) => command.run(),
        Command::DemoNode(command) => command.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            print_error(format!("litegate: {}", failure.message().replace('\n', " ")));
            ExitCode::from(failure.code())
        }
    }
}

/// Help and version go where clap puts them; of an error only the sentence is kept, in one line.
fn answer_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print(); // A reader that has gone is no error.
        return ExitCode::SUCCESS;
    }
    let text = error.to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    eprintln!("litegate: {line} (see litegate --help)");
    ExitCode::from(2)
}
