//! `litegate serve`: runs the roles until a signal, and prints `ready` once the API answers.

use std::path::Path;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use super::failure::Failure;
use crate::config::{self, Process};
use crate::logging::{self, Levels, Log, Reader};
use crate::serve::first_start::{Account, Unexamined};
use crate::serve::{Gateway, Role, is_sweeper_alone};

#[derive(Args)]
#[command(after_help = "Example: litegate serve --only api,watcher,webhooks")]
pub(super) struct Serve {
    /// Run only these roles: api, watcher, webhooks, sweeper, bot
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',')]
    only: Vec<Role>,
    /// Run all configured roles except these
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',', conflicts_with = "only")]
    without: Vec<Role>,
    /// Start on main for the first time without a successful litegate doctor
    #[arg(long)]
    force: bool,
    /// On the first start, issue addresses before the node has answered whether the account
    /// was used before; only for an account that was never used
    #[arg(long)]
    assume_unused_account: bool,
    /// Format of the log. SIGHUP raises its level to debug, a second SIGHUP restores it
    #[arg(
        long,
        value_name = "FORM",
        value_enum,
        default_value = "text",
        env = "LITEGATE_LOG_FORM"
    )]
    log: LogForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogForm {
    /// Text for people
    Text,
    /// One JSON object per line, with the fields of the event and of its request
    Json,
}

/// Default filter. The RPC library would log passwords.
const LOG_FILTER: &str = "info,tracing=warn";

/// Filter after SIGHUP.
const LOG_FILTER_RAISED: &str = "debug,tracing=warn";

/// Always appended: at debug level these crates log RPC parameters and Discord traffic,
/// including secrets and tokens.
const LOG_ALWAYS: [&str; 5] =
    ["bitcoincore_rpc=info", "jsonrpc=info", "poise=warn", "serenity=warn", "tungstenite=warn"];

impl Serve {
    pub(super) fn run(self, config: Option<&Path>) -> Result<(), Failure> {
        let log = log_from(LOG_FILTER, self.log);
        let process = match is_sweeper_alone(&self.only, &self.without) {
            true => Process::SweeperAlone,
            false => Process::Gateway,
        };
        let config = config::load_for(process, config)?;
        let shutdown = CancellationToken::new();
        let unexamined = if self.force { Unexamined::Forced } else { Unexamined::Refused };
        let account = match self.assume_unused_account {
            true => Account::AssumedUnused,
            false => Account::AsTheNodeSays,
        };
        let (only, without, stop) = (&self.only, &self.without, shutdown.clone());
        let gateway = Gateway::prepare(config, only, without, unexamined, account, stop)?;
        log.start_queue();
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
        runtime.block_on(async {
            let failed = |error| Failure::Failed(format!("listen to signals: {error}"));
            let signals = stop_on_signal(shutdown).map_err(failed)?;
            let changes = change_levels_on_signal(log.levels.clone()).map_err(failed)?;
            let running = gateway.run(|listening| {
                if let Some(address) = listening {
                    tracing::info!(%address, "listening");
                }
                log.print("ready");
            });
            tokio::select! {
                ended = running => ended.map_err(Failure::from),
                never = signals => match never {},
                never = changes => match never {},
            }
        })
    }
}

/// Logs errors only, unless the environment says otherwise: for commands that print their own
/// output. Queued lines are written when the log is dropped.
#[must_use]
pub(super) fn log_only_warnings() -> Log {
    log_from("error", LogForm::Text)
}

/// Starts the log on standard error with the levels of `LITEGATE_LOG`.
fn log_from(default: &str, form: LogForm) -> Log {
    let filter = config::log_filter().unwrap_or_else(|| default.to_owned());
    let form = match form {
        LogForm::Text => logging::Form::Text,
        LogForm::Json => logging::Form::Json,
    };
    let reader = if config::journal_reads_log() { Reader::Journal } else { Reader::Anyone };
    Log::start(filter_of(&filter), form, reader)
}

fn filter_of(words: &str) -> EnvFilter {
    EnvFilter::new([&[words], &LOG_ALWAYS[..]].concat().join(","))
}

/// Raises the log level with SIGHUP and restores it with the next one, until the process ends.
fn change_levels_on_signal(
    levels: Levels,
) -> std::io::Result<impl Future<Output = std::convert::Infallible>> {
    let usual = config::log_filter().unwrap_or_else(|| LOG_FILTER.to_owned());
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        for raised in [true, false].into_iter().cycle() {
            hangup.recv().await;
            let words = if raised { LOG_FILTER_RAISED } else { &usual };
            let _ = levels.reload(filter_of(words)); // It fails only after the log has ended.
            tracing::info!(filter = words, "log level changed");
        }
        std::future::pending().await // Unreachable: the list is endless.
    })
}

/// Cancels on SIGTERM or SIGINT, until the process ends.
pub(super) fn stop_on_signal(
    shutdown: CancellationToken,
) -> std::io::Result<impl Future<Output = std::convert::Infallible>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping");
            shutdown.cancel();
        }
    })
}
