//! The command line: arguments, dispatch and exit codes. One file per command.

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
mod rates;
mod rescan;
mod restore;
mod secret;
mod serve;
mod sweep;
mod sweeper_webhook_secret;
mod webhook;

use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::config;
use crate::privileges;

use output::{Format, print_error, print_note};

#[derive(Parser)]
#[command(
    name = "litegate",
    version,
    about = "A self-hosted Litecoin payment gateway on your own node",
    after_help = "Example: litegate demo --autopay\n\nExit codes: 0 success, 1 a check failed, \
                  2 usage or configuration, 3 node unreachable, 4 refused for safety."
)]
struct Cli {
    /// Configuration file (default: ./litegate.toml, then /etc/litegate/litegate.toml)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print data as JSON, with the API's field names
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a configuration, secrets and keys in a new directory
    Init(init::Init),
    /// Run the gateway
    Serve(serve::Serve),
    /// Check node, keys, database, files and configuration
    Doctor(doctor::Doctor),
    /// Report all configuration mistakes, without a node
    CheckConfig(check_config::CheckConfig),
    /// Show the effective configuration
    Config(config_show::ConfigCommand),
    /// Add merchants and change their accounts
    Merchant(merchant::Merchant),
    /// Show, create, accept and cancel payments
    Payment(payment::Payment),
    /// List webhook events and send them again
    Webhook(webhook::Webhook),
    /// Show the exchange rate of each currency
    Rates(rates::Rates),
    /// Pay out now, or use an external signer
    Sweep(sweep::Sweep),
    /// Print the secret that verifies the sweeper's notifications
    SweeperWebhookSecret(sweeper_webhook_secret::SweeperWebhookSecret),
    /// Read blocks again and repair differences
    Rescan(rescan::Rescan),
    /// Reconcile every litoshi with the node
    Audit(audit::Audit),
    /// Copy the database while it is in use, or verify a copy
    Backup(backup::Backup),
    /// Replace the database with a copy
    Restore(restore::Restore),
    /// Replace the master secret
    Secret(secret::Secret),
    /// Show who changed what, or verify the log
    AuditLog(audit_log::AuditLog),
    /// Show or end the chain guard
    ChainGuard(chain_guard::ChainGuard),
    /// Print the bot's commands, or announce something to all merchants
    Bot(bot::Bot),
    /// Print shell completions
    Completions(manual::Completions),
    /// Write the manual pages
    Man(manual::Man),
    /// Print the OpenAPI 3.1 document
    Openapi(openapi::Openapi),
    /// Demonstrate a whole payment on a private regtest node
    Demo(demo::Demo),
    /// Run the demo's node until standard input ends (used by the demo)
    #[command(hide = true)]
    DemoNode(demo::node::DemoNode),
}

/// Runs the program and answers the exit code. Prints one error line on standard error.
pub fn run() -> ExitCode {
    // Every command may read a secret or a key.
    if let Err(error) = privileges::forbid_core_dumps() {
        print_note(&format!(
            "litegate: cannot disable core dumps, which would contain keys: {error}"
        ));
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
        Command::Rates(command) => command.run(config, format),
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

/// Prints help and version as clap does, and a usage error as one line.
fn answer_usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let failed = error.print().and_then(|()| std::io::stdout().flush()).err();
        // A closed pipe is no error.
        let Some(failed) = failed.filter(|failed| failed.kind() != ErrorKind::BrokenPipe) else {
            return ExitCode::SUCCESS;
        };
        print_note(&format!("litegate: standard output: {failed}"));
        return ExitCode::from(1);
    }
    let text = error.to_string();
    let sentence = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let line = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    print_note(&format!("litegate: {line} (see litegate --help)"));
    ExitCode::from(2)
}
