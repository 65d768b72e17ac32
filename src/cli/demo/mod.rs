//! `litegate demo`: the whole gateway on regtest with a separate node, from an API call to the
//! payout.

pub(super) mod node;
mod script;
mod setup;
mod shop;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use tokio::sync::mpsc::channel;
use tokio_util::sync::CancellationToken;

use crate::serve::Gateway;
use crate::serve::first_start::{Account, Unexamined};

use super::failure::Failure;
use super::serve;
use node::PlayNode;
use script::{Script, StepLog};
use setup::{Setup, actions, secret_of};
use shop::blocking;

#[derive(Args)]
#[command(after_help = "Example: litegate demo --autopay")]
pub(super) struct Demo {
    /// Pay, mine and report every step, then exit; otherwise pay in the browser
    #[arg(long)]
    autopay: bool,
}

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let _log = serve::log_only_warnings();
        let runtime = tokio::runtime::Runtime::new()
            .map_err(|error| Failure::Failed(format!("start the runtime: {error}")))?;
        let start = Instant::now();
        let play = Arc::new(PlayNode::start()?);
        // From here on the node ends when `play` is dropped.
        let shutdown = CancellationToken::new();
        runtime.block_on(async {
            let signals = serve::stop_on_signal(shutdown.clone())
                .map_err(|error| Failure::Failed(format!("listen to signals: {error}")))?;
            tokio::select! {
                ended = self.show(start, play, shutdown.clone()) => ended,
                () = shutdown.cancelled() => Err(Failure::Failed("stopped".to_owned())),
                never = signals => match never {},
            }
        })
    }

    async fn show(
        &self,
        start: Instant,
        play: Arc<PlayNode>,
        shutdown: CancellationToken,
    ) -> Result<(), Failure> {
        let steps = StepLog { start };
        steps.step(1, &describe(&play)?)?;
        play.fund()?;
        let setup = Setup::new(&play).await?;
        let key = secret_of(&setup)?;
        steps.step(2, &format!("merchant \"Demo Shop\", key {key}"))?;

        let (sender, events) = channel(16);
        let gateway_shutdown = shutdown.child_token();
        let (config, stop) = (setup.config.clone(), gateway_shutdown.clone());
        let prepared = blocking(move || {
            // The account is new.
            let (unexamined, account) = (Unexamined::Refused, Account::AssumedUnused);
            Ok(Gateway::prepare(config, &[], &[], unexamined, account, stop)?)
        });
        let gateway = prepared.await?;
        let actions = actions(&setup, &key)?;
        let side = crate::http::demo::serve(
            setup.side,
            setup.config.http.listen,
            actions,
            sender,
            gateway_shutdown.clone(),
        );
        let script = Script {
            steps,
            play,
            store: setup.store,
            config: setup.config,
            merchant: setup.merchant,
            payout_address: setup.payout_address,
            side_address: setup.side_address,
            key,
            events,
            pressed: VecDeque::new(),
        };
        let autopay = self.autopay;
        let (answers, ready) = tokio::sync::oneshot::channel();
        let on_progress = async {
            // The gateway ended and reports why.
            let outcome = match ready.await {
                Ok(()) => script.run(autopay).await,
                Err(_) => Err(Failure::Failed("the gateway did not start".to_owned())),
            };
            gateway_shutdown.cancel();
            outcome
        };
        let gateway = gateway.run(move |_| {
            let _ = answers.send(()); // The demo may be ending.
        });
        let (on_progress, served, ()) = tokio::join!(on_progress, gateway, side);
        served?;
        on_progress
    }
}

/// The node's version and notification mode.
fn describe(play: &PlayNode) -> Result<String, Failure> {
    use crate::node::status::Notifications;
    let node = |error| Failure::Failed(format!("litecoind: {error}"));
    let version = play.node.version().map_err(node)?;
    let name = version.name.trim_matches('/').replace("LitecoinCore:", "litecoind ");
    Ok(match play.node.notifications().map_err(node)? {
        Notifications::NotBuiltIn => format!("{name} (regtest, polling: built without ZMQ)"),
        Notifications::Topics(_) => format!("{name} (regtest, ZMQ)"),
    })
}
