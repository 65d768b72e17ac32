//! The sweeper: pays settled coins out to the merchants' addresses.
//!
//! A pass gives up what the chain has made impossible, sends again what is unconfirmed, and makes
//! a new sweep of what is due. Each step leaves the database in a state from which the next pass,
//! of this process or of the one after a crash, goes on: a sweep is claimed and stored in one
//! write, and only then broadcast. Plain blocking code on a thread of its own.
//!
//! One bad coin, key path or payout address holds up nobody else: what is wrong is left out and
//! named, the rest goes out. What the node refuses is found by trying parts; its error texts are
//! for people alone.
//!
//! Money leaves through four functions, in this order: `pass::store_and_send` claims the coins
//! and stores the signed bytes, `in_flight::send` takes stored bytes only, `broadcast::send`
//! asks whether the node has them, `node::rpc::Node::broadcast` is the call. `in_flight::bump_fee`
//! and `damaged::store_again_and_send` store a further version, and go on with
//! `in_flight::send`.
//!
//! Must not know: HTTP, why a payment is complete.

pub(crate) mod audit_log;
mod broadcast;
pub(crate) mod build;
mod damaged;
mod due;
pub(crate) mod encrypted;
pub(crate) mod external;
mod in_flight;
mod memory;
pub(crate) mod operator_notifier;
mod pass;
pub(crate) mod payees;
pub(crate) mod private_file;
mod record;
pub(crate) mod seals;
mod sight;
pub(crate) mod signing_key;
mod trial;

use std::time::{Duration, Instant};

use anyhow::ensure;
use bitcoin::bip32::KeySource;
use bitcoin::{OutPoint, Txid};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::amount::Amount;
use crate::domain::chain_guard::Trust;
use crate::domain::keys::AccountXpub;
use crate::domain::network::Network;
use crate::domain::sweep::{self, Planned, Waits};
use crate::node::nodes::Nodes;
use crate::node::rpc::Node;
use crate::notifier::Notifier;
use crate::operations;
use crate::operations::own_addresses::OwnAddresses;
use crate::store::audit_log::chain::Break;
use crate::store::{
    self, ReadTx, Store, WriteTx, blocks, chain_guard_alerts, requests, role_status, sweeps,
};
use crate::view::role_status::Role;
use crate::watchdog::{self, Loop};

use due::Due;
use memory::Memory;
use operator_notifier::OperatorNotifier;
use seals::Seals;
use signing_key::SigningKey;

/// How sweeps are made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) interval: Duration,
    /// A sweep that is unconfirmed for so long gets a version with a higher fee.
    pub(crate) fee_bump_after: Duration,
    /// What the operator wants to wait for payout at most under a key on this machine.
    pub(crate) max_hot_balance: Option<Amount>,
    /// Where the account's key comes from, for external signers (BIP174).
    pub(crate) key_origin: Option<KeySource>,
    pub(crate) rules: sweep::Rules,
}

/// The role and all that it works with.
pub(crate) struct Sweeper {
    pub(crate) store: Store,
    /// The nodes that there are.
    pub(crate) nodes: Nodes,
    /// The one that this pass asks: the one that the watcher follows.
    pub(crate) node: Node,
    pub(crate) network: Network,
    pub(crate) xpub: AccountXpub,
    /// Absent: watch-only, nothing is signed here.
    pub(crate) key: Option<SigningKey>,
    pub(crate) own: OwnAddresses,
    pub(crate) addresses: payees::Memory,
    /// Absent: what the database says is taken for true.
    pub(crate) seals: Option<Seals>,
    /// What is wrong with the audit log, as the log of this process says already.
    pub(crate) audit_log_break: Option<Break>,
    /// Absent: no URL for notifications is configured.
    pub(crate) operator_notifier: Option<OperatorNotifier>,
    pub(crate) settings: Settings,
    pub(crate) notifier: Notifier,
    pub(crate) clock: Clock,
    pub(crate) shutdown: CancellationToken,
}

/// What a pass did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// Sweeps made and sent by this pass.
    pub(crate) sent: Vec<Txid>,
    /// What did not go out, and why.
    pub(crate) waiting: Vec<(OutPoint, Waits)>,
}

/// Why a pause ended.
enum Paused {
    /// Another role asks for a look.
    Notified,
    /// A notification was delivered, or was not.
    Delivered(operator_notifier::Delivery),
    Over,
}

/// The pause after a first failure. It doubles with each that follows.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// How much of an error is recorded, in characters.
const TROUBLE_CHARS_MAX: usize = 500;

/// How often new payments are sealed, and requests looked for.
const TICK: Duration = Duration::from_secs(1);

/// How often an unconfirmed sweep is looked after, at least.
const LOOK_AFTER: Duration = Duration::from_secs(60);

/// The pause before the next look, after so many failures in a row.
fn pause_after(failures: u32, longest: Duration) -> Duration {
    match failures.checked_sub(1) {
        None => longest,
        Some(repeated) => FAILURE_PAUSE.saturating_mul(2u32.saturating_pow(repeated)).min(longest),
    }
}

/// An error and its causes for whoever asked for a sweep. What SQLite says is for the log alone.
fn for_people(error: &anyhow::Error) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in error.chain() {
        if let Some(store::Error::Sqlite(_)) = cause.downcast_ref() {
            words.push("the database refused a write: see the sweeper's log".to_owned());
            break;
        }
        words.push(cause.to_string());
    }
    words.join(": ")
}

/// Whether our tip was looked at and there is no doubt about its chain.
fn trusts_the_chain(tx: &ReadTx) -> Result<bool, store::Error> {
    let Some(tip) = blocks::tip(tx)? else { return Ok(true) }; // There are no coins yet.
    Ok(chain_guard_alerts::trust_at(tx, tip)? == Trust::Full)
}

impl Sweeper {
    /// Sweeps until told to stop. Must be called on a thread outside of the runtime.
    pub(crate) fn run(mut self, runtime: &Handle) {
        let mut memory = Memory::default();
        let mut failures: u32 = 0;
        let mut last_sweep: Option<Instant> = None;
        let mut next_look = Instant::now();
        // What was asked for before we began is answered by the first pass.
        let mut answered = None;
        let mut found = false;
        while !self.shutdown.is_cancelled() {
            watchdog::heartbeat(Loop::Sweeper);
            // Once: a sweep that was missing there would never be looked after.
            found = found || self.store.write_blocking(sweeps::find_in_flight).is_ok();
            match operations::nodes::in_use(&self.store, &self.nodes) {
                Ok(followed) => self.node = followed.node.clone(),
                Err(error) => tracing::debug!(%error, "cannot see which node is followed"),
            }
            // Whatever else fails: what is seen late is believed for longer.
            let sealed = self.seal_new();
            let sealed = sealed.and(self.see_audit_log()).and(self.notify_next(runtime));
            let asked = self.newest_request(answered);
            let due = last_sweep.is_none_or(|at| at.elapsed() >= self.settings.interval)
                || asked > answered;
            let result = if due {
                self.pass(&mut memory).map(|report| report.is_some())
            } else if Instant::now() >= next_look {
                self.look_after(&mut memory).map(|()| false)
            } else {
                Ok(false)
            };
            let result = sealed.and(result);
            match result {
                Ok(swept) => {
                    failures = 0;
                    if swept {
                        last_sweep = Some(Instant::now());
                        answered = asked;
                    }
                }
                Err(error) if self.shutdown.is_cancelled() => {
                    tracing::debug!(error = format!("{error:#}"), "the sweeper ends amid a look");
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(error = format!("{error:#}"), "sweeper waits");
                    }
                    self.note_trouble(&for_people(&error));
                    failures = failures.saturating_add(1);
                }
            }
            if failures > 0 || Instant::now() >= next_look {
                let pause = pause_after(failures, self.settings.interval.min(LOOK_AFTER));
                next_look = Instant::now() + pause;
            }
            let pause = match failures {
                0 => next_look.saturating_duration_since(Instant::now()).min(TICK),
                _ => next_look.saturating_duration_since(Instant::now()),
            };
            match runtime.block_on(self.pause(pause)) {
                Paused::Notified => next_look = Instant::now(),
                Paused::Delivered(ended) => {
                    if let Err(error) = self.end_delivery(ended) {
                        let error = format!("{error:#}");
                        tracing::error!(error, "the outcome of a notification is not recorded");
                    }
                }
                Paused::Over => {}
            }
        }
    }

    /// Waits for so long, or until there is something to do.
    async fn pause(&mut self, pause: Duration) -> Paused {
        let delivery = async {
            match &mut self.operator_notifier {
                Some(operator_notifier) => operator_notifier.finished().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.shutdown.cancelled() => Paused::Over,
            () = self.notifier.sweeper_notified() => Paused::Notified,
            ended = delivery => Paused::Delivered(ended),
            () = tokio::time::sleep(pause) => Paused::Over,
        }
    }

    /// A sign of life amid many coins or sweeps.
    ///
    /// # Errors
    /// Once we were told to stop: what is not begun is left for the next start.
    fn go_on(&self) -> anyhow::Result<()> {
        watchdog::heartbeat(Loop::Sweeper);
        ensure!(!self.shutdown.is_cancelled(), "told to stop");
        Ok(())
    }

    /// The newest request for a sweep now, or what was the newest if that cannot be seen.
    fn newest_request(&self, known: Option<i64>) -> Option<i64> {
        self.store.read_blocking(requests::newest).unwrap_or_else(|error| {
            tracing::debug!(%error, "cannot look for requests");
            known
        })
    }

    /// Lets whoever asked for a sweep see why there is none.
    fn note_trouble(&self, trouble: &str) {
        let trouble: String = trouble.chars().take(TROUBLE_CHARS_MAX).collect();
        let write = move |tx: &WriteTx| role_status::record_trouble(tx, Role::Sweeper, &trouble);
        if let Err(error) = self.store.write_blocking(write) {
            tracing::debug!(%error, "cannot record what the sweeper waits for");
        }
    }

    /// Sweeps once, for an operator's command. `None` if that has to wait because of a doubt.
    pub(crate) fn sweep_once(&mut self) -> anyhow::Result<Option<Report>> {
        self.pass(&mut Memory::default())
    }

    /// What a sweep would send now, and what waits.
    pub(crate) fn plan_now(&mut self) -> anyhow::Result<Planned> {
        let due = self.due()?;
        let mut planned = due.plan(&due.coins, &self.settings.rules);
        planned.waiting.extend(due.waiting);
        Ok(planned)
    }
}

#[cfg(test)]
mod tests;
