//! `litegate serve`: runs the roles until a signal, and says `ready` once the API answers.

use std::path::Path;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::config;
use crate::serve::{Gateway, Role};

#[derive(Args)]
#[command(after_help = "Example: litegate serve --only api,watcher,webhooks")]
pub(super) struct Serve {
    /// Only these roles: api, watcher, webhooks, sweeper, bot
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',')]
    only: Vec<Role>,
    /// All configured roles but these
    #[arg(long, value_name = "ROLE,…", value_delimiter = ',', conflicts_with = "only")]
    without: Vec<Role>,
}

/// What is logged if the environment does not say. The RPC library would log passwords.
const LOG_FILTER: &str = "info,serenity=warn,poise=warn,tracing=warn";

/// Never to be raised: at debug these log parameters of calls.
const LOG_ALWAYS: [&str; 2] = ["bitcoincore_rpc=info", "jsonrpc=info"];

impl Serve {
    pub(super) fn run(self, config: Option<&Path>) -> Result<(), Failure> {
        log();
        let config = config::load(config)?;
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
        let shutdown = CancellationToken::new();
        let gateway = Gateway::prepare(config, &self.only, &self.without, shutdown.clone())?;
        runtime.block_on(async {
            let signals = stop_on_signal(shutdown)
                .map_err(|error| Failure::Failed(format!("listen to signals: {error}")))?;
            let running = gateway.run(|listening| {
                if let Some(address) = listening {
                    tracing::info!(%address, "listening");
                }
                eprintln!("ready");
            });
            tokio::select! {
                ended = running => ended.map_err(Failure::from),
                never = signals => match never {},
            }
        })
    }
}

/// Logs to standard error, with the levels that `LITEGATE_LOG` names.
pub(super) fn log() {
    log_from(LOG_FILTER);
}

/// As [`log`], but quiet unless the environment says otherwise: for commands that speak for
/// themselves.
pub(super) fn log_only_warnings() {
    log_from("error");
}

fn log_from(default: &str) {
    let filter = config::log_filter().unwrap_or_else(|| default.to_owned());
    let filter = [&[filter.as_str()], &LOG_ALWAYS[..]].concat().join(",");
    let filter = tracing_subscriber::EnvFilter::new(filter);
    let _ = tracing_subscriber::fmt() // Set once; a second time changes nothing.
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .try_init();
}

/// Cancels when SIGTERM or SIGINT comes; goes on for ever.
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
